//! Opening hours: two values under a read-write lock. Racy variants are in `window/racy.rs`.
//!
//! Proved in `loom-tests/suites/window.rs`.

use selvedge_model::sync::{PoisonError, RwLock, RwLockReadGuard};

pub mod racy;

/// From when to when something is open. `from` comes before `to`: that is the invariant.
#[derive(Clone, Copy)]
pub struct Window {
    pub from: u64,
    pub to: u64,
}

pub const MORNING: Window = Window { from: 8, to: 12 };
pub const EVENING: Window = Window { from: 18, to: 22 };

/// What belongs together is written, and read, under one lock. What leaves it is a copy.
pub struct LockedWindow(RwLock<Window>);

impl LockedWindow {
    pub fn new(window: Window) -> Self {
        Self(RwLock::new(window))
    }

    #[track_caller]
    fn read(&self) -> RwLockReadGuard<'_, Window> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, window: Window) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = window;
    }

    pub fn get(&self) -> (u64, u64) {
        let window = self.read();
        (window.from, window.to)
    }
}
