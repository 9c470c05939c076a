//! # Idle turns: what the checker misses of waiting loops
//!
//! Each row has a test of what the checker does today, and of the workaround. The test fails when the limit moves.
//! `std` allows it, it is never explored, and the report says "explored completely but for idle turns":
//!
//! | limit | what to do instead | test |
//! |---|---|---|
//! | what a waiting loop changes through a shared guard (a `Cell` in a `Mutex`), if its turns change nothing else | a loop with an end, without a hint | `change_through_a_shared_guard_in_a_loop_is_missed` |
//! | how many idle turns a waiting loop takes | return what it waited for | `idle_turns_are_not_counted` |
//! | what a loop does that gives up after more than about 1,000 idle turns | a lower limit in the model | `loop_that_gives_up_late_is_missed` |
//! | that a waiting loop woke from a wait on a condition variable without a cause, or that its turns, of nothing but a `compare_exchange_weak`, failed without one | a number of turns in place of the loop | `turns_without_a_cause_are_not_counted` |
//! | where a loop counts how its `try_lock`s end, or a thread does that has come from a loop: more than one idle turn of another loop that holds the lock in each | a number of turns in place of that loop | `idle_turns_that_hold_a_lock_are_not_counted` |
//!
//! What else is never explored: [`unexplored.rs`](unexplored.rs). What is reported although it is correct:
//! [`false_alarms.rs`](false_alarms.rs).
//!
//! **Why.** An idle turn of a waiting loop can repeat for ever, so the loop counts as blocked until something changes.
//! Each turn that finds something new is explored, and one that does not.
//!
//! **Scope.** The program beside each row is explored completely. On real threads a missed outcome may be seen.

#![cfg_attr(not(loom), allow(unused_imports, reason = "some tests take the checker"))]

use super::{Limit, is_complete, is_complete_but_for_idle_turns, lock};
use selvedge_model::Model;
use selvedge_model::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Condvar, Mutex, PoisonError, hint};
use std::cell::Cell;

/// The loop counts its turns in a `Cell`. Two turns are explored; the next ones count as stutters.
#[test]
fn change_through_a_shared_guard_in_a_loop_is_missed() {
    type Turns = (Mutex<Cell<u64>>, AtomicBool);
    fn turn(turns: &Mutex<Cell<u64>>) {
        let turns = lock(turns);
        turns.set((turns.get() + 1).min(2));
    }
    let model = |counts: fn(&Turns)| {
        Model::new(Turns::default)
            .thread("counts", counts)
            .thread("sees", |(turns, done)| {
                let seen = [(); 2].map(|()| lock(turns).get());
                done.store(true, Release);
                seen
            })
            .acceptable("sees=[0, 0]", "before the first turn")
            .acceptable("sees=[0, 1]", "before and after it")
            .acceptable("sees=[1, 1]", "after it")
            .acceptable("sees=[1, 2]", "before and after the second")
            .rounds(500)
    };
    let loops = model(|(turns, done)| {
        while !done.load(Acquire) {
            turn(turns);
            hint::spin_loop();
        }
    });
    let twice = model(|(turns, _)| (0..2).for_each(|_| turn(turns)));
    let loops =
        loops.missed("sees=[0, 2]", "two turns between").missed("sees=[2, 2]", "after both");
    is_complete_but_for_idle_turns(&loops.check());
    let report = twice
        .acceptable("sees=[0, 2]", "both between")
        .acceptable("sees=[2, 2]", "after both")
        .check();
    is_complete(&report);
}

/// On real threads the loop may take any number of turns.
#[test]
fn idle_turns_are_not_counted() {
    let report = Model::new(AtomicBool::default)
        .thread("spins", |flag| {
            let mut turns = 0;
            while !flag.load(Acquire) {
                turns += 1;
                hint::spin_loop();
            }
            turns.min(2)
        })
        .thread("sets", |flag| flag.store(true, Release))
        .acceptable("spins=0", "it was set before")
        .acceptable("spins=1", "one turn, which stands for all others")
        .missed("spins=2", "more turns are left out")
        .check();
    is_complete_but_for_idle_turns(&report);
}

