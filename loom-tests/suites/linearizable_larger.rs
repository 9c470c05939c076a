//! # Larger scenarios, all of them
//!
//! `LINEARIZABLE_SIZES=all` explores them (`cargo ci linearizable --exhaustive`), which takes minutes. Without it
//! each alphabet is explored in a small size, so that the tests are compiled and run. There is no bound in either.
//!
//! The executions of the counters are also those of an independent enumeration: orders of the adds to each cell,
//! orders of the critical sections, and for each load every add that coherence allows, without load buffering.
//! Those of `Stats` and `Map` have no such check.

use selvedge::{Counter, CounterHandle, Stats};
use selvedge_model::{Linearizable, Promise, linearizable};

use crate::support::alphabets::{counter, map, stats};

/// Whether all scenarios are asked for.
fn all() -> bool {
    match std::env::var("LINEARIZABLE_SIZES").as_deref() {
        Err(_) => false,
        Ok("all") => true,
        Ok(other) => panic!("LINEARIZABLE_SIZES must be \"all\" or unset, got {other:?}"),
    }
}

/// Explores all scenarios of so many threads with so many operations each, or fewer: as many as
/// `scenarios`, in as many as `executions`.
#[track_caller]
fn explore<S, L, M>(
    check: Linearizable<S, L, M>,
    (threads, operations): (usize, usize),
    (scenarios, executions): (u64, u64),
) where
    S: Send + Sync + 'static,
    L: Send + 'static,
    M: 'static,
{
    let all = all();
    let check = if all { check.size(threads, operations) } else { check.size(2, 1) };
    let report = check.check();
    assert_eq!(report.explored, report.scenarios);
    if cfg!(loom) {
        assert!(report.is_complete(), "nothing is bounded");
        if all {
            assert_eq!((report.scenarios, report.executions()), (scenarios, executions));
        }
    }
}

fn two_cells() -> Linearizable<Counter, CounterHandle> {
    counter::counter()
        .operation("add 2", |counter| counter.add(2))
        .promises(Promise::SequentiallyConsistent)
}

#[test]
fn counter_is_sequentially_consistent_for_three_calls_each() {
    explore(two_cells(), (2, 3), (7_056, 72_108));
}

#[test]
fn one_cell_counter_is_linearizable_for_three_calls_each() {
    let one = linearizable(|| Counter::with_stripes(1).expect("1 is accepted"))
        .operation("add 1", |counter| counter.add(1))
        .operation("add 2", |counter| counter.add(2))
        .operation("get", Counter::get)
        .operation("take", Counter::take)
        .finally("total", Counter::get);
    explore(one, (2, 3), (3_570, 53_892));
}

#[test]
fn empty_map_is_linearizable_for_two_calls_each() {
    explore(map::map().start("empty", |_| ()), (2, 2), (28_920, 180_172));
}

#[test]
fn map_of_one_entry_is_linearizable_for_two_calls_each() {
    explore(map::map().start("one", map::one_entry), (2, 2), (28_920, 180_172));
}

#[test]
fn map_of_both_keys_is_linearizable_for_two_calls_each() {
    explore(map::map().start("both", map::both), (2, 2), (28_920, 151_240));
}

#[test]
fn map_with_a_full_shard_is_linearizable_for_two_calls_each() {
    explore(map::map().start("full", map::full), (2, 2), (28_920, 151_240));
}

#[test]
fn map_is_linearizable_on_both_keys_by_each_method() {
    let check = map::map_with_each_key().start("both", map::both);
    explore(check, (2, 2), (246_753, 1_113_001));
}

#[test]
fn map_is_linearizable_on_both_keys_for_three_threads() {
    let check = map::map_with_each_key()
        .start("empty", |_| ())
        .start("one", map::one_entry)
        .start("both", map::both)
        .start("full", map::full);
    explore(check, (3, 1), (13_104, 72_632));
}

#[test]
fn stats_are_linearizable_for_three_calls_each() {
    explore(stats::stats(Stats::handle), (2, 3), (24_025, 1_874_987));
}

#[test]
fn counter_is_sequentially_consistent_for_three_threads() {
    explore(two_cells(), (3, 2), (8_000, 331_360));
}
