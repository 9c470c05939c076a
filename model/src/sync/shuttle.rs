//! `sync` on shuttle: random schedules instead of all executions.
//!
//! shuttle treats every atomic access as `SeqCst`, and does not track plain memory: a data race on an
//! [`UnsafeCell`](cell::UnsafeCell) is not detected. Missing: `OnceLock`, `thread::scope`, and `Model`, which
//! requires `--cfg loom`. Run code on it with `shuttle::check_random` and similar functions.

pub use shuttle::sync::{
    Arc, Condvar, LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult,
};
pub use shuttle::thread_local;

/// Atomic types, re-exported from `shuttle::sync::atomic`.
pub mod atomic {
    pub use shuttle::sync::atomic::{
        AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
        AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

/// Channels, re-exported from `shuttle::sync::mpsc`.
pub mod mpsc {
    pub use shuttle::sync::mpsc::{
        IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender,
        TryIter, TryRecvError, TrySendError, channel, sync_channel,
    };
}

/// Threads, re-exported from `shuttle::thread`.
pub mod thread {
    pub use crate::sync::simulated::available_parallelism;
    pub use shuttle::thread::{
        AccessError, Builder, JoinHandle, LocalKey, Result, Thread, ThreadId, current, panicking,
        park, park_timeout, sleep, spawn, yield_now,
    };
}

/// Hints, re-exported from `shuttle::hint`, and [`wait_until`](hint::wait_until).
pub mod hint {
    pub use crate::sync::simulated::wait_until;
    pub use shuttle::hint::spin_loop;
    pub use std::hint::black_box;
}

/// Interior mutability, which shuttle does not track.
#[path = "plain_cell.rs"]
pub mod cell;

/// The number of the calling thread in this execution.
pub fn thread_number() -> usize {
    shuttle::current::me().into()
}
