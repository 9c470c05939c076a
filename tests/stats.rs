//! `Stats` against a list of samples: every question, in one thread. `stats_threads.rs` has the rest.

use proptest::prelude::*;
use selvedge::stats::{DEFAULT_PRECISION, MAX_PRECISION, MAX_STRIPES, Snapshot, Timer};
use selvedge::{Stats, StatsError, StatsHandle};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Stats: Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(StatsHandle: Send, std::fmt::Debug);
assert_impl_all!(Timer<'static>: Send, Sync, std::fmt::Debug);
assert_impl_all!(Snapshot: Send, Sync, Clone, Eq, Default, std::fmt::Debug, std::fmt::Display);
assert_impl_all!(Snapshot: serde::Serialize, serde::de::DeserializeOwned);
// Two handles on one log would overwrite each other's samples.
assert_not_impl_any!(StatsHandle: Clone, Copy);

use crate::stats_helpers::{Questions, compare, compare_moments, compare_quantile, with};

// ---------------------------------------------------------------------------------------------
// Against a list of samples.
// ---------------------------------------------------------------------------------------------

/// What a single thread can do with statistics.
#[derive(Debug, Clone)]
enum Operation {
    Record(u64),
    Snapshot(Questions),
    Take(Questions),
    OpenHandle,
    /// Of the handles that are open, the one at this position (modulo their number), so many times.
    RecordByHandle(usize, u64, usize),
    DropHandle(usize),
}

/// Values of all sizes, the ends and the neighbourhoods of powers of two among them.
fn value() -> impl Strategy<Value = u64> {
    let near_a_power = (0..64_u32, 0..3_u64).prop_map(|(power, d)| (1_u64 << power) - 1 + d);
    let any_size = (0..64_u32, any::<u64>()).prop_map(|(shift, bits)| bits >> shift);
    prop_oneof![Just(0), Just(u64::MAX), near_a_power, any_size, 1_000..1_010_u64]
}

fn questions() -> impl Strategy<Value = Questions> {
    let q = prop_oneof![Just(0.0), Just(0.5), Just(0.99), Just(1.0), 0.0..1.0];
    (q, value(), value()).prop_map(|(q, low, high)| Questions { q, low, high })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => value().prop_map(Operation::Record),
        1 => questions().prop_map(Operation::Snapshot),
        1 => questions().prop_map(Operation::Take),
        1 => Just(Operation::OpenHandle),
        // Often more than a log holds.
        4 => (any::<usize>(), value(), prop_oneof![2 => 1..4_usize, 1 => 120..140_usize])
            .prop_map(|(which, value, times)| Operation::RecordByHandle(which, value, times)),
        1 => any::<usize>().prop_map(Operation::DropHandle),
    ]
}

proptest! {
    #[test]
    fn behaves_like_a_list_of_samples(
        stripes in 1..5_usize,
        precision in prop_oneof![4 => Just(DEFAULT_PRECISION), 1 => 0..=MAX_PRECISION],
        operations in prop::collection::vec(operation(), 0..25),
        last in questions(),
    ) {
        let stats = with(stripes, precision);
        let mut handles = Vec::new();
        let mut samples = Vec::new();
        let mut taken = Vec::new();
        let mut merged = with(1, precision).snapshot();
        for operation in operations {
            match operation {
                Operation::Record(value) => {
                    stats.record(value);
                    samples.push(value);
                }
                Operation::Snapshot(questions) => {
                    compare(&stats.snapshot(), &samples, &questions);
                }
                Operation::Take(questions) => {
                    let snapshot = stats.take();
                    compare(&snapshot, &samples, &questions);
                    merged.merge(&snapshot).expect("the same precision, few samples");
                    taken.append(&mut samples);
                    compare(&merged, &taken, &questions);
                }
                Operation::OpenHandle => handles.push(stats.handle()),
                Operation::RecordByHandle(which, value, times) if !handles.is_empty() => {
                    let which = which % handles.len();
                    for _ in 0..times {
                        handles[which].record(value);
                    }
                    samples.extend(std::iter::repeat_n(value, times));
                }
                Operation::DropHandle(which) if !handles.is_empty() => {
                    drop(handles.swap_remove(which % handles.len()));
                }
                Operation::RecordByHandle(..) | Operation::DropHandle(_) => {}
            }
        }
        compare(&stats.snapshot(), &samples, &last);
        drop(handles);
        compare(&stats.take(), &samples, &last);
        compare(&stats.snapshot(), &[], &last);
    }

    /// By which stripe or handle, and in what order, samples came leaves no trace.
    #[test]
    fn the_same_samples_make_the_same_snapshot(
        mut samples in prop::collection::vec(value(), 0..300),
        split in any::<prop::sample::Index>(),
    ) {
        let (one, other) = (with(1, 3), with(4, 3));
        for sample in &samples {
            one.record(*sample);
        }
        samples.reverse();
        let (by_handle, by_stripe) = samples.split_at(split.index(samples.len() + 1));
        let mut handle = other.handle();
        for sample in by_handle {
            handle.record(*sample);
        }
        for sample in by_stripe {
            other.record(*sample);
        }
        prop_assert_eq!(one.snapshot(), other.snapshot());
    }
}

