//! `sync` with the checker: each type pairs a `std` value with a value of loom.
//!
//! A value made inside a running model has both, and reports every operation to the [`record::Recorder`] of
//! the current execution. A value made outside has only the `std` half. In a model the `std` half holds the
//! newest store, so that a trace can say "reads 0, newest is 1".
//!
//! loom runs all threads of a model as coroutines of one OS thread, so the recorder is a thread-local. It is
//! never borrowed across a loom operation, where loom switches coroutines.

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

/// Hints to the processor and, in a model, to the scheduler, and [`wait_until`](hint::wait_until).
pub mod hint {
    pub use super::waiting::wait_until;
    pub use std::hint::black_box;

    /// In a model, yields to another thread; otherwise [`std::hint::spin_loop`].
    #[track_caller]
    pub fn spin_loop() {
        if super::record::active() {
            super::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

/// The number of the calling thread, which does not change. In a model it is the index of the thread: declared
/// threads have the same number in each execution.
pub fn thread_number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Relaxed);
    }
    record::with(|recorder| recorder.current()).unwrap_or_else(|| NUMBER.with(|number| *number))
}
