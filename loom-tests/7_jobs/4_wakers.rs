//! # Can a task sleep through its wake-up?
//!
//! A task waits for a flag that another thread sets. It is polled: it looks at the flag and, if that is not set,
//! leaves its waker in a mutex. The other thread sets the flag, takes the waker, and calls it. Every access is an
//! atomic or under a lock. Guess: can the task wait for ever?
//!
//! **Answer.** Yes, if it looks first and registers afterwards:
//!
//! ```text
//!       task                         setter
//!    1  a1.load = false
//!       ~~ preempted ~~
//!    2                               a1.store true
//!    3                               m1.lock
//!    4                               m1.unlock
//!    5  m1.lock
//!    6  m1.unlock
//!       n1.wait: not completed
//!   deadlock: task is blocked in n1.wait
//! ```
//!
//! **Why.** Between the look and the registration the flag is set and the slot is found empty. So there is no waker to
//! call, and the task never looks at the flag again. Neither access is at fault: their order is.
//!
//! **Fix.** Register, then look. Either the other thread finds the waker, or it looked into the slot before the waker was
//! there; then its unlock comes before the task's lock, and with it the flag that it had set. For this the flag can
//! even be `Relaxed`: the mutex hands it over. The other thread, too, must set the flag before it takes the waker.
//!
//! [`AtomicWaker`](selvedge_model::sync::future::AtomicWaker) does the same.
//!
//! **Break it yourself.** Swap the two lines of `Flag::set`: the last test says what happens.
//!
//! **Bounds and what is not modelled.** No bound. `block_on` polls without a wake as well, but not twice in a row.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::sync::future::block_on;
use selvedge_model::{Failure, Model};

/// A flag, and the waker of the task that waits for it.
#[derive(Default)]
struct Flag {
    is_set: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Flag {
    fn register(&self, context: &Context<'_>) {
        *self.waker.lock().unwrap() = Some(context.waker().clone());
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap().take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn set(&self) {
        self.is_set.store(true, Relaxed);
        self.wake();
    }
}

fn look(flag: &AtomicBool) -> Poll<()> {
    if flag.load(Relaxed) { Poll::Ready(()) } else { Poll::Pending }
}

/// Racy: looks, and then registers.
#[test]
fn a_task_that_looks_first_sleeps_through_its_wake_up() {
    let report = Model::new(Flag::default)
        .thread("task", |flag| {
            block_on(poll_fn(|context| {
                let found = look(&flag.is_set);
                flag.register(context);
                found
            }));
        })
        .thread("setter", Flag::set)
        .fails(Failure::Deadlock)
        .check();
    if cfg!(loom) {
        let failure = report.failure.expect("it is expected");
        assert!(failure.message.starts_with("task is blocked in n1.wait"), "{}", failure.message);
    }
}

/// Sound: registers, and then looks.
fn waits(flag: &Flag) {
    block_on(poll_fn(|context| {
        flag.register(context);
        look(&flag.is_set)
    }));
}

#[test]
fn a_task_that_registers_first_wakes_up() {
    Model::new(Flag::default)
        .thread("task", waits)
        .thread("setter", Flag::set)
        .acceptable("()", "the task found the flag, or was woken")
        .check();
}

/// What comes of swapping two lines.
#[test]
fn a_wake_before_the_change_is_lost() {
    Model::new(Flag::default)
        .thread("task", waits)
        .thread("setter", |flag| {
            flag.wake();
            flag.is_set.store(true, Relaxed);
        })
        .fails(Failure::Deadlock)
        .check();
}
