//! The last operation of an exploration, for the OS thread that watches it.
//!
//! An execution that does not end stands between two operations, where no engine can be asked.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Site, ThreadId};

/// A thread under test, and where it took its last operation: `None` if it has taken none.
pub type Last = (ThreadId, Option<Site>);

/// The last operation that an exploration took, shared with its watcher.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<Last>>);

impl Watch {
    /// Sees the explorations of this OS thread from now on.
    pub fn begin(&self) {
        WATCH.replace(self.clone());
    }

    /// The thread that runs, and its last operation.
    pub fn last(&self) -> Last {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

/// `thread` runs, and has taken an operation at `site`, or is at its start.
pub fn runs(thread: ThreadId, site: Option<Site>) {
    WATCH.with_borrow(|watch| {
        *watch.0.lock().unwrap_or_else(PoisonError::into_inner) = (thread, site);
    });
}
