//! # Does a report of running jobs add up?
//!
//! A worker counts each job and adds up the time that it took, 5 ms for this one. A reporter reads both and prints the
//! mean:
//!
//! ```rust
//! jobs.fetch_add(1, SeqCst); milliseconds.fetch_add(5, SeqCst);          // worker
//! (jobs.load(SeqCst), milliseconds.load(SeqCst))                         // reporter
//! ```
//!
//! **Guess:** which pairs can the reporter read?
//!
//! **Output.** `(0, 0)`, `(1, 5)`, and also `(1, 0)`, a job of 0 ms, and `(0, 5)`, 5 ms of no job:
//!
//! ```text
//!       worker                  reporter
//!    1  a1.fetch_add(1): 0 -> 1
//!       ~~ preempted ~~
//!    2                          a1.load = 1
//!    3                          a2.load = 0
//!    4  a2.fetch_add(5): 0 -> 5
//! ```
//!
//! Real threads showed it in 1 to 12 of 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book --
//! job_statistics:: --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** A **torn read**: each number is right, and the two are of different moments. `SeqCst` does not help. It
//! orders the four steps, and the report can come between the two of the worker.
//!
//! **Fix.** A mutex around both, or `selvedge::Stats`, which needs few locks: `snapshot` has count, sum, extremes and
//! histogram of one moment. A worker records in a log of its own, without a lock but for one sample in 128; a
//! `StatsHandle` saves it looking for the log. Two objects are two moments again (`counter_and_stats_are_two_moments`): a `Counter` of started jobs
//! and the `Stats` of their times do not belong together. Put into one object what is reported together, or report
//! after the workers have ended.
//!
//! **Break it yourself.** In `count_and_sum` write `(stats.snapshot().count(), stats.snapshot().sum())`.
//! `stats_report_whole_jobs` fails: *reached reporter=(0, 5), which the table does not declare*. So does the third
//! test.
//!
//! Exercise: `cargo exercise jobs` (see `exercises/README.md`).

use selvedge::{Counter, Stats};
use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::shown::assert_shown;

/// Jobs and milliseconds of one moment.
fn count_and_sum(stats: &Stats) -> (u64, u128) {
    let snapshot = stats.snapshot();
    (snapshot.count(), snapshot.sum())
}

/// The statistics of one worker: one stripe, the coarsest histogram.
fn stats() -> Stats {
    Stats::with_stripes_and_precision(1, 0).unwrap()
}

#[test]
fn two_atomics_give_a_torn_report() {
    let report = Model::new(<(AtomicU64, AtomicU64)>::default)
        .thread("worker", |(jobs, milliseconds)| {
            jobs.fetch_add(1, SeqCst);
            milliseconds.fetch_add(5, SeqCst);
        })
        .thread("reporter", |(jobs, milliseconds)| (jobs.load(SeqCst), milliseconds.load(SeqCst)))
        .acceptable("reporter=(0, 0)", "before the job")
        .acceptable("reporter=(1, 5)", "after the job")
        .interesting("reporter=(1, 0)", "the job without its time")
        .interesting("reporter=(0, 5)", "the time without its job")
        .check();
    assert_shown(include_str!("3_job_statistics.rs"), &report.to_string());
}

#[test]
fn stats_report_whole_jobs() {
    Model::new(stats)
        .thread("worker", |stats| stats.record(5))
        .thread("reporter", count_and_sum)
        .acceptable("reporter=(0, 0)", "before the job")
        .acceptable("reporter=(1, 5)", "after the job")
        .check();
}

#[test]
fn stats_handle_reports_whole_jobs() {
    Model::new(stats)
        .thread("worker", |stats| stats.handle().record(5))
        .thread("reporter", count_and_sum)
        .finally("total", count_and_sum)
        .acceptable("reporter=(0, 0) total=(1, 5)", "before the job")
        .acceptable("reporter=(1, 5) total=(1, 5)", "after the job")
        .check();
}

#[test]
fn counter_and_stats_are_two_moments() {
    Model::new(|| (Counter::with_stripes(1).unwrap(), stats()))
        .thread("worker", |(started, times)| {
            started.increment();
            times.record(5);
        })
        .thread("reporter", |(started, times)| (started.get(), times.snapshot().count()))
        .finally("total", |(started, times)| (started.get(), times.snapshot().count()))
        .acceptable("reporter=(0, 0) total=(1, 1)", "before the job")
        .acceptable("reporter=(1, 0) total=(1, 1)", "the job runs")
        .acceptable("reporter=(1, 1) total=(1, 1)", "after the job")
        .interesting("reporter=(0, 1) total=(1, 1)", "a job that ended and did not start")
        .check();
}
