//! Loops that wait for what is done in critical sections.

use std::cell::Cell;
use std::time::Duration;

use crate::facade::{explore, explore_with};
use Ordering::{Acquire, Relaxed, Release, SeqCst};
use selvedge_model::engine::graph::{Config, Report};
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use selvedge_model::sync::mpsc::sync_channel;
use selvedge_model::sync::{Arc, Condvar, Mutex, RwLock, hint, thread};

const SOON: Duration = Duration::from_millis(1);

/// Runs `others` in threads of their own, and `first` here.
fn with<S: Send + Sync + 'static, R>(
    state: S,
    first: impl FnOnce(&S) -> R,
    others: &[fn(&S)],
) -> R {
    let state = Arc::new(state);
    let children: Vec<_> = others
        .iter()
        .map(|&body| {
            let state = state.clone();
            thread::spawn(move || body(&state))
        })
        .collect();
    let result = first(&state);
    for child in children {
        child.join().unwrap();
    }
    result
}

/// The values that a loop reads until it reads 2, each once in a row.
fn seen(mut read: impl FnMut() -> u64) -> Vec<u64> {
    let mut seen = vec![read()];
    while *seen.last().unwrap() != 2 {
        hint::spin_loop();
        seen.push(read());
        seen.dedup();
    }
    seen
}

#[test]
fn another_lock_within_the_section_hides_no_change() {
    let found = explore(|| {
        let sees = |(a, _): &(Mutex<u64>, Mutex<()>)| seen(|| *a.lock().unwrap());
        with(
            Default::default(),
            sees,
            &[|(a, b)| {
                let mut guard = a.lock().unwrap();
                *guard = 1;
                drop(b.lock().unwrap());
                drop(guard);
                *a.lock().unwrap() = 2;
            }],
        )
    });
    assert_eq!(found.all(), [vec![0, 1, 2], vec![0, 2], vec![1, 2], vec![2]]);
}

/// The engines cannot see what changes behind a `&`.
#[test]
fn a_change_through_a_shared_reference_is_one() {
    let found = explore(|| {
        let sees = |cell: &Mutex<Cell<u64>>| seen(|| cell.lock().unwrap().get());
        with(
            Mutex::default(),
            sees,
            &[|cell| {
                cell.lock().unwrap().set(1);
                cell.lock().unwrap().set(2);
            }],
        )
    });
    assert_eq!(found.all(), [vec![0, 1, 2], vec![0, 2], vec![1, 2], vec![2]]);
    let found = explore(|| {
        let waits = |cell: &Mutex<Cell<u64>>| hint::wait_until(|| cell.lock().unwrap().get() == 1);
        with(Mutex::default(), waits, &[|cell| cell.lock().unwrap().set(1)]);
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![()]));
}

/// What a thread does before its loop is no part of the loop, though it ends with the first turn.
#[test]
fn a_change_before_a_loop_on_the_same_lock_is_one() {
    type State = (Mutex<Cell<u64>>, AtomicBool);
    let found = explore(|| {
        let sees = |(cell, done): &State| {
            hint::wait_until(|| cell.lock().unwrap().get() == 1);
            done.store(true, Release);
        };
        with(
            Default::default(),
            sees,
            &[|(cell, done)| {
                cell.lock().unwrap().set(1);
                hint::wait_until(|| {
                    drop(cell.lock().unwrap());
                    done.load(Acquire)
                });
            }],
        );
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![()]));
    let found = explore(|| {
        let sees = |(cell, done): &State| {
            hint::wait_until(|| cell.lock().unwrap().get() == 1);
            done.store(true, Release);
        };
        with(
            Default::default(),
            sees,
            &[|(cell, done)| {
                cell.lock().unwrap().set(1);
                while !done.load(Acquire) {
                    drop(cell.lock().unwrap());
                    hint::spin_loop();
                }
            }],
        );
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![()]));
}

/// A turn that changes something visible may have changed what its lock protects as well.
#[test]
fn a_section_of_a_turn_with_an_effect_is_a_change() {
    let found = explore(|| {
        let sees = |(cell, turns, done): &(Mutex<Cell<u64>>, AtomicU64, AtomicBool)| {
            hint::wait_until(|| cell.lock().unwrap().get() == 1);
            done.store(true, Release);
            turns.load(Relaxed)
        };
        with(
            Default::default(),
            sees,
            &[|(cell, turns, done)| {
                let mut turn = 0;
                while !done.load(Acquire) {
                    if turn == 0 {
                        cell.lock().unwrap().set(1);
                        turns.store(1, Relaxed);
                        turn = 1;
                    }
                    hint::spin_loop();
                }
            }],
        )
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![0, 1]));
}

#[test]
fn a_condition_that_takes_something_changes_it() {
    let found = explore(|| {
        let waits = |(permits, _): &(Mutex<u64>, Condvar)| {
            hint::wait_until(|| *permits.lock().unwrap() == 0);
        };
        with(
            (Mutex::new(1), Condvar::new()),
            waits,
            &[|(permits, changed)| {
                let takes = |permits: &mut u64| {
                    let none = *permits == 0;
                    *permits = permits.saturating_sub(1);
                    none
                };
                drop(changed.wait_while(permits.lock().unwrap(), takes).unwrap());
            }],
        );
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![()]));
}

