//! # Can a worker sleep although there is a job?
//!
//! A queue counts its jobs in an atomic. A worker that finds none waits on a condition variable. A client adds a job
//! and notifies; because the count is atomic, it does not lock:
//!
//! ```rust
//! let mut guard = self.lock.lock().unwrap();                             // worker
//! while self.jobs.load(SeqCst) == 0 { guard = self.added.wait(guard).unwrap(); }
//!
//! self.jobs.fetch_add(1, SeqCst); self.added.notify_one();               // client
//! ```
//!
//! **Guess:** can the worker wait for ever?
//!
//! **Output.** Yes:
//!
//! ```text
//!       worker                     client
//!    1  m1.lock
//!    2  a1.load = 0
//!       ~~ preempted ~~
//!    3                             a1.fetch_add(1): 0 -> 1
//!    4                             v1.notify_one: no thread
//!                                    waits
//!    5  v1.wait: releases m1
//!       v1.wait: not completed
//! ```
//!
//! `a1` is the number of jobs, `v1` the condition variable. Real threads showed it in round 22 to 630
//! (`SELVEDGE_ROUNDS=20000 cargo test --test book -- job_queue:: --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** A **lost wake-up**. A notification wakes a thread that waits at that moment, and it is not stored. The
//! worker has loaded 0 and does not wait yet when the client adds the job and notifies. `wait` unlocks and waits in one
//! step, but the client does not need the lock, so it can come between the load and the `wait`.
//!
//! **Fix.** Change the condition while holding the lock. Then the client comes before the worker's load or after the
//! worker waits. The notification itself may come after the unlock. The worker checks in a `while`, not an `if` (second
//! test): `wait` may return without a notification (a *spurious wake-up*), and another worker may have taken the job
//! first.
//!
//! **Break it yourself.** In `submit` move `drop(guard)` above the `fetch_add`.
//! `change_under_the_lock_wakes_the_worker` fails: *deadlock: worker is blocked in v1.wait*. So does the second test.
//! Exercise: `cargo exercise latch` and `cargo exercise queue` (see `exercises/README.md`).

use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Condvar, Mutex};
use selvedge_model::{Failure, Model};

use crate::shown::assert_shown;

/// The number of jobs, and what a worker waits with.
#[derive(Default)]
struct Queue {
    jobs: AtomicU64,
    lock: Mutex<()>,
    added: Condvar,
}

impl Queue {
    /// Racy: changes the count without the lock.
    fn submit_without_lock(&self) {
        self.jobs.fetch_add(1, SeqCst);
        self.added.notify_one();
    }

    /// Sound: changes the count under the lock, and notifies after the unlock.
    fn submit(&self) {
        let guard = self.lock.lock().unwrap();
        self.jobs.fetch_add(1, SeqCst);
        drop(guard);
        self.added.notify_one();
    }

    /// Racy: waits once, and returns the number of jobs.
    fn wait_with_if(&self) -> u64 {
        let guard = self.lock.lock().unwrap();
        if self.jobs.load(SeqCst) == 0 {
            drop(self.added.wait(guard).unwrap());
        }
        self.jobs.load(SeqCst)
    }

    /// Sound: waits until there is a job, and returns the number of jobs.
    fn wait_with_while(&self) -> u64 {
        let mut guard = self.lock.lock().unwrap();
        while self.jobs.load(SeqCst) == 0 {
            guard = self.added.wait(guard).unwrap();
        }
        self.jobs.load(SeqCst)
    }
}

#[test]
fn notification_without_the_lock_is_lost() {
    let report = Model::new(Queue::default)
        .thread("worker", Queue::wait_with_while)
        .thread("client", Queue::submit_without_lock)
        .fails(Failure::Deadlock)
        .check();
    assert_shown(include_str!("1_job_queue.rs"), &report.to_string());
}

#[test]
fn if_instead_of_while_finds_no_job() {
    Model::new(Queue::default)
        .thread("worker", Queue::wait_with_if)
        .thread("client", Queue::submit)
        .acceptable("worker=1", "the job was there, or the worker was notified")
        .interesting("worker=0", "a spurious wake-up")
        .check();
}

#[test]
fn change_under_the_lock_wakes_the_worker() {
    Model::new(Queue::default)
        .thread("worker", Queue::wait_with_while)
        .thread("client", Queue::submit)
        .acceptable("worker=1", "the job was there, or the worker was notified")
        .check();
}
