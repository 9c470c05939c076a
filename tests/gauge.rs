//! `Gauge` against a sequential one, and on real threads.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;

use proptest::prelude::*;
use selvedge::{Gauge, GaugeError, GaugeHandle};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Gauge: Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(GaugeHandle: Send, std::fmt::Debug);
// Two handles on one cell would overwrite each other's changes.
assert_not_impl_any!(GaugeHandle: Clone, Copy);

fn with_stripes(stripes: usize) -> Gauge {
    Gauge::with_stripes(stripes).expect("the number is in range")
}

/// What a single thread can do with a gauge.
#[derive(Debug, Clone)]
enum Operation {
    Add(i64),
    Sub(i64),
    Increment,
    Decrement,
    Get,
    OpenHandle,
    /// Of the handles that are open, the one at this position (modulo their number).
    ByHandle(usize, Change),
    DropHandle(usize),
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Add(i64),
    Sub(i64),
    Increment,
    Decrement,
}

fn operation() -> impl Strategy<Value = Operation> {
    // Amounts near the ends as well, so that sums wrap around.
    const ENDS: [i64; 4] = [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX];
    let amount = || prop_oneof![-10..10_i64, prop::sample::select(&ENDS), any::<i64>()];
    let change = prop_oneof![
        amount().prop_map(Change::Add),
        amount().prop_map(Change::Sub),
        Just(Change::Increment),
        Just(Change::Decrement),
    ];
    prop_oneof![
        amount().prop_map(Operation::Add),
        amount().prop_map(Operation::Sub),
        Just(Operation::Increment),
        Just(Operation::Decrement),
        Just(Operation::Get),
        Just(Operation::OpenHandle),
        (any::<usize>(), change).prop_map(|(which, change)| Operation::ByHandle(which, change)),
        any::<usize>().prop_map(Operation::DropHandle),
    ]
}

/// Makes a change, and returns its amount.
fn change_by(handle: &mut GaugeHandle, change: Change) -> i64 {
    match change {
        Change::Add(n) => handle.add(n),
        Change::Sub(n) => handle.sub(n),
        Change::Increment => handle.increment(),
        Change::Decrement => handle.decrement(),
    }
    match change {
        Change::Add(n) => n,
        Change::Sub(n) => n.wrapping_neg(),
        Change::Increment => 1,
        Change::Decrement => -1,
    }
}

proptest! {
    #[test]
    fn behaves_like_a_sequential_gauge(
        stripes in 1..9_usize,
        operations in prop::collection::vec(operation(), 0..60),
    ) {
        let gauge = with_stripes(stripes);
        let mut handles = Vec::new();
        let mut expected = 0_i64;
        for operation in operations {
            let amount = match operation {
                Operation::Add(n) => { gauge.add(n); n }
                Operation::Sub(n) => { gauge.sub(n); n.wrapping_neg() }
                Operation::Increment => { gauge.increment(); 1 }
                Operation::Decrement => { gauge.decrement(); -1 }
                Operation::OpenHandle => { handles.push(gauge.handle()); 0 }
                Operation::ByHandle(which, change) if !handles.is_empty() => {
                    let which = which % handles.len();
                    change_by(&mut handles[which], change)
                }
                Operation::DropHandle(which) if !handles.is_empty() => {
                    drop(handles.swap_remove(which % handles.len()));
                    0
                }
                Operation::Get => { prop_assert_eq!(gauge.get(), expected); 0 }
                Operation::ByHandle(..) | Operation::DropHandle(_) => 0,
            };
            expected = expected.wrapping_add(amount);
        }
        drop(handles);
        prop_assert_eq!(gauge.get(), expected);
    }
}

#[test]
fn a_new_gauge_is_at_zero() {
    assert_eq!(Gauge::new().get(), 0);
    assert_eq!(Gauge::default().get(), 0);
}

#[test]
fn a_value_wraps_around() {
    let gauge = Gauge::new();
    gauge.add(i64::MAX);
    gauge.handle().increment();
    assert_eq!(gauge.get(), i64::MIN);
    gauge.decrement();
    assert_eq!(gauge.get(), i64::MAX);
    gauge.sub(i64::MIN);
    assert_eq!(gauge.get(), -1, "2^63 - 1 + 2^63 is -1 modulo 2^64");
}

