//! # Is a counter linearizable?
//!
//! **Answer.** No, and it does not say so: adds, `get` and `take` are *sequentially consistent*, where no
//! thread adds both by the counter and by a handle. All results of all small scenarios have one order that keeps each thread's own. But a sum over cells
//! that is taken while two threads write can hold an effect and not its cause: `add 2` happened after
//! `add 1`, and `get` has seen the 2 alone. No order that keeps both before and after explains that.
//! A counter with one cell *is* linearizable: it is the sum that costs it, not the orderings. And who
//! adds partly by the counter and partly by a handle writes two cells, and may be seen out of order: then
//! the counter is *quiescently consistent*, which is to say that what was over when a count began is in
//! it, and everything once.
//!
//! **Why the racy twins fail.** [`LossyCounter`] loads and then stores: `add || add` is the smallest
//! scenario in which an add is lost. [`SwapTakeCounter`] resets a cell that somebody owns, so that the
//! owner's next store brings back what was taken: it takes two adds of one thread and a `take`.
//!
//! **Why the sound one holds.** Cells only grow, and whoever sums them holds a lock, so that of two sums
//! the later one counts all that the earlier one did: sort the sums by time, and put each add before
//! the first that counts it.
//!
//! **Bounds and what is not modelled.** No bound: every execution of every scenario is explored, for
//! two threads with up to two operations each, and three with one each. Amounts are one number for
//! each operation. Handles are opened before the threads start.

use selvedge::Counter;
use selvedge_model::{Promise, linearizable};
use specimens::racy::{LossyCounter, SwapTakeCounter, SwapTakeHandle};

use crate::support::alphabets::counter::counter;

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

#[test]
fn two_adds_are_the_smallest_scenario_that_loses_one() {
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

/// One thread alone counts twice as well, so it is no specification: that is a number apart.
#[test]
fn a_take_behind_an_owner_s_back_counts_twice() {
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
// Sound: what is promised, and what is not.
// ---------------------------------------------------------------------------------------------

/// Not a defect: what the sum over cells does not promise.
#[test]
fn a_count_beside_two_writers_is_not_linearizable() {
    counter().operation("add 2", |counter| counter.add(2)).fails("add 1 || add 2 || get").check();
}

#[test]
fn a_counter_is_sequentially_consistent() {
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
fn a_counter_of_one_cell_is_linearizable() {
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
fn who_adds_in_two_ways_is_seen_out_of_order() {
    counter()
        .owned("own 4", |_, handle| handle.add(4))
        .promises(Promise::ThreadOrder)
        .fails("add 1, own 4 || get")
        .check();
}

#[test]
fn a_counter_with_handles_is_quiescently_consistent() {
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
