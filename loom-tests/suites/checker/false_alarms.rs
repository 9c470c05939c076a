//! # False alarms: what is reported although it is correct
//!
//! Each row has a test of what the checker does today, and of the workaround. The test fails when the limit moves.
//!
//! | reported | of | what to do instead | test |
//! |---|---|---|---|
//! | livelock | a waiting loop that gives up after more than about 1,000 idle turns | give up sooner in a model | `loop_that_gives_up_after_a_thousand_turns_is_reported_as_livelock` |
//! | livelock | a loop that a clock ends | count turns | `loop_that_ends_by_a_clock_is_reported_as_livelock` |
//! | livelock | loops that wait for each other, and change what a lock protects through a shared guard (a `Cell` in a `Mutex`) | change it through `&mut` | `loops_that_answer_through_a_shared_guard_are_reported_as_livelock` |
//! | livelock | a loop that waits for what another thread has changed through a shared guard, if that thread then waits in a loop, or tries a `compare_exchange_weak` twice | the same | `change_through_a_shared_guard_before_a_loop_is_reported_as_livelock` |
//! | livelock | a loop that waits until an attempt on a lock fails, beside one that holds the lock in each idle turn | wait until the other thread says that it holds the lock | `loop_that_waits_for_a_failed_attempt_is_reported_as_livelock` |
//! | livelock | a waiting loop that holds one of two locks at any time, from hand to hand, beside a thread that waits for one of them | a loop that holds none for a moment | `loop_with_a_lock_in_either_hand_is_reported_as_livelock` |
//! | deadlock, or "the engines disagree" | `wait_until` with a condition that depends on more than shared state | a loop with `spin_loop` | `condition_that_counts_is_reported_as_deadlock` |
//!
//! What is never explored: [`unexplored.rs`](unexplored.rs). What bounds an exploration, and what is refused:
//! [`bounds.rs`](bounds.rs).
//!
//! **Why.** An idle turn of a waiting loop can repeat for ever, so the loop counts as blocked until something changes. A
//! loop that gives up is run for 1,000 such turns to find out.
//!
//! **Scope.** The program beside each row is explored completely. On real threads all of them pass.

#![cfg_attr(not(loom), allow(unused_imports, reason = "some tests take the checker"))]

use super::{is_complete, lock};
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Mutex, hint};
use selvedge_model::{Failure, Model};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The loop ends by itself, after more turns than the checker runs.
#[test]
fn loop_that_gives_up_after_a_thousand_turns_is_reported_as_livelock() {
    let model = |turns: u32| {
        Model::new(AtomicU64::default)
            .thread("spins", move |x| {
                for _ in 0..turns {
                    if x.load(Relaxed) == 1 {
                        return true;
                    }
                    hint::spin_loop();
                }
                false
            })
            .thread("looks", |x| x.load(Relaxed))
            .rounds(100)
    };
    let right = |turns| model(turns).acceptable("spins=false looks=0", "it gives up").check();
    if cfg!(loom) {
        model(1_500).fails(Failure::Livelock).check();
    } else {
        right(1_500);
    }
    is_complete(&right(3));
}

#[test]
fn loop_that_ends_by_a_clock_is_reported_as_livelock() {
    let model = |ends: fn(u32, Instant) -> bool| {
        Model::new(AtomicBool::default)
            .thread("spins", move |flag| {
                let start = Instant::now();
                for turns in 0.. {
                    if flag.load(Acquire) || ends(turns, start) {
                        break;
                    }
                    hint::spin_loop();
                }
            })
            .thread("looks", |flag| flag.load(Relaxed))
            .rounds(100)
    };
    let right = |model: Model<AtomicBool>| model.acceptable("looks=false", "it gives up").check();
    let by_clock = model(|_, start| start.elapsed() > Duration::from_secs(1));
    if cfg!(loom) {
        by_clock.fails(Failure::Livelock).check();
    }
    is_complete(&right(model(|turns, _| turns == 2)));
}

/// Two loops answer each other, twice each. That a turn has answered through a `Cell` is not seen.
#[test]
fn loops_that_answer_through_a_shared_guard_are_reported_as_livelock() {
    fn twice(mut answers: impl FnMut() -> bool) {
        let mut answered = 0;
        loop {
            answered += u64::from(answers());
            if answered == 2 {
                break;
            }
            hint::spin_loop();
        }
    }
    fn shared(value: &Mutex<Cell<u64>>, mine: u64) {
        twice(|| {
            let value = lock(value);
            let is_mine = value.get() == mine;
            if is_mine {
                value.set(1 - mine);
            }
            is_mine
        });
    }
    fn exclusive(value: &Mutex<u64>, mine: u64) {
        twice(|| {
            let mut value = lock(value);
            let is_mine = *value == mine;
            if is_mine {
                *value = 1 - mine;
            }
            is_mine
        });
    }
    let cell = Model::new(Mutex::<Cell<u64>>::default)
        .thread("ping", |value| shared(value, 0))
        .thread("pong", |value| shared(value, 1))
        .finally("value", |value| lock(value).get());
    if cfg!(loom) {
        cell.fails(Failure::Livelock).check();
    } else {
        cell.acceptable("value=0", "two answers each").check();
    }
    let report = Model::new(Mutex::<u64>::default)
        .thread("ping", |value| exclusive(value, 0))
        .thread("pong", |value| exclusive(value, 1))
        .finally("value", |value| *lock(value))
        .acceptable("value=0", "two answers each")
        .check();
    is_complete(&report);
}

