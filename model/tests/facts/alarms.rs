//! Failures without a cause, and failures that were called something else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    Body, Ends, Failure, Mutex, OnDrop, Plain, PoisonError, exact_in_every_order,
    fails_in_every_order, leaked, panics,
};
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{self, Acquire, Relaxed, Release, SeqCst},
};
use selvedge_model::sync::mpsc::{SyncSender, sync_channel};
use selvedge_model::sync::{RwLock, hint, thread};

/// A test-and-set lock: acquired by `swap`, released by `store`.
#[derive(Default)]
struct SpinLock {
    taken: AtomicBool,
    value: Plain,
}

impl SpinLock {
    fn add(&self, lock: fn(&AtomicBool), order: Ordering) -> u64 {
        lock(&self.taken);
        let before = self.value.get();
        self.value.set(before + 1);
        self.taken.store(false, order);
        before
    }
}

fn spins(taken: &AtomicBool) {
    while taken.swap(true, Acquire) {
        hint::spin_loop();
    }
}

fn waits(taken: &AtomicBool) {
    hint::wait_until(|| !taken.swap(true, Acquire));
}

#[test]
fn a_spin_lock_is_no_livelock() {
    let sound: [Body<SpinLock, u64>; 2] =
        [|lock| lock.add(spins, Release), |lock| lock.add(waits, Release)];
    for add in sound {
        exact_in_every_order(
            SpinLock::default,
            &[("alice", add), ("bob", add)],
            &[&[0, 1], &[1, 0]],
        );
    }
    let racy: [Body<SpinLock, u64>; 2] =
        [|lock| lock.add(spins, Relaxed), |lock| lock.add(waits, Relaxed)];
    for add in racy {
        fails_in_every_order(Failure::DataRace, SpinLock::default, &[("alice", add), ("bob", add)]);
    }
}

#[test]
fn a_loop_of_compare_exchange_is_no_livelock() {
    let spins: Body<AtomicU64, u64> = |x| {
        while x.compare_exchange(1, 2, Relaxed, Relaxed).is_err() {
            hint::spin_loop();
        }
        0
    };
    let writes: Body<AtomicU64, u64> = |x| {
        let found = x.compare_exchange(0, 1, Relaxed, Relaxed);
        found.expect("the other thread waits for it")
    };
    exact_in_every_order(|| AtomicU64::new(0), &[("spins", spins), ("writes", writes)], &[&[0, 0]]);
}

#[test]
fn a_reader_may_try_the_lock_that_it_holds() {
    let writes: Body<RwLock<u64>, bool> = |lock| {
        *lock.write().expect("no thread panics") += 1;
        true
    };
    let reads: Body<RwLock<u64>, bool> = |lock| {
        let _held = lock.read();
        lock.try_read().is_ok()
    };
    // A writer that waits may hold it up.
    exact_in_every_order(
        || RwLock::new(0),
        &[("reads", reads), ("writes", writes)],
        &[&[true, true], &[false, true]],
    );
    let upgrades: Body<RwLock<u64>, bool> = |lock| {
        let _held = lock.read();
        lock.try_write().is_ok()
    };
    exact_in_every_order(
        || RwLock::new(0),
        &[("upgrades", upgrades), ("writes", writes)],
        &[&[false, true]],
    );
}

#[test]
fn two_readers_and_a_try_write_are_no_failure() {
    type State = (RwLock<u64>, AtomicU64);
    let reads: Body<State, u64> = |(lock, inside)| {
        let _held = lock.read();
        let others = inside.fetch_add(1, SeqCst);
        inside.fetch_sub(1, SeqCst);
        others
    };
    let tries: Body<State, u64> = |(lock, _)| u64::from(lock.try_write().is_ok());
    exact_in_every_order(
        || (RwLock::new(0), AtomicU64::new(0)),
        &[("first", reads), ("second", reads), ("tries", tries)],
        &[&[0, 0, 0], &[0, 0, 1], &[0, 1, 0], &[0, 1, 1], &[1, 0, 0], &[1, 0, 1]],
    );
}

