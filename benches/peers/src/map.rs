//! `Map`, on the workloads of conc-map-bench.
//!
//! Keys are drawn from twice as many as there are entries at first (conc-map-bench goes through a
//! sequence, of 2^25; here the number of entries is a table of its own). Growing starts from an empty
//! map without room. All maps hash alike.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::RwLock;

use foldhash::fast::FixedState;

use crate::draw::Draw;
use crate::rounds::{Load, Side, Turn, threads};
use crate::table::{Goal, Row};

/// What a workload consists of.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// How many of a hundred operations read, insert, remove and update.
    mix: [u64; 4],
    /// Keys are below this number.
    keys: u64,
    /// So many of them are there at first.
    entries: u64,
    /// Whether nine of ten operations go to the first 16 keys.
    hot: bool,
    /// Whether each turn begins with an empty map.
    afresh: bool,
}

/// Keys of the workloads that do not grow.
const KEYS: u64 = 1 << 17;
/// Of these, how many are there at first.
const ENTRIES: u64 = KEYS / 4 * 3;

const READ_HEAVY: Work = Work {
    name: "read heavy",
    mix: [98, 1, 1, 0],
    keys: KEYS,
    entries: ENTRIES,
    hot: false,
    afresh: false,
};

const EXCHANGE: Work = Work { name: "exchange", mix: [10, 40, 40, 10], ..READ_HEAVY };

const RAPID_GROW: Work = Work {
    name: "rapid grow",
    mix: [5, 80, 5, 10],
    keys: 1 << 40,
    entries: 0,
    hot: false,
    afresh: true,
};

const HOT_READS: Work = Work { name: "16 hot keys, read heavy", hot: true, ..READ_HEAVY };

const HOT_WRITES: Work = Work { name: "16 hot keys, exchange", hot: true, ..EXCHANGE };

/// In the order of the table.
pub(crate) const WORKS: [&Work; 5] = [&READ_HEAVY, &EXCHANGE, &RAPID_GROW, &HOT_READS, &HOT_WRITES];

/// The comparisons.
pub(crate) fn rows(smoke: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for work in WORKS {
        for threads in [1, 2] {
            let mut row = |goal, peer: fn(&'static Work, bool) -> Side<'static>| {
                rows.push(Row::new("map", work.name, threads, goal, move || {
                    (ours(work, smoke), peer(work, smoke))
                }));
            };
            row(Some(Goal::NoSlower), dashmap);
            row(None, papaya);
            row(None, scc);
            row(None, locked);
        }
    }
    rows
}

/// All maps, reading mostly or exchanging.
pub(crate) fn all(reading: bool, smoke: bool) -> Vec<Side<'static>> {
    let work = if reading { &READ_HEAVY } else { &EXCHANGE };
    vec![
        ours(work, smoke),
        dashmap(work, smoke),
        papaya(work, smoke),
        scc(work, smoke),
        locked(work, smoke),
    ]
}

/// Their names.
pub(crate) const NAMES: [&str; 5] = ["Map", "dashmap", "papaya", "scc", "RwLock<HashMap>"];

/// `Map` with so many shards.
pub(crate) fn sharded(shards: usize, work: &'static Work, smoke: bool) -> Side<'static> {
    side(NAMES[0], work, smoke, move || {
        selvedge::Map::with_shards_and_hasher(shards, hasher()).expect("so many are allowed")
    })
}

/// dashmap and scc.
pub(crate) fn others(work: &'static Work, smoke: bool) -> [Side<'static>; 2] {
    [dashmap(work, smoke), scc(work, smoke)]
}

/// Looking up keys of `entries`, all of which are there, in the map of that name.
pub(crate) fn lookups(name: &str, entries: u64) -> Option<Side<'static>> {
    fn side<M: Shared + 'static>(name: &'static str, map: M, entries: u64) -> Side<'static> {
        fill(&map, entries);
        looking_up(name, entries, move |key| map.read(key))
    }
    Some(match NAMES.iter().position(|known| *known == name)? {
        0 => side(NAMES[0], new_ours(), entries),
        1 => side(NAMES[1], new_dashmap(), entries),
        2 => side(NAMES[2], new_papaya(), entries),
        3 => side(NAMES[3], new_scc(), entries),
        _ => side(NAMES[4], new_locked(), entries),
    })
}

