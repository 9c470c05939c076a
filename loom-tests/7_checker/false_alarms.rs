//! # Which correct programs does the checker call wrong?
//!
//! **Answer.** Those listed here, as far as is known. Each has a test with what the checker says today,
//! and beside it the same program written so that it is explored as it should be. A test turns red when
//! the checker improves.
//!
//! | it says | of | what to do instead | test |
//! |---|---|---|---|
//! | livelock, or deadlock | a lock that is acquired by `swap` and released by `store` | acquire it by `compare_exchange`, or release it by `swap` | `a_lock_acquired_by_swap_is_called_a_livelock` |
//! | livelock | a waiting loop that yields in two places | yield in one place, or `hint::wait_until` | `a_loop_that_yields_in_two_places_is_called_a_livelock` |
//! | livelock | a waiting loop that changes something in each turn, such as a counter of tries | count in a local variable, or `hint::wait_until` | `a_loop_with_an_effect_is_called_a_livelock` |
//! | livelock | a thread that unparks itself, as an async task does that wakes itself | `hint::wait_until` | `a_thread_that_unparks_itself_is_called_a_livelock` |
//! | deadlock | flags behind condition variables, within `.preemptions(n)` | no bound, and a smaller model | `a_chain_of_flags_within_a_bound_is_called_a_deadlock` |
//! | an outcome that C++20 forbids | stores of equal values to one atomic | a different value in each store | `stores_of_equal_values_are_confused` |
//! | wrong model | a mutex that a panic has released and a destructor locks, while that panic unwinds | catch the panic before | `a_mutex_locked_again_while_a_panic_unwinds_is_called_a_wrong_model` in `model/tests/refused.rs` |
//! | "this may be a false alarm" | a true race, beside any `SeqCst` load or store | look at the orderings in the picture; replay it with the other access relaxed | `a_true_race_is_printed_with_a_warning` |
//!
//! **Why.** A loop that waits has no last turn. The checker takes turns that repeat each other for
//! waiting, and lets other threads run; it recognises a turn by the place that yields and by its having
//! changed nothing. A turn that it does not recognise is repeated up to the step limit. In the weak-memory
//! pass loom lets a `swap` of a thread read that thread's own last store for ever, where C++20 asks that a
//! store becomes visible in finite time. And whether an order of the stores explains what was read is
//! decided by the values that were read: of two equal ones either may have been meant.
//!
//! **Bounds and what is not modelled.** The sound half is explored completely, but for the chain of
//! flags, which rules out spurious wake-ups. On real threads each program does what it should.

use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use selvedge_model::sync::{Condvar, Mutex, MutexGuard, PoisonError, hint, thread};
use selvedge_model::{Failure, Model, Report};

/// The program is right, and on loom it is said to fail.
fn is_called<S: Send + Sync + 'static>(failure: Failure, model: Model<S>) {
    if cfg!(loom) {
        model.steps(100).fails(failure).check();
    } else {
        is_right(model);
    }
}

fn is_right<S: Send + Sync + 'static>(model: Model<S>) -> Report {
    let report = model.rounds(500).acceptable("()", "every thread ends").check();
    // Of a loop that spins eight idle turns are explored.
    let spins =
        report.bound().is_some_and(|bound| bound.starts_with("8 idle turns of the loop at"));
    assert!(report.is_complete() || spins || !cfg!(loom), "explored to the end: {report}");
    report
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---------------------------------------------------------------------------------------------
// Waiting loops.
// ---------------------------------------------------------------------------------------------

