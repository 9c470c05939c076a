//! Queues and tallies that go wrong: each has the one defect that it names.

use selvedge::sync::Arc;
use selvedge::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use super::{Closed, Desk, JobChannel, Jobs, Tally, Totals};

/// Defect: which job is next is read in one step, and that it is taken is written in the next.
pub(crate) struct LookThenClaimJobs<J> {
    jobs: Vec<J>,
    /// Relaxed: the jobs were there before the workers, and no ordering makes one step of two.
    next: AtomicUsize,
    between: fn(),
}

impl<J> LookThenClaimJobs<J> {
    /// With something that is done between the two steps: nothing, or to let others run, say.
    pub(crate) fn new(jobs: Vec<J>, between: fn()) -> Self {
        Self { jobs, next: AtomicUsize::new(0), between }
    }
}

impl<J: Clone + Send + Sync> Jobs<J> for LookThenClaimJobs<J> {
    fn next(&self) -> Option<J> {
        let next = self.next.load(Relaxed);
        let job = self.jobs.get(next).cloned();
        (self.between)();
        self.next.store(next + 1, Relaxed);
        job
    }
}

/// Defect: a flag tells the workers to stop, whatever is in the channel.
pub(crate) struct StopFlagJobs<J> {
    channel: JobChannel<J>,
    /// Release, and Acquire where it is read: who sees it could also receive what was sent before.
    stop: AtomicBool,
}

impl<J: Send> StopFlagJobs<J> {
    pub(crate) fn new() -> Self {
        Self { channel: JobChannel::new(), stop: AtomicBool::new(false) }
    }

    pub(crate) fn submit(&self, job: J) -> Result<(), Closed> {
        self.channel.submit(job)
    }

    pub(crate) fn close(&self) {
        self.stop.store(true, Release);
        self.channel.close();
    }
}

impl<J: Send> Jobs<J> for StopFlagJobs<J> {
    fn next(&self) -> Option<J> {
        if self.stop.load(Acquire) { None } else { self.channel.next() }
    }
}

/// Defect: the number of jobs and the sum of their work are two atomics.
#[derive(Clone)]
pub(crate) struct TwoAtomicTally(Arc<TwoAtomics>);

struct TwoAtomics {
    /// Relaxed, all: no ordering makes one of two.
    done: AtomicU64,
    work: AtomicU64,
    panicked: AtomicU64,
    between: fn(),
}

impl TwoAtomicTally {
    /// With something that is done between the two steps.
    pub(crate) fn new(between: fn()) -> Self {
        let [done, work, panicked] = [0; 3].map(AtomicU64::new);
        Self(Arc::new(TwoAtomics { done, work, panicked, between }))
    }
}

impl Tally for TwoAtomicTally {
    fn desk(&self) -> Box<dyn Desk + Send> {
        Box::new(self.clone())
    }

    fn totals(&self) -> Totals {
        let done = self.0.done.load(Relaxed);
        let work = self.0.work.load(Relaxed).into();
        Totals { done, work, panicked: self.0.panicked.load(Relaxed) }
    }
}

impl Desk for TwoAtomicTally {
    fn done(&mut self, work: u64) {
        self.0.done.fetch_add(1, Relaxed);
        (self.0.between)();
        self.0.work.fetch_add(work, Relaxed);
    }

    fn panicked(&mut self) {
        self.0.panicked.fetch_add(1, Relaxed);
    }
}
