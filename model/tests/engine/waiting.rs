//! Loops that wait: stutters, loops that give up, bounds, deadlocks.

use std::cell::Cell;
use std::time::Duration;

use crate::facade::{explore, explore_with};
use Ordering::{Acquire, Relaxed, Release};
use selvedge_model::engine::graph::{Bound, Config, Ending};
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use selvedge_model::sync::{Arc, Condvar, Mutex, RwLock, hint, thread};

#[test]
fn a_spin_loop_ends() {
    let found = explore(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let there = flag.clone();
        let child = thread::spawn(move || there.store(true, Release));
        let mut turns = 0;
        while !flag.load(Acquire) {
            turns += 1;
            hint::spin_loop();
        }
        child.join().unwrap();
        turns
    });
    // At once; after one turn in vain. More turns are stutters.
    assert_eq!((found.report.deadlocks, &found.report.bounds[..]), (0, &[][..]));
    assert_eq!(found.all(), [0, 1]);
}

#[test]
fn wait_until_has_no_turns_in_vain() {
    let found = explore(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let there = flag.clone();
        let child = thread::spawn(move || (1..=3).for_each(|n| there.store(n, Release)));
        let mut seen = 0;
        hint::wait_until(|| {
            seen = flag.load(Acquire);
            seen >= 2
        });
        child.join().unwrap();
        seen
    });
    assert_eq!((found.report.complete, found.report.deadlocks), (2, 0));
    assert_eq!(found.all(), [2, 3]);
}

/// What the outer loop found before the inner one is forgotten, so its turn is like that of a loop that spins.
#[test]
fn a_condition_may_wait_itself() {
    for spins in [false, true] {
        let found = explore(move || {
            let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
            let there = flags.clone();
            let child =
                thread::spawn(move || there.iter().for_each(|flag| flag.store(true, Release)));
            let [inner, outer] = &*flags;
            hint::wait_until(|| {
                let done = outer.load(Acquire);
                if spins {
                    while !inner.load(Acquire) {
                        hint::spin_loop();
                    }
                } else {
                    hint::wait_until(|| inner.load(Acquire));
                }
                done
            });
            child.join().unwrap();
        });
        assert_eq!((found.report.deadlocks, found.all()), (0, vec![()]));
    }
}

#[test]
fn a_loop_that_waits_for_nothing_is_a_deadlock_with_its_place() {
    for spins in [false, true] {
        let found = explore(move || {
            let flag = AtomicBool::new(false);
            if spins {
                while !flag.load(Acquire) {
                    hint::spin_loop();
                }
            } else {
                hint::wait_until(|| flag.load(Acquire));
            }
        });
        assert_eq!((found.report.complete, found.report.deadlocks), (0, 1));
        let Ending::Deadlock(blocked) = &found.endings[0] else { panic!("a deadlock") };
        assert!(blocked[0].spins == spins && blocked[0].site.file().ends_with("waiting.rs"));
    }
}

/// A loop that counts its turns and does something else in the end: the rule must not hide that.
#[test]
fn a_loop_that_gives_up_is_explored_to_its_end() {
    let found = explore(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let there = flag.clone();
        let child = thread::spawn(move || there.store(true, Relaxed));
        let mut turns = 0;
        while turns < 4 && !flag.load(Relaxed) {
            turns += 1;
            hint::spin_loop();
        }
        child.join().unwrap();
        turns
    });
    assert_eq!(found.report.stutters, 0);
    assert_eq!(found.all(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_loop_on_a_lock_that_gives_up_is_explored_to_its_end() {
    let found = explore(|| {
        let flag = Arc::new(Mutex::new(false));
        let there = flag.clone();
        let child = thread::spawn(move || *there.lock().unwrap() = true);
        let mut turns = 0;
        while turns < 3 && !*flag.lock().unwrap() {
            turns += 1;
            thread::yield_now();
        }
        child.join().unwrap();
        turns
    });
    assert_eq!(found.all(), [0, 1, 2, 3]);
}

/// Nine idle calls, which wait for nothing.
#[test]
fn a_backoff_is_no_waiting_loop() {
    let found = explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let there = x.clone();
        let child = thread::spawn(move || there.swap(1, Relaxed));
        (0..9).for_each(|_| hint::spin_loop());
        let seen = x.swap(2, Relaxed);
        child.join().unwrap();
        seen
    });
    assert_eq!(found.all(), [0, 1]);
}

