//! The racy variants of the crate, each in the smallest program that can go wrong.

use confidence::measured::Kind;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use specimens::racy::{
    ArgumentOrderMap, CheckThenInsertMap, HalfDoneMap, LateLenMap, LateResetStats, LossyCounter,
    OneLookStats, OnePassGauge, ReadModifyWriteMap, RelaxedLogStats, SignedCellGauge,
    StripeByStripeStats, SwapTakeCounter, TornStats, UnlockedReadStats, UnsyncCounter, UnsyncMap,
    count_without_waiting,
};

use crate::sound::{Record, With, cause_or_effect};
use crate::specimen::{Specimen, written};

/// All of them.
pub(crate) fn all() -> Vec<Specimen> {
    counters()
        .into_iter()
        .chain(gauges())
        .chain(stats())
        .chain(maps())
        .chain([look_first()])
        .collect()
}

/// No variant, but the program of tokio-rs/loom #166: alice takes it that she comes first. loom forgets
/// her look when bob looks, and never has her come second.
fn look_first() -> Specimen {
    Specimen::new(
        "a look that loom forgets",
        Kind::Order,
        || AtomicU64::new(0),
        [
            |x: &AtomicU64| x.load(SeqCst),
            |x| {
                let seen = x.load(SeqCst);
                x.store(seen + 1, SeqCst);
                seen
            },
        ],
        |_, [alice, _]| *alice == 0,
    )
}

fn counters() -> [Specimen; 4] {
    [
        Specimen::new(
            "LossyCounter",
            Kind::Order,
            LossyCounter::new,
            [LossyCounter::increment; 2],
            |count, _| count.get() == 2,
        )
        .beside("Counter::add"),
        Specimen::new(
            "UnsyncCounter",
            Kind::DataRace,
            UnsyncCounter::new,
            [UnsyncCounter::increment; 2],
            |count, _| count.get() == 2,
        )
        .beside("Counter::add"),
        Specimen::new(
            "SwapTakeCounter",
            Kind::Order,
            SwapTakeCounter::new,
            [
                |count| {
                    let mut mine = count.handle();
                    (0..2).for_each(|_| mine.increment());
                    0
                },
                SwapTakeCounter::take,
            ],
            |count, [_, taken]| taken + count.get() == 2,
        )
        .beside("Counter::take"),
        Specimen::new(
            "count_without_waiting",
            Kind::Order,
            || (),
            [|()| count_without_waiting(2, 1)],
            |(), [total]| *total == 2,
        )
        .beside("a count after join"),
    ]
}

