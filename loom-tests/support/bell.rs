//! A bell that calls its listeners. A racy twin is in `racy/`.
//!
//! Proved in `loom-tests/mutex_everywhere.rs`.

use selvedge::sync::{Mutex, PoisonError};

#[path = "racy/bell.rs"]
pub(crate) mod racy;

/// Calls once it has unlocked: what a listener does is not known here.
pub(crate) struct CallAfterUnlockBell(pub(crate) Mutex<Vec<fn(&Self)>>);

impl CallAfterUnlockBell {
    pub(crate) fn listen(&self, listener: fn(&Self)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    pub(crate) fn ring(&self) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners {
            listener(self);
        }
    }
}