/// What comes before a loop may be a part of its first turn, which seems to change nothing.
#[test]
fn change_through_a_shared_guard_before_a_loop_is_reported_as_livelock() {
    fn model<T: Default + Send + 'static>(
        sets: fn(&Mutex<T>),
        is_set: fn(&Mutex<T>) -> bool,
    ) -> Model<(Mutex<T>, AtomicBool)> {
        Model::new(<(Mutex<T>, AtomicBool)>::default)
            .thread("asks", move |(value, answered)| {
                sets(value);
                while !answered.load(Acquire) {
                    hint::spin_loop();
                }
            })
            .thread("answers", move |(value, answered)| {
                while !is_set(value) {
                    hint::spin_loop();
                }
                answered.store(true, Release);
            })
            .rounds(100)
    }
    let shared = model::<Cell<bool>>(|value| lock(value).set(true), |value| lock(value).get());
    if cfg!(loom) {
        shared.fails(Failure::Livelock).check();
    } else {
        shared.acceptable("()", "both end").check();
    }
    let exclusive = model::<bool>(|value| *lock(value) = true, |value| *lock(value));
    is_complete(&exclusive.acceptable("()", "both end").check());
}

/// The attempt fails in the middle of a turn of the other loop. No turn is looked into for what would fail there.
#[test]
fn loop_that_waits_for_a_failed_attempt_is_reported_as_livelock() {
    type Shared = (Mutex<()>, AtomicBool, AtomicBool);
    let model = |is_free: fn(&Shared) -> bool, turn: fn(&Shared)| {
        Model::new(Shared::default)
            .thread("waits", move |shared| {
                while is_free(shared) {
                    hint::spin_loop();
                }
                shared.1.store(true, Release);
            })
            .thread("holds", move |shared| {
                while !shared.1.load(Acquire) {
                    turn(shared);
                    hint::spin_loop();
                }
            })
            .rounds(100)
    };
    let right = |model: Model<Shared>| model.acceptable("()", "both end").check();
    let tries = model(|shared| shared.0.try_lock().is_ok(), |shared| drop(lock(&shared.0)));
    if cfg!(loom) {
        tries.fails(Failure::Livelock).check();
    } else {
        right(tries);
    }
    let says = model(
        |shared| !shared.2.load(Acquire),
        |shared| {
            let _guard = lock(&shared.0);
            if !shared.2.load(Relaxed) {
                shared.2.store(true, Release);
            }
        },
    );
    is_complete(&right(says));
}

/// The loop counts as stopped with the first lock, which it would give up for the second.
#[test]
fn loop_with_a_lock_in_either_hand_is_reported_as_livelock() {
    type Shared = (Mutex<u64>, Mutex<u64>);
    let model = |moves: fn(&Shared)| {
        Model::new(Shared::default)
            .thread("moves", moves)
            .thread("sets", |shared| *lock(&shared.0) = 1)
            .rounds(100)
    };
    let right = |model: Model<Shared>| model.acceptable("()", "both end").check();
    let moves = model(|(first, second)| {
        let mut value = lock(first);
        while *value == 0 {
            hint::spin_loop();
            let other = lock(second);
            drop(value);
            value = lock(first);
            drop(other);
        }
    });
    if cfg!(loom) {
        moves.fails(Failure::Livelock).check();
    } else {
        right(moves);
    }
    let with_one_hand = model(|(first, _)| {
        let mut value = lock(first);
        while *value == 0 {
            hint::spin_loop();
            drop(value);
            value = lock(first);
        }
    });
    is_complete(&right(with_one_hand));
}

/// The condition is true in its third call. It is called again only when another thread has changed what it reads.
#[test]
fn condition_that_counts_is_reported_as_deadlock() {
    let model = |wait: fn(&AtomicBool)| {
        Model::new(|| AtomicBool::new(false))
            .thread("waits", wait)
            .thread("looks", |flag| flag.load(Acquire))
            .rounds(500)
    };
    let right = |model: Model<AtomicBool>| model.acceptable("looks=false", "both end").check();
    let counts = model(|flag| {
        let mut turns = 0;
        hint::wait_until(|| {
            turns += 1;
            flag.load(Acquire) || turns == 3
        });
    });
    if cfg!(loom) {
        counts.fails(Failure::Deadlock).check();
    } else {
        right(counts);
    }
    let spins = model(|flag| {
        for _ in 0..3 {
            if flag.load(Acquire) {
                break;
            }
            hint::spin_loop();
        }
    });
    is_complete(&right(spins));
}
