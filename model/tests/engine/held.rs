//! Loops whose turns hold locks: where a turn ends while it does, and where the attempts of other threads fail in it.

use std::time::Duration;

use crate::facade::explore;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Arc, Mutex, RwLock, hint, mpsc, thread};

/// Runs two threads, in either order, to the end.
fn both<S: Send + Sync + 'static>(shared: fn() -> S, loops: fn(&S), other: fn(&S)) {
    for (first, second) in [(loops, other), (other, loops)] {
        let found = explore(move || {
            let shared = Arc::new(shared());
            let there = shared.clone();
            let child = thread::spawn(move || second(&there));
            first(&shared);
            child.join().unwrap();
        });
        assert_eq!(found.report.deadlocks, 0);
        assert_eq!(found.all(), [()]);
    }
}

#[test]
fn a_hint_while_a_mutex_is_held_is_no_deadlock() {
    let sets = |lock: &Mutex<u64>| *lock.lock().unwrap() = 1;
    let yields = |lock: &Mutex<u64>| {
        loop {
            let value = lock.lock().unwrap();
            if *value != 0 {
                break;
            }
            thread::yield_now();
        }
    };
    both(Mutex::default, yields, sets);
    let couples = |lock: &Mutex<u64>| {
        let mut value = lock.lock().unwrap();
        while *value == 0 {
            hint::spin_loop();
            drop(value);
            value = lock.lock().unwrap();
        }
    };
    both(Mutex::default, couples, sets);
    let tries = |lock: &Mutex<u64>| {
        loop {
            let value = lock.try_lock();
            if value.is_ok_and(|value| *value != 0) {
                break;
            }
            thread::yield_now();
        }
    };
    both(Mutex::default, tries, sets);
    let tries_to_set = |lock: &Mutex<u64>| {
        loop {
            if let Ok(mut value) = lock.try_lock() {
                *value = 1;
                break;
            }
            hint::spin_loop();
        }
    };
    both(Mutex::default, yields, tries_to_set);
}

fn pause() {
    hint::spin_loop();
}

/// Where a turn ends is told by the calls, not by the place of the hint.
#[test]
fn a_helper_that_waits_with_and_without_the_lock_is_no_deadlock() {
    both(
        Mutex::default,
        |lock| {
            loop {
                let value = lock.lock().unwrap();
                if *value != 0 {
                    break;
                }
                pause();
                drop(value);
                pause();
            }
        },
        |lock| *lock.lock().unwrap() = 1,
    );
    both(
        RwLock::default,
        |lock| {
            loop {
                let value = lock.write().unwrap();
                if *value != 0 {
                    break;
                }
                pause();
                drop(value);
                pause();
            }
        },
        |lock| *lock.write().unwrap() = 1,
    );
    both(
        Mutex::default,
        |lock| {
            let mut held = None;
            loop {
                let value = held.take().unwrap_or_else(|| lock.lock().unwrap());
                if *value != 0 {
                    break;
                }
                hint::spin_loop();
                drop(value);
                hint::spin_loop();
                held = Some(lock.lock().unwrap());
                hint::spin_loop();
            }
        },
        |lock| *lock.lock().unwrap() = 1,
    );
}

fn waits(lock: &Mutex<u64>) {
    loop {
        let value = lock.lock().unwrap();
        if *value != 0 {
            break;
        }
        thread::yield_now();
    }
}

/// Behind the hint, and before the release, it takes another step.
fn waits_and_loads((lock, other): &(Mutex<u64>, AtomicU64)) {
    loop {
        let value = lock.lock().unwrap();
        if *value != 0 {
            break;
        }
        hint::spin_loop();
        other.load(SeqCst);
        drop(value);
    }
}

#[test]
fn a_step_between_a_hint_and_a_release_is_no_deadlock() {
    both(Default::default, waits_and_loads, |(lock, _)| *lock.lock().unwrap() = 1);
    // What it finds there ends the loop.
    both(
        Default::default,
        |(lock, stop): &(Mutex<u64>, AtomicU64)| {
            loop {
                let _held = lock.lock().unwrap();
                hint::spin_loop();
                if stop.load(SeqCst) == 1 {
                    break;
                }
            }
        },
        |(lock, stop)| {
            drop(lock.lock().unwrap());
            stop.store(1, SeqCst);
        },
    );
}

