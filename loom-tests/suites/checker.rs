//! The checker: what it explores, what bounds it, and what it does not see.

mod beyond_loom;
mod bounds;
mod cost;
mod false_alarms;
mod litmus;
mod spin_lock;
mod unexplored;

use selvedge_model::Report;
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

fn is_complete(report: &Report) {
    assert!(report.is_complete() || !cfg!(loom), "explored completely: {report}");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
