//! The controls: the sound types in the same programs. Whoever reports one of these reports everything.

use confidence::measured::Kind;
use selvedge::{Counter, Gauge, Map, Stats, StatsHandle};
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Arc, Mutex, PoisonError, thread};

use crate::by_parity::{ByParity, by_parity};
use crate::specimen::{Specimen, written};

type Numbers = Map<u64, u64, ByParity>;

fn counter() -> Counter {
    Counter::with_stripes(1).expect("1 stripe is accepted")
}

fn stats() -> Stats {
    Stats::with_stripes_and_precision(2, 0).expect("2 stripes of precision 0 are accepted")
}

/// A type, and an atomic beside it.
pub(crate) type With<T> = (T, AtomicU64);

/// All of them.
pub(crate) fn all() -> Vec<Specimen> {
    counters().into_iter().chain(gauges()).chain(statistics()).chain(maps()).collect()
}

fn counters() -> [Specimen; 3] {
    [
        Specimen::new("Counter::add", Kind::Sound, counter, [Counter::increment; 2], |count, _| {
            count.get() == 2
        }),
        Specimen::new(
            "Counter::take",
            Kind::Sound,
            counter,
            [
                |count| {
                    let mut mine = count.handle();
                    (0..2).for_each(|_| mine.increment());
                    0
                },
                Counter::take,
            ],
            |count, [_, taken]| taken + count.get() == 2,
        ),
        Specimen::new(
            "a count after join",
            Kind::Sound,
            || (),
            [|()| {
                let count = Arc::new(AtomicU64::new(0));
                let threads = [(); 2].map(|()| {
                    let count = Arc::clone(&count);
                    thread::spawn(move || count.fetch_add(1, Relaxed))
                });
                for thread in threads {
                    thread.join().expect("an increment does not panic");
                }
                count.load(Relaxed)
            }],
            |(), [total]| *total == 2,
        ),
    ]
}

fn gauges() -> [Specimen; 2] {
    [
        Specimen::new(
            "Gauge::get of a queue",
            Kind::Sound,
            || (Gauge::with_stripes(2).expect("2 stripes are accepted"), AtomicU64::new(0)),
            [
                |(depth, sent): &With<Gauge>| {
                    if sent.load(Acquire) == 1 {
                        depth.decrement();
                    }
                    0
                },
                |(depth, sent)| {
                    depth.increment();
                    sent.store(1, Release);
                    0
                },
                |(depth, _)| depth.get(),
            ],
            |_, [_, _, seen]| *seen >= 0,
        ),
        Specimen::new(
            "Gauge::get of sessions",
            Kind::Sound,
            || Gauge::with_stripes(1).expect("1 stripe is accepted"),
            [
                |open: &Gauge| {
                    open.increment();
                    open.decrement();
                    open.increment();
                    0
                },
                Gauge::get,
            ],
            |_, [_, seen]| *seen < 2,
        ),
    ]
}

/// Count and sum.
fn seen(stats: &Stats) -> (u64, u128) {
    let snapshot = stats.snapshot();
    (snapshot.count(), snapshot.sum())
}

fn taken(stats: &Stats) -> (u64, u128) {
    let taken = stats.take();
    (taken.count(), taken.sum())
}

fn is_whole(seen: (u64, u128)) -> bool {
    [(0, 0), (1, 5)].contains(&seen)
}

/// `Stats` and a handle, which one thread takes.
fn handled() -> (Stats, Mutex<Option<StatsHandle>>) {
    let stats = stats();
    let handle = Mutex::new(Some(stats.handle()));
    (stats, handle)
}

/// What can be recorded in, by any thread.
pub(crate) trait Record {
    fn record(&self, value: u64);
}

impl Record for Stats {
    fn record(&self, value: u64) {
        self.record(value);
    }
}

