//! What loom alone, or a careless harness on top of it, overlooks: one test each.
//!
//! Most of these are races or outcomes that loom 0.7.3 does not explore as it stands; the façade
//! makes it. On real threads only the sound ones are run.

use std::time::Duration;

use selvedge::model::{Failure, Model};
use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst, fence};
use selvedge::sync::cell::UnsafeCell;
use selvedge::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, thread};

/// Plain memory that pretends to be shared safely.
#[derive(Default)]
struct Cell(UnsafeCell<u64>);

// SAFETY: none; these tests are about whether the race is found.
unsafe impl Sync for Cell {}

impl Cell {
    fn set(&self, value: u64) {
        // SAFETY: none; as above.
        self.0.with_mut(|cell| unsafe { *cell = value });
    }

    fn get(&self) -> u64 {
        // SAFETY: none; as above.
        self.0.with(|cell| unsafe { *cell })
    }
}

fn zero() -> AtomicU64 {
    AtomicU64::new(0)
}

/// To loom a yield lets others go first, and only that; here going on at once is explored too.
#[test]
fn a_yield_orders_nothing() {
    Model::new(zero)
        .thread("reader", |v| v.load(SeqCst))
        .thread("writer", |v| {
            v.store(1, SeqCst);
            thread::yield_now();
            v.store(2, SeqCst);
        })
        .acceptable("reader=0", "read first")
        .acceptable("reader=1", "read between")
        .acceptable("reader=2", "read last")
        .check();
}

#[test]
fn a_sleep_orders_nothing() {
    let sleeper = |v: &AtomicU64| {
        thread::sleep(Duration::from_micros(1));
        v.load(SeqCst)
    };
    Model::new(zero)
        .thread("sleeper", sleeper)
        .thread("writer", |v| v.store(1, SeqCst))
        .rounds(50)
        .acceptable("sleeper=1", "slept long enough")
        .interesting("sleeper=0", "a sleep is no synchronisation")
        .check();
}

/// Readers hold a lock together, and giving it back orders nothing between them.
#[test]
fn a_write_under_a_read_lock_is_a_data_race() {
    let write = |lock: &RwLock<Cell>| {
        let cell = lock.read().unwrap_or_else(PoisonError::into_inner);
        cell.set(1);
    };
    Model::new(|| RwLock::new(Cell::default()))
        .thread("alice", write)
        .thread("bob", write)
        .fails(Failure::DataRace)
        .check();
}

/// In either order of declaration: the order of fences is explored.
#[test]
fn a_fence_that_comes_too_early_orders_nothing() {
    let model = || Model::new(Cell::default);
    let write = |cell: &Cell| {
        cell.set(1);
        fence(SeqCst);
    };
    let read = |cell: &Cell| {
        fence(SeqCst);
        cell.get();
    };
    model().thread("w", write).thread("r", read).fails(Failure::DataRace).check();
    model().thread("r", read).thread("w", write).fails(Failure::DataRace).check();
}

/// Two wait, one notifies: correct, and explored without a false alarm.
#[test]
fn two_that_wait_for_one_are_both_woken() {
    let wait = |(ready, changed): &(Mutex<bool>, Condvar)| {
        let mut ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
        while !*ready {
            ready = changed.wait(ready).unwrap_or_else(PoisonError::into_inner);
        }
    };
    Model::new(|| (Mutex::new(false), Condvar::new()))
        .thread("alice", wait)
        .thread("bob", wait)
        .thread("waker", |(ready, changed)| {
            *ready.lock().unwrap_or_else(PoisonError::into_inner) = true;
            changed.notify_all();
        })
        .acceptable("()", "everybody ends")
        .check();
}