// ---------------------------------------------------------------------------------------------
// Ends, and bad input.
// ---------------------------------------------------------------------------------------------

#[test]
fn new_stats_are_empty() {
    for snapshot in [Stats::new().snapshot(), Stats::default().take(), Snapshot::default()] {
        assert!(snapshot.is_empty());
        assert_eq!(snapshot, Snapshot::default(), "nothing is nothing");
        assert_eq!((snapshot.count(), snapshot.sum()), (0, 0));
        assert_eq!((snapshot.min(), snapshot.max()), (None, None));
        assert_eq!((snapshot.mean(), snapshot.variance()), (None, None));
        assert_eq!(snapshot.quantile(0.5), None);
        assert_eq!((snapshot.count_between(..), snapshot.buckets().count()), (0, 0));
        assert_eq!(snapshot.precision(), DEFAULT_PRECISION);
        assert!(snapshot.relative_error() < 0.01, "as the default promises");
    }
}

#[test]
fn sums_go_beyond_64_bits() {
    let stats = Stats::new();
    let mut handle = stats.handle();
    for _ in 0..1_000 {
        handle.record(u64::MAX);
        stats.record(u64::MAX);
    }
    stats.record(0);
    let snapshot = stats.snapshot();
    assert_eq!(snapshot.sum(), 2_000 * u128::from(u64::MAX));
    assert_eq!((snapshot.min(), snapshot.max()), (Some(0), Some(u64::MAX)));
    assert_eq!(snapshot.count_between(u64::MAX..), 2_000);
    assert_eq!(snapshot.count_between(..=0), 1);
    let samples = [vec![0], vec![u64::MAX; 2_000]].concat();
    compare_moments(&snapshot, &samples);
    compare_quantile(&snapshot, &samples, 0.5);
}

/// Where the textbook formula, mean of squares less square of mean, has no correct digit left.
#[test]
fn a_variance_of_large_neighbours_is_exact() {
    let stats = Stats::new();
    for value in [u64::MAX, u64::MAX - 2, u64::MAX - 4] {
        stats.record(value);
    }
    assert_eq!(stats.snapshot().variance(), Some(8.0 / 3.0));
}

#[test]
fn a_number_of_stripes_out_of_range_is_refused_by_name() {
    for requested in [0, MAX_STRIPES + 1, usize::MAX] {
        let error = Stats::with_stripes(requested).unwrap_err();
        assert_eq!(error, StatsError::Stripes { requested });
        let text = error.to_string();
        assert!(text.contains(&requested.to_string()) && text.contains("1 to 1024"), "{text}");
    }
    for accepted in [1, 3, 64] {
        assert!(Stats::with_stripes(accepted).is_ok(), "{accepted} stripes are accepted");
    }
    assert!(Stats::with_stripes_and_precision(MAX_STRIPES, 0).is_ok(), "and so is the maximum");
}

