//! What only the checker can tell: failures, and what is said of them.

use super::*;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicPtr, Ordering, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Condvar, hint, thread};

#[test]
fn a_missing_outcome_is_named() {
    let error = sound()
        .acceptable("total=2", "both count")
        .interesting("total=1", "never reached")
        .try_check()
        .unwrap_err();
    let expected = CheckError::MissingOutcomes {
        missing: vec!["total=1".to_owned()],
        reached: vec!["total=2".to_owned()],
        bound: None,
    };
    assert_eq!(error, expected);
}

#[test]
fn a_model_that_should_fail_and_does_not_is_reported() {
    let error = sound().fails(Failure::DataRace).try_check().unwrap_err();
    let reached = vec!["total=2".to_owned()];
    assert_eq!(error, CheckError::DidNotFail { expected: Failure::DataRace, reached, bound: None });
}

/// A loop that spins, or waits for a condition, and that no thread ends.
#[test]
fn a_loop_that_no_thread_ends_is_a_livelock_or_a_deadlock() {
    let waits = |wait: fn(&AtomicBool)| Model::new(|| AtomicBool::new(false)).thread("alice", wait);
    let spins = || {
        waits(|never| {
            while !never.load(Relaxed) {
                hint::spin_loop();
            }
        })
    };
    let blocks = || waits(|never| hint::wait_until(|| never.load(Relaxed)));
    spins().fails(Failure::Livelock).check();
    blocks().fails(Failure::Deadlock).check();
    let says = |model: Model<AtomicBool>, what: &str| {
        let text = model.steps(50).explore().unwrap_err().to_string();
        let expected = format!("{what} a1.load at model/tests/harness/on_loom.rs:");
        assert!(text.contains(&expected) && text.lines().count() < 16, "{text}");
    };
    says(spins(), "livelock: alice waits in a loop, in");
    says(blocks(), "deadlock: alice is blocked in wait_until, in");
}

#[test]
fn a_leak_is_a_leak() {
    let report = Model::new(|| ())
        .thread("alice", |()| std::mem::forget(Arc::new(1)))
        .fails(Failure::Leak)
        .check();
    let message = report.failure.expect("it leaks").message;
    let owner = "(an owner may be forgotten, in a cycle, or with a thread of `std`";
    assert!(message.contains(owner), "{message}");
}

struct Shared(UnsafeCell<u64>);
// SAFETY: none; the race is what the test is about.
unsafe impl Sync for Shared {}

#[test]
fn a_data_race_is_a_data_race() {
    let write = |shared: &Shared| {
        // SAFETY: none; the race is what the test is about.
        shared.0.with_mut(|value| unsafe { *value += 1 });
    };
    Model::new(|| Shared(UnsafeCell::new(0)))
        .thread("alice", write)
        .thread("bob", write)
        .fails(Failure::DataRace)
        .check();
}

#[test]
fn a_data_race_names_both_accesses() {
    let model = Model::new(|| Shared(UnsafeCell::new(0)))
        // SAFETY: none; the race is what the test is about.
        .thread("alice", |shared| shared.0.with_mut(|value| unsafe { *value = 1 }))
        // SAFETY: none; the race is what the test is about.
        .thread("bob", |shared| shared.0.with(|value| unsafe { *value }));
    let text = model.explore().unwrap_err().to_string();
    let race = "data race: c1: alice writes at model/tests/harness/on_loom.rs:";
    assert!(
        text.contains(race) && text.contains(", bob reads at model/tests/harness/on_loom.rs:"),
        "{text}"
    );
    assert_eq!(text.matches("no happens-before edge").count(), 1, "said once: {text}");
}

