//! # What does exploring everything cost?
//!
//! **Answer.** For read-modify-writes, one execution for each order of them and no more: k threads
//! with n increments each take (kn)! / (n!)^k executions, the number of ways to interleave them.
//! The same program in the usual loom style takes up to a thousand times as many.
//!
//! **Why the usual style is dear.** Reference counts and joins are steps that loom interleaves like
//! any other. And loom learns what a thread is about to do only by starting it: each start is one
//! more choice, and each choice multiplies. This page's second half is that program, run beside
//! ours; its counts are asserted, so that a change in loom is noticed here.
//!
//! **Why ours is cheap.** The state is lent, not counted; one of the threads runs on loom's main
//! thread; nobody is joined; and the harness makes a thread's start and its first operation one step. What is
//! left is the least that any method can do which tells interleavings apart by the order of
//! conflicting operations (Mazurkiewicz traces). Plain loads and stores cost more: the interleaving
//! pass orders loads among each other, which need no order, and weak memory is a second pass.
//!
//! **Bounds and what is not modelled.** No bound. Counts are the same on every machine, and are
//! asserted; times are not.

use selvedge::Counter;
use selvedge_model::{Model, Report};
use specimens::racy::LossyCounter;

/// `threads` threads with `increments` increments each, on one stripe.
fn counter(threads: usize, increments: usize) -> Report {
    let mut model = Model::new(|| Counter::with_stripes(1).expect("1 stripe is accepted"));
    for name in ["alice", "bob", "carol", "dave"].into_iter().take(threads) {
        model = model.thread(name, move |count: &Counter| {
            for _ in 0..increments {
                count.increment();
            }
        });
    }
    model
        .finally("total", Counter::get)
        .acceptable(&format!("total={}", threads * increments), "every increment is counted")
        .check()
}

/// How many ways there are to interleave `threads` sequences of `increments` steps.
fn interleavings(threads: u64, increments: u64) -> u64 {
    let factorial = |n: u64| (1..=n).product::<u64>();
    let one = factorial(increments);
    factorial(threads * increments) / (0..threads).map(|_| one).product::<u64>()
}

/// Asserts the count where it means something: on the checker.
fn costs(threads: usize, increments: usize, executions: u64) {
    let report = counter(threads, increments);
    if cfg!(loom) {
        assert_eq!(report.executions(), executions, "{threads} x {increments}");
        assert_eq!(executions, interleavings(threads as u64, increments as u64));
        assert!(report.is_complete(), "{threads} x {increments} is explored completely");
    }
}

#[test]
fn two_threads_with_one_increment_cost_2_executions() {
    costs(2, 1, 2);
}

#[test]
fn three_threads_with_one_increment_cost_6_executions() {
    costs(3, 1, 6);
}

#[test]
fn two_threads_with_two_increments_cost_6_executions() {
    costs(2, 2, 6);
}

#[test]
fn three_threads_with_two_increments_cost_90_executions() {
    costs(3, 2, 90);
}

#[test]
fn four_threads_with_two_increments_cost_2520_executions() {
    costs(4, 2, 2_520);
}

/// Loads and stores cost more, here in both passes together.
fn split_costs(increments: usize, executions: u64) {
    let mut model = Model::new(LossyCounter::new)
        .thread("alice", move |count| (0..increments).for_each(|_| count.increment()))
        .thread("bob", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable(&format!("total={}", increments + 1), "no two increments overlapped");
    for total in 1..=increments {
        model = model.interesting(&format!("total={total}"), "updates are lost");
    }
    let report = model.check();
    assert!(!cfg!(loom) || report.executions() == executions, "{increments} + 1");
}

#[test]
fn two_split_increments_cost_30_executions() {
    split_costs(1, 30);
}

#[test]
fn three_split_increments_cost_148_executions() {
    split_costs(2, 148);
}

/// The same program as one writes it with loom alone.
#[cfg(loom)]
mod in_plain_loom {
    use std::sync::atomic::AtomicU64 as Executions;

    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use loom::thread;

    /// Explores `threads` x `increments` and returns how many executions that took.
    fn executions(threads: u64, increments: u64) -> u64 {
        let executions = std::sync::Arc::new(Executions::new(0));
        let seen = std::sync::Arc::clone(&executions);
        loom::model(move || {
            seen.fetch_add(1, Relaxed);
            let count = Arc::new(AtomicU64::new(0));
            let threads_left: Vec<_> = (0..threads)
                .map(|_| {
                    let count = Arc::clone(&count);
                    thread::spawn(move || {
                        for _ in 0..increments {
                            count.fetch_add(1, Relaxed);
                        }
                    })
                })
                .collect();
            for thread in threads_left {
                thread.join().expect("an increment does not panic");
            }
            assert_eq!(count.load(Relaxed), threads * increments);
        });
        executions.load(Relaxed)
    }

    #[test]
    fn two_threads_with_one_increment_cost_27_executions() {
        assert_eq!(executions(2, 1), 27);
    }

    #[test]
    fn three_threads_with_one_increment_cost_6225_executions() {
        assert_eq!(executions(3, 1), 6_225);
    }

    #[test]
    fn two_threads_with_two_increments_cost_90_executions() {
        assert_eq!(executions(2, 2), 90);
    }

    /// The dearest of the four, some ten seconds: run so that README's figure stays true.
    #[test]
    fn three_threads_with_two_increments_cost_116319_executions() {
        assert_eq!(executions(3, 2), 116_319);
    }
}