/// Records 1 and says so, or records 10 if that has been said: 10 is never seen without 1, since the first record happens
/// before the second. Either thread may be the first: a program does not choose the numbers of its threads, and so not
/// their stripes.
pub(crate) fn cause_or_effect<R: Record, S: Default>((stats, told): &With<R>) -> S {
    if told.fetch_add(0, Acquire) == 0 {
        stats.record(1);
        told.fetch_add(1, Release);
    } else {
        stats.record(10);
    }
    S::default()
}

fn statistics() -> [Specimen; 4] {
    [
        Specimen::new(
            "Stats::snapshot",
            Kind::Sound,
            stats,
            [|stats: &Stats| written(|| stats.record(5)), seen],
            |_, [_, seen]| is_whole(*seen),
        ),
        Specimen::new(
            "StatsHandle",
            Kind::Sound,
            handled,
            [
                |(_, handle)| {
                    let mine = handle.lock().unwrap_or_else(PoisonError::into_inner).take();
                    written(|| mine.expect("one thread takes it").record(5))
                },
                |(stats, _)| seen(stats),
            ],
            |_, [_, seen]| is_whole(*seen),
        ),
        Specimen::new(
            "Stats::snapshot with its cause",
            Kind::Sound,
            || (stats(), AtomicU64::new(0)),
            [cause_or_effect, cause_or_effect, |(stats, _)| seen(stats)],
            |_, [_, _, seen]| *seen != (1, 10),
        ),
        Specimen::new(
            "Stats::take",
            Kind::Sound,
            stats,
            [|stats: &Stats| written(|| (1..=2).for_each(|value| stats.record(value))), taken],
            |stats, [_, taken]| taken.1 + seen(stats).1 == 3,
        ),
    ]
}

fn maps() -> [Specimen; 6] {
    [
        Specimen::new(
            "Map::get_or_insert_with",
            Kind::Sound,
            || (by_parity([]), AtomicU64::new(0)),
            [|(map, made): &With<Numbers>| map.get_or_insert_with(1, || made.fetch_add(1, Relaxed));
                2],
            |_, [alice, bob]| alice == bob,
        ),
        Specimen::new(
            "Map::update",
            Kind::Sound,
            || by_parity([(1, 0)]),
            [|map: &Numbers| map.update(&1, |n| n + 1); 2],
            |map, _| map.get(&1) == Some(2),
        ),
        Specimen::new(
            "Map::get",
            Kind::Sound,
            || by_parity([]),
            [
                |map: &Numbers| map.insert(1, 10),
                |map: &Numbers| map.get(&1),
                |map: &Numbers| map.get(&1),
            ],
            |_, [_, one, other]| [one, other].iter().all(|seen| seen.is_none_or(|n| n == 10)),
        ),
        Specimen::new(
            "Map::len",
            Kind::Sound,
            || by_parity([]),
            [
                |map: &Numbers| {
                    map.insert(1, 1);
                    (false, 0)
                },
                |map| (map.contains_key(&1), map.len()),
            ],
            |_, [_, seen]| *seen != (true, 0),
        ),
        Specimen::new(
            "Map::update_pair",
            Kind::Sound,
            || by_parity([(1, 10), (2, 0)]),
            [
                |map: &Numbers| {
                    map.update_pair(&1, &2, |a, b| (a - 4, b + 4)).expect("two keys");
                    10
                },
                |map: &Numbers| map.snapshot().iter().map(|(_, balance)| balance).sum(),
            ],
            |_, [_, seen]| *seen == 10,
        ),
        Specimen::new(
            "Map::update_pair both ways",
            Kind::Sound,
            || by_parity([(1, 10), (2, 10)]),
            [
                |map: &Numbers| map.update_pair(&1, &2, |a, b| (a - 4, b + 4)).is_ok(),
                |map: &Numbers| map.update_pair(&2, &1, |a, b| (a - 4, b + 4)).is_ok(),
            ],
            |_, [alice, bob]| *alice && *bob,
        ),
    ]
}
