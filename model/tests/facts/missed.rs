//! Executions that were missing.

use std::mem::ManuallyDrop;
use std::sync::TryLockError::{Poisoned, WouldBlock};

use super::{
    Body, Ends, Failure, Mutex, Plain, PoisonError, exact_in_every_order, fails_in_every_order,
    leaked, panics,
};
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU64,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
};
use selvedge_model::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use selvedge_model::sync::{Condvar, RwLock, TryLockResult, hint, thread};

type Words = [AtomicU64; 2];

fn words() -> Words {
    [AtomicU64::new(0), AtomicU64::new(0)]
}

#[test]
fn a_spawned_thread_may_run_before_the_next_step_of_its_parent() {
    fails_in_every_order::<&'static AtomicBool, ()>(
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
    fails_in_every_order::<&'static (AtomicU64, Plain), ()>(
        Failure::DataRace,
        || leaked((AtomicU64::new(0), Plain::default())),
        &[
            ("idle", |_| ()),
            ("parent", |state| {
                let (turn, cell): &'static (AtomicU64, Plain) = state;
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

    exact_in_every_order::<&'static AtomicU64, u64>(
        || leaked(AtomicU64::new(0)),
        &[
            ("idle", |_| 0),
            ("parent", |state| {
                let state: &'static AtomicU64 = state;
                let child = thread::spawn(move || {
                    SETS.with(|sets| *sets.borrow_mut() = Some(Sets(state)));
                });
                let found = state.swap(2, SeqCst);
                child.join().expect("the child does not panic");
                found
            }),
        ],
        &[&[0, 0], &[0, 1]],
    );
}

/// A channel, and a word that nothing orders with it.
struct Queue<S> {
    config: AtomicU64,
    ends: Ends<S>,
}

impl<S> Queue<S> {
    fn new(ends: (S, super::Receiver<u64>)) -> Self {
        Self { config: AtomicU64::new(0), ends: Ends::new(ends) }
    }

    /// Waits for a message or the end, and reads the word.
    fn work(&self) -> u64 {
        // It fails if the sender has gone.
        let _ = self.ends.receiver().recv();
        self.config.fetch_add(0, SeqCst)
    }

    fn configure(&self) -> u64 {
        self.config.swap(4, SeqCst)
    }
}

#[test]
fn recv_that_waits_hides_no_order_of_others() {
    exact_in_every_order::<_, u64>(
        || Queue::new(channel()),
        &[
            ("worker", Queue::work),
            ("config", Queue::configure),
            ("client", |queue: &Queue<Sender<u64>>| {
                queue.ends.sender().send(1).expect("the worker receives");
                0
            }),
        ],
        &[&[0, 0, 0], &[4, 0, 0]],
    );
}

#[test]
fn recv_that_waits_on_a_bounded_channel_hides_no_order_of_others() {
    exact_in_every_order::<_, u64>(
        || Queue::new(sync_channel(1)),
        &[
            ("worker", Queue::work),
            ("config", Queue::configure),
            ("client", |queue: &Queue<SyncSender<u64>>| {
                queue.ends.sender().send(1).expect("the worker receives");
                0
            }),
        ],
        &[&[0, 0, 0], &[4, 0, 0]],
    );
}

#[test]
fn recv_that_waits_for_the_last_sender_hides_no_order_of_others() {
    exact_in_every_order::<_, u64>(
        || Queue::new(channel()),
        &[
            ("worker", Queue::work),
            ("config", Queue::configure),
            ("client", |queue: &Queue<Sender<u64>>| {
                drop(queue.ends.sender());
                0
            }),
        ],
        &[&[0, 0, 0], &[4, 0, 0]],
    );
}

/// How an attempt to lock ended.
fn tried<G>(result: &TryLockResult<G>) -> &'static str {
    match result {
        Ok(_) => "locked",
        Err(Poisoned(_)) => "poisoned",
        Err(WouldBlock) => "held",
    }
}

const TRIED: &[&[&str]] = &[&["", "locked"], &["", "poisoned"], &["", "held"]];

#[test]
fn try_lock_fails_against_a_lock_that_a_panic_releases() {
    exact_in_every_order::<Mutex<u64>, &str>(
        || Mutex::new(0),
        &[
            ("holder", |mutex| {
                panics(|| {
                    let _held = mutex.lock();
                    panic!("on purpose");
                });
                ""
            }),
            ("tries", |mutex| tried(&mutex.try_lock())),
        ],
        TRIED,
    );
}

#[test]
fn try_read_and_try_write_fail_against_a_lock_that_a_panic_releases() {
    let holder: Body<RwLock<u64>, &str> = |lock| {
        panics(|| {
            let _held = lock.write();
            panic!("on purpose");
        });
        ""
    };
    let tries: [Body<RwLock<u64>, &str>; 2] =
        [|lock| tried(&lock.try_read()), |lock| tried(&lock.try_write())];
    for body in tries {
        exact_in_every_order(|| RwLock::new(0), &[("holder", holder), ("tries", body)], TRIED);
    }
}

/// Store buffering with an update in place of the load.
#[test]
fn updates_that_write_back_are_reordered_with_stores() {
    exact_in_every_order::<Words, u64>(
        words,
        &[
            ("alice", |[a, b]| {
                a.store(1, Relaxed);
                b.fetch_add(0, Relaxed)
            }),
            ("bob", |[a, b]| {
                b.store(1, Relaxed);
                a.fetch_add(0, Relaxed)
            }),
        ],
        &[&[0, 0], &[0, 1], &[1, 0], &[1, 1]],
    );
}

/// What a reader of two words finds that are written in turn: `(0, 0)` for the writer, and the second word
/// and the first for the reader. `(1, 0)`: the writes, or the reads, are reordered.
const PASSED: &[&[(u64, u64)]] =
    &[&[(0, 0), (0, 0)], &[(0, 0), (0, 1)], &[(0, 0), (1, 0)], &[(0, 0), (1, 1)]];

type Passes = Body<Words, (u64, u64)>;

#[test]
fn updates_are_reordered_with_updates() {
    let updates: Passes = |[a, b]| (a.fetch_add(1, Relaxed), b.fetch_add(1, Relaxed));
    let loads: Passes = |[a, b]| (b.load(Relaxed), a.load(Relaxed));
    exact_in_every_order(words, &[("writer", updates), ("reader", loads)], PASSED);
    let stores: Passes = |[a, b]| {
        a.store(1, Relaxed);
        b.store(1, Relaxed);
        (0, 0)
    };
    let write_back: Passes = |[a, b]| (b.fetch_add(0, Relaxed), a.fetch_add(0, Relaxed));
    exact_in_every_order(words, &[("writer", stores), ("reader", write_back)], PASSED);
    // Where all four are updates, the writer's first would read from the reader's second: `(1, 0)` is load
    // buffering.
    let without = [PASSED[0], PASSED[1], PASSED[3]];
    exact_in_every_order(words, &[("writer", updates), ("reader", write_back)], &without);
}

#[test]
fn a_compare_exchange_that_fails_reads_an_old_store() {
    let stores: Passes = |[a, b]| {
        a.store(1, Relaxed);
        b.store(1, Relaxed);
        (0, 0)
    };
    let fails: Passes = |[a, b]| {
        let seen = b.load(Relaxed);
        (seen, a.compare_exchange(5, 6, Relaxed, Relaxed).expect_err("it is never 5"))
    };
    exact_in_every_order(words, &[("writer", stores), ("reader", fails)], PASSED);
}

/// A reader waits for another reader, which a writer that waits for the first holds up.
#[test]
fn a_waiting_writer_holds_up_a_reader_that_another_waits_for() {
    type State = (RwLock<()>, AtomicU64);
    let waits: Body<State> = |(lock, told)| {
        let _held = lock.read();
        hint::wait_until(|| told.load(SeqCst) == 1);
    };
    let writes: Body<State> = |(lock, _)| drop(lock.write());
    let tells: Body<State> = |(lock, told)| {
        let _held = lock.read();
        told.store(1, SeqCst);
    };
    let init = || (RwLock::new(()), AtomicU64::new(0));
    let threads = [("waits", waits), ("writes", writes), ("tells", tells)];
    fails_in_every_order(Failure::Deadlock, init, &threads);
    // Without the writer nothing holds it up.
    exact_in_every_order::<State, bool>(
        init,
        &[
            ("waits", |(lock, told)| {
                let _held = lock.read();
                hint::wait_until(|| told.load(SeqCst) == 1);
                true
            }),
            ("tells", |(lock, told)| {
                let _held = lock.read();
                told.store(1, SeqCst);
                true
            }),
        ],
        &[&[true, true]],
    );
}

#[test]
fn a_waiting_writer_holds_up_readers_of_two_locks() {
    type State = [RwLock<()>; 2];
    let init = || [RwLock::new(()), RwLock::new(())];
    let reads: Body<State> = |[a, b]| {
        let _first = a.read();
        drop(b.read());
    };
    let reads_other_way: Body<State> = |[a, b]| {
        let _first = b.read();
        drop(a.read());
    };
    let readers = [("reads", reads), ("reads_other_way", reads_other_way)];
    let writers: [(&str, Body<State>); 2] =
        [("writes_a", |[a, _]| drop(a.write())), ("writes_b", |[_, b]| drop(b.write()))];
    fails_in_every_order(Failure::Deadlock, init, &[readers, writers].concat());
    for writer in writers {
        // One writer holds up one of them.
        for order in super::orders(3) {
            let threads = [readers[0], readers[1], writer];
            let report =
                super::in_order(init, &threads, &order).acceptable("()", "all end").check();
            assert!(report.is_complete(), "{report}");
        }
    }
}

/// Shared by two owners, the last of which frees it.
struct Owned {
    owners: AtomicU64,
    value: AtomicPtr<Plain>,
}

impl Owned {
    fn new() -> Self {
        let value = AtomicPtr::new(Box::into_raw(Box::default()));
        Self { owners: AtomicU64::new(2), value }
    }

    fn give_up(&self, order: Ordering) -> u64 {
        let value = self.value.load(Relaxed);
        // SAFETY: it is freed by the last owner, or the execution ends there with the race.
        unsafe { &*value }.get();
        let left = self.owners.fetch_sub(1, order) - 1;
        if left == 0 {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(value) });
        }
        left
    }
}

