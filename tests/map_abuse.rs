//! `Map` used as nobody should use it: keys that panic, lie or contradict themselves, destructors that
//! panic, closures inside closures. Whatever happens, nothing hangs, nothing is
//! undefined, and the map can be used afterwards.

use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use selvedge::map::Equivalent;
use selvedge::{Map, MapError};

use crate::map_helpers::{Constant, ON_PURPOSE, caught, in_good_time, text_of};

thread_local! {
    /// Which of a [`Fragile`]'s methods panics.
    static BREAKS: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Panics in one of its methods, when told to.
#[derive(Debug)]
struct Fragile {
    number: u64,
    alive: Arc<AtomicUsize>,
}

impl Fragile {
    fn new(number: u64, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Relaxed);
        Self { number, alive: Arc::clone(alive) }
    }
}

fn breaks_in(method: &str) {
    assert!(thread::panicking() || BREAKS.get() != Some(method), "{ON_PURPOSE}");
}

impl Hash for Fragile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        breaks_in("hash");
        self.number.hash(state);
    }
}

impl PartialEq for Fragile {
    fn eq(&self, other: &Self) -> bool {
        breaks_in("eq");
        self.number == other.number
    }
}

impl Eq for Fragile {}

impl Clone for Fragile {
    fn clone(&self) -> Self {
        breaks_in("clone");
        Self::new(self.number, &self.alive)
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Relaxed);
        breaks_in("drop");
    }
}

type FragileMap = Map<Fragile, Fragile, Constant>;
type Call = (&'static str, fn(&FragileMap, &Arc<AtomicUsize>));

/// Every method, on a map with the keys 0 to 9.
const CALLS: [Call; 21] = [
    ("with", |map, alive| {
        map.with(&Fragile::new(3, alive), |_| ());
    }),
    ("get", |map, alive| drop(map.get(&Fragile::new(3, alive)))),
    ("contains_key", |map, alive| {
        map.contains_key(&Fragile::new(3, alive));
    }),
    ("insert, a new key", |map, alive| {
        drop(map.insert(Fragile::new(10, alive), Fragile::new(0, alive)));
    }),
    ("insert, a key that is there", |map, alive| {
        drop(map.insert(Fragile::new(3, alive), Fragile::new(0, alive)));
    }),
    ("try_insert", |map, alive| {
        drop(map.try_insert(Fragile::new(3, alive), Fragile::new(0, alive)));
    }),
    ("update", |map, alive| {
        drop(map.update(&Fragile::new(3, alive), |value| Fragile::new(value.number + 1, alive)));
    }),
    ("compute, which replaces", |map, alive| {
        drop(map.compute(Fragile::new(3, alive), |_| Some(Fragile::new(0, alive))));
    }),
    ("compute, which removes", |map, alive| {
        drop(map.compute(Fragile::new(3, alive), |_| None));
    }),
    ("compute, which inserts", |map, alive| {
        drop(map.compute(Fragile::new(10, alive), |_| Some(Fragile::new(0, alive))));
    }),
    ("remove", |map, alive| drop(map.remove(&Fragile::new(3, alive)))),
    ("get_or_insert_with, of a key that is there", |map, alive| {
        drop(map.get_or_insert_with(Fragile::new(3, alive), || Fragile::new(0, alive)));
    }),
    ("get_or_insert_with, of a new key", |map, alive| {
        drop(map.get_or_insert_with(Fragile::new(10, alive), || Fragile::new(0, alive)));
    }),
    ("get_or_try_insert_with", |map, alive| {
        drop(map.get_or_try_insert_with(Fragile::new(10, alive), || Err(Fragile::new(0, alive))));
    }),
    ("update_pair", |map, alive| {
        let (first, second) = (Fragile::new(3, alive), Fragile::new(4, alive));
        let change = |a: &Fragile, b: &Fragile| {
            (Fragile::new(b.number, alive), Fragile::new(a.number, alive))
        };
        drop(map.update_pair(&first, &second, change));
    }),
    ("retain", |map, _| map.retain(|key, _| key.number != 3)),
    ("for_each", |map, _| map.for_each(|_, _| ())),
    ("snapshot", |map, _| drop(map.snapshot())),
    ("keys", |map, _| drop(map.keys())),
    ("values", |map, _| drop(map.values())),
    ("clear", |map, _| map.clear()),
];

/// Whatever of a key or value panics, in whatever method: the map can be used, knows its length, and
/// drops everything once.
#[test]
fn a_panic_in_a_key_or_value_breaks_nothing_else() {
    in_good_time(|| {
        for method in ["hash", "eq", "clone", "drop"] {
            let mut panics = 0;
            for (name, call) in CALLS {
                let alive = Arc::new(AtomicUsize::new(0));
                // Room enough: that a hash panics while a shard grows is another test.
                let map = FragileMap::with_capacity_and_hasher(100, Constant(0));
                for number in 0..10 {
                    map.insert(Fragile::new(number, &alive), Fragile::new(100, &alive));
                }
                BREAKS.set(Some(method));
                let result = caught(|| call(&map, &alive));
                BREAKS.set(None);
                if let Err(panic) = result {
                    assert_eq!(text_of(&*panic), ON_PURPOSE, "{method} in {name}");
                    panics += 1;
                }
                assert!(!map.is_inside(), "{name} was left");
                let entries = map.snapshot();
                assert_eq!(map.len(), entries.len(), "the length after {method} in {name}");
                assert!(name == "clear" || map.len() >= 9, "{method} in {name} loses one at most");
                drop(entries);
                // A call that ends in a destructor's panic forgets what it was about to return: that is
                // the language's doing. So is the rest of a table that is dropped.
                let leaked = alive.load(Relaxed) - 2 * map.len();
                assert!(leaked == 0 || method == "drop", "{method} in {name} leaks");
                thread::scope(|scope| {
                    let from_elsewhere = || {
                        drop(map.insert(Fragile::new(3, &alive), Fragile::new(7, &alive)));
                        map.with(&Fragile::new(3, &alive), |value| value.number)
                    };
                    let found = scope.spawn(from_elsewhere).join().expect("it is as usable");
                    assert_eq!(found, Some(7), "after {method} in {name}");
                });
                drop(map);
                assert_eq!(alive.load(Relaxed), leaked, "after {method} in {name}");
            }
            assert!(panics > 4, "{method} panics in more than {panics} of the methods");
        }
    });
}

/// Each time it is asked, something else.
#[derive(Clone)]
struct Fickle;

thread_local! {
    static ANSWERS: Cell<u64> = const { Cell::new(1) };
}

fn answer() -> u64 {
    // A linear congruential generator: the same answers in each run.
    ANSWERS.set(ANSWERS.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041));
    ANSWERS.get() >> 33
}

