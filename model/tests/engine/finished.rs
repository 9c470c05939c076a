//! `is_finished`: it looks whether the closure of a thread has returned, and orders nothing.

use std::cell::{Cell, RefCell};

use crate::facade::{explore, explore_with};
use selvedge_model::engine::graph::Config;
use selvedge_model::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, hint, thread};

#[test]
fn a_thread_may_have_finished_or_not() {
    let found = explore(|| {
        let handle = thread::spawn(|| 7);
        let seen = [handle.is_finished(), handle.is_finished()];
        (seen, handle.join().unwrap())
    });
    assert_eq!(found.report.complete, 3);
    assert_eq!(found.all(), [([false, false], 7), ([false, true], 7), ([true, true], 7)]);
}

/// A panic ends a thread too.
#[test]
fn a_loop_until_a_thread_has_finished_ends() {
    for turn in [hint::spin_loop, thread::yield_now] {
        let found = explore(move || {
            let handle = thread::spawn(|| panic!("on purpose"));
            while !handle.is_finished() {
                turn();
            }
            handle.join().is_err()
        });
        assert_eq!(found.report.deadlocks, 0);
        assert_eq!(found.all(), [true]);
    }
}

#[test]
fn a_loop_until_a_thread_has_finished_that_never_does_is_a_livelock() {
    let found = explore(|| {
        let stop = Arc::new(AtomicUsize::new(0));
        let there = stop.clone();
        let handle = thread::spawn(move || hint::wait_until(|| there.load(Relaxed) == 1));
        while !handle.is_finished() {
            hint::spin_loop();
        }
        stop.store(1, Relaxed);
    });
    assert_eq!((found.report.deadlocks, found.report.complete), (1, 0));
}

#[test]
fn a_thread_that_waits_is_not_finished() {
    let found = explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let there = x.clone();
        let handle = thread::spawn(move || {
            while there.load(Relaxed) == 0 {
                hint::spin_loop();
            }
        });
        let early = handle.is_finished();
        x.store(1, Relaxed);
        (early, handle.is_finished(), handle.join().is_ok())
    });
    assert_eq!(found.all(), [(false, false, true), (false, true, true)]);
}

/// What the thread wrote may still be unknown to the one that asks.
#[test]
fn a_thread_that_has_finished_synchronises_nothing() {
    struct Plain(UnsafeCell<u32>);
    // SAFETY: none: the checker finds the race.
    unsafe impl Sync for Plain {}
    for joins in [false, true] {
        let found = explore_with(&Config::default(), move || {
            let plain = Arc::new((Plain(UnsafeCell::new(0)), AtomicUsize::new(0)));
            let there = plain.clone();
            let handle = thread::spawn(move || {
                // SAFETY: none; as above.
                there.0.0.with_mut(|value| unsafe { *value = 1 });
                there.1.store(1, Relaxed);
                std::mem::forget(there);
            });
            while !handle.is_finished() {
                hint::spin_loop();
            }
            let old = plain.1.load(Relaxed) == 0;
            if joins {
                handle.join().unwrap();
            }
            // SAFETY: none; as above.
            plain.0.0.with(|value| unsafe { *value });
            old
        });
        assert_eq!(found.races(), !joins);
        assert!(!joins || found.results.contains(&true));
    }
}

#[test]
fn threads_of_a_scope_are_asked_by_several() {
    let found = explore(|| {
        thread::scope(|scope| {
            let handle = scope.spawn(|| ());
            thread::scope(|inner| {
                let other = inner.spawn(|| handle.is_finished());
                (handle.is_finished(), other.join().unwrap())
            })
        })
    });
    assert_eq!(found.all(), [(false, false), (false, true), (true, false), (true, true)]);
}

/// Destructors of thread-local values run after the closure has returned.
#[test]
fn a_thread_whose_destructors_run_is_finished() {
    struct Waits(Option<Arc<AtomicUsize>>);
    impl Drop for Waits {
        fn drop(&mut self) {
            let go = self.0.take().unwrap();
            hint::wait_until(|| go.load(Relaxed) == 1);
        }
    }
    selvedge_model::sync::thread_local! {
        static WAITS: RefCell<Waits> = const { RefCell::new(Waits(None)) };
    }
    let found = explore(|| {
        let go = Arc::new(AtomicUsize::new(0));
        let there = go.clone();
        let handle = thread::spawn(move || WAITS.with_borrow_mut(|waits| waits.0 = Some(there)));
        while !handle.is_finished() {
            hint::spin_loop();
        }
        go.store(1, Relaxed);
        handle.join().is_ok()
    });
    assert_eq!(found.all(), [true]);
}

/// The handle of a thread may be moved to another thread of the scope.
#[test]
fn a_thread_of_a_scope_joins_another() {
    let found = explore(|| {
        thread::scope(|scope| {
            let first = scope.spawn(|| 7);
            let second = scope.spawn(move || (first.is_finished(), first.join().unwrap()));
            let third = scope.spawn(move || second.join().unwrap());
            drop(third);
        });
    });
    assert_eq!(found.all(), [()]);
}

#[test]
fn a_panic_that_a_thread_of_a_scope_is_told_of_is_none_of_the_scope() {
    let panics = |joins: bool| {
        explore_with(&Config::default(), move || {
            thread::scope(|scope| {
                let first = scope.spawn(|| panic!("on purpose"));
                if joins {
                    scope.spawn(move || assert!(first.join().is_err()));
                }
            });
        })
    };
    assert_eq!(panics(true).all(), [()]);
    assert!(panics(false).panics()[0].starts_with("a scoped thread panicked"));
}

#[test]
fn outside_an_exploration_std_is_asked() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let handle = thread::spawn(move || receiver.recv().is_err());
    assert!(!handle.is_finished());
    drop(sender);
    while !handle.is_finished() {
        std::thread::yield_now();
    }
    assert!(handle.join().unwrap());
    thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let first = scope.spawn(move || receiver.recv().is_err());
        assert!(!first.is_finished());
        scope.spawn(move || {
            std::thread::yield_now();
            drop(sender);
            assert!(first.join().unwrap());
        });
    });
}

/// An execution is run again where an `Arc` of `std` may lose its last owner in either thread. What a scope itself owns is
/// none: each is run once, and a sample again.
#[test]
fn executions_of_a_scope_are_run_once() {
    let runs = Cell::new(0);
    let found = explore_with(&Config::default(), || {
        runs.set(runs.get() + 1);
        let x = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| x.fetch_add(1, Relaxed));
            }
        });
    });
    assert_eq!(found.report.complete, 6);
    // The first, the second and the fourth are the sample.
    assert_eq!(runs.get(), 6 + 3);
}
