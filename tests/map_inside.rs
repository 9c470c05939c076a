//! What runs inside a call on a `Map` and calls the same map is refused, at once, everywhere.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use selvedge::map::Equivalent;
use selvedge::{Map, MapError};

use crate::map_helpers::{REFUSED, caught, in_good_time, text_of};

type Numbers = Map<u64, u64>;
type Call = (&'static str, fn(&Numbers));

/// Every method that locks and panics when it is refused.
const CALLS: [Call; 17] = [
    ("with", |map| {
        map.with(&1, |_| ());
    }),
    ("get", |map| {
        map.get(&1);
    }),
    ("contains_key", |map| {
        map.contains_key(&1);
    }),
    ("insert", |map| {
        map.insert(1, 1);
    }),
    ("update", |map| {
        map.update(&1, |n| *n);
    }),
    ("compute", |map| {
        map.compute(1, |_| Some(10));
    }),
    ("remove", |map| {
        map.remove(&1);
    }),
    ("get_or_insert_with", |map| {
        map.get_or_insert_with(1, || 1);
    }),
    ("get_or_try_insert_with", |map| {
        let _ = map.get_or_try_insert_with(1, || Err(()));
    }),
    ("snapshot", |map| {
        map.snapshot();
    }),
    ("keys", |map| {
        map.keys();
    }),
    ("values", |map| {
        map.values();
    }),
    ("for_each", |map| map.for_each(|_, _| ())),
    ("retain", |map| map.retain(|_, _| true)),
    ("clear", Map::clear),
    // These two return a `MapError`; as a panic with its text they fit in here.
    ("try_insert", |map| map.try_insert(7, 7).unwrap_or_else(|back| panic!("{back}"))),
    ("update_pair", |map| {
        map.update_pair(&1, &2, |a, b| (*a, *b)).map_or_else(|error| panic!("{error}"), drop);
    }),
];

/// Every method that calls a closure, with `f` for that closure.
type Around = (&'static str, fn(&Numbers, &dyn Fn()));

const AROUND: [Around; 10] = [
    ("with", |map, f| {
        map.with(&1, |_| f());
    }),
    ("update", |map, f| {
        map.update(&1, |n| {
            f();
            *n
        });
    }),
    ("compute, an entry", |map, f| {
        map.compute(1, |n| {
            f();
            n.copied()
        });
    }),
    ("compute, no entry", |map, f| {
        map.compute(3, |_| {
            f();
            None
        });
    }),
    ("get_or_insert_with", |map, f| {
        map.get_or_insert_with(4, || {
            f();
            4
        });
    }),
    ("get_or_try_insert_with", |map, f| {
        let result = map.get_or_try_insert_with(5, || {
            f();
            Err(())
        });
        assert_eq!(result, Err(()));
    }),
    ("update_pair", |map, f| {
        let result = map.update_pair(&1, &2, |a, b| {
            f();
            (*a, *b)
        });
        assert_eq!(result, Ok(Some((10, 20))));
    }),
    ("for_each", |map, f| map.for_each(|_, _| f())),
    ("retain", |map, f| {
        map.retain(|_, _| {
            f();
            true
        });
    }),
    ("a map around it", |map, f| {
        let around = Map::from([(1, ())]);
        map.with(&1, |_| around.with(&1, |()| f()));
    }),
];

#[test]
fn every_method_is_refused_in_every_closure() {
    for shards in [1, 64] {
        in_good_time(move || {
            let mut map = Map::with_shards(shards).expect("it is in range");
            map.extend([(1, 10), (2, 20)]);
            for (outer, around) in AROUND {
                for (inner, call) in CALLS {
                    let refused = RefCell::new(0);
                    around(&map, &|| {
                        assert!(map.is_inside());
                        let panic = caught(|| call(&map)).expect_err("it is refused");
                        assert!(text_of(&*panic).contains(REFUSED), "{inner} inside {outer}");
                        *refused.borrow_mut() += 1;
                        assert!(map.len() >= 2 && !map.is_empty(), "these never lock");
                    });
                    assert!(refused.into_inner() > 0, "{outer} calls its closure");
                    assert!(!map.is_inside(), "and is left afterwards");
                    map.remove(&4);
                    call(&Map::from([(1, 1), (2, 2)]));
                }
                assert_eq!(map.len(), 2, "nothing was changed by {outer}");
            }
        });
    }
}

#[test]
fn methods_that_can_fail_say_reentrant() {
    in_good_time(|| {
        let map = Map::from([("a", 1), ("b", 2)]);
        map.with("a", |_| {
            assert_eq!(map.update_pair("a", "b", |a, b| (*a, *b)), Err(MapError::Reentrant));
            let back = map.try_insert("c", 3).expect_err("it is refused");
            assert_eq!((back.key, back.value, back.why), ("c", 3, MapError::Reentrant));
        });
    });
}

/// Goes into `maps`, one inside the other, and calls all of them from the innermost closure.
fn descend(maps: &[Numbers], all: &[Numbers]) {
    let Some((first, rest)) = maps.split_first() else {
        for map in all {
            assert!(map.is_inside() && caught(|| map.get(&1)).is_err());
        }
        return;
    };
    assert!(!first.is_inside());
    first.update(&1, |n| {
        descend(rest, all);
        // Those further in are left again.
        assert!(rest.iter().all(|map| map.get(&1).is_some()));
        assert!(first.is_inside() && caught(|| first.get(&1)).is_err(), "and this one is not");
        n + 1
    });
}

#[test]
fn other_maps_may_be_called_to_any_depth() {
    in_good_time(|| {
        let maps: Vec<Numbers> = (0..5).map(|n| Map::from([(1, n)])).collect();
        descend(&maps, &maps);
        assert!(maps.iter().zip(1..).all(|(map, n)| map.get(&1) == Some(n) && !map.is_inside()));
    });
}

thread_local! {
    /// What [`Nosy`] asks while it is compared, cloned or hashed with, and the answers.
    static ASK: RefCell<Option<Rc<dyn Fn() -> bool>>> = const { RefCell::new(None) };
    static ANSWERS: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
}

fn ask() {
    let asked = ASK.with_borrow(Clone::clone).map(|ask| ask());
    ANSWERS.with_borrow_mut(|answers| answers.extend(asked));
}

/// A number that calls the map when it is compared or cloned, or builds a hasher.
struct Nosy(u64);

impl Hash for Nosy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq for Nosy {
    fn eq(&self, other: &Self) -> bool {
        ask();
        self.0 == other.0
    }
}

impl Eq for Nosy {}

impl Clone for Nosy {
    fn clone(&self) -> Self {
        ask();
        Self(self.0)
    }
}

impl Borrow<u64> for Nosy {
    fn borrow(&self) -> &u64 {
        ask();
        &self.0
    }
}

impl Equivalent<u64> for Nosy {
    fn equivalent(&self, key: &u64) -> bool {
        ask();
        self.0 == *key
    }
}

impl BuildHasher for Nosy {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        ask();
        DefaultHasher::new()
    }
}

/// Whether the map refused those who asked while `call` ran, in their order.
fn refused<K: 'static, V: 'static, S: 'static>(
    map: &Rc<Map<K, V, S>>,
    call: impl FnOnce(&Map<K, V, S>),
) -> Vec<bool> {
    let asked = Rc::clone(map);
    ASK.set(Some(Rc::new(move || caught(|| asked.for_each(|_, _| ())).is_err())));
    ANSWERS.take();
    call(map);
    ASK.set(None);
    ANSWERS.take()
}

