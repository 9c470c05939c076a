//! A bell that calls its listeners. A racy variant is in `bell/racy.rs`.
//!
//! Proved in `loom-tests/suites/bell.rs`.

use selvedge_model::sync::{Mutex, PoisonError};

pub mod racy;

/// Calls once it has unlocked: what a listener does is not known here.
pub struct CallAfterUnlockBell(pub Mutex<Vec<fn(&Self)>>);

impl CallAfterUnlockBell {
    pub fn listen(&self, listener: fn(&Self)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    pub fn ring(&self) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners {
            listener(self);
        }
    }
}
