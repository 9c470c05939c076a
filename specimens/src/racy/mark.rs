//! A mark that goes wrong, with the one defect that it names.

use selvedge_model::sync::cell::UnsafeCell;

/// Defect: plain memory, shared, in which all write the same. A data race, and no race condition.
pub struct UnsyncMark(UnsafeCell<bool>);

// SAFETY: none. That is the defect: `set` writes what others write.
unsafe impl Sync for UnsyncMark {}

impl UnsyncMark {
    pub fn new() -> Self {
        Self(UnsafeCell::new(false))
    }

    pub fn set(&self) {
        // SAFETY: none while another thread has access, which is the defect.
        self.0.with_mut(|mark| unsafe { *mark = true });
    }
}
