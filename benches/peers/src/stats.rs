//! `Stats` and `StatsHandle`.

use std::hint::black_box;
use std::sync::{LazyLock, Mutex};

use hdrhistogram::sync::SyncHistogram;
use histogram::AtomicHistogram;
use selvedge::Stats;
use selvedge::stats::Snapshot;

use crate::draw::Draw;
use crate::rounds::{Side, threads};
use crate::table::{Goal, Row};

/// The comparisons.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for threads in [1, 2] {
        // These give a consistent snapshot, as `Stats` does.
        let faster = Some(Goal::Faster);
        rows.push(Row::new("stats", "record", threads, faster, || (ours(), mutex_hdr())));
        rows.push(Row::new("stats", "record", threads, faster, || (ours(), prometheus())));
        rows.push(Row::new("stats", "record", threads, faster, || (ours(), prometheus_client())));
        // These do not.
        let level = Some(Goal::AtMost(1.02));
        rows.push(Row::new("stats", "record", threads, level, || (ours(), hdr_recorder())));
        rows.push(Row::new("stats", "record", threads, None, || (ours(), histogram())));
        let near = Some(Goal::AtMost(1.5));
        rows.push(Row::new("stats", "record", threads, near, || (handle(), histogram())));
        rows.push(Row::new("stats", "record", threads, None, || (handle(), hdr_recorder())));
    }
    rows
}

/// All that record.
pub(crate) fn all() -> Vec<Side<'static>> {
    vec![
        ours(),
        handle(),
        histogram(),
        hdr_recorder(),
        mutex_hdr(),
        prometheus(),
        prometheus_client(),
    ]
}

/// `snapshot` with so many stripes.
pub(crate) fn snapshot(stripes: usize) -> Side<'static> {
    read("Stats::snapshot", recorded(stripes), Stats::snapshot)
}

/// `snapshot` of samples that are spread over so many stripes, and over nine decades.
pub(crate) fn spread(stripes: usize) -> Side<'static> {
    let mut draw = Draw::new(1);
    let stats = Stats::with_stripes(stripes).expect("the number is in range");
    let mut handles: Vec<_> = (0..stripes).map(|_| stats.handle()).collect();
    for number in 0..COUNT {
        // Nine decades are thirty doublings.
        handles[number % stripes].record((1 << draw.below(30)) * (64 + draw.below(64)) / 64);
    }
    drop(handles);
    read("snapshot, spread", stats, Stats::snapshot)
}

/// `take` with so many stripes. All but the first find nothing.
pub(crate) fn take(stripes: usize) -> Side<'static> {
    read("Stats::take", recorded(stripes), Stats::take)
}

/// So many stripes, all samples by one thread.
fn recorded(stripes: usize) -> Stats {
    let stats = Stats::with_stripes(stripes).expect("the number is in range");
    for value in &*SAMPLES {
        stats.record(*value);
    }
    stats
}

fn read(
    name: &'static str,
    stats: Stats,
    read: impl Fn(&Stats) -> Snapshot + Sync + 'static,
) -> Side<'static> {
    Side::new(name, move |load| {
        threads(
            load,
            |_| (),
            |(), ops| {
                for _ in 0..ops {
                    black_box(read(&stats));
                }
            },
        )
    })
}

/// How many samples there are; they are recorded again and again.
const COUNT: usize = 1 << 10;

/// Latencies, say: from 1,000 to 500,000, the logarithms evenly spread.
static SAMPLES: LazyLock<[u64; COUNT]> = LazyLock::new(|| {
    let mut draw = Draw::new(1);
    // Five hundred is nine doublings, each of 64 parts.
    [(); COUNT].map(|()| {
        let (doublings, part) = (draw.below(9), draw.below(64));
        (1_000 << doublings) * (64 + part) / 64
    })
});

/// Records all samples in turn, `ops` times altogether.
#[inline]
fn record(ops: u64, mut record: impl FnMut(u64)) {
    let samples = &*SAMPLES;
    for number in 0..ops {
        #[expect(clippy::cast_possible_truncation, reason = "what is cut off does not matter")]
        record(samples[number as usize % COUNT]);
    }
}

fn ours() -> Side<'static> {
    let stats = Stats::new();
    Side::new("Stats", move |load| {
        threads(
            load,
            |_| stats.record(SAMPLES[0]),
            |(), ops| {
                record(ops, |value| stats.record(value));
            },
        )
    })
}

fn handle() -> Side<'static> {
    let stats = Stats::new();
    Side::new("StatsHandle", move |load| {
        threads(
            load,
            |_| stats.handle(),
            |mine, ops| {
                record(ops, |value| mine.record(value));
            },
        )
    })
}

/// As precise as ours are by default.
pub(crate) fn new_atomic() -> AtomicHistogram {
    AtomicHistogram::new(6, 64).expect("the parameters are in range")
}

fn histogram() -> Side<'static> {
    let histogram = new_atomic();
    Side::new("histogram, atomic", move |load| {
        threads(
            load,
            |_| (),
            |(), ops| {
                record(ops, |value| histogram.increment(value).expect("all of u64 has a bucket"));
            },
        )
    })
}

/// As precise as ours, up to as large a value as it takes.
pub(crate) fn hdr() -> hdrhistogram::Histogram<u64> {
    hdrhistogram::Histogram::new_with_bounds(1, u64::MAX / 2, 2).expect("the bounds are in range")
}

/// One recorder a thread.
fn hdr_recorder() -> Side<'static> {
    Side::new("hdrhistogram, sync", move |load| {
        let histogram = SyncHistogram::from(hdr());
        threads(
            load,
            |_| histogram.recorder(),
            |recorder, ops| {
                record(ops, |value| recorder.record(value).expect("the value is in range"));
            },
        )
    })
}

fn mutex_hdr() -> Side<'static> {
    let histogram = Mutex::new(hdr());
    Side::new("Mutex<hdrhistogram>", move |load| {
        threads(
            load,
            |_| (),
            |(), ops| {
                record(ops, |value| {
                    let mut histogram = histogram.lock().expect("no thread panics");
                    histogram.record(value).expect("the value is in range");
                });
            },
        )
    })
}

/// As many buckets as it has by default, over the samples' range.
const BUCKETS: u16 = 11;

pub(crate) fn new_prometheus() -> prometheus::Histogram {
    let buckets = prometheus::exponential_buckets(1_000.0, 2.0, usize::from(BUCKETS));
    let options = prometheus::HistogramOpts::new("peer", "a peer")
        .buckets(buckets.expect("the parameters are in range"));
    prometheus::Histogram::with_opts(options).expect("the options are fine")
}

fn prometheus() -> Side<'static> {
    let histogram = new_prometheus();
    Side::new("prometheus", move |load| {
        threads(
            load,
            |_| (),
            |(), ops| {
                record(ops, |value| histogram.observe(crate::rounds::as_float(value)));
            },
        )
    })
}

pub(crate) fn new_prometheus_client() -> prometheus_client::metrics::histogram::Histogram {
    use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

    Histogram::new(exponential_buckets(1_000.0, 2.0, BUCKETS))
}

fn prometheus_client() -> Side<'static> {
    let histogram = new_prometheus_client();
    Side::new("prometheus-client", move |load| {
        threads(
            load,
            |_| (),
            |(), ops| {
                record(ops, |value| histogram.observe(crate::rounds::as_float(value)));
            },
        )
    })
}
