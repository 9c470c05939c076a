//! Jobs, those who do them, and the counts of what was done.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use confidence::measured::Kind::{self, Order, Sound};
use selvedge::{Counter, Stats};
use specimens::jobs::racy::{
    EmptyIsDonePool, LookThenClaimJobs, StopFlagJobs, TwoAtomicTally, UncaughtPool, WhileAnyPool,
};
use specimens::jobs::{Desk, JobChannel, Jobs, OwnedTally, Pool, Tally, work};
use specimens::racy::SplitCounter;

use crate::specimen::{Specimen, written};

pub(super) fn all() -> Vec<Specimen> {
    queues().into_iter().chain(ends()).chain(tallies()).collect()
}

/// Two workers, two jobs: one each.
fn take<J: Jobs<u64> + 'static>(name: &'static str, kind: Kind, init: fn() -> J) -> Specimen {
    Specimen::new(name, kind, init, [|jobs: &J| jobs.next(); 2], |_, [alice, bob]| alice != bob)
}

/// A job is submitted, and that it was the last; a worker does all that there is.
fn close<J: Jobs<u64> + 'static>(
    name: &'static str,
    kind: Kind,
    init: fn() -> J,
    submit_and_close: fn(&J) -> usize,
) -> Specimen {
    let work = |jobs: &J| std::iter::from_fn(|| jobs.next()).count();
    Specimen::new(name, kind, init, [submit_and_close, work], |_, [_, done]| *done == 1)
}

fn channel() -> JobChannel<u64> {
    let jobs = JobChannel::new();
    (1..=2).for_each(|job| jobs.submit(job).expect("it is open"));
    jobs
}

fn queues() -> [Specimen; 4] {
    [
        take("LookThenClaimJobs", Order, || LookThenClaimJobs::new(vec![1, 2], || ()))
            .beside("JobChannel, two workers"),
        take("JobChannel, two workers", Sound, channel),
        close("StopFlagJobs", Order, StopFlagJobs::new, |jobs| {
            jobs.submit(1).expect("it is open");
            jobs.close();
            0
        })
        .beside("JobChannel, closed"),
        close("JobChannel, closed", Sound, JobChannel::new, |jobs| {
            jobs.submit(1).expect("it is open");
            jobs.close();
            0
        }),
    ]
}

/// The job that panics; nobody is told, so that no tester takes that for the bug.
const BROKEN: u64 = 13;

fn run(job: u64) {
    if job == BROKEN {
        resume_unwind(Box::new("this job is broken"));
    }
}

/// Counts nothing.
struct NoDesk;

impl Desk for NoDesk {
    fn done(&mut self, _: u64) {}

    fn panicked(&mut self) {}
}

fn tally() -> OwnedTally {
    OwnedTally {
        work: Stats::with_stripes_and_precision(1, 0).expect("1 stripe of precision 0"),
        panicked: Counter::with_stripes(1).expect("1 stripe is accepted"),
    }
}

/// When a worker ends, nothing is left to be done; when a report is made, all has been counted.
fn ends() -> [Specimen; 5] {
    [
        Specimen::new(
            "WhileAnyPool",
            Order,
            WhileAnyPool::new,
            [|pool: &WhileAnyPool| written(|| pool.send()), WhileAnyPool::worker],
            |_, [_, done]| *done == 1,
        )
        .beside("JobChannel, two workers"),
        Specimen::new(
            "UncaughtPool",
            Order,
            UncaughtPool::new,
            [
                |pool: &UncaughtPool| pool.send(&[BROKEN, 5]),
                // What `join` would tell, if anybody asked.
                |pool| drop(catch_unwind(AssertUnwindSafe(|| pool.worker(run)))),
            ],
            |pool, _| pool.left() == 0,
        )
        .beside("JobChannel, with a panic"),
        Specimen::new(
            "JobChannel, with a panic",
            Sound,
            JobChannel::new,
            [
                |jobs: &JobChannel<u64>| {
                    for job in [BROKEN, 5] {
                        jobs.submit(job).expect("it is open");
                    }
                    jobs.close();
                },
                |jobs| {
                    let run = |job| {
                        run(job);
                        job
                    };
                    work(jobs, &mut NoDesk, run);
                },
            ],
            |jobs, _| jobs.next().is_none(),
        ),
        Specimen::new(
            "EmptyIsDonePool",
            Order,
            EmptyIsDonePool::new,
            [|pool: &EmptyIsDonePool| written(|| pool.worker()), EmptyIsDonePool::report],
            |_, [_, reported]| *reported == 1,
        )
        .beside("Pool, joined"),
        Specimen::new(
            "Pool, joined",
            Sound,
            || (),
            [|()| {
                let jobs = JobChannel::new();
                jobs.submit(5).expect("it is open");
                jobs.close();
                Pool::start(2, jobs, tally(), |job| job).join().done
            }],
            |(), [reported]| *reported == 1,
        ),
    ]
}

/// A job and its work are counted while somebody looks: seen together, or not at all.
fn count<T: Tally + 'static>(name: &'static str, kind: Kind, init: fn() -> T) -> Specimen {
    let seen = |tally: &T| {
        let totals = tally.totals();
        (totals.done, totals.work)
    };
    Specimen::new(
        name,
        kind,
        init,
        [|tally: &T| written(|| tally.desk().done(5)), seen],
        |_, [_, seen]| [(0, 0), (1, 5)].contains(seen),
    )
}

fn tallies() -> [Specimen; 3] {
    [
        count("TwoAtomicTally", Order, || TwoAtomicTally::new(|| ())).beside("OwnedTally"),
        count("OwnedTally", Sound, tally),
        Specimen::new(
            "SplitCounter",
            Order,
            SplitCounter::new,
            [|count: &SplitCounter| count.increment(|| ()); 2],
            |count, _| count.get() == 2,
        )
        .beside("Counter::add"),
    ]
}
