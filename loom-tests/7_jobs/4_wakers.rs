//! # Can a task sleep through its wake-up?
//!
//! (For readers who know async Rust: `Waker`, `Context`, `poll_fn`.) A task waits for a flag. A poll checks it and, if
//! it is not set, leaves its waker in a mutex. Another thread sets the flag, takes the waker, and wakes it:
//!
//! ```rust
//! let ready = flag.load(SeqCst);                                         // poll
//! *waker.lock().unwrap() = Some(context.waker().clone());
//! if ready { Poll::Ready(()) } else { Poll::Pending }
//!
//! flag.store(true, SeqCst);                                              // setter
//! if let Some(waker) = waker.lock().unwrap().take() { waker.wake(); }
//! ```
//!
//! **Guess:** can the task wait for ever?
//!
//! **Output.** Yes:
//!
//! ```text
//!       task                     setter
//!    1  a1.load = false
//!       ~~ preempted ~~
//!    2                           a1.store true
//!    3                           m1.lock
//!    4                           m1.unlock
//!    5  m1.lock
//!    6  m1.unlock
//!       n1.wait: not completed
//! ```
//!
//! `a1` is the flag, `m1` holds the waker, `n1` is what the task waits for. Real threads showed it in round 2 to 456
//! (`SELVEDGE_ROUNDS=20000 cargo test --test book -- wakers:: --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** A **lost wake-up**. Between the check and the registration the setter sets the flag and finds no waker. The
//! task then leaves a waker that no thread wakes.
//!
//! **Fix.** Register, then check. If the setter takes the mutex after the task, it finds the waker. If it takes the
//! mutex before, its unlock happens before the task's lock, so the check sees the flag. The setter must set the flag
//! before it takes the waker (third test). The type `AtomicWaker` does this without a mutex.
//!
//! **Break it yourself.** Swap the two statements of `Flag::set`. `register_then_check_wakes_up` fails: *deadlock: task
//! is blocked in n1.wait*. So does the first test: its picture is another one.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicBool, Ordering::SeqCst};
use selvedge_model::sync::future::block_on;
use selvedge_model::{Failure, Model};

use crate::shown::assert_shown;

/// A flag, and the waker of the task that waits for it.
#[derive(Default)]
struct Flag {
    is_set: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Flag {
    fn set(&self) {
        self.is_set.store(true, SeqCst);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap().take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn check(&self) -> Poll<()> {
        if self.is_set.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn register(&self, context: &Context<'_>) {
        *self.waker.lock().unwrap() = Some(context.waker().clone());
    }

    /// Racy: checks, and then registers.
    fn check_then_register(&self, context: &Context<'_>) -> Poll<()> {
        let ready = self.check();
        self.register(context);
        ready
    }

    /// Sound: registers, and then checks.
    fn register_then_check(&self, context: &Context<'_>) -> Poll<()> {
        self.register(context);
        self.check()
    }
}

fn model(poll: fn(&Flag, &Context<'_>) -> Poll<()>, set: fn(&Flag)) -> Model<Flag> {
    Model::new(Flag::default)
        .thread("task", move |flag| block_on(poll_fn(|context| poll(flag, context))))
        .thread("setter", set)
}

#[test]
fn check_then_register_sleeps_through_the_wake_up() {
    let report = model(Flag::check_then_register, Flag::set).fails(Failure::Deadlock).check();
    assert_shown(include_str!("4_wakers.rs"), &report.to_string());
}

#[test]
fn register_then_check_wakes_up() {
    model(Flag::register_then_check, Flag::set)
        .acceptable("()", "the flag was set, or the task was woken")
        .check();
}

#[test]
fn wake_up_before_the_flag_is_lost() {
    let wake_then_set = |flag: &Flag| {
        flag.wake();
        flag.is_set.store(true, SeqCst);
    };
    model(Flag::register_then_check, wake_then_set).fails(Failure::Deadlock).check();
}
