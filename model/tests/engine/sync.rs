//! What each type of the façade synchronises, and how it blocks, panics and ends.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use crate::facade::{Found, explore, explore_with};
use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use selvedge_model::engine::graph::Config;
use selvedge_model::kernel::Policy;
use selvedge_model::sync::atomic::{AtomicBool, AtomicI8, AtomicPtr, AtomicUsize, Ordering, fence};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{
    Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, TryLockError, hint, mpsc,
    thread,
};

/// Plain memory that threads share.
struct Shared(UnsafeCell<u32>);

// SAFETY: a race ends the execution before the memory is accessed.
unsafe impl Sync for Shared {}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self(UnsafeCell::new(0)))
    }
    fn read(&self) -> u32 {
        // SAFETY: as for `Sync`.
        self.0.with(|value| unsafe { *value })
    }
    fn write(&self, to: u32) {
        // SAFETY: as for `Sync`.
        self.0.with_mut(|value| unsafe { *value = to });
    }
}

/// One thread writes plain memory and then releases; the other acquires and then reads.
fn hands_over<S: Send + Sync + 'static>(
    new: impl Fn() -> S,
    release: impl Fn(&S) + Send + Sync + Clone + 'static,
    acquire: impl Fn(&S) -> bool,
) -> Found<()> {
    explore(|| {
        let (state, memory) = (Arc::new(new()), Shared::new());
        let child = {
            let (state, memory, release) = (state.clone(), memory.clone(), release.clone());
            thread::spawn(move || {
                memory.write(1);
                release(&state);
            })
        };
        if acquire(&state) {
            memory.read();
        }
        child.join().unwrap();
    })
}

#[test]
fn release_and_acquire_hand_over() {
    for (store, load, races) in
        [(Release, Acquire, false), (Relaxed, Acquire, true), (Release, Relaxed, true)]
    {
        let found = hands_over(
            || AtomicBool::new(false),
            move |flag| flag.store(true, store),
            |flag| flag.load(load),
        );
        assert_eq!(found.races(), races, "{store:?} {load:?}");
    }
}

#[test]
fn an_unlock_hands_over_to_a_lock() {
    let new = || Mutex::new(false);
    let found = hands_over(new, |m| *m.lock().unwrap() = true, |m| *m.lock().unwrap());
    assert_eq!(found.all(), [()]);
}

#[test]
fn a_try_lock_that_fails_acquires_nothing() {
    let found = hands_over(|| Mutex::new(()), |m| drop(m.lock()), |m| m.try_lock().is_err());
    assert!(found.races());
    // Nor what was released before the lock was acquired that it found.
    let found = hands_over(
        || (Mutex::new(()), AtomicBool::new(false)),
        |(m, second)| {
            drop(m.lock());
            second.store(true, Relaxed);
            drop(m.lock());
        },
        |(m, second)| second.load(Relaxed) && m.try_lock().is_err(),
    );
    assert!(found.races());
    let found = hands_over(
        || Mutex::new(false),
        |m| *m.lock().unwrap() = true,
        |m| m.try_lock().is_ok_and(|guard| *guard),
    );
    assert_eq!(found.all(), [()]);
}

#[test]
fn a_write_hands_over_to_a_read_and_a_read_to_a_write() {
    let new = || RwLock::new(false);
    let found = hands_over(new, |l| *l.write().unwrap() = true, |l| *l.read().unwrap());
    assert_eq!(found.all(), [()]);
    // The other way round: what a reader did before happens before the write.
    let found = explore(|| {
        let (lock, memory) = (Arc::new(RwLock::new(false)), Shared::new());
        let child = {
            let (lock, memory) = (lock.clone(), memory.clone());
            thread::spawn(move || {
                let guard = lock.read().unwrap();
                if !*guard {
                    memory.read();
                }
            })
        };
        *lock.write().unwrap() = true;
        memory.write(1);
        child.join().unwrap();
    });
    assert_eq!(found.all(), [()]);
}