/// A guard that lives until behind the hint, as in the `match` of a worker, costs nothing: the turn ends behind the
/// release.
#[test]
fn a_hint_before_the_release_costs_as_much_as_one_behind_it() {
    fn executions<S: Send + Sync + 'static>(shared: fn() -> S, works: fn(&S), last: fn(&S)) -> u64 {
        let found = explore(move || {
            let shared = Arc::new(shared());
            let workers = [0, 1].map(|_| {
                let shared = shared.clone();
                thread::spawn(move || works(&shared))
            });
            last(&shared);
            for worker in workers {
                worker.join().unwrap();
            }
        });
        assert_eq!(found.report.deadlocks, 0);
        found.report.executions()
    }
    type Jobs = (Mutex<Option<mpsc::Sender<u64>>>, Mutex<mpsc::Receiver<u64>>);
    let jobs = || -> Jobs {
        let (sender, receiver) = mpsc::channel();
        (Mutex::new(Some(sender)), Mutex::new(receiver))
    };
    let one_job = |(sender, _): &Jobs| {
        let sender = sender.lock().unwrap().take().unwrap();
        sender.send(1).unwrap();
    };
    let held = |(_, receiver): &Jobs| {
        loop {
            match receiver.lock().unwrap().try_recv() {
                Ok(_) => {}
                Err(mpsc::TryRecvError::Empty) => thread::yield_now(),
                Err(mpsc::TryRecvError::Disconnected) => break,
            }
        }
    };
    let released = |(_, receiver): &Jobs| {
        loop {
            let job = receiver.lock().unwrap().try_recv();
            match job {
                Ok(_) => {}
                Err(mpsc::TryRecvError::Empty) => thread::yield_now(),
                Err(mpsc::TryRecvError::Disconnected) => break,
            }
        }
    };
    assert_eq!(executions(jobs, held, one_job), 240);
    assert_eq!(executions(jobs, released, one_job), 240);
    let sets = |lock: &Mutex<u64>| *lock.lock().unwrap() = 1;
    let held = |lock: &Mutex<u64>| {
        loop {
            let value = lock.try_lock();
            if value.as_ref().is_ok_and(|value| **value != 0) {
                break;
            }
            thread::yield_now();
        }
    };
    let released = |lock: &Mutex<u64>| {
        loop {
            let is_set = lock.try_lock().is_ok_and(|value| *value != 0);
            if is_set {
                break;
            }
            thread::yield_now();
        }
    };
    assert_eq!(executions(Mutex::default, held, sets), 536);
    assert_eq!(executions(Mutex::default, released, sets), 536);
}

/// What has changed before a hint is seen when the lock is released behind it.
#[test]
fn a_change_before_a_hint_while_a_mutex_is_held_is_found() {
    let waits = |(lock, _): &(Mutex<u64>, AtomicU64)| {
        while *lock.lock().unwrap() == 0 {
            hint::spin_loop();
        }
    };
    let one_hint = |(lock, _): &(Mutex<u64>, AtomicU64)| {
        let mut value = lock.lock().unwrap();
        *value = 1;
        thread::yield_now();
        drop(value);
        thread::yield_now();
    };
    both(Default::default, one_hint, waits);
    let two_hints = |(lock, _): &(Mutex<u64>, AtomicU64)| {
        let mut value = lock.lock().unwrap();
        *value = 1;
        thread::yield_now();
        thread::yield_now();
        drop(value);
        thread::yield_now();
    };
    both(Default::default, two_hints, waits);
    let loads = |(lock, number): &(Mutex<u64>, AtomicU64)| {
        let mut value = lock.lock().unwrap();
        *value = 1;
        thread::yield_now();
        number.load(SeqCst);
        drop(value);
        thread::yield_now();
    };
    both(Default::default, loads, waits);
    let waits_too = |(lock, number): &(Mutex<u64>, AtomicU64)| {
        let mut value = lock.lock().unwrap();
        *value = 1;
        while number.load(SeqCst) == 0 {
            thread::yield_now();
        }
        drop(value);
        thread::yield_now();
    };
    let sets_and_waits = |(lock, number): &(Mutex<u64>, AtomicU64)| {
        number.store(1, SeqCst);
        while *lock.lock().unwrap() == 0 {
            hint::spin_loop();
        }
    };
    both(Default::default, waits_too, sets_and_waits);
    let writes = |lock: &RwLock<u64>| {
        let mut value = lock.write().unwrap();
        *value = 1;
        thread::yield_now();
        thread::yield_now();
        drop(value);
        thread::yield_now();
    };
    let reads = |lock: &RwLock<u64>| {
        while lock.try_read().is_ok_and(|value| *value == 0) {
            hint::spin_loop();
        }
    };
    both(RwLock::default, writes, reads);
}

/// The end of a section that began in the turn before, and a weak exchange after it.
#[test]
fn a_weak_exchange_after_a_guard_that_lived_behind_a_hint_is_tried_again() {
    fn adds(number: &AtomicU64) {
        let mut value = number.load(SeqCst);
        while let Err(now) = number.compare_exchange_weak(value, value + 1, SeqCst, SeqCst) {
            value = now;
        }
    }
    let at_once = |(lock, number): &(Mutex<()>, AtomicU64)| {
        let guard = lock.lock().unwrap();
        thread::yield_now();
        drop(guard);
        adds(number);
    };
    let after_a_load = |(lock, number): &(Mutex<()>, AtomicU64)| {
        let guard = lock.lock().unwrap();
        thread::yield_now();
        number.load(SeqCst);
        drop(guard);
        adds(number);
    };
    both(Default::default, at_once, |(_, number)| adds(number));
    both(Default::default, after_a_load, |(_, number)| adds(number));
}

