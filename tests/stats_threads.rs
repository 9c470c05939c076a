//! `Stats` and time, and `Stats` on real threads.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use selvedge::stats::{DEFAULT_PRECISION, Snapshot};
use selvedge::{Stats, StatsHandle};

use crate::stats_helpers::{compare_buckets, with};

// ---------------------------------------------------------------------------------------------
// Time.
// ---------------------------------------------------------------------------------------------

#[test]
fn durations_are_recorded_in_nanoseconds() {
    const PAUSE: Duration = Duration::from_millis(2);
    let stats = Stats::new();
    assert_eq!(stats.time(|| thread::sleep(PAUSE)), ());
    assert_eq!(stats.handle().time(|| 7), 7, "what the closure returns is returned");
    let elapsed = {
        let timer = stats.timer();
        thread::sleep(PAUSE);
        timer.stop()
    };
    drop(stats.timer());
    stats.timer().discard();
    let snapshot = stats.snapshot();
    assert_eq!(snapshot.count(), 4, "all but the one that was discarded");
    let pause = u64::try_from(PAUSE.as_nanos()).expect("two milliseconds");
    assert!(snapshot.count_between(pause..) >= 2, "{snapshot}");
    let elapsed = u64::try_from(elapsed.as_nanos()).expect("a few milliseconds");
    assert!(snapshot.count_between(elapsed..=elapsed) >= 1, "what was returned was recorded");
}

#[test]
fn a_closure_that_panics_is_timed_too() {
    let stats = Stats::new();
    let mut handle = stats.handle();
    for _ in 0..2 {
        assert!(catch_unwind(AssertUnwindSafe(|| stats.time(|| panic!("on purpose")))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| handle.time(|| panic!("on purpose")))).is_err());
    }
    assert_eq!(stats.snapshot().count(), 4);
}

// ---------------------------------------------------------------------------------------------
// On real threads.
// ---------------------------------------------------------------------------------------------

/// More threads than stripes, by both ways of recording, while somebody takes.
#[test]
fn threads_lose_nothing() {
    const THREADS: u64 = 8;
    const SAMPLES: u64 = 5_000;
    for stripes in [1, 2, 64] {
        let stats = with(stripes, DEFAULT_PRECISION);
        let mut all = thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (1..=SAMPLES).for_each(|value| stats.record(value)));
                scope.spawn(|| {
                    let mut mine = stats.handle();
                    (1..=SAMPLES).for_each(|value| mine.record(value));
                });
            }
            let taker = scope.spawn(|| {
                let mut all = Snapshot::default();
                for _ in 0..200 {
                    all.merge(&stats.take()).expect("the same precision");
                }
                all
            });
            taker.join().expect("a take does not panic")
        });
        all.merge(&stats.take()).expect("the same precision");
        let samples: Vec<u64> =
            (1..=SAMPLES).flat_map(|value| std::iter::repeat_n(value, 16)).collect();
        assert_eq!(all.count(), 2 * THREADS * SAMPLES, "with {stripes} stripes");
        assert_eq!(all.sum(), samples.iter().copied().map(u128::from).sum());
        assert_eq!((all.min(), all.max()), (Some(1), Some(SAMPLES)));
        compare_buckets(&all, &samples);
        assert!(stats.snapshot().is_empty(), "all was taken");
    }
}

/// All samples are alike, so whatever a snapshot holds must fit together.
#[test]
fn snapshots_are_never_torn_and_never_go_backwards() {
    let stats = with(2, DEFAULT_PRECISION);
    let last = thread::scope(|scope| {
        let writers = [(); 4].map(|()| {
            scope.spawn(|| {
                let mut mine = stats.handle();
                for _ in 0..20_000 {
                    mine.record(7);
                    stats.record(7);
                }
            })
        });
        let mut last = 0;
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let now = stats.snapshot();
            assert_eq!(now.sum(), 7 * u128::from(now.count()), "count and sum are of one moment");
            assert_eq!(now.count_between(7..=7), now.count(), "and so are the buckets");
            assert_eq!(now.variance().unwrap_or(0.0).to_bits(), 0, "and the squares");
            assert!(now.count() >= last, "{} was read after {last}", now.count());
            last = now.count();
        }
        last
    });
    assert!(last <= 160_000);
    assert_eq!(stats.snapshot().count(), 160_000);
}

