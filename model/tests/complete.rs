//! What was once missed, or left out without a word: a test for each, with the threads declared in every order.

#![cfg(loom)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering::AcqRel, Ordering::SeqCst};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use selvedge_model::sync::{Mutex, PoisonError, RwLock, hint, thread};
use selvedge_model::{CheckError, Failure, Model};

type Body<S> = fn(&S);

/// Calls `each` with a model of these threads, once for each order in which they can be declared.
fn in_every_order<S: Send + Sync + 'static>(
    init: fn() -> S,
    threads: &[(&str, Body<S>)],
    each: impl Fn(Model<S>),
) {
    let mut orders = vec![Vec::new()];
    for next in 0..threads.len() {
        orders = orders
            .iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |at| {
                    let mut longer: Vec<usize> = order.clone();
                    longer.insert(at, next);
                    longer
                })
            })
            .collect();
    }
    for order in orders {
        let declared = |model: Model<S>, &at: &usize| {
            let (name, body) = threads[at];
            model.thread(name, body)
        };
        each(order.iter().fold(Model::new(init), declared));
    }
}

/// The same, where each order must show `failure`.
fn fails_in_every_order<S: Send + Sync + 'static>(
    failure: Failure,
    init: fn() -> S,
    threads: &[(&str, Body<S>)],
) {
    in_every_order(init, threads, |model| {
        model.fails(failure).check();
    });
}

/// A state that lives as long as spawned threads need it.
fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

#[derive(Default)]
struct Cell(UnsafeCell<u64>);

// SAFETY: not safe; the tests are about whether the race is found.
unsafe impl Sync for Cell {}

impl Cell {
    fn set(&self, value: u64) {
        // SAFETY: as above.
        self.0.with_mut(|cell| unsafe { *cell = value });
    }
}

#[test]
fn a_spawned_thread_may_run_before_the_next_step_of_its_parent() {
    fails_in_every_order::<&'static AtomicBool>(
        Failure::Panic,
        || leaked(AtomicBool::new(false)),
        &[
            ("idle", |_| ()),
            ("parent", |ready| {
                let ready: &'static AtomicBool = ready;
                let child = thread::spawn(move || assert!(ready.swap(false, AcqRel)));
                ready.swap(true, AcqRel);
                child.join().expect("the child does not panic");
            }),
        ],
    );
}

#[test]
fn a_spawned_thread_races_in_a_cell() {
    fails_in_every_order::<&'static (AtomicU64, Cell)>(
        Failure::DataRace,
        || leaked((AtomicU64::new(0), Cell::default())),
        &[
            ("idle", |_| ()),
            ("parent", |state| {
                let (turn, cell): &'static (AtomicU64, Cell) = state;
                let child = thread::spawn(move || {
                    if turn.fetch_add(1, AcqRel) == 0 {
                        cell.set(1);
                    }
                });
                if turn.fetch_add(1, AcqRel) == 1 {
                    cell.set(2);
                }
                cell.set(3);
                child.join().expect("the child does not panic");
            }),
        ],
    );
}

#[test]
fn a_thread_local_of_a_spawned_thread_may_be_dropped_before_the_next_step_of_its_parent() {
    struct Sets(&'static AtomicU64);

    impl Drop for Sets {
        fn drop(&mut self) {
            self.0.swap(1, SeqCst);
        }
    }

    selvedge_model::sync::thread_local! {
        static SETS: std::cell::RefCell<Option<Sets>> = const { std::cell::RefCell::new(None) };
    }

    fails_in_every_order::<&'static AtomicU64>(
        Failure::Panic,
        || leaked(AtomicU64::new(0)),
        &[
            ("idle", |_| ()),
            ("parent", |state| {
                let state: &'static AtomicU64 = state;
                let child = thread::spawn(move || {
                    SETS.with(|sets| *sets.borrow_mut() = Some(Sets(state)));
                });
                assert_eq!(state.swap(2, SeqCst), 0, "the child has ended already");
                child.join().expect("the child does not panic");
            }),
        ],
    );
}

struct Queue<S> {
    config: AtomicU64,
    sender: Mutex<Option<S>>,
    receiver: Mutex<Option<Receiver<u64>>>,
}

impl<S> Queue<S> {
    fn new((sender, receiver): (S, Receiver<u64>)) -> Self {
        Self {
            config: AtomicU64::new(0),
            sender: Mutex::new(Some(sender)),
            receiver: Mutex::new(Some(receiver)),
        }
    }

    fn take_sender(&self) -> S {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender.take().expect("taken once")
    }

    /// Waits for a message or the end, and expects the configuration to be there.
    fn work(&self) {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = receiver.expect("taken once").recv();
        assert_eq!(self.config.fetch_add(0, SeqCst), 4, "nothing orders the two");
    }