/// `sync_channel(0)`: a message is handed over, and never stored.
#[test]
fn a_rendezvous_channel_has_no_room() {
    type Rendezvous = Ends<SyncSender<u64>>;
    let init: fn() -> Rendezvous = || Ends::new(sync_channel(0));
    let sends: Body<Rendezvous, u64> = |ends| u64::from(ends.sender().send(1).is_ok());
    let receives: Body<Rendezvous, u64> = |ends| ends.receiver().recv().unwrap_or(0);
    exact_in_every_order(init, &[("sends", sends), ("receives", receives)], &[&[1, 1]]);
    // It is full unless the receiver waits already, or has gone.
    let tries: Body<Rendezvous, u64> = |ends| u64::from(ends.sender().try_send(1).is_ok());
    exact_in_every_order(init, &[("tries", tries), ("receives", receives)], &[&[0, 0], &[1, 1]]);
    let goes: Body<Rendezvous, u64> = |ends| {
        drop(ends.receiver());
        0
    };
    exact_in_every_order(init, &[("sends", sends), ("goes", goes)], &[&[0, 0]]);
    // The receiver is kept, and does not receive.
    let idles: Body<Rendezvous, u64> = |_| 0;
    fails_in_every_order(Failure::Deadlock, init, &[("sends", sends), ("idles", idles)]);
}

/// A sender blocks on a full channel, and the receiver goes.
#[allow(clippy::type_complexity, reason = "an array of threads")]
#[test]
fn a_send_that_waits_ends_when_the_receiver_is_dropped() {
    type Channel = Ends<SyncSender<u64>>;
    fn sender(ends: &Channel) -> SyncSender<u64> {
        let sender = ends.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sender.expect("it stays there")
    }
    let first: Body<Channel, (bool, bool)> = |ends| (sender(ends).send(1).is_ok(), true);
    let second: Body<Channel, (bool, bool)> =
        |ends| (sender(ends).send(3).is_ok(), sender(ends).send(2).is_ok());
    let receiver: Body<Channel, (bool, bool)> = |ends| (ends.receiver().recv().is_ok(), true);
    let threads = [("first", first), ("second", second), ("receiver", receiver)];
    for order in super::orders(3) {
        let report = super::in_order(|| Ends::new(sync_channel(1)), &threads, &order).explore();
        let report = report.expect("no send waits for ever");
        assert!(report.is_complete(), "{report}");
    }
}

/// The guard is released, and then another value is dropped, while the panic unwinds.
#[test]
fn a_destructor_runs_after_the_lock_that_a_panic_releases() {
    type State = (Mutex<()>, AtomicU64);
    let unwinds: Body<State, (bool, u64)> = |(mutex, steps)| {
        panics(|| {
            let _adds = OnDrop(|| {
                steps.fetch_add(1, SeqCst);
            });
            let _held = mutex.lock();
            panic!("on purpose");
        });
        (true, 0)
    };
    let locks: Body<State, (bool, u64)> = |(mutex, steps)| {
        let poisoned = mutex.lock().is_err();
        (poisoned, steps.load(SeqCst))
    };
    exact_in_every_order(
        || (Mutex::new(()), AtomicU64::new(0)),
        &[("unwinds", unwinds), ("locks", locks)],
        &[
            &[(true, 0), (false, 0)],
            &[(true, 0), (false, 1)],
            &[(true, 0), (true, 0)],
            &[(true, 0), (true, 1)],
        ],
    );
}

