//! # Bounds, and what is refused
//!
//! Each row has a test. The report of a bounded exploration says "bounded", with the place, and never "explored
//! completely". What cannot be explored is an error that no expectation accepts.
//!
//! | bound | what to do instead | test |
//! |---|---|---|
//! | a waiting loop with an effect in each turn, or in every second one, ends after 16 of them, and is never reported as a livelock | count in a local variable | `loop_with_an_effect_is_bounded` |
//! | the same loop on a condition variable ends at the first spurious wake-up after which it waits again | `wait_while`, or ask `is_empty` first | `consumer_that_pops_is_bounded` |
//! | a store before a `compare_exchange_weak` to what other threads may know of, or a write to an `UnsafeCell`, is an effect of each turn in which the exchange fails without a cause | `compare_exchange`: it fails only with a cause; or store to what the thread has made since it released something last, as in `push` of a lock-free stack | `store_before_a_weak_exchange_is_bounded` |
//! | `&mut` through a guard is an effect, also if nothing is changed: `while q.lock().unwrap().pop().is_none()` | ask `is_empty` first | `loop_that_pops_is_bounded` |
//! | a waiting loop with more than four kinds of turns, each with a hint or a wait that times out, runs to the step limit; so does one with two kinds if one is a `wait_timeout`, and the number of executions doubles with each turn, so set `.steps(n)` | fewer hints | `loop_with_many_kinds_of_turns_is_bounded` |
//! | one that makes an atomic in each turn, and uses it, runs to the step limit | make it before the loop | `loop_that_makes_atomics_is_bounded` |
//! | a waiting loop without `spin_loop`, `yield_now`, `wait_until` or `compare_exchange_weak` runs to the step limit | call one of them | `waiting_loop_without_a_hint_is_bounded` |
//! | a thread takes at most `.steps(n)` steps, 2,000 by default | a greater n, or less work in a model | `thread_with_too_many_steps_is_bounded` |
//! | `.executions(n)` | no bound, and a smaller model | `limit_of_executions_is_a_bound` |
//! | `.without_spurious()` leaves out spurious failures and wake-ups | do not call it | `model_without_spurious_failures_is_bounded` |
//!
//! | refused | what to do instead | test |
//! |---|---|---|
//! | more than 15 threads beside the main one | fewer threads | `sixteenth_thread_is_refused` |
//! | a value that was made outside of the execution, and is no `static` | make it in `Model::new`'s closure, or a `static` | `value_from_outside_the_model_is_refused` |
//! | an `Arc` of `std` of which either thread may be the last owner, if the drop of its value takes a step | the `Arc` of `sync` | `the_last_owner_of_an_arc_of_std_must_be_known_where_its_drop_takes_steps` |
//! | a scoped thread that returns nothing with a drop, panics with a payload whose drop takes a step, and whose handle is dropped | join it | `the_payload_of_a_scoped_thread_must_be_dropped_by_a_known_thread` |
//! | what is not the same in each execution: by a clock, a random number, or an address, as of two locks that are taken in the order of theirs | an order that the program gives | `steps_that_differ_between_executions_are_refused` |
//! | two threads without an operation that the checker sees | the types of `selvedge_model::sync` | `threads_without_a_visible_operation_are_refused` |
//!
//! **Why.** The number of turns of a waiting loop has no limit. A turn without an effect that reads what an earlier
//! turn read is left out. Other threads may see the effect of a turn that has one, so each such turn is another
//! execution.
//!
//! **Scope.** The program beside each bound is explored completely. On real threads none of the bounds applies.

#![cfg_attr(not(loom), allow(unused_imports, reason = "some tests take the checker"))]

use super::is_complete;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use selvedge_model::sync::{Arc, Condvar, Mutex, hint, mpsc, thread};
use selvedge_model::{CheckError, Failure, Model, Report};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::time::Duration;

/// The bound that the report names.
fn is_bounded(report: &Report, bound: &str) {
    if cfg!(loom) {
        let said = report.bound().expect("a bound is reached");
        assert!(said.contains(bound), "{said}");
    }
}

/// An outcome that the bound leaves out.
fn missed<S: Send + Sync + 'static>(model: Model<S>, outcome: &str, reason: &str) -> Model<S> {
    if cfg!(loom) {
        model.forbidden(outcome, &format!("the bound leaves it out: {reason}"))
    } else {
        model.interesting(outcome, reason)
    }
}

// ---------------------------------------------------------------------------------------------
// Bounded.
// ---------------------------------------------------------------------------------------------

/// A thread waits for a flag, in a loop around `turn`.
fn waits(turn: fn(&(AtomicBool, AtomicU64))) -> Model<(AtomicBool, AtomicU64)> {
    Model::new(|| (AtomicBool::new(false), AtomicU64::new(0))).thread("waits", move |state| {
        while !state.0.load(Acquire) {
            turn(state);
        }
    })
}

