//! A counter that loses updates.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Defect: an increment is a load and a store, so that one between the two is lost.
#[derive(Debug)]
pub(crate) struct LossyCounter(AtomicU64);

impl LossyCounter {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn increment(&self) {
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
