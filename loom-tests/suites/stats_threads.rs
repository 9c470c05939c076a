//! # `Stats::record`: a log for each thread
//!
//! Proved of [`Stats`]: the guarantees of `stats.rs` hold for samples that threads record in logs of their own, beyond a
//! full log, beyond the end of a thread, in two `Stats`, and while thread-local values are destroyed. Nothing leaks.
//!
//! **Racy variants.** None of its own: it records as a `StatsHandle` does. Those are in `stats_handles.rs`. What breaks
//! when a log passes to the next thread without a lock is in `lab/sabotage.toml`.
//!
//! **Why it holds.** A thread has a number that no other living thread has, and in each `Stats` the log at that number.
//! The number passes to the next thread under a mutex, so the next one knows how long the log is. Only the owner of the
//! number writes the log. Readers find it at its stripe, where it was registered under the lock of the stripe.
//!
//! **Scope.** Explored completely, for two or three threads, of which two have a number (256 outside of models), and logs
//! that are full with two samples.

use std::cell::RefCell;

use selvedge::Stats;
use selvedge_model::Model;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Arc, Mutex, PoisonError, thread, thread_local};

/// Few buckets, which take less time to copy.
fn stats(stripes: usize) -> Stats {
    Stats::with_stripes_and_precision(stripes, 0).expect("1 or 2 stripes of precision 0")
}

/// Three samples in a log for two: the thread empties the log while a reader may run.
#[test]
fn full_log_of_a_thread_loses_no_sample() {
    Model::new(|| stats(1))
        .thread("writer", |stats| {
            stats.record(1);
            stats.record(10);
            stats.record(100);
        })
        .thread("taker", |stats| stats.take().sum())
        .finally("rest", |stats| stats.take().sum())
        .acceptable("taker=0 rest=111", "taken first")
        .acceptable("taker=1 rest=110", "after one sample")
        .acceptable("taker=11 rest=100", "after two")
        .acceptable("taker=111 rest=0", "after all")
        .check();
}

/// Bob records 10 after he has seen that alice recorded 1. Both have a log before: to make one is under a lock.
#[test]
fn snapshot_of_two_threads_is_a_consistent_cut() {
    Model::new(|| (stats(2), AtomicU64::new(0)))
        .thread("alice", |(stats, told)| {
            stats.record(1);
            told.store(1, Release);
        })
        .thread("bob", |(stats, told)| {
            stats.record(100);
            if told.load(Acquire) == 1 {
                stats.record(10);
            }
        })
        .thread("reader", |(stats, _)| stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "alice was first")
        .acceptable("reader=100", "bob was first")
        .acceptable("reader=101", "read before bob's second sample, or bob was not told")
        .acceptable("reader=111", "read last")
        .forbidden("reader=110", "the sample that caused bob's is missing")
        .check();
}

