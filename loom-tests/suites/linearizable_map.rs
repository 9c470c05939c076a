//! # Is a map linearizable?
//!
//! **Answer.** All methods but `len`, `is_empty`, `for_each`, `retain` and `extend` are: in every
//! small scenario some order of the same calls, made by one thread, gives the same results, and it keeps
//! each thread's order and whatever had ended before something else began. What goes shard by shard
//! (`len`, `for_each`, `retain`) promises less, and keeps that: the results are *quiescently consistent*.
//! What was over when the call began is counted, visited or removed; each change meanwhile, or not.
//!
//! **Why the racy twins fail.** Each has a method in two steps, and the smallest scenario that shows it
//! is that method beside another call, or beside itself.
//!
//! **Why the sound one holds.** One key: its shard's lock is held from look to change. Several: all locks
//! are held, taken in the order of the shards.
//!
//! **Bounds and what is not modelled.** No bound: every execution of every scenario is explored, for two and
//! three threads with one call each of all 15 methods, and for two threads with up to two calls each of six
//! of them; from an empty map, one with an entry, one with both keys, and one with a shard that is full. Two
//! keys, each in a shard of its own, and each method with one of them. (Two calls each of all 15 methods are
//! 115,680 scenarios, and of each method with each key 246,753: `cargo ci linearizable --exhaustive`.) No closure fails or panics, but for one `init`. A snapshot beside `retain` is not
//! quiescently consistent: `retain` is not one step, and who can see between its steps does; the page
//! shows it.

use std::cell::Cell;
use std::hash::BuildHasher;

use selvedge::Map;
use selvedge_model::{Linearizable, Promise, linearizable};
use specimens::racy::{CheckThenInsertMap, HalfDoneMap, LateLenMap, ReadModifyWriteMap};

use crate::support::alphabets::map::{
    ByParity, Entries, both, by_parity, core, entries, full, map, one_entry,
};

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

#[test]
fn two_who_find_nothing_both_insert() {
    linearizable(CheckThenInsertMap::new)
        .operation("get", |map| map.get(1))
        .operation("first", |map| map.get_or_insert_with(1, || 10))
        .operation("second", |map| map.get_or_insert_with(1, || 20))
        .finally("left", |map| map.get(1))
        .fails("first || second")
        .check();
}

#[test]
fn an_update_in_two_steps_is_lost() {
    linearizable(|| ReadModifyWriteMap::of([(1, 0)]))
        .operation("get", |map| map.get(1))
        .operation("remove", |map| map.remove(1))
        .operation("update", |map| map.update(1, |value| value + 1))
        .finally("left", |map| map.get(1))
        .fails("remove || update")
        .check();
}

#[test]
fn a_transfer_in_two_steps_is_seen_half_done() {
    linearizable(|| HalfDoneMap::of([(1, 40), (2, 0)]))
        .operation("move", |map| map.update_pair(1, 2, |from, to| (from - 4, to + 4)))
        .operation("total", |map| map.snapshot().iter().map(|(_, amount)| *amount).sum::<u64>())
        .fails("move || total")
        .check();
}

#[test]
fn a_length_that_is_counted_late_is_not_that_of_any_moment() {
    linearizable(LateLenMap::new)
        .operation("insert", |map| map.insert(1, ()))
        .operation("len", LateLenMap::len)
        .operation("contains", |map| map.contains_key(1))
        .fails("insert || insert || len")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: one step each.
// ---------------------------------------------------------------------------------------------

/// From each state.
fn from_each_state(check: Linearizable<Entries>) -> Linearizable<Entries> {
    check.start("empty", |_| ()).start("one", one_entry).start("both", both).start("full", full)
}

#[test]
fn each_method_beside_each_other_is_linearizable() {
    let report = from_each_state(map()).size(2, 1).check();
    assert_eq!((report.scenarios, report.explored), (4 * 120, 480));
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 964);
    }
}

