//! # Cost: the number of executions
//!
//! Asserted here: how many executions a model has. The program is run once for each *execution graph*: for each
//! choice of the store that each load reads, and each modification order. The same program in the usual style of
//! loom takes up to a thousand times as many runs.
//!
//! | program | execution graphs |
//! |---|---|
//! | k threads with n increments each, by `fetch_add` | (kn)! / (n!)^k |
//! | n readers and one writer | 2^n |
//! | n increments, each split into a load and a store | (n!)^2 |
//!
//! **Why.** A `fetch_add` reads the store that precedes it in modification order, so a graph is an order of the
//! increments. A reader reads the old value or the new one, independently of the other readers. The load of a split
//! increment may read any store from its thread's previous store up to its own: the first store in modification
//! order has one choice, the second two, the last n, so there are n! graphs for each of n! orders. A recursion
//! below counts threads with several increments; m beside one have (m + 1)^2.
//!
//! **Not counted.** Interleavings that differ only in the order of independent steps are one graph: two loads of
//! one atomic, operations on different atomics, the starts and joins of threads. Four readers and a writer have 5!
//! = 120 interleavings and 16 graphs. The interleavings of the second engine are counted apart.
//!
//! **Why loom takes more.** loom interleaves reference counts and joins like other steps, and it learns the first
//! operation of a thread only by starting it, so each start is one more choice. The second half runs that program,
//! and asserts its counts.

use selvedge::Counter;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::{Model, Report};
use specimens::racy::LossyCounter;

const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// Asserts the number of executions, under `--cfg loom`.
fn costs(report: &Report, executions: u64) {
    if cfg!(loom) {
        assert_eq!(report.executions(), executions, "{report}");
        assert!(report.is_complete(), "explored completely: {report}");
    }
}

/// `threads` threads with `increments` increments each, on one stripe.
fn counter(threads: usize, increments: usize) -> Report {
    let mut model = Model::new(|| Counter::with_stripes(1).expect("1 stripe is accepted"));
    for name in NAMES.into_iter().take(threads) {
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

fn increments_cost(threads: usize, increments: usize, executions: u64) {
    assert_eq!(executions, interleavings(threads as u64, increments as u64));
    costs(&counter(threads, increments), executions);
}

#[test]
fn two_threads_with_one_increment_cost_2_executions() {
    increments_cost(2, 1, 2);
}

#[test]
fn three_threads_with_one_increment_cost_6_executions() {
    increments_cost(3, 1, 6);
}

#[test]
fn two_threads_with_two_increments_cost_6_executions() {
    increments_cost(2, 2, 6);
}

#[test]
fn three_threads_with_two_increments_cost_90_executions() {
    increments_cost(3, 2, 90);
}

#[test]
fn four_threads_with_two_increments_cost_2520_executions() {
    increments_cost(4, 2, 2_520);
}

/// Readers are not ordered with each other: each one doubles the count.
#[test]
fn four_readers_and_a_writer_cost_16_executions() {
    for readers in 1..=NAMES.len() {
        let mut model = Model::new(|| AtomicU64::new(0)).thread("writer", |x| x.store(1, Relaxed));
        for name in NAMES.into_iter().take(readers) {
            model = model.thread(name, |x| x.load(Relaxed));
        }
        for read in 0..1_u32 << readers {
            let outcome: Vec<_> = (0..readers)
                .map(|reader| format!("{}={}", NAMES[reader], read >> reader & 1))
                .collect();
            model = model.acceptable(&outcome.join(" "), "each reads the old value or the new one");
        }
        costs(&model.check(), 1 << readers);
    }
}

/// The graphs of threads with so many split increments left, of which each has `choices` stores to read:
/// those since its own last one, which is the last but `choices` in modification order.
fn split_graphs(left: &[u64], choices: &[u64]) -> u64 {
    if left.iter().all(|left| *left == 0) {
        return 1;
    }
    let next = (0..left.len()).filter(|thread| left[*thread] > 0);
    next.map(|thread| {
        let mut left = left.to_vec();
        left[thread] -= 1;
        let mut after: Vec<u64> = choices.iter().map(|choices| choices + 1).collect();
        after[thread] = 1;
        choices[thread] * split_graphs(&left, &after)
    })
    .sum()
}

/// Thread by thread, how often each increments.
fn split_increments_cost(increments: &[usize], executions: u64) {
    let left: Vec<u64> = increments.iter().map(|increments| *increments as u64).collect();
    assert_eq!(executions, split_graphs(&left, &vec![1; left.len()]));
    let mut model = Model::new(LossyCounter::new);
    for (name, increments) in NAMES.into_iter().zip(increments.to_vec()) {
        model = model.thread(name, move |count: &LossyCounter| {
            (0..increments).for_each(|_| count.increment());
        });
    }
    let all = increments.iter().sum();
    model = model
        .finally("total", LossyCounter::get)
        .acceptable(&format!("total={all}"), "no two increments overlapped");
    // A thread's second load reads its first store or a later one, so never 0.
    let least = if increments.contains(&1) { 1 } else { 2 };
    for total in least..all {
        model = model.interesting(&format!("total={total}"), "updates are lost");
    }
    costs(&model.check(), executions);
}

#[test]
fn two_split_increments_cost_4_executions() {
    split_increments_cost(&[1, 1], 4);
}

#[test]
fn two_split_increments_beside_one_cost_9_executions() {
    split_increments_cost(&[2, 1], 9);
}

#[test]
fn two_split_increments_beside_two_cost_34_executions() {
    split_increments_cost(&[2, 2], 34);
}

#[test]
fn three_split_increments_cost_36_executions() {
    split_increments_cost(&[1, 1, 1], 36);
}

#[test]
fn four_split_increments_cost_576_executions() {
    split_increments_cost(&[1, 1, 1, 1], 576);
}

/// The same program in the usual style of loom.
#[cfg(loom)]
mod in_plain_loom {
    use std::sync::atomic::AtomicU64 as Executions; // std on purpose

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

    /// Takes some ten seconds; the README states the figure.
    #[test]
    fn three_threads_with_two_increments_cost_116319_executions() {
        assert_eq!(executions(3, 2), 116_319);
    }
}