/// Each turn pauses, and the pause may grow. A loop that gives up is still explored.
#[test]
fn a_pause_between_turns_is_no_turn() {
    for gives_up in [false, true] {
        let found = explore(move || {
            let flag = Arc::new(AtomicBool::new(false));
            let there = flag.clone();
            let child = thread::spawn(move || there.store(true, Relaxed));
            let mut turns = 0;
            while !(flag.load(Relaxed) || gives_up && turns == 4) {
                turns += 1;
                (0..1 << turns.min(6)).for_each(|_| hint::spin_loop());
                thread::yield_now();
            }
            child.join().unwrap();
            turns
        });
        assert_eq!(found.report.bounds, []);
        let all = if gives_up { vec![0, 1, 2, 3, 4] } else { vec![0, 1] };
        assert_eq!(found.all(), all);
    }
}

/// Two threads that try a lock which a third holds must not keep each other awake.
#[test]
fn loops_that_change_nothing_do_not_wake_each_other() {
    let found = explore(|| {
        let lock = Arc::new(Mutex::new(0));
        let children = [0, 1].map(|_| {
            let lock = lock.clone();
            thread::spawn(move || {
                while *lock.lock().unwrap() == 0 {
                    hint::spin_loop();
                }
            })
        });
        *lock.lock().unwrap() = 1;
        for child in children {
            child.join().unwrap();
        }
    });
    assert_eq!(found.all(), [()]);
}

#[test]
fn a_loop_of_reads_ends() {
    for writes in [false, true] {
        let found = explore(move || {
            let lock = Arc::new(RwLock::new(0));
            let there = lock.clone();
            let child = thread::spawn(move || *there.write().unwrap() = 1);
            while if writes { *lock.write().unwrap() } else { *lock.read().unwrap() } == 0 {
                hint::spin_loop();
            }
            child.join().unwrap();
        });
        assert!(found.report.complete > 0);
        assert_eq!(found.all(), [()]);
    }
}

#[test]
fn a_loop_of_try_lock_ends() {
    let found = explore(|| {
        let lock = Arc::new(Mutex::new(0));
        let there = lock.clone();
        let child = thread::spawn(move || *there.lock().unwrap() += 1);
        loop {
            if let Ok(mut guard) = lock.try_lock() {
                *guard += 1;
                break;
            }
            hint::spin_loop();
        }
        child.join().unwrap();
        Arc::into_inner(lock).unwrap().into_inner().unwrap()
    });
    assert_eq!(found.all(), [2]);
}

/// A failure without a cause can be repeated for ever, and need not be. A loop that tries again until it succeeds is
/// as if it had not failed; one that does not is explored with each failure.
#[test]
fn a_loop_of_compare_exchange_weak_is_no_deadlock() {
    let found = explore(|| {
        let x = AtomicUsize::new(0);
        let mut turns = 0;
        while x.compare_exchange_weak(0, 1, Relaxed, Relaxed).is_err() {
            turns += 1;
            hint::spin_loop();
        }
        turns
    });
    assert_eq!((found.report.complete, found.report.deadlocks), (1, 0));
    assert_eq!(found.all(), [0]);
    let found = explore(|| {
        let x = AtomicUsize::new(0);
        (0..3).find(|_| x.compare_exchange_weak(0, 1, Relaxed, Relaxed).is_ok())
    });
    assert_eq!((found.report.complete, found.report.deadlocks), (4, 0));
    assert_eq!(found.all(), [None, Some(0), Some(1), Some(2)]);
}

