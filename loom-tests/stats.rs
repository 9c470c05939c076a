//! # Do count, sum and histogram belong together?
//!
//! **Answer.** In a snapshot of [`Stats`], yes: all of it is of one moment, and no sample is in it
//! without what caused it. Where count and sum are two atomics, or the parts are read one after the
//! other, no.
//!
//! **Why the racy twins fail.** [`TornStats`] counts in one step and sums up in the next: a reader in
//! between finds a mean that never was. [`UnlockedReadStats`] has its writers lock, and its reader
//! not: the same. [`RelaxedLogStats`] says that there is a sample before it can be seen.
//! [`StripeByStripeStats`] locks every stripe, but one after the other, and [`OneLookStats`] looks at
//! every cell, but once: by the time it comes to the second, the first has moved on, and the sample
//! that caused what is found there is missing. [`LateResetStats`] reads and resets under a lock, lets
//! go of it in between, and loses what is recorded then.
//!
//! **Why the sound one holds.** A reader of [`Stats`] locks all stripes and reads only then, so that
//! the stripes stand still. The log of a [`StatsHandle`] takes no lock; its length only grows, and the
//! reader looks at all lengths until two looks agree: between those two they stood still as well.
//! `take` exchanges what is in the stripes while it holds all the locks.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads and the operations shown, with one or two stripes and logs that are full with two
//! samples (128 outside models). The arithmetic is tested in `tests/stats.rs`.

use selvedge::model::Model;
use selvedge::racy::{
    LateResetStats, OneLookStats, RelaxedLogStats, StripeByStripeStats, TornStats,
    UnlockedReadStats,
};
use selvedge::stats::Snapshot;
use selvedge::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge::sync::{Mutex, PoisonError};
use selvedge::{Stats, StatsHandle};

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

/// Weak memory: the length may arrive before the sample that it counts.
#[test]
fn a_relaxed_length_counts_a_sample_that_cannot_be_seen() {
    Model::new(RelaxedLogStats::new)
        .thread("writer", |stats| stats.record(5))
        .thread("reader", RelaxedLogStats::snapshot)
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 5)", "read last")
        .interesting("reader=(1, 0)", "the length is new, the sample is not")
        .check();
}

/// Alice records 1 and tells bob; bob, told, records 10.
#[test]
fn a_snapshot_stripe_by_stripe_shows_an_effect_without_its_cause() {
    Model::new(|| (StripeByStripeStats::new(), AtomicU64::new(0)))
        .thread("alice", |(stats, told)| {
            stats.record(1);
            told.fetch_add(1, Relaxed);
        })
        .thread("bob", |(stats, told)| {
            if told.fetch_add(0, Relaxed) == 1 {
                stats.record(10);
            }
        })
        .thread("reader", |(stats, _)| stats.snapshot())
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 1)", "read between the two samples, or bob was not told")
        .acceptable("reader=(2, 11)", "read last")
        .interesting("reader=(1, 10)", "alice's stripe was read before her sample, bob's after his")
        .check();
}