#[test]
fn two_readers_are_not_ordered_by_each_other() {
    let found = hands_over(
        || (RwLock::new(()), AtomicBool::new(false)),
        |(lock, done)| {
            drop(lock.read());
            done.store(true, Relaxed);
        },
        // The other read has ended, and hands over nothing.
        |(lock, done)| done.load(Relaxed) && lock.read().is_ok(),
    );
    assert!(found.races());
}

#[test]
fn a_join_hands_over_all_that_the_thread_did_and_knew() {
    let found = explore(|| {
        let (flag, mine, other) = (Arc::new(AtomicBool::new(false)), Shared::new(), Shared::new());
        let (f, o) = (flag.clone(), other.clone());
        let first = thread::spawn(move || {
            o.write(1);
            f.store(true, Release);
            std::mem::forget((f, o));
        });
        let (f, m) = (flag.clone(), mine.clone());
        let second = thread::spawn(move || {
            let knows = f.load(Acquire);
            std::mem::forget((f, m.clone()));
            // No step of this thread comes after.
            m.write(1);
            std::mem::forget(m);
            knows
        });
        let knows = second.join().unwrap();
        let seen = (mine.read(), knows.then(|| other.read()));
        first.join().unwrap();
        seen
    });
    assert_eq!(found.all(), [(1, None), (1, Some(1))]);
}

#[test]
fn fences_hand_over_in_their_own_thread_only() {
    for (release, acquire, races) in [(true, true, false), (false, true, true), (true, false, true)]
    {
        let found = hands_over(
            || AtomicBool::new(false),
            move |flag| {
                if release {
                    fence(Release);
                }
                flag.store(true, Relaxed);
            },
            move |flag| {
                let seen = flag.load(Relaxed);
                if acquire {
                    fence(Acquire);
                }
                seen
            },
        );
        assert_eq!(found.races(), races);
    }
    // A fence of the parent is not before what its child stores, in program order.
    let found = explore(|| {
        let (flag, memory) = (Arc::new(AtomicBool::new(false)), Shared::new());
        let (f, m) = (flag.clone(), memory.clone());
        let reader = thread::spawn(move || {
            if f.load(Acquire) {
                m.read();
            }
        });
        memory.write(1);
        fence(Release);
        let child = thread::spawn(move || flag.store(true, Relaxed));
        child.join().unwrap();
        reader.join().unwrap();
    });
    assert!(found.races());
}

#[test]
fn a_try_write_that_fails_acquires_nothing() {
    let found = hands_over(
        || (RwLock::new(()), AtomicBool::new(false)),
        |(lock, done)| {
            drop(lock.read());
            done.store(true, Relaxed);
        },
        |(lock, done)| {
            if !done.load(Relaxed) {
                return false;
            }
            // That read has ended; this one has not.
            let _guard = lock.read();
            lock.try_write().is_err()
        },
    );
    assert!(found.races());
}

#[test]
fn reads_are_not_ordered_among_each_other() {
    for (readers, executions) in [(1, 2), (2, 6), (3, 24)] {
        let found = explore(move || {
            let lock = std::sync::Arc::new(RwLock::new(0));
            let readers: Vec<_> = (0..readers)
                .map(|_| {
                    let lock = lock.clone();
                    thread::spawn(move || *lock.read().unwrap())
                })
                .collect();
            *lock.write().unwrap() = 1;
            readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u32>()
        });
        assert_eq!((found.report.complete, found.report.deadlocks), (executions, 0));
        assert_eq!(found.all(), (0..=readers).collect::<Vec<_>>());
    }
}

