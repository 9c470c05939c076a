//! # `OwnedTally`: statistics of jobs
//!
//! Proved of [`OwnedTally`]: a report has all of a job or nothing of it, a job that panics is counted, and a report
//! after joining the workers is complete. Each worker owns a `StatsHandle` and a `CounterHandle`.
//!
//! **Racy variants.** [`TwoAtomicTally`]: torn read, count and work are two atomics. [`EmptyIsDonePool`]: the
//! report comes when the channel is empty, before the last job has ended.
//!
//! **Scope.** Explored completely, for one or two workers, one or two jobs and one reporter. `Stats` and `Counter`
//! are two objects: a report during the work may have them of different moments.

use selvedge::{Counter, Stats};
use selvedge_model::Model;
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::few_jobs::{BROKEN, closed_with, work_on};
use specimens::jobs::racy::EmptyIsDonePool;
use specimens::jobs::racy::TwoAtomicTally;
use specimens::jobs::{Desk, JobChannel, OwnedTally, Pool, Tally, Totals, work};

/// No model panics while it holds a lock.
#[track_caller]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The jobs that succeeded, their work, and the jobs that panicked.
fn ended(totals: Totals) -> (u64, u128, u64) {
    (totals.done, totals.work, totals.panicked)
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

#[test]
fn count_and_work_in_two_atomics_are_torn() {
    Model::new(|| TwoAtomicTally::new(|| ()))
        .thread("worker", |tally| tally.desk().done(5))
        .thread("reporter", |tally| ended(tally.totals()))
        .acceptable("reporter=(0, 0, 0)", "reported first")
        .acceptable("reporter=(1, 5, 0)", "reported last")
        .interesting("reporter=(1, 0, 0)", "a job that was no work")
        .interesting("reporter=(0, 5, 0)", "work that was no job")
        .check();
}

#[test]
fn report_of_an_empty_channel_is_too_early() {
    Model::new(EmptyIsDonePool::new)
        .thread("worker", EmptyIsDonePool::worker)
        .thread("reporter", EmptyIsDonePool::report)
        .acceptable("reporter=1", "the job was done")
        .interesting("reporter=0", "taken by the worker, and not done yet")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

fn tally() -> OwnedTally {
    OwnedTally {
        work: Stats::with_stripes_and_precision(1, 0).expect("1 stripe of precision 0"),
        panicked: Counter::with_stripes(1).expect("1 stripe is accepted"),
    }
}

/// A closed channel, a tally, and two desks.
struct Office {
    jobs: JobChannel<u64>,
    tally: OwnedTally,
    desks: [Mutex<Option<Box<dyn Desk + Send>>>; 2],
}

impl Office {
    fn with(submitted: &[u64]) -> Self {
        let tally = tally();
        let desks = [(); 2].map(|()| Mutex::new(Some(tally.desk())));
        Self { jobs: closed_with(submitted), tally, desks }
    }

    /// Does jobs at a desk until the channel ends.
    fn worker(&self, desk: usize) {
        let desk = lock(&self.desks[desk]).take();
        let mut desk = desk.expect("a desk is taken once");
        work(&self.jobs, &mut *desk, work_on);
    }
}

/// The worker that runs it continues, and so does the other one.
#[test]
fn panicking_job_is_counted() {
    Model::new(|| Office::with(&[BROKEN, 5]))
        .thread("alice", |office| office.worker(0))
        .thread("bob", |office| office.worker(1))
        .finally("report", |office| ended(office.tally.totals()))
        .acceptable("report=(1, 5, 1)", "one went well, one failed, none is missing")
        .check();
}

/// A report beside a worker has all of a job or nothing of it.
#[test]
fn report_has_whole_jobs() {
    Model::new(|| Office::with(&[5]))
        .thread("worker", |office| office.worker(0))
        .thread("reporter", |office| {
            let work = office.tally.work.snapshot();
            (work.count(), work.sum(), work.max())
        })
        .acceptable("reporter=(0, 0, None)", "reported first")
        .acceptable("reporter=(1, 5, Some(5))", "reported last")
        .check();
}

/// Start, submit, close, join, report.
#[test]
fn report_after_joining_is_complete() {
    Model::new(|| ())
        .thread("main", |()| {
            let pool = Pool::start(1, JobChannel::new(), tally(), work_on);
            let accepted = (pool.jobs().submit(BROKEN), pool.jobs().submit(5));
            pool.jobs().close();
            (accepted, ended(pool.join()))
        })
        .acceptable(
            "main=((Ok(()), Ok(())), (1, 5, 1))",
            "one went well, one failed, none is missing",
        )
        .check();
}

/// A report before the join may lack jobs, and has only whole ones.
#[test]
fn report_of_a_running_pool_has_whole_jobs() {
    Model::new(|| ())
        .thread("main", |()| {
            let pool = Pool::start(1, closed_with(&[5, BROKEN]), tally(), work_on);
            let so_far = ended(pool.reporter()());
            pool.join();
            so_far
        })
        .acceptable("main=(0, 0, 0)", "nothing done yet")
        .acceptable("main=(1, 5, 0)", "the first one is done")
        .acceptable("main=(1, 5, 1)", "both are done")
        .acceptable("main=(0, 0, 1)", "the second one ended between the two looks")
        .check();
}
