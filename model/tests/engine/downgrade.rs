//! A writer that becomes a reader.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::facade::explore;
use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::sync::{RwLock, RwLockWriteGuard, hint, thread};

#[test]
fn no_thread_writes_between_a_write_and_its_read() {
    let found = explore(|| {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let mut guard = lock.write().unwrap();
                *guard += 1;
                *guard
            });
            let mut guard = lock.write().unwrap();
            *guard += 10;
            let written = *guard;
            let guard = RwLockWriteGuard::downgrade(guard);
            let read = *guard;
            drop(guard);
            (written, read, other.join().unwrap())
        })
    });
    assert_eq!(found.all(), [(10, 10, 11), (11, 11, 1)]);
}

/// Other readers come in, and know what was written; a writer does not.
#[test]
fn it_is_a_read_among_others() {
    let found = explore(|| {
        let (lock, both) = (RwLock::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let mut guard = lock.write().unwrap();
            *guard = 1;
            let guard = RwLockWriteGuard::downgrade(guard);
            let blocked = lock.try_write().is_err();
            let reader = scope.spawn(|| {
                let guard = lock.read().unwrap();
                both.store(true, Relaxed);
                *guard
            });
            hint::wait_until(|| both.load(Relaxed));
            drop(guard);
            (blocked, reader.join().unwrap(), lock.try_write().is_ok())
        })
    });
    assert_eq!(found.all(), [(true, 1, true)]);
}

/// It counts as a read that has begun: a `try_write` that has looked at the reads before it fails.
#[test]
fn a_try_write_that_found_earlier_reads_ended_fails_beside_it() {
    let found = explore(|| {
        let (lock, writes) = (RwLock::new(0), AtomicBool::new(false));
        drop(lock.read().unwrap());
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let guard = lock.try_write().ok()?;
                let guard = RwLockWriteGuard::downgrade(guard);
                let read = *guard;
                Some((read, writes.load(Relaxed)))
            });
            let wrote = lock.try_write().is_ok_and(|mut guard| {
                *guard = 1;
                writes.store(true, Relaxed);
                true
            });
            (wrote, other.join().unwrap())
        })
    });
    let (read, later) = (Some((0, false)), Some((1, true)));
    assert_eq!(found.all(), [(false, read), (true, None), (true, read), (true, later)]);
}

#[test]
fn a_writer_waits_for_its_end() {
    let found = explore(|| {
        let (lock, ended) = (RwLock::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let guard = RwLockWriteGuard::downgrade(lock.write().unwrap());
            let writer = scope.spawn(|| {
                *lock.write().unwrap() = 1;
                ended.load(Relaxed)
            });
            let read = *guard;
            ended.store(true, Relaxed);
            drop(guard);
            (read, writer.join().unwrap())
        })
    });
    assert_eq!(found.all(), [(0, true)]);
}

fn a_panic_of_the_reader_poisons_nothing() {
    let lock = RwLock::new(0);
    let panics = |downgrades: bool| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let guard = lock.write().unwrap();
            if downgrades {
                let _guard = RwLockWriteGuard::downgrade(guard);
                panic!("on purpose");
            }
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        lock.is_poisoned()
    };
    assert!(!panics(true));
    assert!(panics(false));
}

#[test]
fn a_panic_of_the_reader_poisons_nothing_in_a_model() {
    assert_eq!(explore(a_panic_of_the_reader_poisons_nothing).all(), [()]);
}

/// On real threads: what was written is what is read, and the lock is released.
#[test]
fn it_works_outside_an_exploration() {
    a_panic_of_the_reader_poisons_nothing();
    let lock = RwLock::new(0_u64);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let mut guard = lock.write().unwrap();
                    *guard += 1;
                    let written = *guard;
                    let guard = RwLockWriteGuard::downgrade(guard);
                    assert!(lock.try_write().is_err());
                    assert_eq!(*guard, written);
                }
            });
        }
    });
    assert_eq!(*lock.read().unwrap(), 2_000);
    assert!(lock.try_write().is_ok());
}
