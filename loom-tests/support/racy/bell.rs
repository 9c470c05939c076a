//! A bell that goes wrong, with the one defect that it names.

use selvedge::sync::{Mutex, PoisonError};

/// Defect: `ring` calls the listeners while it holds the lock on them.
pub(crate) struct CallUnderLockBell(pub(crate) Mutex<Vec<fn(&Self)>>);

impl CallUnderLockBell {
    pub(crate) fn listen(&self, listener: fn(&Self)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    pub(crate) fn ring(&self) {
        for listener in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(self);
        }
    }
}
