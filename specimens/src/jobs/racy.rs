//! Queues and tallies that go wrong: each has the one defect that it names.

use selvedge::Counter;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::mpsc::{Receiver, Sender, channel};
use selvedge_model::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Closed, Desk, JobChannel, Jobs, Tally, Totals};

/// Defect: which job is next is read in one step, and that it is taken is written in the next.
pub struct LookThenClaimJobs<J> {
    jobs: Vec<J>,
    /// Relaxed: the jobs were there before the workers, and no ordering makes one step of two.
    next: AtomicUsize,
    between: fn(),
}

impl<J> LookThenClaimJobs<J> {
    /// With something that is done between the two steps: nothing, or to let others run, say.
    pub fn new(jobs: Vec<J>, between: fn()) -> Self {
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
pub struct StopFlagJobs<J> {
    channel: JobChannel<J>,
    /// Release, and Acquire where it is read: a worker that sees it can also receive what was sent before.
    stop: AtomicBool,
}

impl<J: Send> StopFlagJobs<J> {
    pub fn new() -> Self {
        Self { channel: JobChannel::new(), stop: AtomicBool::new(false) }
    }

    pub fn submit(&self, job: J) -> Result<(), Closed> {
        self.channel.submit(job)
    }

    pub fn close(&self) {
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
pub struct TwoAtomicTally(Arc<TwoAtomics>);

struct TwoAtomics {
    /// Relaxed, all: no ordering makes one of two.
    done: AtomicU64,
    work: AtomicU64,
    panicked: AtomicU64,
    between: fn(),
}

impl TwoAtomicTally {
    /// With something that is done between the two steps.
    pub fn new(between: fn()) -> Self {
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

/// An open channel with no jobs in it yet, and a lock around either end.
struct OpenChannel {
    sender: Mutex<Option<Sender<u64>>>,
    receiver: Mutex<Receiver<u64>>,
}

impl OpenChannel {
    fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender: Mutex::new(Some(sender)), receiver: Mutex::new(receiver) }
    }

    /// Sends the last jobs.
    #[track_caller]
    fn send(&self, jobs: &[u64]) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        for job in jobs {
            let sent = sender.as_ref().expect("once").send(*job);
            sent.expect("the receiver is here");
        }
    }

    #[track_caller]
    fn receiver(&self) -> MutexGuard<'_, Receiver<u64>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many jobs there are at this moment. They are gone then.
    fn take_all(&self) -> usize {
        let receiver = self.receiver();
        std::iter::from_fn(|| receiver.try_recv().ok()).count()
    }
}

/// Defect: the worker ends when it finds nothing to do.
pub struct WhileAnyPool(OpenChannel);

impl WhileAnyPool {
    pub fn new() -> Self {
        Self(OpenChannel::new())
    }

    pub fn send(&self) {
        self.0.send(&[1]);
    }

    /// How many jobs were done.
    pub fn worker(&self) -> usize {
        self.0.take_all()
    }
}

/// Defect: a job that panics ends the worker that runs it, and no other one is started.
pub struct UncaughtPool(OpenChannel);

impl UncaughtPool {
    pub fn new() -> Self {
        Self(OpenChannel::new())
    }

    pub fn send(&self, jobs: &[u64]) {
        self.0.send(jobs);
    }

    pub fn worker(&self, run: impl Fn(u64)) {
        loop {
            let Ok(job) = self.0.receiver().recv() else { break };
            run(job);
        }
    }

    /// The number of jobs that no worker has received.
    pub fn left(&self) -> usize {
        self.0.take_all()
    }
}

/// Defect: reports when the channel is empty. Its last job is then on a worker's desk.
pub struct EmptyIsDonePool {
    jobs: Mutex<Receiver<u64>>,
    done: Counter,
}

impl EmptyIsDonePool {
    /// With one job.
    pub fn new() -> Self {
        let (sender, jobs) = channel();
        sender.send(1).expect("the receiver is here");
        let done = Counter::with_stripes(1).expect("1 stripe is accepted");
        Self { jobs: Mutex::new(jobs), done }
    }

    #[track_caller]
    fn jobs(&self) -> MutexGuard<'_, Receiver<u64>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn worker(&self) {
        let job = self.jobs().recv();
        if job.is_ok() {
            self.done.increment();
        }
    }

    /// What was done, once there is nothing left to do. Takes a job that is left as its own.
    pub fn report(&self) -> u64 {
        if self.jobs().try_recv().is_ok() {
            self.done.increment();
        }
        self.done.get()
    }
}
