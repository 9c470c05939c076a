//! Waits with a limit that time out only where no other thread can move.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::facade::{Found, explore_with};
use selvedge_model::engine::graph::{Config, Ending, Report, explore_results};
use selvedge_model::kernel::Policy;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use selvedge_model::sync::mpsc::{RecvTimeoutError, channel, sync_channel};
use selvedge_model::sync::{Arc, Condvar, Mutex, hint, thread};

const LIMIT: Duration = Duration::from_millis(10);

/// Explores in each way that must find the same, with and without spurious wake-ups. The limits are for an engine that
/// comes to no end.
fn explore<R: Ord + Clone + std::fmt::Debug>(program: impl Fn() -> R) -> Found<R> {
    let policy = Policy { spurious: false, patient: true };
    let config = Config { policy, steps: 100, executions: 10_000, ..Config::default() };
    let found = explore_with(&config, &program);
    for (reversed, hashes) in [(true, false), (false, true), (true, true)] {
        let other = explore_with(&Config { reversed, hashes, ..config.clone() }, &program);
        assert_eq!(found.signatures, other.signatures);
        assert_eq!(found.results, other.results);
        assert_eq!(found.report.complete, other.report.complete);
        assert_eq!(found.report.deadlocks, other.report.deadlocks);
    }
    let policy = Policy { spurious: true, patient: true };
    let spurious = explore_with(&Config { policy, ..config }, &program);
    assert!(found.results.is_subset(&spurious.results));
    found
}

/// A notification that is lost between the look and the wait.
fn wait_for_flag(sound: bool) -> Found<bool> {
    explore(move || {
        let shared = Arc::new((Mutex::new(()), AtomicBool::new(false), Condvar::new()));
        let there = shared.clone();
        let child = thread::spawn(move || {
            let (mutex, flag, condvar) = &*there;
            let guard = sound.then(|| mutex.lock().unwrap());
            flag.store(true, Relaxed);
            drop(guard);
            condvar.notify_one();
        });
        let (mutex, flag, condvar) = &*shared;
        let guard = mutex.lock().unwrap();
        let mut timed_out = false;
        if !flag.load(Relaxed) {
            timed_out = condvar.wait_timeout(guard, LIMIT).unwrap().1.timed_out();
        }
        child.join().unwrap();
        timed_out
    })
}

#[test]
fn a_lost_notification_is_seen() {
    assert_eq!(wait_for_flag(false).all(), [false, true]);
    assert_eq!(wait_for_flag(true).all(), [false]);
}

#[test]
fn each_wait_with_a_limit_times_out_where_nothing_else_can_happen() {
    let found = explore(|| {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let (sender, receiver) = channel::<()>();
        let (at_once, receiver_at_once) = sync_channel::<()>(0);
        let waited = condvar.wait_timeout(mutex.lock().unwrap(), LIMIT).unwrap().1.timed_out();
        thread::park_timeout(LIMIT);
        let received = receiver.recv_timeout(LIMIT);
        let received_at_once = receiver_at_once.recv_timeout(LIMIT);
        assert!(at_once.try_send(()).is_err(), "no receiver waits any more");
        drop((sender, at_once));
        (waited, received == Err(RecvTimeoutError::Timeout), received_at_once == received)
    });
    assert_eq!(found.report.complete, 1);
    assert_eq!(found.all(), [(true, true, true)]);
}

#[test]
fn time_is_not_up_while_another_thread_can_move() {
    let found = explore(|| {
        let (sender, receiver) = channel();
        let this = thread::current();
        let child = thread::spawn(move || {
            sender.send(1).unwrap();
            this.unpark();
            sender
        });
        let received = receiver.recv_timeout(LIMIT);
        thread::park_timeout(LIMIT);
        drop(child.join());
        received.ok()
    });
    assert_eq!(found.report.complete, 1);
    assert_eq!(found.all(), [Some(1)]);
}

#[test]
fn of_several_waits_any_may_time_out_first() {
    let found = explore(|| {
        let order = Arc::new(AtomicUsize::new(0));
        let children = [1, 2, 3].map(|number| {
            let order = order.clone();
            thread::spawn(move || {
                thread::park_timeout(LIMIT);
                order.fetch_update(Relaxed, Relaxed, |seen| Some(10 * seen + number)).unwrap();
            })
        });
        children.into_iter().for_each(|child| child.join().unwrap());
        order.load(Relaxed)
    });
    assert_eq!(found.all(), [123, 132, 213, 231, 312, 321]);
}

