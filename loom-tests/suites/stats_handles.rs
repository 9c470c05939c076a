//! # `StatsHandle`: recording without a lock
//!
//! Proved of [`StatsHandle`]: the guarantees of `stats.rs` hold for samples that are recorded without a lock; a
//! full log, a dropped handle and a reused log lose nothing.
//!
//! **Racy variants.** [`RelaxedLogStats`]: message passing with a relaxed length, so a reader counts a sample that
//! it cannot see yet. [`OneLookStats`]: inconsistent cut, each cell is read once.
//!
//! **Why it holds.** A handle writes the sample to its log and then stores the log's length with `Release`; a
//! reader that loads it with `Acquire` sees the samples that it counts. The length only grows, and the reader loads
//! all lengths until two passes agree: between those two passes none of them changed. Meanwhile the reader holds
//! the locks of all stripes, so no thread records under a lock, opens or drops a handle, or empties a log.
//!
//! **Scope.** Explored completely, for two or three threads, one or two stripes, and logs that are full with two
//! samples (128 outside of models).

use selvedge::{Stats, StatsHandle};
use selvedge_model::Model;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use selvedge_model::sync::{Mutex, PoisonError};
use specimens::racy::{OneLookStats, RelaxedLogStats};

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// Message passing: the new length is visible before the sample.
#[test]
fn relaxed_length_overtakes_the_sample() {
    Model::new(RelaxedLogStats::new)
        .thread("writer", |stats| stats.record(5))
        .thread("reader", RelaxedLogStats::snapshot)
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 5)", "read last")
        .interesting("reader=(1, 0)", "the length is new, the sample is not")
        .check();
}

/// Bob records 10 after he has seen that alice recorded 1.
#[test]
fn single_scan_is_an_inconsistent_cut() {
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
// Sound.
// ---------------------------------------------------------------------------------------------

/// Few buckets, which take less time to copy.
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

    /// Moves a handle to the calling thread.
    fn handle(&self, which: usize) -> StatsHandle {
        let mut handle = self.handles[which].lock().unwrap_or_else(PoisonError::into_inner);
        handle.take().expect("a handle is given away once")
    }
}

/// A reader of the length sees the samples that it counts.
#[test]
fn snapshot_has_whole_samples_of_a_handle() {
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

/// Three samples in a log for two: the owner empties the log while a reader may run.
#[test]
fn full_log_loses_no_sample() {
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

/// A taken sample is not taken again, and not by the owner when it empties the log.
#[test]
fn take_returns_each_sample_of_a_log_once() {
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

/// As `single_scan_is_an_inconsistent_cut`, on the sound type, with one stripe or two.
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
fn snapshot_of_two_handles_is_a_consistent_cut() {
    effect_and_cause_by_handles(1);
}

#[test]
fn snapshot_of_handles_on_two_stripes_is_a_consistent_cut() {
    effect_and_cause_by_handles(2);
}

/// Alice's log is full before the sample that bob waits for.
#[test]
fn snapshot_beside_a_full_log_is_a_consistent_cut() {
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

/// A take while two handles record.
#[test]
fn take_returns_each_sample_of_two_logs_once() {
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
fn cause_in_a_log_is_seen_with_its_effect_in_a_stripe() {
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
fn cause_in_a_stripe_is_seen_with_its_effect_in_a_log() {
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
fn later_snapshot_has_no_fewer_samples_of_a_log() {
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

/// A handle is dropped beside a take.
#[test]
fn dropped_handle_loses_no_sample() {
    Model::new(|| Handled::<1>::new(1))
        .thread("owner", |all| all.handle(0).record(5))
        .thread("reader", |all| all.stats.take().count())
        .finally("rest", |all| all.stats.take().count())
        .acceptable("reader=0 rest=1", "taken before the sample")
        .acceptable("reader=1 rest=0", "taken after it, before the drop or after")
        .check();
}

/// A log passes from one handle to the next one.
#[test]
fn reused_log_loses_no_sample() {
    Model::new(|| stats(1))
        .thread("alice", |stats| stats.handle().record(1))
        .thread("bob", |stats| stats.handle().record(10))
        .finally("end", |stats| stats.snapshot().sum())
        .acceptable("end=11", "with one log or with two, both were recorded")
        .check();
}

/// A handle is opened beside a snapshot.
#[test]
fn handle_opened_during_a_snapshot_is_not_missed() {
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

/// A handle keeps its log alive.
#[test]
fn handle_outlives_its_stats() {
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
