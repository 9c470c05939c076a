//! # Beyond loom: what loom 0.7.3 misses
//!
//! Each row has a test: the program is explored completely, with exactly the outcomes, or the failure, that C++20
//! and `std` allow.
//!
//! | loom 0.7.3 | test |
//! |---|---|
//! | skips interleavings, even of `SeqCst` operations | `load_hides_no_interleaving` |
//! | keeps the seven newest values of an atomic | `load_reads_a_value_with_any_number_of_newer_ones` |
//! | a `SeqCst` load reads past no newer `SeqCst` store | `seq_cst_load_reads_an_older_seq_cst_store` |
//! | a `compare_exchange` that fails reads the newest value | `failing_compare_exchange_reads_an_old_value` |
//! | updates take effect in the order of execution | `relaxed_updates_are_reordered` |
//! | `SeqCst` loads and stores count as `AcqRel` | `stores_of_equal_values_are_distinguished`, and [`litmus.rs`](litmus.rs) |
//! | `notify_one` wakes the thread that has waited longest | `notify_one_wakes_any_waiting_thread` |
//! | a waiting writer blocks no reader | `waiting_writer_blocks_a_reader`, `crossed_readers_deadlock` |
//! | no spurious failures and wake-ups | `spurious_failures_are_explored`, `wait_while_is_explored_completely` |
//! | a panic poisons a lock for good | `is_poisoned_is_explored_at_each_moment` |
//! | a fence acquires what other threads have read | `acquire_fence_acts_for_its_own_thread` |
//! | two `SeqCst` fences synchronise without an atomic between them | `seq_cst_fences_synchronize_through_an_atomic` |
//! | the release of a read lock synchronises with the next reader | `read_lock_orders_no_readers` |
//! | dropping an object, or making a lock, is no access | `early_free_is_a_data_race`, `mutex_published_without_release_is_a_data_race` |
//! | an update may read its thread's own store for ever | `lock_acquired_by_swap_is_explored_completely` |
//! | a waiting loop is run up to a limit of branches | `loops_that_yield_are_explored_completely`, `loop_that_gives_up_is_explored_completely` |
//!
//! **Why.** loom runs a program in the order of its steps, and lets a load read what was stored earlier in this
//! order. Its partial-order reduction remembers one last access of each atomic. Here an execution is a graph, which
//! says for each load what it reads and for each atomic its modification order, and all consistent graphs are
//! built. loom still runs, as the second engine of each check: there every operation is a read-modify-write, and of
//! these loom has not been seen to skip an order.
//!
//! **Scope.** Explored completely, but for `notify_one`, without spurious wake-ups. What is still missed:
//! [`unexplored.rs`](unexplored.rs).

use super::lock;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU64,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Condvar, Mutex, PoisonError, RwLock, hint, thread};
use selvedge_model::{Failure, Model};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Two atomics, both 0.
type Two = (AtomicU64, AtomicU64);

fn two() -> Model<Two> {
    Model::new(Two::default)
}

fn passes<S: Send + Sync + 'static>(model: Model<S>) {
    let report = model.rounds(500).check();
    assert!(report.is_complete() || !cfg!(loom), "explored completely: {report}");
}

fn is_a_race<S: Send + Sync + 'static>(model: Model<S>) {
    model.fails(Failure::DataRace).check();
}

// ---------------------------------------------------------------------------------------------
// Atomics.
// ---------------------------------------------------------------------------------------------

/// The same program with the same assertion: loom explores one of two orders, and the assertion holds in it.
#[cfg(loom)]
#[test]
fn load_hides_no_interleaving() {
    const FIRST: &str = "the reader comes first";
    loom::model(|| {
        let x = loom::sync::Arc::new(loom::sync::atomic::AtomicU64::new(0));
        let theirs = loom::sync::Arc::clone(&x);
        let writer = loom::thread::spawn(move || {
            let read = theirs.load(SeqCst);
            theirs.store(read + 1, SeqCst);
        });
        assert_eq!(x.load(SeqCst), 0, "{FIRST}");
        writer.join().expect("it does not panic");
    });

    Model::new(AtomicU64::default)
        .thread("reader", |x| assert_eq!(x.load(SeqCst), 0, "{FIRST}"))
        .thread("writer", |x| {
            let read = x.load(SeqCst);
            x.store(read + 1, SeqCst);
        })
        .fails(Failure::Panic)
        .check();
}

