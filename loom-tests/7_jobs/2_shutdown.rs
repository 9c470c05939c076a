//! # Is each job done once when the queue is closed?
//!
//! A client submits a job, and another thread closes the queue. A closed queue refuses jobs. A worker waits for a job
//! or for the end, and checks for the end first:
//!
//! ```rust
//! while !state.closed && state.jobs.is_empty() { state = changed.wait(state).unwrap(); }
//! if state.closed { None } else { state.jobs.pop() }       // `None` ends the worker
//! ```
//!
//! All of it is under one lock. **Guess:** is the job done if it was accepted?
//!
//! **Output.** Not always:
//!
//! ```text
//!       client            shutdown          worker
//!    1  m1.lock
//!    2  v1.notify_one: no
//!         thread waits
//!    3  m1.unlock
//!    4                    m1.lock
//!    5                    m1.unlock
//!    6                    v1.notify_all: no
//!                           thread waits
//!    7                                      m1.lock
//!    8                                      m1.unlock
//! ```
//!
//! The client submits in steps 1 to 3, and the queue is closed in steps 4 and 5. Real threads showed it in 212 to 3,483
//! of 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book -- shutdown:: --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** A **race condition**, without a data race: the worker finds the queue closed and a job in it, and ends. The
//! opposite defect does a job twice (second test): **check-then-act**, the defect of lesson 2.2. New is that the worker
//! removes the job after doing it; in between the shutdown does it too.
//!
//! **Fix.** *Closed* means that no job is accepted any more. A worker ends when the queue is closed *and* empty, and it
//! removes a job in the step that finds it. A channel does the same: `recv` fails once it is closed and empty.
//! A waiting loop must only look, as in `next`: `while jobs.is_empty() { wait }`, then `pop`. `while let None =
//! jobs.pop()` is right too, but each turn may change something, so the checker ends early: *bounded*, no proof.
//!
//! **Break it yourself.** In `close` delete `notify_all`. `accepted_job_is_done_and_a_refused_one_is_not` fails:
//! *deadlock: worker is blocked in v1.wait*. So does the first test.

use selvedge_model::Model;
use selvedge_model::sync::{Condvar, Mutex};

use crate::shown::assert_shown;

#[derive(Default)]
struct State {
    jobs: Vec<u64>,
    closed: bool,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    /// Whether the job was accepted.
    fn submit(&self, job: u64) -> bool {
        let mut state = self.state.lock().unwrap();
        if !state.closed {
            state.jobs.push(job);
            self.changed.notify_one();
        }
        !state.closed
    }

    fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.changed.notify_all();
    }

    /// Waits for the next job. `None` if the queue is closed and, for a worker that drains it, empty.
    fn next(&self, drains: bool) -> Option<u64> {
        let mut state = self.state.lock().unwrap();
        while !state.closed && state.jobs.is_empty() {
            state = self.changed.wait(state).unwrap();
        }
        if drains || !state.closed { state.jobs.pop() } else { None }
    }
}

fn model(drains: bool) -> Model<Queue> {
    Model::new(Queue::default)
        .thread("client", |queue| queue.submit(1))
        .thread("shutdown", Queue::close)
        .thread("worker", move |queue| queue.next(drains))
        .acceptable("client=true worker=Some(1)", "accepted and done")
        .acceptable("client=false worker=None", "refused")
}

#[test]
fn worker_that_ends_when_closed_loses_a_job() {
    let report = model(false).interesting("client=true worker=None", "accepted, not done").check();
    assert_shown(include_str!("2_shutdown.rs"), &report.to_string());
}

#[test]
fn job_removed_after_the_work_is_done_twice() {
    Model::new(|| Mutex::new(vec![1]))
        .thread("worker", |jobs| {
            let job = jobs.lock().unwrap().first().copied();
            jobs.lock().unwrap().retain(|&left| Some(left) != job);
            job
        })
        .thread("shutdown", |jobs| jobs.lock().unwrap().pop())
        .acceptable("worker=Some(1) shutdown=None", "the worker did it")
        .acceptable("worker=None shutdown=Some(1)", "it was left to the shutdown")
        .interesting("worker=Some(1) shutdown=Some(1)", "done twice")
        .check();
}

#[test]
fn accepted_job_is_done_and_a_refused_one_is_not() {
    model(true).check();
}
