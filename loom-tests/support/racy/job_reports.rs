//! A report of jobs that goes wrong, with the one defect that it names.

use selvedge::Counter;
use selvedge::sync::mpsc::{Receiver, channel};
use selvedge::sync::{Mutex, MutexGuard, PoisonError};

/// Defect: reports when the channel is empty. Its last job is then on a worker's desk.
pub(crate) struct EmptyIsDonePool {
    jobs: Mutex<Receiver<u64>>,
    done: Counter,
}

impl EmptyIsDonePool {
    /// With one job.
    pub(crate) fn new() -> Self {
        let (sender, jobs) = channel();
        sender.send(1).expect("the receiver is here");
        let done = Counter::with_stripes(1).expect("1 stripe is accepted");
        Self { jobs: Mutex::new(jobs), done }
    }

    #[track_caller]
    fn jobs(&self) -> MutexGuard<'_, Receiver<u64>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn worker(&self) {
        let job = self.jobs().recv();
        if job.is_ok() {
            self.done.increment();
        }
    }

    /// What was done, once there is nothing left to do. Takes a job that is left as its own.
    pub(crate) fn report(&self) -> u64 {
        if self.jobs().try_recv().is_ok() {
            self.done.increment();
        }
        self.done.get()
    }
}