#[test]
fn load_reads_a_value_with_any_number_of_newer_ones() {
    let mut model = two()
        .thread("writer", |(x, flag)| {
            for value in 1..=20 {
                x.store(value, Relaxed);
            }
            flag.store(1, Relaxed);
        })
        .thread("reader", |(x, flag)| (flag.load(Relaxed) == 1).then(|| x.load(Relaxed)))
        .acceptable("reader=None", "the flag was not yet there")
        .acceptable("reader=Some(20)", "the newest value");
    for old in 0..20 {
        model = model.interesting(&format!("reader=Some({old})"), "the flag overtook newer values");
    }
    passes(model);
}

/// In the order of `SeqCst` operations the load may come between the stores: the load before it is relaxed and
/// orders nothing.
#[test]
fn seq_cst_load_reads_an_older_seq_cst_store() {
    let model = two()
        .thread("writer", |(x, flag)| {
            x.store(1, SeqCst);
            x.store(2, SeqCst);
            flag.store(1, Relaxed);
        })
        .thread("reader", |(x, flag)| (flag.load(Relaxed), x.load(SeqCst)))
        .acceptable("reader=(0, 0)", "it read first")
        .acceptable("reader=(0, 1)", "it read between")
        .acceptable("reader=(0, 2)", "it looked at the flag too early")
        .acceptable("reader=(1, 2)", "it read last")
        .interesting("reader=(1, 0)", "the flag overtook both stores")
        .interesting("reader=(1, 1)", "the flag overtook the second store");
    passes(model);
}

/// A `compare_exchange` that fails is a load, and a load may read an old value.
#[test]
fn failing_compare_exchange_reads_an_old_value() {
    let model = two()
        .thread("writer", |(data, flag)| {
            data.store(1, Relaxed);
            flag.store(1, Relaxed);
        })
        .thread("reader", |(data, flag)| {
            (flag.load(Relaxed), data.compare_exchange(9, 9, Relaxed, Relaxed))
        })
        .acceptable("reader=(0, Err(0))", "it read first")
        .acceptable("reader=(0, Err(1))", "it looked at the flag too early")
        .acceptable("reader=(1, Err(1))", "it read last")
        .interesting("reader=(1, Err(0))", "the flag overtook the data");
    passes(model);
}

/// Store buffering, and message passing, with updates in place of the loads.
#[test]
fn relaxed_updates_are_reordered() {
    let buffering = two()
        .thread("left", |(x, y)| {
            x.store(1, Relaxed);
            y.fetch_add(0, Relaxed)
        })
        .thread("right", |(x, y)| {
            y.store(1, Relaxed);
            x.fetch_add(0, Relaxed)
        })
        .acceptable("left=0 right=1", "left came first")
        .acceptable("left=1 right=0", "right came first")
        .acceptable("left=1 right=1", "both wrote before either read")
        .interesting("left=0 right=0", "each read before the other's store");
    passes(buffering);
    let passing = two()
        .thread("writer", |(data, flag)| {
            data.store(1, Relaxed);
            flag.store(1, Relaxed);
        })
        .thread("reader", |(data, flag)| (flag.fetch_add(0, Relaxed), data.fetch_add(0, Relaxed)))
        .acceptable("reader=(0, 0)", "it read first")
        .acceptable("reader=(0, 1)", "it looked at the flag too early")
        .acceptable("reader=(1, 1)", "it read last")
        .interesting("reader=(1, 0)", "the flag overtook the data");
    passes(passing);
}

/// Store buffering with `SeqCst`. The last store of `left` has the initial value.
#[test]
fn stores_of_equal_values_are_distinguished() {
    let model = two()
        .thread("left", |(x, y)| {
            x.store(1, SeqCst);
            let read = y.load(SeqCst);
            x.store(0, SeqCst);
            read
        })
        .thread("right", |(x, y)| {
            y.store(1, SeqCst);
            (x.load(SeqCst), x.load(SeqCst))
        })
        .acceptable("left=0 right=(1, 1)", "left stored first")
        .acceptable("left=1 right=(0, 1)", "right read first before left stored at all")
        .acceptable("left=1 right=(1, 1)", "both stored before either read")
        .acceptable("left=0 right=(0, 0)", "right came last")
        .acceptable("left=0 right=(1, 0)", "right read before and after left's last store")
        .acceptable("left=1 right=(0, 0)", "right came first, or read last")
        .acceptable("left=1 right=(1, 0)", "right read before and after left's last store")
        .forbidden("left=0 right=(0, 1)", "right read what left stored last, and then the first");
    passes(model);
}

