//! # Does the total have to be shared?
//!
//! ```text
//! ```

use selvedge::Counter;
use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::thread;

use crate::shown::assert_shown;

/// The bytes of each answer that a worker sends.
const ALICE: &[u64] = &[1];
const BOB: &[u64] = &[10, 20];

/// Racy: adds each answer to the shared total, in two steps.
fn add_each(total: &AtomicU64, answers: &[u64]) {
    for bytes in answers {
        let seen = total.load(Relaxed);
        total.store(seen + bytes, Relaxed);
    }
}

/// Sound: each worker returns a sum of its own, and the main thread adds the sums.
fn sums_merged_at_join() -> u64 {
    thread::scope(|scope| {
        let workers = [ALICE, BOB].map(|answers| scope.spawn(|| answers.iter().sum::<u64>()));
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    })
}

/// Sound: a handle adds to a cell that its thread owns.
fn add_each_to_own_cell(total: &Counter, answers: &[u64]) {
    let mut mine = total.handle();
    for bytes in answers {
        mine.add(*bytes);
    }
}

#[test]
fn a_shared_total_loses_answers() {
    let report = Model::new(|| AtomicU64::new(0))
        .thread("alice", |total| add_each(total, ALICE))
        .thread("bob", |total| add_each(total, BOB))
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=31", "all answers")
        .interesting("total=30", "alice's answer is lost")
        .interesting("total=21", "bob's first answer is lost")
        .interesting("total=11", "bob's second answer is lost")
        .interesting("total=1", "both of bob's answers are lost")
        .check();
    assert_shown(include_str!("2_less_shared_state.rs"), &report.to_string());
}

#[test]
fn sums_that_are_merged_at_join_have_one_execution() {
    let report = Model::new(|| ())
        .thread("main", |()| sums_merged_at_join())
        .acceptable("main=31", "all answers")
        .check();
    assert!(!cfg!(loom) || report.executions() == 1, "{report}");
}

#[test]
fn cells_that_threads_own_can_be_read_meanwhile() {
    Model::new(Counter::new)
        .thread("alice", |total| add_each_to_own_cell(total, ALICE))
        .thread("bob", |total| add_each_to_own_cell(total, BOB))
        .thread("reader", Counter::get)
        .finally("total", Counter::get)
        .acceptable(["reader=0 total=31", "reader=1 total=31"], "nothing of bob's yet")
        .acceptable(["reader=10 total=31", "reader=11 total=31"], "bob's first answer")
        .acceptable(["reader=30 total=31", "reader=31 total=31"], "both of bob's answers")
        .check();
}
