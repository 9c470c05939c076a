//! A drop-in for `std::sync` and `std::thread` that a model can explore.
//!
//! Use `selvedge_model::sync` in place of `std::sync`. Without `--cfg loom`, or without the feature `check`,
//! each name is a re-export of the `std` item; only [`cell::UnsafeCell`] is a newtype, because that of `std`
//! has no `with` and `with_mut`. With both, each name is a type whose operations are steps of the model.
//!
//! # Outside a model
//!
//! With `--cfg loom`, a value made outside a running model behaves like its `std` counterpart, on real
//! threads, so that ordinary tests keep working. An execution of a model can use only values that it made
//! itself, and statics: any other is a wrong model. A value that a model has used panics when it is used outside.
//!
//! # Statics
//!
//! A `static` of one of these types, or of a type that is built on them, can be used in models. Each execution
//! finds it as it was declared. Its memory does not change in a model, so that tests can use it at the same
//! time. What it holds is dropped when the execution is over: a reference to that must not be kept longer, as in a
//! thread-local value of `std`. Parts of a static that are not of these types are not made anew.
//!
//! # Other testers
//!
//! `--cfg shuttle` makes each name that of shuttle, for random schedules of programs that are too large to
//! explore. `--cfg plain_loom` makes each name that of loom, for comparison. Neither has `Model`, nor what
//! shuttle or loom lacks: `OnceLock`, and under `plain_loom` also `sync_channel` and waits with a timeout.
//!
//! # Limits
//!
//! With `--cfg loom`:
//!
//! - Statics are recognised on Linux, Android and the BSDs; elsewhere they are refused. So is everywhere what is
//!   put into a static at run time, as by a `LazyLock` of `std`.
//! - To make a value is no operation: it counts as made when its memory was allocated, by the thread that did
//!   so. If it is put into older memory, such as a free slot of a pool, and published without synchronisation,
//!   that is not found.
//! - A value must be on the stack of a thread, or in memory from the global allocator, which is
//!   `selvedge_model::Allocator`. A program with a global allocator of its own sets `--cfg own_allocator`, and
//!   declares that type around its own. What an execution frees is kept until it is over.
//! - Missing, compared with `std`, are what is deprecated, `from_ptr` of atomics, and `UnsafeCell::raw_get` and
//!   `from_mut`; `as_ptr` of an atomic is refused in a model. `PARITY.md`
//!   in the package lists them by type, with a reason each; the test `tests/parity` compares item by item.
//! - An `Arc` of a trait object is made from a `Box` of it, `Arc::from(Box::new(value) as Box<dyn Trait>)`, as in
//!   `std`: it does not coerce. It cannot be the type of `self`, so `Wake` is implemented for the `Arc` of `std`, or a
//!   `RawWaker` is made by `Arc::into_raw`.
//! - An `Arc` of `std` works in a model, but which thread drops the last owner is invisible, and not explored. If
//!   something depends on that, such as when the `Sender` in it is dropped, the model is called not deterministic: use
//!   the `Arc` of this module.
//! - A value that prints itself with `Debug` reads itself, as in `std`: an atomic by a relaxed load, a lock by
//!   `try_lock`. The step is shown where the value was made.
//! - A model has no time: a wait with a timeout may time out at any point, unless the model is patient, and `sleep`
//!   orders nothing.
//! - The operations of channels, `Once`, `OnceLock`, `LazyLock`, `Barrier` and `Arc` are not mutated.
//! - A thread has 1 MiB of stack, or what `Model::stack` says; a spawned one may ask for more, with
//!   `thread::Builder::stack_size`.
//! - What is not explored is listed in the documentation of the [crate](crate#limits).

#[cfg(any(all(loom, plain_loom), all(loom, shuttle), all(plain_loom, shuttle)))]
compile_error!("at most one of --cfg loom, --cfg plain_loom and --cfg shuttle may be set");

#[cfg(all(loom, feature = "check"))]
mod checked;
#[cfg(all(loom, feature = "check"))]
use checked as backend;

#[cfg(all(plain_loom, feature = "check"))]
mod plain_loom;
#[cfg(all(plain_loom, feature = "check"))]
use plain_loom as backend;

#[cfg(all(shuttle, feature = "check"))]
mod shuttle;
#[cfg(all(shuttle, feature = "check"))]
use self::shuttle as backend;

#[cfg(not(all(any(loom, plain_loom, shuttle), feature = "check")))]
mod plain;
#[cfg(not(all(any(loom, plain_loom, shuttle), feature = "check")))]
use plain as backend;

#[cfg(all(any(plain_loom, shuttle), feature = "check"))]
mod simulated;

pub use backend::{
    Arc, Condvar, LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult, atomic, cell, hint, mpsc,
    thread, thread_local, thread_number,
};
#[cfg(not(all(any(plain_loom, shuttle), feature = "check")))]
pub mod future;
#[cfg(all(loom, feature = "check"))]
#[doc(hidden)]
pub use backend::Notify;
#[cfg(not(all(any(plain_loom, shuttle), feature = "check")))]
pub use backend::{Barrier, BarrierWaitResult, LazyLock, Once, OnceLock, OnceState, Weak, alloc};

/// Spins until `condition` holds, and before long lets other threads run in between.
#[cfg(not(all(any(loom, plain_loom, shuttle), feature = "check")))]
fn spin_until(mut condition: impl FnMut() -> bool) {
    // So many turns that spin, each twice as long as the one before, before one yields.
    const SPINNING: u32 = 7;

    let mut turns = 0;
    while !condition() {
        if turns < SPINNING {
            (0..1 << turns).for_each(|_| std::hint::spin_loop());
            turns += 1;
        } else {
            std::thread::yield_now();
        }
    }
}