#[test]
fn try_read_and_try_write_fail_only_where_the_lock_is_held() {
    let found = explore(|| {
        let lock = Arc::new(RwLock::new(0));
        let there = lock.clone();
        let child = thread::spawn(move || there.try_write().map(|mut value| *value = 1).is_ok());
        let read = lock.try_read().ok().map(|value| *value);
        let wrote = child.join().unwrap();
        assert!(lock.try_write().is_ok() && lock.try_read().is_ok());
        (read, wrote)
    });
    // Not both at once.
    assert_eq!(found.all(), [(None, true), (Some(0), false), (Some(0), true), (Some(1), true)]);
}

/// Where nothing reads, a `try_write` is one step. Of three, the first to come wins, and the others fail or come
/// after it.
#[test]
fn a_try_write_among_writers_is_one_step() {
    let found = explore(|| {
        let lock = std::sync::Arc::new(RwLock::new(0));
        let tries = |lock: &RwLock<i32>| lock.try_write().map(|mut value| *value += 1).is_ok();
        let others: Vec<_> = (0..2)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || tries(&lock))
            })
            .collect();
        let won = i32::from(tries(&lock));
        let won = others.into_iter().fold(won, |won, other| won + i32::from(other.join().unwrap()));
        assert_eq!(*lock.read().unwrap(), won);
        won
    });
    assert_eq!(found.report.complete, 24);
    assert_eq!(found.all(), [1, 2, 3]);
}

/// Between the look of the `try_write` and its acquisition, a writer and a reader come and the count of reads is as it was.
#[test]
fn a_try_write_does_not_mistake_a_new_read_for_one_that_has_ended() {
    let found = explore(|| {
        let lock = Arc::new(RwLock::new(0));
        let (reads, writes) = (lock.clone(), lock.clone());
        let reader = thread::spawn(move || (0..2).map(|_| *reads.read().unwrap()).sum::<i32>());
        let writer = thread::spawn(move || *writes.write().unwrap() = 1);
        let wrote = lock.try_write().map(|mut value| *value = 1).is_ok();
        writer.join().unwrap();
        (wrote, reader.join().unwrap())
    });
    assert!(!found.races());
    assert_eq!(found.all(), [(false, 0), (false, 1), (false, 2), (true, 0), (true, 1), (true, 2)]);
}

#[test]
fn a_message_hands_over() {
    let found = explore(|| {
        let (memory, (tx, rx)) = (Shared::new(), mpsc::channel());
        let there = memory.clone();
        let child = thread::spawn(move || {
            there.write(1);
            tx.send(()).unwrap();
            there.write(2);
        });
        rx.recv().unwrap();
        // Not ordered with the second write.
        memory.read();
        child.join().unwrap();
    });
    assert!(found.races());
    let found = explore(|| {
        let (memory, (tx, rx)) = (Shared::new(), mpsc::sync_channel(0));
        let there = memory.clone();
        let child = thread::spawn(move || {
            there.write(1);
            tx.send(7).unwrap();
        });
        let seen = (rx.recv().ok(), memory.read(), rx.recv().is_err());
        child.join().unwrap();
        seen
    });
    assert_eq!(found.all(), [(Some(7), 1, true)]);
}

/// The error of a `recv` is told of by the senders; that of a `send` orders nothing: `std` does not promise
/// it, and reads with `Relaxed` that the receiver is gone.
#[test]
fn an_error_of_a_channel_hands_over_only_to_the_receiver() {
    let bounds = [None, Some(0), Some(1)];
    for bound in bounds {
        let ends = move || {
            let (tx, rx) = match bound {
                None => return (None, mpsc::channel()),
                Some(bound) => mpsc::sync_channel(bound),
            };
            (Some(tx), (mpsc::channel().0, rx))
        };
        let sent = explore(|| {
            let (memory, (bounded, (tx, rx))) = (Shared::new(), ends());
            let there = memory.clone();
            let child = thread::spawn(move || {
                there.write(1);
                drop(rx);
            });
            let result = match bounded {
                Some(bounded) => bounded.send(()),
                None => tx.send(()),
            };
            if result.is_err() {
                memory.read();
            }
            child.join().unwrap();
        });
        assert!(sent.races(), "{bound:?}");
        let received = explore(|| {
            let (memory, (bounded, (tx, rx))) = (Shared::new(), ends());
            let there = memory.clone();
            let child = thread::spawn(move || {
                there.write(1);
                drop((bounded, tx));
            });
            assert!(rx.recv().is_err());
            let seen = memory.read();
            child.join().unwrap();
            seen
        });
        assert_eq!(received.all(), [1], "{bound:?}");
    }
}

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

