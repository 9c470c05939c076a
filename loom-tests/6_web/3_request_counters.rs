//! # Does a rate limit let one request too many through?
//!
//! A server counts its requests. A client may send one request per minute, and a reporter reads the count once a minute
//! and sets it to 0. Every access is atomic:
//!
//! ```rust
//! if used.load(SeqCst) < LIMIT { used.fetch_add(1, SeqCst); true } else { false }      // rate limit
//! let seen = count.load(SeqCst); count.store(0, SeqCst); seen                          // report
//! ```
//!
//! **Guess:** how many of two requests does the limit let through? Is each request in a report?
//!
//! **Output.** Two requests pass a limit of one:
//!
//! ```text
//!       first                  second
//!    1                         a1.load = 0
//!                              ~~ preempted ~~
//!    2  a1.load = 0
//!    3  a1.fetch_add(1): 0 ->
//!         1
//!    4                         a1.fetch_add(1): 1 ->
//!                                2
//! ```
//!
//! Real threads showed it in 4 to 77 of 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book --
//! request_counters:: --nocapture`, 2026-11-29, two cores).
//!
//! **Why.** **Check-then-act**, the defect of lesson 2.2: both requests load 0 before either has added 1. The act is
//! one atomic step, and that does not help, because the check is another one. New is the report, which has the same
//! gap: a request that is counted between its load and its store is in no report, a **lost update** (second test).
//!
//! **Fix.** One step each. `fetch_update` compares the count with the limit and adds in one read-modify-write; it
//! retries if the count has changed. `swap(0)` reads and resets. `selvedge::Counter` does it with `take`: each request
//! is in exactly one report, though many threads add to many cells.
//!
//! **Break it yourself.** In `counter_take_loses_no_request` replace `Counter::take` by
//! `|count| (count.get(), count.take()).0`. The test fails: *reached reporter=0 next=0, which the table does not
//! declare*.
//!
//! Exercise: `cargo exercise rate_limiter` (see `exercises/README.md`).

use selvedge::Counter;
use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::shown::assert_shown;

/// The number of requests of a client in a minute.
const LIMIT: u64 = 1;

/// Racy: checks in one step and counts in another.
fn check_then_count(used: &AtomicU64) -> bool {
    let free = used.load(SeqCst) < LIMIT;
    if free {
        used.fetch_add(1, SeqCst);
    }
    free
}

/// Sound: checks and counts in one step.
fn count_below_limit(used: &AtomicU64) -> bool {
    used.fetch_update(SeqCst, SeqCst, |used| (used < LIMIT).then_some(used + 1)).is_ok()
}

/// Racy: reads in one step and resets in another.
fn read_then_reset(count: &AtomicU64) -> u64 {
    let seen = count.load(SeqCst);
    count.store(0, SeqCst);
    seen
}

#[test]
fn check_then_count_lets_two_requests_through() {
    let report = Model::new(AtomicU64::default)
        .thread("first", check_then_count)
        .thread("second", check_then_count)
        .acceptable("first=true second=false", "the first request was first")
        .acceptable("first=false second=true", "the second request was first")
        .interesting("first=true second=true", "both found the limit not reached")
        .check();
    assert_shown(include_str!("3_request_counters.rs"), &report.to_string());
}

#[test]
fn read_then_reset_loses_a_request() {
    Model::new(AtomicU64::default)
        .thread("request", |count| {
            count.fetch_add(1, SeqCst);
        })
        .thread("reporter", read_then_reset)
        .finally("next", |count| count.load(SeqCst))
        .acceptable("reporter=1 next=0", "in this report")
        .acceptable("reporter=0 next=1", "in the next report")
        .interesting("reporter=0 next=0", "in no report")
        .check();
}

#[test]
fn fetch_update_lets_one_request_through() {
    Model::new(AtomicU64::default)
        .thread("first", count_below_limit)
        .thread("second", count_below_limit)
        .acceptable("first=true second=false", "the first request was first")
        .acceptable("first=false second=true", "the second request was first")
        .check();
}

#[test]
fn counter_take_loses_no_request() {
    Model::new(Counter::new)
        .thread("request", Counter::increment)
        .thread("reporter", Counter::take)
        .finally("next", Counter::get)
        .acceptable("reporter=1 next=0", "in this report")
        .acceptable("reporter=0 next=1", "in the next report")
        .check();
}
