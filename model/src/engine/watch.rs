//! The last operation of an exploration, for the OS thread that watches it.
//!
//! An execution that does not end stands between two operations, where no engine can be asked.

use std::panic::Location;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use crate::kernel::{Site, ThreadId};

/// The last operation that an exploration took, shared with its watcher.
///
/// Relaxed: both may be of different operations only as long as operations are taken.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<(AtomicUsize, AtomicPtr<Location<'static>>)>);

impl Watch {
    /// `thread` runs, and has taken an operation at `site`, or is at its start.
    #[inline]
    pub(super) fn runs(&self, thread: ThreadId, site: Option<Site>) {
        let (last_thread, last_site) = &*self.0;
        last_thread.store(thread, Relaxed);
        last_site
            .store(site.map_or(ptr::null_mut(), |site| ptr::from_ref(site).cast_mut()), Relaxed);
    }

    /// The thread that runs, and where it took its last operation: `None` if it has taken none.
    pub fn last(&self) -> (ThreadId, Option<Site>) {
        let (thread, site) = &*self.0;
        // SAFETY: it is null, or was a `Site`, which lives for ever.
        (thread.load(Relaxed), unsafe { site.load(Relaxed).as_ref() })
    }
}
