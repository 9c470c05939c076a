//! Types shaped like those of `std::sync`, each a small state machine on the kernel.
//!
//! A value that is made outside an exploration behaves like its `std` namesake, on real threads. One
//! that is made inside belongs to that execution. Mixing the two is refused, statics excepted: see `place`.

pub mod alloc;
mod arc;
pub mod atomic;
mod barrier;
pub mod cell;
mod condvar;
pub mod hint;
mod local;
pub mod mpsc;
mod mutant;
mod mutex;
mod notify;
mod once;
mod place;
mod poison;
mod rwlock;
pub mod thread;

pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::kernel::{self, Choice, Site};

pub use crate::__thread_local as thread_local;
pub use arc::{Arc, Weak};
pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use notify::Notify;
pub(crate) use notify::Task;
pub use once::{LazyLock, Once, OnceLock, OnceState};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What the program leaves open: in a model, both are explored.
pub(crate) fn either(site: Site) -> bool {
    kernel::with(|engine| engine.chooses(Choice::Program, site)) == Some(true)
}

/// The number of the calling thread, which does not change: in a model, the number of the thread.
pub fn thread_number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Relaxed);
    }
    kernel::with(|engine| engine.thread()).unwrap_or_else(|| NUMBER.with(|number| *number))
}

/// Which thread drops the last owner of `value` is known by steps, or makes no difference.
fn know_owners<T: ?Sized>(value: &std::sync::Arc<T>) {
    // `std` has them before the value, which may be aligned.
    let before = align_of_val(&**value).max(size_of::<[usize; 2]>());
    let counts = std::sync::Arc::as_ptr(value).addr() - before;
    kernel::with(|engine| engine.know_owners(counts));
}

/// An `Arc` of the façade's own. Which thread drops its last owner makes no difference.
pub(crate) fn own<T: ?Sized>(value: std::sync::Arc<T>) -> std::sync::Arc<T> {
    know_owners(&value);
    value
}
