//! Loops of `compare_exchange_weak`, which may fail without a cause.

use std::cell::Cell;

use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Mutex, hint};
use selvedge_model::{Failure, Model};

use crate::facts::{Body, exact_in_every_order};

fn zero() -> AtomicU64 {
    AtomicU64::new(0)
}

/// Each turn changes plain memory, before its exchange or after that has failed without a cause.
#[test]
fn a_loop_that_writes_beside_a_weak_exchange_is_bounded() {
    struct State(AtomicU64, UnsafeCell<u64>);
    // SAFETY: only the thread that takes the word accesses the cell.
    unsafe impl Sync for State {}
    for (before, hints) in [(false, true), (false, false), (true, true), (true, false)] {
        let report = Model::new(|| State(zero(), UnsafeCell::new(0)))
            .thread("takes", move |State(word, tries)| {
                // SAFETY: as above.
                let tried = || tries.with_mut(|tries| unsafe { *tries += 1 });
                loop {
                    if before {
                        tried();
                    }
                    if word.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_ok() {
                        break;
                    }
                    if !before {
                        tried();
                    }
                    if hints {
                        hint::spin_loop();
                    }
                }
                // SAFETY: as above.
                tries.with(|tries| unsafe { *tries }) > 3
            })
            .thread("reads", |State(word, _)| _ = word.load(SeqCst))
            .acceptable("takes=false", "it fails three times at most")
            .acceptable("takes=true", "it fails more often")
            .check();
        assert!(report.bound().is_some() && !report.is_complete(), "{before} {hints}: {report}");
    }
}

/// A weak exchange that writes what it finds has changed nothing, also if it succeeds.
#[test]
fn turns_in_which_a_weak_exchange_fails_are_told_apart() {
    type State = (AtomicU64, AtomicU64);
    let waits: Body<State, u64> = |(word, stop)| {
        let mut seen = 0;
        loop {
            let result = word.compare_exchange_weak(0, 0, SeqCst, SeqCst);
            seen = match (result, seen) {
                (Ok(_), 0) => 1,
                (Err(_), 1) => 2,
                (Ok(_), 2) => 3,
                _ => seen,
            };
            if stop.load(SeqCst) == 1 {
                return seen;
            }
            hint::spin_loop();
        }
    };
    let stops: Body<State, u64> = |(_, stop)| stop.swap(1, SeqCst);
    if cfg!(loom) {
        let rows: &[&[u64]] = &[&[0, 0], &[1, 0], &[2, 0], &[3, 0]];
        let threads = [("waits", waits), ("stops", stops)];
        exact_in_every_order(|| (zero(), zero()), &threads, rows);
    }
}

/// Without a hint: each failure without a cause ends a turn.
#[test]
fn a_loop_of_weak_exchanges_is_explored_completely() {
    type Lock = (AtomicU64, AtomicU64);
    fn lock((lock, _): &Lock) {
        while lock.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err() {
            while lock.load(SeqCst) == 1 {
                hint::spin_loop();
            }
        }
    }
    let locked: Body<Lock, u64> = |both| {
        lock(both);
        let seen = both.1.load(SeqCst);
        both.1.store(seen + 1, SeqCst);
        both.0.store(0, SeqCst);
        seen
    };
    exact_in_every_order(
        || (zero(), zero()),
        &[("left", locked), ("right", locked)],
        &[&[0, 1], &[1, 0]],
    );
    let adds: Body<AtomicU64, u64> = |count| {
        let mut seen = count.load(SeqCst);
        while let Err(other) = count.compare_exchange_weak(seen, seen + 1, SeqCst, SeqCst) {
            seen = other;
        }
        seen
    };
    exact_in_every_order(zero, &[("left", adds), ("right", adds)], &[&[0, 1], &[1, 0]]);
    let three = [("a", adds), ("b", adds), ("c", adds)];
    let report = crate::facts::in_order(zero, &three, &[0, 1, 2]).loom(0).explore().unwrap();
    assert!(!cfg!(loom) || report.is_complete() && report.outcomes.len() == 6, "{report}");
    // It gives up after a third failure; after a success the others fail.
    let tries: Body<AtomicU64, u64> = |count| {
        (0..3).filter(|_| count.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err()).count() as u64
    };
    exact_in_every_order(zero, &[("tries", tries)], &[&[2], &[3]]);
}

/// Without a hint, and each exchange may fail with a cause: a spin lock as many write it.
#[test]
fn a_loop_of_weak_exchanges_that_fail_with_a_cause_waits() {
    let waits: Body<AtomicU64, u64> = |x| {
        while x.compare_exchange_weak(1, 2, AcqRel, Acquire).is_err() {}
        x.load(Relaxed)
    };
    let sets: Body<AtomicU64, u64> = |x| {
        x.store(1, Release);
        0
    };
    exact_in_every_order(zero, &[("waits", waits), ("sets", sets)], &[&[2, 0]]);
    let locked: Body<(AtomicU64, AtomicU64), u64> = |(lock, value)| {
        while lock.compare_exchange_weak(0, 1, Acquire, Relaxed).is_err() {}
        let seen = value.load(Relaxed);
        value.store(seen + 1, Relaxed);
        lock.store(0, Release);
        seen
    };
    let both = [("left", locked), ("right", locked)];
    exact_in_every_order(|| (zero(), zero()), &both, &[&[0, 1], &[1, 0]]);
    // It gives up after three failures, and has changed something before.
    let tries: Body<AtomicU64, u64> = |x| {
        x.store(3, Release);
        (0..3).filter(|_| x.compare_exchange_weak(1, 2, AcqRel, Acquire).is_err()).count() as u64
    };
    exact_in_every_order(zero, &[("tries", tries)], &[&[3]]);
    if cfg!(loom) {
        let model = Model::new(zero).thread("waits", waits);
        model.thread("looks", |x| x.load(Relaxed)).fails(Failure::Livelock).check();
    }
}

/// A section changes what a lock protects through a shared guard, and two exchanges fail after it.
#[test]
fn what_comes_before_weak_exchanges_is_no_part_of_their_turns() {
    type Set = (Mutex<Cell<u64>>, AtomicU64);
    let sets: Body<Set, u64> = |(value, x)| {
        value.lock().unwrap().set(1);
        (0..2).filter(|_| x.compare_exchange_weak(7, 8, AcqRel, Acquire).is_err()).count() as u64
    };
    let waits: Body<Set, u64> = |(value, _)| {
        while value.lock().unwrap().get() == 0 {
            hint::spin_loop();
        }
        0
    };
    exact_in_every_order(Set::default, &[("sets", sets), ("waits", waits)], &[&[2, 0]]);
    // Something else changes between two of them.
    let stores: Body<Set, u64> = |(value, x)| {
        value.lock().unwrap().set(1);
        let fails = |at| {
            if at == 1 {
                x.store(3, Release);
            }
            x.compare_exchange_weak(7, 8, AcqRel, Acquire).is_err()
        };
        (0..3).filter(|&at| fails(at)).count() as u64
    };
    exact_in_every_order(Set::default, &[("stores", stores), ("waits", waits)], &[&[3, 0]]);
}