#[test]
fn opposite_lock_orders_deadlock() {
    let found = explore(|| {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        let there = locks.clone();
        let child = thread::spawn(move || {
            let _b = there.1.lock();
            let _a = there.0.lock();
        });
        {
            let _a = locks.0.lock();
            let _b = locks.1.lock();
        }
        child.join().unwrap();
    });
    assert_eq!((found.report.complete, found.report.deadlocks), (2, 1));
}

#[test]
fn a_waiting_writer_may_hold_up_a_reader_that_another_waits_for() {
    let found = explore(|| {
        let lock = Arc::new(RwLock::new(()));
        let guard = lock.read().unwrap();
        let there = lock.clone();
        let writer = thread::spawn(move || drop(there.write()));
        let there = lock.clone();
        let reader = thread::spawn(move || drop(there.read()));
        reader.join().unwrap();
        drop(guard);
        writer.join().unwrap();
    });
    assert!(found.report.complete > 0);
    assert_eq!(found.report.deadlocks, 1);
}

#[test]
fn a_thread_that_locks_twice_deadlocks() {
    let found = explore(|| {
        let mutex = Mutex::new(());
        let _guard = mutex.lock();
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        drop(mutex.lock());
    });
    assert_eq!((found.report.complete, found.report.deadlocks), (0, 1));
}

#[test]
fn a_panic_poisons_and_so_does_resume_unwind() {
    for resumes in [false, true] {
        let found = explore(move || {
            let mutex = Arc::new(Mutex::new(()));
            let there = mutex.clone();
            let child = thread::spawn(move || {
                let _guard = there.lock();
                if resumes { resume_unwind(Box::new(())) } else { panic!("a test") }
            });
            let seen = mutex.lock().is_err();
            assert!(child.join().is_err());
            assert!(mutex.is_poisoned());
            seen
        });
        assert_eq!(found.all(), [false, true]);
    }
}

#[test]
fn a_try_lock_sees_a_lock_that_a_panic_releases() {
    let found = explore(|| {
        let mutex = Arc::new(Mutex::new(()));
        let there = mutex.clone();
        let child = thread::spawn(move || {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _guard = there.lock();
                panic!("a test");
            }));
        });
        let seen = match mutex.try_lock() {
            Ok(_) => 0,
            Err(TryLockError::Poisoned(_)) => 1,
            Err(TryLockError::WouldBlock) => 2,
        };
        child.join().unwrap();
        seen
    });
    assert_eq!(found.all(), [0, 1, 2]);
}

/// A destructor that takes steps while its thread unwinds: other threads run meanwhile, and do not
/// seem to unwind.
#[test]
fn a_destructor_that_runs_while_unwinding_may_switch_threads() {
    struct Locks(Arc<Mutex<u32>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            assert!(thread::panicking());
            *self.0.lock().unwrap() += 1;
        }
    }
    let found = explore(|| {
        let mutex = Arc::new(Mutex::new(0));
        let there = mutex.clone();
        let child = thread::spawn(move || {
            let _locks = Locks(there);
            panic!("a test");
        });
        let seen = {
            let mut guard = mutex.lock().unwrap();
            assert!(!thread::panicking());
            *guard += 10;
            *guard
        };
        assert!(child.join().is_err());
        assert_eq!((*mutex.lock().unwrap(), mutex.is_poisoned()), (11, false));
        seen
    });
    assert_eq!(found.all(), [10, 11]);
    assert!(!std::thread::panicking());
}