impl Hash for Fickle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (answer() % 4).hash(state);
    }
}

impl PartialEq for Fickle {
    fn eq(&self, _: &Self) -> bool {
        answer().is_multiple_of(3)
    }
}

impl Eq for Fickle {}

/// Keys that have no identity are found or not. But the map keeps count.
#[test]
fn keys_that_contradict_themselves_break_nothing_else() {
    in_good_time(|| {
        let map = Map::with_shards(4).expect("4 are accepted");
        let mut pairs = 0;
        for round in 0..2_000_u64 {
            map.insert(Fickle, round);
            map.compute(Fickle, |n| n.map(|n| n + 1));
            map.get_or_insert_with(Fickle, || round);
            // Two that are one and the same after all may be refused, as late as in the table.
            match caught(|| map.update_pair(&Fickle, &Fickle, |a, b| (*b, *a))) {
                Ok(Ok(Some(_))) => pairs += 1,
                Ok(Ok(None) | Err(MapError::SameKey)) => {}
                Ok(Err(other)) => panic!("{other}"),
                Err(panic) => assert!(text_of(&*panic).contains("duplicate"), "hashbrown's panic"),
            }
            if round % 3 == 0 {
                map.remove(&Fickle);
                map.update(&Fickle, |n| n + 1);
            }
            assert!(!map.is_inside());
        }
        assert!(pairs > 0, "some pairs were found");
        assert_eq!(map.len(), map.snapshot().len());
        map.retain(|_, n| n % 2 == 0);
        assert_eq!(map.len(), map.values().iter().filter(|n| *n % 2 == 0).count());
    });
}

/// No two of these are equal, and yet all stand for the same key.
#[derive(PartialEq, Eq)]
struct Alias(u64);

impl Hash for Alias {
    fn hash<H: Hasher>(&self, state: &mut H) {
        7_u64.hash(state);
    }
}

impl Equivalent<u64> for Alias {
    fn equivalent(&self, key: &u64) -> bool {
        *key == 7
    }
}

/// A pair of one entry with itself, in disguise: no value is reached twice.
#[test]
fn two_names_of_one_key_are_no_pair() {
    in_good_time(|| {
        let map = Map::from([(7, "one")]);
        let (first, second) = (Alias(1), Alias(2));
        assert_eq!(map.get(&first), Some("one"));
        let panic = caught(|| map.update_pair(&first, &second, |a, b| (*b, *a)))
            .expect_err("one entry cannot be lent twice");
        assert!(text_of(&*panic).contains("duplicate"), "{}", text_of(&*panic));
        assert_eq!((map.get(&7), map.is_inside()), (Some("one"), false));
    });
}