#[test]
fn a_number_of_stripes_out_of_range_is_refused_by_name() {
    for requested in [0, selvedge::gauge::MAX_STRIPES + 1, usize::MAX] {
        let error = Gauge::with_stripes(requested).unwrap_err();
        assert_eq!(error, GaugeError::Stripes { requested });
        let text = error.to_string();
        assert!(text.contains(&requested.to_string()) && text.contains("1 to 65536"), "{text}");
    }
    for accepted in [1, 3, 64, selvedge::gauge::MAX_STRIPES] {
        assert_eq!(with_stripes(accepted).get(), 0, "{accepted} stripes are accepted");
    }
}

#[test]
fn debug_shows_the_value() {
    let gauge = with_stripes(3); // Rounded up to a power of two.
    gauge.sub(41);
    gauge.handle().decrement();
    assert_eq!(format!("{gauge:?}"), "Gauge { value: -42, stripes: 4, .. }");
}

/// Threads, more than stripes, by both ways, and each amount in one thread or another.
#[test]
fn threads_lose_nothing() {
    const THREADS: i64 = 8;
    const CHANGES: i64 = 20_000;
    for stripes in [1, 2, 64] {
        let gauge = with_stripes(stripes);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let gauge = &gauge;
                scope.spawn(move || (0..CHANGES).for_each(|_| gauge.add(thread)));
                scope.spawn(move || {
                    let mut mine = gauge.handle();
                    (0..CHANGES).for_each(|_| mine.sub(thread + 1));
                });
            }
        });
        assert_eq!(gauge.get(), -THREADS * CHANGES, "with {stripes} stripes");
    }
}

/// A job is counted in before it is sent, and out after it was received: never below zero, by threads that
/// share stripes or do not, and by handles.
#[test]
fn a_queue_depth_is_never_below_zero() {
    const JOBS: usize = 20_000;
    for (stripes, by_handle) in [(1, false), (4, false), (1, true)] {
        let depth = with_stripes(stripes);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let (depth, over) = (&depth, &over);
            let reader = scope.spawn(move || {
                let mut least = 0;
                while !over.load(Relaxed) {
                    least = depth.get().min(least);
                }
                least
            });
            let pairs = [(); 2].map(|()| {
                let (sender, receiver) = mpsc::channel();
                let producer = scope.spawn(move || {
                    let mut mine = by_handle.then(|| depth.handle());
                    for job in 0..JOBS {
                        mine.as_mut().map_or_else(|| depth.increment(), GaugeHandle::increment);
                        sender.send(job).expect("it is received");
                    }
                });
                let consumer = scope.spawn(move || {
                    let mut mine = by_handle.then(|| depth.handle());
                    for _job in receiver {
                        mine.as_mut().map_or_else(|| depth.decrement(), GaugeHandle::decrement);
                    }
                });
                [producer, consumer]
            });
            for thread in pairs.into_iter().flatten() {
                thread.join().expect("it ends well");
            }
            over.store(true, Relaxed);
            let least = reader.join().expect("a read does not panic");
            assert_eq!(least, 0, "with {stripes} stripes, by handle: {by_handle}");
        });
        assert_eq!(depth.get(), 0);
    }
}

/// Thousands of threads, one after the other, each with a handle: cells are used again, with both words.
#[test]
fn cells_are_used_again() {
    let gauge = with_stripes(1);
    for round in 1..=2_000 {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut mine = gauge.handle();
                    mine.add(3);
                    mine.sub(2);
                });
            }
        });
        assert_eq!(gauge.get(), 2 * round);
    }
}

#[test]
fn a_handle_moves_to_another_thread_and_outlives_its_gauge() {
    let gauge = Arc::new(Gauge::new());
    let mut handle = gauge.handle();
    handle.decrement();
    assert_eq!(gauge.get(), -1);
    drop(gauge);
    thread::spawn(move || handle.increment()).join().expect("an increment does not panic");
}

/// What a handle changed that was never dropped stays counted.
#[test]
fn a_handle_that_is_forgotten_loses_nothing() {
    let gauge = Gauge::new();
    let mut handle = gauge.handle();
    handle.increment();
    std::mem::forget(handle);
    gauge.handle().increment();
    assert_eq!(gauge.get(), 2);
}
