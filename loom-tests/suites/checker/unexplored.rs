//! # Unexplored: what the checker misses
//!
//! Each row has a test of what the checker does today, and of the workaround. The test fails when the limit moves.
//! C++20 or `std` allows it, it is never explored, and a report says "explored completely" without it:
//!
//! | limit | what to do instead | test |
//! |---|---|---|
//! | load buffering, also of updates (`fetch_add`, `swap`) | release stores and acquire loads rule it out; read by `load` | `load_buffering_is_not_explored` |
//! | an operation that only looks at an object (a `try_lock` that fails, `is_finished`) and finds an old state | an atomic with the same orderings in place of the object | `old_state_of_an_object_is_not_explored` |
//! | a waiting writer makes `try_read` fail, and a later `read` of that thread overtakes the writer | a second model without the `try_read` | `read_after_a_failed_try_read_does_not_overtake_the_writer` |
//! | a lost wake-up, if the wait has a timeout: it may time out at any moment | `.patient()`, if the wait returns whether it timed out; else a wait without a timeout | `wait_with_a_timeout_hides_a_lost_wake_up`, `park_with_a_timeout_hides_a_lost_wake_up` |
//! | under `.patient()`: a spurious wake-up after the time-out of another thread, of a wait that began before | a model without `.patient()` | `wait_that_began_before_a_time_out_has_no_spurious_wake_up` |
//! | shared state that is not from `selvedge_model::sync` | the types of `sync` | `atomic_of_std_is_invisible` |
//! | what threads share that `std` spawned in a model | the threads of `sync` | `threads_of_std_are_invisible` |
//! | data races outside of `sync::cell::UnsafeCell` | an `UnsafeCell` of `sync` | `data_race_outside_of_a_cell_is_invisible` |
//! | memory that is not freed, other than by a lost `Arc` | an `Arc` in it | `leak_without_an_arc_is_invisible` |
//! | memory at an address that was freed before, so that a pointer compares equal (ABA) | indices, given out again | `address_that_was_freed_is_not_used_again` |
//! | what follows a data race | correct the race first | `execution_ends_at_a_data_race` |
//! | a `recv` or `send` that waits, or the end of a scope, takes the token that `unpark` has left, as `std` does on Linux | `park` in a loop that asks for what it waits for | `token_is_not_taken_by_other_waits` |
//! | a scope never ends, as in `std` 1.95, if a handle of it is forgotten (`mem::forget`) | drop it | `forgotten_handle_does_not_keep_its_scope` |
//! | time: a `sleep` orders nothing | a happens-before edge | `sleep_orders_nothing` |
//!
//! Of waiting loops also: [`idle_turns.rs`](idle_turns.rs). What is reported although it is correct:
//! [`false_alarms.rs`](false_alarms.rs). What bounds an exploration, and what is refused: [`bounds.rs`](bounds.rs).
//!
//! **Why.** An execution is a graph in which no cycle leads through program order, reads-from, and the orders of
//! the operations on each object. So no load reads from a store that depends on it, and no read of an object
//! precedes a change that was made before.
//!
//! **Scope.** Explored completely. On real threads a missed outcome may be seen; a model with a data race is not
//! run there.

#![cfg_attr(not(loom), allow(unused_imports, reason = "some tests take the checker"))]

use super::{Limit, is_complete, lock};
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use selvedge_model::sync::mpsc::channel;
use selvedge_model::sync::{Condvar, Mutex, PoisonError, RwLock, thread};
use selvedge_model::{Failure, Model};
use std::time::Duration;

/// Two atomics, both 0.
type Two = (AtomicU64, AtomicU64);

fn two() -> Model<Two> {
    Model::new(Two::default)
}