/// Where a call drops many, and one of them panics: all are out of the map, and it can be used.
/// `retain` drops the others all the same; `clear` gives up the rest of a shard, like `std`.
#[test]
fn a_destructor_that_panics_leaves_nothing_half_removed() {
    struct Bomb<'a>(u64, &'a RefCell<Vec<u64>>);
    impl Drop for Bomb<'_> {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
            assert!(thread::panicking() || self.0 != 3, "{ON_PURPOSE}");
        }
    }
    type Bombs<'a> = Map<u64, Bomb<'a>, Constant>;
    let clear: fn(&Bombs) = |map| map.clear();
    let retain_none: fn(&Bombs) = |map| map.retain(|_, _| false);
    for (sweep, drops_all) in [(clear, false), (retain_none, true)] {
        let dropped = RefCell::new(Vec::new());
        let map = Bombs::with_hasher(Constant(0));
        for number in 0..6 {
            map.insert(number, Bomb(number, &dropped));
        }
        assert!(caught(|| sweep(&map)).is_err());
        let mut all = dropped.borrow().clone();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), dropped.borrow().len(), "none twice");
        assert!(all.len() == 6 || !drops_all, "{all:?}");
        assert_eq!((map.len(), map.is_inside()), (0, false));
        assert!(map.insert(9, Bomb(9, &dropped)).is_none(), "and it can be used");
    }
}

/// A local of a closure is dropped inside. It can know, and then it is no mistake.
#[test]
fn a_destructor_inside_a_closure_can_ask_whether_it_is() {
    struct Tidy<'a>(&'a Map<u64, u64>, &'a Cell<u64>);
    impl Drop for Tidy<'_> {
        fn drop(&mut self) {
            if self.0.is_inside() {
                self.1.set(self.1.get() + 1);
            } else {
                self.0.remove(&1);
            }
        }
    }
    in_good_time(|| {
        let map = Map::from([(1, 10)]);
        let inside = Cell::new(0);
        map.update(&1, |n| {
            let _tidy = Tidy(&map, &inside);
            n + 1
        });
        // Unwinding, a second panic would end the process.
        let panic = caught(|| {
            map.update(&1, |_| {
                let _tidy = Tidy(&map, &inside);
                panic!("{ON_PURPOSE}")
            })
        });
        assert!(panic.is_err());
        assert_eq!((inside.get(), map.get(&1)), (2, Some(11)));
        drop(Tidy(&map, &inside));
        assert_eq!((inside.get(), map.get(&1)), (2, None), "outside it may");
    });
}

/// Keys and values without a size, and one key at most.
#[test]
fn a_map_of_nothing_is_a_map() {
    let map = Map::with_capacity(0);
    assert_eq!(map.insert((), ()), None);
    assert_eq!(map.insert((), ()), Some(()));
    assert_eq!(map.update_pair(&(), &(), |(), ()| ((), ())), Err(MapError::SameKey));
    assert_eq!((map.len(), map.remove(&()), map.len()), (1, Some(()), 0));
}

/// Two maps, each called from a closure of the other, by one thread: neither is in the way.
#[test]
fn two_maps_may_call_each_other() {
    in_good_time(|| {
        let (warp, weft) = (Map::from([(1, 1)]), Map::from([(1, 2)]));
        let both = warp.update(&1, |a| weft.update(&1, |b| a + b).map_or(0, |old| old + a));
        assert_eq!((both, warp.get(&1), weft.get(&1)), (Some(1), Some(3), Some(3)));
        let moved = weft.update_pair(&1, &2, |_, _| unreachable!("2 is not there"));
        assert_eq!(moved, Ok(None));
        weft.for_each(|_, b| assert_eq!(warp.insert(2, *b), None));
        assert_eq!(warp.get(&2), Some(3));
    });
}

/// A map in a map, reached through a closure of the outer one.
#[test]
fn a_map_may_hold_maps() {
    in_good_time(|| {
        let outer: Map<u64, Map<u64, u64>> = Map::new();
        assert!(outer.compute(1, |_| Some(Map::new())).is_none());
        assert_eq!(outer.with(&1, |inner| inner.insert(2, 20)), Some(None));
        assert_eq!(outer.with(&1, |inner| inner.get(&2)), Some(Some(20)));
        assert_eq!(format!("{outer:?}"), "{1: {2: 20}}");
    });
}