    fn configure(&self) {
        self.config.swap(4, SeqCst);
    }
}

#[test]
fn recv_that_waits_hides_no_order_of_others() {
    fails_in_every_order(
        Failure::Panic,
        || Queue::new(channel()),
        &[
            ("worker", Queue::work),
            ("config", Queue::configure),
            ("client", |queue: &Queue<Sender<u64>>| {
                queue.take_sender().send(1).expect("the worker receives");
            }),
        ],
    );
}

#[test]
fn recv_that_waits_on_a_bounded_channel_hides_no_order_of_others() {
    fails_in_every_order(
        Failure::Panic,
        || Queue::new(sync_channel(1)),
        &[
            ("worker", Queue::work),
            ("config", Queue::configure),
            ("client", |queue: &Queue<SyncSender<u64>>| {
                queue.take_sender().send(1).expect("the worker receives");
            }),
        ],
    );
}

#[test]
fn recv_that_waits_for_the_last_sender_hides_no_order_of_others() {
    fails_in_every_order(
        Failure::Panic,
        || Queue::new(channel()),
        &[
            ("worker", Queue::work),
            ("config", Queue::configure),
            ("client", |queue: &Queue<Sender<u64>>| drop(queue.take_sender())),
        ],
    );
}

/// Panics while `hold` runs, and catches it.
fn panics(hold: impl FnOnce()) {
    let caught = catch_unwind(AssertUnwindSafe(hold));
    assert!(caught.is_err(), "it panics on purpose");
}

#[test]
fn try_lock_fails_against_a_lock_that_a_panic_releases() {
    fails_in_every_order::<Mutex<u64>>(
        Failure::Panic,
        || Mutex::new(0),
        &[
            ("holder", |mutex| {
                panics(|| {
                    let _held = mutex.lock();
                    panic!("on purpose");
                });
            }),
            ("tries", |mutex| {
                let result = mutex.try_lock();
                assert!(!matches!(result, Err(std::sync::TryLockError::WouldBlock)));
            }),
        ],
    );
}

#[test]
fn try_read_and_try_write_fail_against_a_lock_that_a_panic_releases() {
    let holder: Body<RwLock<u64>> = |lock| {
        panics(|| {
            let _held = lock.write();
            panic!("on purpose");
        });
    };
    let tries: [Body<RwLock<u64>>; 2] = [
        |lock| {
            let result = lock.try_read();
            assert!(!matches!(result, Err(std::sync::TryLockError::WouldBlock)));
        },
        |lock| {
            let result = lock.try_write();
            assert!(!matches!(result, Err(std::sync::TryLockError::WouldBlock)));
        },
    ];
    for body in tries {
        let threads = [("holder", holder), ("tries", body)];
        fails_in_every_order(Failure::Panic, || RwLock::new(0), &threads);
    }
}

fn write(a: &AtomicU64) {
    a.swap(1, SeqCst);
}

/// The bound that the report prints.
fn bound(model: Model<AtomicU64>) -> Option<String> {
    let report = model.explore().expect("it has no failure");
    assert_eq!(report.is_complete(), report.bound().is_none(), "a bounded result is not complete");
    report.bound()
}

#[test]
fn a_pause_that_looks_at_nothing_is_no_wait() {
    let pause: Body<AtomicU64> = |a| {
        for _ in 0..30 {
            hint::spin_loop();
        }
        a.swap(2, SeqCst);
    };
    in_every_order(
        || AtomicU64::new(0),
        &[("pauses", pause), ("writes", |a| assert_ne!(a.swap(1, SeqCst), 2))],
        |model| drop(model.fails(Failure::Panic).check()),
    );
    in_every_order(
        || AtomicU64::new(0),
        &[("pauses", pause), ("writes", write)],
        |model| assert_eq!(bound(model), None),
    );
}

/// A thread that gives up waiting after `N` looks.
fn gives_up<const N: usize>(a: &AtomicU64) {
    for _ in 0..N {
        if a.fetch_add(0, SeqCst) == 1 {
            return;
        }
        hint::spin_loop();
    }
    a.swap(2, SeqCst);
}

#[test]
fn a_loop_that_gives_up_soon_is_explored_completely() {
    in_every_order(
        || AtomicU64::new(0),
        &[("gives_up", gives_up::<7>), ("writes", |a| assert_ne!(a.swap(1, SeqCst), 2))],
        |model| drop(model.fails(Failure::Panic).check()),
    );
    in_every_order(
        || AtomicU64::new(0),
        &[("gives_up", gives_up::<7>), ("writes", write)],
        |model| assert_eq!(bound(model), None),
    );
}

