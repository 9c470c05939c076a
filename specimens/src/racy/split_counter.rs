//! A counter that loses updates, with a door between its load and its store.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Defect: an increment is a load and a store. [`crate::racy::LossyCounter`] with a place in
/// between where something can be done: let others run, say.
pub struct SplitCounter(AtomicU64);

impl SplitCounter {
    pub fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds 1 to what was there before `between`.
    pub fn increment(&self, between: impl FnOnce()) {
        let seen = self.0.load(Relaxed);
        between();
        self.0.store(seen + 1, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