/// Loads find later stores in turn; whether a lock is free comes and goes.
#[test]
fn whether_a_lock_is_free_may_change_and_change_back() {
    let found = explore(|| {
        let flips = |(lock, done): &(Mutex<()>, AtomicBool)| {
            let (mut flips, mut last) = (0, true);
            while flips < 4 && !done.load(Acquire) {
                let free = lock.try_lock().is_ok();
                flips += u64::from(free != last);
                last = free;
                hint::spin_loop();
            }
            flips
        };
        with(
            Default::default(),
            flips,
            &[|(lock, done)| {
                for _ in 0..2 {
                    drop(lock.lock().unwrap());
                }
                done.store(true, Release);
            }],
        )
    });
    assert_eq!(found.all(), [0, 1, 2, 3, 4]);
}

/// A turn of a loop that holds a lock may be what makes a `try_lock` fail.
#[test]
fn a_loop_that_looks_may_make_a_try_lock_fail() {
    let found = explore(|| {
        with(
            (Mutex::new(false), AtomicBool::new(true)),
            |(lock, tried): &(_, AtomicBool)| {
                hint::wait_until(|| *lock.lock().unwrap());
                tried.load(Relaxed)
            },
            &[|(lock, tried)| {
                tried.store(lock.try_lock().is_ok(), Relaxed);
                *lock.lock().unwrap() = true;
            }],
        )
    });
    assert_eq!(found.all(), [false, true]);
}

#[test]
fn a_call_that_fails_changes_nothing() {
    let found = explore(|| {
        let (sender, receiver) = sync_channel(1);
        let child = thread::spawn(move || receiver.iter().sum::<u64>());
        for number in [1, 2] {
            while sender.try_send(number).is_err() {
                hint::spin_loop();
            }
        }
        drop(sender);
        child.join().unwrap()
    });
    assert_eq!(found.all(), [3]);
    let found = explore(|| {
        let mut owned = Arc::new(0);
        let shared = owned.clone();
        let child = thread::spawn(move || drop(shared));
        while Arc::get_mut(&mut owned).is_none() {
            hint::spin_loop();
        }
        child.join().unwrap();
    });
    assert_eq!(found.all(), [()]);
}

/// Each time that one of them is woken or its time is up, the other may look again; and each may remember that time was up.
#[test]
fn several_threads_that_wait_with_a_limit() {
    for (waiting, executions) in [(1, 5), (2, 1_732)] {
        let found = explore(move || {
            let state = Arc::new((Mutex::new(0), Condvar::new()));
            let waits = |state: Arc<(Mutex<u64>, Condvar)>| {
                let mut guard = state.0.lock().unwrap();
                while *guard == 0 {
                    guard = state.1.wait_timeout(guard, SOON).unwrap().0;
                }
            };
            let children: Vec<_> = (0..waiting)
                .map(|_| {
                    let state = state.clone();
                    thread::spawn(move || waits(state))
                })
                .collect();
            *state.0.lock().unwrap() = 1;
            for child in children {
                child.join().unwrap();
            }
        });
        assert_eq!((found.report.complete, found.report.deadlocks), (executions, 0));
        assert_eq!(found.all(), [()]);
    }
}

/// In the middle of its turn, each knows of sections of the other of which it cannot know whether they change something.
#[test]
fn turns_that_end_after_the_last_section_are_not_for_ever() {
    let found = explore(|| {
        let waits = |(a, b, ready): &(Mutex<()>, Mutex<()>, AtomicU64)| {
            loop {
                drop(a.lock().unwrap());
                drop(b.lock().unwrap());
                if ready.load(SeqCst) == 1 {
                    break;
                }
                hint::spin_loop();
            }
        };
        let sets = |state: &(Mutex<()>, Mutex<()>, AtomicU64)| state.2.store(1, SeqCst);
        with(Default::default(), waits, &[waits, sets]);
    });
    assert_eq!((found.report.deadlocks, found.all()), (0, vec![()]));
}

/// Whether time is up may be all that a loop leaves for.
#[test]
fn a_loop_that_leaves_when_its_time_is_up() {
    for limit in [1, 3] {
        let found = explore(move || {
            let leaves = |(lock, changed): &(Mutex<u64>, Condvar)| {
                let (mut guard, mut times) = (lock.lock().unwrap(), 0);
                while *guard == 0 && times < limit {
                    let wait = changed.wait_timeout(guard, SOON).unwrap();
                    times += u64::from(wait.1.timed_out());
                    guard = wait.0;
                }
                (*guard, times)
            };
            with(
                Default::default(),
                leaves,
                &[|(lock, changed)| {
                    *lock.lock().unwrap() = 1;
                    changed.notify_one();
                }],
            )
        });
        let all = found.all();
        assert!((0..=limit).all(|times| all.contains(&(1, times))), "{all:?}");
        assert!(all.contains(&(0, limit)), "{all:?}");
    }
}