#[test]
fn two_threads_may_unwind_at_once() {
    struct Adds(Arc<Mutex<u32>>);
    impl Drop for Adds {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let found = explore(|| {
        let mutex = Arc::new(Mutex::new(0));
        let children = [0, 1].map(|_| {
            let there = mutex.clone();
            thread::spawn(move || {
                let _adds = Adds(there);
                panic!("a test");
            })
        });
        for child in children {
            assert!(child.join().is_err());
        }
        mutex.lock().map_or(0, |value| *value)
    });
    assert_eq!(found.all(), [2]);
}

/// A thread catches panics while another is suspended in a destructor, with two panics under way: each
/// sees its own only, in `std` too, and poisons by its own only.
#[test]
fn a_panic_that_is_caught_while_another_thread_unwinds() {
    struct Locks(Arc<Mutex<u32>>, bool);
    impl Drop for Locks {
        fn drop(&mut self) {
            if self.1 {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let _locks = Locks(self.0.clone(), false);
                    panic!("a second panic");
                }));
                assert!(caught.is_err());
            }
            drop(self.0.lock());
            assert!(thread::panicking() && std::thread::panicking());
        }
    }
    for resumes in [false, true] {
        let found = explore(|| {
            let (mutex, lock) = (Arc::new(Mutex::new(0)), Arc::new(RwLock::new(())));
            let there = mutex.clone();
            let child = thread::spawn(move || {
                let _locks = Locks(there, true);
                panic!("a test");
            });
            let guards = (mutex.lock().unwrap(), lock.write().unwrap());
            let caught = catch_unwind(AssertUnwindSafe(|| {
                assert!(!thread::panicking() && !std::thread::panicking());
                if resumes { resume_unwind(Box::new(())) } else { panic!("a test") }
            }));
            assert!(caught.is_err());
            assert!(!thread::panicking() && !std::thread::panicking());
            drop(guards);
            assert!(!mutex.is_poisoned() && !lock.is_poisoned());
            let poisons = catch_unwind(AssertUnwindSafe(|| {
                let _guard = lock.write().unwrap();
                if resumes { resume_unwind(Box::new(())) } else { panic!("a test") }
            }));
            assert!(poisons.is_err() && lock.is_poisoned());
            assert!(child.join().is_err());
            mutex.is_poisoned()
        });
        assert_eq!(found.all(), [false]);
    }
    assert!(!std::thread::panicking());
}

/// A destructor explores while its OS thread unwinds: the threads under test do not.
#[test]
fn an_exploration_in_a_destructor_that_runs_while_unwinding() {
    struct Explores<'a>(&'a mut Vec<(bool, bool)>);
    impl Drop for Explores<'_> {
        fn drop(&mut self) {
            *self.0 = explore(|| {
                let mutex = Arc::new(Mutex::new(0));
                let there = mutex.clone();
                let child = thread::spawn(move || drop(there.lock()));
                drop(mutex.lock());
                child.join().unwrap();
                (thread::panicking(), mutex.is_poisoned())
            })
            .all();
            assert!(std::thread::panicking());
        }
    }
    let mut seen = Vec::new();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _explores = Explores(&mut seen);
        resume_unwind(Box::new(()));
    }));
    assert!(caught.is_err() && !std::thread::panicking());
    assert_eq!(seen, [(false, false)]);
}

/// A deadlock while a thread unwinds: the OS thread must not count as panicking afterwards.
#[test]
fn a_deadlock_of_a_thread_that_unwinds() {
    struct Locks(Arc<Mutex<u32>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    let found = explore(|| {
        let mutex = Arc::new(Mutex::new(0));
        let there = mutex.clone();
        let _guard = mutex.lock().unwrap();
        let child = thread::spawn(move || {
            let _locks = Locks(there);
            panic!("a test");
        });
        drop(child.join());
    });
    assert_eq!((found.report.complete, found.report.deadlocks), (0, 1));
    assert!(!std::thread::panicking());
}

#[test]
fn a_panic_that_no_thread_is_told_of_is_an_error() {
    let found = explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let there = x.clone();
        drop(thread::spawn(move || assert_eq!(there.load(Relaxed), 0, "too late")));
        x.store(1, Relaxed);
    });
    assert!(found.panics()[0].contains("too late"));
    assert!(found.report.complete > found.panics().len() as u64);
}