/// Two threads, one after the other. In the weak-memory pass loom lets the second read its own `true`
/// again and again, although the first has released the lock.
#[test]
fn a_lock_acquired_by_swap_is_called_a_livelock() {
    let model = |acquire: fn(&AtomicBool), release: fn(&AtomicBool)| {
        let body = move |lock: &AtomicBool| {
            acquire(lock);
            release(lock);
        };
        Model::new(|| AtomicBool::new(false)).thread("alice", body).thread("bob", body)
    };
    let by_swap = |lock: &AtomicBool| {
        while lock.swap(true, Acquire) {
            hint::spin_loop();
        }
    };
    let by_waiting = |lock: &AtomicBool| hint::wait_until(|| !lock.swap(true, Acquire));
    let by_exchange = |lock: &AtomicBool| {
        while lock.compare_exchange(false, true, Acquire, Relaxed).is_err() {
            hint::spin_loop();
        }
    };
    let by_store = |lock: &AtomicBool| lock.store(false, Release);
    is_called(Failure::Livelock, model(by_swap, by_store));
    is_called(Failure::Deadlock, model(by_waiting, by_store));

    is_right(model(by_exchange, by_store));
    is_right(model(by_swap, |lock| {
        lock.swap(false, Release);
    }));
}

/// A thread waits for a flag, in a loop around `turn`.
fn waits(turn: fn(&(AtomicBool, AtomicU64))) -> Model<(AtomicBool, AtomicU64)> {
    Model::new(|| (AtomicBool::new(false), AtomicU64::new(0)))
        .thread("waits", move |state| {
            while !state.0.load(Acquire) {
                turn(state);
            }
        })
        .thread("raises", |(flag, _)| flag.store(true, Release))
}

/// The same wait, without a loop of its own.
fn waits_until_raised() -> Model<(AtomicBool, AtomicU64)> {
    waits(|(flag, _)| hint::wait_until(|| flag.load(Acquire)))
}

#[test]
fn a_loop_that_yields_in_two_places_is_called_a_livelock() {
    let in_two_places = waits(|_| {
        hint::spin_loop();
        thread::yield_now();
    });
    is_called(Failure::Livelock, in_two_places);

    is_right(waits(|_| hint::spin_loop()));
    is_right(waits_until_raised());
}

/// Each turn is different from the one before: the counter is.
#[test]
fn a_loop_with_an_effect_is_called_a_livelock() {
    let counts = waits(|(_, tries)| {
        tries.fetch_add(1, Relaxed);
        hint::spin_loop();
    });
    is_called(Failure::Livelock, counts);

    let counts_by_itself = Model::new(|| (AtomicBool::new(false), AtomicU64::new(0)))
        .thread("waits", |(flag, tries)| {
            let mut turns = 0;
            while !flag.load(Acquire) {
                turns += 1;
                hint::spin_loop();
            }
            tries.fetch_add(turns, Relaxed);
        })
        .thread("raises", |(flag, _)| flag.store(true, Release));
    is_right(counts_by_itself);
}

/// A token that the thread gives itself is an effect, too.
#[test]
fn a_thread_that_unparks_itself_is_called_a_livelock() {
    let wakes_itself = waits(|_| {
        thread::current().unpark();
        thread::yield_now();
        thread::park();
    });
    is_called(Failure::Livelock, wakes_itself);

    is_right(waits_until_raised());
}

// ---------------------------------------------------------------------------------------------
// Bounds.
// ---------------------------------------------------------------------------------------------

#[derive(Default)]
struct Flag {
    raised: Mutex<bool>,
    changed: Condvar,
}

impl Flag {
    fn wait(&self) {
        let raised = self.changed.wait_while(lock(&self.raised), |raised| !*raised);
        drop(raised.unwrap_or_else(PoisonError::into_inner));
    }

    fn raise(&self) {
        *lock(&self.raised) = true;
        self.changed.notify_all();
    }
}

/// Three flags; one thread begins, and each of the others waits for one flag and raises the next. A thread
/// that waits must be chosen to see that it may go on, and within the bound loom does not choose it.
#[test]
fn a_chain_of_flags_within_a_bound_is_called_a_deadlock() {
    let model = || {
        Model::new(<[Flag; 3]>::default)
            .thread("second", |[first, second, _]: &[Flag; 3]| {
                first.wait();
                second.raise();
            })
            .thread("third", |[_, second, third]| {
                second.wait();
                third.raise();
            })
            .thread("first", |[first, _, third]| {
                first.raise();
                third.wait();
            })
            .spurious(0)
            .rounds(500)
    };
    is_called(Failure::Deadlock, model().preemptions(2));
    model().acceptable("()", "every thread ends").check();
}

