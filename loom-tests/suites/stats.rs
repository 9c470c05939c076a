//! # Do count, sum and histogram belong together?
//!
//! **Answer.** In a snapshot of [`Stats`], yes: all of it is of one moment, and no sample is in it
//! without what caused it. Where count and sum are two atomics, or the parts are read one after the
//! other, no.
//!
//! **Why the racy twins fail.** [`TornStats`] counts in one step and sums up in the next: a reader in
//! between finds a mean that never was. [`UnlockedReadStats`] has its writers lock, and its reader
//! not: the same. [`StripeByStripeStats`] locks every stripe, but one after the other: by the time it
//! comes to the second, the first has moved on, and the sample that caused what is found there is
//! missing. [`LateResetStats`] reads and resets under a lock, lets go of it in between, and loses what
//! is recorded then.
//!
//! **Why the sound one holds.** A reader of [`Stats`] locks all stripes and reads only then, so that
//! the stripes stand still. `take` exchanges what is in them while it holds all the locks.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads and the operations shown, with one or two stripes. Samples that are recorded without a
//! lock have a page of their own, `stats_handles.rs`. The arithmetic is tested in `tests/stats.rs`.

use selvedge::Stats;
use selvedge::stats::Snapshot;
use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use specimens::racy::{LateResetStats, StripeByStripeStats, TornStats, UnlockedReadStats};

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// The sample is counted and not yet summed up: a mean of 0, and no sample was 0.
#[test]
fn a_count_and_a_sum_in_two_atomics_are_torn() {
    Model::new(TornStats::new)
        .thread("writer", |stats| stats.record(5))
        .thread("reader", TornStats::snapshot)
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 5)", "read last")
        .interesting("reader=(1, 0)", "counted, and not yet summed up")
        .interesting("reader=(0, 5)", "the count was read before the sample, the sum after it")
        .check();
}

/// "It only reads" is no reason not to lock.
#[test]
fn a_reader_that_does_not_lock_reads_torn_values() {
    Model::new(UnlockedReadStats::new)
        .thread("writer", |stats| stats.record(5))
        .thread("reader", UnlockedReadStats::snapshot)
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 5)", "read last")
        .interesting("reader=(1, 0)", "the writer's lock kept nobody out")
        .interesting("reader=(0, 5)", "the count was read before the sample, the sum after it")
        .check();
}

/// Alice records 1 and tells bob; bob, told, records 10. A thread's stripe follows from its number: declared
/// in this order, alice has the stripe that a reader locks first, bob the other one.
#[test]
fn a_snapshot_stripe_by_stripe_shows_an_effect_without_its_cause() {
    Model::new(|| (StripeByStripeStats::new(), AtomicU64::new(0)))
        .thread("bob", |(stats, told)| {
            if told.fetch_add(0, Relaxed) == 1 {
                stats.record(10);
            }
        })
        .thread("alice", |(stats, told)| {
            stats.record(1);
            told.fetch_add(1, Relaxed);
        })
        .thread("reader", |(stats, _)| stats.snapshot())
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 1)", "read between the two samples, or bob was not told")
        .acceptable("reader=(2, 11)", "read last")
        .interesting("reader=(1, 10)", "alice's stripe was read before her sample, bob's after his")
        .check();
}

