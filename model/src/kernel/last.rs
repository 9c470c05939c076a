//! The last operation of an exploration, for the OS thread that watches it.
//!
//! An execution that does not end stands between two operations, where no engine can be asked.

use std::cell::RefCell;
use std::panic::Location;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use super::{Site, ThreadId};

/// The last operation that an exploration took, shared with its watcher.
///
/// Relaxed: both may be of different operations only as long as operations are taken.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<(AtomicUsize, AtomicPtr<Location<'static>>)>);

impl Watch {
    /// Sees the explorations of this OS thread from now on.
    pub fn begin(&self) {
        WATCH.replace(self.clone());
    }

    /// The thread that runs, and where it took its last operation: `None` if it has taken none.
    pub fn last(&self) -> (ThreadId, Option<Site>) {
        let (thread, site) = &*self.0;
        // SAFETY: it is null, or was a `Site`, which lives for ever.
        (thread.load(Relaxed), unsafe { site.load(Relaxed).as_ref() })
    }
}

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

/// `thread` runs, and has taken an operation at `site`, or is at its start.
pub fn runs(thread: ThreadId, site: Option<Site>) {
    WATCH.with_borrow(|Watch(last)| {
        last.0.store(thread, Relaxed);
        last.1.store(site.map_or(ptr::null_mut(), |site| ptr::from_ref(site).cast_mut()), Relaxed);
    });
}