/// Each failure that a spin lock finds without a cause would be an execution more, of each value that it can read.
#[test]
fn failures_without_a_cause_cost_a_spin_lock_nothing() {
    for (threads, executions) in [(2, 4), (3, 48)] {
        let found = explore(move || {
            let state = std::sync::Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
            let ticket = |(lock, next): &(AtomicBool, AtomicUsize)| {
                while lock.compare_exchange_weak(false, true, Acquire, Relaxed).is_err() {
                    hint::spin_loop();
                }
                let ticket = next.load(Relaxed);
                next.store(ticket + 1, Relaxed);
                lock.store(false, Release);
                ticket
            };
            let others: Vec<_> = (1..threads)
                .map(|_| {
                    let state = std::sync::Arc::clone(&state);
                    thread::spawn(move || ticket(&state))
                })
                .collect();
            let own = ticket(&state);
            others.into_iter().fold(own, |sum, other| sum + other.join().unwrap())
        });
        assert_eq!((found.report.complete, found.report.deadlocks), (executions, 0));
        assert_eq!(found.all(), [threads * (threads - 1) / 2]);
    }
}

/// What a turn finds after its exchange has failed may be what the loop returns.
#[test]
fn what_is_found_after_a_weak_exchange_that_failed_is_not_lost() {
    let found = explore(|| {
        let there = Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
        let sets = there.clone();
        let child = thread::spawn(move || sets.1.store(1, Relaxed));
        let (lock, value) = &*there;
        let mut seen = 2;
        while lock.compare_exchange_weak(false, true, Acquire, Relaxed).is_err() {
            seen = value.load(Relaxed);
            hint::spin_loop();
        }
        child.join().unwrap();
        seen
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![0, 1, 2]));
}

/// What a turn changes after its exchange has failed is an effect of it.
#[test]
fn a_change_after_a_weak_exchange_that_failed_is_an_effect() {
    let found = explore_with(&Config { turns: 3, ..Config::default() }, || {
        let (lock, failures) = (AtomicBool::new(false), AtomicUsize::new(0));
        while lock.compare_exchange_weak(false, true, Acquire, Relaxed).is_err() {
            failures.store(failures.load(Relaxed) + 1, Relaxed);
            hint::spin_loop();
        }
        failures.load(Relaxed)
    });
    assert!(matches!(found.report.bounds[..], [Bound::Turns { thread: 0, .. }]));
    assert_eq!(found.results.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
}

/// What a thread changes behind a shared reference between two loops is no look of the first.
#[test]
fn a_section_between_two_loops_is_of_neither() {
    let found = explore(|| {
        let state = Arc::new((Mutex::new(Cell::new(0)), AtomicBool::new(false)));
        let (answers, sets) = (state.clone(), state.clone());
        let answers = thread::spawn(move || {
            let (value, _) = &*answers;
            while value.lock().unwrap().get() != 1 {
                hint::spin_loop();
            }
            value.lock().unwrap().set(2);
        });
        let sets = thread::spawn(move || sets.1.store(true, Release));
        let (value, go) = &*state;
        while !go.load(Acquire) {
            drop(value.lock().unwrap());
            drop(value.lock().unwrap());
            hint::spin_loop();
        }
        value.lock().unwrap().set(1);
        while value.lock().unwrap().get() != 2 {
            hint::spin_loop();
        }
        answers.join().unwrap();
        sets.join().unwrap();
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![()]));
}

/// Each turn ends because time is up, or without a cause: two ways to change nothing.
#[test]
fn a_loop_of_turns_that_take_turns_is_a_deadlock() {
    let found = explore(|| {
        let (lock, condvar) = (Mutex::new(false), Condvar::new());
        let mut done = lock.lock().unwrap();
        while !*done {
            done = condvar.wait_timeout(done, Duration::ZERO).unwrap().0;
        }
    });
    assert_eq!((found.report.complete, &found.report.bounds[..]), (0, &[][..]));
    assert!(found.report.deadlocks > 0);
}

/// Waits with a limit that no thread ends. They time out in the end, however often they wake up without a cause.
#[test]
fn a_wait_with_a_limit_that_no_thread_notifies_is_no_livelock() {
    type State = (Mutex<u32>, Condvar);
    let limit = Duration::from_secs(1);
    let once = move |(count, ready): &State| {
        let wait = ready.wait_timeout_while(count.lock().unwrap(), limit, |count| *count == 0);
        let (mut count, result) = wait.unwrap();
        if !result.timed_out() {
            *count -= 1;
        }
        result.timed_out()
    };
    let by_hand = move |(count, ready): &State| {
        let mut count = count.lock().unwrap();
        while *count == 0 {
            let (again, result) = ready.wait_timeout(count, limit).unwrap();
            count = again;
            if result.timed_out() {
                return true;
            }
        }
        *count -= 1;
        false
    };
    let third = move |(count, ready): &State| {
        let (mut count, mut times) = (count.lock().unwrap(), 0);
        while *count == 0 && times < 3 {
            let result;
            (count, result) = ready.wait_timeout(count, limit).unwrap();
            times += u32::from(result.timed_out());
        }
        times == 3
    };
    for permits in [0, 1] {
        let found = explore(move || {
            let state = std::sync::Arc::new((Mutex::new(permits), Condvar::new()));
            let there = std::sync::Arc::clone(&state);
            let other = thread::spawn(move || once(&there));
            let timed_out = by_hand(&state);
            u32::from(timed_out) + u32::from(other.join().unwrap())
        });
        assert_eq!((found.report.deadlocks, found.all()), (0, vec![2 - permits]));
    }
    let found = explore(move || third(&(Mutex::new(0), Condvar::new())));
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![true]));
}