/// Bob records once for each sample of alice's that he has been told of, never more.
#[test]
fn an_effect_is_never_seen_without_its_cause() {
    let stats = with(2, DEFAULT_PRECISION);
    let (told, done) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut alice = stats.handle();
            for sample in 1..=100_000 {
                alice.record(1);
                told.store(sample, Ordering::Release);
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(|| {
            let mut bob = stats.handle();
            let mut recorded = 0;
            while recorded < 100_000 {
                let due = told.load(Ordering::Acquire);
                for _ in recorded..due {
                    bob.record(2);
                }
                recorded = due;
                thread::yield_now();
            }
        });
        while !done.load(Ordering::Acquire) {
            let now = stats.snapshot();
            let (causes, effects) = (now.count_between(1..=1), now.count_between(2..=2));
            assert!(effects <= causes, "{effects} effects of {causes} causes");
        }
    });
    assert_eq!(stats.snapshot().count(), 200_000);
}

/// Thousands of threads, one after the other, each with a handle: logs are used again.
#[test]
fn logs_are_used_again() {
    let stats = with(1, DEFAULT_PRECISION);
    for round in 1..=500 {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut mine = stats.handle();
                    (0..3).for_each(|value| mine.record(value));
                });
            }
        });
        assert_eq!(stats.snapshot().count(), 6 * round);
    }
}

/// The same without handles: a log passes to the next thread with what is left in it.
#[test]
fn logs_of_threads_are_used_again() {
    let stats = with(1, DEFAULT_PRECISION);
    for round in 1..=500 {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..3).for_each(|value| stats.record(value)));
            }
        });
        assert_eq!(stats.snapshot().count(), 6 * round);
    }
}

/// Some of them have no log, and lock their stripe.
#[test]
fn more_threads_than_logs_lose_nothing() {
    const THREADS: usize = 300;
    const SAMPLES: u64 = 300;
    let stats = with(4, DEFAULT_PRECISION);
    let all_alive = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                stats.record(1);
                all_alive.wait();
                (1..SAMPLES).for_each(|_| stats.record(1));
            });
        }
    });
    let all = stats.take();
    assert_eq!((all.count(), all.sum()), (300 * SAMPLES, 300 * u128::from(SAMPLES)));
}

/// Resident memory in bytes, where the system says so.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok()? * 1024)
}

/// Two threads go on while thousands of `Stats` in which they have recorded are dropped.
#[test]
fn a_stats_that_is_dropped_before_its_threads_is_freed() {
    const ROUNDS: usize = 20_000;
    // A `Stats` takes more than 30 KiB.
    const FREED: usize = ROUNDS * 30 * 1024;
    let before = resident();
    let (sender, receiver) = mpsc::channel::<Stats>();
    let other = thread::spawn(move || receiver.into_iter().for_each(|stats| stats.record(1)));
    for _ in 0..ROUNDS {
        let stats = with(1, DEFAULT_PRECISION);
        stats.record(1);
        sender.send(stats).expect("the other thread receives until the end");
    }
    drop(sender);
    other.join().expect("recording does not panic");
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after.saturating_sub(before) < FREED / 2, "{before} bytes have become {after}");
    }
}

#[test]
fn a_handle_moves_to_another_thread_and_outlives_its_stats() {
    let stats = Stats::new();
    let mut handle = stats.handle();
    handle.record(1);
    assert_eq!(stats.snapshot().count(), 1);
    drop(stats);
    thread::spawn(move || (0..1_000).for_each(|value| handle.record(value)))
        .join()
        .expect("recording does not panic");
}