fn raises(model: Model<(AtomicBool, AtomicU64)>) -> Model<(AtomicBool, AtomicU64)> {
    model
        .thread("raises", |(flag, _)| flag.store(true, Release))
        .rounds(500)
        .acceptable("()", "both threads end")
}

/// Each turn changes the counter. That such a loop never ends is not reported.
#[test]
fn loop_with_an_effect_is_bounded() {
    let counts = |(_, tries): &(AtomicBool, AtomicU64)| {
        tries.fetch_add(1, Relaxed);
        hint::spin_loop();
    };
    let report = raises(waits(counts)).check();
    is_bounded(&report, "bounds.rs");
    // The flag is raised before the first turn, or before one of 16 others.
    assert!(report.executions() == 17 || !cfg!(loom), "{report}");
    is_complete(&raises(waits(|_| hint::spin_loop())).check());

    // As an async task that wakes itself: the token that the thread gives itself is an effect.
    let wakes_itself = raises(waits(|_| {
        thread::current().unpark();
        thread::park();
        thread::yield_now();
    }));
    is_bounded(&wakes_itself.without_spurious().check(), "bounds.rs");

    if cfg!(loom) {
        let alone = |turn| waits(turn).thread("looks", |(_, tries)| tries.load(Relaxed) > 0);
        let report = alone(counts).explore().expect("the livelock is not seen");
        is_bounded(&report, "whose turns change something");
        alone(|_| hint::spin_loop()).fails(Failure::Livelock).check();
    }
}

/// A push on a stack: its head, and what the new element points to.
#[test]
fn store_before_a_weak_exchange_is_bounded() {
    type Stack = (AtomicU64, AtomicU64);
    type Exchange = fn(&AtomicU64, u64) -> Result<u64, u64>;
    fn push(head: &AtomicU64, next: &AtomicU64, exchange: Exchange) -> u64 {
        let mut top = head.load(Relaxed);
        loop {
            next.store(top, Relaxed);
            match exchange(head, top) {
                Ok(_) => return next.load(Relaxed),
                Err(now) => top = now,
            }
            hint::spin_loop();
        }
    }
    const WEAK: Exchange = |head, top| head.compare_exchange_weak(top, 1, Release, Relaxed);
    const STRONG: Exchange = |head, top| head.compare_exchange(top, 1, Release, Relaxed);
    let model = |pushes: fn(&Stack) -> u64| {
        Model::new(Stack::default)
            .thread("pushes", pushes)
            .thread("other", |(head, _)| head.store(7, Release))
            .acceptable("pushes=0", "before the other")
            .acceptable("pushes=7", "after it")
            .rounds(500)
            .check()
    };
    is_bounded(&model(|(head, next)| push(head, next, WEAK)), "whose turns change something");
    is_complete(&model(|(head, next)| push(head, next, STRONG)));
    is_complete(&model(|(head, _)| push(head, &Box::new(AtomicU64::new(9)), WEAK)));
}

#[test]
fn loop_that_makes_atomics_is_bounded() {
    let anew = waits(|_| {
        AtomicU64::new(0).load(Relaxed);
        hint::spin_loop();
    });
    is_bounded(&raises(anew).steps(50).check(), "the limit of steps of a thread");
    let once = waits(|(_, made_before)| {
        made_before.load(Relaxed);
        hint::spin_loop();
    });
    is_complete(&raises(once).check());
}

#[test]
fn loop_that_pops_is_bounded() {
    type Queue = Mutex<Vec<u64>>;
    let model = |pops: fn(&Queue) -> Option<u64>| {
        Model::new(Queue::default)
            .thread("pops", move |queue| {
                loop {
                    if let Some(job) = pops(queue) {
                        return job;
                    }
                    hint::spin_loop();
                }
            })
            .thread("pushes", |queue| queue.lock().unwrap().push(7))
            .acceptable("pops=7", "the job")
            .rounds(500)
            .check()
    };
    is_bounded(&model(|queue| queue.lock().unwrap().pop()), "whose turns change something");
    is_complete(&model(|queue| {
        let mut queue = queue.lock().unwrap();
        if queue.is_empty() { None } else { queue.pop() }
    }));
}

#[test]
fn consumer_that_pops_is_bounded() {
    type Queue = (Mutex<Vec<u64>>, Condvar);
    let model = |pops: fn(&Queue) -> Option<u64>| {
        Model::new(Queue::default)
            .thread("one", pops)
            .thread("other", pops)
            .thread("pushes", |(queue, changed)| {
                for job in [1, 2] {
                    queue.lock().unwrap().push(job);
                    changed.notify_one();
                }
            })
            .acceptable(
                ["one=Some(1) other=Some(2)", "one=Some(2) other=Some(1)"],
                "each job has one consumer",
            )
            .rounds(500)
            .check()
    };
    is_bounded(
        &model(|(queue, changed)| {
            let mut queue = queue.lock().unwrap();
            loop {
                match queue.pop() {
                    None => queue = changed.wait(queue).unwrap(),
                    job => return job,
                }
            }
        }),
        "whose turns change something",
    );
    is_complete(&model(|(queue, changed)| {
        let queue = queue.lock().unwrap();
        changed.wait_while(queue, |queue| queue.is_empty()).unwrap().pop()
    }));
}

