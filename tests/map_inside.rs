//! What runs inside a call on a `Map` and calls the same map is refused, at once, everywhere.

use std::cell::RefCell;

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
