//! What runs inside a call on a `Map` and may not: calls on the same map are refused, destructors
//! run outside, panics leave nothing behind.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use selvedge::{Map, MapError};

mod helpers;

use helpers::{Constant, ON_PURPOSE, REFUSED, hush, text_of};

type Result<T> = std::result::Result<T, Box<dyn Any + Send>>;

fn caught<R>(f: impl FnOnce() -> R) -> Result<R> {
    hush();
    catch_unwind(AssertUnwindSafe(f))
}

/// Runs `f` in a thread of its own, and does not wait for ever: what is refused wrongly hangs.
fn in_good_time(f: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        f();
        done.send(()).expect("somebody waits");
    });
    let waited = ended.recv_timeout(Duration::from_secs(20));
    assert_ne!(waited, Err(mpsc::RecvTimeoutError::Timeout), "a call waits for its own thread");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

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
        map.compute(1, Option::<&u64>::copied);
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

/// A key and a value whose every method asks the map that they are in.
struct Meddler {
    number: u64,
    map: Arc<OnceLock<MeddlerMap>>,
    /// What came of it, by method: whether it was refused.
    seen: Arc<Mutex<HashSet<(&'static str, bool)>>>,
}

type MeddlerMap = Map<Meddler, Meddler, Constant>;

impl Meddler {
    fn meddle(&self, method: &'static str) {
        let Some(map) = self.map.get() else { return };
        let refused = if thread::panicking() {
            map.is_inside()
        } else {
            caught(|| map.for_each(|_, _| ())).is_err()
        };
        self.seen.lock().expect("nobody panics with it").insert((method, refused));
    }
}

impl Hash for Meddler {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.meddle("hash");
        self.number.hash(state);
    }
}

impl PartialEq for Meddler {
    fn eq(&self, other: &Self) -> bool {
        self.meddle("eq");
        self.number == other.number
    }
}

impl Eq for Meddler {}

impl Clone for Meddler {
    fn clone(&self) -> Self {
        self.meddle("clone");
        Self { number: self.number, map: Arc::clone(&self.map), seen: Arc::clone(&self.seen) }
    }
}

impl std::fmt::Debug for Meddler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.meddle("debug");
        self.number.fmt(f)
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.meddle("drop");
    }
}

/// Comparing, cloning and showing run inside, and are refused. Hashing and dropping run outside,
/// whatever displaces the value: they may use the map.
#[test]
fn keys_and_values_are_hashed_and_dropped_outside_the_locks() {
    in_good_time(|| {
        let map = Arc::new(OnceLock::new());
        let seen = Arc::new(Mutex::new(HashSet::new()));
        let new = |number| Meddler { number, map: Arc::clone(&map), seen: Arc::clone(&seen) };
        let meddlers = MeddlerMap::with_capacity_and_hasher(1_000, Constant(0));
        assert!(map.set(meddlers).is_ok());
        let meddlers = map.get().expect("it was just set");
        let outside = |what: &str| {
            let seen = std::mem::take(&mut *seen.lock().expect("nobody panics with it"));
            for (method, refused) in seen {
                if method == "eq" && !refused && what.starts_with("update_pair") {
                    // It compares its arguments first, which is outside too.
                    continue;
                }
                let inside = matches!(method, "eq" | "clone" | "debug");
                assert_eq!(refused, inside, "{method} in {what}");
            }
        };

        for number in 0..8 {
            drop(meddlers.insert(new(number), new(100)));
        }
        outside("insert, of a new key");
        drop(meddlers.insert(new(0), new(101)));
        outside("insert, of a key that is there");
        assert!(meddlers.try_insert(new(0), new(102)).is_err());
        outside("try_insert");
        drop(meddlers.get(&new(0)));
        outside("get");
        drop(meddlers.get_or_insert_with(new(0), || unreachable!("it is there")));
        outside("get_or_insert_with, of a key that is there");
        let captured = new(300);
        drop(meddlers.get_or_insert_with(new(0), move || captured));
        outside("a closure that is not called");
        drop(meddlers.update(&new(0), |_| new(103)));
        outside("update");
        let captured = new(301);
        drop(meddlers.update(&new(99), move |_| captured));
        outside("update, of no entry");
        drop(meddlers.compute(new(0), |_| Some(new(104))));
        outside("compute, which replaces");
        drop(meddlers.compute(new(0), |_| None));
        outside("compute, which removes");
        drop(meddlers.update_pair(&new(1), &new(2), |_, _| (new(105), new(106))));
        outside("update_pair");
        let captured = new(302);
        drop(meddlers.update_pair(&new(1), &new(99), move |_, _| (captured.clone(), captured)));
        outside("update_pair, of no entry");
        drop(meddlers.remove(&new(1)));
        outside("remove");
        meddlers.retain(|key, _| key.number != 2);
        outside("retain");
        let refused = caught(|| {
            meddlers.retain(|key, _| if key.number == 3 { false } else { panic!("{ON_PURPOSE}") });
        });
        assert!(refused.is_err());
        outside("retain, which panics");
        drop((meddlers.snapshot(), meddlers.keys(), meddlers.values()));
        outside("snapshot, keys and values");
        assert!(format!("{meddlers:?}").contains("100"));
        outside("Debug");
        meddlers.clear();
        outside("clear");
    });
}

