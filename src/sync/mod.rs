//! One façade for everyone: the same names as `std`, and under `--cfg loom` the instrumented twins.
//!
//! Write concurrent code against `selvedge::sync` instead of `std::sync`. In a normal build each
//! name *is* the `std` item (re-exported, nothing on top; [`cell::UnsafeCell`] is the one newtype,
//! because `std`'s lacks `with` and `with_mut`). Under `--cfg loom` each name is a thin type over
//! loom's own that, at every operation, knows its call site, records the value it read or wrote,
//! and can be explored by `selvedge::model::Model`.
//!
//! # Outside a model
//!
//! Under `--cfg loom` a value that was made outside a running model behaves exactly like its `std`
//! namesake, on real threads. A crate's ordinary tests therefore keep working under the flag.
//! Mixing is refused with a clear error, not ignored: a value made outside and used inside a model
//! would be invisible to the checker, and one that outlives its execution belongs to no model.
//!
//! # Other testers
//!
//! `--cfg shuttle` makes each name shuttle's, for random schedules where all executions are too many, and
//! `--cfg plain_loom` loom's own, for comparison. The harness is not there then, nor is what shuttle or
//! loom lacks: `OnceLock`, and under `plain_loom` also `sync_channel` and waits with a limit. A use of it
//! does not compile.
//!
//! # Limits
//!
//! Under `--cfg loom` the constructors are not `const`, so an atomic cannot stand in a `static`; and
//! these are missing: `Weak`, `Arc::into_raw`, `get_mut` of atomics, `thread::scope` and
//! `JoinHandle::is_finished`. There is no time in a model: what waits with a limit may be over at
//! any moment. Load buffering, relaxed updates that overtake each other, and stores more than
//! seven writes old are never explored (loom 0.7.3). `thread::Builder::stack_size` is ignored: each
//! thread has 32 KiB.

#[cfg(any(all(loom, plain_loom), all(loom, shuttle), all(plain_loom, shuttle)))]
compile_error!("one of --cfg loom, --cfg plain_loom and --cfg shuttle is accepted, or none");

#[cfg(loom)]
pub(crate) mod checked;
#[cfg(loom)]
use checked as backend;

#[cfg(plain_loom)]
mod plain_loom;
#[cfg(plain_loom)]
use plain_loom as backend;

#[cfg(shuttle)]
mod shuttle;
#[cfg(shuttle)]
use self::shuttle as backend;

#[cfg(not(any(loom, plain_loom, shuttle)))]
mod plain;
#[cfg(not(any(loom, plain_loom, shuttle)))]
use plain as backend;

#[cfg(any(plain_loom, shuttle))]
mod simulated;

#[cfg(not(any(plain_loom, shuttle)))]
pub use backend::OnceLock;
pub(crate) use backend::thread_number;
pub use backend::{
    Arc, Condvar, LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult, atomic, cell, hint, mpsc,
    thread, thread_local,
};

/// Spins until `condition` holds, and before long lets other threads run in between.
#[cfg(not(any(plain_loom, shuttle)))]
fn spin_until(mut condition: impl FnMut() -> bool) {
    let backoff = crossbeam_utils::Backoff::new();
    while !condition() {
        backoff.snooze();
    }
}