/// Read, then reset: a sample in between is neither taken nor left.
#[test]
fn a_take_that_resets_too_late_loses_a_sample() {
    Model::new(LateResetStats::new)
        .thread("writer", |stats| {
            stats.record(1);
            stats.record(2);
        })
        .thread("reader", LateResetStats::take)
        .finally("rest", LateResetStats::snapshot)
        .acceptable("reader=(0, 0) rest=(2, 3)", "the take came first")
        .acceptable("reader=(1, 1) rest=(1, 2)", "the take came between")
        .acceptable("reader=(2, 3) rest=(0, 0)", "the take came last")
        .interesting("reader=(0, 0) rest=(1, 2)", "1 came between reading and resetting: lost")
        .interesting("reader=(0, 0) rest=(0, 0)", "both came in between")
        .interesting("reader=(1, 1) rest=(0, 0)", "2 came in between")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// Few buckets: what is behind a lock costs a model no executions, but still time.
fn stats(stripes: usize) -> Stats {
    Stats::with_stripes_and_precision(stripes, 0).expect("1 or 2 stripes of precision 0")
}

/// All that must belong to one moment: count, sum, least, greatest, and how many are in the buckets.
fn all(snapshot: &Snapshot) -> (u64, u128, Option<u64>, Option<u64>, u64) {
    let in_buckets = snapshot.buckets().map(|bucket| bucket.count).sum();
    (snapshot.count(), snapshot.sum(), snapshot.min(), snapshot.max(), in_buckets)
}

/// Nothing of a sample is seen without the rest of it.
#[test]
fn a_snapshot_has_all_of_a_sample_or_nothing() {
    Model::new(|| stats(2))
        .thread("alice", |stats| stats.record(3))
        .thread("bob", |stats| stats.record(50))
        .thread("reader", |stats| all(&stats.snapshot()))
        .acceptable("reader=(0, 0, None, None, 0)", "read first")
        .acceptable("reader=(1, 3, Some(3), Some(3), 1)", "alice was there")
        .acceptable("reader=(1, 50, Some(50), Some(50), 1)", "bob was there")
        .acceptable("reader=(2, 53, Some(3), Some(50), 2)", "both were there")
        .check();
}

/// Two threads that share a stripe lose nothing.
#[test]
fn more_threads_than_stripes_lose_nothing() {
    Model::new(|| stats(1))
        .thread("alice", |stats| stats.record(1))
        .thread("bob", |stats| stats.record(10))
        .thread("carol", |stats| stats.record(100))
        .finally("end", |stats| all(&stats.snapshot()))
        .acceptable("end=(3, 111, Some(1), Some(100), 3)", "all three were recorded")
        .check();
}

/// What [`StripeByStripeStats`] gets wrong, by the same threads on the same stripes.
#[test]
fn a_snapshot_never_shows_an_effect_without_its_cause() {
    Model::new(|| (stats(2), AtomicU64::new(0)))
        .thread("bob", |(stats, told)| {
            if told.fetch_add(0, Relaxed) == 1 {
                stats.record(10);
            }
        })
        .thread("alice", |(stats, told)| {
            stats.record(1);
            told.fetch_add(1, Relaxed);
        })
        .thread("reader", |(stats, _)| stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read between the two samples, or bob was not told")
        .acceptable("reader=11", "read last")
        .forbidden("reader=10", "the sample that caused bob's is missing")
        .check();
}

/// Two snapshots in a row never go backwards.
#[test]
fn a_later_snapshot_never_has_less() {
    Model::new(|| stats(2))
        .thread("alice", |stats| stats.record(1))
        .thread("bob", |stats| stats.record(10))
        .thread("reader", |stats| (stats.snapshot().sum(), stats.snapshot().sum()))
        .acceptable("reader=(0, 0)", "nothing yet")
        .acceptable("reader=(0, 1)", "alice in between")
        .acceptable("reader=(0, 10)", "bob in between")
        .acceptable("reader=(0, 11)", "both in between")
        .acceptable("reader=(1, 1)", "alice before, bob after")
        .acceptable("reader=(1, 11)", "alice before, bob in between")
        .acceptable("reader=(10, 10)", "bob before, alice after")
        .acceptable("reader=(10, 11)", "bob before, alice in between")
        .acceptable("reader=(11, 11)", "both before")
        .check();
}

/// Two readers that see one sample each agree on which was first.
#[test]
fn two_readers_agree_on_the_order_of_samples() {
    Model::new(|| stats(2))
        .thread("alice", |stats| {
            stats.record(1);
            stats.snapshot().sum()
        })
        .thread("bob", |stats| {
            stats.record(10);
            stats.snapshot().sum()
        })
        .acceptable("alice=1 bob=11", "alice was first")
        .acceptable("alice=11 bob=10", "bob was first")
        .acceptable("alice=11 bob=11", "both were there before either looked")
        .forbidden("alice=1 bob=10", "each was first")
        .check();
}

/// Taken or still there, never both and never neither.
#[test]
fn a_take_neither_loses_nor_doubles_a_sample() {
    Model::new(|| stats(2))
        .thread("writer", |stats| {
            stats.record(1);
            stats.record(2);
        })
        .thread("reader", |stats| all(&stats.take()))
        .finally("rest", |stats| all(&stats.snapshot()))
        .acceptable("reader=(0, 0, None, None, 0) rest=(2, 3, Some(1), Some(2), 2)", "taken first")
        .acceptable(
            "reader=(1, 1, Some(1), Some(1), 1) rest=(1, 2, Some(2), Some(2), 1)",
            "taken in between",
        )
        .acceptable("reader=(2, 3, Some(1), Some(2), 2) rest=(0, 0, None, None, 0)", "taken last")
        .check();
}

/// What has been taken is gone from all stripes at once.
#[test]
fn a_snapshot_sees_all_of_a_take_or_nothing() {
    Model::new(|| {
        let stats = stats(2);
        // On one stripe by this thread, on another by a handle.
        stats.record(1);
        stats.handle().record(10);
        stats
    })
    .thread("taker", |stats| stats.take().sum())
    .thread("reader", |stats| stats.snapshot().sum())
    .acceptable("taker=11 reader=11", "read first")
    .acceptable("taker=11 reader=0", "taken first")
    .check();
}

/// Two takes share out the samples between them.
#[test]
fn two_takes_return_each_sample_once() {
    Model::new(|| stats(1))
        .thread("writer", |stats| stats.record(5))
        .thread("first", |stats| stats.take().count())
        .thread("second", |stats| stats.take().count())
        .finally("rest", |stats| stats.snapshot().count())
        .acceptable("first=1 second=0 rest=0", "the first one has it")
        .acceptable("first=0 second=1 rest=0", "the second one has it")
        .acceptable("first=0 second=0 rest=1", "both came too early")
        .check();
}
