//! The checker: what it explores, what bounds it, and what it does not see.

mod beyond_loom;
mod bounds;
mod cost;
mod false_alarms;
mod idle_turns;
mod litmus;
mod spin_lock;
mod unexplored;

use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};
use selvedge_model::{Engine, Model, Report};

fn is_complete(report: &Report) {
    assert!(report.is_complete() || !cfg!(loom), "explored completely: {report}");
}

/// And the report says that a number of idle turns is left out.
fn is_complete_but_for_idle_turns(report: &Report) {
    is_complete(report);
    let says = matches!(report.engine, Engine::Graphs { idle_turns: true, .. });
    assert!(says || !cfg!(loom), "but for idle turns: {report}");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A row that the checker misses.
trait Limit {
    /// Not reached here, and allowed by C++20 and by `std`.
    fn missed(self, outcome: &str, reason: &str) -> Self;
}

impl<S: Send + Sync + 'static> Limit for Model<S> {
    fn missed(self, outcome: &str, reason: &str) -> Self {
        if cfg!(loom) {
            self.forbidden(outcome, &format!("it was missed until now: {reason}"))
        } else {
            self.interesting(outcome, reason)
        }
    }
}
