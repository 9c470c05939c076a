//! Types of `std::sync`, and [`Notify`].

pub use selvedge_model::sync::{
    Arc, Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Notify,
    Once, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
    TryLockResult, WaitTimeoutResult, Weak, mpsc,
};

/// Atomic types and fences.
pub mod atomic {
    pub use selvedge_model::sync::atomic::{
        AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
        AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
    };

    /// [`spin_loop`](crate::hint::spin_loop), as it was called once.
    #[track_caller]
    pub fn spin_loop_hint() {
        crate::hint::spin_loop();
    }
}