/// A hint ends a turn, and so does a wait that times out.
#[test]
fn loop_with_many_kinds_of_turns_is_bounded() {
    const LIMIT: Duration = Duration::from_micros(10);
    const HINTS: [fn(); 5] = [
        || hint::spin_loop(),
        || hint::spin_loop(),
        || thread::yield_now(),
        || thread::yield_now(),
        || thread::park_timeout(LIMIT),
    ];
    type State = (AtomicBool, Mutex<()>, Condvar);
    fn looks<const KINDS: usize>((flag, ..): &State) -> bool {
        HINTS[..KINDS].iter().any(|hint| {
            hint();
            flag.load(Acquire)
        })
    }
    fn waits((_, mutex, told): &State) {
        drop(told.wait_timeout(mutex.lock().unwrap(), LIMIT));
    }
    let model = |looks: fn(&State) -> bool| {
        Model::new(State::default)
            .thread("waits", move |state| while !looks(state) {})
            .thread("sets", |(flag, ..)| flag.store(true, Release))
            .acceptable("()", "it was set")
            .steps(40)
            .rounds(100)
            .check()
    };
    is_bounded(&model(looks::<5>), "limit of steps");
    is_complete(&model(looks::<4>));
    is_complete(&model(|state| {
        waits(state);
        state.0.load(Acquire)
    }));
    let report = model(|state| {
        waits(state);
        thread::yield_now();
        state.0.load(Acquire)
    });
    is_bounded(&report, "limit of steps");
}

#[test]
fn waiting_loop_without_a_hint_is_bounded() {
    is_bounded(&raises(waits(|_| ())).steps(50).check(), "the limit of steps of a thread");
    for turn in [|_: &_| hint::spin_loop(), |_: &_| thread::yield_now()] {
        is_complete(&raises(waits(turn)).check());
    }
    let exchanges = Model::new(<(AtomicBool, AtomicU64)>::default).thread("waits", |(flag, _)| {
        while flag.compare_exchange_weak(true, false, Acquire, Relaxed).is_err() {}
    });
    is_complete(&raises(exchanges).check());
}

#[test]
fn thread_with_too_many_steps_is_bounded() {
    let model = || {
        Model::new(AtomicU64::default)
            .thread("adds", |x| {
                for _ in 0..20 {
                    x.fetch_add(1, Relaxed);
                }
            })
            .finally("total", |x| x.load(Relaxed))
    };
    if cfg!(loom) {
        let report = model().steps(10).explore().expect("it is no failure");
        is_bounded(&report, "the limit of steps of a thread");
        assert_eq!(report.executions(), 0);
    }
    is_complete(&model().acceptable("total=20", "all steps are taken").check());
}

#[test]
fn limit_of_executions_is_a_bound() {
    let model = || {
        let increments = |x: &AtomicU64| x.fetch_add(1, SeqCst);
        Model::new(AtomicU64::default)
            .thread("alice", increments)
            .thread("bob", increments)
            .acceptable("alice=0 bob=1", "alice, bob")
    };
    let bounded = missed(model().executions(1), "alice=1 bob=0", "bob, alice").check();
    is_bounded(&bounded, "1 execution");
    is_complete(&model().acceptable("alice=1 bob=0", "bob, alice").check());
}

#[test]
fn model_without_spurious_failures_is_bounded() {
    let model = || {
        let exchange = |x: &AtomicU64| x.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_ok();
        Model::new(AtomicU64::default)
            .thread("alice", move |x| (exchange(x), exchange(x)))
            .acceptable("alice=(true, false)", "the first one succeeded")
    };
    let bounded = missed(
        model().without_spurious(),
        "alice=(false, true)",
        "the first one failed spuriously",
    );
    let bounded = missed(bounded, "alice=(false, false)", "both failed spuriously").check();
    is_bounded(&bounded, "no spurious failures");
    let complete = model()
        .interesting("alice=(false, true)", "the first one failed spuriously")
        .interesting("alice=(false, false)", "both failed spuriously")
        .check();
    is_complete(&complete);
}

// ---------------------------------------------------------------------------------------------
// Refused.
// ---------------------------------------------------------------------------------------------