#[test]
fn spurious_failures_are_explored() {
    let exchange = |x: &AtomicU64| x.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_ok();
    let model = Model::new(AtomicU64::default)
        .thread("alice", move |x| [exchange(x), exchange(x), exchange(x)])
        .acceptable("alice=[true, false, false]", "the first one succeeded")
        .interesting("alice=[false, true, false]", "the first one failed spuriously")
        .interesting("alice=[false, false, true]", "two failed spuriously")
        .interesting("alice=[false, false, false]", "all failed spuriously");
    passes(model);
}

// ---------------------------------------------------------------------------------------------
// Locks and waits.
// ---------------------------------------------------------------------------------------------

/// `std` does not specify which thread is woken. Each thread returns whether it was woken in the order of arrival.
#[test]
fn notify_one_wakes_any_waiting_thread() {
    #[derive(Default)]
    struct Shared {
        /// How many have come to wait, and how many have been woken.
        counts: Mutex<(u64, u64)>,
        changed: Condvar,
        waiting: AtomicU64,
    }
    let waits = |shared: &Shared| {
        let mut counts = lock(&shared.counts);
        let arrival = counts.0;
        counts.0 += 1;
        shared.waiting.fetch_add(1, SeqCst);
        counts = shared.changed.wait(counts).unwrap_or_else(PoisonError::into_inner);
        let woken = counts.1;
        counts.1 += 1;
        drop(counts);
        shared.changed.notify_one();
        arrival == woken
    };
    let report = Model::new(Shared::default)
        .thread("alice", waits)
        .thread("bob", waits)
        .thread("wakes", |shared| {
            hint::wait_until(|| shared.waiting.load(SeqCst) == 2);
            // The thread that counted last holds the lock until it waits.
            drop(lock(&shared.counts));
            shared.changed.notify_one();
        })
        .without_spurious()
        .rounds(100)
        .acceptable("alice=true bob=true", "in the order of arrival")
        .interesting("alice=false bob=false", "the last to arrive was woken first")
        .check();
    let bound = report.bound();
    assert!(!cfg!(loom) || bound.as_deref() == Some("no spurious failures and wake-ups"));
}

/// The first reader waits for the second, the second for the writer, and the writer for the first.
#[test]
fn waiting_writer_blocks_a_reader() {
    Model::new(<(RwLock<()>, AtomicBool)>::default)
        .thread("first", |(lock, came)| {
            let _reading = lock.read();
            hint::wait_until(|| came.load(Acquire));
        })
        .thread("second", |(lock, came)| {
            let _reading = lock.read();
            came.store(true, Release);
        })
        .thread("writer", |(lock, _)| drop(lock.write()))
        .fails(Failure::Deadlock)
        .check();
}

/// Two locks, each read by both readers, in opposite orders, and each with a writer. Each reader waits for a
/// writer that waits for the other reader.
#[test]
fn crossed_readers_deadlock() {
    let readers = || {
        Model::new(<(RwLock<()>, RwLock<()>)>::default)
            .thread("left", |(a, b)| {
                let _reading = a.read();
                drop(b.read());
            })
            .thread("right", |(a, b)| {
                let _reading = b.read();
                drop(a.read());
            })
    };
    passes(readers().acceptable("()", "readers do not wait for each other"));
    readers()
        .thread("writes_a", |(a, _)| drop(a.write()))
        .thread("writes_b", |(_, b)| drop(b.write()))
        .fails(Failure::Deadlock)
        .check();
}

/// The wait may wake spuriously any number of times. Such a turn is a stutter.
#[test]
fn wait_while_is_explored_completely() {
    let model = Model::new(<(Mutex<bool>, Condvar)>::default)
        .thread("waits", |(ready, changed)| {
            drop(changed.wait_while(lock(ready), |ready| !*ready));
        })
        .thread("sets", |(ready, changed)| {
            *lock(ready) = true;
            changed.notify_one();
        })
        .acceptable("()", "it is woken");
    passes(model);
}

