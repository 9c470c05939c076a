//! # qdrant #8847: a condition variable is notified without its lock
//!
//! **Source.** <https://github.com/qdrant/qdrant/pull/8847>.
//!
//! **Kind.** Lost wake-up.
//!
//! **What happened.** A value is behind a read-write lock, and a condition variable with a mutex of its own announces changes. A
//! waiter reads the value, takes the mutex, releases the value and waits, with a limit. The writer changed the value and notified
//! without the mutex. If it did both after the value was released and before the waiter waited, there was nothing to
//! notify. The waiter slept for its whole limit, though the condition was true, and a test in CI failed after ten seconds.
//!
//! **What the checker says.** The wait times out, first in execution 2, an interleaving. With `patient()` a wait times out only if
//! no thread can move: so a time-out here is a notification that was lost. The fixed one is explored completely, in 11
//! executions.
//!
//! **Assumed.** One waiter and one change.

use std::time::Duration;

use selvedge_model::sync::{Condvar, Mutex, RwLock};

/// The writer notifies without the mutex.
pub type Broken = Watched<false>;
/// The writer holds the mutex.
pub type Fixed = Watched<true>;

const LIMIT: Duration = Duration::from_millis(250);

/// A value, and those who wait for it.
#[derive(Default)]
pub struct Watched<const FIXED: bool> {
    value: RwLock<bool>,
    notification: Mutex<()>,
    changed: Condvar,
}

impl<const FIXED: bool> Watched<FIXED> {
    /// Waits for the value. Returns whether the wait timed out.
    pub fn wait_times_out(&self) -> bool {
        loop {
            let value = self.value.read().unwrap();
            if *value {
                return false;
            }
            let guard = self.notification.lock().unwrap();
            drop(value);
            let (_guard, wait) = self.changed.wait_timeout(guard, LIMIT).unwrap();
            if wait.timed_out() {
                return true;
            }
        }
    }

    /// Changes the value, and notifies.
    pub fn change(&self) {
        *self.value.write().unwrap() = true;
        // A waiter holds the mutex from before it releases the value until it waits.
        let _guard = FIXED.then(|| self.notification.lock().unwrap());
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::Model;

    use super::{Broken, Fixed, Watched};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<Watched<FIXED>> {
        Model::new(Watched::default)
            .patient()
            .thread("times_out", Watched::wait_times_out)
            .thread("writer", Watched::change)
            .acceptable("times_out=false", "the value was there, or the waiter was notified")
    }

    #[test]
    fn without_the_mutex_the_waiter_sleeps_for_its_whole_limit() {
        let model: Model<Broken> = model();
        let report = model.interesting("times_out=true", "the notification is lost").check();
        expect::reached(&report, "times_out=true", 2, true);
    }

    #[test]
    fn with_the_mutex_the_waiter_is_notified() {
        let model: Model<Fixed> = model();
        expect::complete(&model.check(), 11);
    }
}