/// On real threads one call each: a round or two of so many scenarios would take long and say little.
#[test]
fn two_calls_each_are_linearizable() {
    let report = from_each_state(core()).size(2, if cfg!(loom) { 2 } else { 1 }).check();
    assert_eq!(report.explored, report.scenarios);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!((report.scenarios, report.executions()), (3_612, 17_380));
    }
}

/// It is full: with one entry more all others in it are hashed again.
#[test]
fn a_full_shard_grows_by_one_entry_more() {
    std::thread_local! {
        static HASHED: Cell<u64> = const { Cell::new(0) };
    }

    struct Counting;

    impl BuildHasher for Counting {
        type Hasher = ByParity;

        fn build_hasher(&self) -> ByParity {
            HASHED.set(HASHED.get() + 1);
            ByParity::default()
        }
    }

    let map = Map::with_shards_and_hasher(2, Counting).expect("2 are accepted");
    full(&map);
    HASHED.set(0);
    map.insert(1, 0);
    assert_eq!(HASHED.get(), 1 + 3, "the new key, and the three of its shard");
}

#[test]
fn a_map_is_linearizable_for_three_threads() {
    let report = from_each_state(map()).size(3, 1).check();
    assert_eq!((report.scenarios, report.explored), (4 * 680, 2_720));
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 18_578);
    }
}

// ---------------------------------------------------------------------------------------------
// Sound: shard by shard.
// ---------------------------------------------------------------------------------------------

/// What changes the number of entries.
fn changing() -> Linearizable<Entries> {
    linearizable(|| by_parity([]))
        .start("empty", |_| ())
        .start("both", both)
        .operation("insert 1", |map| map.insert(1, 10))
        .operation("insert 2", |map| map.insert(2, 20))
        .operation("remove 1", |map| map.remove(&1))
        .finally("left", entries)
}

fn with_len() -> Linearizable<Entries> {
    changing().operation("len", Map::len)
}

fn with_for_each() -> Linearizable<Entries> {
    changing().operation("for_each", |map| {
        let mut seen = Vec::new();
        map.for_each(|key, value| seen.push((*key, *value)));
        seen.sort_unstable();
        seen
    })
}

fn with_retain() -> Linearizable<Entries> {
    changing().operation("retain none", |map| map.retain(|_, _| false))
}

#[test]
fn a_length_is_that_of_no_moment() {
    with_len()
        .promises(Promise::SequentiallyConsistent)
        .fails("empty: insert 1, len || insert 2, remove 1")
        .check();
}

#[test]
fn a_visit_shard_by_shard_is_no_moment() {
    with_for_each()
        .promises(Promise::SequentiallyConsistent)
        .fails("empty: for_each || insert 2, insert 1")
        .check();
}

#[test]
fn a_retain_shard_by_shard_is_no_moment() {
    with_retain()
        .promises(Promise::SequentiallyConsistent)
        .fails("empty: retain none || insert 2, insert 1")
        .check();
}

/// Of the weaker promises there is none that says more than what a step of `retain` does.
#[test]
fn a_retain_is_seen_between_its_steps() {
    with_retain()
        .operation("snapshot", entries)
        .promises(Promise::QuiescentlyConsistent)
        .fails("both: retain none || snapshot")
        .check();
}

#[test]
fn a_length_counts_all_that_was_over() {
    let report = with_len().promises(Promise::QuiescentlyConsistent).check();
    assert_eq!(report.explored, 460);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 1_744);
    }
}

#[test]
fn a_visit_meets_all_that_was_over() {
    let report = with_for_each().promises(Promise::QuiescentlyConsistent).check();
    assert_eq!(report.explored, 460);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 2_274);
    }
}

#[test]
fn a_retain_looks_at_all_that_was_over() {
    let report = with_retain().promises(Promise::QuiescentlyConsistent).check();
    assert_eq!(report.explored, 460);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 2_274);
    }
}
