//! `Map` against a sequential one, and on real threads.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use proptest::prelude::*;
use selvedge::map::{Equivalent, MAX_SHARDS};
use selvedge::{Map, MapError};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::map_helpers::{Constant, ON_PURPOSE, hush};

assert_impl_all!(Map<String, Vec<u8>>: Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(Map<String, u8>: Extend<(String, u8)>, FromIterator<(String, u8)>);
// Values are shared by readers and sent by those who remove them.
assert_impl_all!(Map<u8, std::cell::Cell<u8>>: Send);
assert_not_impl_any!(Map<u8, std::cell::Cell<u8>>: Sync);
assert_not_impl_any!(Map<u8, std::rc::Rc<u8>>: Send, Sync);
assert_not_impl_any!(Map<std::rc::Rc<u8>, u8>: Send, Sync);
assert_not_impl_any!(Map<u8, std::sync::MutexGuard<'static, u8>>: Send, Sync);
assert_impl_all!(MapError: Send, Sync, std::error::Error);

fn with_shards<K, V>(shards: usize) -> Map<K, V> {
    Map::with_shards(shards).expect("the number is in range")
}

/// What a single thread can do with a map.
#[derive(Debug, Clone)]
enum Operation {
    Get(u8),
    With(u8),
    Contains(u8),
    Insert(u8, u64),
    TryInsert(u8, u64),
    Update(u8, u64),
    /// Leaves a value that is less than this, if there is one; removes any other; inserts this.
    Compute(u8, u64),
    Remove(u8),
    GetOrInsert(u8, u64),
    GetOrFail(u8),
    UpdatePair(u8, u8),
    Retain(u64),
    Clear,
    Extend(Vec<(u8, u64)>),
}

fn operation() -> impl Strategy<Value = Operation> {
    // Few keys, so that they meet again; enough for tables to grow.
    let key = 0..40_u8;
    let entry = (key.clone(), any::<u64>());
    prop_oneof![
        3 => entry.clone().prop_map(|(key, value)| Operation::Insert(key, value)),
        2 => entry.clone().prop_map(|(key, value)| Operation::GetOrInsert(key, value)),
        1 => entry.clone().prop_map(|(key, value)| Operation::TryInsert(key, value)),
        1 => entry.clone().prop_map(|(key, value)| Operation::Update(key, value)),
        2 => entry.clone().prop_map(|(key, value)| Operation::Compute(key, value)),
        2 => key.clone().prop_map(Operation::Remove),
        1 => key.clone().prop_map(Operation::Get),
        1 => key.clone().prop_map(Operation::With),
        1 => key.clone().prop_map(Operation::Contains),
        1 => key.clone().prop_map(Operation::GetOrFail),
        2 => (key.clone(), key).prop_map(|(first, second)| Operation::UpdatePair(first, second)),
        1 => any::<u64>().prop_map(Operation::Retain),
        1 => Just(Operation::Clear),
        1 => prop::collection::vec(entry, 0..40).prop_map(Operation::Extend),
    ]
}

/// Does `operation` with both, and compares what they return.
fn step<S: BuildHasher>(
    map: &mut Map<u8, u64, S>,
    expected: &mut HashMap<u8, u64>,
    operation: Operation,
) -> Result<(), TestCaseError> {
    match operation {
        Operation::Get(key) => prop_assert_eq!(map.get(&key), expected.get(&key).copied()),
        Operation::With(key) => {
            let text = map.with(&key, u64::to_string);
            prop_assert_eq!(text, expected.get(&key).map(u64::to_string));
        }
        Operation::Contains(key) => {
            prop_assert_eq!(map.contains_key(&key), expected.contains_key(&key));
        }
        Operation::Insert(key, value) => {
            prop_assert_eq!(map.insert(key, value), expected.insert(key, value));
        }
        Operation::TryInsert(key, value) => match map.try_insert(key, value) {
            Ok(()) => prop_assert_eq!(expected.insert(key, value), None),
            Err(back) => {
                prop_assert_eq!((back.key, back.value, back.why), (key, value, MapError::Occupied));
                prop_assert!(expected.contains_key(&key));
            }
        },
        Operation::Update(key, n) => {
            let old = expected.get(&key).copied();
            expected.entry(key).and_modify(|value| *value = value.wrapping_mul(3) ^ n);
            prop_assert_eq!(map.update(&key, |value| value.wrapping_mul(3) ^ n), old);
        }
        Operation::Compute(key, n) => {
            let decide = |value: Option<&u64>| match value {
                None => Some(n),
                Some(value) if *value < n => Some(*value),
                Some(_) => None,
            };
            let old = expected.remove(&key);
            expected.extend(decide(old.as_ref()).map(|value| (key, value)));
            prop_assert_eq!(map.compute(key, decide), old);
        }
        Operation::Remove(key) => prop_assert_eq!(map.remove(&key), expected.remove(&key)),
        Operation::GetOrInsert(key, value) => {
            let found = *expected.entry(key).or_insert(value);
            prop_assert_eq!(map.get_or_insert_with(key, || value), found);
        }
        Operation::GetOrFail(key) => {
            let found = map.get_or_try_insert_with(key, || Err("no"));
            prop_assert_eq!(found, expected.get(&key).copied().ok_or("no"));
        }
        Operation::UpdatePair(first, second) => {
            let change = |a: &u64, b: &u64| (a ^ b, a.wrapping_add(*b));
            let result = map.update_pair(&first, &second, change);
            if first == second {
                prop_assert_eq!(result, Err(MapError::SameKey));
            } else {
                let old = expected.get(&first).copied().zip(expected.get(&second).copied());
                prop_assert_eq!(result, Ok(old));
                if let Some((a, b)) = old {
                    let (a, b) = change(&a, &b);
                    expected.extend([(first, a), (second, b)]);
                }
            }
        }
        Operation::Retain(most) => {
            map.retain(|key, value| *value <= most || key % 2 == 0);
            expected.retain(|key, value| *value <= most || key % 2 == 0);
        }
        Operation::Clear => {
            map.clear();
            expected.clear();
        }
        Operation::Extend(entries) => {
            map.extend(entries.clone());
            expected.extend(entries);
        }
    }
    Ok(())
}

/// All that can be read of the whole map.
fn same<S: BuildHasher>(
    map: &Map<u8, u64, S>,
    expected: &HashMap<u8, u64>,
) -> Result<(), TestCaseError> {
    let sorted = |mut list: Vec<(u8, u64)>| {
        list.sort_unstable();
        list
    };
    let entries = sorted(expected.iter().map(|(key, value)| (*key, *value)).collect());
    prop_assert_eq!(sorted(map.snapshot()), entries.clone());
    let mut visited = Vec::new();
    map.for_each(|key, value| visited.push((*key, *value)));
    prop_assert_eq!(sorted(visited), entries.clone());
    prop_assert_eq!(sorted(map.keys().into_iter().zip(map.values()).collect()), entries);
    prop_assert_eq!(map.len(), expected.len());
    prop_assert_eq!(map.is_empty(), expected.is_empty());
    Ok(())
}

fn behaves<S: BuildHasher>(
    mut map: Map<u8, u64, S>,
    operations: Vec<Operation>,
) -> Result<(), TestCaseError> {
    let mut expected = HashMap::new();
    for operation in operations {
        step(&mut map, &mut expected, operation)?;
        prop_assert_eq!(map.len(), expected.len());
    }
    same(&map, &expected)
}

proptest! {
    #[test]
    fn behaves_like_a_sequential_map(
        shards in 1..20_usize,
        operations in prop::collection::vec(operation(), 0..80),
    ) {
        behaves(with_shards(shards), operations)?;
    }

    #[test]
    fn behaves_like_a_sequential_map_when_all_hashes_collide(
        shards in 1..20_usize,
        operations in prop::collection::vec(operation(), 0..80),
        hash in any::<u64>(),
    ) {
        let map = Map::with_shards_and_hasher(shards, Constant(hash)).expect("it is in range");
        behaves(map, operations)?;
    }

    #[test]
    fn collects_like_a_sequential_map(entries in prop::collection::vec((0..40_u8, any::<u64>()), 0..80)) {
        let map: Map<u8, u64> = entries.iter().copied().collect();
        let expected: HashMap<u8, u64> = entries.into_iter().collect();
        same(&map, &expected)?;
        let all: Vec<(u8, u64)> = map.into_iter().collect();
        prop_assert_eq!(all.len(), expected.len());
        prop_assert_eq!(all.into_iter().collect::<HashMap<_, _>>(), expected);
    }
}

#[test]
fn a_number_of_shards_out_of_range_is_refused_by_name() {
    for requested in [0, MAX_SHARDS + 1, usize::MAX] {
        let error = Map::<u8, u8>::with_shards(requested).unwrap_err();
        assert_eq!(error, MapError::Shards { requested });
        let text = error.to_string();
        assert!(text.contains(&requested.to_string()) && text.contains("1 to 65536"), "{text}");
    }
    for (requested, made) in [(1, 1), (3, 4), (64, 64), (MAX_SHARDS, MAX_SHARDS)] {
        let map = with_shards(requested);
        assert_eq!(map.shards(), made, "a power of two, and no fewer than {requested}");
        map.insert("a", 1);
        assert_eq!((map.get("a"), map.len()), (Some(1), 1), "with {made} shards");
    }
}

#[test]
fn every_way_to_make_a_map_makes_an_empty_one() {
    let maps: [Map<u8, u8>; 6] = [
        Map::new(),
        Map::default(),
        Map::with_capacity(1_000),
        Map::with_hasher(RandomState::new()),
        Map::with_capacity_and_hasher(10, RandomState::new()),
        Map::from([]),
    ];
    for map in maps {
        assert!(map.is_empty() && map.shards().is_power_of_two());
        assert_eq!(map.remove(&1), None);
    }
}

#[test]
fn a_capacity_beyond_all_memory_is_a_panic_and_not_a_smaller_map() {
    let made = catch_unwind(|| Map::<u64, u64>::with_capacity(usize::MAX));
    assert!(made.is_err());
}

#[test]
fn a_pair_of_one_key_with_itself_is_refused() {
    let map = Map::from([("a".to_owned(), 1)]);
    for key in ["a", "nowhere"] {
        let result = map.update_pair(key, key, |_, _| unreachable!("it is no pair"));
        assert_eq!(result, Err(MapError::SameKey), "{key}");
    }
    assert_eq!(map.update_pair("a", "nowhere", |_, _| unreachable!("one is missing")), Ok(None));
    assert_eq!(map.update_pair("nowhere", "a", |_, _| unreachable!("one is missing")), Ok(None));
}

/// A key in two parts, looked up without putting the parts together.
#[derive(Hash, PartialEq, Eq)]
struct Parts<'a>(&'a str, u8);

impl Equivalent<(String, u8)> for Parts<'_> {
    fn equivalent(&self, (name, number): &(String, u8)) -> bool {
        self.0 == name && self.1 == *number
    }
}