/// What a handle recorded that was never dropped stays recorded.
#[test]
fn a_handle_that_is_forgotten_loses_nothing() {
    let stats = Stats::new();
    let mut handle = stats.handle();
    handle.record(1);
    std::mem::forget(handle);
    assert_eq!(stats.take().count(), 1);
    assert_eq!(stats.take().count(), 0);
}

/// A handle may be opened in one thread, used in a second, and dropped in a third.
#[test]
fn a_handle_passes_from_thread_to_thread() {
    let stats = with(2, DEFAULT_PRECISION);
    let mut handle = stats.handle();
    for round in 1..=300 {
        handle = thread::scope(|scope| {
            let use_it = move || {
                handle.record(round);
                handle
            };
            scope.spawn(use_it).join().expect("recording does not panic")
        });
        assert_eq!(stats.snapshot().count(), round, "what was recorded elsewhere is seen here");
    }
    thread::scope(|scope| {
        scope.spawn(move || drop(handle));
    });
    let all = stats.take();
    assert_eq!((all.count(), all.sum()), (300, 45_150));
}

/// What thread-local values record when they are dropped, at the end of their thread, is recorded.
#[test]
fn the_end_of_a_thread_can_be_recorded() {
    #[derive(Default)]
    struct Farewell(RefCell<Option<(Arc<Stats>, StatsHandle)>>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            if let Some((stats, mut handle)) = self.0.take() {
                handle.record(1);
                stats.record(2);
                stats.time(|| stats.handle().record(3));
            }
        }
    }
    thread_local! {
        static FAREWELL: Farewell = Farewell::default();
    }
    let stats = Arc::new(with(2, DEFAULT_PRECISION));
    for round in 1..=4 {
        let theirs = Arc::clone(&stats);
        let thread = thread::spawn(move || {
            // The number that chooses its stripe is older than the farewell, or younger.
            if round % 2 == 0 {
                theirs.record(0);
            }
            let errand = (Arc::clone(&theirs), theirs.handle());
            FAREWELL.with(|farewell| *farewell.0.borrow_mut() = Some(errand));
            if round % 2 == 1 {
                theirs.record(0);
            }
        });
        thread.join().expect("it ends well");
        let all = stats.snapshot();
        assert_eq!(all.count(), 5 * round);
        assert_eq!(all.count_between(3..=3), round, "the handle opened at the end, too");
    }
}

/// Nothing is locked while a closure is timed.
#[test]
fn what_is_timed_may_use_the_same_stats() {
    let stats = with(1, DEFAULT_PRECISION);
    let mut handle = stats.handle();
    let seen = handle.time(|| {
        stats.record(1);
        stats.time(|| stats.handle().record(1));
        stats.take().count()
    });
    assert_eq!(seen, 3, "the handle's own time is still to come");
    assert_eq!(stats.take().count(), 1);
}

/// A timer that is never dropped records nothing, and holds nothing.
#[test]
fn a_timer_that_is_forgotten_records_nothing() {
    let stats = Stats::new();
    std::mem::forget(stats.timer());
    assert!(stats.take().is_empty());
}

/// Handles that are opened and dropped by threads that panic, while others read.
#[test]
fn a_panic_loses_no_sample() {
    let stats = with(2, DEFAULT_PRECISION);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let panics = catch_unwind(AssertUnwindSafe(|| {
                        let mut mine = stats.handle();
                        let _timer = stats.timer();
                        (0..150).for_each(|value| mine.record(value));
                        std::panic::resume_unwind(Box::new("on purpose"));
                    }));
                    assert!(panics.is_err());
                }
            });
        }
        for _ in 0..100 {
            stats.snapshot();
        }
    });
    assert_eq!(stats.take().count(), 8 * 50 * 151);
}