#[test]
fn load_buffering_is_not_explored() {
    let report = two()
        .thread("left", |(x, y)| {
            let read = x.load(Relaxed);
            y.store(1, Relaxed);
            read
        })
        .thread("right", |(x, y)| {
            let read = y.load(Relaxed);
            x.store(1, Relaxed);
            read
        })
        .acceptable("left=0 right=0", "both read first")
        .acceptable("left=0 right=1", "left came first")
        .acceptable("left=1 right=0", "right came first")
        .missed("left=1 right=1", "each store was carried out before the load before it")
        .check();
    is_complete(&report);

    // Message passing by updates alone. The weak outcome would be a cycle of program order and reads-from.
    let passing = |read: fn(&AtomicU64) -> u64| {
        two()
            .thread("writer", |(data, flag)| {
                data.fetch_add(1, Relaxed);
                flag.fetch_add(1, Relaxed);
            })
            .thread("reader", move |(data, flag)| (read(flag), read(data)))
            .acceptable("reader=(0, 0)", "it read first")
            .acceptable("reader=(0, 1)", "it looked at the flag too early")
            .acceptable("reader=(1, 1)", "it read last")
    };
    let overtaken = "the flag overtook the data";
    is_complete(&passing(|x| x.fetch_add(0, Relaxed)).missed("reader=(1, 0)", overtaken).check());
    is_complete(&passing(|x| x.load(Relaxed)).interesting("reader=(1, 0)", overtaken).check());
}

/// A `try_lock` fails although the lock has been released, and a relaxed flag says so. With an atomic this is explored.
#[test]
fn old_state_of_an_object_is_not_explored() {
    fn overtaking<S: Send + Sync + 'static>(model: Model<S>) {
        let report = model
            .acceptable("tries=(false, true)", "before or after the owner held it")
            .acceptable("tries=(false, false)", "the owner held it")
            .acceptable("tries=(true, true)", "it came last")
            .check();
        is_complete(&report);
    }

    let object = Model::new(<(Mutex<()>, AtomicBool)>::default)
        .thread("owner", |(mutex, released)| {
            drop(lock(mutex));
            released.store(true, Relaxed);
        })
        .thread("tries", |(mutex, released)| (released.load(Relaxed), mutex.try_lock().is_ok()))
        .missed("tries=(true, false)", "the flag overtook the release of the lock");
    let atomic = Model::new(<(AtomicBool, AtomicBool)>::default)
        .thread("owner", |(taken, released)| {
            taken.swap(true, Acquire);
            taken.store(false, Release);
            released.store(true, Relaxed);
        })
        .thread("tries", |(taken, released)| {
            (released.load(Relaxed), taken.compare_exchange(false, true, Acquire, Relaxed).is_ok())
        })
        .interesting("tries=(true, false)", "the flag overtook the release of the lock");
    overtaking(object);
    // Here the owner takes the lock without waiting.
    overtaking(atomic);
}

/// In `std` a `try_read` may fail because a writer waits, and any thread may be next. Here it is the writer.
#[test]
fn read_after_a_failed_try_read_does_not_overtake_the_writer() {
    type Shared = (RwLock<u64>, AtomicU64);
    let writer = |(lock, _): &Shared| *lock.write().expect("not poisoned") = 1;
    let reads = |lock: &RwLock<u64>| *lock.read().expect("not poisoned");
    let report = Model::new(Shared::default)
        .thread("reader", move |(lock, _)| {
            let tried = lock.try_read().is_ok();
            (tried, reads(lock))
        })
        .thread("writer", writer)
        .acceptable("reader=(true, 0)", "the reader came first")
        .acceptable("reader=(true, 1)", "the writer came between, or first")
        .acceptable("reader=(false, 1)", "the writer held the lock, or was the next to have it")
        .missed("reader=(false, 0)", "the writer waited, and the reader overtook it")
        .check();
    is_complete(&report);

    let report = Model::new(Shared::default)
        .thread("reader", move |(lock, _)| reads(lock))
        .thread("writer", writer)
        .acceptable("reader=0", "the reader came first")
        .acceptable("reader=1", "the writer came first")
        .check();
    is_complete(&report);
}

/// How long a wait may take, on real threads.
const LIMIT: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Ready {
    ready: Mutex<bool>,
    changed: Condvar,
}

impl Ready {
    fn set(&self, notifies: bool) {
        *lock(&self.ready) = true;
        if notifies {
            self.changed.notify_one();
        }
    }