/// Looking up keys of `entries` by `read`.
pub(crate) fn looking_up(
    name: &'static str,
    entries: u64,
    read: impl Fn(u64) -> bool + Sync + 'static,
) -> Side<'static> {
    Side::new(name, move |load| {
        let seed = |number: usize| Draw::new((load.round * load.threads + number) as u64);
        threads(load, seed, |draw, ops| {
            for _ in 0..ops {
                black_box(read(draw.below(entries)));
            }
        })
    })
}

/// Calls `then` while the map of that name holds `entries`.
pub(crate) fn holding<R>(name: &str, entries: u64, then: impl FnOnce() -> R) -> Option<R> {
    fn filled<R>(map: impl Shared, entries: u64, then: impl FnOnce() -> R) -> R {
        fill(&map, entries);
        let result = then();
        black_box(map);
        result
    }
    Some(match NAMES.iter().position(|known| *known == name)? {
        0 => filled(new_ours(), entries, then),
        1 => filled(new_dashmap(), entries, then),
        2 => filled(new_papaya(), entries, then),
        3 => filled(new_scc(), entries, then),
        _ => filled(new_locked(), entries, then),
    })
}

/// What all maps can do. Each operation says whether the key was there.
pub(crate) trait Shared: Sync {
    fn read(&self, key: u64) -> bool;
    fn insert(&self, key: u64) -> bool;
    fn remove(&self, key: u64) -> bool;
    fn update(&self, key: u64) -> bool;
}

pub(crate) fn fill(map: &impl Shared, entries: u64) {
    for key in 0..entries {
        map.insert(key);
    }
}