#[test]
fn keys_are_looked_up_in_borrowed_and_in_equivalent_form() {
    let names = Map::from([("warp".to_owned(), 1), ("weft".to_owned(), 2)]);
    assert_eq!((names.get("warp"), names.remove("weft"), names.len()), (Some(1), Some(2), 1));

    let map = Map::from([(("a".to_owned(), 1), 10), (("b".to_owned(), 2), 20)]);
    assert_eq!(map.get(&Parts("a", 1)), Some(10));
    assert!(!map.contains_key(&Parts("a", 2)));
    assert_eq!(
        map.update_pair(&Parts("a", 1), &Parts("b", 2), |a, b| (*b, *a)),
        Ok(Some((10, 20)))
    );
    assert_eq!(map.remove(&Parts("b", 2)), Some(10));
}

#[test]
fn debug_shows_the_entries() {
    assert_eq!(format!("{:?}", Map::from([("a", 1)])), r#"{"a": 1}"#);
    let map = Map::from([("a", 1)]);
    let inside = map.with("a", |_| format!("{map:?}"));
    assert_eq!(inside.as_deref(), Some("Map { len: 1, .. }"));
}

/// Threads, more than shards, that count in all the ways there are, some of them panicking.
fn counts_right<S: BuildHasher + Sync>(map: &Map<u64, u64, S>) {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 2_000;
    const KEYS: u64 = 5;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    let key = round % KEYS;
                    map.get_or_insert_with(key, || 0);
                    map.update(&key, |n| n + 1).expect("nobody removes it");
                    map.compute(key, |n| n.map(|n| n + 1));
                    let other = (key + 1) % KEYS;
                    map.get_or_insert_with(other, || 0);
                    let moved = map.update_pair(&key, &other, |a, b| (a + 1, b + 1));
                    moved.expect("two keys").expect("both are there");
                    if round % 64 == 0 {
                        let caught = catch_unwind(AssertUnwindSafe(|| {
                            map.update(&key, |_| panic!("{ON_PURPOSE}"));
                        }));
                        assert!(caught.is_err());
                        assert!(map.len() <= 5, "never more than there are keys");
                    }
                }
            });
        }
    });
    assert_eq!(map.values().iter().sum::<u64>(), THREADS * ROUNDS * 4, "every change is counted");
    assert_eq!(map.len(), 5);
}