/// The panic is not its own.
#[test]
fn a_lock_released_while_another_thread_unwinds_is_not_poisoned() {
    type State = (Mutex<()>, AtomicU64);
    let unwinds: Body<State, (u64, bool)> = |(_, steps)| {
        steps.fetch_add(1, SeqCst);
        panics(|| {
            let _adds = OnDrop(|| {
                steps.fetch_add(1, SeqCst);
            });
            panic!("on purpose");
        });
        (0, false)
    };
    let locks: Body<State, (u64, bool)> = |(mutex, steps)| {
        let held = mutex.lock();
        let before = steps.fetch_add(1, SeqCst);
        drop(held);
        (before, mutex.is_poisoned())
    };
    exact_in_every_order(
        || (Mutex::new(()), AtomicU64::new(0)),
        &[("unwinds", unwinds), ("locks", locks)],
        &[&[(0, false), (0, false)], &[(0, false), (1, false)], &[(0, false), (2, false)]],
    );
}

#[test]
fn a_destructor_may_wait_for_a_lock_that_the_panic_has_released() {
    struct Joins(Option<thread::JoinHandle<()>>);

    impl Drop for Joins {
        fn drop(&mut self) {
            self.0.take().expect("joined once").join().expect("it does not panic");
        }
    }

    type State = (Mutex<()>, AtomicBool);
    let unwinds: Body<&'static State, bool> = |state| {
        let (mutex, poisoned): &'static State = state;
        panics(|| {
            let locks = move || poisoned.store(mutex.lock().is_err(), SeqCst);
            let _joins = Joins(Some(thread::spawn(locks)));
            let _held = mutex.lock();
            panic!("on purpose");
        });
        poisoned.load(SeqCst)
    };
    exact_in_every_order(
        || leaked((Mutex::new(()), AtomicBool::new(false))),
        &[("idle", |_| false), ("unwinds", unwinds)],
        &[&[false, false], &[false, true]],
    );
}

/// The mutex is locked again by a destructor of the thread whose panic has poisoned it.
#[test]
fn a_destructor_may_lock_what_its_panic_has_poisoned() {
    fn add(sum: &Mutex<u64>) -> (u64, bool) {
        let locked = sum.lock();
        let poisoned = locked.is_err();
        let mut sum = locked.unwrap_or_else(PoisonError::into_inner);
        *sum += 1;
        (*sum, poisoned)
    }
    fn unwinds(sum: &Mutex<u64>, catches_before: bool) -> (u64, bool) {
        let added = std::cell::Cell::new((0, false));
        let panics = || {
            let _held = sum.lock();
            panic!("on purpose");
        };
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _adds = OnDrop(|| added.set(add(sum)));
            if catches_before { catch_unwind(AssertUnwindSafe(panics)).is_err() } else { panics() }
        }));
        assert_eq!(caught.is_ok(), catches_before, "it panics on purpose");
        added.get()
    }
    let both: [Body<Mutex<u64>, (u64, bool)>; 2] =
        [|sum| unwinds(sum, false), |sum| unwinds(sum, true)];
    for unwinds in both {
        exact_in_every_order(
            || Mutex::new(0),
            &[("unwinds", unwinds), ("adds", add)],
            &[&[(2, true), (1, false)], &[(2, true), (1, true)], &[(1, true), (2, true)]],
        );
    }
}

/// A reader that panics poisons nothing, and ends its read.
#[test]
fn a_reader_that_panics_leaves_the_locks_of_others_alone() {
    type State = (RwLock<u64>, Mutex<()>, Mutex<()>);
    let unwinds: Body<State, bool> = |(lock, ..)| {
        panics(|| {
            let _held = lock.read();
            panic!("on purpose");
        });
        lock.write().is_err()
    };
    let locks: Body<State, bool> = |(lock, first, second)| {
        let _held = first.try_lock().expect("no other thread locks it");
        let free = lock.try_write().is_ok();
        drop(second.lock().expect("no thread panics that holds it"));
        free
    };
    exact_in_every_order(
        || (RwLock::new(0), Mutex::new(()), Mutex::new(())),
        &[("unwinds", unwinds), ("locks", locks)],
        &[&[false, false], &[false, true]],
    );
}