/// The same with cells that their owners write without a lock.
#[test]
fn one_look_at_every_cell_shows_an_effect_without_its_cause() {
    Model::new(|| (OneLookStats::new(), AtomicU64::new(0)))
        .thread("alice", |(stats, told)| {
            stats.record(0, 1);
            told.store(1, Release);
        })
        .thread("bob", |(stats, told)| {
            if told.load(Acquire) == 1 {
                stats.record(1, 10);
            }
        })
        .thread("reader", |(stats, _)| stats.snapshot())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read between the two samples, or bob was not told")
        .acceptable("reader=11", "read last")
        .interesting("reader=10", "alice's cell was read before her sample, bob's after his")
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
// Sound: stripes.
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

/// What [`StripeByStripeStats`] gets wrong.
#[test]
fn a_snapshot_never_shows_an_effect_without_its_cause() {
    Model::new(|| (stats(2), AtomicU64::new(0)))
        .thread("alice", |(stats, told)| {
            stats.record(1);
            told.fetch_add(1, Relaxed);
        })
        .thread("bob", |(stats, told)| {
            if told.fetch_add(0, Relaxed) == 1 {
                stats.record(10);
            }
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

// ---------------------------------------------------------------------------------------------
// Sound: handles.
// ---------------------------------------------------------------------------------------------

/// `Stats` and a handle for each of `N` threads, opened before they start.
struct Handled<const N: usize> {
    stats: Stats,
    handles: [Mutex<Option<StatsHandle>>; N],
    told: AtomicU64,
}

impl<const N: usize> Handled<N> {
    fn new(stripes: usize) -> Self {
        let stats = stats(stripes);
        let handles = [(); N].map(|()| Mutex::new(Some(stats.handle())));
        Self { stats, handles, told: AtomicU64::new(0) }
    }

    /// Gives a handle away.
    fn handle(&self, which: usize) -> StatsHandle {
        let mut handle = self.handles[which].lock().unwrap_or_else(PoisonError::into_inner);
        handle.take().expect("a handle is given away once")
    }
}

/// Who knows how many samples there are can also see them.
#[test]
fn a_snapshot_has_all_of_a_sample_by_a_handle_or_nothing() {
    Model::new(|| Handled::<1>::new(1))
        .thread("owner", |all| all.handle(0).record(5))
        .thread("reader", |shared| all(&shared.stats.snapshot()))
        .acceptable("reader=(0, 0, None, None, 0)", "read first")
        .acceptable("reader=(1, 5, Some(5), Some(5), 1)", "read last")
        .check();
}

/// Three samples in a log for two: the third has to wait for room, and the reader may come at any
/// time, also while the owner makes it.
#[test]
fn a_log_that_runs_full_loses_nothing() {
    Model::new(|| Handled::<1>::new(1))
        .thread("owner", |all| {
            let mut mine = all.handle(0);
            mine.record(1);
            mine.record(10);
            mine.record(100);
        })
        .thread("reader", |all| all.stats.snapshot().sum())
        .finally("end", |all| all.stats.snapshot().sum())
        .acceptable("reader=0 end=111", "read first")
        .acceptable("reader=1 end=111", "after one sample")
        .acceptable("reader=11 end=111", "after two")
        .acceptable("reader=111 end=111", "after all")
        .check();
}

/// What a take has found in a log is not found there again, nor by the owner when it makes room.
#[test]
fn a_take_from_a_log_neither_loses_nor_doubles_a_sample() {
    Model::new(|| Handled::<1>::new(1))
        .thread("owner", |all| {
            let mut mine = all.handle(0);
            mine.record(1);
            mine.record(10);
            mine.record(100);
        })
        .thread("reader", |all| all.stats.take().sum())
        .finally("rest", |all| all.stats.take().sum())
        .acceptable("reader=0 rest=111", "taken first")
        .acceptable("reader=1 rest=110", "after one sample")
        .acceptable("reader=11 rest=100", "after two")
        .acceptable("reader=111 rest=0", "after all")
        .check();
}

/// What [`OneLookStats`] gets wrong: handles, on one stripe or on two.
fn effect_and_cause_by_handles(stripes: usize) {
    Model::new(move || Handled::<2>::new(stripes))
        .thread("alice", |all| {
            // Kept open: what a handle has recorded before it is dropped is under a lock.
            let mut mine = all.handle(0);
            mine.record(1);
            all.told.store(1, Release);
        })
        .thread("bob", |all| {
            let mut mine = all.handle(1);
            if all.told.load(Acquire) == 1 {
                mine.record(10);
            }
        })
        .thread("reader", |all| all.stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read between the two samples, or bob was not told")
        .acceptable("reader=11", "read last")
        .forbidden("reader=10", "the sample that caused bob's is missing")
        .check();
}

#[test]
fn handles_never_show_an_effect_without_its_cause() {
    effect_and_cause_by_handles(1);
}

#[test]
fn handles_on_two_stripes_never_show_an_effect_without_its_cause() {
    effect_and_cause_by_handles(2);
}

/// Alice's log is full when she records what bob is told of.
#[test]
fn a_log_that_runs_full_never_shows_an_effect_without_its_cause() {
    Model::new(|| Handled::<2>::new(2))
        .thread("alice", |all| {
            let mut mine = all.handle(0);
            mine.record(1);
            mine.record(1);
            mine.record(1);
            all.told.store(1, Release);
        })
        .thread("bob", |all| {
            let mut mine = all.handle(1);
            if all.told.load(Acquire) == 1 {
                mine.record(10);
            }
        })
        .thread("reader", |all| all.stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read after one of alice's samples")
        .acceptable("reader=2", "read after two")
        .acceptable("reader=3", "read before bob's sample, or bob was not told")
        .acceptable("reader=13", "read last")
        .check();
}

/// Two handles, and somebody takes while both record.
#[test]
fn a_take_from_two_logs_neither_loses_nor_doubles_a_sample() {
    Model::new(|| Handled::<2>::new(1))
        .thread("alice", |all| all.handle(0).record(1))
        .thread("bob", |all| all.handle(1).record(10))
        .thread("reader", |all| all.stats.take().sum())
        .finally("rest", |all| all.stats.take().sum())
        .acceptable("reader=0 rest=11", "taken first")
        .acceptable("reader=1 rest=10", "alice was there")
        .acceptable("reader=10 rest=1", "bob was there")
        .acceptable("reader=11 rest=0", "taken last")
        .check();
}

/// Alice records by a handle, bob under a lock.
#[test]
fn a_cause_in_a_log_is_seen_with_its_effect_in_a_stripe() {
    Model::new(|| Handled::<1>::new(1))
        .thread("alice", |all| {
            let mut mine = all.handle(0);
            mine.record(1);
            all.told.store(1, Release);
        })
        .thread("bob", |all| {
            if all.told.load(Acquire) == 1 {
                all.stats.record(10);
            }
        })
        .thread("reader", |all| all.stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read between the two samples, or bob was not told")
        .acceptable("reader=11", "read last")
        .forbidden("reader=10", "the sample that caused bob's is missing")
        .check();
}

/// Alice records under a lock, bob by a handle.
#[test]
fn a_cause_in_a_stripe_is_seen_with_its_effect_in_a_log() {
    Model::new(|| Handled::<1>::new(1))
        .thread("alice", |all| {
            all.stats.record(1);
            all.told.store(1, Release);
        })
        .thread("bob", |all| {
            let mut mine = all.handle(0);
            if all.told.load(Acquire) == 1 {
                mine.record(10);
            }
        })
        .thread("reader", |all| all.stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read between the two samples, or bob was not told")
        .acceptable("reader=11", "read last")
        .forbidden("reader=10", "the sample that caused bob's is missing")
        .check();
}

/// Two snapshots in a row, of a log that grows.
#[test]
fn a_later_snapshot_never_has_less_of_a_log() {
    Model::new(|| Handled::<1>::new(1))
        .thread("owner", |all| {
            let mut mine = all.handle(0);
            mine.record(1);
            mine.record(10);
        })
        .thread("reader", |all| (all.stats.snapshot().sum(), all.stats.snapshot().sum()))
        .acceptable("reader=(0, 0)", "both first")
        .acceptable("reader=(0, 1)", "one sample in between")
        .acceptable("reader=(0, 11)", "both samples in between")
        .acceptable("reader=(1, 1)", "one sample before, one after")
        .acceptable("reader=(1, 11)", "one sample before, one in between")
        .acceptable("reader=(11, 11)", "both last")
        .check();
}

/// A handle is dropped while somebody takes: what it recorded is taken, or left.
#[test]
fn dropping_a_handle_while_others_take_loses_nothing() {
    Model::new(|| Handled::<1>::new(1))
        .thread("owner", |all| all.handle(0).record(5))
        .thread("reader", |all| all.stats.take().count())
        .finally("rest", |all| all.stats.take().count())
        .acceptable("reader=0 rest=1", "taken before the sample")
        .acceptable("reader=1 rest=0", "taken after it, before the drop or after")
        .check();
}

/// A log passes from one handle to the next, which goes on where the last one stopped.
#[test]
fn a_log_that_is_used_again_loses_nothing() {
    Model::new(|| stats(1))
        .thread("alice", |stats| stats.handle().record(1))
        .thread("bob", |stats| stats.handle().record(10))
        .finally("end", |stats| stats.snapshot().sum())
        .acceptable("end=11", "with one log or with two, both were recorded")
        .check();
}

/// A handle that is opened during a snapshot is in it from its first sample on, or not at all.
#[test]
fn a_handle_opened_during_a_snapshot_is_not_overlooked() {
    Model::new(|| (stats(1), AtomicU64::new(0)))
        .thread("owner", |(stats, told)| {
            stats.handle().record(5);
            told.store(1, Release);
        })
        .thread("reader", |(stats, told)| {
            let told = told.load(Acquire);
            (told, stats.snapshot().sum())
        })
        .acceptable("reader=(0, 0)", "read before the sample")
        .acceptable("reader=(0, 5)", "read after the sample")
        .acceptable("reader=(1, 5)", "told of the sample, and it is there")
        .forbidden("reader=(1, 0)", "recorded before the call, and not in the snapshot")
        .check();
}

/// A handle may outlive its `Stats`: it owns all it needs.
#[test]
fn a_handle_may_outlive_its_stats() {
    Model::new(|| {
        let stats = stats(1);
        let handle = stats.handle();
        (Mutex::new(Some(stats)), Mutex::new(Some(handle)))
    })
    .thread("owner", |(_, handle)| {
        let mine = handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut mine) = mine {
            mine.record(5);
        }
    })
    .thread("dropper", |(stats, _)| {
        drop(stats.lock().unwrap_or_else(PoisonError::into_inner).take());
    })
    .acceptable("()", "nothing is used after it is freed, nothing leaks")
    .check();
}
