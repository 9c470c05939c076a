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

/// Memory, re-exported from `std::alloc`, and [`Track`](alloc::Track).
pub mod alloc {
    pub use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};

    /// A value whose end the checker follows: used too late, or never dropped.
    #[derive(Debug)]
    pub struct Track<T>(T);

    impl<T> Track<T> {
        /// Tracks `value`.
        pub fn new(value: T) -> Self {
            Self(value)
        }

        /// The value; in an exploration, as a read of it.
        pub fn get_ref(&self) -> &T {
            &self.0
        }

        /// The value; in an exploration, as a write of it.
        pub fn get_mut(&mut self) -> &mut T {
            &mut self.0
        }

        /// Takes the value out, and tracks it no more.
        pub fn into_inner(self) -> T {
            self.0
        }
    }
}

/// What `block_on` waits for, and its wakers are for.
pub(crate) struct Task {
    thread: std::thread::Thread,
    woken: std::sync::atomic::AtomicBool,
}

impl Task {
    pub(crate) fn new(_: &'static std::panic::Location<'static>) -> Self {
        Self { thread: std::thread::current(), woken: false.into() }
    }

    pub(crate) fn wait(&self) {
        // Acquire: pairs with the Release of `wake`, so that what the waking thread did before is visible.
        while !self.woken.swap(false, std::sync::atomic::Ordering::Acquire) {
            std::thread::park();
        }
    }

    pub(crate) fn wake(&self) {
        // Release: pairs with the Acquire of `wait`.
        self.woken.store(true, std::sync::atomic::Ordering::Release);
        self.thread.unpark();
    }
}

/// What the program leaves open: in a model, both are explored.
pub(crate) fn either(_: &'static std::panic::Location<'static>) -> bool {
    false
}

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
