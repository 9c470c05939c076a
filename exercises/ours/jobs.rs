//! `13_jobs.rs`.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use exercises::checks::jobs::{Job, Jobs, check};
use selvedge_model::Failure;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::mpsc::{Receiver, Sender, channel};
use selvedge_model::sync::{Condvar, Mutex};

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::{is_wrong, solves};

/// Does a job; `None` if it panics.
fn done(job: Job) -> Option<u64> {
    catch_unwind(AssertUnwindSafe(job)).ok()
}

/// A channel, whose end is the order to stop, and a lock for the statistics.
struct Channel {
    sender: Mutex<Option<Sender<Job>>>,
    receiver: Mutex<Receiver<Job>>,
    stats: Mutex<(u64, u64)>,
}

impl Default for Channel {
    fn default() -> Self {
        let (sender, receiver) = channel();
        let (sender, receiver) = (Mutex::new(Some(sender)), Mutex::new(receiver));
        Self { sender, receiver, stats: Mutex::default() }
    }
}

impl Channel {
    /// The next job, without the lock.
    fn next(&self) -> Option<Job> {
        self.receiver.lock().unwrap().recv().ok()
    }
}

impl Jobs for Channel {
    fn submit(&self, job: Job) -> bool {
        self.sender.lock().unwrap().as_ref().is_some_and(|sender| sender.send(job).is_ok())
    }

    fn close(&self) {
        drop(self.sender.lock().unwrap().take());
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            if let Some(work) = done(job) {
                let mut stats = self.stats.lock().unwrap();
                *stats = (stats.0 + 1, stats.1 + work);
            }
        }
    }

    fn stats(&self) -> (u64, u64) {
        *self.stats.lock().unwrap()
    }
}

#[test]
fn a_channel_solves_it() {
    solves(check::<Channel>());
}

/// Jobs that wait and whether more may come, under one lock; statistics under another.
#[derive(Default)]
struct Parts {
    state: Mutex<State>,
    changed: Condvar,
    stats: Mutex<(u64, u64)>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    closed: bool,
}

impl Parts {
    fn submit(&self, job: Job) -> bool {
        let mut state = self.state.lock().unwrap();
        if !state.closed {
            state.waiting.push_back(job);
            self.changed.notify_one();
        }
        !state.closed
    }

    fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.changed.notify_all();
    }

    fn next(&self) -> Option<Job> {
        let state = self.state.lock().unwrap();
        let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
        self.changed.wait_while(state, idle).unwrap().waiting.pop_front()
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            if let Some(work) = done(job) {
                self.count(work);
            }
        }
    }

    fn count(&self, work: u64) {
        let mut stats = self.stats.lock().unwrap();
        *stats = (stats.0 + 1, stats.1 + work);
    }

    fn stats(&self) -> (u64, u64) {
        *self.stats.lock().unwrap()
    }
}

/// A job system, and those of its calls that matter.
macro_rules! jobs {
    ($(#[$doc:meta])* $name:ident, $close:expr, $work:expr) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name(Parts);

        impl Jobs for $name {
            fn submit(&self, job: Job) -> bool {
                self.0.submit(job)
            }

            fn close(&self) {
                $close(&self.0);
            }

            fn work(&self) {
                $work(&self.0);
            }

            fn stats(&self) -> (u64, u64) {
                self.0.stats()
            }
        }
    };
}

jobs!(TwoLocks, Parts::close, Parts::work);

#[test]
fn two_locks_and_a_condition_variable_solve_it() {
    solves(check::<TwoLocks>());
}

jobs!(
    /// Defect: a worker that finds no job returns.
    EmptyIsTheEnd,
    Parts::close,
    |parts: &Parts| {
        let next = || parts.state.lock().unwrap().waiting.pop_front();
        while let Some(job) = next() {
            if let Some(work) = done(job) {
                parts.count(work);
            }
        }
    }
);

#[test]
fn a_job_after_the_workers_have_returned_is_not_done() {
    let expected = Reaches("client=true stats=(0, 0)");
    is_wrong(check::<EmptyIsTheEnd>(), expected, &["no"]);
}

jobs!(
    /// Defect: a worker that finds the system closed leaves what is there.
    ClosedIsTheEnd,
    Parts::close,
    |parts: &Parts| {
        loop {
            let state = parts.state.lock().unwrap();
            let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
            let mut state = parts.changed.wait_while(state, idle).unwrap();
            if state.closed {
                return;
            }
            let job = state.waiting.pop_front();
            drop(state);
            if let Some(work) = job.and_then(done) {
                parts.count(work);
            }
        }
    }
);

#[test]
fn a_job_beside_the_close_is_not_done() {
    let expected = Reaches("client=true stats=(0, 0)");
    is_wrong(check::<ClosedIsTheEnd>(), expected, &["client"]);
}

jobs!(
    /// Defect: the end wakes one worker.
    CloseWakesOne,
    |parts: &Parts| {
        parts.state.lock().unwrap().closed = true;
        parts.changed.notify_one();
    },
    Parts::work
);

#[test]
fn a_worker_that_is_not_woken_at_the_end_sleeps() {
    let lines = ["v1.notify_one", "v1.wait", "deadlock"];
    is_wrong(check::<CloseWakesOne>(), Fails(Failure::Deadlock), &lines);
}

jobs!(
    /// Defect: the lock is held while a job is done.
    WorkUnderTheLock,
    Parts::close,
    |parts: &Parts| {
        let mut state = parts.state.lock().unwrap();
        loop {
            let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
            state = parts.changed.wait_while(state, idle).unwrap();
            let Some(job) = state.waiting.pop_front() else { return };
            if let Some(work) = done(job) {
                parts.count(work);
            }
        }
    }
);

#[test]
fn a_worker_that_holds_the_lock_makes_the_others_wait() {
    let lines = ["m1.lock: not completed", "b1.wait"];
    is_wrong(check::<WorkUnderTheLock>(), Fails(Failure::Deadlock), &lines);
}

jobs!(
    /// Defect: a job that panics ends the worker.
    NotCaught,
    Parts::close,
    |parts: &Parts| {
        while let Some(job) = parts.next() {
            parts.count(job());
        }
    }
);

#[test]
fn a_panic_ends_the_worker() {
    is_wrong(check::<NotCaught>(), Fails(Failure::Panic), &["this job is broken"]);
}

/// Defect: count and sum in two atomics.
#[derive(Default)]
struct TwoAtomics {
    parts: Parts,
    count: AtomicU64,
    work: AtomicU64,
}

impl Jobs for TwoAtomics {
    fn submit(&self, job: Job) -> bool {
        self.parts.submit(job)
    }

    fn close(&self) {
        self.parts.close();
    }

    fn work(&self) {
        while let Some(job) = self.parts.next() {
            if let Some(work) = done(job) {
                self.count.fetch_add(1, Relaxed);
                self.work.fetch_add(work, Relaxed);
            }
        }
    }

    fn stats(&self) -> (u64, u64) {
        (self.count.load(Relaxed), self.work.load(Relaxed))
    }
}

#[test]
fn statistics_in_two_atomics_are_torn() {
    is_wrong(check::<TwoAtomics>(), Reaches("reporter=(2, 10, true)"), &["~~ preempted ~~"]);
}