/// Two threads, and what either does after the other has ended is still unordered: the end of
/// a thread must not synchronise with one that still runs.
#[test]
fn the_end_of_a_thread_orders_nothing() {
    struct Message {
        text: UnsafeCell<u64>,
        sent: AtomicBool,
    }
    // SAFETY: none; the race is what the test is about.
    unsafe impl Sync for Message {}
    let send = |message: &Message| {
        // SAFETY: none; the race is what the test is about.
        message.text.with_mut(|text| unsafe { *text = 1 });
        message.sent.store(true, Relaxed);
    };
    let receive = |message: &Message| {
        if message.sent.load(Relaxed) {
            // SAFETY: none; the race is what the test is about.
            message.text.with(|text| unsafe { *text });
        }
    };
    let message = || Message { text: UnsafeCell::new(0), sent: AtomicBool::new(false) };
    let first = Model::new(message).thread("sender", send).thread("receiver", receive);
    first.fails(Failure::DataRace).check();
    let second = Model::new(message).thread("receiver", receive).thread("sender", send);
    second.fails(Failure::DataRace).check();
}

#[test]
fn a_lost_wake_up_is_a_deadlock() {
    Model::new(|| (Mutex::new(false), Condvar::new()))
        .thread("waiter", |(ready, changed)| {
            let ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
            drop(changed.wait(ready));
        })
        .thread("waker", |(_, changed)| changed.notify_one())
        .fails(Failure::Deadlock)
        .check();
}

#[test]
fn a_panic_in_a_thread_that_is_not_joined_is_reported() {
    let model = |join: bool| {
        Model::new(|| ()).thread("alice", move |()| {
            let child = thread::spawn(|| assert_eq!(1 + 1, 3, "arithmetic"));
            join && child.join().is_err()
        })
    };
    let error = model(false).acceptable("alice=false", "never").try_check().unwrap_err();
    assert_eq!(error.failure(), Some(Failure::Panic), "{error}");
    model(true).acceptable("alice=true", "the panic was seen by join").check();
}

/// Whichever execution it is in: of the two models, one panics in an execution that is not the
/// last.
#[test]
fn a_panic_in_a_thread_that_is_not_joined_is_reported_in_any_execution() {
    for wrong in [0, 1] {
        let error = Model::new(|| Arc::new(counter()))
            .thread("alice", move |count| {
                let count = Arc::clone(count);
                thread::spawn(move || assert_ne!(count.fetch_add(0, SeqCst), wrong, "read"));
            })
            .thread("bob", |count| increment(count))
            .acceptable("()", "never")
            .try_check()
            .unwrap_err();
        assert_eq!(error.failure(), Some(Failure::Panic), "{wrong}: {error}");
    }
}

/// The threads that `init` spawns come first.
#[test]
fn a_failure_names_the_thread_also_after_one_that_init_spawned() {
    let model = |fails: bool| {
        let init = || {
            thread::spawn(|| ()).join().expect("it does not panic");
            counter()
        };
        let model = Model::new(init).thread("idle", |_| ()).thread("alice", move |count| {
            assert!(!fails, "on purpose");
            increment(count);
        });
        model.thread("bob", |_| ())
    };
    let error = model(true).explore().unwrap_err().to_string();
    assert!(error.starts_with("panic: alice panicked: on purpose"), "{error}");
    let text = message(model(false).acceptable("()", "never"));
    assert!(text.contains("idle and bob perform no operation"), "{text}");
    let unjoined = Model::new(|| drop(thread::spawn(|| panic!("on purpose"))));
    let error = unjoined.thread("alice", |()| ()).explore().unwrap_err().to_string();
    assert!(error.starts_with("panic: thread1 panicked: on purpose"), "{error}");
}

/// Store buffering around a critical section: with `SeqCst` at most one thread enters.
fn one_goes_in(order: Ordering) -> Model<(AtomicU64, AtomicU64, Shared)> {
    let goes_in = move |mine: &AtomicU64, other: &AtomicU64, Shared(value): &Shared| {
        mine.store(1, order);
        let alone = other.load(if order == SeqCst { SeqCst } else { Relaxed }) == 0;
        if alone {
            // SAFETY: none, unless the other one stays out.
            value.with_mut(|value| unsafe { *value += 1 });
        }
        alone
    };
    Model::new(|| (counter(), counter(), Shared(UnsafeCell::new(0))))
        .thread("alice", move |(x, y, value)| goes_in(x, y, value))
        .thread("bob", move |(x, y, value)| goes_in(y, x, value))
}

