//! `Counter` and `CounterHandle`.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use contatori::counters::unsigned::Unsigned;
use fast_counter::ConcurrentCounter;
use selvedge::Counter;

use crate::rounds::{Side, threads};
use crate::table::{Goal, Row};

/// The comparisons.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for threads in [1, 2] {
        let goal = |goal| (threads == 2).then_some(goal);
        // How far from 1 a ratio is by chance.
        rows.push(Row::new("counter", "the same twice", threads, None, || {
            (contatori(), contatori())
        }));
        rows.push(Row::new("counter", "add", threads, None, || (ours(), atomic())));
        let add = goal(Goal::NoSlower);
        rows.push(Row::new("counter", "add", threads, add, || (ours(), fast_counter())));
        rows.push(Row::new("counter", "add", threads, add, || (ours(), contatori())));
        let store = Some(Goal::AtMost(1.2));
        rows.push(Row::new("counter", "add", threads, store, || (handle(), store_by_hand())));
        let tenth = goal(Goal::AtMost(0.1));
        rows.push(Row::new("counter", "add", threads, tenth, || (handle(), atomic())));
    }
    rows
}

/// All that count.
pub(crate) fn all() -> Vec<Side<'static>> {
    vec![ours(), handle(), atomic(), fast_counter(), contatori()]
}

/// From all writers on one memory to none that two of them share.
pub(crate) fn contended() -> Vec<Side<'static>> {
    vec![mutex(), atomic(), ours(), handle()]
}

/// `get` with so many stripes.
pub(crate) fn get(stripes: usize) -> Side<'static> {
    let counter = Counter::with_stripes(stripes).expect("the number is in range");
    Side::new("Counter::get", move |load| {
        threads(
            load,
            |_| (),
            |(), ops| {
                for _ in 0..ops {
                    black_box(counter.get());
                }
            },
        )
    })
}

pub(crate) fn ours() -> Side<'static> {
    adding(Counter::new())
}

fn adding(counter: Counter) -> Side<'static> {
    Side::new("Counter", move |load| {
        threads(
            load,
            |_| counter.add(1),
            |(), ops| {
                for _ in 0..ops {
                    counter.add(black_box(1));
                }
            },
        )
    })
}

/// `Counter`s with so many stripes each, and contatori, which has 64.
pub(crate) fn striped(stripes: &[usize]) -> Vec<Side<'static>> {
    let ours = stripes
        .iter()
        .map(|stripes| adding(Counter::with_stripes(*stripes).expect("so many are allowed")));
    ours.chain([contatori()]).collect()
}

pub(crate) fn handle() -> Side<'static> {
    let counter = Counter::new();
    Side::new("CounterHandle", move |load| {
        threads(
            load,
            |_| counter.handle(),
            |mine, ops| {
                for _ in 0..ops {
                    mine.add(black_box(1));
                }
            },
        )
    })
}

/// One lock for all.
fn mutex() -> Side<'static> {
    let counter = Mutex::new(0_u64);
    Side::new("Mutex<u64>", move |load| {
        threads(
            load,
            |_| (),
            |(), ops| {
                for _ in 0..ops {
                    *counter.lock().unwrap_or_else(PoisonError::into_inner) += black_box(1);
                }
            },
        )
    })
}

/// One word for all.
pub(crate) fn atomic() -> Side<'static> {
    let counter = AtomicU64::new(0);
    Side::new("AtomicU64", move |load| {
        threads(
            load,
            |_| counter.fetch_add(1, Relaxed),
            |_, ops| {
                for _ in 0..ops {
                    counter.fetch_add(black_box(1), Relaxed);
                }
            },
        )
    })
}

/// What a thread would do that publishes its own count by hand, and nothing else: the least that a
/// count can cost that others may read at any time.
fn store_by_hand() -> Side<'static> {
    /// Alone on its lines, as those of the others are.
    #[repr(align(128))]
    struct Own(AtomicU64);

    Side::new("a plain store", move |load| {
        let prepare = |_| (Arc::new(Own(AtomicU64::new(0))), 0_u64);
        threads(load, prepare, |(cell, value), ops| {
            for _ in 0..ops {
                *value = value.wrapping_add(black_box(1));
                cell.0.store(*value, Relaxed);
            }
        })
    })
}

fn fast_counter() -> Side<'static> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let counter = ConcurrentCounter::new(cores);
    Side::new("fast-counter", move |load| {
        threads(
            load,
            |_| counter.add(1),
            |(), ops| {
                for _ in 0..ops {
                    counter.add(black_box(1));
                }
            },
        )
    })
}

fn contatori() -> Side<'static> {
    let counter = Unsigned::new();
    Side::new("contatori", move |load| {
        threads(
            load,
            |_| counter.add(1),
            |(), ops| {
                for _ in 0..ops {
                    counter.add(black_box(1));
                }
            },
        )
    })
}