#[test]
fn a_count_that_is_released_too_weakly_frees_too_early() {
    for (order, fails) in [(Relaxed, true), (AcqRel, false)] {
        let found = explore(move || {
            let count = Box::into_raw(Box::new((AtomicUsize::new(2), UnsafeCell::new(0)))) as usize;
            // SAFETY: the box is freed by the last of the two, which is what is tested; the checker
            // ends an execution in which that is not so before the memory is accessed.
            let give_up = move || unsafe {
                let it = count as *mut (AtomicUsize, UnsafeCell<u32>);
                (*it).1.with(|value| *value);
                if (*it).0.fetch_sub(1, order) == 1 {
                    drop(Box::from_raw(it));
                }
            };
            let child = thread::spawn(give_up);
            give_up();
            child.join().unwrap();
        });
        assert_eq!(found.races(), fails, "{order:?}");
    }
}

#[test]
fn a_use_after_free_is_found() {
    let found = explore(|| {
        let x = Box::into_raw(Box::new(AtomicUsize::new(0)));
        // SAFETY: it was a box.
        drop(unsafe { Box::from_raw(x) });
        // SAFETY: not sound, and to be reported; the memory is kept until the execution is over.
        unsafe { &*x }.load(Relaxed);
    });
    assert!(found.uses_after_free());
}

/// The other thread is through with the value, but nothing says so.
#[test]
fn a_drop_that_does_not_know_of_earlier_uses_is_a_race() {
    for (order, races) in [(Relaxed, true), (Release, false)] {
        let found = explore(move || {
            let x = Box::into_raw(Box::new(AtomicUsize::new(0))) as usize;
            let done = Arc::new(AtomicBool::new(false));
            let there = done.clone();
            let child = thread::spawn(move || {
                // SAFETY: the value is dropped below, once this thread is through with it.
                unsafe { &*(x as *const AtomicUsize) }.store(1, Relaxed);
                there.store(true, order);
            });
            let early = done.load(Acquire);
            if !early {
                child.join().unwrap();
            }
            // SAFETY: the other thread has stored, and nothing else owns the value.
            drop(unsafe { Box::from_raw(x as *mut AtomicUsize) });
            early
        });
        assert_eq!(found.races(), races);
        if !races {
            assert_eq!(found.all(), [false, true]);
        }
    }
}

#[test]
fn publication_without_synchronisation_is_a_race() {
    for (order, races) in [(Relaxed, true), (Release, false)] {
        let found = explore(move || {
            let slot = Arc::new(AtomicPtr::new(std::ptr::null_mut::<AtomicUsize>()));
            let there = slot.clone();
            let child = thread::spawn(move || {
                there.store(Box::into_raw(Box::new(AtomicUsize::new(7))), order);
            });
            let pointer = slot.load(Acquire);
            // SAFETY: the pointer is null or comes from a box that is dropped only below.
            let seen = unsafe { pointer.as_ref() }.map(|x| x.load(Relaxed));
            child.join().unwrap();
            // SAFETY: the child has stored it, and nothing else owns it.
            drop(unsafe { Box::from_raw(slot.load(Relaxed)) });
            seen
        });
        assert_eq!(found.races(), races);
        if !races {
            assert_eq!(found.all(), [None, Some(7)]);
        }
    }
}

#[test]
fn an_arc_drops_its_value_once_and_after_all_uses() {
    let found = explore(|| {
        let memory = Shared::new();
        let weak = Arc::downgrade(&memory);
        let there = memory.clone();
        let child = thread::spawn(move || there.read());
        let upgraded = weak.upgrade().is_some();
        drop(memory);
        child.join().unwrap();
        assert!(weak.upgrade().is_none());
        upgraded
    });
    assert_eq!(found.all(), [true]);
}