/// Bob reads 2, so that his store is older than Alice's second one, and cannot be the newest of all. Her
/// first store has the same value as his.
#[test]
fn stores_of_equal_value_are_told_apart() {
    let alice: Body<AtomicU64> = |x| {
        x.store(1, Relaxed);
        x.store(2, Relaxed);
    };
    let bob = |x: &AtomicU64| {
        x.store(1, Relaxed);
        x.load(Relaxed)
    };
    let model = || selvedge_model::Model::new(|| AtomicU64::new(0));
    let end = |x: &AtomicU64| x.load(Relaxed);
    for model in [
        model().thread("alice", alice).thread("bob", bob),
        model().thread("bob", bob).thread("alice", alice),
    ] {
        let report = model
            .finally("end", end)
            .acceptable("bob=1 end=2", "he reads his own store, or her first one")
            .acceptable("bob=2 end=2", "he stores before her second store, and reads that")
            .acceptable("bob=1 end=1", "he stores last")
            .forbidden("bob=2 end=1", "his store is older than what he has read since")
            .check();
        assert!(report.is_complete(), "{report}");
    }
}

/// Which of two equal stores is read decides what is acquired.
#[test]
fn a_race_by_the_wrong_one_of_two_equal_stores_is_found() {
    type State = (Plain, AtomicU64);
    fn writer(order: Ordering, (plain, flag): &State) -> u64 {
        plain.set(7);
        flag.store(1, order);
        0
    }
    let init: fn() -> State = State::default;
    let reads: Body<State, u64> =
        |(plain, flag)| if flag.load(Acquire) == 1 { plain.get() } else { 0 };
    let releases: Body<State, u64> = |state| writer(Release, state);
    let again: Body<State, u64> = |(_, flag)| {
        flag.store(1, Release);
        0
    };
    exact_in_every_order(init, &[("reads", reads), ("releases", releases)], &[&[0, 0], &[7, 0]]);
    let threads = [("reads", reads), ("releases", releases), ("again", again)];
    fails_in_every_order(Failure::DataRace, init, &threads);
}

/// Both accesses, and the pair of operations that would have to synchronise, with their orderings. A `SeqCst`
/// access elsewhere changes nothing.
#[test]
fn a_data_race_names_both_accesses_and_what_does_not_synchronise() {
    type State = (Plain, AtomicBool, AtomicU64);
    let writes: Body<State> = |(plain, ready, other)| {
        other.store(1, SeqCst);
        plain.set(7);
        ready.store(true, Relaxed);
    };
    let reads: Body<State> = |(plain, ready, other)| {
        other.load(SeqCst);
        if ready.load(Acquire) {
            plain.get();
        }
    };
    for order in super::orders(2) {
        let threads = [("writes", writes), ("reads", reads)];
        let error = super::in_order(State::default, &threads, &order).explore().unwrap_err();
        assert_eq!(error.failure(), Some(Failure::DataRace), "{error}");
        let text = error.to_string();
        for expected in [
            "data race: c1: writes writes at model/tests/facts.rs:",
            ", reads reads at model/tests/facts.rs:",
            ", and no happens-before edge orders the two; reads's a1.load acq at model/tests/facts/alarms.rs:",
            " reads from writes's a1.store rlx at model/tests/facts/alarms.rs:",
            ", but they do not synchronise: the store must release\n",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in {text}");
        }
        assert!(!text.contains("false alarm") && !text.contains("weak memory"), "{text}");
    }
}

/// What was changed under a lock is there for a thread that waits for it, whatever was locked meanwhile.
#[test]
fn a_wait_for_what_changed_under_a_lock_ends_though_another_was_released_inside() {
    type State = (Mutex<u64>, Mutex<()>);
    let waits: Body<State, u64> = |(value, _)| {
        hint::wait_until(|| *value.lock().unwrap_or_else(PoisonError::into_inner) == 1);
        0
    };
    let sets: Body<State, u64> = |(value, log)| {
        let mut value = value.lock().unwrap_or_else(PoisonError::into_inner);
        *value = 1;
        drop(log.lock());
        0
    };
    exact_in_every_order(
        || (Mutex::new(0), Mutex::new(())),
        &[("waits", waits), ("sets", sets)],
        &[&[0, 0]],
    );
}