/// Of a loop with an end it is tried for 1,000 turns whether it comes to it.
#[test]
fn loop_that_gives_up_late_is_missed() {
    let model = |most: u64| {
        Model::new(AtomicBool::default)
            .thread("saw", move |flag| {
                (0..most).any(|_| {
                    hint::spin_loop();
                    flag.load(Acquire)
                })
            })
            .thread("sets", |flag| flag.store(true, Release))
            .acceptable("saw=true", "it was set in time")
    };
    let late = model(2_000).missed("saw=false", "it gives up").check();
    is_complete_but_for_idle_turns(&late);
    let early = model(100).interesting("saw=false", "it gives up").rounds(1).explore();
    is_complete(&early.expect("it passes"));
}

/// A wait on a condition variable may end, and a weak exchange may fail, without a cause that the program can see. A loop
/// that then goes round is as if it had not happened; a number of turns is explored with each.
#[test]
fn turns_without_a_cause_are_not_counted() {
    let exchange = |x: &AtomicBool| x.compare_exchange_weak(false, true, Relaxed, Relaxed);
    let loops = Model::new(AtomicBool::default).thread("failed", move |x| {
        let mut failed = false;
        while exchange(x).is_err() {
            failed = true;
            hint::spin_loop();
        }
        failed
    });
    let twice = Model::new(AtomicBool::default)
        .thread("failed", move |x| exchange(x).is_err() && exchange(x).is_ok());
    let report = loops
        .acceptable("failed=false", "at the first try")
        .missed("failed=true", "it failed without a cause")
        .check();
    is_complete_but_for_idle_turns(&report);
    let twice = twice.acceptable("failed=false", "once or twice");
    is_complete(&twice.interesting("failed=true", "it failed without a cause").check());
    let report = Model::new(<(Mutex<bool>, Condvar)>::default)
        .thread("woke", |(ready, condvar)| {
            let (mut ready, mut in_vain) = (lock(ready), false);
            while !*ready {
                ready = condvar.wait(ready).unwrap_or_else(PoisonError::into_inner);
                in_vain |= !*ready;
            }
            in_vain
        })
        .thread("sets", |(ready, condvar)| {
            *lock(ready) = true;
            condvar.notify_one();
        })
        .acceptable("woke=false", "it was ready when the wait ended")
        .missed("woke=true", "a wait ended without a cause")
        .check();
    is_complete_but_for_idle_turns(&report);
}

/// The results of the `try_lock`s depend on the turns of another loop.
#[test]
fn idle_turns_that_hold_a_lock_are_not_counted() {
    type State = (Mutex<()>, AtomicBool);
    let counts = |(lock, done): &State| {
        let (mut changes, mut last) = (0, true);
        while changes < 5 && !done.load(Acquire) {
            let free = lock.try_lock().is_ok();
            changes += u64::from(free != last);
            last = free;
            hint::spin_loop();
        }
        changes.min(3)
    };
    let model = |looks: fn(&State)| {
        Model::new(State::default)
            .thread("counts", counts)
            .thread("looks", looks)
            .thread("ends", |(_, done)| done.store(true, Release))
            .acceptable("counts=0", "the lock is free each time")
            .acceptable("counts=1", "the other loop holds it")
            .acceptable("counts=2", "and has released it again")
            .rounds(500)
    };
    let loops = model(|(lock, done)| {
        while !done.load(Acquire) {
            drop(lock.try_lock());
            hint::spin_loop();
        }
    });
    let twice = model(|(lock, _)| (0..2).for_each(|_| drop(lock.try_lock())));
    let loops = loops.missed("counts=3", "it holds the lock in another turn");
    is_complete_but_for_idle_turns(&loops.check());
    is_complete(&twice.acceptable("counts=3", "it holds the lock once more").check());
}
