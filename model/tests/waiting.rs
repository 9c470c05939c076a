//! Waiting in a model: what wakes a thread, what that synchronises with, and what may happen spuriously.

#![cfg_attr(not(loom), allow(unused_imports, dead_code, reason = "most of it takes the checker"))]

use std::time::Duration;

use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, hint, thread};
use selvedge_model::{Failure, Model, Report};

/// Plain memory that pretends to be shared safely.
#[derive(Default)]
struct Plain(UnsafeCell<u64>);

// SAFETY: none; whether access is ordered is what the tests are about.
unsafe impl Sync for Plain {}
// SAFETY: as above.
unsafe impl Send for Plain {}

impl Plain {
    fn set(&self, value: u64) {
        // SAFETY: none; see above.
        self.0.with_mut(|cell| unsafe { *cell = value });
    }

    fn get(&self) -> u64 {
        // SAFETY: none; see above.
        self.0.with(|cell| unsafe { *cell })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lock that spins, and unlocks with `order`.
struct SpinLock {
    taken: AtomicBool,
    value: Plain,
}

impl SpinLock {
    fn new() -> Self {
        Self { taken: AtomicBool::new(false), value: Plain::default() }
    }

    fn add(&self, order: selvedge_model::sync::atomic::Ordering) {
        hint::wait_until(|| self.taken.compare_exchange(false, true, Acquire, Relaxed).is_ok());
        self.value.set(self.value.get() + 1);
        self.taken.store(false, order);
    }
}

fn three_lock(order: selvedge_model::sync::atomic::Ordering) -> Model<SpinLock> {
    let mut model = Model::new(SpinLock::new);
    for name in ["alice", "bob", "carol"] {
        model = model.thread(name, move |lock| lock.add(order));
    }
    model.finally("total", |lock| lock.value.get())
}

/// Each of the two that wait could wake the other for ever; but neither changes anything.
#[test]
fn three_threads_may_wait_for_one_spin_lock() {
    three_lock(Release).acceptable("total=3", "one at a time").check();
}

#[cfg(loom)]
mod on_loom {
    use super::*;

    /// A wait is ordered by what its condition reads, with the ordering that it reads it with.
    #[test]
    fn a_wait_synchronises_only_by_its_condition() {
        three_lock(Relaxed).fails(Failure::DataRace).check();
        let model = |order| {
            Model::new(|| (AtomicBool::new(false), Plain::default()))
                .thread("waits", move |(flag, value)| {
                    hint::wait_until(|| flag.load(order));
                    value.get()
                })
                .thread("sets", |(flag, value)| {
                    value.set(2);
                    flag.store(true, Release);
                })
        };
        let report = model(Acquire).acceptable("waits=2", "the load acquires").check();
        assert!(report.is_complete(), "{report}");
        model(Relaxed).fails(Failure::DataRace).check();
    }

    #[test]
    fn a_wait_that_no_thread_ends_is_a_deadlock() {
        let waits = |flag: &AtomicBool| hint::wait_until(|| flag.load(Relaxed));
        let model = Model::new(|| AtomicBool::new(false)).thread("alice", waits);
        model.fails(Failure::Deadlock).check();
        let model = Model::new(|| AtomicBool::new(false)).thread("alice", waits);
        let model = model.thread("bob", waits).thread("carol", |flag| flag.load(Relaxed));
        model.fails(Failure::Deadlock).check();
    }

    /// A wait that reads an old store reads again.
    #[test]
    fn a_stale_read_does_not_wait_for_ever() {
        Model::new(|| (AtomicBool::new(false), AtomicBool::new(false)))
            .thread("waits", |(a, b)| hint::wait_until(|| a.load(Relaxed) && b.load(Relaxed)))
            .thread("sets", |(a, b)| {
                b.store(true, Relaxed);
                a.store(true, Relaxed);
            })
            .acceptable("()", "it ends")
            .check();
    }

    /// One waits for two, which wait for each other in turn.
    #[test]
    fn waits_in_turn_all_end() {
        let turn = |mine: u64| {
            move |turn: &AtomicU64| {
                hint::wait_until(|| turn.load(Acquire) == mine);
                turn.store(mine + 1, Release);
            }
        };
        Model::new(|| AtomicU64::new(0))
            .thread("second", turn(1))
            .thread("third", turn(2))
            .thread("first", turn(0))
            .finally("turn", |turn| turn.load(Relaxed))
            .acceptable("turn=3", "each had its turn")
            .check();
    }

    /// A wait for two things goes on when either changes, and within a wait there may be another.
    #[test]
    fn a_wait_looks_at_all_that_its_condition_reads() {
        Model::new(|| (Mutex::new(0), AtomicBool::new(false)))
            .thread("waits", |(count, flag)| {
                hint::wait_until(|| {
                    hint::wait_until(|| flag.load(Acquire));
                    count.try_lock().is_ok_and(|count| *count == 1)
                });
            })
            .thread("sets", |(count, flag)| {
                flag.store(true, Release);
                *lock(count) += 1;
            })
            .acceptable("()", "it ends")
            .check();
    }

    /// What only the wait within looks at is a part of what the outer one waits for.
    #[test]
    fn a_wait_within_a_wait_looks_for_both() {
        Model::new(|| AtomicU64::new(0))
            .thread("waits", |x| {
                hint::wait_until(|| {
                    let mut found = 0;
                    hint::wait_until(|| {
                        found = x.load(Acquire);
                        found > 0
                    });
                    found == 2
                });
            })
            .thread("counts", |x| {
                x.store(1, Release);
                x.store(2, Release);
            })
            .acceptable("()", "it ends")
            .check();
    }

    /// A loop that gives up is no loop that waits: that it gives up before the other thread has
    /// done anything is explored.
    #[test]
    fn a_loop_that_gives_up_is_explored_as_such() {
        for rounds in [1, 2, 5] {
            Model::new(|| AtomicU64::new(0))
                .thread("spins", move |x| {
                    for _ in 0..rounds {
                        if x.load(SeqCst) == 1 {
                            break;
                        }
                        hint::spin_loop();
                    }
                    x.swap(2, SeqCst)
                })
                .thread("writes", |x| x.store(1, SeqCst))
                .finally("x", |x| x.load(SeqCst))
                .acceptable("spins=1 x=2", "it saw the 1, or came later")
                .interesting("spins=0 x=1", "it gave up before the store")
                .check();
        }
    }

    /// `unpark` orders what it precedes only before the `park` that it ends.
    #[test]
    fn unpark_synchronises_only_with_the_park_that_it_ends() {
        let model = |parks: bool| {
            Model::new(|| ()).thread("main", move |()| {
                let value = Arc::new((Plain::default(), AtomicBool::new(false)));
                let theirs = Arc::clone(&value);
                let child = thread::spawn(move || {
                    if parks {
                        thread::park();
                    }
                    // The flag says that it has been unparked, and orders nothing.
                    (parks || theirs.1.load(Relaxed)).then(|| theirs.0.get())
                });
                value.0.set(1);
                child.thread().unpark();
                value.1.store(true, Relaxed);
                child.join().expect("it does not panic")
            })
        };
        // Without spurious wake-ups: one would be a race, too.
        model(true)
            .without_spurious()
            .acceptable("main=Some(1)", "it reads after the unpark")
            .check();
        model(false).fails(Failure::DataRace).check();
        model(true).fails(Failure::DataRace).check();
    }

    /// One token, however often it is given: the second park may wait for ever.
    #[test]
    fn two_unparks_before_a_park_are_one() {
        let model = |third: bool| {
            Model::new(|| ()).without_spurious().thread("main", move |()| {
                let gone_on = Arc::new(AtomicU64::new(0));
                let seen = Arc::clone(&gone_on);
                let child = thread::spawn(move || {
                    thread::park();
                    seen.store(1, SeqCst);
                    thread::park();
                    seen.store(2, SeqCst);
                });
                child.thread().unpark();
                child.thread().unpark();
                // Once both of the others may have been taken as one.
                hint::wait_until(|| gone_on.load(SeqCst) > 0);
                let before = gone_on.load(SeqCst);
                if third {
                    child.thread().unpark();
                }
                child.join().expect("it does not panic");
                before
            })
        };
        model(false).fails(Failure::Deadlock).check();
        model(true)
            .acceptable("main=1", "the two were one, or the second is still to be taken")
            .acceptable("main=2", "one before the first park, one before the second")
            .check();
    }

    /// A thread that waits for a lock may be unparked: the token waits for its `park`.
    #[test]
    fn a_thread_that_waits_for_something_else_may_be_unparked() {
        Model::new(|| ())
            .thread("main", |()| {
                let count = Arc::new(Mutex::new(0));
                let theirs = Arc::clone(&count);
                let held = lock(&count);
                let child = thread::spawn(move || {
                    *lock(&theirs) += 1;
                    thread::park();
                });
                child.thread().unpark();
                drop(held);
                child.join().expect("it does not panic");
                *lock(&count)
            })
            .acceptable("main=1", "it ends")
            .check();
    }

    /// A notification is no message: what it announces must be under the lock, or it is a race.
    #[test]
    fn notify_does_not_synchronise() {
        Model::new(|| (Mutex::new(()), Condvar::new(), Plain::default()))
            .thread("waits", |(mutex, told, value)| {
                drop(told.wait(lock(mutex)));
                value.get();
            })
            .thread("tells", |(mutex, told, value)| {
                drop(lock(mutex));
                value.set(1);
                told.notify_one();
            })
            .fails(Failure::DataRace)
            .without_spurious()
            .check();
    }

    fn waits(again: bool) -> Model<(Mutex<bool>, Condvar)> {
        Model::new(|| (Mutex::new(false), Condvar::new()))
            .thread("waits", move |(ready, told)| {
                let mut ready = lock(ready);
                while !*ready {
                    ready = told.wait(ready).unwrap_or_else(PoisonError::into_inner);
                    if !again {
                        break;
                    }
                }
                *ready
            })
            .thread("tells", |(ready, told)| {
                *lock(ready) = true;
                told.notify_one();
            })
    }

    /// `if` where it must say `while`.
    #[test]
    fn a_wait_may_wake_spuriously() {
        waits(true).acceptable("waits=true", "it looks again").check();
        waits(false)
            .acceptable("waits=true", "it was told")
            .interesting("waits=false", "it woke spuriously, and did not look again")
            .check();
        let told = waits(false).without_spurious().acceptable("waits=true", "it was told").check();
        assert_eq!(
            told.bound().as_deref(),
            Some("no spurious failures and wake-ups"),
            "what is left out is said"
        );
    }

    #[test]
    fn park_may_return_spuriously() {
        let model = || {
            Model::new(|| ()).thread("main", move |()| {
                let flag = Arc::new(AtomicBool::new(false));
                let theirs = Arc::clone(&flag);
                let child = thread::spawn(move || {
                    thread::park();
                    theirs.load(SeqCst)
                });
                flag.store(true, SeqCst);
                child.thread().unpark();
                child.join().expect("it does not panic")
            })
        };
        model().without_spurious().acceptable("main=true", "unpark is after the store").check();
        let report = model()
            .acceptable("main=true", "unpark comes after the store")
            .interesting("main=false", "park returned spuriously")
            .check();
        assert!(report.is_complete(), "one park is all that there was: {report}");
    }

    #[test]
    fn compare_exchange_weak_may_fail_spuriously() {
        let model = || {
            Model::new(|| AtomicU64::new(0))
                .thread("alice", |x| x.compare_exchange_weak(0, 1, SeqCst, SeqCst))
                .thread("bob", |x| x.compare_exchange_weak(5, 1, SeqCst, SeqCst).is_ok())
        };
        let outcomes = |report: &Report| {
            report.outcomes.iter().map(|row| row.text.clone()).collect::<Vec<String>>()
        };
        let strong = model().without_spurious().explore().expect("nothing fails");
        assert_eq!(outcomes(&strong), ["alice=Ok(0) bob=false"]);
        let text = strong.to_string();
        assert!(text.contains("bounded (no spurious failures and wake-ups)"), "{text}");
        let all = model().explore().expect("nothing fails");
        assert_eq!(outcomes(&all), ["alice=Ok(0) bob=false", "alice=Err(0) bob=false"]);
        assert!(all.is_complete(), "{all}");
    }

    /// A model has no time: the wait may be notified, time out, or wake spuriously, and it always ends.
    #[test]
    fn a_wait_with_a_time_limit_ends_either_way() {
        let model = || {
            Model::new(|| (Mutex::new(false), Condvar::new())).thread("waits", |(ready, told)| {
                let ready = lock(ready);
                let (ready, result) = told
                    .wait_timeout(ready, Duration::from_secs(1))
                    .unwrap_or_else(PoisonError::into_inner);
                (*ready, result.timed_out())
            })
        };
        let report = model()
            .acceptable("waits=(false, true)", "no thread notifies it")
            .acceptable("waits=(false, false)", "it woke spuriously")
            .check();
        assert!(report.is_complete(), "{report}");
        let report = model()
            .thread("tells", |(ready, told)| {
                *lock(ready) = true;
                told.notify_one();
            })
            .acceptable("waits=(false, true)", "it timed out first")
            .acceptable("waits=(false, false)", "it woke spuriously first")
            .acceptable("waits=(true, false)", "notified in time, or it woke spuriously")
            .acceptable("waits=(true, true)", "set in time, notified too late")
            .check();
        assert!(report.is_complete(), "{report}");
        let report = model().without_spurious().acceptable("waits=(false, true)", "it times out");
        assert_eq!(report.check().bound().as_deref(), Some("no spurious failures and wake-ups"));
    }

    /// A loop around it ends as well.
    #[test]
    fn a_loop_of_waits_with_a_time_limit_ends() {
        Model::new(|| (Mutex::new(false), Condvar::new()))
            .thread("waits", |(ready, told)| {
                let mut ready = lock(ready);
                while !*ready {
                    ready = told
                        .wait_timeout(ready, Duration::from_secs(1))
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                }
            })
            .thread("tells", |(ready, _)| *lock(ready) = true)
            .acceptable("()", "it looks again and again")
            .check();
        Model::new(|| (Mutex::new(false), Condvar::new()))
            .thread("waits", |(ready, told)| {
                let ready = lock(ready);
                let limit = Duration::from_secs(1);
                let result = told.wait_timeout_while(ready, limit, |ready| !*ready);
                let (ready, result) = result.unwrap_or_else(PoisonError::into_inner);
                assert_ne!(*ready, result.timed_out(), "time is up, or it is ready");
                *ready
            })
            .thread("tells", |(ready, told)| {
                *lock(ready) = true;
                told.notify_one();
            })
            .acceptable("waits=true", "told in time")
            .acceptable("waits=false", "time was up")
            .check();
    }

    #[test]
    fn park_with_a_time_limit_returns_either_way() {
        let parks = || thread::park_timeout(Duration::from_secs(1));
        Model::new(|| ())
            .thread("main", move |()| parks())
            .acceptable("()", "nobody unparks it")
            .check();
        Model::new(|| ())
            .thread("main", move |()| {
                let flag = Arc::new(AtomicBool::new(false));
                let theirs = Arc::clone(&flag);
                let child = thread::spawn(move || {
                    parks();
                    theirs.load(SeqCst)
                });
                flag.store(true, SeqCst);
                child.thread().unpark();
                child.join().expect("it does not panic")
            })
            .acceptable("main=true", "unparked, or time was up late")
            .interesting("main=false", "time was up first")
            .check();
    }

    /// An `unpark` in time is used up by it, so that the next park waits for another.
    #[test]
    fn a_park_with_a_time_limit_takes_the_token() {
        Model::new(|| ())
            .thread("main", |()| {
                let child = thread::spawn(|| {
                    thread::park_timeout(Duration::from_secs(1));
                    thread::park();
                });
                child.thread().unpark();
                child.join().expect("it does not panic");
            })
            .without_spurious()
            .fails(Failure::Deadlock)
            .check();
    }

    #[test]
    fn strong_count_acquires_nothing() {
        let model = |drops_first: bool| {
            Model::new(|| {
                let value = Arc::new(Plain::default());
                [Mutex::new(Some(Arc::clone(&value))), Mutex::new(Some(value))]
            })
            .thread("drops", |slots| {
                let mine = lock(&slots[0]).take();
                if let Some(mine) = mine {
                    mine.set(1);
                }
            })
            .thread("counts", move |slots| {
                let mine = lock(&slots[1]).take();
                let mine = mine.expect("nobody else takes it");
                let alone = Arc::strong_count(&mine) == 1;
                if alone && !drops_first {
                    mine.get();
                }
                alone
            })
        };
        model(false).fails(Failure::DataRace).check();
        model(true)
            .acceptable("counts=false", "the other is still there")
            .acceptable("counts=true", "the other has gone")
            .check();
    }

    /// `std` leaves open whether a waiting writer holds up a reader that holds the lock already.
    #[test]
    fn a_thread_that_reads_twice_deadlocks_with_a_writer_in_between() {
        let reads_twice = |lock: &RwLock<u64>| {
            let first = lock.read().unwrap_or_else(PoisonError::into_inner);
            let second = lock.read().unwrap_or_else(PoisonError::into_inner);
            *first + *second
        };
        let alone = Model::new(|| RwLock::new(1)).thread("reads", reads_twice);
        let report = alone.acceptable("reads=2", "no writer waits").check();
        assert!(report.is_complete(), "{report}");
        Model::new(|| RwLock::new(1))
            .thread("reads", reads_twice)
            .thread("writes", |lock| drop(lock.write()))
            .fails(Failure::Deadlock)
            .check();
    }
}

/// The exchange fails although the word is free, and no other `unpark` comes.
#[cfg(loom)]
#[test]
fn a_park_after_a_weak_exchange_that_failed_without_a_cause_is_a_deadlock() {
    let program = |parks: fn(bool) -> bool| {
        Model::program(move || {
            let taken = std::sync::Arc::new(AtomicBool::new(true));
            let there = std::sync::Arc::clone(&taken);
            let waits = thread::spawn(move || {
                while let Err(found) = there.compare_exchange_weak(false, true, Acquire, Relaxed) {
                    if parks(found) {
                        thread::park();
                    }
                }
            });
            taken.store(false, Release);
            waits.thread().unpark();
            waits.join().unwrap();
        })
    };
    let report = program(|_| true).fails(Failure::Deadlock).check();
    assert_eq!(report.executions(), 3);
    let report = program(|found| found).acceptable("()", "it takes the word").check();
    assert!(report.is_complete());
    assert_eq!(report.executions(), 6);
}
