//! # Do two readers agree on the order of two stores?
//!
//! Two threads store, one in `x` and one in `y`. Two other threads read both, in opposite orders:
//!
//! ```rust
//! x.store(1, Release);                            // writes_x
//! y.store(1, Release);                            // writes_y
//! (x.load(Acquire), y.load(Acquire))              // xy
//! (y.load(Acquire), x.load(Acquire))              // yx
//! ```
//!
//! A reader that gets `(1, 0)` saw the first location written and the second not yet. **Guess:** can both readers get
//! `(1, 0)`: `x` before `y` for one, `y` before `x` for the other?
//!
//! **Output.** Yes:
//!
//! ```text
//!       writes_x        writes_y        xy              yx
//!    1  a1.store rel 1
//!    2                  a2.store rel 1
//!    3                                  a1.load acq = 1
//!    4                                  a2.load acq
//!                                         reads 0,
//!                                         newest is 1
//!    5                                                  a2.load acq = 1
//!    6                                                  a1.load acq
//!                                                         reads 0,
//!                                                         newest is 1
//! ```
//!
//! `a1` is `x`, `a2` is `y`. Each reader saw one store and not yet the other one. Real threads did not show it: in 0 of
//! 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book -- coherence_and_iriw:: --nocapture`, 2026-11-29, two
//! cores). An x86-64 processor forbids it, and so does a recent ARM processor. A POWER processor allows it.
//!
//! **Why.** The stores to *one* location are in one order, its *modification order*, on which all threads agree,
//! whatever the orderings. This is **coherence**: a thread that has read a newer value does not read an older one
//! afterwards (first two tests). Stores to *two* locations have no common order. This shape is **IRIW**, *independent
//! reads of independent writes*: the writers do not read from each other, so release and acquire do not order their
//! stores.
//!
//! **Fix.** `SeqCst` for the loads: all threads agree on one order of all `SeqCst` operations. Since C++20, and so in
//! Rust, this order also respects what a load has read: a load that misses a store comes before a load that has seen
//! it, though the stores are not `SeqCst`. If both readers got `(1, 0)`, `xy` would load `y` before `yx` does, and `yx`
//! would load `x` before `xy` does. With the order in each thread that is a cycle. So the four loads are enough. Where
//! in doubt, make all operations `SeqCst`.
//!
//! **Break it yourself.** In `seq_cst_readers_agree` write `iriw(SeqCst, Acquire)`: the loads are not in the one order
//! then. The test fails: *reached xy=true yx=true, which the table does not declare*.

use selvedge_model::Model;
use selvedge_model::sync::atomic::AtomicU64;
use selvedge_model::sync::atomic::Ordering::{self, Acquire, Relaxed, Release, SeqCst};

use crate::shown::assert_shown;

#[test]
fn coherence_of_one_location_relaxed() {
    Model::new(AtomicU64::default)
        .thread("writer", |x| x.store(1, Relaxed))
        .thread("reader", |x| (x.load(Relaxed), x.load(Relaxed)))
        .acceptable("reader=(0, 0)", "both loads came first")
        .acceptable("reader=(0, 1)", "the store came between")
        .acceptable("reader=(1, 1)", "the store came first")
        .forbidden("reader=(1, 0)", "a later load does not read an older store")
        .check();
}

/// Each reader loads twice. `(1, 2)` and `(2, 1)` would be two modification orders.
#[test]
fn all_threads_agree_on_the_order_of_stores_to_one_location() {
    let reads = |x: &AtomicU64| (x.load(Relaxed), x.load(Relaxed));
    Model::new(AtomicU64::default)
        .thread("writes_1", |x| x.store(1, Relaxed))
        .thread("writes_2", |x| x.store(2, Relaxed))
        .thread("left", reads)
        .thread("right", reads)
        .always("one modification order", |returned| {
            let both = ["left", "right"].map(|reader| returned.get::<(u64, u64)>(reader));
            both != [(1, 2), (2, 1)] && both != [(2, 1), (1, 2)]
        })
        .check();
}

/// Whether the reader saw a store to `first` and none to `second`.
fn only_first(first: &AtomicU64, second: &AtomicU64, load: Ordering) -> bool {
    (first.load(load), second.load(load)) == (1, 0)
}

fn iriw(store: Ordering, load: Ordering) -> Model<(AtomicU64, AtomicU64)> {
    Model::new(<(AtomicU64, AtomicU64)>::default)
        .thread("writes_x", move |(x, _)| x.store(1, store))
        .thread("writes_y", move |(_, y)| y.store(1, store))
        .thread("xy", move |(x, y)| only_first(x, y, load))
        .thread("yx", move |(x, y)| only_first(y, x, load))
        .acceptable("xy=true yx=false", "x was stored before y")
        .acceptable("xy=false yx=true", "y was stored before x")
        .acceptable("xy=false yx=false", "the reads do not tell the order")
}

#[test]
fn iriw_release_acquire() {
    let report = iriw(Release, Acquire)
        .interesting("xy=true yx=true", "the readers disagree on the order of the stores")
        .check();
    assert_shown(include_str!("3_coherence_and_iriw.rs"), &report.to_string());
}

#[test]
fn seq_cst_readers_agree() {
    iriw(Release, SeqCst).check();
    iriw(SeqCst, SeqCst).check();
}
