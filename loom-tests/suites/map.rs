//! # Is a look-up followed by a change one step?
//!
//! **Answer.** In one call of a [`Map`], yes: `update`, `compute` and `get_or_insert_with` look and
//! change under one lock. In two calls, no, however well each of them locks.
//!
//! **Why the racy twins fail.** [`CheckThenInsertMap`] looks, unlocks, and inserts what it did not
//! find: two threads both find nothing. [`ReadModifyWriteMap`] gets, changes and inserts: the second
//! insert undoes the first, and one that comes late brings back what was removed. [`LateLenMap`]
//! counts after unlocking, so the length lags behind the entries and can pass below 0. [`UnsyncMap`]
//! has no lock at all: one writer beside readers is a data race.
//!
//! **Why the sound one holds.** Each call locks its key's shard once, and whatever it decides it does
//! before it unlocks. `get_or_insert_with` does lock twice, first for reading; so it looks a second
//! time. The length is noted before the lock is given back, by whoever holds it for writing.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two
//! or three threads with one or two calls each, on two shards. Keys are small numbers and go to the
//! shard that their parity names. Growth, collisions, panics and calls from inside a call are a
//! matter of one thread, and are tested in `tests/map.rs`.

use selvedge::Map;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::{Failure, Model};
use specimens::racy::{CheckThenInsertMap, LateLenMap, ReadModifyWriteMap, UnsyncMap};

use crate::support::by_parity::{Busy, ByParity, by_parity};

type Numbers = Busy<Map<u64, u64, ByParity>>;

