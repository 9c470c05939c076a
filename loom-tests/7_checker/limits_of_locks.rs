//! # What does the checker not see of locks, waits and threads?
//!
//! **Answer.** What is listed here and in [`limits.rs`](limits.rs), as far as is known. Each has a test of
//! what is explored today, which turns red when the limit moves.
//!
//! | limit | what to do instead | test |
//! |---|---|---|
//! | a waiting writer never holds up new readers | a thread that holds a read lock waits for no other reader, nor for a second lock; with a `Mutex` in place of the `RwLock` such a deadlock is found | `a_waiting_writer_holds_up_no_reader`, `crossed_readers_never_deadlock` |
//! | a wait with a limit hides a lost wake-up: time may be up at any moment | wait without a limit in the model | `a_wait_with_a_limit_hides_a_lost_wake_up`, `a_park_with_a_limit_hides_a_lost_wake_up` |
//! | no loop that waits on a condition variable, or parks, is explored completely: it may wake up without a reason once more than any bound says | wait in a loop, and a small bound will do: `.spurious(0)` or 1 | `a_loop_of_waits_is_never_complete` |
//! | `Builder::stack_size` is ignored: each thread has 32 KiB | larger values on the heap (`Box`, `Vec`), and less recursion | `a_thread_has_a_stack_of_32_kib` in `model/tests/refused.rs` |
//!
//! **Why.** `std` leaves open whether readers overtake a waiting writer. loom's `RwLock` always lets them;
//! on Linux `std`'s, and `parking_lot`'s, never do, and then a reader that waits for another reader waits
//! for the writer, which waits for it. That a wait may end at any moment, for its time is up or without a
//! reason, is a choice, and one that makes the thread look again is what a lost wake-up lacks.
//!
//! **Bounds and what is not modelled.** Explored completely, but for the loops of waits. What deadlocks with
//! `std` is not run on real threads.

use selvedge_model::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use selvedge_model::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, hint, thread};
use selvedge_model::{Failure, Model};
use std::time::Duration;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The model may deadlock with `std`, and that is not explored.
fn is_missed<S: Send + Sync + 'static>(model: Model<S>) {
    if cfg!(loom) {
        let report = model.acceptable("()", "no thread waits for ever").check();
        assert!(report.is_complete(), "explored completely, and not seen: {report}");
    }
}

// ---------------------------------------------------------------------------------------------
// Read-write locks.
// ---------------------------------------------------------------------------------------------

/// One reader waits for the other. If the writer comes between them, and holds up the second, all three
/// wait for ever. Two that wait for each other while they hold a mutex are seen.
#[test]
fn a_waiting_writer_holds_up_no_reader() {
    #[derive(Default)]
    struct Shared {
        lock: RwLock<()>,
        mutex: Mutex<()>,
        came: AtomicBool,
    }
    let waits = |shared: &Shared| hint::wait_until(|| shared.came.load(Acquire));
    let comes = |shared: &Shared| shared.came.store(true, Release);
    let readers = Model::new(Shared::default)
        .thread("first", move |shared| {
            let _reading = shared.lock.read();
            waits(shared);
        })
        .thread("second", move |shared| {
            let _reading = shared.lock.read();
            comes(shared);
        })
        .thread("writer", |shared| drop(shared.lock.write()));
    is_missed(readers);

    let with_a_mutex = Model::new(Shared::default)
        .thread("first", move |shared| {
            let _held = lock(&shared.mutex);
            waits(shared);
        })
        .thread("second", move |shared| {
            let _held = lock(&shared.mutex);
            comes(shared);
        });
    with_a_mutex.fails(Failure::Deadlock).check();
}

/// Two locks, each read by both readers, in opposite orders, and each with a writer. No reader waits for a
/// reader here, and yet each waits for a writer that waits for the other reader.
#[test]
fn crossed_readers_never_deadlock() {
    let readers = Model::new(<(RwLock<()>, RwLock<()>)>::default)
        .thread("left", |(a, b)| {
            let _reading = a.read();
            drop(b.read());
        })
        .thread("right", |(a, b)| {
            let _reading = b.read();
            drop(a.read());
        })
        .thread("writes_a", |(a, _)| drop(a.write()))
        .thread("writes_b", |(_, b)| drop(b.write()));
    is_missed(readers);

    let with_mutexes = Model::new(<(Mutex<()>, Mutex<()>)>::default)
        .thread("left", |(a, b)| {
            let _held = lock(a);
            drop(lock(b));
        })
        .thread("right", |(a, b)| {
            let _held = lock(b);
            drop(lock(a));
        });
    with_mutexes.fails(Failure::Deadlock).check();
}

// ---------------------------------------------------------------------------------------------
// Waits.
// ---------------------------------------------------------------------------------------------

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

    fn wait_for(&self, limit: Duration) -> bool {
        let ready = self.changed.wait_timeout_while(lock(&self.ready), limit, |ready| !*ready);
        *ready.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A setter that notifies and one that forgets to have the same outcomes. Without a limit, the second
/// one is a deadlock.
#[test]
fn a_wait_with_a_limit_hides_a_lost_wake_up() {
    let with_a_limit = |notifies: bool| {
        let report = Model::new(Ready::default)
            .thread("waits", |ready| ready.wait_for(LIMIT))
            .thread("sets", move |ready| ready.set(notifies))
            .rounds(100)
            .acceptable("waits=true", "it was set in time")
            .acceptable("waits=false", "time was up")
            .check();
        assert!(report.is_complete() || !cfg!(loom), "explored completely: {report}");
    };
    with_a_limit(true);
    with_a_limit(false);

    let without = |notifies: bool| {
        Model::new(Ready::default)
            .thread("waits", Ready::wait)
            .thread("sets", move |ready| ready.set(notifies))
            .spurious(0)
    };
    without(true).acceptable("()", "it is woken").check();
    without(false).fails(Failure::Deadlock).check();
}

/// The same with `park_timeout` and an `unpark` that is missing.
#[test]
fn a_park_with_a_limit_hides_a_lost_wake_up() {
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
    model(|| thread::park_timeout(LIMIT)).acceptable("()", "it looks again").check();
    model(thread::park).fails(Failure::Deadlock).check();
}

/// However many spurious wake-ups are explored, one more is possible.
#[test]
fn a_loop_of_waits_is_never_complete() {
    for spurious in [0, 1, 4] {
        let report = Model::new(Ready::default)
            .thread("waits", Ready::wait)
            .thread("sets", |ready| ready.set(true))
            .spurious(spurious)
            .rounds(100)
            .acceptable("()", "it is woken")
            .check();
        if cfg!(loom) {
            let bound = report.bound().expect("one more is possible");
            assert!(bound.starts_with(&format!("{spurious} spurious failure")), "{bound}");
        }
    }
}
