//! What waits for another thread: barriers, parking, condition variables, what is done once.

use std::time::Duration;

use crate::facade::{Found, explore, explore_with};
use Ordering::{Acquire, Relaxed, Release, SeqCst};
use selvedge_model::engine::graph::{Config, Ending};
use selvedge_model::kernel::Policy;
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use selvedge_model::sync::{Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, thread};

use super::{Shared, hands_over};

#[test]
fn once_and_its_kin_hand_over() {
    let found = hands_over(OnceLock::new, |l| l.set(1).unwrap_or(()), |l| l.get().is_some());
    assert_eq!(found.all(), [()]);
    let found = hands_over(Once::new, |once| once.call_once(|| ()), Once::is_completed);
    assert_eq!(found.all(), [()]);
    let found = explore(|| {
        let lazy = Arc::new(LazyLock::new(|| AtomicUsize::new(0)));
        let there = lazy.clone();
        let child = thread::spawn(move || there.fetch_add(1, Relaxed));
        let sum = lazy.fetch_add(1, Relaxed) + child.join().unwrap();
        (sum, lazy.load(Relaxed))
    });
    assert_eq!(found.all(), [(1, 2)]);
}

#[test]
fn a_barrier_orders_both_ways_and_has_one_leader() {
    let found = explore(|| {
        let (barrier, x, y) = (Arc::new(Barrier::new(2)), Shared::new(), Shared::new());
        let child = {
            let (barrier, x, y) = (barrier.clone(), x.clone(), y.clone());
            thread::spawn(move || {
                x.write(1);
                let leader = barrier.wait().is_leader();
                (leader, y.read())
            })
        };
        y.write(1);
        let leader = barrier.wait().is_leader();
        let (other, seen) = child.join().unwrap();
        assert_eq!((leader != other, seen, x.read()), (true, 1, 1));
        leader
    });
    assert_eq!(found.all(), [false, true]);
}

/// In which order they arrive decides who leads; in which order they leave, nothing.
#[test]
fn threads_leave_a_barrier_in_one_order() {
    let found = explore(|| {
        let barrier = Barrier::new(3);
        let leads = || barrier.wait().is_leader();
        thread::scope(|scope| {
            let others = [(); 2].map(|()| scope.spawn(leads));
            (leads(), others.map(|other| other.join().unwrap()))
        })
    });
    assert_eq!(found.report.complete, 6);
    assert_eq!(found.all().len(), 3);
}

/// A barrier for one thread lets each pass by itself.
#[test]
fn a_barrier_does_not_order_threads_of_two_generations() {
    let found = explore(|| {
        let (barrier, memory) = (Arc::new(Barrier::new(1)), Shared::new());
        let passed = Arc::new(AtomicBool::new(false));
        let child = {
            let (barrier, memory, passed) = (barrier.clone(), memory.clone(), passed.clone());
            thread::spawn(move || {
                memory.write(1);
                barrier.wait();
                passed.store(true, Relaxed);
            })
        };
        if passed.load(Relaxed) {
            barrier.wait();
            memory.read();
        }
        child.join().unwrap();
    });
    assert!(found.endings.iter().any(|ending| matches!(ending, Ending::Race { .. })));
}

#[test]
fn park_and_unpark_hand_over() {
    let found = explore(|| {
        let (memory, ready) = (Shared::new(), Arc::new(AtomicBool::new(false)));
        let me = thread::current();
        let child = {
            let (memory, ready) = (memory.clone(), ready.clone());
            thread::spawn(move || {
                memory.write(1);
                ready.store(true, Release);
                me.unpark();
            })
        };
        while !ready.load(Acquire) {
            thread::park();
        }
        memory.read();
        child.join().unwrap();
    });
    assert_eq!(found.all(), [()]);
}

#[test]
fn a_lost_unpark_is_a_deadlock() {
    let found = explore(|| {
        let ready = Arc::new(AtomicBool::new(false));
        let (there, me) = (ready.clone(), thread::current());
        // The wrong way round.
        let child = thread::spawn(move || {
            me.unpark();
            there.store(true, Relaxed);
        });
        while !ready.load(Relaxed) {
            thread::park();
        }
        child.join().unwrap();
    });
    assert!(found.report.deadlocks > 0);
}

/// One thread waits for a flag under a mutex; the other sets it and notifies.
fn signal(lock_to_set: bool, timed: bool) -> Found<bool> {
    explore(move || {
        let pair = Arc::new((Mutex::new(false), Condvar::new(), AtomicBool::new(false)));
        let there = pair.clone();
        let child = thread::spawn(move || {
            if lock_to_set {
                *there.0.lock().unwrap() = true;
            } else {
                there.2.store(true, SeqCst);
            }
            there.1.notify_one();
        });
        let (flag, condvar, other) = &*pair;
        let mut guard = flag.lock().unwrap();
        let mut late = false;
        while !*guard && !other.load(SeqCst) && !late {
            if timed {
                let result;
                (guard, result) = condvar.wait_timeout(guard, Duration::from_secs(1)).unwrap();
                late = result.timed_out();
            } else {
                guard = condvar.wait(guard).unwrap();
            }
        }
        drop(guard);
        child.join().unwrap();
        late
    })
}

#[test]
fn a_condition_variable_wakes_what_waits() {
    assert_eq!(signal(true, false).all(), [false]);
    assert_eq!(signal(true, true).all(), [false, true]);
}

#[test]
fn a_notification_outside_the_mutex_is_lost() {
    assert!(signal(false, false).report.deadlocks > 0);
}

#[test]
fn notify_one_wakes_any_of_two() {
    let found = explore(|| {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let pair = pair.clone();
                thread::spawn(move || {
                    let guard = pair.0.lock().unwrap();
                    let mut guard = pair.1.wait_while(guard, |turn| *turn == 0).unwrap();
                    *guard += 1;
                    pair.1.notify_one();
                    *guard
                })
            })
            .collect();
        *pair.0.lock().unwrap() = 1;
        pair.1.notify_one();
        waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(found.all(), [[2, 3], [3, 2]]);
}

/// Of two threads that wait, the one with a limit may be the one that is notified.
#[test]
fn notify_one_may_wake_a_thread_that_waits_with_a_limit() {
    let config = Config { policy: Policy { spurious: false, patient: false }, ..Config::default() };
    let found = explore_with(&config, || {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let there = pair.clone();
        let other = thread::spawn(move || drop(there.1.wait(there.0.lock().unwrap())));
        let there = pair.clone();
        let notifier = thread::spawn(move || there.1.notify_one());
        let guard = pair.0.lock().unwrap();
        let (guard, result) = pair.1.wait_timeout(guard, Duration::from_secs(1)).unwrap();
        drop(guard);
        notifier.join().unwrap();
        pair.1.notify_one();
        other.join().unwrap();
        result.timed_out()
    });
    assert_eq!(found.results.into_iter().collect::<Vec<_>>(), [false, true]);
}
