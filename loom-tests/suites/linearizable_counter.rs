//! # `Counter` in all small scenarios
//!
//! Proved of [`Counter`]: it is *sequentially consistent* where no thread mixes `add` and a handle, *linearizable*
//! with one cell, and *quiescently consistent* with both ways to add. It is not linearizable with two cells: a
//! `get` beside two writers may count the later add alone.
//!
//! **Racy variants.** [`LossyCounter`]: `add || add` loses an update. [`SwapTakeCounter`]: `take || own, own`
//! counts twice.
//!
//! **Why it holds.** Cells only grow, and a thread that sums them holds a lock, so the later of two sums counts all
//! that the earlier one did. Sort the sums by time, and put each add before the first sum that counts it.
//!
//! **Scope.** Every execution of every scenario, for two threads with up to two operations each and three threads
//! with one each. Handles are opened before the threads start.

use selvedge::Counter;
use selvedge_model::{Promise, linearizable};
use specimens::racy::{LossyCounter, SwapTakeCounter, SwapTakeHandle};

use crate::support::alphabets::counter::counter;

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

#[test]
fn split_add_loses_an_update() {
    let report = linearizable(LossyCounter::new)
        .operation("get", LossyCounter::get)
        .operation("add", LossyCounter::increment)
        .operation("take", LossyCounter::take)
        .finally("total", LossyCounter::get)
        .fails("add || add")
        .check();
    if cfg!(loom) {
        let failure = report.failure.expect("the checker finds it").to_string();
        assert!(failure.contains("alice: add; bob: add; total = 1"), "{failure}");
        assert!(failure.contains("alice add, bob add: would give total = 2"), "{failure}");
    }
}

/// One thread alone counts twice too, so the specification is a plain number.
#[test]
fn take_that_resets_an_owned_cell_counts_twice() {
    linearizable(SwapTakeCounter::new)
        .local(SwapTakeCounter::handle)
        .reference(|| 0_u64)
        .owned("own", |_, handle: &mut SwapTakeHandle| handle.increment())
        .against(|count| *count += 1)
        .operation("get", SwapTakeCounter::get)
        .against(|count| *count)
        .operation("take", SwapTakeCounter::take)
        .against(std::mem::take)
        .finally("total", SwapTakeCounter::get)
        .against(|count| *count)
        .promises(Promise::SequentiallyConsistent)
        .fails("take || own, own")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

/// Not a defect: the sum over cells does not promise more.
#[test]
fn get_beside_two_writers_is_not_linearizable() {
    counter().operation("add 2", |counter| counter.add(2)).fails("add 1 || add 2 || get").check();
}

#[test]
fn counter_is_sequentially_consistent() {
    let report = counter()
        .operation("add 2", |counter| counter.add(2))
        .promises(Promise::SequentiallyConsistent)
        .check();
    assert_eq!((report.scenarios, report.explored), (400 + 64, 464));
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 1_836);
    }
}

#[test]
fn one_cell_counter_is_linearizable() {
    let report = linearizable(|| Counter::with_stripes(1).expect("1 is accepted"))
        .operation("add 1", |counter| counter.add(1))
        .operation("add 2", |counter| counter.add(2))
        .operation("get", Counter::get)
        .operation("take", Counter::take)
        .finally("total", Counter::get)
        .check();
    assert_eq!((report.scenarios, report.symmetric), (210 + 20, 190 + 44));
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 1_148);
    }
}

#[test]
fn add_and_handle_of_one_thread_are_seen_out_of_order() {
    counter()
        .owned("own 4", |_, handle| handle.add(4))
        .promises(Promise::ThreadOrder)
        .fails("add 1, own 4 || get")
        .check();
}

#[test]
fn counter_with_handles_is_quiescently_consistent() {
    let report = counter()
        .owned("own 4", |_, handle| handle.add(4))
        .promises(Promise::QuiescentlyConsistent)
        .check();
    assert_eq!(report.explored, 464);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 1_906);
    }
}