    fn wait(&self) {
        let ready = self.changed.wait_while(lock(&self.ready), |ready| !*ready);
        drop(ready.unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether the wait timed out.
    fn wait_once_for(&self, limit: Duration) -> bool {
        let ready = lock(&self.ready);
        if *ready {
            return false;
        }
        let woken = self.changed.wait_timeout(ready, limit);
        woken.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn wait_for(&self, limit: Duration) -> bool {
        let ready = self.changed.wait_timeout_while(lock(&self.ready), limit, |ready| !*ready);
        *ready.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A setter that notifies and one that does not have the same outcomes. Without a timeout the second one is a
/// deadlock. With `.patient()` only the second one makes the wait time out.
#[test]
fn wait_with_a_timeout_hides_a_lost_wake_up() {
    for notifies in [true, false] {
        let report = Model::new(Ready::default)
            .thread("waits", |ready| ready.wait_for(LIMIT))
            .thread("sets", move |ready| ready.set(notifies))
            .rounds(100)
            .acceptable("waits=true", "it was set in time")
            .acceptable("waits=false", "it timed out")
            .check();
        is_complete(&report);
    }
    let without = |notifies: bool| {
        Model::new(Ready::default)
            .thread("waits", Ready::wait)
            .thread("sets", move |ready| ready.set(notifies))
    };
    is_complete(&without(true).acceptable("()", "it is woken").check());
    without(false).fails(Failure::Deadlock).check();
    let patient = |notifies: bool| {
        Model::new(Ready::default)
            .patient()
            .thread("timed_out", |ready| ready.wait_once_for(LIMIT))
            .thread("sets", move |ready| ready.set(notifies))
            .rounds(100)
            .acceptable("timed_out=false", "it was set or notified before")
    };
    if cfg!(loom) {
        is_complete(&patient(true).check());
    }
    let lost = patient(false).interesting("timed_out=true", "no notification comes").check();
    is_complete(&lost);
}

/// Whether a wait has a spurious wake-up is chosen where it begins.
#[test]
fn wait_that_began_before_a_time_out_has_no_spurious_wake_up() {
    let model = || {
        Model::new(|| ())
            .thread("main", |()| {
                let (sender, receiver) = channel();
                let child = thread::spawn(move || {
                    thread::park();
                    let _ = sender.send(());
                });
                let timed_out = receiver.recv_timeout(LIMIT).is_err();
                let woken = receiver.try_recv().is_ok();
                child.thread().unpark();
                child.join().expect("it does not panic");
                (timed_out, woken)
            })
            .rounds(100)
            .acceptable("main=(true, false)", "time is up, and it is still parked")
            .interesting("main=(false, false)", "a spurious wake-up before")
    };
    let after = "main=(true, true)";
    is_complete(&model().patient().missed(after, "a spurious wake-up after it").check());
    is_complete(&model().interesting(after, "a spurious wake-up after it").check());
}

/// The same with `park_timeout` and an `unpark` that is missing.
#[test]
fn park_with_a_timeout_hides_a_lost_wake_up() {
    let model = |park: fn()| {
        Model::new(|| AtomicBool::new(false))
            .thread("waits", move |ready| {
                while !ready.load(Acquire) {
                    park();
                }
            })
            .thread("sets", |ready| ready.store(true, Release))
            .rounds(100)
    };
    let report = model(|| thread::park_timeout(LIMIT)).acceptable("()", "it looks again").check();
    is_complete(&report);
    model(thread::park).fails(Failure::Deadlock).check();
}

/// Each reads before either writes, so that it is the same each time.
#[test]
fn threads_of_std_are_invisible() {
    let model = Model::new(AtomicU64::default).thread("counts", |total| {
        let both_have_read = std::sync::Barrier::new(2); // std on purpose
        let increment = || {
            let seen = total.load(Relaxed);
            both_have_read.wait();
            total.store(seen + 1, Relaxed);
        };
        // std on purpose
        std::thread::scope(|scope| {
            scope.spawn(increment);
            scope.spawn(increment);
        });
    });
    let report = model.acceptable("()", "it ends").rounds(1).check();
    assert!(report.executions() == 1, "another order is never explored: {report}");
}

/// A store through `std` takes effect whenever its thread runs. A model whose threads share nothing else is
/// refused, and one of which an execution returns something else when it is run again is reported as not deterministic.
#[test]
fn atomic_of_std_is_invisible() {
    // std on purpose
    type Shared = (std::sync::atomic::AtomicU64, AtomicU64, AtomicU64);
    let with_std = Model::new(Shared::default)
        .thread("writer", |(x, y, _)| {
            x.store(1, SeqCst);
            y.store(1, SeqCst);
            x.store(0, SeqCst);
        })
        .thread("reader", |(x, _, z)| {
            z.load(SeqCst);
            x.load(SeqCst)
        })
        .acceptable("reader=0", "before the writer, or after it")
        .missed("reader=1", "between its stores")
        .check();
    is_complete(&with_std);

    let checked = Model::new(<(AtomicU64, AtomicU64, AtomicU64)>::default)
        .thread("writer", |(x, y, _)| {
            x.store(1, SeqCst);
            y.store(1, SeqCst);
            x.store(0, SeqCst);
        })
        .thread("reader", |(x, _, z)| {
            z.load(SeqCst);
            x.load(SeqCst)
        })
        .acceptable("reader=0", "before the writer, or after it")
        .acceptable("reader=1", "between its stores")
        .check();
    is_complete(&checked);
}

/// A counter in plain memory, in a cell of `std` and in one of the drop-in.
#[cfg(loom)]
#[test]
fn data_race_outside_of_a_cell_is_invisible() {
    use selvedge_model::sync::cell::UnsafeCell;

    #[derive(Default)]
    struct Shared {
        invisible: std::cell::UnsafeCell<u64>, // std on purpose
        visible: UnsafeCell<u64>,
        done: AtomicU64,
    }
    // SAFETY: none: these are the races that the test is about. An execution on loom takes place on one
    // thread of the operating system, so that the memory stays sound.
    unsafe impl Sync for Shared {}

    let model = |add: fn(&Shared)| {
        let body = move |shared: &Shared| {
            add(shared);
            shared.done.fetch_add(1, Relaxed);
        };
        Model::new(Shared::default).thread("alice", body).thread("bob", body)
    };
    // SAFETY: none; as above.
    let invisible = model(|shared| unsafe { *shared.invisible.get() += 1 });
    is_complete(&invisible.acceptable("()", "a data race, and it is missed").check());
    // SAFETY: none; as above.
    let visible = model(|shared| shared.visible.with_mut(|value| unsafe { *value += 1 }));
    visible.fails(Failure::DataRace).check();
}

#[cfg(loom)]
#[test]
fn leak_without_an_arc_is_invisible() {
    use selvedge_model::sync::Arc;

    let model = |forget: fn()| {
        Model::new(AtomicU64::default).thread("forgets", move |x| {
            forget();
            x.load(Relaxed);
        })
    };
    let boxed = model(|| std::mem::forget(Box::new(AtomicU64::new(0))));
    is_complete(&boxed.acceptable("()", "a leak, and it is missed").check());
    let counted = model(|| std::mem::forget(Box::new(Arc::new(AtomicU64::new(0)))));
    counted.fails(Failure::Leak).check();
}

/// A node is replaced twice, and the second time an allocator may use the address of the first node. An exchange by
/// address does not see that. With indices in place of addresses it is explored.
#[test]
fn address_that_was_freed_is_not_used_again() {
    struct Nodes {
        head: AtomicPtr<u64>,
        replaced: AtomicU64,
    }
    impl Drop for Nodes {
        fn drop(&mut self) {
            // SAFETY: the node at the head has not been freed.
            drop(unsafe { Box::from_raw(self.head.load(SeqCst)) });
        }
    }
    let node = || Box::into_raw(Box::new(0));
    let nodes = move || Nodes { head: AtomicPtr::new(node()), replaced: AtomicU64::new(0) };
    let by_address = Model::new(nodes)
        .thread("replaces", move |nodes| {
            for _ in 0..2 {
                let old = nodes.head.swap(node(), SeqCst);
                // SAFETY: this thread alone has taken it from the head, and no other follows the pointer.
                drop(unsafe { Box::from_raw(old) });
                nodes.replaced.fetch_add(1, SeqCst);
            }
        })
        .thread("exchanges", |Nodes { head, replaced }| {
            let first = head.load(SeqCst);
            let in_between = replaced.load(SeqCst) == 0 && replaced.load(SeqCst) == 2;
            in_between && head.compare_exchange(first, first, SeqCst, SeqCst).is_ok()
        });
    let by_index = two()
        .thread("replaces", |(head, replaced)| {
            for index in [1, 0] {
                head.store(index, SeqCst);
                replaced.fetch_add(1, SeqCst);
            }
        })
        .thread("exchanges", |(head, replaced)| {
            let first = head.load(SeqCst);
            let in_between = replaced.load(SeqCst) == 0 && replaced.load(SeqCst) == 2;
            in_between && head.compare_exchange(first, first, SeqCst, SeqCst).is_ok()
        });
    let sees = "the node was not replaced twice in between, or it sees that";
    let again = "the node is another one, and looks like the first";
    let by_address = by_address.acceptable("exchanges=false", sees);
    is_complete(&by_address.missed("exchanges=true", again).check());
    let by_index = by_index.acceptable("exchanges=false", sees);
    is_complete(&by_index.interesting("exchanges=true", again).check());
}

/// The panic follows the race, and is found when the race is corrected.
#[cfg(loom)]
#[test]
fn execution_ends_at_a_data_race() {
    use selvedge_model::sync::cell::UnsafeCell;

    #[derive(Default)]
    struct Shared {
        data: UnsafeCell<u64>,
        lock: Mutex<()>,
    }
    // SAFETY: none where the lock is not held: that is the race which the test is about.
    unsafe impl Sync for Shared {}

    let model = |locks: bool| {
        let write = move |shared: &Shared| {
            let _held = locks.then(|| lock(&shared.lock));
            // SAFETY: none; as above.
            shared.data.with_mut(|data| unsafe { *data += 1 });
        };
        Model::new(Shared::default).thread("alice", write).thread("bob", move |shared| {
            write(shared);
            panic!("after the race");
        })
    };
    let found = model(false).explore().expect_err("the race comes first");
    assert_eq!(found.failure(), Some(Failure::DataRace));
    model(true).fails(Failure::Panic).check();
}

#[test]
fn sleep_orders_nothing() {
    let report = two()
        .thread("writer", |(x, _)| x.store(1, SeqCst))
        .thread("sleeper", |(x, _)| {
            thread::sleep(LIMIT);
            x.load(SeqCst)
        })
        .rounds(100)
        .acceptable("sleeper=1", "the writer came first")
        .acceptable("sleeper=0", "the sleeper came first")
        .check();
    is_complete(&report);
}

/// Main is unparked before the message is sent.
#[cfg(loom)]
#[test]
fn token_is_not_taken_by_other_waits() {
    use selvedge_model::sync::mpsc::channel;

    let model = |waits: fn(&AtomicBool)| {
        Model::program(move || {
            let (sender, receiver) = channel();
            let ready = std::sync::Arc::new(AtomicBool::new(false));
            let (main, sets) = (thread::current(), std::sync::Arc::clone(&ready));
            let child = thread::spawn(move || {
                sets.store(true, Release);
                main.unpark();
                sender.send(()).unwrap();
            });
            receiver.recv().unwrap();
            waits(&ready);
            child.join().unwrap();
        })
    };
    let parks = model(|_| thread::park());
    is_complete(&parks.acceptable("()", "the token is there, and in `std` it may be gone").check());
    let looks = model(|ready| {
        while !ready.load(Acquire) {
            thread::park();
        }
    });
    is_complete(&looks.acceptable("()", "it need not park").check());
}

/// The scope waits for the thread, and not for its handle.
#[cfg(loom)]
#[test]
fn forgotten_handle_does_not_keep_its_scope() {
    let model = |leaves: fn(thread::ScopedJoinHandle<'_, ()>)| {
        Model::program(move || {
            let x = AtomicU64::new(0);
            thread::scope(|scope| leaves(scope.spawn(|| x.store(1, Relaxed))));
        })
    };
    let forgets = model(|handle| std::mem::forget(handle));
    is_complete(&forgets.acceptable("()", "the scope ends, and in `std` it never does").check());
    is_complete(&model(|handle| drop(handle)).acceptable("()", "the scope ends").check());
}