#[test]
fn get_mut_of_an_arc_acquires_what_other_owners_did() {
    let found = explore(|| {
        let mut memory = Shared::new();
        let there = memory.clone();
        let child = thread::spawn(move || there.write(1));
        let seen = Arc::get_mut(&mut memory).map(|memory| *memory.0.get_mut());
        child.join().unwrap();
        seen
    });
    assert_eq!(found.all(), [None, Some(1)]);
}

/// The child has not begun when the execution ends: dropping its body takes steps, which do nothing.
#[test]
fn a_thread_that_has_not_begun_is_dropped_with_what_it_owns() {
    let found = explore(|| {
        let (memory, mutex) = (Shared::new(), Arc::new(Mutex::new(0)));
        let (there, (tx, rx)) = (memory.clone(), mpsc::channel::<()>());
        let writer = thread::spawn(move || there.write(1));
        thread::yield_now();
        let guard = mutex.lock();
        drop(guard);
        let there = mutex.clone();
        let child = thread::spawn(move || drop((there, rx)));
        memory.write(2);
        drop(tx);
        child.join().unwrap();
        writer.join().unwrap();
    });
    assert!(found.races());
    assert!(!std::thread::panicking());
}

#[test]
fn a_thread_may_ask_for_a_larger_stack() {
    fn deep(n: u32) -> u32 {
        let on_the_stack = std::hint::black_box([n; 1024]);
        if n == 0 { on_the_stack[0] } else { deep(n - 1) + on_the_stack[1] }
    }
    let found = explore(|| {
        let builder = thread::Builder::new().stack_size(8 << 20).name("deep".to_owned());
        let child = builder.spawn(|| (thread::current().name() == Some("deep"), deep(1_000)));
        child.unwrap().join().unwrap()
    });
    assert_eq!(found.all(), [(true, 500_500)]);
}

#[test]
fn scoped_threads_borrow_and_are_joined() {
    let found = explore(|| {
        let (x, mut y) = (AtomicUsize::new(0), 0);
        thread::scope(|scope| {
            scope.spawn(|| x.fetch_add(1, Relaxed));
            scope.spawn(|| y = x.fetch_add(1, Relaxed));
        });
        (x.into_inner(), y)
    });
    assert_eq!(found.all(), [(2, 0), (2, 1)]);
}

selvedge_model::sync::thread_local! {
    static LOCAL: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    static AT_END: std::cell::RefCell<Option<Publish>> = const { std::cell::RefCell::new(None) };
}

struct Publish(Arc<AtomicUsize>);

impl Drop for Publish {
    fn drop(&mut self) {
        self.0.store(LOCAL.get(), Release);
    }
}

#[test]
fn thread_locals_are_those_of_the_thread_and_are_dropped_before_it_ends() {
    let found = explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let there = x.clone();
        let child = thread::spawn(move || {
            AT_END.set(Some(Publish(there)));
            LOCAL.set(5);
        });
        let early = x.load(Acquire);
        child.join().unwrap();
        assert_eq!((x.load(Relaxed), LOCAL.get()), (5, 0));
        early
    });
    assert_eq!(found.all(), [0, 5]);
}

#[test]
fn try_send_meets_a_receiver_that_waits() {
    let found = explore(|| {
        let (tx, rx) = mpsc::sync_channel(0);
        let child = thread::spawn(move || tx.try_send(1).is_ok());
        let got = rx.recv().is_ok();
        assert_eq!(got, child.join().unwrap());
        got
    });
    assert_eq!(found.all(), [false, true]);
}

