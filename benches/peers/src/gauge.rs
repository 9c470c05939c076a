//! `Gauge` and `GaugeHandle`.

use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use contatori::counters::signed::Signed;
use prometheus::IntGauge;
use selvedge::Gauge;

use crate::counter;
use crate::rounds::{Side, threads};
use crate::table::{Goal, Row};

/// The comparisons. What is added is not known in advance, and so is its sign.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for threads in [1, 2] {
        let no_slower = (threads == 2).then_some(Goal::NoSlower);
        rows.push(Row::new("gauge", "add", threads, None, || (ours(), counter::ours())));
        rows.push(Row::new("gauge", "add", threads, None, || (ours(), atomic())));
        rows.push(Row::new("gauge", "add", threads, no_slower, || (ours(), int_gauge())));
        rows.push(Row::new("gauge", "add", threads, None, || (ours(), contatori())));
        rows.push(Row::new("gauge", "add", threads, None, || (handle(), counter::handle())));
        rows.push(Row::new("gauge", "add", threads, None, || (handle(), atomic())));
    }
    rows
}

/// `get` with so many stripes.
pub(crate) fn get(stripes: usize) -> Side<'static> {
    let gauge = Gauge::with_stripes(stripes).expect("the number is in range");
    Side::new("Gauge::get", move |load| {
        threads(
            load,
            |_| (),
            |(), ops| {
                for _ in 0..ops {
                    black_box(gauge.get());
                }
            },
        )
    })
}

fn ours() -> Side<'static> {
    let gauge = Gauge::new();
    Side::new("Gauge", move |load| {
        threads(
            load,
            |_| gauge.add(1),
            |(), ops| {
                for _ in 0..ops {
                    gauge.add(black_box(1));
                }
            },
        )
    })
}

fn handle() -> Side<'static> {
    let gauge = Gauge::new();
    Side::new("GaugeHandle", move |load| {
        threads(
            load,
            |_| gauge.handle(),
            |mine, ops| {
                for _ in 0..ops {
                    mine.add(black_box(1));
                }
            },
        )
    })
}

/// One word for all.
fn atomic() -> Side<'static> {
    let gauge = AtomicI64::new(0);
    Side::new("AtomicI64", move |load| {
        threads(
            load,
            |_| gauge.fetch_add(1, Relaxed),
            |_, ops| {
                for _ in 0..ops {
                    gauge.fetch_add(black_box(1), Relaxed);
                }
            },
        )
    })
}

pub(crate) fn new_prometheus() -> IntGauge {
    IntGauge::new("gauge", "help").expect("the name is valid")
}

/// One word for all as well.
fn int_gauge() -> Side<'static> {
    let gauge = new_prometheus();
    Side::new("prometheus, IntGauge", move |load| {
        threads(
            load,
            |_| gauge.add(1),
            |(), ops| {
                for _ in 0..ops {
                    gauge.add(black_box(1));
                }
            },
        )
    })
}

/// A signed cell for each thread, read one after the other: a queue may be shown with -1 entries.
fn contatori() -> Side<'static> {
    let gauge = Signed::new();
    Side::new("contatori, Signed", move |load| {
        threads(
            load,
            |_| gauge.add(1),
            |(), ops| {
                for _ in 0..ops {
                    gauge.add(black_box(1));
                }
            },
        )
    })
}