fn gauges() -> [Specimen; 2] {
    [
        Specimen::new(
            "SignedCellGauge",
            Kind::Order,
            || (SignedCellGauge::new(), AtomicU64::new(0)),
            [
                |(depth, sent): &With<SignedCellGauge>| {
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
        )
        .beside("Gauge::get of a queue"),
        Specimen::new(
            "OnePassGauge",
            Kind::Order,
            OnePassGauge::new,
            [
                |open: &OnePassGauge| {
                    open.increment();
                    open.decrement();
                    open.increment();
                    0
                },
                OnePassGauge::get,
            ],
            |_, [_, seen]| *seen < 2,
        )
        .beside("Gauge::get of sessions"),
    ]
}

/// What a reader finds.
type Seen = (u64, u64);

fn stats() -> [Specimen; 6] {
    [
        Specimen::new(
            "TornStats",
            Kind::Order,
            TornStats::new,
            [|stats: &TornStats| written(|| stats.record(5)), TornStats::snapshot],
            |_, [_, seen]| is_whole(*seen),
        )
        .beside("Stats::snapshot"),
        Specimen::new(
            "UnlockedReadStats",
            Kind::Order,
            UnlockedReadStats::new,
            [|stats: &UnlockedReadStats| written(|| stats.record(5)), UnlockedReadStats::snapshot],
            |_, [_, seen]| is_whole(*seen),
        )
        .beside("Stats::snapshot"),
        Specimen::new(
            "RelaxedLogStats",
            Kind::WeakMemory,
            RelaxedLogStats::new,
            [|stats: &RelaxedLogStats| written(|| stats.record(5)), RelaxedLogStats::snapshot],
            |_, [_, seen]| is_whole(*seen),
        )
        .beside("StatsHandle"),
        Specimen::new(
            "StripeByStripeStats",
            Kind::Order,
            || (StripeByStripeStats::new(), AtomicU64::new(0)),
            [cause_or_effect, cause_or_effect, |(stats, _): &With<StripeByStripeStats>| {
                stats.snapshot()
            }],
            |_, [_, _, seen]| *seen != (1, 10),
        )
        .beside("Stats::snapshot with its cause"),
        Specimen::new(
            "OneLookStats",
            Kind::Order,
            || (OneLookStats::new(), AtomicU64::new(0)),
            [
                |(stats, told): &With<OneLookStats>| {
                    stats.record(0, 1);
                    told.store(1, Release);
                    0
                },
                |(stats, told)| {
                    if told.load(Acquire) == 1 {
                        stats.record(1, 10);
                    }
                    0
                },
                |(stats, _)| stats.snapshot(),
            ],
            |_, [_, _, seen]| *seen != 10,
        )
        .beside("Stats::snapshot with its cause"),
        Specimen::new(
            "LateResetStats",
            Kind::Order,
            LateResetStats::new,
            [
                |stats| written(|| (1..=2).for_each(|value| stats.record(value))),
                LateResetStats::take,
            ],
            |stats, [_, taken]| taken.1 + stats.snapshot().1 == 3,
        )
        .beside("Stats::take"),
    ]
}

impl Record for StripeByStripeStats {
    fn record(&self, value: u64) {
        self.record(value);
    }
}

/// Whether a sample of 5 is all there, or not at all.
fn is_whole(seen: Seen) -> bool {
    [(0, 0), (1, 5)].contains(&seen)
}

fn maps() -> [Specimen; 6] {
    [
        Specimen::new(
            "CheckThenInsertMap",
            Kind::Order,
            || (CheckThenInsertMap::new(), AtomicU64::new(0)),
            [|(map, made): &With<CheckThenInsertMap<u64, u64>>| {
                map.get_or_insert_with(1, || made.fetch_add(1, Relaxed))
            }; 2],
            |_, [alice, bob]| alice == bob,
        )
        .beside("Map::get_or_insert_with"),
        Specimen::new(
            "ReadModifyWriteMap",
            Kind::Order,
            || ReadModifyWriteMap::of([(1, 0)]),
            [|map: &ReadModifyWriteMap<u64, u64>| map.update(1, |n| n + 1); 2],
            |map, _| map.get(1) == Some(2),
        )
        .beside("Map::update"),
        Specimen::new(
            "UnsyncMap",
            Kind::DataRace,
            UnsyncMap::new,
            [|map: &UnsyncMap<u64, u64>| map.insert(1, 10), |map| map.get(1), |map| map.get(1)],
            |_, [_, one, other]| [one, other].iter().all(|seen| seen.is_none_or(|n| n == 10)),
        )
        .beside("Map::get"),
        Specimen::new(
            "LateLenMap",
            Kind::Order,
            LateLenMap::new,
            [
                |map: &LateLenMap<u64, ()>| {
                    map.insert(1, ());
                    (false, 0)
                },
                |map| (map.contains_key(1), map.len()),
            ],
            |_, [_, seen]| *seen != (true, 0),
        )
        .beside("Map::len"),
        Specimen::new(
            "HalfDoneMap",
            Kind::Order,
            || HalfDoneMap::of([(1, 10), (2, 0)]),
            [
                |map: &HalfDoneMap<u64, u64>| {
                    map.update_pair(1, 2, |a, b| (a - 4, b + 4));
                    10
                },
                |map| map.snapshot().iter().map(|(_, balance)| balance).sum(),
            ],
            |_, [_, seen]| *seen == 10,
        )
        .beside("Map::update_pair"),
        Specimen::new(
            "ArgumentOrderMap",
            Kind::Deadlock,
            || ArgumentOrderMap::of([(1, 10), (2, 10)]),
            [
                |map: &ArgumentOrderMap<u64, u64>| map.update_pair(&1, &2, |a, b| (a - 4, b + 4)),
                |map: &ArgumentOrderMap<u64, u64>| map.update_pair(&2, &1, |a, b| (a - 4, b + 4)),
            ],
            |_, _| true,
        )
        .beside("Map::update_pair both ways"),
    ]
}
