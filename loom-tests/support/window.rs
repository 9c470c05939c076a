//! From when to when something is open, under a read-write lock. Racy twins are in `racy/`.
//!
//! Proved in `loom-tests/reads_are_safe.rs`.

use selvedge::sync::{PoisonError, RwLock, RwLockReadGuard};

#[path = "racy/window.rs"]
pub(crate) mod racy;

/// From when to when something is open. `from` comes before `to`: that is the invariant.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

pub(crate) const MORNING: Window = Window { from: 8, to: 12 };
pub(crate) const EVENING: Window = Window { from: 18, to: 22 };

/// What belongs together is written, and read, under one lock. What leaves it is a copy.
pub(crate) struct LockedWindow(RwLock<Window>);

impl LockedWindow {
    pub(crate) fn new(window: Window) -> Self {
        Self(RwLock::new(window))
    }

    #[track_caller]
    fn read(&self) -> RwLockReadGuard<'_, Window> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, window: Window) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = window;
    }

    pub(crate) fn get(&self) -> (u64, u64) {
        let window = self.read();
        (window.from, window.to)
    }
}