/// Alice's log is full before the sample that bob waits for.
#[test]
fn snapshot_beside_a_full_log_of_a_thread_is_a_consistent_cut() {
    Model::new(|| (stats(2), AtomicU64::new(0)))
        .thread("alice", |(stats, told)| {
            stats.record(1);
            stats.record(1);
            stats.record(1);
            told.store(1, Release);
        })
        .thread("bob", |(stats, told)| {
            if told.load(Acquire) == 1 {
                stats.record(10);
            }
        })
        .thread("reader", |(stats, _)| stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read after one of alice's samples")
        .acceptable("reader=2", "read after two")
        .acceptable("reader=3", "read before bob's sample, or bob was not told")
        .acceptable("reader=13", "read last")
        .check();
}

/// `Relaxed` does not order the samples of two logs, as the documentation says.
#[test]
fn relaxed_flag_does_not_put_the_cause_before_its_effect() {
    Model::new(|| (stats(2), AtomicU64::new(0)))
        .thread("bob", |(stats, told)| {
            if told.load(Relaxed) == 1 {
                stats.record(10);
            }
        })
        .thread("alice", |(stats, told)| {
            stats.record(1);
            told.store(1, Relaxed);
        })
        .thread("reader", |(stats, _)| stats.snapshot().sum())
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read between the two samples, or bob was not told")
        .acceptable("reader=11", "read last")
        .interesting(
            "reader=10",
            "bob read the flag, but alice's sample does not happen before his",
        )
        .check();
}

/// More threads than numbers: one of them records under the lock of its stripe.
#[test]
fn thread_without_a_number_loses_no_sample() {
    Model::new(|| stats(1))
        .thread("alice", |stats| stats.record(1))
        .thread("bob", |stats| stats.record(10))
        .thread("carol", |stats| stats.record(100))
        .finally("end", |stats| stats.take().sum())
        .acceptable("end=111", "all three were recorded")
        .check();
}

/// Alice ends with a full log, while bob may go on with it and a reader takes.
#[test]
fn log_of_a_thread_that_ends_loses_no_sample() {
    Model::new(|| stats(1))
        .thread("alice", |stats| {
            stats.record(1);
            stats.record(10);
        })
        .thread("bob", |stats| stats.record(100))
        .thread("taker", |stats| stats.take().sum())
        .finally("rest", |stats| stats.take().sum())
        .acceptable("taker=0 rest=111", "taken first")
        .acceptable("taker=1 rest=110", "after one of alice's samples")
        .acceptable("taker=11 rest=100", "after both")
        .acceptable("taker=100 rest=11", "bob was first")
        .acceptable("taker=101 rest=10", "after one of each")
        .acceptable("taker=111 rest=0", "taken last")
        .check();
}

/// A thread that was joined: the next one goes on with its number and its log.
#[test]
fn log_passes_from_thread_to_thread() {
    Model::new(|| Arc::new(stats(1)))
        .thread("parent", |stats: &Arc<Stats>| {
            for sample in [1, 10, 100] {
                let theirs = Arc::clone(stats);
                thread::spawn(move || theirs.record(sample)).join().expect("it records");
            }
        })
        .thread("taker", |stats| stats.take().sum())
        .finally("rest", |stats| stats.take().sum())
        .acceptable("taker=0 rest=111", "taken first")
        .acceptable("taker=1 rest=110", "after one sample")
        .acceptable("taker=11 rest=100", "after two")
        .acceptable("taker=111 rest=0", "after all")
        .check();
}

/// A thread has a log in each.
#[test]
fn two_stats_in_one_thread_are_kept_apart() {
    Model::new(|| (stats(1), stats(1)))
        .thread("alice", |(left, right)| {
            left.record(1);
            right.record(10);
        })
        .thread("bob", |(left, right)| {
            right.record(100);
            left.record(1_000);
        })
        .finally("both", |(left, right)| (left.take().sum(), right.take().sum()))
        .acceptable("both=(1001, 110)", "each has its own samples")
        .check();
}

/// An effect in one `Stats`, its cause in another. The writer has a log in both before: to make one is under a lock.
#[test]
fn cause_in_another_stats_is_seen() {
    Model::new(|| (stats(1), stats(1)))
        .thread("writer", |(causes, effects)| {
            causes.record(0);
            effects.record(0);
            causes.record(1);
            effects.record(1);
        })
        .thread("reader", |(causes, effects)| {
            let effects = effects.snapshot().sum();
            (effects, causes.snapshot().sum())
        })
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(0, 1)", "read in between")
        .acceptable("reader=(1, 1)", "read last")
        .forbidden("reader=(1, 0)", "the effect without its cause")
        .check();
}

/// A `Stats` is dropped while threads live that have a log in it. They record in another one afterwards.
#[test]
fn stats_dropped_before_its_threads_is_freed() {
    Model::new(|| (Mutex::new(Some(Arc::new(stats(1)))), stats(1)))
        .thread("writer", |(shared, other)| {
            let stats = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(stats) = stats {
                stats.record(1);
            }
            other.record(5);
        })
        .thread("dropper", |(shared, other)| {
            let stats = shared.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(stats) = stats {
                stats.record(1);
            }
            other.record(7);
        })
        .finally("other", |(_, other)| other.snapshot().sum())
        .acceptable("other=12", "nothing is used after it is freed, nothing leaks")
        .check();
}

/// Records when its thread ends.
struct Farewell(RefCell<Option<Arc<Stats>>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(stats) = self.0.take() {
            stats.record(10);
        }
    }
}

thread_local! {
    static FAREWELL: Farewell = const { Farewell(RefCell::new(None)) };
}

/// The thread has lost its number and its log when it records for the last time. A third thread may have both then.
/// It is joined, so it has ended when `finally` runs, on real threads too.
#[test]
fn record_after_the_number_was_returned_is_counted() {
    Model::new(|| (Arc::new(stats(1)), AtomicU64::new(0)))
        .thread("parent", |(stats, _): &(Arc<Stats>, AtomicU64)| {
            let stats = Arc::clone(stats);
            let writer = thread::spawn(move || {
                // Older than the number, and so destroyed after it.
                FAREWELL.with(|farewell| *farewell.0.borrow_mut() = Some(Arc::clone(&stats)));
                stats.record(1);
            });
            writer.join().expect("it records");
        })
        .thread("other", |(stats, told)| {
            stats.record(100);
            told.fetch_add(1, AcqRel);
        })
        .thread("taker", |(stats, told)| {
            let told = told.load(Acquire);
            (told, stats.take().sum())
        })
        .finally("rest", |(stats, _)| stats.take().sum())
        .acceptable("taker=(0, 0) rest=111", "taken first")
        .acceptable("taker=(0, 1) rest=110", "after one sample")
        .acceptable("taker=(0, 11) rest=100", "before the other's")
        .acceptable("taker=(0, 100) rest=11", "after the other's")
        .acceptable("taker=(0, 101) rest=10", "before the last")
        .acceptable("taker=(0, 111) rest=0", "taken last")
        .acceptable("taker=(1, 100) rest=11", "after the other's")
        .acceptable("taker=(1, 101) rest=10", "before the last")
        .acceptable("taker=(1, 111) rest=0", "taken last")
        .check();
}
