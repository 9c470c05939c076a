//! The check of `13_jobs.rs`.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::{Arc, Barrier};
use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// What is to be done. It returns how much work it was, or panics.
pub type Job = Box<dyn FnOnce() -> u64 + Send>;

/// Jobs that several threads do, and statistics of them.
pub trait Jobs: Default + Send + Sync + 'static {
    /// Accepts a job, unless the system is closed; returns whether it did.
    fn submit(&self, job: Job) -> bool;

    /// Accepts no further jobs.
    fn close(&self);

    /// Does jobs, until the system is closed and every accepted job is taken. Called by each worker.
    fn work(&self);

    /// How many jobs have ended without a panic, and how much work they were, at one moment.
    fn stats(&self) -> (u64, u64);
}

/// What a job system must keep.
pub fn check<J: Jobs>() -> Vec<Question> {
    vec![
        ("an accepted job is done once, and then the worker ends", once::<J>),
        ("the close ends all workers", close::<J>),
        ("a job beside the close is done or refused", beside_close::<J>),
        ("two jobs are done at the same time", together::<J>),
        ("statistics have whole jobs, and count only those that are done", one_moment::<J>),
        ("a job that panics ends no worker and is not counted", panics::<J>),
    ]
}

fn once<J: Jobs>() -> Result<Report, CheckError> {
    Model::new(J::default)
        .thread("client", |jobs| {
            let accepted = jobs.submit(Box::new(|| 10));
            jobs.close();
            accepted
        })
        .thread("worker", J::work)
        .finally("stats", J::stats)
        .acceptable("client=true stats=(1, 10)", "accepted and done")
        .try_check()
}

fn close<J: Jobs>() -> Result<Report, CheckError> {
    Model::new(J::default)
        .thread("client", J::close)
        .thread("alice", J::work)
        .thread("bob", J::work)
        .finally("stats", J::stats)
        .acceptable("stats=(0, 0)", "there was no job")
        .try_check()
}

fn beside_close<J: Jobs>() -> Result<Report, CheckError> {
    Model::new(J::default)
        .thread("client", |jobs| jobs.submit(Box::new(|| 10)))
        .thread("closer", J::close)
        .thread("worker", J::work)
        .finally("stats", J::stats)
        .acceptable("client=true stats=(1, 10)", "accepted and done")
        .acceptable("client=false stats=(0, 0)", "refused")
        .try_check()
}

/// Closed, with these jobs in it.
fn closed<J: Jobs>(all: impl IntoIterator<Item = Job>) -> J {
    let jobs = J::default();
    for job in all {
        assert!(jobs.submit(job), "an open system accepts jobs");
    }
    jobs.close();
    jobs
}

/// Each job waits for the other one.
fn together<J: Jobs>() -> Result<Report, CheckError> {
    let jobs = || {
        let at_work = Arc::new(Barrier::new(2));
        closed::<J>([1, 2].map(|work| {
            let at_work = Arc::clone(&at_work);
            let job: Job = Box::new(move || {
                at_work.wait();
                work
            });
            job
        }))
    };
    Model::new(jobs)
        .thread("alice", J::work)
        .thread("bob", J::work)
        .finally("stats", J::stats)
        .acceptable("stats=(2, 3)", "no worker waits while another one works")
        .try_check()
}

fn one_moment<J: Jobs>() -> Result<Report, CheckError> {
    let jobs = || {
        let done = Arc::new(AtomicU64::new(0));
        let jobs = closed::<J>([(); 2].map(|()| {
            let done = Arc::clone(&done);
            let job: Job = Box::new(move || {
                done.fetch_add(1, Relaxed);
                10
            });
            job
        }));
        (jobs, done)
    };
    Model::new(jobs)
        .thread("worker", |(jobs, _)| jobs.work())
        .thread("reporter", |(jobs, done)| {
            let (count, work) = jobs.stats();
            (count, work, done.load(Relaxed) >= count)
        })
        .acceptable("reporter=(0, 0, true)", "before the first job was counted")
        .acceptable("reporter=(1, 10, true)", "between the two")
        .acceptable("reporter=(2, 20, true)", "after the second")
        .try_check()
}

fn broken() -> u64 {
    panic!("this job is broken")
}

fn panics<J: Jobs>() -> Result<Report, CheckError> {
    let jobs = || closed::<J>([Box::new(broken) as Job, Box::new(|| 10)]);
    Model::new(jobs)
        .thread("alice", J::work)
        .thread("bob", J::work)
        .finally("stats", J::stats)
        .acceptable("stats=(1, 10)", "the second job is done by either worker")
        .try_check()
}