#[test]
fn a_loop_that_gives_up_late_is_cut_and_bounds_the_result() {
    in_every_order(
        || AtomicU64::new(0),
        &[("gives_up", gives_up::<20>), ("writes", write)],
        |model| {
            let bound = bound(model).expect("it is bounded");
            let place = "8 idle turns of the loop at model/tests/complete.rs:";
            assert!(bound.starts_with(place), "it names the place: {bound}");
        },
    );
}

/// Whether it would ever give up cannot be told from outside.
#[test]
fn a_loop_that_another_thread_ends_is_cut_and_bounds_the_result() {
    in_every_order::<AtomicU64>(
        || AtomicU64::new(0),
        &[
            ("waits", |a| {
                while a.load(SeqCst) == 0 {
                    hint::spin_loop();
                }
            }),
            ("writes", |a| a.store(1, SeqCst)),
        ],
        |model| {
            let bound = bound(model).expect("it is bounded");
            assert!(bound.starts_with("8 idle turns of the loop at"), "{bound}");
        },
    );
}

#[test]
fn a_wait_with_a_condition_is_explored_completely() {
    in_every_order::<AtomicU64>(
        || AtomicU64::new(0),
        &[
            ("waits", |a| hint::wait_until(|| a.load(SeqCst) == 1)),
            ("writes", |a| a.store(1, SeqCst)),
        ],
        |model| assert_eq!(bound(model), None),
    );
}

/// A waiting loop does something in its third turn.
#[test]
fn a_later_turn_of_a_waiting_loop_is_explored() {
    fails_in_every_order::<(AtomicU64, AtomicU64)>(
        Failure::Panic,
        || (AtomicU64::new(0), AtomicU64::new(0)),
        &[
            ("waits", |(flag, other)| {
                let mut turns = 0;
                while flag.load(SeqCst) == 0 {
                    turns += 1;
                    if turns == 3 {
                        other.swap(7, SeqCst);
                    }
                    hint::spin_loop();
                }
            }),
            ("writes", |(flag, other)| {
                assert_eq!(other.swap(1, SeqCst), 0, "two turns at most");
                flag.swap(1, SeqCst);
            }),
        ],
    );
}

/// One loop waits, another gives up, and both yield in the same function.
#[test]
fn two_loops_that_yield_at_one_place_are_told_apart() {
    fn spin() {
        hint::spin_loop();
    }

    fails_in_every_order::<(AtomicU64, AtomicU64)>(
        Failure::Panic,
        || (AtomicU64::new(0), AtomicU64::new(0)),
        &[
            ("waits", |(flag, other)| {
                while flag.load(SeqCst) == 0 {
                    spin();
                }
                for _ in 0..4 {
                    if other.load(SeqCst) == 1 {
                        return;
                    }
                    spin();
                }
                panic!("it gives up");
            }),
            ("writes", |(flag, other)| {
                flag.store(1, SeqCst);
                other.store(1, SeqCst);
            }),
        ],
    );
}

#[test]
fn a_lock_that_a_panic_releases_late_bounds_the_result() {
    struct Adds<'a>(&'a AtomicU64);

    impl Drop for Adds<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    in_every_order::<(Mutex<()>, AtomicU64)>(
        || (Mutex::new(()), AtomicU64::new(0)),
        &[
            ("panics", |(mutex, a)| {
                panics(|| {
                    let _adds = Adds(a);
                    let _held = mutex.lock();
                    panic!("on purpose");
                });
            }),
            ("locks", |(mutex, _)| drop(mutex.lock())),
        ],
        |model| {
            let report = model.explore().expect("it has no failure");
            let bound = report.bound().expect("it is bounded");
            let text =
                "deferred release of locks by the panic that unwinds at model/tests/complete.rs:";
            assert!(bound.starts_with(text), "{bound}");
        },
    );
}

/// A reader that panics, beside threads whose guards it must not keep.
#[test]
fn a_reader_that_panics_leaves_the_locks_of_others_alone() {
    in_every_order::<(RwLock<u64>, Mutex<()>, Mutex<()>)>(
        || (RwLock::new(0), Mutex::new(()), Mutex::new(())),
        &[
            ("panics", |(lock, _, _)| {
                panics(|| {
                    let _held = lock.read();
                    panic!("on purpose");
                });
            }),
            ("locks", |(lock, first, second)| {
                if let Ok(_guard) = first.try_lock() {
                    let _ = lock.try_write();
                    drop(second.lock());
                }
            }),
        ],
        |model| assert!(model.explore().expect("it has no failure").is_complete()),
    );
}

