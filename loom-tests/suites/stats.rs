//! # `Stats`: a snapshot is a consistent cut
//!
//! Proved of [`Stats`]: a `snapshot` or `take` has whole samples, all of one moment; no effect is in it without its
//! cause; `take` returns each sample exactly once; two readers agree on the order of samples.
//!
//! **Racy variants.** [`TornStats`]: torn read, count and sum are two atomics. [`UnlockedReadStats`]: torn read,
//! the reader does not lock. [`StripeByStripeStats`]: inconsistent cut, the stripes are locked one after the other.
//! [`LateResetStats`]: lost sample, `take` unlocks between reading and resetting.
//!
//! **Why it holds.** A reader locks all stripes before it reads the first one. `take` exchanges their contents
//! while it holds all locks.
//!
//! **Scope.** Explored completely, for two or three threads with one to three operations each, on one or two
//! stripes. Samples recorded by a handle are in `stats_handles.rs`; the arithmetic is tested in `tests/stats.rs`.

use selvedge::Stats;
use selvedge::stats::Snapshot;
use selvedge_model::Model;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use specimens::racy::{LateResetStats, StripeByStripeStats, TornStats, UnlockedReadStats};

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// The sample is counted and not yet in the sum.
#[test]
fn count_and_sum_in_two_atomics_are_torn() {
    Model::new(TornStats::new)
        .thread("writer", |stats| stats.record(5))
        .thread("reader", TornStats::snapshot)
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 5)", "read last")
        .interesting("reader=(1, 0)", "counted, and not yet summed up")
        .interesting("reader=(0, 5)", "the count was read before the sample, the sum after it")
        .check();
}

/// The writer locks, the reader does not.
#[test]
fn read_without_the_lock_is_torn() {
    Model::new(UnlockedReadStats::new)
        .thread("writer", |stats| stats.record(5))
        .thread("reader", UnlockedReadStats::snapshot)
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 5)", "read last")
        .interesting("reader=(1, 0)", "the writer's lock does not exclude the reader")
        .interesting("reader=(0, 5)", "the count was read before the sample, the sum after it")
        .check();
}

/// Bob records 10 after he has seen that alice recorded 1. A thread's stripe follows from its number: declared in
/// this order, alice has the stripe that a reader locks first.
#[test]
fn snapshot_stripe_by_stripe_is_an_inconsistent_cut() {
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

/// A sample between the read and the reset is neither taken nor left.
#[test]
fn reset_after_unlocking_loses_a_sample() {
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
// Sound.
// ---------------------------------------------------------------------------------------------

/// Few buckets, which take less time to copy.
fn stats(stripes: usize) -> Stats {
    Stats::with_stripes_and_precision(stripes, 0).expect("1 or 2 stripes of precision 0")
}

/// All that must belong to one moment: count, sum, minimum, maximum, and the sum of the buckets.
fn all(snapshot: &Snapshot) -> (u64, u128, Option<u64>, Option<u64>, u64) {
    let in_buckets = snapshot.buckets().map(|bucket| bucket.count).sum();
    (snapshot.count(), snapshot.sum(), snapshot.min(), snapshot.max(), in_buckets)
}

/// A sample is seen whole or not at all.
#[test]
fn snapshot_has_whole_samples() {
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

/// Three threads share one stripe.
#[test]
fn shared_stripe_keeps_every_sample() {
    Model::new(|| stats(1))
        .thread("alice", |stats| stats.record(1))
        .thread("bob", |stats| stats.record(10))
        .thread("carol", |stats| stats.record(100))
        .finally("end", |stats| all(&stats.snapshot()))
        .acceptable("end=(3, 111, Some(1), Some(100), 3)", "all three were recorded")
        .check();
}

/// As `snapshot_stripe_by_stripe_is_an_inconsistent_cut`, on the sound type.
#[test]
fn snapshot_is_a_consistent_cut() {
    Model::new(|| (stats(2), AtomicU64::new(0)))
        .thread("bob", |(stats, told)| {
            if told.load(Acquire) == 1 {
                stats.record(10);
            }
        })
        .thread("alice", |(stats, told)| {
            stats.record(1);
            told.store(1, Release);
        })
        .thread("reader", |(stats, _)| stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read between the two samples, or bob was not told")
        .acceptable("reader=11", "read last")
        .forbidden("reader=10", "the sample that caused bob's is missing")
        .check();
}

/// Two snapshots of one thread do not go backwards.
#[test]
fn later_snapshot_has_no_fewer_samples() {
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

/// Two readers agree on which sample was first.
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

/// Each sample is taken or left, and not both.
#[test]
fn take_returns_each_sample_once() {
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

/// `take` empties all stripes at one moment.
#[test]
fn snapshot_beside_a_take_is_atomic() {
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

/// Each sample is returned by one of two takes.
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
