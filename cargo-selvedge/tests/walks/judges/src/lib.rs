//! A flag that publishes a value, and whose callers choose the ordering.

use selvedge_model::sync::atomic::{AtomicBool, Ordering};
use selvedge_model::sync::cell::UnsafeCell;

/// A value, once it is there.
#[derive(Default)]
pub struct Flag {
    value: UnsafeCell<u64>,
    is_set: AtomicBool,
}

// SAFETY: the value is written before the flag is set, and read after.
unsafe impl Sync for Flag {}

impl Flag {
    /// Puts the value there. For one thread, once.
    pub fn set(&self, value: u64) {
        // SAFETY: no thread reads it before the flag is set.
        self.value.with_mut(|to| unsafe { *to = value });
        self.is_set.store(true, Ordering::Release);
    }

    /// Whether the value is there.
    pub fn is_set(&self, order: Ordering) -> bool {
        self.is_set.load(order)
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<u64> {
        // SAFETY: it is not written any more.
        self.is_set(Ordering::Acquire).then(|| self.value.with(|value| unsafe { *value }))
    }
}