/// Each idle turn may be what makes another `try_lock` fail.
#[test]
fn several_turns_of_a_loop_may_make_a_try_lock_fail() {
    let found = explore(|| {
        with(
            Default::default(),
            |(lock, done): &(Mutex<()>, AtomicBool)| {
                let tries = [(); 3].map(|()| lock.try_lock().is_ok());
                done.store(true, Release);
                tries
            },
            &[|(lock, done): &(Mutex<()>, AtomicBool)| {
                while !done.load(Acquire) {
                    drop(lock.lock().unwrap());
                    hint::spin_loop();
                }
            }],
        )
    });
    let all = [false, true].map(|a| [false, true].map(|b| [false, true].map(|c| [a, b, c])));
    assert_eq!(found.all(), all.as_flattened().as_flattened());
}

/// It fails as long as a read is under way. How many have ended is not told apart, only which one began last.
#[test]
fn a_loop_that_tries_to_write_may_fail_once_for_each_read() {
    let program = || {
        let writes = |lock: &RwLock<u64>| {
            loop {
                if let Ok(mut guard) = lock.try_write() {
                    *guard += 1;
                    break;
                }
                hint::spin_loop();
            }
        };
        let reads = |lock: &RwLock<u64>| {
            for _ in 0..3 {
                drop(lock.read().unwrap());
            }
        };
        with(RwLock::default(), writes, &[reads]);
    };
    // First with so few steps that it comes to an end if it does tell them apart.
    let few = Config { steps: 30, ..Config::default() };
    assert_eq!(explore_with(&few, program).report.complete, 46);
    explore(program).all();
}

/// The thread holds the lock itself, or has held it, when it tries to take it.
#[test]
fn a_loop_that_waits_for_ever_and_tries_its_own_lock_is_a_livelock() {
    type Locks = (Mutex<u64>, RwLock<u64>);
    let turns: [fn(&Locks) -> bool; 11] = [
        |(_, rw)| {
            let _ = rw.try_write().is_ok();
            *rw.read().unwrap() == 2
        },
        |(_, rw)| {
            let is_two = *rw.read().unwrap() == 2;
            let _ = rw.try_write().is_ok();
            is_two
        },
        |(_, rw)| {
            let read = rw.read().unwrap();
            *read == 2 || rw.try_write().is_ok()
        },
        |(_, rw)| {
            let write = rw.write().unwrap();
            *write == 2 || rw.try_read().is_ok()
        },
        |(_, rw)| {
            let write = rw.write().unwrap();
            *write == 2 || rw.try_write().is_ok()
        },
        |(_, rw)| {
            let Ok(write) = rw.try_write() else { return false };
            drop(write);
            let read = rw.read().unwrap();
            *read == 2 || rw.try_write().is_ok()
        },
        |(_, rw)| {
            let is_two = *rw.read().unwrap() == 2;
            let is_two_still = *rw.write().unwrap() == 2;
            is_two || is_two_still
        },
        |(mutex, _)| {
            let guard = mutex.lock().unwrap();
            *guard == 2 || mutex.try_lock().is_ok()
        },
        |(mutex, _)| {
            let Ok(guard) = mutex.try_lock() else { return false };
            *guard == 2 || mutex.try_lock().is_ok()
        },
        |(mutex, _)| mutex.try_lock().is_ok_and(|guard| *guard == 2),
        |(_, rw)| rw.try_read().is_ok_and(|read| *read == 2),
    ];
    for (number, turn) in turns.into_iter().enumerate() {
        let blocks = explore(|| {
            let locks = Locks::default();
            thread::scope(|scope| _ = scope.spawn(|| hint::wait_until(|| turn(&locks))));
        });
        let spins = explore(|| {
            let locks = Locks::default();
            while !turn(&locks) {
                hint::spin_loop();
            }
        });
        for found in [blocks, spins] {
            let Report { complete, deadlocks, bounds, .. } = found.report;
            assert_eq!((complete, deadlocks, &bounds[..]), (0, 1, &[][..]), "{number}");
        }
        // Another thread writes.
        let ends = explore(|| {
            with(
                Locks::default(),
                |locks| hint::wait_until(|| turn(locks)),
                &[|(mutex, rw)| {
                    *mutex.lock().unwrap() = 2;
                    *rw.write().unwrap() = 2;
                }],
            );
        });
        assert_eq!(ends.all(), [()], "{number}");
    }
}

/// Each takes one lock twice in a turn, and waits for what neither does.
#[test]
fn two_loops_that_look_into_a_lock_twice_are_a_livelock() {
    let found = explore(|| {
        let looks = |mutex: &Mutex<u64>| {
            hint::wait_until(|| {
                let _ = mutex.try_lock().is_ok();
                mutex.try_lock().is_ok_and(|guard| *guard == 2)
            });
        };
        let mutex = Arc::new(Mutex::new(0));
        let there = mutex.clone();
        let child = thread::spawn(move || looks(&there));
        looks(&mutex);
        child.join().unwrap();
    });
    let Report { complete, deadlocks, bounds, .. } = found.report;
    assert!(complete == 0 && deadlocks > 0 && bounds.is_empty(), "{deadlocks} {bounds:?}");
}
