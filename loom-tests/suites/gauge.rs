//! # `Gauge`: a decrement is not counted without the increments before it
//!
//! Proved of [`Gauge`]: with each decrement, `get` counts every increment that happens before it, whichever threads and
//! cells they are in, so a queue depth is never below 0. If at most two amounts are added while it runs, it returns the
//! value of one point in time. If more are, the result may be too large, never too small.
//!
//! **Racy variants.** [`SignedCellGauge`]: inconsistent cut, one signed cell a thread is added up as in a counter: the
//! producer's cell may be read before the increment and the consumer's after the decrement. [`OnePassGauge`]: the
//! decrements are read first, but once: of two sessions of which one began after the other had ended, both may be
//! counted.
//!
//! **Why it holds.** A word is either raised or lowered by, and only grows. The decrements are read first, with
//! `Acquire`, so the increments that happen before them are found. Two passes in a row that agree are the value between
//! the two.
//!
//! **Scope.** Explored completely, for two or three threads and the operations shown. Values near 2^63 are tested in
//! `tests/gauge.rs`.

use selvedge::{Gauge, GaugeHandle};
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use selvedge_model::{Linearizable, Model, linearizable};
use specimens::racy::{OnePassGauge, SignedCellGauge};

/// A gauge, and how many jobs were sent.
type Queue<G> = (G, AtomicU64);