#[test]
fn seq_cst_store_buffering_excludes_a_race() {
    let report = one_goes_in(SeqCst)
        .acceptable("alice=true bob=false", "alice came first")
        .acceptable("alice=false bob=true", "bob came first")
        .acceptable("alice=false bob=false", "both wrote before either looked")
        .check();
    assert!(report.is_complete(), "{report}");
    one_goes_in(Relaxed).fails(Failure::DataRace).check();
}

/// Both wait only if each reads 0: `SeqCst` forbids that.
#[test]
fn seq_cst_store_buffering_excludes_a_deadlock() {
    let model = |order: Ordering| {
        let waits = move |mine: &AtomicU64, other: &AtomicU64| {
            mine.store(1, order);
            if other.load(order) == 0 {
                hint::wait_until(|| mine.load(order) == 2);
            } else {
                other.store(2, order);
            }
            other.load(order)
        };
        Model::new(|| (counter(), counter()))
            .thread("alice", move |(x, y)| waits(x, y))
            .thread("bob", move |(x, y)| waits(y, x))
    };
    let report = model(SeqCst)
        .acceptable("alice=1 bob=2", "alice waits for bob")
        .acceptable("alice=2 bob=1", "bob waits for alice")
        .acceptable("alice=2 bob=2", "both wrote before either read")
        .check();
    assert!(report.is_complete(), "{report}");
    model(Relaxed).fails(Failure::Deadlock).check();
}

/// A data race that an interleaving shows is shown by one.
#[test]
fn a_race_in_an_interleaving_is_not_blamed_on_weak_memory() {
    type Shared = (UnsafeCell<u64>, AtomicU64, AtomicU64);
    struct Message(Shared);
    // SAFETY: none; the race is what the test is about.
    unsafe impl Sync for Message {}
    // Orders nothing: all of it is relaxed.
    let told = |Message((.., told)): &Message| told.fetch_add(0, Relaxed) == 1;
    let model = |first: fn(&AtomicU64), second: fn(&AtomicU64)| {
        Model::new(|| Message((UnsafeCell::new(0), counter(), counter())))
            .thread("sender", move |Message((text, via, told))| {
                // SAFETY: none; the race is what the test is about.
                text.with_mut(|text| unsafe { *text = 1 });
                first(via);
                told.fetch_add(1, Relaxed);
            })
            .thread("receiver", move |message| {
                if told(message) {
                    let Message((text, via, _)) = message;
                    second(via);
                    // SAFETY: none; the race is what the test is about.
                    text.with(|text| unsafe { *text });
                }
            })
            .acceptable("()", "never")
    };
    let load = |via: &AtomicU64| {
        via.load(Acquire);
    };
    let relaxed_load = |via: &AtomicU64| {
        via.load(Relaxed);
    };
    let store = |via: &AtomicU64| via.store(1, Release);
    let relaxed_store = |via: &AtomicU64| via.store(1, Relaxed);
    let models = [
        ("a load releases nothing", model(load, load)),
        ("a store acquires nothing", model(store, store)),
        ("a relaxed load acquires nothing", model(store, relaxed_load)),
        ("a relaxed store releases nothing", model(relaxed_store, load)),
    ];
    for (what, model) in models {
        let error = model.try_check().unwrap_err();
        assert_eq!(error.failure(), Some(Failure::DataRace), "{what}: {error}");
        let text = error.to_string();
        assert!(text.contains("Execution ") && !text.contains("weak memory"), "{what}: {text}");
    }
}

