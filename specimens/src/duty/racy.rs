//! A duty that goes wrong, with the one defect that it names.

use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

/// Defect: each half of what must hold together has a lock of its own.
pub struct HalfLockedDuty([Mutex<bool>; 2]);

impl HalfLockedDuty {
    /// Both are on call.
    pub fn new() -> Self {
        Self([true, true].map(Mutex::new))
    }

    #[track_caller]
    fn half(&self, who: usize) -> MutexGuard<'_, bool> {
        self.0[who].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes off call if the other one is on it.
    pub fn leave(&self, who: usize) -> bool {
        let covered = *self.half(1 - who);
        if covered {
            *self.half(who) = false;
        }
        covered
    }

    /// How many are on call.
    pub fn on_call(&self) -> usize {
        [0, 1].into_iter().filter(|who| *self.half(*who)).count()
    }
}
