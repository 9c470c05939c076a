//! What a call on a `Map` leaves behind: destructors run outside its locks, panics change nothing,
//! nothing leaks.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use selvedge::Map;

use crate::map_helpers::{Constant, ON_PURPOSE, caught, in_good_time, text_of};

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
        self.seen.lock().expect("no thread panics with it").insert((method, refused));
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
            let seen = std::mem::take(&mut *seen.lock().expect("no thread panics with it"));
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
        let captured = new(304);
        drop(meddlers.get_or_try_insert_with(new(0), move || Ok::<_, ()>(captured)));
        outside("get_or_try_insert_with, of a key that is there");
        let refused = meddlers.get_or_try_insert_with(new(98), || Err::<Meddler, _>(new(305)));
        drop(refused);
        outside("get_or_try_insert_with, which fails");
        let captured = new(300);
        drop(meddlers.get_or_insert_with(new(0), move || captured));
        outside("a closure that is not called");
        drop(meddlers.update(&new(0), |_| new(103)));
        outside("update");
        let captured = new(303);
        drop(meddlers.with(&new(99), move |_| captured));
        outside("with, of no entry");
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
    for shards in [1, 64] {
        in_good_time(move || panics_change_nothing(shards));
    }
}

fn panics_change_nothing(shards: usize) {
    let mut map = Map::with_shards(shards).expect("it is in range");
    map.extend([(1, "one".to_owned()), (2, "two".to_owned())]);
    let map = &map;
    let panics: [&dyn Fn(); 9] = [
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
            let _ =
                map.get_or_try_insert_with(3, || -> Result<String, ()> { panic!("{ON_PURPOSE}") });
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
}

/// What `keep` had refused by then is gone, the rest is there, and the length is right.
#[test]
fn a_retain_that_panics_half_way_knows_what_is_left() {
    let map = Map::with_shards_and_hasher(1, Constant(0)).expect("1 is accepted");
    for number in 0..10 {
        map.insert(number, ());
    }
    let mut refused = Vec::new();
    let panic = caught(|| {
        map.retain(|number, ()| {
            assert!(refused.len() < 4, "{ON_PURPOSE}");
            refused.push(*number);
            false
        });
    });
    assert_eq!(text_of(&*panic.expect_err("it panics")), ON_PURPOSE);
    assert_eq!(map.len(), 6);
    let mut all = [map.keys(), refused].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..10), "each is gone, or is there");
}

/// A key that is hashed without complaint when it is inserted, and panics when its shard grows.
#[derive(Clone, PartialEq, Eq)]
struct Sour(u32);

thread_local! {
    static SOUR: Cell<bool> = const { Cell::new(false) };
}

impl Hash for Sour {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(!SOUR.get() || self.0 == u32::MAX, "{ON_PURPOSE}");
        self.0.hash(state);
    }
}

/// Entries may be lost then. The length is right all the same, and the map as usable as before.
#[test]
fn a_hash_that_panics_while_a_shard_grows_leaves_the_length_right() {
    let map = Map::with_shards(1).expect("1 is accepted");
    let mut panics = 0;
    for n in 0..200 {
        map.insert(Sour(n), n);
        SOUR.set(true);
        panics += u32::from(caught(|| map.insert(Sour(u32::MAX), n)).is_err());
        SOUR.set(false);
        assert_eq!(map.len(), map.snapshot().len());
        map.remove(&Sour(u32::MAX));
        map.insert(Sour(n), n + 1);
        assert_eq!(map.get(&Sour(n)), Some(n + 1));
    }
    assert!(panics > 0, "some shard grew");
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
    let entries = map.len();
    let mut all = map.into_iter();
    assert!(all.next().is_some());
    assert_eq!(Rc::strong_count(&token), entries, "one is out");
    drop(all);
    assert_eq!(Rc::strong_count(&token), 1);
}