/// The notification is lost with and without a spurious wake-up, and the condition is false with one only.
#[test]
fn a_failure_is_not_blamed_on_a_spurious_wake_up() {
    type Queue = (AtomicU64, Mutex<()>, Condvar);
    let waits = |(jobs, lock, added): &Queue| {
        let mut guard = lock.lock().unwrap();
        while jobs.load(SeqCst) == 0 {
            guard = added.wait(guard).unwrap();
        }
    };
    let adds = |(jobs, lock, added): &Queue| {
        drop(lock.lock());
        jobs.fetch_add(1, SeqCst);
        added.notify_one();
    };
    let model = || Model::new(Queue::default).thread("client", adds).thread("alice", waits);
    let error = model().thread("bob", waits).acceptable("()", "all end").try_check().unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("deadlock: ") && !text.contains("spuriously"), "{text}");
    assert!(text.contains("came before the wait"), "{text}");
    let waits_once = |(jobs, lock, added): &Queue| {
        let guard = lock.lock().unwrap();
        if jobs.load(SeqCst) == 0 {
            drop(added.wait(guard).unwrap());
        }
        jobs.load(SeqCst)
    };
    let report = Model::new(Queue::default)
        .thread("waits", waits_once)
        .thread("adds", |(jobs, lock, added): &Queue| {
            let guard = lock.lock().unwrap();
            jobs.fetch_add(1, SeqCst);
            drop(guard);
            added.notify_one();
        })
        .interesting("waits=0", "a spurious wake-up")
        .interesting("waits=1", "the job was added")
        .check();
    let is_spurious = |outcome: &str| {
        let row = report.outcomes.iter().find(|row| row.text == outcome).expect("it is reached");
        row.witness.as_ref().expect("it is reached").interleaving.contains("spuriously")
    };
    assert_eq!((is_spurious("waits=0"), is_spurious("waits=1")), (true, false));
}

/// Store buffering with relaxed accesses: only weak memory lets both read 0.
#[test]
fn an_outcome_that_takes_weak_memory_says_so() {
    let model = || {
        Model::new(|| (counter(), counter()))
            .thread("alice", |(x, y)| {
                x.store(1, Relaxed);
                y.load(Relaxed)
            })
            .thread("bob", |(x, y)| {
                y.store(1, Relaxed);
                x.load(Relaxed)
            })
            .acceptable("alice=1 bob=1", "interleaved")
            .acceptable("alice=0 bob=1", "alice first")
            .acceptable("alice=1 bob=0", "bob first")
    };
    let error = model().try_check().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("alice=0 bob=0") && text.contains("weak memory"), "{text}");
    assert!(text.contains("reads 0, newest is 1"), "the stale read is explained: {text}");
    let report = model().interesting("alice=0 bob=0", "both read old values").check();
    let text = report.to_string();
    assert_eq!(text.matches("[only under weak memory]").count(), 1, "{text}");
}

#[test]
fn a_pointer_is_followed_not_compared() {
    Model::new(|| AtomicPtr::new(std::ptr::null_mut::<u64>()))
        .thread("alice", |slot| {
            let mine = Box::into_raw(Box::new(1));
            slot.store(mine, SeqCst);
        })
        .thread("bob", |slot| {
            let found = slot.swap(std::ptr::null_mut(), SeqCst);
            // SAFETY: the thread that swaps a pointer out owns what it points to.
            (!found.is_null()).then(|| unsafe { *Box::from_raw(found) })
        })
        .finally("rest", |slot| {
            let rest = slot.swap(std::ptr::null_mut(), SeqCst);
            // SAFETY: as above.
            (!rest.is_null()).then(|| unsafe { *Box::from_raw(rest) })
        })
        .acceptable("bob=Some(1) rest=None", "bob came second")
        .acceptable("bob=None rest=Some(1)", "bob came first")
        .check();
}

