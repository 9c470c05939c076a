//! `sync` without the checker: re-exports of `std`.

pub use std::sync::{
    Arc, Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Once,
    OnceLock, OnceState, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
    TryLockResult, WaitTimeoutResult, Weak,
};
pub use std::thread_local;

/// Atomic types, re-exported from `std::sync::atomic`.
pub mod atomic {
    pub use std::sync::atomic::{
        AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
        AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
    };
}

/// Channels, re-exported from `std::sync::mpsc`.
pub mod mpsc {
    pub use std::sync::mpsc::{
        IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender,
        TryIter, TryRecvError, TrySendError, channel, sync_channel,
    };
}

/// Threads, re-exported from `std::thread`.
pub mod thread {
    pub use std::thread::{
        AccessError, Builder, JoinHandle, LocalKey, Result, Scope, ScopedJoinHandle, Thread,
        ThreadId, available_parallelism, current, panicking, park, park_timeout, scope, sleep,
        spawn, yield_now,
    };
}

/// Hints, re-exported from `std::hint`, and [`wait_until`](hint::wait_until).
pub mod hint {
    pub use std::hint::{black_box, spin_loop};

    /// Blocks until another thread makes `condition` true.
    ///
    /// For spin locks and similar loops. Spins with exponential backoff, then yields. `condition` must be a
    /// function of shared state alone, and must have no side effects unless it returns `true`. In a model it
    /// is called again only when something that it has read was changed.
    #[inline]
    pub fn wait_until(condition: impl FnMut() -> bool) {
        crate::sync::spin_until(condition);
    }
}

/// Interior mutability whose accesses the checker tracks.
#[path = "plain_cell.rs"]
pub mod cell;

/// The number of the calling thread: 0, 1, 2, … in the order of the threads' first calls. It does not change,
/// and is not reused.
#[inline]
pub fn thread_number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    // Relaxed: each thread needs a number of its own and nothing else.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Relaxed);
    }
    NUMBER.with(|number| *number)
}