#[test]
fn is_poisoned_is_explored_at_each_moment() {
    let model = Model::new(|| (Mutex::new(()), AtomicU64::new(0)))
        .thread("asks", |(mutex, flag)| (mutex.is_poisoned(), flag.load(SeqCst)))
        .thread("poisons", |(mutex, flag)| {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let _held = lock(mutex);
                panic!("on purpose");
            }));
            assert!(caught.is_err(), "it panics on purpose");
            flag.store(1, SeqCst);
        })
        .acceptable("asks=(false, 0)", "it asked first")
        .acceptable("asks=(false, 1)", "it asked first, and looked last")
        .acceptable("asks=(true, 0)", "poisoned, and the flag not yet set")
        .acceptable("asks=(true, 1)", "it asked last");
    passes(model);
}

// ---------------------------------------------------------------------------------------------
// Data races.
// ---------------------------------------------------------------------------------------------

/// Data in plain memory; the writer tells the relay by one flag, and the relay tells the reader by another.
#[derive(Default)]
struct Relayed {
    data: UnsafeCell<u64>,
    written: AtomicU64,
    passed_on: AtomicU64,
    lock: RwLock<()>,
}

// SAFETY: none: these are races, which the checker finds. On real threads they are not run.
unsafe impl Sync for Relayed {}

impl Relayed {
    fn write(&self) {
        // SAFETY: none; as above.
        self.data.with_mut(|data| unsafe { *data = 1 });
    }

    fn read(&self) -> u64 {
        // SAFETY: none; as above.
        self.data.with(|data| unsafe { *data })
    }
}

/// The relay's load is relaxed, so it does not synchronise with the writer. The reader has read from the relay,
/// and not from the writer.
#[test]
fn acquire_fence_acts_for_its_own_thread() {
    let model = |load: Ordering| {
        Model::new(Relayed::default)
            .thread("writer", |shared| {
                shared.write();
                shared.written.store(1, Release);
            })
            .thread("relay", move |shared| {
                if shared.written.load(load) == 1 {
                    shared.passed_on.store(1, Release);
                }
            })
            .thread("reader", |shared| {
                (shared.passed_on.load(Acquire) == 1).then(|| {
                    fence(Acquire);
                    shared.read()
                })
            })
    };
    is_a_race(model(Relaxed));
    passes(
        model(Acquire)
            .acceptable("reader=None", "the reader was not told yet")
            .acceptable("reader=Some(1)", "the relay knew of the data"),
    );
}

/// The writer's fence precedes the reader's in the order of `SeqCst` operations. That is no happens-before edge,
/// because the fences have no atomic in common.
#[test]
fn seq_cst_fences_synchronize_through_an_atomic() {
    let model = |relays: bool| {
        Model::new(Relayed::default)
            .thread("writer", |shared| {
                shared.write();
                fence(SeqCst);
                shared.written.store(1, Relaxed);
            })
            .thread("relay", |shared| shared.passed_on.store(shared.written.load(Relaxed), Relaxed))
            .thread("reader", move |shared| {
                let told = if relays { &shared.passed_on } else { &shared.written };
                (told.load(Relaxed) == 1).then(|| {
                    fence(SeqCst);
                    shared.read()
                })
            })
    };
    is_a_race(model(true));
    passes(
        model(false)
            .acceptable("reader=None", "the reader was not told yet")
            .acceptable("reader=Some(1)", "the fences synchronize through the flag"),
    );
}

/// The defect: the writer holds the lock for reading. The two read sections do not overlap, because the second
/// one waits for a relaxed flag.
#[test]
fn read_lock_orders_no_readers() {
    let model = |writes: bool| {
        Model::new(Relayed::default)
            .thread("writer", move |shared| {
                if writes {
                    let held = shared.lock.write();
                    shared.write();
                    drop(held);
                } else {
                    let held = shared.lock.read();
                    shared.write();
                    drop(held);
                }
                shared.written.store(1, Relaxed);
            })
            .thread("reader", |shared| {
                (shared.written.load(Relaxed) == 1).then(|| {
                    let _held = shared.lock.read();
                    shared.read()
                })
            })
    };
    is_a_race(model(false));
    passes(
        model(true)
            .acceptable("reader=None", "the reader was not told yet")
            .acceptable("reader=Some(1)", "the writer held the lock alone"),
    );
}

