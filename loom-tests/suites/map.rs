//! # `Map`: a call on one key is atomic
//!
//! Proved of [`Map`]: `update`, `compute`, `try_insert`, `get_or_insert_with`, `remove` and `with` are one step
//! each; `get_or_insert_with` initialises once; the length agrees with the entries; an insert publishes what its
//! thread wrote before; readers of one key overlap; a call from inside a closure of the same map is refused.
//!
//! **Racy variants.** [`CheckThenInsertMap`]: check-then-act, initialised twice. [`ReadModifyWriteMap`]: lost
//! update between `get` and `insert`. [`LateLenMap`]: the length is counted after unlocking, and underflows.
//! [`UnsyncMap`]: data race.
//!
//! **Why it holds.** Each call locks the key's shard once, and decides and changes while it holds the lock.
//! `get_or_insert_with` locks twice, first for reading, and so looks a second time. The length is changed while the
//! lock is held for writing.
//!
//! **Scope.** Explored completely, for two or three threads with one or two calls each, on two shards. Keys are
//! small numbers, and their parity chooses the shard. Growth, collisions and panics are tested in `tests/map.rs`.

use selvedge::{Map, MapError};
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::{Failure, Model};
use specimens::racy::{CheckThenInsertMap, LateLenMap, ReadModifyWriteMap, UnsyncMap};

use crate::support::by_parity::{Busy, ByParity, by_parity};

type Numbers = Busy<Map<u64, u64, ByParity>>;