/// A loop that waits finds what happens when time is up for another thread.
#[test]
fn a_waiting_loop_goes_on_when_time_is_up_for_another_thread() {
    for spins in [false, true] {
        let found = explore(move || {
            let flag = Arc::new(AtomicUsize::new(0));
            let there = flag.clone();
            let child = thread::spawn(move || {
                thread::park_timeout(LIMIT);
                there.store(1, Relaxed);
                thread::park_timeout(LIMIT);
                there.store(2, Relaxed);
            });
            let mut turns = 0;
            if spins {
                while flag.load(Relaxed) < 2 {
                    turns += 1;
                    hint::spin_loop();
                }
            } else {
                hint::wait_until(|| flag.load(Relaxed) == 2);
            }
            child.join().unwrap();
            turns
        });
        assert_eq!((found.report.complete > 0, found.report.deadlocks), (true, 0));
        assert_eq!(found.report.idle_turns, spins);
        // No turn of those in which it was tried whether the loop gives up.
        assert!(found.all().into_iter().all(|turns| turns < 10));
    }
}

#[derive(Debug, Clone, Copy)]
enum Wait {
    Receives,
    Parks,
    WaitsOnCondvar,
}

impl Wait {
    fn times_out(self) {
        match self {
            Self::Receives => {
                let (sender, receiver) = channel::<()>();
                assert_eq!(receiver.recv_timeout(LIMIT), Err(RecvTimeoutError::Timeout));
                drop(sender);
            }
            Self::Parks => thread::park_timeout(LIMIT),
            Self::WaitsOnCondvar => {
                let (mutex, condvar) = (Mutex::new(()), Condvar::new());
                drop(condvar.wait_timeout(mutex.lock().unwrap(), LIMIT));
            }
        }
    }
}

/// Time is up `times` times, for one thread or for as many, and counted; loops wait for the last. What each
/// of them has found.
fn found_between_time_outs(
    wait: Wait,
    times: usize,
    one: bool,
    loops: usize,
    spins: bool,
) -> Found<Vec<Vec<usize>>> {
    explore(move || {
        let count = Arc::new(AtomicUsize::new(0));
        let children: Vec<_> = (0..if one { 1 } else { times })
            .map(|_| {
                let count = count.clone();
                thread::spawn(move || {
                    for _ in 0..if one { times } else { 1 } {
                        wait.times_out();
                        count.fetch_add(1, Relaxed);
                    }
                })
            })
            .collect();
        let waits = move |count: &AtomicUsize| {
            let seen = RefCell::new(Vec::new());
            let look = || {
                let now = count.load(Relaxed);
                if seen.borrow().last() != Some(&now) {
                    seen.borrow_mut().push(now);
                }
                now == times
            };
            if spins {
                while !look() {
                    hint::spin_loop();
                }
            } else {
                hint::wait_until(look);
            }
            seen.into_inner()
        };
        let there = count.clone();
        let other = (loops == 2).then(|| thread::spawn(move || waits(&there)));
        let mut seen = vec![waits(&count)];
        seen.extend(other.map(|other| other.join().unwrap()));
        children.into_iter().for_each(|child| child.join().unwrap());
        seen
    })
}

/// A loop that has taken a turn after one time-out is resumed by the next one only: not by the same again when the
/// graph is replayed.
#[test]
fn a_loop_takes_a_turn_after_each_of_several_time_outs() {
    for wait in [Wait::Receives, Wait::Parks, Wait::WaitsOnCondvar] {
        for (times, orders) in [(1, 1), (2, 2), (3, 6)] {
            for (one, loops, spins) in (0..8).map(|at| (at & 1 == 0, 1 + (at >> 1 & 1), at < 4)) {
                if times == 3 && loops == 2 && !one {
                    // Too many executions with spurious wake-ups.
                    continue;
                }
                let found = found_between_time_outs(wait, times, one, loops, spins);
                let case = (wait, times, one, loops, spins);
                let Report { complete, deadlocks, ref bounds, .. } = found.report;
                // The second loop and the thread that counts last drop their `Arc`s in either order.
                let executions = loops as u64 * if one { 1 } else { orders };
                assert_eq!(
                    (complete, deadlocks, &bounds[..]),
                    (executions, 0, &[][..]),
                    "{case:?}"
                );
                // Time is not up before all loops have found what came of the last time.
                assert_eq!(found.all(), [vec![(0..=times).collect::<Vec<_>>(); loops]], "{case:?}");
            }
        }
    }
}

