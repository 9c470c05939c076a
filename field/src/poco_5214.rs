//! # poco #5214: a wake-up before the wait is lost, and shutdown never ends
//!
//! **Source.** <https://github.com/pocoproject/poco/pull/5214> and the report #5213 (C++).
//!
//! **Kind.** Lost wake-up: notify before wait.
//!
//! **What happened.** To shut down workers of a `NotificationQueue`, its documentation says: set a flag, call `wakeUpAll`,
//! join. `wakeUpAll` woke only the threads that were waiting at that moment, and kept nothing for others. A worker that had
//! looked at the flag and was not waiting yet then waited for ever, and so did the join. The fix remembers that
//! `wakeUpAll` was called: a later wait returns at once, until a new notification is put into the queue.
//!
//! **What the checker says.** `broken`: a deadlock, found in execution 2: the worker is blocked in the condition variable.
//! `fixed` is explored completely, in 5 executions.
//!
//! **Assumed.** The queue stays empty. The event of each waiter is a condition variable and a count of the calls.

use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::sync::{Condvar, Mutex};

/// An empty queue with a worker, and the flag that stops it.
#[derive(Default)]
pub struct Queue {
    stopped: AtomicBool,
    wake_ups: Mutex<u64>,
    woken: Condvar,
}

impl Queue {
    /// Stops the worker.
    pub fn shut_down(&self) {
        // Relaxed: the mutex makes it visible to a worker that is woken.
        self.stopped.store(true, Relaxed);
        *self.wake_ups.lock().unwrap() += 1;
        self.woken.notify_all();
    }

    /// Waits for a wake-up that comes after the first `seen`; without it, for one that comes after this call.
    fn wait(&self, seen: Option<u64>) {
        let mut wake_ups = self.wake_ups.lock().unwrap();
        let seen = seen.unwrap_or(*wake_ups);
        while *wake_ups == seen {
            wake_ups = self.woken.wait(wake_ups).unwrap();
        }
    }
}

/// Works until it is stopped.
pub fn broken(queue: &Queue) {
    while !queue.stopped.load(Relaxed) {
        queue.wait(None);
    }
}

/// Works until it is stopped.
pub fn fixed(queue: &Queue) {
    while !queue.stopped.load(Relaxed) {
        queue.wait(Some(0));
    }
}

#[cfg(test)]
mod tests {
    use super::{Queue, broken, fixed};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    #[test]
    fn a_wake_up_before_the_wait_is_lost() {
        expect::fails(
            || Model::new(Queue::default).thread("worker", broken).thread("main", Queue::shut_down),
            Failure::Deadlock,
            2,
            "worker is blocked in v1.wait",
        );
    }

    #[test]
    fn a_wake_up_that_is_kept_ends_a_later_wait() {
        let report = Model::new(Queue::default)
            .thread("worker", fixed)
            .thread("main", Queue::shut_down)
            .acceptable("()", "the worker ends")
            .check();
        expect::complete(&report, 5);
    }
}