/// Adds 1 to the value of key 1, with a scheduling point in the closure.
fn increment(numbers: &Numbers) -> Option<u64> {
    numbers.map.update(&1, |n| {
        numbers.step();
        n + 1
    })
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// Both find nothing and both initialise.
#[test]
fn check_then_insert_initialises_twice() {
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
fn get_then_insert_loses_an_update() {
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

/// The entry is removed between the `get` and the `insert`.
#[test]
fn get_then_insert_restores_a_removed_entry() {
    Model::new(|| ReadModifyWriteMap::of([(1, 10)]))
        .thread("updater", |map| {
            map.update(1, |n| n + 1);
        })
        .thread("remover", |map| map.remove(1))
        .finally("left", |map| map.get(1))
        .acceptable("remover=Some(10) left=None", "removed first, or updated too late")
        .acceptable("remover=Some(11) left=None", "updated, then removed")
        .interesting("remover=Some(10) left=Some(11)", "removed, and inserted again")
        .check();
}

/// The entry is visible before the length counts it.
#[test]
fn length_counted_after_unlocking_disagrees_with_the_entries() {
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

/// The removal is counted before the insert: 0 - 1.
#[test]
fn length_counted_after_unlocking_underflows() {
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

/// One writer is enough for a data race: the insert may move the table.
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
// Sound.
// ---------------------------------------------------------------------------------------------

#[test]
fn get_or_insert_with_initialises_once() {
    Model::new(|| Busy::new(by_parity([])))
        .thread("alice", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .thread("bob", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .finally("kept", |cache| cache.map.get(&1))
        .acceptable("alice=1 bob=1 kept=Some(1)", "one made it, the other found it")
        .check();
}

#[test]
fn get_or_insert_with_of_three_threads_initialises_once() {
    Model::new(|| Busy::new(by_parity([])))
        .thread("alice", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .thread("bob", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .thread("carol", |cache| cache.map.get_or_insert_with(1, || cache.step()))
        .acceptable("alice=1 bob=1 carol=1", "one made it, the others found it")
        .check();
}

/// A thread whose `init` fails leaves the key absent, and the other thread initialises it.
#[test]
fn failed_initialisation_is_retried_by_the_next_caller() {
    Model::new(|| by_parity([]))
        .thread("failing", |map| map.get_or_try_insert_with(1, || Err("no")))
        .thread("making", |map| map.get_or_try_insert_with(1, || Ok::<_, &str>(10)))
        .finally("len", Map::len)
        .acceptable("failing=Err(\"no\") making=Ok(10) len=1", "the attempt failed first")
        .acceptable("failing=Ok(10) making=Ok(10) len=1", "it was there already")
        .check();
}

#[test]
fn update_keeps_every_change() {
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

/// Three threads count a word that is absent at first.
#[test]
fn compute_of_a_new_key_keeps_every_change() {
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
fn update_does_not_restore_a_removed_entry() {
    Model::new(|| Busy::new(by_parity([(1, 10)])))
        .thread("updater", increment)
        .thread("remover", |numbers| numbers.map.remove(&1))
        .finally("left", |numbers| (numbers.map.get(&1), numbers.map.len()))
        .acceptable("updater=None remover=Some(10) left=(None, 0)", "removed first")
        .acceptable("updater=Some(10) remover=Some(11) left=(None, 0)", "updated first")
        .check();
}

/// The value cannot change while the closure of `with` reads it.
#[test]
fn value_does_not_change_during_with() {
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

/// One of two threads inserts; the other one gets its value back in the error.
#[test]
fn try_insert_inserts_once() {
    Model::new(|| by_parity([]))
        .thread("alice", |map| map.try_insert(1, 10).is_ok())
        .thread("bob", |map| map.try_insert(1, 20).map_err(|back| back.value))
        .finally("kept", |map| map.get(&1))
        .acceptable("alice=true bob=Err(20) kept=Some(10)", "alice was first")
        .acceptable("alice=false bob=Ok(()) kept=Some(20)", "bob was first")
        .check();
}

/// Two threads take the last ticket.
#[test]
fn compute_hands_out_the_last_one_once() {
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

/// A thread that sees the entry reads a length that counts it.
#[test]
fn length_agrees_with_the_entries() {
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
fn length_does_not_underflow() {
    Model::new(|| by_parity([]))
        .thread("writer", |map| {
            map.insert(1, 10);
        })
        .thread("remover", |map| (map.remove(&1), map.len()))
        .finally("len", Map::len)
        .acceptable("remover=(None, 0) len=1", "nothing was there yet")
        .acceptable("remover=(None, 1) len=1", "inserted after the remove, and counted")
        .acceptable("remover=(Some(10), 0) len=0", "inserted and removed")
        .check();
}

/// A relaxed store before the insert is visible to a thread that sees the entry.
#[test]
fn insert_publishes_earlier_writes() {
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

/// A call from inside a closure of the same map is an error, not a deadlock.
#[test]
fn reentrant_call_is_refused() {
    Model::new(|| Busy::new(by_parity([(1, 0), (2, 0)])))
        .thread("alice", |numbers: &Numbers| {
            let mut refused = None;
            numbers.map.update(&1, |n| {
                numbers.step();
                refused = numbers.map.update_pair(&1, &2, |a, b| (*b, *a)).err();
                n + 1
            });
            refused == Some(MapError::Reentrant)
        })
        .thread("bob", |numbers| {
            numbers.map.update(&1, |n| n + 1);
        })
        .finally("total", |numbers| numbers.map.get(&1))
        .acceptable("alice=true total=Some(2)", "refused, and both updates are there")
        .check();
}

/// A call that leaves no mark itself, because its key and its value are numbers, looks for that of others.
#[test]
fn reentrant_get_panics_and_does_not_deadlock() {
    Model::new(|| Busy::new(by_parity([(1, 0)])))
        .thread("alice", |numbers: &Numbers| {
            numbers.map.update(&1, |n| {
                numbers.step();
                n + numbers.map.get(&1).unwrap_or(1)
            });
        })
        .thread("bob", |numbers| numbers.map.get(&1))
        .fails(Failure::Panic)
        .check();
}

/// The last four rows are reached while both readers hold the lock.
#[test]
fn readers_of_one_key_overlap() {
    let meet = |numbers: &Numbers| {
        numbers.map.with(&1, |_| {
            let first = numbers.step();
            let second = numbers.step();
            (first, second)
        })
    };
    Model::new(|| Busy::new(by_parity([(1, 1), (2, 1)])))
        .thread("reader", meet)
        .thread("other", meet)
        .acceptable("reader=Some((1, 2)) other=Some((3, 4))", "one after the other")
        .acceptable("reader=Some((3, 4)) other=Some((1, 2))", "one after the other")
        .acceptable("reader=Some((1, 3)) other=Some((2, 4))", "both were in at the same time")
        .acceptable("reader=Some((2, 4)) other=Some((1, 3))", "both were in at the same time")
        .acceptable("reader=Some((1, 4)) other=Some((2, 3))", "both were in at the same time")
        .acceptable("reader=Some((2, 3)) other=Some((1, 4))", "both were in at the same time")
        .check();
}