// ---------------------------------------------------------------------------------------------
// Values and messages.
// ---------------------------------------------------------------------------------------------

/// Store buffering with `SeqCst`: one of the two stores comes first, and is seen. Yet in the end `left`
/// stores the value that was there at first, and by values alone `right` may have read that one. (It
/// cannot have: it read 1 afterwards.)
#[test]
fn stores_of_equal_values_are_confused() {
    let model = |last: u64| {
        Model::new(<(AtomicU64, AtomicU64)>::default)
            .thread("left", move |(x, y)| {
                x.store(1, SeqCst);
                let read = y.load(SeqCst);
                x.store(last, SeqCst);
                read
            })
            .thread("right", |(x, y)| {
                y.store(1, SeqCst);
                (x.load(SeqCst), x.load(SeqCst))
            })
            .acceptable("left=0 right=(1, 1)", "left stored first")
            .acceptable("left=1 right=(0, 1)", "right read first before left stored at all")
            .acceptable("left=1 right=(1, 1)", "both stored before either read")
    };
    let equal = model(0)
        .acceptable("left=0 right=(0, 0)", "right came last")
        .acceptable("left=0 right=(1, 0)", "right read before and after left's last store")
        .acceptable("left=1 right=(0, 0)", "right came first, or read last")
        .acceptable("left=1 right=(1, 0)", "right read before and after left's last store");
    let impossible = "no order of the SeqCst operations explains it";
    if cfg!(loom) {
        equal.interesting("left=0 right=(0, 1)", impossible).check();
    } else {
        equal.forbidden("left=0 right=(0, 1)", impossible).check();
    }

    model(2)
        .acceptable("left=0 right=(2, 2)", "right came last")
        .acceptable("left=0 right=(1, 2)", "right read before and after left's last store")
        .acceptable("left=1 right=(0, 0)", "right came first")
        .acceptable("left=1 right=(0, 2)", "right read before and after all that left did")
        .acceptable("left=1 right=(1, 2)", "right read before and after left's last store")
        .acceptable("left=1 right=(2, 2)", "right read last")
        .forbidden("left=0 right=(0, 1)", impossible)
        .check();
}

/// Store buffering, relaxed, around a cell: both threads may find that they came first. The counter has
/// nothing to do with it. loom takes a `SeqCst` load or store for `AcqRel`, and whether that is why the
/// race was found is not told apart.
#[cfg(loom)]
#[test]
fn a_true_race_is_printed_with_a_warning() {
    use selvedge_model::sync::atomic::Ordering;
    use selvedge_model::sync::cell::UnsafeCell;

    #[derive(Default)]
    struct Shared {
        here: AtomicBool,
        there: AtomicBool,
        tries: AtomicU64,
        data: UnsafeCell<u64>,
    }
    // SAFETY: none: this is the race that the test is about.
    unsafe impl Sync for Shared {}

    let picture = |order: Ordering| {
        let alone = move |shared: &Shared, mine: &AtomicBool, other: &AtomicBool| {
            shared.tries.store(1, order);
            mine.store(true, Relaxed);
            if !other.load(Relaxed) {
                // SAFETY: none; as above.
                shared.data.with_mut(|data| unsafe { *data += 1 });
            }
        };
        let report = Model::new(Shared::default)
            .thread("alice", move |shared| alone(shared, &shared.here, &shared.there))
            .thread("bob", move |shared| alone(shared, &shared.there, &shared.here))
            .fails(Failure::DataRace)
            .check();
        report.failure.expect("it fails as expected").interleaving
    };
    let (warned, plain) = (picture(SeqCst), picture(Relaxed));
    assert!(warned.contains("may be a false alarm"), "{warned}");
    assert!(!plain.contains("may be a false alarm"), "{plain}");
}
