//! A counter that loses updates, with a door between its load and its store.

use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Defect: an increment is a load and a store. [`selvedge::racy::LossyCounter`] with a place in
/// between where something can be done: let others run, say.
pub(crate) struct SplitCounter(AtomicU64);

impl SplitCounter {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds 1 to what was there before `between`.
    pub(crate) fn increment(&self, between: impl FnOnce()) {
        let seen = self.0.load(Relaxed);
        between();
        self.0.store(seen + 1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