/// Neither is in the other's way for ever, and no thread ends them.
#[test]
fn two_loops_that_hold_a_lock_where_their_turns_end_are_a_livelock() {
    fn never_end<S: Send + Sync + 'static>(shared: fn() -> S, first: fn(&S), second: fn(&S)) {
        let found = explore(move || {
            let shared = Arc::new(shared());
            let there = shared.clone();
            let child = thread::spawn(move || second(&there));
            first(&shared);
            child.join().unwrap();
        });
        assert_eq!(found.report.complete, 0);
        assert!(found.report.deadlocks > 0);
    }
    let tries = |lock: &Mutex<u64>| {
        while !lock.try_lock().is_ok_and(|value| *value != 0) {
            thread::yield_now();
        }
    };
    never_end(Mutex::default, waits, waits);
    never_end(Mutex::default, waits, tries);
    never_end(Mutex::default, tries, waits);
    never_end(Default::default, waits_and_loads, waits_and_loads);
    let reads = |lock: &RwLock<u64>| {
        loop {
            let value = lock.read().unwrap();
            if *value != 0 {
                break;
            }
            thread::yield_now();
        }
    };
    let writes = |lock: &RwLock<u64>| {
        loop {
            let value = lock.write().unwrap();
            if *value != 0 {
                break;
            }
            thread::yield_now();
        }
    };
    never_end(RwLock::default, reads, writes);
    never_end(RwLock::default, writes, reads);
    never_end(RwLock::default, writes, writes);
    // The sender is never dropped.
    type Jobs = (mpsc::Sender<u64>, Mutex<mpsc::Receiver<u64>>);
    let jobs = || {
        let (sender, receiver) = mpsc::channel();
        (sender, Mutex::new(receiver))
    };
    let works = |(_, receiver): &Jobs| {
        loop {
            match receiver.lock().unwrap().try_recv() {
                Ok(_) => {}
                Err(mpsc::TryRecvError::Empty) => thread::yield_now(),
                Err(mpsc::TryRecvError::Disconnected) => break,
            }
        }
    };
    never_end(jobs, works, works);
}

/// A third thread stops two such loops, or misses that it should.
#[test]
fn a_livelock_of_loops_that_hold_a_lock_is_seen_beside_other_executions() {
    type Shared = (Mutex<()>, AtomicU64, AtomicU64);
    let found = explore(|| {
        let shared = Arc::new(Shared::default());
        let polls = |(lock, stop, _): &Shared| {
            while stop.load(SeqCst) == 0 {
                let _held = lock.lock().unwrap();
                thread::yield_now();
            }
        };
        let children = [(); 2].map(|()| {
            let shared = shared.clone();
            thread::spawn(move || polls(&shared))
        });
        let there = shared.clone();
        let goes = thread::spawn(move || there.2.store(1, SeqCst));
        if shared.2.load(SeqCst) == 1 {
            shared.1.store(1, SeqCst);
        }
        goes.join().unwrap();
        children.into_iter().for_each(|child| child.join().unwrap());
    });
    assert!(found.report.complete > 0 && found.report.deadlocks > 0);
    let found = explore(|| {
        let lock = Arc::new(Mutex::new(0));
        let children = [(); 2].map(|()| {
            let lock = lock.clone();
            thread::spawn(move || waits(&lock))
        });
        *lock.lock().unwrap() = 1;
        children.into_iter().for_each(|child| child.join().unwrap());
    });
    assert!(found.report.complete > 0);
    assert_eq!(found.report.deadlocks, 0);
}

#[test]
fn a_hint_while_a_lock_is_read_is_no_deadlock() {
    let sets = |lock: &RwLock<u64>| *lock.write().unwrap() = 1;
    let yields = |lock: &RwLock<u64>| {
        loop {
            let value = lock.read().unwrap();
            if *value != 0 {
                break;
            }
            thread::yield_now();
        }
    };
    both(RwLock::default, yields, sets);
    let couples = |lock: &RwLock<u64>| {
        let mut value = lock.read().unwrap();
        while *value == 0 {
            hint::spin_loop();
            drop(value);
            value = lock.read().unwrap();
        }
    };
    both(RwLock::default, couples, sets);
    let tries_to_set = |lock: &RwLock<u64>| {
        loop {
            if let Ok(mut value) = lock.try_write() {
                *value = 1;
                break;
            }
            hint::spin_loop();
        }
    };
    both(RwLock::default, yields, tries_to_set);
}

