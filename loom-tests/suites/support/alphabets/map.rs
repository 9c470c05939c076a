//! The operations of a map.

use std::hash::BuildHasher;

use selvedge::Map;
use selvedge_model::{Linearizable, linearizable};

pub(crate) use crate::support::by_parity::{ByParity, by_parity};

pub(crate) type Entries = Map<u64, u64, ByParity>;

/// The methods that name one key. `get_or_try` is one whose `init` fails.
const OF_ONE_KEY: [&str; 10] = [
    "get",
    "contains",
    "insert",
    "try_insert",
    "update",
    "remove",
    "with",
    "toggle",
    "get_or_insert",
    "get_or_try",
];

/// Each method that is one step, once. The methods of one key are divided over the two shards.
pub(crate) fn map() -> Linearizable<Entries> {
    let mut map = linearizable(|| by_parity([]));
    for (number, method) in OF_ONE_KEY.into_iter().enumerate() {
        map = of_one_key(map, method, if number < 6 { 1 } else { 2 });
    }
    of_all(map.operation("move", |map| map.update_pair(&1, &2, |from, to| (from - 1, to + 1))))
}

/// Six of them, which between them read and change all entries.
pub(crate) fn core() -> Linearizable<Entries> {
    let mut map = linearizable(|| by_parity([]));
    for (method, key) in [("get", 2), ("insert", 1), ("update", 1), ("remove", 1)] {
        map = of_one_key(map, method, key);
    }
    map.operation("move", |map| map.update_pair(&1, &2, |from, to| (from - 1, to + 1)))
        .operation("snapshot", entries)
        .finally("left", entries)
}

/// Each method with each key.
pub(crate) fn map_with_each_key() -> Linearizable<Entries> {
    let mut map = linearizable(|| by_parity([]));
    for key in [1, 2] {
        for method in OF_ONE_KEY {
            map = of_one_key(map, method, key);
        }
    }
    map = map.operation("move", |map| map.update_pair(&1, &2, |from, to| (from - 1, to + 1)));
    of_all(map.operation("move back", |map| map.update_pair(&2, &1, |from, to| (from - 1, to + 1))))
}

fn of_one_key(map: Linearizable<Entries>, method: &str, key: u64) -> Linearizable<Entries> {
    let (name, ten) = (format!("{method} {key}"), key * 10);
    match method {
        "get" => map.operation(&name, move |map| map.get(&key)),
        "contains" => map.operation(&name, move |map| map.contains_key(&key)),
        "insert" => map.operation(&name, move |map| map.insert(key, ten)),
        "try_insert" => map.operation(&name, move |map| map.try_insert(key, ten + 1).is_ok()),
        "update" => map.operation(&name, move |map| map.update(&key, |value| value + 1)),
        "remove" => map.operation(&name, move |map| map.remove(&key)),
        "with" => map.operation(&name, move |map| map.with(&key, |value| value % 2)),
        "toggle" => map.operation(&name, move |map| {
            map.compute(key, |value| value.is_none().then_some(ten + 2))
        }),
        "get_or_insert" => map.operation(&name, move |map| map.get_or_insert_with(key, || ten + 3)),
        "get_or_try" => {
            map.operation(&name, move |map| map.get_or_try_insert_with(key, || Err("fails")))
        }
        other => unreachable!("{other} names no key"),
    }
}

/// Adds the methods of all entries, and observes the entries at the end.
fn of_all(map: Linearizable<Entries>) -> Linearizable<Entries> {
    map.operation("snapshot", entries)
        .operation("keys", |map| sorted(map.keys()))
        .operation("values", |map| sorted(map.values()))
        .operation("clear", Entries::clear)
        .finally("left", entries)
}

/// All entries at one moment, in order.
pub(crate) fn entries(map: &Entries) -> Vec<(u64, u64)> {
    sorted(map.snapshot())
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all
}

/// A start: one entry.
pub(crate) fn one_entry(map: &Entries) {
    map.insert(1, 5);
}

/// A start: an entry in each shard.
pub(crate) fn both(map: &Entries) {
    one_entry(map);
    map.insert(2, 6);
}

/// For how many entries the first one makes room in a shard.
pub(crate) const ROOM: usize = 14;

/// A start: the shard of key 1 is full, and grows if the key is inserted.
pub(crate) fn full<S: BuildHasher>(map: &Map<u64, u64, S>) {
    for key in (3..).step_by(2).take(ROOM).chain([2]) {
        map.insert(key, key + 4);
    }
}
