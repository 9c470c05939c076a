//! # The total is wrong. Is that a data race?
//!
//! **Answer.** Not necessarily: a *race condition* makes the result depend on who comes first, a *data race*
//! is two unordered accesses to plain memory, one of them a write. There is each without the other. So a
//! detector of data races that is silent says nothing about the total, and a total that is always right
//! says nothing about data races.
//!
//! | | no data race | data race |
//! |---|---|---|
//! | the result is right | [`Counter`] | [`UnsyncMark`] |
//! | the result may be wrong | [`LossyCounter`] | [`UnsyncCounter`] |
//!
//! **Why the racy twins fail.** [`LossyCounter`] loads and stores an atomic: both are allowed at any time, so
//! no detector of data races objects, and two threads that both load 0 both store 1. [`UnsyncCounter`]
//! does the same in plain memory, which is undefined behaviour besides. [`UnsyncMark`] only ever writes
//! one and the same value, and every interleaving leaves that one behind: "harmless", and undefined
//! behaviour all the same. The compiler may do with it what it likes.
//!
//! **Why the sound one holds.** An add by [`Counter::add`] is one read-modify-write of an atomic. There is no
//! step between load and store for anybody to come into, and no plain memory.
//!
//! **Beside a detector.** `examples/src/bin/exercise_counter.rs` lets two threads increment each of these counters,
//! the same types, 100,000 times. Under LLVM's thread sanitizer (two cores, rustc 1.97.0-nightly of
//! 2026-05-19, 100 runs each),
//!
//! ```text
//! RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" cargo +nightly run --release \
//!     -p examples --bin exercise_counter --target x86_64-unknown-linux-gnu -- split    # or plain, or sound
//! ```
//!
//! | | data race reported | total wrong |
//! |---|---|---|
//! | `split` | in 0 of 100 runs | in 9 |
//! | `plain` | in 100 | in 0 |
//! | `sound` | in 0 | in 0 |
//!
//! The detector is right each time, and so is the total that it objects to. The wrong totals it cannot see,
//! and a run shows one seldom; the models below report them, and the data races, each time. (The
//! command leaves the standard library as it is, without instrumentation. With it, a program whose
//! scope waits for the threads was reported for the scope's own doings: hence the joins in the example.)
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two threads
//! with one or two operations each. What a compiler makes of a data race is not modelled: a model ends at
//! the first one.

use selvedge::Counter;
use selvedge_model::sync::atomic::AtomicU64;
use selvedge_model::{Failure, Model};
use specimens::racy::{LossyCounter, UnsyncCounter};

use specimens::racy::UnsyncMark;

// ---------------------------------------------------------------------------------------------
// Racy: a race condition, a data race, both.
// ---------------------------------------------------------------------------------------------

/// An increment is a load and a store: a race condition, and no data race.
#[test]
fn a_total_is_wrong_without_a_data_race() {
    Model::new(LossyCounter::new)
        .thread("alice", LossyCounter::increment)
        .thread("bob", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .acceptable("total=2", "the increments did not overlap")
        .interesting("total=1", "both loaded 0: one increment is lost")
        .check();
}

/// Stronger orderings are no cure: they say what else is seen, not that nobody comes between.
#[test]
fn acquire_and_release_do_not_help() {
    use selvedge_model::sync::atomic::Ordering::{Acquire, Release};
    fn increment(count: &AtomicU64) {
        let before = count.load(Acquire);
        count.store(before + 1, Release);
    }
    Model::new(|| AtomicU64::new(0))
        .thread("alice", increment)
        .thread("bob", increment)
        .finally("total", |count| count.load(Acquire))
        .acceptable("total=2", "the increments did not overlap")
        .interesting("total=1", "both loaded 0: one increment is lost")
        .check();
}

/// The same in plain memory, shared: a race condition, and a data race.
#[test]
fn a_total_in_plain_memory_is_a_data_race() {
    Model::new(UnsyncCounter::new)
        .thread("alice", UnsyncCounter::increment)
        .thread("bob", UnsyncCounter::increment)
        .fails(Failure::DataRace)
        .check();
}

#[test]
fn a_data_race_that_cannot_change_the_result_is_one_all_the_same() {
    Model::new(UnsyncMark::new)
        .thread("alice", UnsyncMark::set)
        .thread("bob", UnsyncMark::set)
        .fails(Failure::DataRace)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: neither.
// ---------------------------------------------------------------------------------------------

fn counter() -> Counter {
    Counter::with_stripes(1).expect("1 stripe is accepted")
}

#[test]
fn a_total_that_is_added_to_in_one_step_is_right() {
    Model::new(counter)
        .thread("alice", Counter::increment)
        .thread("bob", Counter::increment)
        .finally("total", Counter::get)
        .acceptable("total=2", "no increment is lost")
        .check();
}

/// Handles: each has a cell of its own, so a load and a store would do, and nobody comes between.
#[test]
fn a_total_of_cells_with_one_writer_each_is_right() {
    Model::new(counter)
        .thread("alice", |count| {
            let mut mine = count.handle();
            mine.increment();
            mine.increment();
        })
        .thread("bob", |count| {
            let mut mine = count.handle();
            mine.increment();
            mine.increment();
        })
        .finally("total", Counter::get)
        .acceptable("total=4", "no increment is lost")
        .check();
}