/// A closure that panics: its entry is as it was, the map can be used, also by other threads.
#[test]
fn a_panic_leaves_its_entry_as_it_was() {
    in_good_time(|| {
        let map = Map::from([(1, "one".to_owned()), (2, "two".to_owned())]);
        let map = &map;
        let panics: [&dyn Fn(); 8] = [
            &|| {
                map.with(&1, |_| panic!("{ON_PURPOSE}"));
            },
            &|| {
                map.update(&1, |_| panic!("{ON_PURPOSE}"));
            },
            &|| {
                map.compute(1, |_| panic!("{ON_PURPOSE}"));
            },
            &|| {
                map.compute(3, |_| panic!("{ON_PURPOSE}"));
            },
            &|| {
                map.get_or_insert_with(3, || panic!("{ON_PURPOSE}"));
            },
            &|| {
                let _ = map.update_pair(&1, &2, |_, _| panic!("{ON_PURPOSE}"));
            },
            &|| map.for_each(|_, _| panic!("{ON_PURPOSE}")),
            &|| map.retain(|_, _| panic!("{ON_PURPOSE}")),
        ];
        for f in panics {
            let panic = caught(f).expect_err("it panics");
            assert_eq!(text_of(&*panic), ON_PURPOSE);
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut entries = map.snapshot();
                    entries.sort_unstable();
                    assert_eq!(entries, [(1, "one".to_owned()), (2, "two".to_owned())]);
                    assert!(map.try_insert(4, String::new()).is_ok());
                    assert_eq!((map.remove(&4), map.len()), (Some(String::new()), 2));
                });
            });
        }
        let attempts = RefCell::new(0);
        for _ in 0..2 {
            let made = map.get_or_try_insert_with(3, || {
                *attempts.borrow_mut() += 1;
                Err("no")
            });
            assert_eq!(made, Err("no"));
        }
        assert_eq!(attempts.into_inner(), 2, "the next one tries");
        assert_eq!(map.get_or_insert_with(3, || "three".to_owned()), "three");
    });
}

/// Every key and value that was made is dropped, and (safe Rust) none twice.
#[test]
fn nothing_leaks() {
    let token = Rc::new(());
    let new = || Rc::clone(&token);
    let map = Map::with_shards(4).expect("4 are accepted");
    for round in 0..10 {
        for n in 0..100_u32 {
            map.insert(n, new());
            map.update(&n, |_| new());
            map.compute(n + 50, |value| if n % 3 == 0 { None } else { value.cloned() });
            map.get_or_insert_with(n + 200, new);
            drop(map.try_insert(n, new()));
            drop(map.update_pair(&n, &(n + 1), |a, b| (Rc::clone(b), Rc::clone(a))));
            drop(caught(|| map.update(&n, |_| panic!("{ON_PURPOSE}"))));
            drop(caught(|| map.get_or_insert_with(n + 300, || panic!("{ON_PURPOSE}"))));
            map.remove(&(n / 2));
        }
        assert_eq!(Rc::strong_count(&token), 1 + map.len(), "one for each entry");
        map.retain(|n, _| n % 2 == 0);
        assert_eq!(Rc::strong_count(&token), 1 + map.len(), "one for each entry");
        if round == 5 {
            map.clear();
            assert_eq!(Rc::strong_count(&token), 1);
        }
    }
    assert!(!map.is_empty());
    drop(map);
    assert_eq!(Rc::strong_count(&token), 1);
}
