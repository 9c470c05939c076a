//! A pool of workers: a channel, and statistics that each worker owns. Racy variants are in `jobs/racy.rs`.
//!
//! Proved in `loom-tests/suites/jobs.rs` and `loom-tests/suites/job_statistics.rs`, run in `examples/src/bin/jobs.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge::{Counter, CounterHandle, Stats, StatsHandle};
use selvedge_model::sync::mpsc::{Receiver, Sender, channel};
use selvedge_model::sync::thread::{self, JoinHandle};
use selvedge_model::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;

pub mod racy;

/// Where workers take their jobs from.
pub trait Jobs<J>: Send + Sync {
    /// The next job; `None` once there will be none any more.
    fn next(&self) -> Option<J>;
}

/// What workers count in.
pub trait Tally: Send + Sync {
    /// What one worker counts with.
    fn desk(&self) -> Box<dyn Desk + Send>;

    /// What was counted.
    fn totals(&self) -> Totals;
}

/// What one worker counts with.
pub trait Desk {
    /// Counts a job that went well, and how much work it was.
    fn done(&mut self, work: u64);

    /// Counts a job that panicked.
    fn panicked(&mut self);
}

/// Jobs that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// How many went well, and how much work they were: of one moment.
    pub done: u64,
    pub work: u128,
    /// How many panicked. While jobs are done, of another moment.
    pub panicked: u64,
}

/// Takes jobs until there are none any more, does them and counts them. A panic ends in here.
pub fn work<J>(jobs: &impl Jobs<J>, desk: &mut dyn Desk, run: impl Fn(J) -> u64) {
    while let Some(job) = jobs.next() {
        // Unwind safe: the job is gone, and what `run` shares with others it leaves as they may see it.
        match catch_unwind(AssertUnwindSafe(|| run(job))) {
            Ok(work) => desk.done(work),
            Err(_) => desk.panicked(),
        }
    }
}

/// Nothing here leaves anything half done under a lock.
#[track_caller]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---------------------------------------------------------------------------------------------
// Sound: a channel, statistics that their worker owns, and both together.
// ---------------------------------------------------------------------------------------------

/// The job was not accepted, and will not be done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the channel is closed")]
pub struct Closed;

/// Every job that is accepted is taken once, also if the channel is closed meanwhile. The one lock of a
/// worker is the one around the receiver.
pub struct JobChannel<J> {
    /// `None` once the channel is closed.
    sender: Mutex<Option<Sender<J>>>,
    receiver: Mutex<Receiver<J>>,
}

impl<J: Send> JobChannel<J> {
    pub fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender: Mutex::new(Some(sender)), receiver: Mutex::new(receiver) }
    }

    /// Accepts a job. Then it will be done.
    pub fn submit(&self, job: J) -> Result<(), Closed> {
        let sender = lock(&self.sender);
        sender.as_ref().ok_or(Closed)?.send(job).map_err(|_| Closed)
    }

    /// No more jobs are accepted. Those that were are done first.
    pub fn close(&self) {
        lock(&self.sender).take();
    }
}

impl<J: Send> Jobs<J> for JobChannel<J> {
    /// The lock is given back with the return, before the job is begun.
    fn next(&self) -> Option<J> {
        lock(&self.receiver).recv().ok()
    }
}

/// To count a job takes no lock, but for one in 128, and a report has all of a job or nothing.
#[derive(Default)]
pub struct OwnedTally {
    /// How much work the jobs were that went well.
    pub work: Stats,
    pub panicked: Counter,
}

impl Tally for OwnedTally {
    fn desk(&self) -> Box<dyn Desk + Send> {
        Box::new(OwnedDesk { work: self.work.handle(), panicked: self.panicked.handle() })
    }

    fn totals(&self) -> Totals {
        let work = self.work.snapshot();
        Totals { done: work.count(), work: work.sum(), panicked: self.panicked.get() }
    }
}

struct OwnedDesk {
    work: StatsHandle,
    panicked: CounterHandle,
}

impl Desk for OwnedDesk {
    fn done(&mut self, work: u64) {
        self.work.record(work);
    }

    fn panicked(&mut self) {
        self.panicked.increment();
    }
}

/// Workers at work.
pub struct Pool<Q, T> {
    shared: Arc<(Q, T)>,
    workers: Vec<JoinHandle<()>>,
}

impl<Q: Send + Sync, T: Tally + 'static> Pool<Q, T> {
    /// Starts `workers` threads that take jobs, `run` them, and count them.
    pub fn start<J>(
        workers: usize,
        jobs: Q,
        tally: T,
        run: impl Fn(J) -> u64 + Clone + Send + 'static,
    ) -> Self
    where
        Q: Jobs<J> + 'static,
    {
        let shared = Arc::new((jobs, tally));
        let start = |_| {
            let (shared, mut desk, run) = (Arc::clone(&shared), shared.1.desk(), run.clone());
            thread::spawn(move || work(&shared.0, &mut *desk, run))
        };
        Self { workers: (0..workers).map(start).collect(), shared }
    }

    pub fn jobs(&self) -> &Q {
        &self.shared.0
    }

    /// Tells what has been done so far, each time that it is called.
    pub fn reporter(&self) -> impl Fn() -> Totals + Send + use<Q, T> {
        let shared = Arc::clone(&self.shared);
        move || shared.1.totals()
    }

    /// Waits for the workers, which end when the channel ends, and returns what was done.
    pub fn join(self) -> Totals {
        for worker in self.workers {
            worker.join().expect("a job's panic ends in its worker");
        }
        self.shared.1.totals()
    }
}
