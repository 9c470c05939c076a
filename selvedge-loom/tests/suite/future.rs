//! `future`.

use std::future::poll_fn;
use std::task::Poll;

use loom::future::{AtomicWaker, block_on};
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::sync::atomic::{AtomicBool, AtomicUsize};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::{fails_without_panic, passes};

#[test]
fn a_future_that_is_ready_is_not_waited_for() {
    passes(|| assert_eq!(block_on(async { 5 }), 5));
}

/// What a thread changes, and the task that waits for it.
#[derive(Default)]
struct Shared {
    changes: AtomicUsize,
    task: AtomicWaker,
}

/// A thread changes something and wakes the task, in this order or the other; the task waits for the change, and
/// registers before it looks or after.
fn changes(wakes_first: bool, looks_first: bool) {
    let shared = Arc::new(Shared::default());
    let other = Arc::clone(&shared);
    thread::spawn(move || {
        if wakes_first {
            other.task.wake();
        }
        other.changes.fetch_add(1, Relaxed);
        if !wakes_first {
            other.task.wake();
        }
    });
    block_on(poll_fn(move |context| {
        if looks_first && shared.changes.load(Relaxed) == 1 {
            return Poll::Ready(());
        }
        shared.task.register_by_ref(context.waker());
        if !looks_first && shared.changes.load(Relaxed) == 1 {
            return Poll::Ready(());
        }
        Poll::Pending
    }));
}

#[test]
fn a_task_registers_and_then_looks() {
    passes(|| changes(false, false));
    fails_without_panic(|| changes(false, true));
    fails_without_panic(|| changes(true, false));
}

#[test]
fn a_task_may_wake_itself() {
    passes(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        thread::spawn(move || other.store(true, Release));
        block_on(poll_fn(|context| {
            if flag.load(Acquire) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            thread::yield_now();
            Poll::Pending
        }));
    });
}

#[test]
fn a_waker_can_be_sent() {
    passes(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let mut thread = None;
        block_on(poll_fn(|context| {
            let (other, waker) = (Arc::clone(&flag), context.waker().clone());
            thread.get_or_insert_with(|| {
                thread::spawn(move || {
                    other.store(true, Release);
                    waker.wake();
                })
            });
            if flag.load(Acquire) { Poll::Ready(()) } else { Poll::Pending }
        }));
    });
}

#[test]
fn a_waker_that_is_taken_is_not_woken() {
    passes(|| {
        let task = AtomicWaker::new();
        block_on(poll_fn(|context| {
            assert!(task.take_waker().is_none());
            task.register(context.waker().clone());
            task.take_waker().map_or(Poll::Pending, |_| Poll::Ready(()))
        }));
    });
}

#[test]
fn a_waker_that_is_never_dropped_leaks() {
    fails_without_panic(|| {
        block_on(poll_fn(|context| {
            std::mem::forget(context.waker().clone());
            Poll::Ready(())
        }));
    });
}

/// A waker in a mutex, by hand: `set_after` says whether the flag is set after the waker was taken.
fn by_hand(set_after: bool) {
    let shared = Arc::new((Mutex::new(None::<std::task::Waker>), AtomicBool::new(false)));
    let other = Arc::clone(&shared);
    thread::spawn(move || {
        if !set_after {
            other.1.store(true, Release);
        }
        let waker = other.0.lock().unwrap().take();
        if set_after {
            other.1.store(true, Release);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    });
    block_on(poll_fn(|context| {
        *shared.0.lock().unwrap() = Some(context.waker().clone());
        if shared.1.load(Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }));
}

#[test]
fn a_waker_by_hand_is_taken_after_the_change() {
    passes(|| by_hand(false));
    fails_without_panic(|| by_hand(true));
}
