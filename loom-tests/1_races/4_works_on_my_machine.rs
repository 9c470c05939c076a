//! # Why does it work on my machine?
//!
//! Two threads increment a counter once each, by a load and a store. An update is lost if both load 0. **Guess:** in
//! how many of 20,000 rounds on two real cores is the total 1?
//!
//! **Output.** Three runs of `SELVEDGE_ROUNDS=20000 cargo test --test book -- works_on_my_machine:: --nocapture` on two
//! cores, without optimisation, on 2026-11-29. A cell has the number of losses and, in brackets, the smallest total:
//!
//! | | first run | second run | third run |
//! |---|---|---|---|
//! | 2 threads x 1, of 20,000 | 44 (1) | 0 | 4 (1) |
//! | the same with a yield between load and store | 18,715 (1) | 19,997 (1) | 19,279 (1) |
//! | 10 threads x 100, of 50 | 23 (823) | 24 (767) | 23 (884) |
//! | 2 threads x 100,000, of 50 | 26 (100,000) | 14 (100,000) | 40 (100,000) |
//!
//! The checker explores the first row completely. The numbers are executions:
//!
//! ```text
//!   total=2  acceptable          2  one increment after the other
//!   total=1  interesting         2  both load 0: one update is lost
//! ```
//!
//! **Why.** The machine runs one execution at a time, and not each with the same probability. An update is lost only if
//! one thread loads between the other's load and store, which directly follow each other. The yield gives it time for
//! that (second row), and so do more increments (third and fourth). Another load, machine, build or a debugger changes
//! the probability. It does not change which executions are possible. A stress test that passes shows that the failure
//! is rare there, not that there is none.
//!
//! The checker runs each execution of the model once. Of the four, two lose an update, on every machine:
//!
//! | last store | alice's | alice's | bob's | bob's |
//! |---|---|---|---|---|
//! | its thread loads | 0 | bob's store | 0 | alice's store |
//! | total | 1 | 2 | 1 | 2 |
//!
//! **Fix.** `fetch_add` (last test): two executions, both right. It is a proof for two threads, one increment each.
//!
//! **Break it yourself.** Repair `increment`: replace its three lines by `total.fetch_add(1, Relaxed);`. Two tests
//! fail under `--cfg loom`, with *never reached total=1, which the table declares; reached: total=2*. A table is
//! exact: a declared outcome must be reached. Without the flag both pass.

use std::sync::Barrier; // std on purpose
use std::thread;

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::thread::yield_now;
use selvedge_model::{Model, Report};

use crate::shown::assert_shown;

/// Racy: a load and a store, with `between` in the middle.
fn increment(total: &AtomicU64, between: fn()) {
    let seen = total.load(Relaxed);
    between();
    total.store(seen + 1, Relaxed);
}

fn two_threads(between: fn()) -> Report {
    Model::new(|| AtomicU64::new(0))
        .thread("alice", move |total| increment(total, between))
        .thread("bob", move |total| increment(total, between))
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=2", "one increment after the other")
        .interesting("total=1", "both load 0: one update is lost")
        .check()
}

#[test]
fn exploration_reaches_the_lost_update_in_its_second_execution() {
    let report = two_threads(|| ());
    assert_shown(include_str!("4_works_on_my_machine.rs"), &report.to_string());
    if cfg!(loom) {
        assert_eq!((report.executions(), report.seen("total=1")), (4, 2));
        let witness = report.outcomes[1].witness.as_ref();
        assert_eq!(witness.map(|witness| witness.execution), Some(2));
    }
}

#[test]
fn a_yield_makes_the_loss_frequent_and_changes_no_outcome() {
    let report = two_threads(yield_now);
    assert!(!cfg!(loom) || (report.executions(), report.seen("total=1")) == (4, 2), "{report}");
}

/// Larger, on real threads in both builds: prints how often a run lost an update.
#[test]
fn a_program_on_real_threads_prints_all_or_less() {
    for (threads, increments) in [(10, 100), (2, 100_000)] {
        let all = u64::try_from(threads * increments).expect("small");
        let totals = [(); 50].map(|()| run(threads, increments));
        assert!(totals.iter().all(|total| (1..=all).contains(total)), "{totals:?}");
        let lossy = totals.iter().filter(|total| **total < all).count();
        println!("{threads} x {increments}: {lossy} of 50 lost an update: {totals:?}");
    }
}

fn run(threads: usize, increments: usize) -> u64 {
    let (start, total) = (Barrier::new(threads), AtomicU64::new(0));
    // std on purpose
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                start.wait();
                (0..increments).for_each(|_| increment(&total, || ()));
            });
        }
    });
    total.load(Relaxed)
}

#[test]
fn fetch_add_keeps_both_updates_in_both_executions() {
    let report = Model::new(|| AtomicU64::new(0))
        .thread("alice", |total| total.fetch_add(1, Relaxed))
        .thread("bob", |total| total.fetch_add(1, Relaxed))
        .finally("total", |total| total.load(Relaxed))
        .acceptable("alice=0 bob=1 total=2", "alice first")
        .acceptable("alice=1 bob=0 total=2", "bob first")
        .check();
    assert!(!cfg!(loom) || report.is_complete() && report.executions() == 2);
}