/// Adds 1 to the value of key 1, in a closure that takes its time.
fn increment(numbers: &Numbers) -> Option<u64> {
    numbers.map.update(&1, |n| {
        numbers.step();
        n + 1
    })
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// Both find nothing, both initialise, and they go on with different values.
#[test]
fn a_check_then_insert_initialises_twice() {
    Model::new(|| Busy::new(CheckThenInsertMap::new()))
        .thread("alice", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .thread("bob", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .finally("kept", |cache| cache.map.get(1))
        .acceptable("alice=1 bob=1 kept=Some(1)", "one made it, the other found it")
        .interesting("alice=1 bob=2 kept=Some(2)", "both made one, and alice's is not the one kept")
        .interesting("alice=1 bob=2 kept=Some(1)", "both made one, and bob's is not the one kept")
        .interesting("alice=2 bob=1 kept=Some(2)", "the same with their parts exchanged")
        .interesting("alice=2 bob=1 kept=Some(1)", "the same with their parts exchanged")
        .check();
}

/// Both get 0, both insert 1.
#[test]
fn a_get_and_an_insert_lose_an_update() {
    Model::new(|| ReadModifyWriteMap::of([(1, 0)]))
        .thread("alice", |map| {
            map.update(1, |n| n + 1);
        })
        .thread("bob", |map| {
            map.update(1, |n| n + 1);
        })
        .finally("total", |map| map.get(1))
        .acceptable("total=Some(2)", "the updates did not overlap")
        .interesting("total=Some(1)", "both got 0: one update is lost")
        .check();
}

/// What was removed between the get and the insert is back.
#[test]
fn a_get_and_an_insert_bring_back_what_was_removed() {
    Model::new(|| ReadModifyWriteMap::of([(1, 10)]))
        .thread("updater", |map| {
            map.update(1, |n| n + 1);
        })
        .thread("remover", |map| map.remove(1))
        .finally("left", |map| map.get(1))
        .acceptable("remover=Some(10) left=None", "removed first, or updated too late")
        .acceptable("remover=Some(11) left=None", "updated, then removed")
        .interesting("remover=Some(10) left=Some(11)", "removed, and there all the same")
        .check();
}

/// The entry can be seen, and the map says that it is empty.
#[test]
fn a_length_counted_after_unlocking_disagrees_with_the_entries() {
    Model::new(LateLenMap::new)
        .thread("writer", |map| {
            map.insert(1, ());
        })
        .thread("reader", |map| (map.contains_key(1), map.len()))
        .acceptable("reader=(false, 0)", "before the insert")
        .acceptable("reader=(false, 1)", "the insert came between the two")
        .acceptable("reader=(true, 1)", "after the insert")
        .interesting("reader=(true, 0)", "it is there, and was not counted")
        .check();
}

/// The entry is removed, and that is counted, before its insert is counted: 0 - 1.
#[test]
fn a_length_counted_after_unlocking_passes_below_zero() {
    Model::new(LateLenMap::new)
        .thread("writer", |map| {
            map.insert(1, ());
        })
        .thread("remover", |map| {
            map.remove(1);
            map.len() > 1
        })
        .acceptable("remover=false", "0 or 1 entries")
        .interesting("remover=true", "18446744073709551615 entries")
        .check();
}

/// "There is only one writer" does not help: a reader meets a table that is just being moved.
#[test]
fn one_writer_beside_readers_is_a_data_race() {
    Model::new(UnsyncMap::new)
        .thread("writer", |map| {
            map.insert(1, 10);
        })
        .thread("reader", |map| {
            map.get(1);
        })
        .thread("other", |map| {
            map.get(1);
        })
        .fails(Failure::DataRace)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_value_is_made_once_and_found_by_the_other() {
    Model::new(|| Busy::new(by_parity([])))
        .thread("alice", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .thread("bob", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .finally("kept", |cache| cache.map.get(&1))
        .acceptable("alice=1 bob=1 kept=Some(1)", "one made it, the other found it")
        .check();
}

#[test]
fn of_three_one_makes_the_value() {
    Model::new(|| Busy::new(by_parity([])))
        .thread("alice", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .thread("bob", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .thread("carol", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .acceptable("alice=1 bob=1 carol=1", "one made it, the others found it")
        .check();
}

/// One whose `init` fails leaves it to the other, who waits at most for the attempt.
#[test]
fn a_failed_attempt_leaves_it_to_the_next() {
    Model::new(|| by_parity([]))
        .thread("failing", |map| map.get_or_try_insert_with(1, || Err("no")))
        .thread("making", |map| map.get_or_try_insert_with(1, || Ok::<_, &str>(10)))
        .finally("len", Map::len)
        .acceptable("failing=Err(\"no\") making=Ok(10) len=1", "the attempt failed first")
        .acceptable("failing=Ok(10) making=Ok(10) len=1", "it was there already")
        .check();
}

#[test]
fn two_updates_of_one_key_lose_nothing() {
    Model::new(|| Busy::new(by_parity([(1, 0)])))
        .thread("alice", |numbers| {
            increment(numbers);
            increment(numbers);
        })
        .thread("bob", |numbers| {
            increment(numbers);
            increment(numbers);
        })
        .finally("total", |numbers| numbers.map.get(&1))
        .acceptable("total=Some(4)", "every update is kept")
        .check();
}

/// Three threads count a word that is not there at first.
#[test]
fn three_computations_of_a_new_key_lose_nothing() {
    let count = |numbers: &Numbers| {
        numbers.map.compute(1, |n| {
            numbers.step();
            Some(n.unwrap_or(&0) + 1)
        });
    };
    Model::new(|| Busy::new(by_parity([])))
        .thread("alice", count)
        .thread("bob", count)
        .thread("carol", count)
        .finally("total", |numbers| (numbers.map.get(&1), numbers.map.len()))
        .acceptable("total=(Some(3), 1)", "inserted once, and every word counted")
        .check();
}

#[test]
fn what_is_removed_stays_removed_while_somebody_updates() {
    Model::new(|| Busy::new(by_parity([(1, 10)])))
        .thread("updater", increment)
        .thread("remover", |numbers| numbers.map.remove(&1))
        .finally("left", |numbers| (numbers.map.get(&1), numbers.map.len()))
        .acceptable("updater=None remover=Some(10) left=(None, 0)", "removed first")
        .acceptable("updater=Some(10) remover=Some(11) left=(None, 0)", "updated first")
        .check();
}

/// What a reader is lent does not change under its eyes.
#[test]
fn a_value_stays_as_it_is_while_it_is_read() {
    Model::new(|| Busy::new(by_parity([(1, 10)])))
        .thread("updater", |numbers| {
            increment(numbers);
        })
        .thread("reader", |numbers| {
            numbers.map.with(&1, |n| {
                let before = *n;
                numbers.step();
                (before, *n)
            })
        })
        .acceptable("reader=Some((10, 10))", "read first")
        .acceptable("reader=Some((11, 11))", "updated first")
        .check();
}

/// Of two that would be the first, one is; the other gets its value back.
#[test]
fn one_of_two_that_would_be_first_inserts() {
    Model::new(|| by_parity([]))
        .thread("alice", |map| map.try_insert(1, 10).is_ok())
        .thread("bob", |map| map.try_insert(1, 20).map_err(|back| back.value))
        .finally("kept", |map| map.get(&1))
        .acceptable("alice=true bob=Err(20) kept=Some(10)", "alice was first")
        .acceptable("alice=false bob=Ok(()) kept=Some(20)", "bob was first")
        .check();
}

/// Of two that take the last ticket, one gets it.
#[test]
fn the_last_one_is_taken_once() {
    let take = |numbers: &Numbers| {
        let left = numbers.map.compute(1, |left| {
            numbers.step();
            left.filter(|left| **left > 1).map(|left| left - 1)
        });
        left.is_some()
    };
    Model::new(|| Busy::new(by_parity([(1, 1)])))
        .thread("alice", take)
        .thread("bob", take)
        .finally("left", |numbers| (numbers.map.get(&1), numbers.map.len()))
        .acceptable("alice=true bob=false left=(None, 0)", "alice has it")
        .acceptable("alice=false bob=true left=(None, 0)", "bob has it")
        .check();
}

/// Whoever has seen the entry is told a length that counts it, and the other way round.
#[test]
fn the_length_agrees_with_the_entries() {
    Model::new(|| by_parity([]))
        .thread("writer", |map| {
            map.insert(1, 10);
        })
        .thread("reader", |map| (map.contains_key(&1), map.len(), map.contains_key(&1)))
        .acceptable("reader=(false, 0, false)", "before the insert")
        .acceptable("reader=(false, 0, true)", "the insert came after the length")
        .acceptable("reader=(false, 1, true)", "the insert came before the length")
        .acceptable("reader=(true, 1, true)", "after the insert")
        .check();
}

#[test]
fn the_length_never_passes_below_zero() {
    Model::new(|| by_parity([]))
        .thread("writer", |map| {
            map.insert(1, 10);
        })
        .thread("remover", |map| (map.remove(&1), map.len()))
        .finally("len", Map::len)
        .acceptable("remover=(None, 0) len=1", "nothing was there yet")
        .acceptable("remover=(None, 1) len=1", "inserted after the remove, counted all the same")
        .acceptable("remover=(Some(10), 0) len=0", "inserted and removed")
        .check();
}

/// What the writer did before is visible with the entry: the lock orders more than the entry.
#[test]
fn what_was_done_before_an_insert_is_seen_with_the_entry() {
    Model::new(|| (by_parity([]), AtomicU64::new(0)))
        .thread("writer", |(map, before)| {
            before.store(7, Relaxed);
            map.insert(1, 10);
        })
        .thread("reader", |(map, before)| map.contains_key(&1).then(|| before.load(Relaxed)))
        .acceptable("reader=None", "before the insert")
        .acceptable("reader=Some(7)", "after it, and after what came before it")
        .check();
}
