//! The kind of bug that a report names where that is certain: the terms are those of `loom-tests/glossary.md`.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Condvar, Mutex, PoisonError, RwLock, hint, thread};
use selvedge_model::{Failure, Model};

use crate::allocations::{free, place};

/// The line of the report that names the kind of bug.
fn kind<S: Send + Sync + 'static>(model: Model<S>, failure: Failure) -> String {
    let report = model.fails(failure).check().to_string();
    let line = report.lines().find_map(|line| line.strip_prefix("  It is a "));
    line.unwrap_or_default().to_owned()
}

fn deadlock<S: Send + Sync + 'static>(model: Model<S>) -> String {
    kind(model, Failure::Deadlock)
}

type Mutexes = (Mutex<u64>, Mutex<u64>);
type RwLocks = (RwLock<u64>, RwLock<u64>);

fn locks(first: &Mutex<u64>, second: &Mutex<u64>) {
    let _first = first.lock().unwrap_or_else(PoisonError::into_inner);
    let _second = second.lock().unwrap_or_else(PoisonError::into_inner);
}

#[test]
fn a_lock_that_the_thread_holds_is_a_self_deadlock() {
    let itself = "self-deadlock: a thread waits for a lock that it holds.";
    let model = Model::new(Mutexes::default).thread("alice", |(a, _)| locks(a, a));
    assert_eq!(deadlock(model), itself);
    let of_readers: [fn(&RwLock<u64>); 3] = [
        |lock| drop((lock.write(), lock.write())),
        |lock| drop((lock.write(), lock.read())),
        |lock| drop((lock.read(), lock.write())),
    ];
    for twice in of_readers {
        let model = Model::new(RwLocks::default).thread("alice", move |(a, _)| twice(a));
        assert_eq!(deadlock(model), itself);
    }
}

#[test]
fn locks_in_different_orders_are_a_lock_order_inversion() {
    let inversion = "lock-order inversion: the threads take these locks in different orders, and wait in a cycle.";
    // The first thread waits for the cycle, and is not in it.
    let model = Model::new(Mutexes::default)
        .thread("carol", |(a, _)| drop(a.lock()))
        .thread("alice", |(a, b)| locks(a, b))
        .thread("bob", |(a, b)| locks(b, a));
    assert_eq!(deadlock(model), inversion);
    let model = Model::new(RwLocks::default)
        .thread("alice", |(a, b)| drop((a.read(), b.write())))
        .thread("bob", |(a, b)| drop((b.read(), a.write())));
    assert_eq!(deadlock(model), inversion);
}

#[test]
fn a_read_lock_taken_again_beside_a_writer_is_a_recursive_read() {
    let model = Model::new(RwLocks::default)
        .thread("alice", |(a, _)| drop((a.read(), a.read())))
        .thread("bob", |(a, _)| drop(a.write()));
    let recursive = "recursive read: a thread takes a read lock again that it holds, and a writer waits in between.";
    assert_eq!(deadlock(model), recursive);
}

/// Alice awaits the end of bob's read, and bob awaits alice; and bob alone would wait for himself.
#[test]
fn a_reader_that_wants_to_write_beside_a_writer_is_a_self_deadlock() {
    type Lock = (AtomicU64, RwLock<()>);
    let model = Model::new(Lock::default)
        .thread("alice", |(reads, lock)| {
            while reads.load(SeqCst) == 0 {
                hint::spin_loop();
            }
            drop(lock.write());
        })
        .thread("bob", |(reads, lock)| {
            let read = lock.read();
            reads.store(1, SeqCst);
            while lock.try_read().is_ok() {
                hint::spin_loop();
            }
            drop((lock.write(), read));
        });
    assert_eq!(deadlock(model), "self-deadlock: a thread waits for a lock that it holds.");
}

type Queue = (AtomicU64, Mutex<()>, Condvar);

/// Waits until there are so many jobs.
fn wait_for(jobs: u64, (count, lock, added): &Queue) {
    let mut guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
    while count.load(SeqCst) < jobs {
        guard = added.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}

fn add((count, _, added): &Queue) {
    count.fetch_add(1, SeqCst);
    added.notify_one();
}

#[test]
fn a_notification_between_check_and_wait_is_a_lost_wake_up() {
    let model = || Model::new(Queue::default).thread("waits", |queue| wait_for(1, queue));
    let lost = "lost wake-up: the notification comes after the check, and before the wait.";
    assert_eq!(deadlock(model().thread("adds", add)), lost);
    // It changes nothing that was checked.
    let notifies = |(count, _, added): &Queue| {
        count.load(SeqCst);
        added.notify_one();
    };
    assert_eq!(deadlock(model().thread("notifies", notifies)), "");
    // The notification comes before the change.
    let early = |(count, _, added): &Queue| {
        added.notify_one();
        count.fetch_add(1, SeqCst);
    };
    assert_eq!(deadlock(model().thread("adds", early)), "");
}

#[test]
fn a_notification_that_a_thread_has_received_is_no_lost_wake_up() {
    let add_under_lock = |queue: &Queue| {
        let guard = queue.1.lock();
        add(queue);
        drop(guard);
    };
    // There is no second job.
    let model = Model::new(Queue::default).thread("waits", |queue| wait_for(2, queue));
    assert_eq!(deadlock(model.thread("adds", add_under_lock)), "");
    // There is no second notification.
    let waits = |queue: &Queue| wait_for(1, queue);
    let model = Model::new(Queue::default).thread("waits", waits).thread("too", waits);
    assert_eq!(deadlock(model.thread("adds", add_under_lock)), "");
}

#[test]
fn a_lock_that_is_never_released_is_no_cycle() {
    let model = Model::new(Mutexes::default)
        .thread("alice", |(a, _)| std::mem::forget(a.lock()))
        .thread("bob", |(a, b)| locks(a, b));
    assert_eq!(deadlock(model), "");
}

/// In an order, and in none.
#[test]
fn memory_that_is_freed_twice_is_a_double_free() {
    let twice = Model::program(|| {
        let value = place(7);
        free(value);
        free(value);
    });
    assert_eq!(kind(twice, Failure::UseAfterFree), "double free.");
    let beside = Model::program(|| {
        let value = place(7);
        let other = thread::spawn(|| free(value));
        free(value);
        other.join().unwrap();
    });
    assert_eq!(kind(beside, Failure::DataRace), "double free.");
    let used = Model::program(|| {
        let value = place(AtomicU64::new(7));
        free(value);
        value.load(SeqCst);
    });
    assert_eq!(kind(used, Failure::UseAfterFree), "");
}
