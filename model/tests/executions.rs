//! Executions that a checker may miss, and orders that it may invent: a test for each kind. On real threads
//! only the sound ones are run.

use std::time::Duration;

use selvedge_model::sync::atomic::{
    AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, Ordering::SeqCst, fence,
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, hint, thread};
use selvedge_model::{Failure, Model};

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

/// A yield may have no effect.
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
fn a_loop_that_spins_ends() {
    Model::new(zero)
        .thread("spins", |v| {
            while v.load(SeqCst) == 0 {
                hint::spin_loop();
            }
        })
        .thread("ends-it", |v| v.store(1, SeqCst))
        .acceptable("()", "it sees the store")
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

/// Readers hold a lock together, and the end of one read orders nothing for another reader.
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

/// In either order of declaration.
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

#[test]
fn a_pair_of_fences_orders() {
    Model::new(|| (Cell::default(), zero()))
        .thread("alice", |(cell, flag)| {
            cell.set(1);
            fence(Release);
            flag.store(1, Relaxed);
        })
        .thread("bob", |(cell, flag)| {
            if flag.load(Relaxed) == 1 {
                fence(Acquire);
                cell.get();
            }
        })
        .acceptable("()", "a thread that reads the flag knows the cell")
        .check();
    Model::new(|| [zero(), zero()])
        .thread("alice", |[x, y]| {
            x.store(1, Relaxed);
            fence(SeqCst);
            y.load(Relaxed)
        })
        .thread("bob", |[x, y]| {
            y.store(1, Relaxed);
            fence(SeqCst);
            x.load(Relaxed)
        })
        .acceptable("alice=0 bob=1", "alice first")
        .acceptable("alice=1 bob=0", "bob first")
        .acceptable("alice=1 bob=1", "interleaved")
        .forbidden("alice=0 bob=0", "one of the fences comes first")
        .check();
}

/// Two threads wait, one notifies both.
#[test]
fn notify_all_wakes_both_waiters() {
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
        .acceptable("()", "all threads end")
        .check();
}

/// An update that is reached only after a stale read.
#[test]
fn a_step_that_only_weak_memory_reaches_is_explored() {
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

/// A write conflicts with both loads of another thread, and what it leads to under weak memory is explored.
#[test]
fn a_write_comes_between_loads_that_a_later_load_hides() {
    let store = |[x, y]: &[AtomicU64; 2]| {
        y.store(1, Relaxed);
        x.load(Relaxed);
        x.store(1, Relaxed);
    };
    let swap = |[x, y]: &[AtomicU64; 2]| {
        x.load(Relaxed);
        y.swap(1, Relaxed);
        x.swap(1, Relaxed);
    };
    let reader = || {
        let read = |[x, y]: &[AtomicU64; 2]| (x.load(Relaxed), x.load(Relaxed), y.load(Relaxed));
        Model::new(|| [zero(), zero()]).thread("reader", read)
    };
    for model in [reader().thread("writer", store), reader().thread("writer", swap)] {
        model
            .acceptable("reader=(0, 0, 0)", "read before the writes")
            .acceptable("reader=(0, 0, 1)", "one write between the loads")
            .acceptable("reader=(0, 1, 1)", "both writes between the loads")
            .acceptable("reader=(1, 1, 1)", "read after the writes")
            .interesting("reader=(0, 1, 0)", "the second write between the loads, the first unseen")
            .interesting("reader=(1, 1, 0)", "the second write before the loads, the first unseen")
            .check();
    }
}

/// An update reads the newest store, and a load after it an old one of another atomic.
#[test]
fn a_relaxed_update_orders_no_other_atomic() {
    Model::new(|| [zero(), zero()])
        .thread("reader", |[flag, data]| (flag.swap(2, Relaxed), data.load(Relaxed)))
        .thread("writer", |[flag, data]| {
            data.store(1, Relaxed);
            flag.store(1, Relaxed);
        })
        .acceptable("reader=(0, 0)", "read before the data")
        .acceptable("reader=(0, 1)", "the data, and not yet the flag")
        .acceptable("reader=(1, 1)", "read last")
        .interesting("reader=(1, 0)", "the flag, and stale data")
        .check();
}

/// Of stores that nothing orders, the one that comes later may be the older one, also in a model
/// with updates.
#[test]
fn a_store_that_comes_later_may_be_older() {
    Model::new(|| [zero(), zero()])
        .thread("alice", |[x, y]| {
            x.store(1, Relaxed);
            y.store(2, Relaxed);
        })
        .thread("bob", |[x, y]| {
            y.store(1, Relaxed);
            x.store(2, Relaxed);
            x.fetch_add(10, Relaxed);
        })
        .finally("end", |[x, y]| (x.load(Relaxed), y.load(Relaxed)))
        .acceptable("end=(1, 2)", "alice came last")
        .acceptable("end=(11, 2)", "alice stored between bob's store and his update")
        .acceptable("end=(12, 1)", "bob came last")
        .acceptable("end=(12, 2)", "bob stored last to x, alice to y")
        .interesting("end=(1, 1)", "each thread's first store is the newest")
        .interesting("end=(11, 1)", "so it is, and bob's update follows alice's store")
        .check();
}

/// Of two stores that nothing orders, an update follows either, and the other one may be the newer.
#[test]
fn an_update_follows_either_of_two_unordered_stores() {
    Model::new(|| [zero(), zero()])
        .thread("alice", |[done, x]| {
            x.store(3, Relaxed);
            done.fetch_add(1, Relaxed);
        })
        .thread("bob", |[done, x]| {
            let done = done.fetch_add(0, Relaxed);
            x.store(5, Relaxed);
            (done, x.swap(6, Relaxed))
        })
        .finally("x", |[_, x]| x.load(Relaxed))
        .acceptable("bob=(0, 3) x=6", "alice stored in between")
        .acceptable("bob=(0, 5) x=3", "alice stored last")
        .acceptable("bob=(0, 5) x=6", "alice stored first")
        .acceptable("bob=(1, 5) x=6", "alice was done before")
        .interesting("bob=(1, 3) x=6", "alice was done, and her store is newer than bob's")
        .interesting("bob=(1, 5) x=3", "alice was done, and her store is the newest of all")
        .check();
}

/// A store does not acquire from the update that it overwrites, whatever fence follows.
#[test]
fn a_fence_after_a_store_orders_nothing() {
    Model::new(|| (Cell::default(), zero(), zero()))
        .thread("alice", |(cell, x, done)| {
            cell.set(1);
            x.fetch_add(1, Release);
            done.store(1, Relaxed);
        })
        .thread("bob", |(cell, x, done)| {
            if done.load(Relaxed) == 1 {
                x.store(5, Relaxed);
                fence(Acquire);
                cell.get();
            }
        })
        .fails(Failure::DataRace)
        .check();
}

/// Stores that nothing orders, with updates among them.
#[test]
fn updates_among_unordered_stores_are_explored() {
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

/// `x` cannot be 3 at first and 1 in the end: 1 comes before 3 in modification order, for the thread that stored
/// 1 has read 3.
#[test]
fn an_incoherent_outcome_is_not_reached() {
    let model = || {
        Model::new(|| (zero(), Mutex::new(0)))
            .thread("alice", |(x, _)| {
                x.store(2, Relaxed);
                x.store(3, Relaxed);
            })
            .thread("bob", |(x, seen)| {
                x.store(1, Relaxed);
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = x.load(Relaxed);
            })
    };
    let seen = |seen: &Mutex<u64>| *seen.lock().unwrap_or_else(PoisonError::into_inner);
    model()
        .finally("seen", move |(_, mutex)| seen(mutex))
        .finally("x", |(x, _)| x.load(Relaxed))
        .acceptable("seen=1 x=1", "bob came last, or was read in between")
        .acceptable("seen=1 x=3", "bob came first")
        .acceptable("seen=2 x=3", "bob came first, and read in between")
        .acceptable("seen=3 x=3", "bob came first, and read last")
        .check();
    model()
        .finally("check", move |(x, mutex)| {
            assert!(seen(mutex) == 1 || x.load(Relaxed) == 3, "bob's 1 was replaced before");
        })
        .acceptable("()", "never broken")
        .check();
}

/// Making an atomic is a write without synchronisation.
#[test]
fn an_atomic_published_without_release_is_a_data_race() {
    use selvedge_model::sync::atomic::{AtomicPtr, Ordering};

    let model = |publish: Ordering, read: Ordering| {
        Model::new(|| AtomicPtr::new(std::ptr::null_mut()))
            .thread("publisher", move |published| {
                published.store(Box::into_raw(Box::new(AtomicU64::new(7))), publish);
            })
            .thread("reader", move |published| {
                let found = published.load(read);
                // SAFETY: the atomic lives until the observation. Where nothing orders this access
                // after the publication, the model ends here.
                (!found.is_null()).then(|| unsafe { &*found }.load(Relaxed))
            })
            .finally("freed", |published| {
                // SAFETY: it came from a `Box`, and all threads have ended.
                drop(unsafe { Box::from_raw(published.load(Relaxed)) });
            })
    };
    model(Relaxed, Relaxed).fails(Failure::DataRace).check();
    model(Release, Relaxed).fails(Failure::DataRace).check();
    model(Relaxed, Acquire).fails(Failure::DataRace).check();
    model(Release, Acquire)
        .acceptable("reader=None", "not yet published")
        .acceptable("reader=Some(7)", "published")
        .check();
}

/// Plain data that a thread leaves in the state decides what its drop does.
#[test]
fn the_drop_of_the_state_happens_after_all_threads() {
    struct Adds(Arc<AtomicU64>);
    impl Drop for Adds {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    Model::new(|| (Mutex::new(None), Arc::new(zero())))
        .thread("alice", |(_, x)| x.fetch_add(1, Relaxed))
        .thread("bob", |(left, x)| {
            if x.load(Relaxed) == 1 {
                let adds = Adds(Arc::clone(x));
                *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(adds);
            }
        })
        .acceptable("alice=0", "and deterministic")
        .check();
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

/// Threads that are spawned before the declared ones start, or after they have ended, interleave
/// like any others.
#[test]
fn threads_of_init_and_finally_are_explored() {
    let race = || {
        let v = Arc::new(zero());
        let child = {
            let v = Arc::clone(&v);
            thread::spawn(move || {
                v.load(SeqCst);
                v.store(1, SeqCst);
            })
        };
        let read = v.load(SeqCst);
        child.join().expect("a store does not panic");
        read
    };
    let models = [
        Model::new(race).thread("alice", |_| ()).finally("read", |read| *read),
        Model::new(|| 0).thread("alice", |_| ()).finally("read", move |_| race()),
    ];
    for model in models {
        model
            .rounds(10)
            .acceptable("read=0", "read before the store")
            .acceptable("read=1", "read after the store")
            .check();
    }
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

/// Real threads live on from round to round, and their leaks are not found.
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

    selvedge_model::sync::thread_local! {
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

    /// Those of a spawned thread before it is joined, and those of `finally` with the execution:
    /// left alone, they would leak what they own.
    #[test]
    fn thread_local_values_of_a_spawned_thread_and_of_finally_end_too() {
        fn keep(count: &Arc<AtomicU64>) {
            AT_THE_END.with(|guard| *guard.0.borrow_mut() = Some(Arc::clone(count)));
        }
        Model::new(|| Arc::new(zero()))
            .thread("alice", |count| {
                let other = Arc::clone(count);
                thread::spawn(move || keep(&other)).join().expect("it keeps a value");
                count.load(SeqCst)
            })
            .finally("kept", keep)
            .acceptable("alice=1", "the spawned thread has ended")
            .check();
    }

    /// A panic in a thread that is not joined is reported, not what it leaks.
    #[test]
    fn a_panic_that_leaks_is_reported_as_a_panic() {
        Model::new(|| Arc::new(zero()))
            .thread("alice", |count| {
                let count = Arc::clone(count);
                thread::spawn(move || {
                    std::mem::forget(count);
                    panic!("on purpose");
                });
            })
            .fails(Failure::Panic)
            .check();
    }
}