fn is_refused<S: Send + Sync + 'static>(model: Model<S>, message: &str) {
    let error = model.explore().expect_err("it is refused");
    assert!(matches!(error, CheckError::WrongModel { .. }), "{error}");
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn sixteenth_thread_is_refused() {
    let model = |threads: usize| {
        let mut model = Model::new(<[AtomicU64; 16]>::default);
        for number in 0..threads {
            model = model.thread(&format!("thread_{number}"), move |all| {
                all[number].store(1, Relaxed);
            });
        }
        model
    };
    is_refused(model(16), "a model can have at most 15 threads, got 16");
    is_complete(&model(15).rounds(50).acceptable("()", "fifteen threads end").check());
    if cfg!(loom) {
        let spawns = model(14).thread("spawns", |all| {
            thread::spawn(|| ()).join().expect("it does not panic");
            all[14].store(1, Relaxed);
        });
        is_refused(spawns, "an execution can have at most 16 threads, the main thread included");
    }
}

/// Made before the model, and shared by its executions. A static is made anew for each execution.
#[cfg(loom)]
#[test]
fn value_from_outside_the_model_is_refused() {
    static TOTAL: AtomicU64 = AtomicU64::new(0);

    let total: &'static AtomicU64 = Box::leak(Box::default());
    let increments = move |(): &()| total.fetch_add(1, Relaxed);
    let model = Model::new(|| ()).thread("alice", increments).thread("bob", increments);
    is_refused(model, "an execution can use only what it made itself");

    let increments = |(): &()| TOTAL.fetch_add(1, Relaxed);
    let report = Model::new(|| ())
        .thread("alice", increments)
        .thread("bob", increments)
        .acceptable("alice=0 bob=1", "alice, bob")
        .acceptable("alice=1 bob=0", "bob, alice")
        .check();
    is_complete(&report);
}

/// Either thread may drop the `Sender` in it. Instead: the `Arc` of `selvedge_model::sync`.
#[cfg(loom)]
#[test]
fn the_last_owner_of_an_arc_of_std_must_be_known_where_its_drop_takes_steps() {
    let model = Model::new(|| {
        let sender = std::sync::Arc::new(std::sync::Mutex::new(mpsc::channel::<u64>().0)); // std on purpose
        [sender.clone(), sender].map(|sender| std::sync::Mutex::new(Some(sender))) // std on purpose
    });
    // std on purpose
    let gives_up = |owner: &std::sync::Mutex<Option<_>>| {
        AtomicU64::new(0).store(1, Relaxed);
        drop(owner.lock().unwrap().take());
    };
    let model = model.thread("alice", move |[owner, _]| gives_up(owner));
    let model = model.thread("bob", move |[_, owner]| gives_up(owner));
    is_refused(model, "dropped the last owner of an Arc of std");
}

/// The payload is dropped by the thread or by the drop of its handle, whichever is later. Their order is not explored.
#[cfg(loom)]
#[test]
fn the_payload_of_a_scoped_thread_must_be_dropped_by_a_known_thread() {
    struct Payload(Arc<AtomicU64>);
    impl Drop for Payload {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let model = |joins: bool| {
        Model::new(Arc::<AtomicU64>::default).thread("spawns", move |drops| {
            let scope = || {
                thread::scope(|scope| {
                    let payload = Payload(drops.clone());
                    let handle = scope.spawn(move || panic_any(payload));
                    drops.load(Relaxed);
                    if joins {
                        drop(handle.join());
                    } else {
                        drop(handle);
                    }
                });
            };
            _ = catch_unwind(AssertUnwindSafe(scope));
            drops.load(Relaxed)
        })
    };
    is_refused(
        model(false).thread("looks", |drops| _ = drops.load(Relaxed)),
        "is not deterministic",
    );
    is_complete(&model(true).acceptable("spawns=1", "it is dropped once").check());
}

#[cfg(loom)]
#[test]
fn threads_without_a_visible_operation_are_refused() {
    let increments = |total: &std::sync::atomic::AtomicU64| total.fetch_add(1, SeqCst); // std on purpose
    let model = Model::new(std::sync::atomic::AtomicU64::default) // std on purpose
        .thread("alice", increments)
        .thread("bob", increments);
    is_refused(model, "perform no operation that the checker can see");
}

/// As an address may, the number of the run decides.
#[cfg(loom)]
#[test]
fn steps_that_differ_between_executions_are_refused() {
    static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0); // std on purpose
    let add = |total: &AtomicU64| total.fetch_add(1, SeqCst);
    let model = Model::new(|| (AtomicU64::new(0), AtomicU64::new(0), RUNS.fetch_add(1, SeqCst)))
        .thread("alice", move |(one, other, run)| {
            let order = if run % 2 == 0 { [one, other] } else { [other, one] };
            order.map(add)
        })
        .thread("bob", move |(one, other, _)| [one, other].map(add));
    is_refused(model, "is not deterministic");
}