/// It leaves the loop in the middle, and waits in another one.
#[test]
fn a_loop_may_be_left_for_another_after_a_time_out() {
    for spins in [false, true] {
        let found = explore(move || {
            let flags = Arc::new([false, false].map(AtomicBool::new));
            let theirs = flags.clone();
            let child = thread::spawn(move || {
                while !theirs[0].load(SeqCst) {
                    hint::spin_loop();
                    if theirs[1].load(SeqCst) {
                        break;
                    }
                    thread::yield_now();
                }
                if spins {
                    while !theirs[1].load(SeqCst) {
                        hint::spin_loop();
                    }
                } else {
                    hint::wait_until(|| theirs[1].load(SeqCst));
                }
            });
            thread::park_timeout(LIMIT);
            flags[0].store(true, SeqCst);
            thread::park_timeout(LIMIT);
            flags[1].store(true, SeqCst);
            child.join().unwrap();
        });
        assert_eq!((found.report.deadlocks, &found.report.bounds[..]), (0, &[][..]));
        assert_eq!(found.all(), [()]);
    }
}

/// The same with a loop that writes what it has read.
/// Each of its turns ends at one of two hints. It looks at both flags after the time-out, and may find the one unset and
/// then the other set.
#[test]
fn a_loop_with_two_hints_takes_both_turns_after_a_time_out() {
    for (spins_first, looks_at) in
        [(true, [0, 1]), (true, [1, 0]), (false, [0, 1]), (false, [1, 0])]
    {
        for sets in [1, 2] {
            let found = explore(move || {
                let flags = Arc::new([false, false].map(AtomicBool::new));
                let seen = Arc::new(AtomicUsize::new(0));
                let (theirs, saw) = (flags.clone(), seen.clone());
                let spins = move || loop {
                    if theirs[looks_at[0]].load(SeqCst) {
                        return saw.store(looks_at[0], Relaxed);
                    }
                    hint::spin_loop();
                    if theirs[looks_at[1]].load(SeqCst) {
                        return saw.store(looks_at[1], Relaxed);
                    }
                    thread::yield_now();
                };
                let theirs = flags.clone();
                let sets = move || {
                    thread::park_timeout(LIMIT);
                    theirs[..sets].iter().for_each(|flag| flag.store(true, SeqCst));
                };
                let threads: [Box<dyn FnOnce() + Send>; 2] = [Box::new(spins), Box::new(sets)];
                let mut threads = Vec::from(threads);
                if !spins_first {
                    threads.reverse();
                }
                let threads: Vec<_> = threads.into_iter().map(thread::spawn).collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
                seen.load(Relaxed)
            });
            let expected: &[usize] = if sets == 1 { &[0] } else { &[0, 1] };
            assert_eq!(found.all(), expected, "{spins_first} {looks_at:?} {sets}");
        }
    }
}

#[test]
fn a_loop_of_updates_changes_nothing_that_was_read_before_time_was_up() {
    let found = explore(|| {
        let lock = Arc::new(AtomicUsize::new(1));
        let there = lock.clone();
        let child = thread::spawn(move || {
            let seen = there.load(Relaxed);
            thread::park_timeout(LIMIT);
            there.store(0, Relaxed);
            seen
        });
        hint::wait_until(|| lock.swap(1, Relaxed) == 0);
        child.join().unwrap()
    });
    assert_eq!(found.all(), [1]);
}

/// The thread that waits for the mutex may have had it first.
#[test]
fn a_thread_that_is_blocked_where_time_is_up_may_have_come_first() {
    let found = explore(|| {
        let mutex = Arc::new(Mutex::new(0));
        let there = mutex.clone();
        let child = thread::spawn(move || {
            let mut value = there.lock().unwrap();
            thread::park_timeout(LIMIT);
            *value = *value * 10 + 1;
        });
        let mut value = mutex.lock().unwrap();
        *value = *value * 10 + 2;
        drop(value);
        child.join().unwrap();
        *mutex.lock().unwrap()
    });
    assert_eq!(found.all(), [12, 21]);
}

