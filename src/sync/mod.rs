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
//! # Limits
//!
//! Under `--cfg loom` the constructors are not `const`, so an atomic cannot stand in a `static`; and
//! these are missing: `Weak`, `Arc::into_raw`, `get_mut` of atomics, `thread::scope` and
//! `JoinHandle::is_finished`. There is no time in a model: what waits with a limit may be over at
//! any moment. Load buffering, and stores more than seven writes old, are never explored (loom
//! 0.7.3).

#[cfg(loom)]
pub(crate) mod checked;
#[cfg(loom)]
pub use checked::{
    Arc, Condvar, LockResult, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult, atomic, cell, hint, mpsc,
    thread, thread_local,
};

#[cfg(not(loom))]
mod plain;
#[cfg(not(loom))]
pub use plain::{
    Arc, Condvar, LockResult, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult, atomic, cell, hint, mpsc,
    thread, thread_local,
};

/// Spins until `condition` holds, and before long lets other threads run in between.
fn spin_until(mut condition: impl FnMut() -> bool) {
    let backoff = crossbeam_utils::Backoff::new();
    while !condition() {
        backoff.snooze();
    }
}

#[cfg(loom)]
pub(crate) use checked::thread_number;
#[cfg(not(loom))]
pub(crate) use plain::thread_number;
