//! # Do the statistics say what was done?
//!
//! **Answer.** Yes, if every worker owns its statistics: with a `StatsHandle` and a `CounterHandle` it counts
//! a job without a lock, but for one in 128, and a report has all of a job or nothing. After the workers
//! have been joined it has all of all jobs; before, it is behind.
//!
//! **Why the racy twins fail.** [`TwoAtomicTally`] counts a job and adds up its work in two steps: a report
//! in between has one without the other. [`EmptyIsDonePool`] reports once the channel is empty: the last
//! job has been taken out of it, and is not done.
//!
//! **Why the sound one holds.** What a worker counts nobody else writes, and [`Stats`] reads count and sum as
//! of one moment. A job that panics is caught, and counted as such. A worker that has been joined counts
//! no more.
//!
//! **The code** of [`OwnedTally`] and of [`TwoAtomicTally`] is `specimens/src/jobs.rs`: what is proved
//! here is what `cargo run -p examples --bin jobs` runs. [`EmptyIsDonePool`] is in `specimens/src/jobs/racy.rs`.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for one or two
//! workers, one or two jobs, and one thread that reports. A job is a number, which is also how much work
//! it is. `Stats` and `Counter` are two objects: a report that reads both while jobs are done may have one
//! of them from before a job and the other from after the next. Once the workers have been joined, both
//! are complete. Whether each job is done once is asked in `jobs.rs`.

use selvedge::{Counter, Stats};
use selvedge_model::Model;
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::few_jobs::{BROKEN, closed_with, work_on};
use specimens::jobs::racy::EmptyIsDonePool;
use specimens::jobs::racy::TwoAtomicTally;
use specimens::jobs::{Desk, JobChannel, OwnedTally, Pool, Tally, Totals, work};

/// No test here leaves anything half done under a lock.
#[track_caller]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Jobs that went well, their work, and jobs that panicked.
fn ended(totals: Totals) -> (u64, u128, u64) {
    (totals.done, totals.work, totals.panicked)
}

// ---------------------------------------------------------------------------------------------
// Racy: statistics that do not add up.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_job_is_counted_without_its_work() {
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
fn a_report_when_the_channel_is_empty_comes_too_early() {
    Model::new(EmptyIsDonePool::new)
        .thread("worker", EmptyIsDonePool::worker)
        .thread("reporter", EmptyIsDonePool::report)
        .acceptable("reporter=1", "the job was done")
        .interesting("reporter=0", "taken by the worker, and not done yet")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: statistics that their worker owns.
// ---------------------------------------------------------------------------------------------

fn tally() -> OwnedTally {
    OwnedTally {
        work: Stats::with_stripes_and_precision(1, 0).expect("1 stripe of precision 0"),
        panicked: Counter::with_stripes(1).expect("1 stripe is accepted"),
    }
}

/// A closed channel, a tally, and two desks that are to be taken.
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

/// Whoever gets it goes on, and so does the other one.
#[test]
fn a_job_that_panics_is_counted_and_harms_nobody() {
    Model::new(|| Office::with(&[BROKEN, 5]))
        .thread("alice", |office| office.worker(0))
        .thread("bob", |office| office.worker(1))
        .finally("report", |office| ended(office.tally.totals()))
        .acceptable("report=(1, 5, 1)", "one went well, one failed, none is missing")
        .check();
}

/// A report while jobs are done has all of a job or nothing.
#[test]
fn a_job_is_counted_with_its_work() {
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

/// The whole of it, with a thread of its own: start, submit, close, wait, report.
#[test]
fn a_report_after_the_workers_have_been_joined_is_complete() {
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

/// Before that it is behind, and never wrong.
#[test]
fn a_report_while_the_pool_works_has_whole_jobs() {
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