#[test]
fn a_loop_whose_turns_have_an_effect_is_bounded_and_others_go_on() {
    let found = explore_with(&Config { turns: 3, ..Config::default() }, || {
        let (flag, tries) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
        let there = flag.clone();
        let child = thread::spawn(move || there.store(true, Relaxed));
        while !flag.load(Relaxed) {
            tries.fetch_add(1, Relaxed);
            hint::spin_loop();
        }
        child.join().unwrap();
        tries.into_inner()
    });
    assert_eq!(found.results.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(matches!(found.report.bounds[..], [Bound::Turns { thread: 0, .. }]));
    assert_eq!(found.report.deadlocks, 0);
}

/// The same by stores, of which each turn looks like the one before.
#[test]
fn a_store_is_an_effect() {
    let found = explore_with(&Config { turns: 3, ..Config::default() }, || {
        let (flag, tries) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
        let there = flag.clone();
        let child = thread::spawn(move || there.store(true, Relaxed));
        let mut turns = 0;
        while !flag.load(Relaxed) {
            turns += 1;
            tries.store(turns, Relaxed);
            hint::spin_loop();
        }
        child.join().unwrap();
        tries.into_inner()
    });
    assert_eq!(found.results.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(matches!(found.report.bounds[..], [Bound::Turns { thread: 0, .. }]));
}

#[test]
fn steps_and_executions_have_limits() {
    let program = || {
        let x = Arc::new(AtomicUsize::new(0));
        let there = x.clone();
        let child = thread::spawn(move || {
            for _ in 0..5 {
                there.fetch_add(1, Relaxed);
            }
        });
        for _ in 0..5 {
            x.fetch_add(1, Relaxed);
        }
        child.join().unwrap();
    };
    let found = explore_with(&Config { steps: 4, ..Config::default() }, program);
    assert!(matches!(found.report.bounds[..], [Bound::Steps { .. }]));
    assert_eq!(found.report.complete, 0);
    let found = explore_with(&Config { executions: 10, ..Config::default() }, program);
    assert_eq!((found.report.complete, &found.report.bounds[..]), (10, &[Bound::Executions][..]));
}