#[test]
fn threads_lose_nothing() {
    hush();
    for shards in [1, 2, 64] {
        counts_right(&with_shards(shards));
    }
}

#[test]
fn threads_lose_nothing_when_all_hashes_collide() {
    hush();
    counts_right(&Map::with_shards_and_hasher(4, Constant(7)).expect("4 are accepted"));
}

/// Tables that grow and shrink under everybody's feet: each thread has keys of its own, and finds
/// what it put there.
#[test]
fn each_thread_finds_its_own_entries() {
    let map = with_shards(2);
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let map = &map;
            scope.spawn(move || {
                let mine = |n| thread << 32 | n;
                for n in 0..5_000 {
                    assert_eq!(map.insert(mine(n), n), None);
                    assert_eq!(map.get(&mine(n / 2)), (n / 2 >= n / 3).then_some(n / 2));
                    if n % 3 == 2 {
                        assert_eq!(map.remove(&mine(n / 3)), Some(n / 3));
                    }
                }
            });
        }
    });
    let kept = (0..5_000).filter(|n| *n >= 4_998 / 3).count();
    assert_eq!(map.len(), 4 * kept);
    map.retain(|_, value| value % 2 == 0);
    assert_eq!(map.len(), map.snapshot().len());
}

/// A key that is there is found under the lock that readers share: no cached value waits for a
/// reader of another.
#[test]
#[cfg(not(loom))]
fn get_or_insert_with_finds_what_is_there_beside_a_reader() {
    let map = Map::from([(1, 10)]);
    thread::scope(|scope| {
        let (found, finds) = std::sync::mpsc::channel();
        let map = &map;
        let met = map.with(&1, |_| {
            scope.spawn(move || {
                found.send(map.get_or_insert_with(1, || unreachable!("it is there")))
            });
            finds.recv_timeout(std::time::Duration::from_secs(10))
        });
        assert_eq!(met, Some(Ok(10)), "it waits for a reader to end");
    });
}
