//! The façade under `--cfg loom`: each type pairs a real `std` value with its loom twin.
//!
//! A value made inside a running model carries the loom twin and reports every operation to the
//! [`record::Recorder`] of the current execution. A value made outside has no twin and simply is
//! its `std` half. The `std` half of a twinned value mirrors the newest write, which is what lets
//! a trace say "reads 0, newest is 1".
//!
//! loom runs all threads of a model as coroutines of one OS thread, so the recorder is a plain
//! thread-local. Its borrow is never held across a loom operation, because that is where loom
//! switches coroutines.

mod arc;
pub mod atomic;
pub mod cell;
mod condvar;
mod contents;
pub(crate) mod event;
pub(crate) mod finding;
mod history;
mod local;
pub mod mpsc;
pub(crate) mod mutation;
mod mutex;
mod once;
pub(crate) mod operation;
mod race;
pub(crate) mod record;
mod rwlock;
pub mod thread;
pub(crate) mod unwinding;
pub(crate) mod waiting;

pub use crate::__thread_local as thread_local;
pub use arc::Arc;
pub use condvar::{Condvar, WaitTimeoutResult};
pub(crate) use local::drop_locals as local_end;
pub use mutex::{Mutex, MutexGuard};
pub use once::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// Hints to the processor and, in a model, to the scheduler.
pub mod hint {
    pub use super::waiting::wait_until;
    pub use std::hint::black_box;

    /// In a model: lets another thread run. Elsewhere: [`std::hint::spin_loop`].
    #[track_caller]
    pub fn spin_loop() {
        if super::record::active() {
            super::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

/// A small number for the calling thread, the same for its whole life; in a model, the thread's
/// position, so that each execution sees the same numbers.
pub(crate) fn thread_number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Relaxed);
    }
    record::with(|recorder| recorder.current()).unwrap_or_else(|| NUMBER.with(|number| *number))
}