/// The mark is left out only where all that may run is the standard library's: one other type is enough.
#[test]
fn a_key_or_a_value_or_what_is_looked_up_by_is_refused_on_its_own() {
    in_good_time(|| {
        let nosy_values = Rc::new(Map::from([(1_u64, Nosy(1))]));
        assert_eq!(refused(&nosy_values, |map| assert!(map.get(&1).is_some())), [true]);
        let again = |map: &Map<u64, Nosy>| {
            map.get_or_insert_with(1, || unreachable!());
        };
        assert_eq!(refused(&nosy_values, again), [true]);

        let by_nosy = Rc::new(Map::from([(1_u64, 1)]));
        assert_eq!(refused(&by_nosy, |map| assert!(map.get(&Nosy(1)).is_some())), [true]);
        assert_eq!(refused(&by_nosy, |map| assert!(map.contains_key(&Nosy(1)))), [true]);
        assert_eq!(refused(&by_nosy, |map| assert!(map.remove(&Nosy(1)).is_some())), [true]);

        let nosy_keys = Rc::new(Map::from([(Nosy(1), 1)]));
        assert_eq!(refused(&nosy_keys, |map| assert!(map.get(&1_u64).is_some())), [true]);
        assert_eq!(refused(&nosy_keys, |map| assert!(map.contains_key(&1_u64))), [true]);
        assert_eq!(refused(&nosy_keys, |map| assert!(map.insert(Nosy(1), 2).is_some())), [true]);
        assert_eq!(refused(&nosy_keys, |map| assert!(map.remove(&1_u64).is_some())), [true]);
    });
}

#[test]
fn a_hasher_is_refused_while_a_shard_grows() {
    in_good_time(|| {
        let map = Map::with_shards_and_hasher(1, Nosy(0)).expect("one shard is accepted");
        let map = Rc::new(map);
        let answers = refused(&map, |map| {
            for key in 0..100_u64 {
                map.insert(key, key);
            }
        });
        assert_eq!(answers.iter().filter(|refused| !**refused).count(), 100, "before it locks");
        assert!(answers.contains(&true), "and under the lock");
        assert!(!map.is_inside());
    });
}