/// Time says nothing of memory: an old value is read, but not in an interleaving.
#[test]
fn an_old_value_after_time_is_up_is_not_sequentially_consistent() {
    let mut seen = Vec::new();
    let policy = Policy { spurious: false, patient: true };
    explore_results(
        &Config { policy, ..Config::default() },
        || {
            let value = Arc::new(AtomicUsize::new(0));
            let there = value.clone();
            let child = thread::spawn(move || {
                thread::park_timeout(LIMIT);
                there.load(Relaxed)
            });
            value.store(1, Relaxed);
            child.join().unwrap()
        },
        |execution, value| {
            seen.push((value, execution.is_sequentially_consistent()));
            ControlFlow::Continue(())
        },
    );
    seen.sort_unstable();
    assert_eq!(seen, [(Some(0), false), (Some(1), true)]);
}

/// A loop that counts its turns, and of which it is not known at first that it gives up.
#[test]
fn a_loop_that_gives_up_can_move() {
    let found = explore(|| {
        let seen = Arc::new(AtomicUsize::new(0));
        let there = seen.clone();
        let child = thread::spawn(move || {
            thread::park_timeout(LIMIT);
            there.store(1, Relaxed);
        });
        let mut turns = 0;
        while seen.load(Relaxed) == 0 && turns < 5 {
            hint::spin_loop();
            turns += 1;
        }
        child.join().unwrap();
        turns
    });
    assert_eq!(found.all(), [5]);
}

/// A loop around a wait with a limit polls: it needs no notification.
fn poll(notifies: bool, times_out: bool) -> Found<bool> {
    explore(move || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let there = shared.clone();
        let child = thread::spawn(move || {
            if times_out {
                thread::park_timeout(LIMIT);
            }
            *there.0.lock().unwrap() = true;
            if notifies {
                there.1.notify_one();
            }
        });
        let mut done = shared.0.lock().unwrap();
        let mut timed_out = false;
        while !*done {
            let result;
            (done, result) = shared.1.wait_timeout(done, LIMIT).unwrap();
            timed_out |= result.timed_out();
        }
        drop(done);
        child.join().unwrap();
        timed_out
    })
}

#[test]
fn a_loop_that_polls_ends() {
    assert_eq!(poll(true, false).all(), [false]);
    assert_eq!(poll(false, false).all(), [false, true]);
    for notifies in [false, true] {
        let found = poll(notifies, true);
        assert_eq!((found.report.deadlocks, &found.report.bounds[..]), (0, &[][..]));
        assert!(found.results.contains(&true));
    }
}

/// Time is up again and again, and changes nothing.
#[test]
fn a_loop_that_polls_for_nothing_is_a_deadlock() {
    for threads in 1..=2 {
        let found = explore(move || {
            let children: Vec<_> = (0..threads)
                .map(|_| {
                    thread::spawn(|| {
                        let (mutex, condvar) = (Mutex::new(false), Condvar::new());
                        let mut done = mutex.lock().unwrap();
                        while !*done {
                            done = condvar.wait_timeout(done, LIMIT).unwrap().0;
                        }
                    })
                })
                .collect();
            children.into_iter().for_each(|child| child.join().unwrap());
        });
        assert_eq!((found.report.complete, &found.report.bounds[..]), (0, &[][..]));
        assert!(found.report.deadlocks > 0);
        let polls = |ending: &Ending| matches!(ending, Ending::Deadlock(all) if all[1].spins);
        assert!(found.endings.iter().all(polls), "{:?}", found.endings);
    }
}

#[test]
fn a_loop_of_three_waits_gives_up() {
    let found = explore(|| {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let mut guard = mutex.lock().unwrap();
        for _ in 0..3 {
            guard = condvar.wait_timeout(guard, LIMIT).unwrap().0;
        }
    });
    assert_eq!((found.report.complete, found.report.deadlocks), (1, 0));
}

/// A wait without a limit beside one with a limit.
#[test]
fn a_deadlock_that_time_does_not_end_is_found() {
    let found = explore(|| {
        let child = thread::spawn(thread::park);
        thread::park_timeout(LIMIT);
        child.join().unwrap();
    });
    assert_eq!((found.report.complete, found.report.deadlocks), (0, 1));
}
