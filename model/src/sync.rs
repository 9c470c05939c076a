//! A drop-in for `std::sync` and `std::thread` that a model can explore.
//!
//! Use `selvedge_model::sync` in place of `std::sync`. Without `--cfg loom`, or without the feature `check`,
//! each name is a re-export of the `std` item; only [`cell::UnsafeCell`] is a newtype, because that of `std`
//! has no `with` and `with_mut`. With both, each name is a type on top of loom that records the call site
//! and the value of each operation.
//!
//! # Outside a model
//!
//! With `--cfg loom`, a value made outside a running model behaves like its `std` counterpart, on real
//! threads, so that ordinary tests keep working. An execution of a model can use only values that it made
//! itself: any other is a wrong model. A value made in a model panics when it is used outside.
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
//! - Constructors are not `const`, so that an atomic cannot be a `static`.
//! - Missing: `Weak`, `Arc::into_raw`, `get_mut` of atomics, `thread::scope` and `JoinHandle::is_finished`.
//! - A model has no time: a wait with a timeout may time out at any point.
//! - `sync_channel(0)` in a model is a wrong model.
//! - The operations of `OnceLock` are not mutated.
//! - `thread::Builder::stack_size` is ignored: each thread has 32 KiB of stack.
//! - loom 0.7.3 does not explore load buffering, relaxed read-modify-writes that are reordered, and reads of
//!   stores more than seven writes old.

#[cfg(any(all(loom, plain_loom), all(loom, shuttle), all(plain_loom, shuttle)))]
compile_error!("at most one of --cfg loom, --cfg plain_loom and --cfg shuttle may be set");

#[cfg(all(loom, feature = "check"))]
pub(crate) mod checked;
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

#[cfg(not(all(any(plain_loom, shuttle), feature = "check")))]
pub use backend::OnceLock;
pub use backend::{
    Arc, Condvar, LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult, atomic, cell, hint, mpsc,
    thread, thread_local, thread_number,
};

/// Spins until `condition` holds, and before long lets other threads run in between.
#[cfg(not(all(any(plain_loom, shuttle), feature = "check")))]
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