fn ours(work: &'static Work, smoke: bool) -> Side<'static> {
    side(NAMES[0], work, smoke, new_ours)
}

fn dashmap(work: &'static Work, smoke: bool) -> Side<'static> {
    side(NAMES[1], work, smoke, new_dashmap)
}

fn papaya(work: &'static Work, smoke: bool) -> Side<'static> {
    side(NAMES[2], work, smoke, new_papaya)
}

fn scc(work: &'static Work, smoke: bool) -> Side<'static> {
    side(NAMES[3], work, smoke, new_scc)
}

fn locked(work: &'static Work, smoke: bool) -> Side<'static> {
    side(NAMES[4], work, smoke, new_locked)
}

/// Operations a thread and turn, and while a map grows from nothing.
const TURN: usize = 1 << 14;
const GROWING: usize = 1 << 14;
/// Operations a thread is given; each turn continues where the last one ended.
const SCRIPT: usize = 1 << 18;
/// Threads with a script of their own.
const SCRIPTS: u64 = 8;

fn side<M: Shared + 'static>(
    name: &'static str,
    work: &'static Work,
    smoke: bool,
    new: impl Fn() -> M + 'static,
) -> Side<'static> {
    let length = if smoke { 64 } else { SCRIPT };
    let turn = match (smoke, work.afresh) {
        (true, _) => 64,
        (false, true) => GROWING,
        (false, false) => TURN,
    };
    let scripts: Vec<Vec<u64>> = (0..SCRIPTS).map(|seed| script(work, seed, length)).collect();
    let kept = (!work.afresh).then(|| {
        let map = new();
        fill(&map, if smoke { 64 } else { work.entries });
        map
    });
    let ops = turn as u64;
    Side::counted(name, ops, move |load| match &kept {
        Some(map) => play(map, &scripts, turn, load),
        None => play(&new(), &scripts, turn, load),
    })
}

/// One turn, of `turn` operations, a power of two.
fn play(map: &impl Shared, scripts: &[Vec<u64>], turn: usize, load: Load) -> Turn {
    let part = |number: usize| {
        let mut parts = scripts[number % scripts.len()].chunks(turn).cycle();
        (parts.nth(load.round).expect("the script is not empty"), 0)
    };
    threads(load, part, |(part, next), ops| {
        let mut found = 0_u64;
        for _ in 0..ops {
            let step = part[*next & (part.len() - 1)];
            *next += 1;
            let key = step >> 2;
            found += u64::from(match step & 3 {
                0 => map.read(key),
                1 => map.insert(key),
                2 => map.remove(key),
                _ => map.update(key),
            });
        }
        black_box(found);
    })
}

/// Operations, the kind in the lowest two bits and the key in the others.
fn script(work: &Work, seed: u64, length: usize) -> Vec<u64> {
    let mut draw = Draw::new(seed + 1);
    let step = |_| {
        let mut percent = draw.below(100);
        let mut kind = 0;
        for (number, share) in (0..).zip(work.mix) {
            kind = number;
            if percent < share {
                break;
            }
            percent -= share;
        }
        let keys = if work.hot && draw.below(10) > 0 { 16 } else { work.keys };
        draw.below(keys) << 2 | kind
    };
    (0..length).map(step).collect()
}

pub(crate) type Hasher = FixedState;

pub(crate) fn hasher() -> Hasher {
    FixedState::default()
}

pub(crate) fn new_ours() -> selvedge::Map<u64, u64, Hasher> {
    selvedge::Map::with_hasher(hasher())
}

impl Shared for selvedge::Map<u64, u64, Hasher> {
    #[inline]
    fn read(&self, key: u64) -> bool {
        self.get(&key).is_some_and(|value| black_box(value) == 0)
    }

    #[inline]
    fn insert(&self, key: u64) -> bool {
        self.insert(key, 0).is_some()
    }

    #[inline]
    fn remove(&self, key: u64) -> bool {
        self.remove(&key).is_some()
    }

    #[inline]
    fn update(&self, key: u64) -> bool {
        self.update(&key, |value| value + 1).is_some()
    }
}

pub(crate) fn new_dashmap() -> dashmap::DashMap<u64, u64, Hasher> {
    dashmap::DashMap::with_hasher(hasher())
}

impl Shared for dashmap::DashMap<u64, u64, Hasher> {
    #[inline]
    fn read(&self, key: u64) -> bool {
        self.get(&key).is_some_and(|value| black_box(*value) == 0)
    }

    #[inline]
    fn insert(&self, key: u64) -> bool {
        self.insert(key, 0).is_some()
    }

    #[inline]
    fn remove(&self, key: u64) -> bool {
        self.remove(&key).is_some()
    }

    #[inline]
    fn update(&self, key: u64) -> bool {
        self.get_mut(&key).map(|mut value| *value += 1).is_some()
    }
}

pub(crate) fn new_papaya() -> papaya::HashMap<u64, u64, Hasher> {
    papaya::HashMap::with_hasher(hasher())
}

/// Pinned for each operation, as by a caller that makes one.
impl Shared for papaya::HashMap<u64, u64, Hasher> {
    #[inline]
    fn read(&self, key: u64) -> bool {
        self.pin().get(&key).is_some_and(|value| black_box(*value) == 0)
    }

    #[inline]
    fn insert(&self, key: u64) -> bool {
        self.pin().insert(key, 0).is_some()
    }

    #[inline]
    fn remove(&self, key: u64) -> bool {
        self.pin().remove(&key).is_some()
    }

    #[inline]
    fn update(&self, key: u64) -> bool {
        self.pin().update(key, |value| value + 1).is_some()
    }
}

pub(crate) fn new_scc() -> scc::HashMap<u64, u64, Hasher> {
    scc::HashMap::with_hasher(hasher())
}

impl Shared for scc::HashMap<u64, u64, Hasher> {
    #[inline]
    fn read(&self, key: u64) -> bool {
        self.read_sync(&key, |_, value| *value).is_some_and(|value| black_box(value) == 0)
    }

    #[inline]
    fn insert(&self, key: u64) -> bool {
        self.upsert_sync(key, 0).is_some()
    }

    #[inline]
    fn remove(&self, key: u64) -> bool {
        self.remove_sync(&key).is_some()
    }

    #[inline]
    fn update(&self, key: u64) -> bool {
        self.update_sync(&key, |_, value| *value += 1).is_some()
    }
}

pub(crate) type Locked = RwLock<HashMap<u64, u64, Hasher>>;

pub(crate) fn new_locked() -> Locked {
    RwLock::new(HashMap::with_hasher(hasher()))
}

/// One lock for all.
impl Shared for Locked {
    #[inline]
    fn read(&self, key: u64) -> bool {
        let map = RwLock::read(self).expect("no thread panics");
        map.get(&key).is_some_and(|value| black_box(*value) == 0)
    }

    #[inline]
    fn insert(&self, key: u64) -> bool {
        self.write().expect("no thread panics").insert(key, 0).is_some()
    }

    #[inline]
    fn remove(&self, key: u64) -> bool {
        self.write().expect("no thread panics").remove(&key).is_some()
    }

    #[inline]
    fn update(&self, key: u64) -> bool {
        let mut map = self.write().expect("no thread panics");
        map.get_mut(&key).map(|value| *value += 1).is_some()
    }
}
