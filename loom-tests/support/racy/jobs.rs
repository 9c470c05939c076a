//! Pools of workers that go wrong: each has the one defect that it names.

use selvedge::sync::mpsc::{Receiver, Sender, channel};
use selvedge::sync::{Mutex, MutexGuard, PoisonError};

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
pub(crate) struct WhileAnyPool(OpenChannel);

impl WhileAnyPool {
    pub(crate) fn new() -> Self {
        Self(OpenChannel::new())
    }

    pub(crate) fn send(&self) {
        self.0.send(&[1]);
    }

    /// How many jobs were done.
    pub(crate) fn worker(&self) -> usize {
        self.0.take_all()
    }
}

/// Defect: a job that panics ends the worker that runs it, and nobody takes its place.
pub(crate) struct UncaughtPool(OpenChannel);

impl UncaughtPool {
    pub(crate) fn new() -> Self {
        Self(OpenChannel::new())
    }

    pub(crate) fn send(&self, jobs: &[u64]) {
        self.0.send(jobs);
    }

    pub(crate) fn worker(&self, run: impl Fn(u64)) {
        loop {
            let Ok(job) = self.0.receiver().recv() else { break };
            run(job);
        }
    }

    /// How many jobs nobody has done.
    pub(crate) fn left(&self) -> usize {
        self.0.take_all()
    }
}
