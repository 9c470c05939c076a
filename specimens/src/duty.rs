//! Duty: at least one of two people is on call. A racy variant is in `duty/racy.rs`.
//!
//! Proved in `loom-tests/suites/duty.rs`.

use selvedge_model::sync::{Mutex, PoisonError};

pub mod racy;

/// Whether each of the two is on call, under one lock: what must hold together is locked together.
pub struct OneLockDuty(pub Mutex<[bool; 2]>);

impl OneLockDuty {
    /// Goes off call if the other one is on it.
    pub fn leave(&self, who: usize) -> bool {
        let mut on_call = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let covered = on_call[1 - who];
        if covered {
            on_call[who] = false;
        }
        covered
    }
}
