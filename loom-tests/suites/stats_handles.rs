//! # Can a sample be recorded without a lock?
//!
//! **Answer.** By a [`StatsHandle`], yes, but for one in 128: a snapshot is of one moment all the same, and a
//! take returns each sample once. Where the length of a log says more than can be seen, or where each log
//! is looked at once, no.
//!
//! **Why the racy twins fail.** [`RelaxedLogStats`] says that there is a sample before it can be seen.
//! [`OneLookStats`] looks at every cell, but once: by the time it comes to the second, the first has moved
//! on, and the sample that caused what is found there is missing.
//!
//! **Why the sound one holds.** A handle writes a sample to its log and then stores the log's length with
//! `Release`: who loads that with `Acquire` sees the samples that it counts. The length only grows, and the
//! reader looks at all lengths until two looks agree: between those two they all stood still. Meanwhile it
//! holds the locks of all stripes, so nobody records under a lock, opens or drops a handle, or makes room in
//! a log.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads and the operations shown, with one or two stripes and logs that are full with two
//! samples (128 outside models). What is recorded under a lock has a page of its own, `stats.rs`.

use selvedge::{Stats, StatsHandle};
use selvedge_model::Model;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use selvedge_model::sync::{Mutex, PoisonError};
use specimens::racy::{OneLookStats, RelaxedLogStats};

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// Few buckets: what is behind a lock costs a model no executions, but still time.
fn stats(stripes: usize) -> Stats {
    Stats::with_stripes_and_precision(stripes, 0).expect("1 or 2 stripes of precision 0")
}

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
        .thread("reader", |all| {
            let snapshot = all.stats.snapshot();
            let in_buckets: u64 = snapshot.buckets().map(|bucket| bucket.count).sum();
            (snapshot.count(), snapshot.sum(), snapshot.min(), snapshot.max(), in_buckets)
        })
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
