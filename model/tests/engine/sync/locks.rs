//! Mutexes and reader-writer locks.

use crate::facade::explore;
use Ordering::Relaxed;
use selvedge_model::sync::atomic::{AtomicBool, Ordering};
use selvedge_model::sync::{Arc, Mutex, RwLock, TryLockError, thread};

use super::{Shared, hands_over};

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
