//! # `Map` in all small scenarios
//!
//! Proved of [`Map`]: all methods are linearizable but `len`, `is_empty`, `for_each`, `retain` and `extend`. `len`,
//! `for_each` and `retain` go shard by shard and are *quiescently consistent*: a change that ended before the call
//! is counted, visited or removed; a change that overlaps it may be or not. A snapshot beside `retain` shows that
//! `retain` is not atomic.
//!
//! **Racy variants.** [`CheckThenInsertMap`], [`ReadModifyWriteMap`], [`HalfDoneMap`] and [`LateLenMap`]: a method
//! in two steps. The smallest scenario that shows it is that method beside another call, or beside itself.
//!
//! **Why it holds.** A call on one key holds the lock of its shard from the first read to the last write. A call on
//! several keys holds all locks, taken in the order of the shards.
//!
//! **Scope.** Every execution of every scenario: one call each of all 15 methods, for two and three threads; up to
//! two calls each of six of them, for two threads. The map is empty, or has one entry, both keys, or a full shard.
//! There are two keys, in two shards. No closure panics, and one initialiser fails. Two calls each of all 15
//! methods are 115,680 scenarios, and with each key 246,753: `cargo ci linearizable --exhaustive`.

use std::cell::Cell;
use std::hash::BuildHasher;

use selvedge::Map;
use selvedge_model::{Linearizable, Promise, linearizable};
use specimens::racy::{CheckThenInsertMap, HalfDoneMap, LateLenMap, ReadModifyWriteMap};

use crate::support::alphabets::map::{
    ByParity, Entries, ROOM, both, by_parity, core, entries, full, map, one_entry,
};

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

#[test]
fn check_then_insert_initialises_twice() {
    linearizable(CheckThenInsertMap::new)
        .operation("get", |map| map.get(1))
        .operation("first", |map| map.get_or_insert_with(1, || 10))
        .operation("second", |map| map.get_or_insert_with(1, || 20))
        .finally("left", |map| map.get(1))
        .fails("first || second")
        .check();
}

#[test]
fn two_step_update_is_lost() {
    linearizable(|| ReadModifyWriteMap::of([(1, 0)]))
        .operation("get", |map| map.get(1))
        .operation("remove", |map| map.remove(1))
        .operation("update", |map| map.update(1, |value| value + 1))
        .finally("left", |map| map.get(1))
        .fails("remove || update")
        .check();
}

#[test]
fn two_step_transfer_is_seen_half_done() {
    linearizable(|| HalfDoneMap::of([(1, 40), (2, 0)]))
        .operation("move", |map| map.update_pair(1, 2, |from, to| (from - 4, to + 4)))
        .operation("total", |map| map.snapshot().iter().map(|(_, amount)| *amount).sum::<u64>())
        .fails("move || total")
        .check();
}

#[test]
fn length_counted_after_unlocking_is_not_linearizable() {
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
fn each_pair_of_methods_is_linearizable() {
    let report = from_each_state(map()).size(2, 1).check();
    assert_eq!((report.scenarios, report.explored), (4 * 120, 480));
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 964);
    }
}

/// On real threads one call each: so many scenarios would take long.
#[test]
fn two_calls_for_each_thread_are_linearizable() {
    let report = from_each_state(core()).size(2, if cfg!(loom) { 2 } else { 1 }).check();
    assert_eq!(report.explored, report.scenarios);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!((report.scenarios, report.executions()), (3_612, 17_380));
    }
}

/// The insert hashes the entries of the full shard again.
#[test]
fn one_more_entry_grows_a_full_shard() {
    std::thread_local! {
        static HASHED: Cell<usize> = const { Cell::new(0) };
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
    assert_eq!(HASHED.get(), 1 + ROOM, "the new key, and those of its shard");
}

#[test]
fn each_three_methods_are_linearizable() {
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
fn len_is_not_sequentially_consistent() {
    with_len()
        .promises(Promise::SequentiallyConsistent)
        .fails("empty: insert 1, len || insert 2, remove 1")
        .check();
}

#[test]
fn for_each_is_not_sequentially_consistent() {
    with_for_each()
        .promises(Promise::SequentiallyConsistent)
        .fails("empty: for_each || insert 2, insert 1")
        .check();
}

#[test]
fn retain_is_not_sequentially_consistent() {
    with_retain()
        .promises(Promise::SequentiallyConsistent)
        .fails("empty: retain none || insert 2, insert 1")
        .check();
}

/// Quiescent consistency is too strong for `retain` beside a snapshot.
#[test]
fn retain_is_seen_half_done() {
    with_retain()
        .operation("snapshot", entries)
        .promises(Promise::QuiescentlyConsistent)
        .fails("both: retain none || snapshot")
        .check();
}

#[test]
fn len_is_quiescently_consistent() {
    let report = with_len().promises(Promise::QuiescentlyConsistent).check();
    assert_eq!(report.explored, 460);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 1_744);
    }
}

#[test]
fn for_each_is_quiescently_consistent() {
    let report = with_for_each().promises(Promise::QuiescentlyConsistent).check();
    assert_eq!(report.explored, 460);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 2_274);
    }
}

#[test]
fn retain_is_quiescently_consistent() {
    let report = with_retain().promises(Promise::QuiescentlyConsistent).check();
    assert_eq!(report.explored, 460);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 2_274);
    }
}