/// A destructor that acts while a panic unwinds lets another thread run, whose locks loom would then poison.
#[test]
fn a_lock_released_while_another_thread_unwinds_is_a_wrong_model() {
    struct Adds<'a>(&'a AtomicU64);

    impl Drop for Adds<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    in_every_order::<(Mutex<()>, AtomicU64)>(
        || (Mutex::new(()), AtomicU64::new(0)),
        &[
            ("panics", |(_, a)| {
                a.fetch_add(1, SeqCst);
                panics(|| {
                    let _adds = Adds(a);
                    panic!("on purpose");
                });
            }),
            ("locks", |(mutex, a)| {
                let _guard = mutex.lock();
                a.fetch_add(1, SeqCst);
            }),
        ],
        |model| is_wrong_model(model, "releases a lock while a destructor of another thread acts"),
    );
}

/// The lock is released only when the panic has been caught, and the destructor waits for it before that.
#[test]
fn a_destructor_that_waits_for_a_lock_that_the_panic_has_released_is_a_wrong_model() {
    struct Joins(Option<thread::JoinHandle<()>>);

    impl Drop for Joins {
        fn drop(&mut self) {
            self.0.take().expect("joined once").join().expect("it does not panic");
        }
    }

    in_every_order::<&'static Mutex<()>>(
        || leaked(Mutex::new(())),
        &[
            ("idle", |_| ()),
            ("panics", |mutex| {
                let mutex: &'static Mutex<()> = mutex;
                panics(|| {
                    let _joins = Joins(Some(thread::spawn(move || drop(mutex.lock()))));
                    let _held = mutex.lock();
                    panic!("on purpose");
                });
            }),
        ],
        |model| is_wrong_model(model, "a destructor waits during a panic that has released a lock"),
    );
}

/// A sender blocks on a full channel, and the receiver goes: once called a deadlock.
#[test]
fn a_send_that_waits_ends_when_the_receiver_is_dropped() {
    in_every_order(
        || Queue::new(sync_channel(1)),
        &[
            ("first", |queue: &Queue<SyncSender<u64>>| {
                let sender = queue.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(sender) = sender {
                    let _ = sender.send(1);
                }
            }),
            ("second", |queue| {
                let sender = queue.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(sender) = sender {
                    let _ = sender.send(3);
                    let _ = sender.send(2);
                }
            }),
            ("receiver", |queue| {
                let receiver = queue.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
                let _ = receiver.expect("taken once").recv();
            }),
        ],
        |model| assert!(model.explore().is_ok()),
    );
}

/// What no expectation accepts.
fn is_wrong_model<S: Send + Sync + 'static>(model: Model<S>, says: &str) {
    match model.explore() {
        Err(CheckError::WrongModel { message, .. }) => {
            assert!(message.contains(says), "{message}");
        }
        other => panic!("not a wrong model: {other:?}"),
    }
}

#[test]
fn a_lock_tried_by_its_own_reader_is_a_wrong_model() {
    let tries: [Body<RwLock<u64>>; 2] = [
        |lock| {
            let _first = lock.read();
            drop(lock.try_read());
        },
        |lock| {
            let _first = lock.read();
            drop(lock.try_write());
        },
    ];
    for body in tries {
        in_every_order(
            || RwLock::new(0),
            &[("reads", body), ("writes", |lock| drop(lock.write()))],
            |model| is_wrong_model(model, "already holds for reading are not modelled"),
        );
    }
}

#[test]
fn two_readers_and_a_try_write_are_no_failure() {
    let reads: Body<(RwLock<u64>, AtomicU64)> = |(lock, a)| {
        let _guard = lock.read();
        a.swap(1, SeqCst);
    };
    in_every_order(
        || (RwLock::new(0), AtomicU64::new(0)),
        &[("first", reads), ("second", reads), ("tries", |(lock, _)| drop(lock.try_write()))],
        |model| assert!(model.explore().is_ok()),
    );
}

#[test]
fn a_channel_without_room_is_a_wrong_model() {
    in_every_order(
        || (),
        &[("first", |()| drop(sync_channel::<u64>(0))), ("second", |()| ())],
        |model| {
            is_wrong_model(
                model,
                "the bound of a sync_channel must be at least 1 in a model, got 0",
            );
        },
    );
}

/// A wait with a limit in a loop: the loop gives up when time is up once.
#[test]
fn a_wait_that_gives_up_once_is_explored_completely() {
    in_every_order(
        || Queue::new(channel()),
        &[
            ("worker", |queue: &Queue<Sender<u64>>| {
                let receiver = queue.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
                let _ = receiver.expect("taken once").recv_timeout(Duration::from_secs(1));
            }),
            ("client", |queue| queue.take_sender().send(1).unwrap_or_default()),
        ],
        |model| assert!(model.explore().expect("it has no failure").is_complete()),
    );
}