/// Two owners of an atomic on the heap. The accesses of the other owner must happen before the last one frees it:
/// each owner releases, and the last one acquires.
#[test]
fn early_free_is_a_data_race() {
    struct Owned {
        object: AtomicPtr<AtomicU64>,
        owners: AtomicU64,
    }
    let model = |order: Ordering| {
        let body = move |owned: &Owned| {
            let object = owned.object.load(Relaxed);
            // SAFETY: none where the release is relaxed; that is what the test is about.
            unsafe { &*object }.fetch_add(1, Relaxed);
            if owned.owners.fetch_sub(1, order) == 1 {
                // SAFETY: this is the last owner. Where the release is relaxed, as above.
                drop(unsafe { Box::from_raw(object) });
            }
        };
        let new = || Owned {
            object: AtomicPtr::new(Box::into_raw(Box::new(AtomicU64::new(0)))),
            owners: AtomicU64::new(2),
        };
        Model::new(new).thread("alice", body).thread("bob", body)
    };
    is_a_race(model(Relaxed));
    passes(model(AcqRel).acceptable("()", "freed once"));
}

/// Making a mutex is a write, and locking it does not synchronise with that.
#[test]
fn mutex_published_without_release_is_a_data_race() {
    let model = |order: Ordering| {
        Model::new(|| AtomicPtr::new(std::ptr::null_mut()))
            .thread("publisher", move |published: &AtomicPtr<Mutex<u64>>| {
                published.store(Box::into_raw(Box::new(Mutex::new(1))), order);
            })
            .thread("reader", |published| {
                let found = published.load(Acquire);
                // SAFETY: none where the store is relaxed; that is what the test is about.
                (!found.is_null()).then(|| *lock(unsafe { &*found }))
            })
            .finally("freed", |published| {
                // SAFETY: it came from a `Box`, and all threads have ended.
                drop(unsafe { Box::from_raw(published.load(Relaxed)) });
            })
    };
    is_a_race(model(Relaxed));
    passes(
        model(Release)
            .acceptable("reader=None", "it is not yet published")
            .acceptable("reader=Some(1)", "published, with all that was written before"),
    );
}

// ---------------------------------------------------------------------------------------------
// Waiting loops.
// ---------------------------------------------------------------------------------------------

#[test]
fn lock_acquired_by_swap_is_explored_completely() {
    let model = |threads: usize, acquire: fn(&AtomicBool)| {
        let body = move |lock: &AtomicBool| {
            acquire(lock);
            lock.store(false, Release);
        };
        let names = ["alice", "bob", "carol"].iter().take(threads);
        let model = Model::new(|| AtomicBool::new(false));
        names.fold(model, |model, name| model.thread(name, body))
    };
    let spins = |lock: &AtomicBool| {
        while lock.swap(true, Acquire) {
            hint::spin_loop();
        }
    };
    let waits = |lock: &AtomicBool| hint::wait_until(|| !lock.swap(true, Acquire));
    let weak = |lock: &AtomicBool| {
        while lock.compare_exchange_weak(false, true, Acquire, Relaxed).is_err() {
            hint::spin_loop();
        }
    };
    for acquire in [spins, waits, weak] {
        passes(model(2, acquire).acceptable("()", "both threads end"));
    }
    passes(model(3, waits).acceptable("()", "every thread ends"));
}

#[test]
fn loops_that_yield_are_explored_completely() {
    let model = |turn: fn()| {
        Model::new(|| AtomicBool::new(false))
            .thread("waits", move |raised| {
                while !raised.load(Acquire) {
                    turn();
                }
            })
            .thread("raises", |raised| raised.store(true, Release))
            .acceptable("()", "every thread ends")
    };
    let in_two_places = || {
        hint::spin_loop();
        thread::yield_now();
    };
    passes(model(in_two_places));
    passes(model(|| (0..3).for_each(|_| hint::spin_loop())));
}

/// A loop that ends after some turns.
#[test]
fn loop_that_gives_up_is_explored_completely() {
    let model = Model::new(AtomicU64::default)
        .thread("spins", |x| {
            for _ in 0..20 {
                if x.load(SeqCst) == 1 {
                    break;
                }
                hint::spin_loop();
            }
            x.swap(2, SeqCst)
        })
        .thread("writes", |x| x.store(1, SeqCst))
        .acceptable("spins=1", "it saw the 1, or came later")
        .interesting("spins=0", "it gave up before the store");
    passes(model);
}
