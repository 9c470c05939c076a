//! # Is an empty queue a finished queue?
//!
//! ```text
//! ```

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
        let worker = scope.spawn(|| receiver.into_iter().flatten().sum());
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
            jobs().into_iter().for_each(|job| queue.lock().unwrap().push_back(job))
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