#[test]
fn a_bounded_channel_blocks_its_sender() {
    let found = explore(|| {
        let (tx, rx) = mpsc::sync_channel(1);
        let child = thread::spawn(move || (0..3).map(|n| tx.send(n).is_ok()).collect::<Vec<_>>());
        let got: Vec<_> = rx.iter().collect();
        child.join().unwrap();
        got
    });
    assert_eq!(found.all(), [[0, 1, 2]]);
    let found = explore(|| {
        let (tx, _rx) = mpsc::sync_channel(1);
        tx.send(1).unwrap();
        tx.send(2).unwrap();
    });
    assert_eq!(found.report.deadlocks, 1);
}

#[test]
fn a_receive_with_a_limit_may_time_out() {
    let found = explore(|| {
        let (tx, rx) = mpsc::channel();
        let child = thread::spawn(move || tx.send(1));
        let got = rx.recv_timeout(Duration::from_secs(1));
        drop(child.join());
        got.map_err(|error| format!("{error:?}"))
    });
    assert_eq!(found.all(), [Ok(1), Err("Timeout".to_owned())]);
}

#[test]
fn integers_of_all_widths_wrap_and_compare_as_in_std() {
    let found = explore(|| {
        let x = AtomicI8::new(127);
        let before = (x.fetch_add(1, Relaxed), x.fetch_max(-100, Relaxed), x.fetch_min(0, Relaxed));
        (before, x.swap(5, Relaxed), x.into_inner())
    });
    assert_eq!(found.all(), [((127, -128, -100), -100, 5)]);
}

#[test]
fn get_mut_of_an_atomic_is_a_plain_access() {
    let found = explore(|| {
        let mut x = AtomicUsize::new(1);
        x.store(2, Relaxed);
        *x.get_mut() += 1;
        let seen = x.load(Relaxed);
        *x.get_mut() = 9;
        (seen, x.into_inner())
    });
    assert_eq!(found.all(), [(3, 9)]);
}

#[test]
fn a_weak_compare_exchange_also_fails_without_a_cause() {
    let found = explore(|| {
        let x = AtomicUsize::new(0);
        x.compare_exchange_weak(0, 1, Relaxed, Relaxed)
    });
    assert_eq!(found.all(), [Ok(0), Err(0)]);
}

#[test]
fn a_test_and_set_lock_excludes() {
    let found = explore(|| {
        let (locked, memory) = (Arc::new(AtomicBool::new(false)), Shared::new());
        let section = |locked: Arc<AtomicBool>, memory: Arc<Shared>| {
            hint::wait_until(|| !locked.swap(true, Acquire));
            memory.write(memory.read() + 1);
            locked.store(false, Release);
        };
        let (l, m) = (locked.clone(), memory.clone());
        let child = thread::spawn(move || section(l, m));
        section(locked, memory.clone());
        child.join().unwrap();
        memory.read()
    });
    assert_eq!(found.all(), [2]);
}

#[test]
fn outside_an_exploration_everything_is_as_in_std() {
    let (tx, rx) = mpsc::sync_channel(0);
    let pair = Arc::new((Mutex::new(0), Condvar::new(), Barrier::new(2)));
    let there = pair.clone();
    let child = thread::spawn(move || {
        there.2.wait();
        *there.0.lock().unwrap() = 5;
        there.1.notify_all();
        tx.send(6).unwrap();
    });
    pair.2.wait();
    let guard = pair.1.wait_while(pair.0.lock().unwrap(), |value| *value == 0).unwrap();
    assert_eq!((*guard, rx.recv()), (5, Ok(6)));
    drop(guard);
    child.join().unwrap();
    let lazy = LazyLock::new(|| 3);
    assert_eq!((*lazy, thread::scope(|scope| scope.spawn(|| *lazy).join().unwrap())), (3, 3));
    let mut x = AtomicUsize::new(0);
    x.fetch_add(2, SeqCst);
    *x.get_mut() += 1;
    assert_eq!((x.fetch_max(9, SeqCst), x.into_inner(), Arc::strong_count(&pair)), (3, 9, 1));
}
