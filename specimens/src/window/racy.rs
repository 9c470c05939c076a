//! Windows that go wrong: each has the one defect that it names.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Mutex, PoisonError};

use super::{LockedWindow, Window};

/// Defect: plain memory, shared without synchronisation.
///
/// Only `unsafe` gets such a type past the compiler.
pub struct PlainWindow(UnsafeCell<Window>);

// SAFETY: none. That is the defect: `set` writes what others read.
unsafe impl Sync for PlainWindow {}

impl PlainWindow {
    pub fn new(window: Window) -> Self {
        Self(UnsafeCell::new(window))
    }

    pub fn set(&self, window: Window) {
        // SAFETY: none while another thread has access, which is the defect.
        self.0.with_mut(|shared| unsafe { *shared = window });
    }

    pub fn get(&self) -> (u64, u64) {
        // SAFETY: none while another thread writes, which is the defect.
        let window = self.0.with(|shared| unsafe { *shared });
        (window.from, window.to)
    }
}

/// Defect: the writer locks, and the reader does not.
pub struct UnlockedReadWindow {
    writing: Mutex<()>,
    from: AtomicU64,
    to: AtomicU64,
}

impl UnlockedReadWindow {
    pub fn new(window: Window) -> Self {
        let (from, to) = (AtomicU64::new(window.from), AtomicU64::new(window.to));
        Self { writing: Mutex::new(()), from, to }
    }

    pub fn set(&self, window: Window) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.from.store(window.from, Relaxed);
        self.to.store(window.to, Relaxed);
    }

    pub fn get(&self) -> (u64, u64) {
        (self.from.load(Relaxed), self.to.load(Relaxed))
    }
}

/// Defect: `get` locks for each of two reads that belong together.
pub struct OneByOneWindow(pub LockedWindow);

impl OneByOneWindow {
    pub fn get(&self) -> (u64, u64) {
        let from = self.0.read().from;
        let to = self.0.read().to;
        (from, to)
    }
}

/// Defect: `get` holds two guards at once. A guard lives as long as its statement, and this is one.
pub struct GuardInGuardWindow(pub LockedWindow);

impl GuardInGuardWindow {
    pub fn get(&self) -> (u64, u64) {
        (self.0.read().from, self.0.read().to)
    }
}