#[test]
fn a_precision_out_of_range_is_refused_by_name() {
    for requested in [MAX_PRECISION + 1, 64, u32::MAX] {
        let error = Stats::with_precision(requested).unwrap_err();
        assert_eq!(error, StatsError::Precision { requested });
        let text = error.to_string();
        assert!(text.contains(&requested.to_string()) && text.contains("0 to 12"), "{text}");
    }
    for accepted in [0, 1, MAX_PRECISION] {
        let snapshot = Stats::with_precision(accepted).expect("it is in range").snapshot();
        assert_eq!(snapshot.precision(), accepted);
    }
}

#[test]
fn a_quantile_out_of_range_is_none() {
    let stats = Stats::new();
    stats.record(1);
    let snapshot = stats.snapshot();
    for q in [-0.001, 1.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(snapshot.quantile(q), None, "{q} is no fraction");
    }
    for q in [0.0, -0.0, f64::MIN_POSITIVE, 1.0] {
        assert_eq!(snapshot.quantile(q), Some(1), "{q} is one");
    }
}

#[test]
fn ranges_of_all_kinds_are_counted() {
    use std::ops::Bound::{Excluded, Included, Unbounded};

    let stats = Stats::new();
    for value in [0, 1, 2, 3, u64::MAX] {
        stats.record(value);
    }
    let snapshot = stats.snapshot();
    assert_eq!(snapshot.count_between(1..3), 2);
    assert_eq!(snapshot.count_between(1..=3), 3);
    assert_eq!(snapshot.count_between((Excluded(1), Included(3))), 2);
    assert_eq!(snapshot.count_between(4..), 1);
    assert_eq!(snapshot.count_between(2..2), 0);
    assert_eq!(snapshot.count_between(..0), 0);
    assert_eq!(snapshot.count_between((Excluded(u64::MAX), Unbounded)), 0);
    assert_eq!(snapshot.count_between((Included(5), Excluded(5))), 0);
}

#[test]
fn snapshots_that_do_not_match_are_not_merged() {
    let fine = with(1, 7);
    fine.record(1);
    let mut own = Snapshot::default();
    let error = own.merge(&fine.snapshot()).unwrap_err();
    assert_eq!(error, StatsError::PrecisionsDiffer { own: 6, other: 7 });
    let text = error.to_string();
    assert!(text.contains("precision 6") && text.contains("precision 7"), "{text}");
    assert_eq!(own, Snapshot::default(), "and nothing has changed");
}

#[test]
fn more_samples_than_can_be_counted_are_not_merged() {
    let stats = Stats::new();
    stats.record(u64::MAX);
    let mut own = stats.take();
    for _ in 0..63 {
        own.merge(&own.clone()).expect("2^63 samples can be counted");
    }
    assert_eq!(own.sum(), (1 << 63) * u128::from(u64::MAX));
    let before = own.clone();
    let error = own.merge(&before).unwrap_err();
    assert_eq!(error, StatsError::TooMany { own: 1 << 63, other: 1 << 63 });
    assert!(error.to_string().contains("at most 18446744073709551615 samples"), "{error}");
    assert_eq!(own, before, "and nothing has changed");
    assert_eq!(own.variance(), Some(0.0), "in 256 bits there is room for 2^63 largest squares");
}

#[test]
fn a_snapshot_is_shown_as_a_table() {
    let stats = Stats::with_precision(MAX_PRECISION).expect("it is in range");
    (1..=1_000).for_each(|value| stats.record(value));
    let table = "\
count         1000
sum         500500
mean         500.5
std dev      288.7
min              1
p50            500
p90            900
p99            990
p99.9          999
max           1000";
    assert_eq!(stats.snapshot().to_string(), table);
    let empty = Snapshot::default().to_string();
    assert!(
        empty.starts_with("count            0\n") && empty.ends_with("max              -"),
        "{empty}"
    );
}

