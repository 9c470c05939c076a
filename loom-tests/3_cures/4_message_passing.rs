//! # Is an empty queue a finished queue?
//!
//! A producer puts two jobs into a queue behind a lock: lists of numbers, with the sums 3 and 30. A worker takes jobs
//! until the queue is empty, and returns the sum of all:
//!
//! ```rust
//! let job = queue.lock().unwrap().pop_front();
//! let Some(job) = job else { return sum };
//! ```
//!
//! **Guess:** which jobs are done?
//!
//! **Output.** Both, or the first, or none:
//!
//! ```text
//!   worker=33  acceptable          2  both jobs are done
//!   worker=3   interesting         1  the queue is empty after the first job
//!   worker=0   interesting         1  the queue is empty before the first job
//!   worker=3 is reached like this:
//!       producer                worker
//!    1  m1.lock
//!    2  m1.unlock
//!       ~~ preempted ~~
//!    3                          m1.lock
//!    4                          m1.unlock
//!    5                          m1.lock
//!    6                          m1.unlock
//!    7  m1.lock
//!    8  m1.unlock
//! ```
//!
//! On real threads the worker did no job in 10,074 to 13,645 of 20,000 rounds, and one job in 0 or 1
//! (`SELVEDGE_ROUNDS=20000 cargo test --test book -- message_passing:: --nocapture`, two cores, 2026-11-29).
//!
//! **Why.** The state of the queue does not say what the producer is going to do. Empty may mean *finished* or *not
//! yet*. This is a race condition: every access is under the lock, and the result depends on which thread is faster.
//!
//! **Fix.** **Message passing.** A channel tells the two apart: `recv` blocks while it is empty, and fails when it is
//! empty and the last sender is dropped. A loop over the receiver ends then. A message moves: after `send(job)` the
//! producer does not own the job, and code that uses it does not compile. So a job needs no lock. The result comes
//! back as the value of `join`. The threads share the channel, and nothing else.
//!
//! **Break it yourself.** In `work_until_closed` write `receiver.try_iter()` in place of `receiver.into_iter()`, which
//! does not block. `a_worker_that_ends_when_the_channel_is_closed_does_every_job` fails: *reached main=0, which the
//! table does not declare*.

use std::collections::VecDeque;

use selvedge_model::sync::mpsc::channel;
use selvedge_model::sync::{Mutex, thread};
use selvedge_model::{Failure, Model};

use crate::shown::assert_shown;

/// What there is to do, as owned data.
type Job = Vec<u64>;

fn jobs() -> [Job; 2] {
    [vec![1, 2], vec![30]]
}

/// Racy: the worker ends when the queue is empty.
fn work_until_empty(queue: &Mutex<VecDeque<Job>>) -> u64 {
    let mut sum = 0;
    loop {
        let job = queue.lock().unwrap().pop_front();
        let Some(job) = job else { return sum };
        sum += job.iter().sum::<u64>();
    }
}

/// Sound: the worker ends when the channel is closed.
fn work_until_closed() -> u64 {
    let (sender, receiver) = channel::<Job>();
    thread::scope(|scope| {
        let worker = scope.spawn(move || receiver.into_iter().flatten().sum());
        for job in jobs() {
            sender.send(job).unwrap();
        }
        drop(sender);
        worker.join().unwrap()
    })
}

#[test]
fn a_worker_that_ends_when_the_queue_is_empty_misses_jobs() {
    let report = Model::new(Mutex::<VecDeque<Job>>::default)
        .thread("producer", |queue| {
            for job in jobs() {
                queue.lock().unwrap().push_back(job);
            }
        })
        .thread("worker", work_until_empty)
        .acceptable("worker=33", "both jobs are done")
        .interesting("worker=3", "the queue is empty after the first job")
        .interesting("worker=0", "the queue is empty before the first job")
        .check();
    assert_shown(include_str!("4_message_passing.rs"), &report.to_string());
}

#[test]
fn a_worker_that_ends_when_the_channel_is_closed_does_every_job() {
    Model::new(|| ())
        .thread("main", |()| work_until_closed())
        .acceptable("main=33", "both jobs are done")
        .check();
}

#[test]
fn a_sender_that_is_kept_blocks_the_worker() {
    Model::new(|| ())
        .thread("main", |()| {
            let (_kept, receiver) = channel::<Job>();
            receiver.into_iter().count()
        })
        .fails(Failure::Deadlock)
        .check();
}
