//! Panics, and what runs while they unwind.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::facade::explore;
use crate::pictures::support::Plain;
use Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicUsize, Ordering};
use selvedge_model::sync::{Arc, Mutex, RwLock, TryLockError, thread};

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

/// The flag is an atomic of its own, and its accesses are relaxed.
#[test]
fn is_poisoned_may_find_an_old_state() {
    for (store, load, found_old) in [(Relaxed, Relaxed, true), (Release, Acquire, false)] {
        let found = explore(move || {
            let shared = Arc::new((Mutex::new(()), AtomicUsize::new(0)));
            let there = shared.clone();
            let child = thread::spawn(move || {
                let panics = catch_unwind(AssertUnwindSafe(|| {
                    let _guard = there.0.lock();
                    panic!("a test");
                }));
                assert!(panics.is_err());
                there.1.store(1, store);
            });
            let is_over = shared.1.load(load) == 1;
            let seen = (is_over, shared.0.is_poisoned());
            child.join().unwrap();
            assert!(shared.0.is_poisoned() && shared.0.lock().is_err());
            seen
        });
        let mut expected = vec![(false, false), (false, true), (true, false), (true, true)];
        expected.retain(|seen| found_old || *seen != (true, false));
        assert_eq!(found.all(), expected, "{store:?} {load:?}");
    }
}

#[test]
fn is_poisoned_orders_nothing() {
    let found = explore(|| {
        let shared = Arc::new((Mutex::new(()), Plain::new()));
        let there = shared.clone();
        let child = thread::spawn(move || {
            let panics = catch_unwind(AssertUnwindSafe(|| {
                let _guard = there.0.lock();
                there.1.write(1);
                panic!("a test");
            }));
            assert!(panics.is_err());
        });
        if shared.0.is_poisoned() {
            shared.1.write(2);
        }
        child.join().unwrap();
    });
    assert!(found.races());
}

/// The same of a lock that is sound again: it is acquired after that, and may find the old state.
#[test]
fn a_lock_that_another_thread_declares_sound_may_be_found_poisoned() {
    for (store, load, found_old) in [(Relaxed, Relaxed, true), (Release, Acquire, false)] {
        let found = explore(move || {
            let shared = Arc::new((RwLock::new(()), AtomicUsize::new(0)));
            let panics = catch_unwind(AssertUnwindSafe(|| {
                let _guard = shared.0.write();
                panic!("a test");
            }));
            assert!(panics.is_err());
            let there = shared.clone();
            let child = thread::spawn(move || {
                there.0.clear_poison();
                there.1.store(1, store);
            });
            let is_over = shared.1.load(load) == 1;
            let seen = (is_over, shared.0.read().is_err());
            child.join().unwrap();
            assert!(shared.0.read().is_ok());
            seen
        });
        let mut expected = vec![(false, false), (false, true), (true, false), (true, true)];
        expected.retain(|seen| found_old || *seen != (true, true));
        assert_eq!(found.all(), expected, "{store:?} {load:?}");
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