#[test]
fn memory_freed_too_early_is_a_data_race() {
    let too_weak: [Body<Owned, u64>; 3] = [
        |owned| owned.give_up(Relaxed),
        |owned| owned.give_up(Release),
        |owned| owned.give_up(Acquire),
    ];
    for give_up in too_weak {
        let threads = [("alice", give_up), ("bob", give_up)];
        fails_in_every_order(Failure::DataRace, Owned::new, &threads);
    }
    let give_up: Body<Owned, u64> = |owned| owned.give_up(AcqRel);
    exact_in_every_order(Owned::new, &[("alice", give_up), ("bob", give_up)], &[&[0, 1], &[1, 0]]);
}

#[test]
fn a_use_after_free_is_found() {
    struct Slot {
        value: std::cell::UnsafeCell<ManuallyDrop<AtomicU64>>,
        dropped: AtomicBool,
    }

    // SAFETY: threads of a model take turns, and the memory outlives the value.
    unsafe impl Sync for Slot {}

    impl Slot {
        fn new() -> Self {
            let value = ManuallyDrop::new(AtomicU64::new(7));
            Self { value: value.into(), dropped: AtomicBool::new(false) }
        }

        fn use_value(&self) -> u64 {
            // SAFETY: as above. A use of the value that is dropped ends the execution.
            unsafe { &*self.value.get() }.load(Relaxed)
        }

        fn drop_value(&self) -> u64 {
            // SAFETY: as above; called once.
            unsafe { ManuallyDrop::drop(&mut *self.value.get()) };
            self.dropped.store(true, Release);
            0
        }
    }

    let drops: Body<Slot, u64> = Slot::drop_value;
    let uses: Body<Slot, u64> =
        |slot| if slot.dropped.load(Acquire) { slot.use_value() } else { 0 };
    let threads = [("drops", drops), ("uses", uses)];
    for order in super::orders(2) {
        let error = super::in_order(Slot::new, &threads, &order).explore().unwrap_err();
        assert_eq!(error.failure(), Some(Failure::UseAfterFree), "{error}");
        let text = error.to_string();
        for part in [
            "use after free: a1: drops drops it (made at model/tests/facts/missed.rs:",
            "), and uses loads rlx at model/tests/facts/missed.rs:",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
    // With no happens-before edge between the two it is a race.
    let at_once: Body<Slot, u64> = Slot::use_value;
    fails_in_every_order(Failure::DataRace, Slot::new, &[("drops", drops), ("uses", at_once)]);
    // Not used again.
    let keeps_off: Body<Slot, u64> = |slot| u64::from(slot.dropped.load(Acquire));
    exact_in_every_order(Slot::new, &[("drops", drops), ("reads", keeps_off)], &[&[0, 0], &[0, 1]]);
}

/// A call of `spin_loop` waits for nothing if no step is in between.
#[test]
fn a_backoff_is_no_wait() {
    fn pauses<const N: usize>(a: &AtomicU64) -> u64 {
        for _ in 0..N {
            hint::spin_loop();
        }
        a.swap(2, SeqCst)
    }
    let writes: Body<AtomicU64, u64> = |a| a.swap(1, SeqCst);
    for pauses in [pauses::<9>, pauses::<30>] {
        exact_in_every_order(
            || AtomicU64::new(0),
            &[("pauses", pauses), ("writes", writes)],
            &[&[0, 2], &[1, 0]],
        );
    }
}

/// Spurious wake-ups included: a turn that finds nothing new is explored once.
#[test]
fn a_waiting_loop_on_a_condvar_is_explored_completely() {
    type State = (Mutex<u64>, Condvar);
    let waits: Body<State, u64> = |(count, changed)| {
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count < 2 {
            count = changed.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
        *count
    };
    let counts: Body<State, u64> = |(count, changed)| {
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        changed.notify_one();
        *count
    };
    exact_in_every_order(
        || (Mutex::new(0), Condvar::new()),
        &[("waits", waits), ("first", counts), ("second", counts)],
        &[&[2, 1, 2], &[2, 2, 1]],
    );
}

#[test]
fn a_waiting_loop_on_park_is_explored_completely() {
    exact_in_every_order::<&'static AtomicU64, u64>(
        || leaked(AtomicU64::new(0)),
        &[
            ("idle", |_| 0),
            ("parent", |flag| {
                let flag: &'static AtomicU64 = flag;
                let child = thread::spawn(move || {
                    while flag.load(SeqCst) < 2 {
                        thread::park();
                    }
                    flag.load(SeqCst)
                });
                for value in [1, 2] {
                    flag.store(value, SeqCst);
                    child.thread().unpark();
                }
                child.join().expect("the child does not panic")
            }),
        ],
        &[&[0, 2]],
    );
}

/// The release of a lock tells others of what was changed under it, whatever was locked meanwhile.
#[test]
fn what_changed_under_a_lock_is_seen_though_another_was_released_inside() {
    type State = (Mutex<u64>, Mutex<()>);
    let sets: Body<State, u64> = |(value, log)| {
        {
            let mut value = value.lock().unwrap_or_else(PoisonError::into_inner);
            *value = 1;
            drop(log.lock());
        }
        *value.lock().unwrap_or_else(PoisonError::into_inner) = 2;
        0
    };
    // A 1, and then a digit for each value that it finds anew.
    let looks: Body<State, u64> = |(value, _)| {
        let (mut seen, mut last) = (1, u64::MAX);
        loop {
            let now = *value.lock().unwrap_or_else(PoisonError::into_inner);
            if now != last {
                (seen, last) = (10 * seen + now, now);
            }
            if now == 2 {
                return seen;
            }
            hint::spin_loop();
        }
    };
    exact_in_every_order(
        || (Mutex::new(0), Mutex::new(())),
        &[("sets", sets), ("looks", looks)],
        &[&[0, 12], &[0, 102], &[0, 112], &[0, 1012]],
    );
}
