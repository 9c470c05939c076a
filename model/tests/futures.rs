//! Futures, in both configurations.

use std::future::poll_fn;
use std::task::Poll;

#[cfg(loom)]
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::future::{AtomicWaker, block_on, join, may_drop};
use selvedge_model::{Failure, Model, Report};

fn complete(report: &Report) {
    assert!(report.is_complete() || !cfg!(loom), "{report}");
}

type Flag = (AtomicBool, AtomicWaker);

fn set((is_set, waker): &Flag) {
    is_set.store(true, Relaxed);
    waker.wake();
}

async fn is_set((is_set, waker): &Flag) {
    poll_fn(|context| {
        waker.register_by_ref(context.waker());
        if is_set.load(Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// The mutex of the waker hands over what was changed before `wake`.
#[test]
fn an_atomic_waker_misses_no_wake_up() {
    let report = Model::new(Flag::default)
        .thread("task", |flag| block_on(is_set(flag)))
        .thread("setter", set)
        .acceptable("()", "the task found the flag, or was woken")
        .check();
    complete(&report);
}

/// Each execution finds it without a waker, and drops the waker that is left in it.
#[test]
fn an_atomic_waker_in_a_static() {
    static FLAG: Flag = (AtomicBool::new(false), AtomicWaker::new());
    let report = Model::new(|| ())
        .thread("task", |()| block_on(is_set(&FLAG)))
        .thread("setter", |()| set(&FLAG))
        .acceptable("()", "the task found the flag, or was woken")
        .check();
    complete(&report);
}

#[test]
fn a_future_is_dropped_at_any_await() {
    let report = Model::new(Flag::default)
        .thread("task", |flag| block_on(may_drop(is_set(flag))).is_some())
        .thread("setter", set)
        .acceptable("task=true", "the task found the flag, or was woken")
        .acceptable("task=false", "the future was dropped")
        .explore();
    let report = report.expect("nothing fails");
    complete(&report);
    assert!(report.seen("task=true") > 0);
    assert_eq!(report.seen("task=false") > 0, cfg!(loom), "only in a model");
}

/// A wake by the task itself is no change that another thread could see: the loop waits, and is explored completely.
#[test]
fn a_task_that_wakes_itself_waits() {
    let report = Model::new(|| AtomicBool::new(false))
        .thread("task", |flag| {
            block_on(poll_fn(|context| {
                if flag.load(Acquire) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            }));
        })
        .thread("setter", |flag| flag.store(true, Release))
        .acceptable("()", "the task found the flag")
        .check();
    complete(&report);
}

#[test]
#[cfg(loom)]
fn a_task_that_wakes_itself_for_nothing_is_a_livelock() {
    Model::new(|| AtomicBool::new(false))
        .thread("task", |flag| {
            block_on(poll_fn(|context| {
                context.waker().wake_by_ref();
                if flag.load(Acquire) { Poll::Ready(()) } else { Poll::Pending }
            }));
        })
        .fails(Failure::Livelock)
        .check();
}

/// The task is polled without a wake: not only when it was woken.
#[test]
#[cfg(loom)]
fn a_task_is_polled_without_a_wake() {
    let report = Model::new(|| (AtomicBool::new(false), Mutex::new(None::<std::task::Waker>)))
        .thread("task", |(flag, waker)| {
            let mut polls = 0;
            block_on(poll_fn(|context| {
                polls += 1;
                *waker.lock().unwrap() = Some(context.waker().clone());
                if flag.load(Acquire) { Poll::Ready(polls) } else { Poll::Pending }
            }))
        })
        .thread("setter", |(flag, waker)| {
            flag.store(true, Release);
            let waker = waker.lock().unwrap().take();
            waker.into_iter().for_each(std::task::Waker::wake);
        })
        .acceptable("task=1", "the flag was there")
        .acceptable("task=2", "a wake, or none")
        .acceptable("task=3", "one without a wake before")
        .check();
    complete(&report);
}

/// Who waits for a waker that is gone waits for ever.
#[test]
fn a_task_whose_waker_is_dropped_sleeps() {
    Model::new(AtomicUsize::default)
        .thread("task", |_| block_on(poll_fn(|_| Poll::<()>::Pending)))
        .fails(Failure::Deadlock)
        .check();
}

/// Two futures of one task: which is polled first is explored, and neither is polled when it is ready.
#[test]
fn two_futures_are_polled_in_any_order() {
    let report = Model::new(|| (AtomicUsize::new(0), Flag::default()))
        .thread("task", |(polls, flag)| {
            let first = || async { polls.fetch_add(1, Relaxed) };
            let (a, b) = block_on(join(first(), first()));
            let both = join(is_set(flag), async { a < b });
            block_on(both).1
        })
        .thread("setter", |(_, flag)| set(flag))
        .acceptable("task=true", "a was polled first")
        .acceptable("task=false", "b was")
        .explore();
    let report = report.expect("nothing fails");
    complete(&report);
    assert!(report.seen("task=true") > 0);
    assert_eq!(report.seen("task=false") > 0, cfg!(loom), "only in a model");
}

/// A wake-up of one half must not be lost by the other.
#[test]
fn a_join_waits_for_both() {
    let report = Model::new(<[Flag; 2]>::default)
        .thread("task", |[a, b]| {
            block_on(join(is_set(a), is_set(b)));
        })
        .thread("a", |[a, _]| set(a))
        .thread("b", |[_, b]| set(b))
        .acceptable("()", "both are set")
        .check();
    complete(&report);
}