fn gauge(stripes: usize) -> Gauge {
    Gauge::with_stripes(stripes).expect("the number is in range")
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// In this order the producer has the stripe that is read first: a thread's stripe follows from its number.
#[test]
fn sum_of_signed_cells_shows_a_queue_depth_below_zero() {
    Model::new(|| (SignedCellGauge::new(), AtomicU64::new(0)))
        .thread("consumer", |(depth, sent): &Queue<SignedCellGauge>| {
            if sent.load(Acquire) == 1 {
                depth.decrement();
            }
        })
        .thread("producer", |(depth, sent)| {
            depth.increment();
            sent.store(1, Release);
        })
        .thread("reader", |(depth, _)| depth.get())
        .acceptable("reader=0", "read before the job was there, or after it was gone")
        .acceptable("reader=1", "read in between")
        .interesting(
            "reader=-1",
            "the producer's cell was read before the job, the consumer's after it",
        )
        .check();
}

/// One session after the other, in one thread: never more than one is open.
#[test]
fn one_pass_shows_two_sessions_where_one_is_open() {
    Model::new(OnePassGauge::new)
        .thread("server", |open: &OnePassGauge| {
            open.increment();
            open.decrement();
            open.increment();
        })
        .thread("reader", OnePassGauge::get)
        .acceptable("reader=0", "none is open")
        .acceptable("reader=1", "one is open")
        .interesting("reader=2", "the second began after the ends had been read")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

#[test]
fn gauge_keeps_every_change_on_one_stripe() {
    Model::new(|| gauge(1))
        .thread("alice", |value: &Gauge| {
            value.add(1);
            value.sub(20);
        })
        .thread("bob", |value| {
            value.sub(-300);
            value.add(-4_000);
        })
        .finally("value", Gauge::get)
        .acceptable("value=-3719", "every amount is counted once")
        .check();
}

/// The consumer's stripe is read before the producer's in one model, after it in the other.
#[test]
fn queue_depth_is_never_below_zero() {
    let produce = |(depth, sent): &Queue<Gauge>| {
        depth.increment();
        sent.store(1, Release);
    };
    let consume = |(depth, sent): &Queue<Gauge>| {
        if sent.load(Acquire) == 1 {
            depth.decrement();
        }
    };
    let model = || Model::new(|| (gauge(2), AtomicU64::new(0)));
    for model in [
        model().thread("consumer", consume).thread("producer", produce),
        model().thread("producer", produce).thread("consumer", consume),
    ] {
        model
            .thread("reader", |(depth, _)| depth.get())
            .acceptable("reader=0", "read before the job was there, or after it was gone")
            .acceptable("reader=1", "read in between")
            .forbidden("reader=-1", "a job is not taken before it is there")
            .check();
    }
}

/// More changes than passes: no two passes may agree, and what is returned is the least of three.
#[test]
fn queue_depth_of_two_jobs_is_never_below_zero() {
    Model::new(|| (gauge(2), AtomicU64::new(0)))
        .thread("consumer", |(depth, sent): &Queue<Gauge>| {
            for _ in 0..sent.load(Acquire) {
                depth.decrement();
            }
        })
        .thread("producer", |(depth, sent)| {
            for job in 1..=2 {
                depth.increment();
                sent.store(job, Release);
            }
        })
        .thread("reader", |(depth, _)| depth.get())
        .acceptable("reader=0", "no job is there")
        .acceptable("reader=1", "one is")
        .acceptable("reader=2", "both are")
        .forbidden("reader=-1", "a job is not taken before it is there")
        .check();
}

/// The same with a handle each: what is published are stores, not updates.
#[test]
fn queue_depth_through_handles_is_never_below_zero() {
    Model::new(|| (gauge(1), AtomicU64::new(0)))
        .thread("consumer", |(depth, sent): &Queue<Gauge>| {
            let mut mine = depth.handle();
            if sent.load(Acquire) == 1 {
                mine.decrement();
            }
        })
        .thread("producer", |(depth, sent)| {
            depth.handle().increment();
            sent.store(1, Release);
        })
        .thread("reader", |(depth, _)| depth.get())
        .acceptable("reader=0", "read before the job was there, or after it was gone")
        .acceptable("reader=1", "read in between")
        .forbidden("reader=-1", "a job is not taken before it is there")
        .check();
}

#[test]
fn one_session_after_the_other_is_never_two() {
    Model::new(|| gauge(1))
        .thread("server", |open: &Gauge| {
            open.increment();
            open.decrement();
            open.increment();
        })
        .thread("reader", Gauge::get)
        .acceptable("reader=0", "none is open")
        .acceptable("reader=1", "one is open")
        .forbidden("reader=2", "two were never open")
        .check();
}

/// With a handle, and a reader who is told of nothing.
#[test]
fn one_session_after_the_other_through_a_handle_is_never_two() {
    Model::new(|| gauge(1))
        .thread("server", |open: &Gauge| {
            let mut mine = open.handle();
            mine.increment();
            mine.decrement();
            mine.increment();
        })
        .thread("reader", Gauge::get)
        .acceptable("reader=0", "none is open")
        .acceptable("reader=1", "one is open")
        .forbidden("reader=2", "two were never open")
        .check();
}

/// The limit that the module states: no two passes agree, and the least result is too large.
#[test]
fn gauge_that_never_rests_is_shown_too_large() {
    Model::new(|| gauge(1))
        .thread("server", |open: &Gauge| {
            for _ in 0..3 {
                open.increment();
                open.decrement();
            }
            open.increment();
        })
        .thread("reader", Gauge::get)
        .acceptable("reader=0", "none is open")
        .acceptable("reader=1", "one is open")
        .interesting("reader=2", "a session begins and ends in each of the passes")
        .forbidden("reader=-1", "a session does not end before it begins")
        .check();
}

/// A cell passes from a thread that has ended to the next, which goes on from what it holds.
#[test]
fn cell_that_is_used_again_keeps_both_words() {
    Model::new(|| gauge(1))
        .thread("alice", |value: &Gauge| {
            let mut mine = value.handle();
            mine.add(5);
            mine.sub(1);
        })
        .thread("bob", |value| {
            let mut mine = value.handle();
            mine.sub(-50);
            mine.add(-10);
        })
        .finally("value", Gauge::get)
        .acceptable("value=44", "with one cell or with two, all is counted")
        .check();
}

// ---------------------------------------------------------------------------------------------
// All small scenarios.
// ---------------------------------------------------------------------------------------------

/// Two stripes, so that two threads have a cell each and the third shares one; and a handle for each.
fn operations() -> Linearizable<Gauge, GaugeHandle> {
    linearizable(|| gauge(2))
        .local(Gauge::handle)
        .threads_differ()
        .operation("add", Gauge::increment)
        .operation("sub", Gauge::decrement)
        .operation("get", Gauge::get)
        .finally("value", Gauge::get)
}

/// Of two threads with two operations each, or three with one, at most two write beside a `get`.
#[test]
fn gauge_with_two_concurrent_changes_is_linearizable() {
    let report = operations().owned("own -4", |_, handle| handle.add(-4)).check();
    assert_eq!(report.explored, 464);
    if cfg!(loom) {
        assert!(report.is_complete());
        assert_eq!(report.executions(), 2_486);
    }
}

#[test]
fn one_pass_is_not_linearizable() {
    linearizable(OnePassGauge::new)
        .operation("add", OnePassGauge::increment)
        .operation("sub", OnePassGauge::decrement)
        .operation("get", OnePassGauge::get)
        .finally("value", OnePassGauge::get)
        .fails("add || sub || get")
        .check();
}
