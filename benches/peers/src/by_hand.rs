//! Maps of a few lines, for look-ups alone: what a look-up consists of.

use std::hash::BuildHasher;
use std::sync::RwLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use hashbrown::HashTable;

use crate::map::{Hasher, hasher, looking_up};
use crate::rounds::Side;

/// Their names. The lock of the last is as little as a lock for readers can be: a count of them.
pub(crate) const NAMES: [&str; 4] =
    ["a lock", "a lock by the hash", "32 locks by the hash", "32 counts of readers"];

/// Looking up keys of `entries`, all of which are there, in the map of that name.
pub(crate) fn lookups(name: &str, entries: u64) -> Option<Side<'static>> {
    let number = NAMES.iter().position(|known| *known == name)?;
    let name = NAMES[number];
    Some(match number {
        0 => {
            let map = ByHash::new(1, entries, RwLock::new);
            looking_up(name, entries, move |key| {
                let hash = map.hasher.hash_one(key);
                has(&map.parts[0].0.read().expect("no thread panics"), hash, key)
            })
        }
        1 | 2 => {
            let map = ByHash::new(if number == 1 { 1 } else { 32 }, entries, RwLock::new);
            looking_up(name, entries, move |key| {
                let hash = map.hasher.hash_one(key);
                has(&map.part(hash).read().expect("no thread panics"), hash, key)
            })
        }
        _ => {
            let map = ByHash::new(32, entries, |table| (AtomicU32::new(0), table));
            looking_up(name, entries, move |key| {
                let hash = map.hasher.hash_one(key);
                let (readers, table) = map.part(hash);
                let before = readers.load(Relaxed);
                let counted = readers.compare_exchange(before, before + 1, Acquire, Relaxed);
                assert!(counted.is_ok(), "there is one thread");
                let found = has(table, hash, key);
                readers.fetch_sub(1, Release);
                found
            })
        }
    })
}

type Table = HashTable<(u64, u64)>;

fn has(table: &Table, hash: u64, key: u64) -> bool {
    table.find(hash, |(known, _)| *known == key).is_some_and(|(_, value)| *value == 0)
}

/// With cache lines of its own.
#[repr(align(128))]
struct Padded<T>(T);

/// Tables, each in a part of its own, which the hash chooses.
struct ByHash<T> {
    hasher: Hasher,
    parts: Box<[Padded<T>]>,
}

impl<T> ByHash<T> {
    fn new(parts: usize, entries: u64, part: impl Fn(Table) -> T) -> Self {
        let hasher = hasher();
        let mut tables = vec![Table::new(); parts];
        for key in 0..entries {
            let hash = hasher.hash_one(key);
            let rehash = |(key, _): &(u64, u64)| hasher.hash_one(key);
            tables[index(hash, parts)].insert_unique(hash, (key, 0), rehash);
        }
        Self { hasher, parts: tables.into_iter().map(|table| Padded(part(table))).collect() }
    }

    #[inline]
    fn part(&self, hash: u64) -> &T {
        &self.parts[index(hash, self.parts.len())].0
    }
}

/// By bits that the table itself does not use, as `Map` does.
#[inline]
fn index(hash: u64, parts: usize) -> usize {
    usize::try_from(hash >> 41 & 0xffff).expect("it has 16 bits") & (parts - 1)
}