/// A read-modify-write that only a stale read leads to: the second pass learns of it late, and
/// begins again instead of losing its way.
#[test]
fn what_only_weak_memory_leads_to_is_explored() {
    Model::new(|| [zero(), zero(), zero()])
        .thread("alice", |[data, flag, _]| {
            data.store(1, Relaxed);
            flag.store(1, Relaxed);
        })
        .thread("bob", |[data, flag, count]| {
            let (flag, data) = (flag.load(Relaxed), data.load(Relaxed));
            if flag == 1 && data == 0 {
                count.fetch_add(1, Relaxed);
            }
            flag + data
        })
        .finally("count", |[_, _, count]| count.load(SeqCst))
        .acceptable("bob=0 count=0", "bob came first")
        .acceptable("bob=1 count=0", "the data, and not yet the flag")
        .acceptable("bob=2 count=0", "bob came last")
        .interesting("bob=1 count=1", "the flag, and stale data")
        .rounds(10)
        .check();
}

/// Stores that nothing orders, with updates among them: no order is invented.
#[test]
fn updates_among_unordered_stores_are_no_wrong_model() {
    let report = Model::new(zero)
        .thread("x", |v| {
            let _ = v.compare_exchange(1, 1, SeqCst, SeqCst);
            v.store(2, SeqCst);
            v.load(SeqCst)
        })
        .thread("y", |v| {
            v.store(1, SeqCst);
            v.fetch_add(2, SeqCst);
            v.store(2, SeqCst);
        })
        .rounds(10)
        .explore()
        .expect("nothing is wrong with it");
    assert!(report.seen("x=2") > 0 || !cfg!(loom), "{report}");
}

/// What `finally` stores, a thread that it spawns can read.
#[test]
fn finally_may_store_and_spawn() {
    Model::new(|| Arc::new(zero()))
        .thread("alice", |v| v.store(1, SeqCst))
        .finally("read", |v| {
            v.store(5, SeqCst);
            let other = Arc::clone(v);
            let read = thread::spawn(move || other.load(SeqCst)).join();
            (read.expect("a load does not panic"), v.load(SeqCst))
        })
        .rounds(10)
        .acceptable("read=(5, 5)", "both read what was stored")
        .check();
}

#[test]
fn finally_may_try_a_lock_that_it_holds() {
    Model::new(|| Mutex::new(0))
        .thread("alice", |mutex| *mutex.lock().unwrap_or_else(PoisonError::into_inner) += 1)
        .finally("tried", |mutex| {
            let _held = mutex.lock();
            mutex.try_lock().is_ok()
        })
        .rounds(10)
        .acceptable("tried=false", "it is held")
        .check();
}

/// What real threads cannot be asked: they live on from round to round, and leave no account.
#[cfg(loom)]
mod on_loom {
    use super::{Arc, AtomicU64, Failure, Model, SeqCst, thread, zero};
    use std::cell::RefCell;

    struct AddsWhenDropped(RefCell<Option<Arc<AtomicU64>>>);

    impl Drop for AddsWhenDropped {
        fn drop(&mut self) {
            if let Some(count) = self.0.take() {
                count.fetch_add(1, SeqCst);
            }
        }
    }

    selvedge::sync::thread_local! {
        static AT_THE_END: AddsWhenDropped = const { AddsWhenDropped(RefCell::new(None)) };
    }

    /// Thread-local values are destroyed before `finally`, the first thread's too.
    #[test]
    fn thread_local_values_end_with_their_threads() {
        let body = |count: &Arc<AtomicU64>| {
            AT_THE_END.with(|guard| *guard.0.borrow_mut() = Some(Arc::clone(count)));
        };
        Model::new(|| Arc::new(zero()))
            .thread("alice", body)
            .thread("bob", body)
            .finally("count", |count| count.load(SeqCst))
            .acceptable("count=2", "both have ended")
            .check();
    }

    /// A panic that nobody joined is no leak, whatever else it leaves behind.
    #[test]
    fn an_unjoined_panic_is_no_leak() {
        Model::new(|| Arc::new(zero()))
            .thread("alice", |count| {
                let count = Arc::clone(count);
                thread::spawn(move || {
                    std::mem::forget(count);
                    panic!("on purpose");
                });
            })
            .fails(Failure::Invariant)
            .check();
    }
}
