//! A bell that goes wrong, with the one defect that it names.

use selvedge_model::sync::{Mutex, PoisonError};

/// Defect: `ring` calls the listeners while it holds the lock on them.
pub struct CallUnderLockBell(pub Mutex<Vec<fn(&Self)>>);

impl CallUnderLockBell {
    pub fn listen(&self, listener: fn(&Self)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    pub fn ring(&self) {
        for listener in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(self);
        }
    }
}