#[test]
fn a_wait_with_a_limit_while_a_mutex_is_held_is_no_deadlock() {
    type Shared = (Mutex<()>, AtomicU64, mpsc::Sender<u64>, Mutex<mpsc::Receiver<u64>>);
    const LIMIT: Duration = Duration::from_millis(1);
    let shared = || {
        let (sender, receiver) = mpsc::channel();
        (Mutex::new(()), AtomicU64::new(0), sender, Mutex::new(receiver))
    };
    let waits = |(lock, _, _, receiver): &Shared| {
        let receiver = receiver.lock().unwrap();
        loop {
            let _held = lock.lock().unwrap();
            if receiver.recv_timeout(LIMIT).is_ok() {
                break;
            }
        }
    };
    let sends = |(lock, _, sender, _): &Shared| {
        drop(lock.lock().unwrap());
        sender.send(1).unwrap();
    };
    both(shared, waits, sends);
    let sleeps = |(lock, flag, ..): &Shared| {
        loop {
            let _held = lock.lock().unwrap();
            if flag.load(SeqCst) != 0 {
                break;
            }
            thread::sleep(LIMIT);
        }
    };
    let sets = |(lock, flag, ..): &Shared| {
        drop(lock.lock().unwrap());
        flag.store(1, SeqCst);
    };
    both(shared, sleeps, sets);
}

/// What was taken before the loop is not released by its turns.
#[test]
fn a_lock_that_is_held_over_the_whole_loop_is_a_deadlock() {
    let found = explore(|| {
        let shared = Arc::new((Mutex::new(()), AtomicU64::new(0)));
        let there = shared.clone();
        let child = thread::spawn(move || {
            drop(there.0.lock());
            there.1.store(1, SeqCst);
        });
        let held = shared.0.lock().unwrap();
        while shared.1.load(SeqCst) == 0 {
            hint::spin_loop();
        }
        drop(held);
        child.join().unwrap();
    });
    assert!(found.report.deadlocks > 0);
    let found = explore(|| {
        let shared = Arc::new((RwLock::new(()), AtomicU64::new(0)));
        let there = shared.clone();
        let child = thread::spawn(move || {
            drop(there.0.write());
            there.1.store(1, SeqCst);
        });
        let held = shared.0.read().unwrap();
        while shared.1.load(SeqCst) == 0 {
            hint::spin_loop();
        }
        drop(held);
        child.join().unwrap();
    });
    assert!(found.report.deadlocks > 0);
}

/// The next turn of the loop needs a lock that the other thread holds, which waits for the one that the loop holds.
#[test]
fn two_locks_in_opposite_order_are_a_deadlock_with_a_hint_in_between() {
    let found = explore(|| {
        let shared = Arc::new((Mutex::new(()), Mutex::new(()), AtomicU64::new(0)));
        let there = shared.clone();
        let child = thread::spawn(move || {
            let _second = there.1.lock().unwrap();
            let _first = there.0.lock().unwrap();
            there.2.store(1, SeqCst);
        });
        let mut held = shared.0.lock().unwrap();
        while shared.2.load(SeqCst) == 0 {
            hint::spin_loop();
            drop(shared.1.lock());
            drop(held);
            held = shared.0.lock().unwrap();
        }
        drop(held);
        child.join().unwrap();
    });
    assert!(found.report.deadlocks > 0 && found.report.complete > 0);
    assert_eq!(found.report.bounds, []);
}

/// Each attempt can fail only in another section than the one before, so the last one in the fourth turn of the loop.
#[test]
fn attempts_in_no_loop_each_fail_in_another_turn() {
    let found = explore(|| {
        let shared = Arc::new(([Mutex::new(()), Mutex::new(())], AtomicU64::new(0)));
        let there = shared.clone();
        let child = thread::spawn(move || {
            loop {
                there.0.iter().for_each(|mutex| drop(mutex.lock()));
                if there.1.load(SeqCst) == 1 {
                    break;
                }
                hint::spin_loop();
            }
        });
        let failed = (0..7).take_while(|turn| shared.0[turn % 2].try_lock().is_err()).count();
        shared.1.store(1, SeqCst);
        child.join().unwrap();
        failed
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, (0..=7).collect()));
    let found = explore(|| {
        let shared = Arc::new((RwLock::new(()), AtomicU64::new(0)));
        let there = shared.clone();
        let child = thread::spawn(move || {
            hint::wait_until(|| {
                drop(there.0.write());
                there.1.load(SeqCst) == 1
            });
        });
        let failed = [(); 5].map(|()| shared.0.try_read().is_err());
        shared.1.store(1, SeqCst);
        child.join().unwrap();
        failed
    });
    assert_eq!((found.report.deadlocks, found.all().len()), (0, 32));
}