/// What a pointer leads to is known by who published it and when: an address may come again.
#[test]
fn two_values_at_one_address_are_told_apart() {
    use std::sync::atomic::AtomicU64 as Hidden;
    // The thread that swaps the pointer out owns the value.
    static VALUE: Hidden = Hidden::new(0);
    fn take(slot: &AtomicPtr<Hidden>) -> bool {
        !slot.swap(std::ptr::null_mut(), SeqCst).is_null()
    }
    let value = || std::ptr::from_ref(&VALUE).cast_mut();
    let init = move || {
        VALUE.store(1, SeqCst);
        (AtomicPtr::new(value()), counter())
    };
    Model::new(init)
        .thread("giver", move |(slot, _)| {
            if take(slot) {
                VALUE.store(2, SeqCst);
                slot.store(value(), SeqCst);
            }
        })
        .thread("taker", |(slot, sum)| {
            let found = if take(slot) { VALUE.load(SeqCst) } else { 0 };
            sum.fetch_add(found, SeqCst);
        })
        .finally("sum", |(_, sum)| sum.load(SeqCst))
        .acceptable("sum=0", "the giver had it")
        .acceptable("sum=1", "the taker came first")
        .acceptable("sum=2", "the giver had given it back")
        .check();
}

#[test]
fn what_a_joined_thread_returns_may_decide() {
    Model::new(|| Arc::new(counter()))
        .thread("alice", |count| {
            let other = Arc::clone(count);
            let read = thread::spawn(move || other.load(SeqCst)).join();
            count.fetch_add(10 * read.expect("a load does not panic"), SeqCst);
        })
        .thread("bob", |count| increment(count))
        .finally("total", |count| count.load(SeqCst))
        .acceptable("total=1", "read before bob's increment")
        .acceptable("total=11", "read after it")
        .check();
}

/// The shape of what a failure prints.
#[test]
fn a_failure_is_drawn_in_eighty_columns() {
    let add = |count: &AtomicU64| {
        let before = count.load(SeqCst);
        count.store(before + 1, SeqCst);
    };
    let error = Model::new(counter)
        .thread("alice", add)
        .thread("bob", add)
        .finally("total", |count| count.load(SeqCst))
        .acceptable("total=2", "no update is lost")
        .try_check()
        .unwrap_err();
    let evidence = error.evidence();
    let picture: Vec<&str> = evidence.lines().take_while(|line| !line.is_empty()).collect();
    assert!(picture.iter().all(|line| line.chars().count() <= 80), "{evidence}");
    assert!(picture[0].contains("alice") && picture[0].contains("bob"), "{evidence}");
    assert_eq!(picture.iter().filter(|line| line.contains("preempted")).count(), 1, "{evidence}");
    assert_eq!(picture.iter().filter(|line| line.contains("on_loom.rs:")).count(), 4, "{evidence}");
    let text = error.to_string();
    assert!(text.starts_with("reached total=1, which the table does not declare"), "{text}");
    assert_eq!(text.matches("total=1").count(), 1, "it is said once: {text}");
    assert!(evidence.contains("SELVEDGE_REPLAY=1/2 "), "{evidence}");
    assert!(evidence.contains("\n    cargo selvedge replay "), "{evidence}");
    assert!(evidence.contains("/2\n  or, without cargo-selvedge:\n"), "{evidence}");
}

/// `cargo selvedge` builds in a folder of its own. The command for cargo alone finds what is built there.
#[test]
fn the_command_without_cargo_selvedge_builds_in_the_same_folder() {
    let printed = |variables: &[(&str, &str)]| {
        let output = rerun(
            "prints_a_failure_if_asked_to",
            &[&[("PRINT_A_FAILURE", "check")], variables].concat(),
        );
        text(&output)
    };
    let command = |options: &str| {
        let test = crate::name_of("prints_a_failure_if_asked_to", "checker::harness");
        format!("cargo test {options}-p selvedge-model --test checker -- --exact {test}\n")
    };
    let alone = printed(&[]);
    assert!(alone.contains(&command("")), "{alone}");
    let binary = std::env::current_exe().expect("a test has a binary");
    // target/debug/deps/checker
    let target = binary.ancestors().nth(3).expect("a target directory").display();
    let by_prove = printed(&[("SELVEDGE_OPTIONS", "")]);
    assert!(by_prove.contains(&command(&format!("--target-dir {target} "))), "{by_prove}");
}