#[test]
fn debug_shows_the_essence() {
    let stats = with(2, 4);
    stats.record(40);
    stats.handle().record(2);
    assert_eq!(
        format!("{stats:?}"),
        "Stats { snapshot: Snapshot { count: 2, sum: 42, min: Some(2), max: Some(40), .. }, \
         stripes: 2, precision: 4, .. }"
    );
}

// ---------------------------------------------------------------------------------------------
// Serialised.
// ---------------------------------------------------------------------------------------------

#[test]
fn a_snapshot_is_written_without_its_empty_buckets() {
    let stats = with(1, 2);
    for value in [3, 3, 1_000] {
        stats.record(value);
    }
    let text = serde_json::to_string(&stats.snapshot()).expect("a snapshot can be written");
    assert_eq!(
        text,
        r#"{"precision":2,"sum":[1006,0],"squares":[1000018,0,0],"min":3,"max":1000,"buckets":[[3,2],[896,1]]}"#
    );
}

#[test]
fn what_no_samples_can_have_led_to_is_not_read() {
    let right = r#"{"precision":2,"sum":[1006,0],"squares":[1000018,0,0],"min":3,"max":1000,"buckets":[[3,2],[896,1]]}"#;
    assert!(serde_json::from_str::<Snapshot>(right).is_ok(), "what was written is read");
    for (from, to, complaint) in [
        ("\"precision\":2", "\"precision\":13", "the precision must be 0 to 12, got 13"),
        ("\"precision\":2", "\"precision\":-1", "invalid value"),
        ("[896,1]", "[897,1]", "in ascending order, got 897"),
        (
            "[3,2],[896,1]",
            "[896,1],[3,2]",
            "listed by their least value, in ascending order, got 3",
        ),
        ("[3,2],", "[3,2],[3,2],", "in ascending order, got 3"),
        ("[896,1]", "[896,0]", "at least 1, got 0 for the bucket at 896"),
        ("[896,1]", "[896,18446744073709551615]", "at most 18446744073709551615"),
        ("\"min\":3", "\"min\":4", "got Some(4) and Some(1000)"),
        ("\"min\":3", "\"min\":null", "got None and Some(1000)"),
        ("\"max\":1000", "\"max\":1024", "got Some(3) and Some(1024)"),
        ("[[3,2],[896,1]]", "[]", "got Some(3) and Some(1000)"),
        ("[1006,0]", "[1007,0]", "the sum must be 1006 to 1006 for these buckets, got 1007"),
        ("[1006,0]", "[1006,1]", "for these buckets, got 18446744073709552622"),
        (
            "[1000018,0,0]",
            "[1000017,0,0]",
            "the sum of squares must be possible for these buckets and this sum, got [1000017, 0, 0]",
        ),
        ("[1000018,0,0]", "[1000018,0,1]", "the sum of squares"),
        ("\"sum\"", "\"summe\"", "unknown field `summe`"),
    ] {
        assert!(right.contains(from), "{from} is there to be replaced");
        let wrong = right.replacen(from, to, 1);
        let error = serde_json::from_str::<Snapshot>(&wrong).expect_err(&wrong).to_string();
        assert!(error.contains(complaint), "{wrong}: {error}");
    }
    // One sample cannot be both 896 and 1000.
    let one = r#"{"precision":2,"sum":[950,0],"squares":[902500,0,0],"min":896,"max":1000,"buckets":[[896,1]]}"#;
    let error = serde_json::from_str::<Snapshot>(one).expect_err(one).to_string();
    assert!(error.contains("for these buckets, got 950"), "{error}");
    // Of three samples from 896 to 1023 that add up to 2896, the squares cannot be fewer than this.
    let flat = r#"{"precision":2,"sum":[2896,0],"squares":[2700000,0,0],"min":896,"max":1000,"buckets":[[896,3]]}"#;
    let error = serde_json::from_str::<Snapshot>(flat).expect_err(flat).to_string();
    assert!(error.contains("and this sum, got [2700000, 0, 0]"), "{error}");
}
