//! # Request counters and rate limits
//!
//! Proved of [`RequestCounts`] and [`Counter::take`]: each request is in exactly one report. Proved of
//! [`ClientLimiter`] and [`OneWordLimiter`]: no window admits more than its limit. Checking the count, opening a
//! window and counting are one step: [`Map::compute`](selvedge::Map::compute), or a compare-exchange of window and
//! count in one word.
//!
//! **Racy variants.** [`GetThenInsertCounts`]: lost update. [`ReadThenResetCount`]: lost update between read and
//! reset. [`CheckThenCountLimiter`]: check-then-act. [`CountThenUndoLimiter`]: the undo comes in the next window,
//! and the count underflows. [`TwoWordLimiter`]: window and count in two atomics, so one request resets the count
//! of another.
//!
//! **Under load.** `cargo run --release -p examples --bin web`, on two cores, 2026-11-24: `ab -c 8 -n 100000`
//! completed 100,000 requests, and 100,000 were counted. `wrk -t 2 -c 8 -d 10` then completed 872,665, and 872,673
//! were counted: it closes its eight connections with a request in flight on each. With `--racy`, `ab` completed
//! 20,000 requests, and 3,730 were counted.
//!
//! **Scope.** Explored completely, for two or three threads with one or two requests each, and a limit of one or
//! two requests in a window. Time is the number of the window, which each request passes.

use selvedge::Counter;
use selvedge_model::Model;
use selvedge_model::sync::atomic::Ordering::Relaxed;

use crate::support::by_parity::{ByParity, by_parity};
use specimens::requests::racy::{CheckThenCountLimiter, GetThenInsertCounts};
use specimens::requests::racy::{CountThenUndoLimiter, ReadThenResetCount, TwoWordLimiter};
use specimens::requests::{ClientLimiter, OneWordLimiter, RequestCounts, Seen};

/// A path whose requests are counted, and a client whose requests are limited.
const PATH: u64 = 1;
const CLIENT: u64 = 1;

/// How many requests a window admits.
const LIMIT: u32 = 1;

/// Window 0, with no room left.
const FULL: Seen = Seen { window: 0, count: LIMIT };

// ---------------------------------------------------------------------------------------------
// Racy: counts.
// ---------------------------------------------------------------------------------------------

fn no_counts() -> RequestCounts<u64, ByParity> {
    RequestCounts(by_parity([]))
}

/// Both requests get the same count.
#[test]
fn get_then_insert_loses_requests() {
    Model::new(|| GetThenInsertCounts { counts: no_counts(), between: || () })
        .thread("alice", |counts| counts.count(PATH))
        .thread("bob", |counts| counts.count(PATH))
        .finally("total", |counts| counts.counts.all())
        .acceptable("total=[(1, 2)]", "one after the other")
        .interesting("total=[(1, 1)]", "both got the same count: one request is lost")
        .check();
}

/// Requests between the read and the reset are in no report.
#[test]
fn read_then_reset_loses_requests() {
    Model::new(ReadThenResetCount::new)
        .thread("alice", ReadThenResetCount::count)
        .thread("bob", ReadThenResetCount::count)
        .thread("reporter", ReadThenResetCount::report)
        .finally("rest", ReadThenResetCount::report)
        .acceptable("reporter=0 rest=2", "reported first")
        .acceptable("reporter=1 rest=1", "reported in between")
        .acceptable("reporter=2 rest=0", "reported last")
        .interesting("reporter=0 rest=0", "both came between read and reset")
        .interesting("reporter=0 rest=1", "one came between read and reset, one later")
        .interesting("reporter=1 rest=0", "one came between read and reset, one before")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Racy: limits.
// ---------------------------------------------------------------------------------------------

/// [`CLIENT`] has sent nothing yet.
fn new_client() -> ClientLimiter<ByParity> {
    ClientLimiter { limit: LIMIT, seen: by_parity([]) }
}

/// Window 0 is full for [`CLIENT`].
fn full_client() -> ClientLimiter<ByParity> {
    ClientLimiter { limit: LIMIT, seen: by_parity([(CLIENT, FULL)]) }
}

#[test]
fn check_then_count_exceeds_the_limit() {
    let admit = |limiter: &CheckThenCountLimiter<_>| limiter.admit(CLIENT, 0).is_ok();
    Model::new(|| CheckThenCountLimiter { limiter: new_client(), between: || () })
        .thread("alice", admit)
        .thread("bob", admit)
        .acceptable("alice=true bob=false", "alice was first")
        .acceptable("alice=false bob=true", "bob was first")
        .interesting("alice=true bob=true", "both looked before either counted")
        .check();
}

/// 0 - 1 is 18446744073709551615: the next request of a new window is refused.
#[test]
fn undo_in_the_next_window_underflows() {
    Model::new(CountThenUndoLimiter::full)
        .thread("alice", CountThenUndoLimiter::admit)
        .thread("clock", CountThenUndoLimiter::begin_window)
        .finally("count", |limiter| limiter.count.load(Relaxed))
        .finally("next", CountThenUndoLimiter::admit)
        .acceptable("alice=false count=0 next=true", "refused, then the window began")
        .acceptable("alice=true count=1 next=false", "the window began, then she was let in")
        .interesting(
            "alice=false count=18446744073709551615 next=false",
            "the window began between count and undo: it is empty, and counts as full",
        )
        .check();
}

/// Counting is one step, but opening a window is another one.
#[test]
fn window_and_count_in_two_words_exceed_the_limit() {
    Model::new(TwoWordLimiter::full)
        .thread("alice", |limiter| limiter.admit(1))
        .thread("bob", |limiter| limiter.admit(1))
        .acceptable("alice=true bob=false", "alice was first")
        .acceptable("alice=false bob=true", "bob was first")
        .interesting("alice=true bob=true", "one reset what the other had counted")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: counts.
// ---------------------------------------------------------------------------------------------

#[test]
fn take_reports_each_request_once() {
    Model::new(|| Counter::with_stripes(1).expect("1 stripe is accepted"))
        .thread("alice", Counter::increment)
        .thread("bob", Counter::increment)
        .thread("reporter", Counter::take)
        .finally("rest", Counter::take)
        .acceptable("reporter=0 rest=2", "reported first")
        .acceptable("reporter=1 rest=1", "reported in between")
        .acceptable("reporter=2 rest=0", "reported last")
        .check();
}

#[test]
fn count_of_each_path_keeps_every_request() {
    Model::new(no_counts)
        .thread("alice", |counts| {
            counts.count(PATH);
            counts.count(PATH + 1);
        })
        .thread("bob", |counts| {
            counts.count(PATH + 1);
            counts.count(PATH);
        })
        .finally("counts", |counts| {
            let mut counts = counts.all();
            counts.sort_unstable();
            counts
        })
        .finally("total", RequestCounts::total)
        .acceptable("counts=[(1, 2), (2, 2)] total=4", "all four are counted")
        .check();
}

#[test]
fn take_of_one_path_reports_each_request_once() {
    Model::new(no_counts)
        .thread("alice", |counts| counts.count(PATH))
        .thread("bob", |counts| counts.count(PATH))
        .thread("reporter", |counts| counts.take(&PATH))
        .finally("rest", |counts| counts.take(&PATH))
        .acceptable("reporter=0 rest=2", "reported first")
        .acceptable("reporter=1 rest=1", "reported in between")
        .acceptable("reporter=2 rest=0", "reported last")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: limits.
// ---------------------------------------------------------------------------------------------

/// Whether a request of [`CLIENT`] in window 1 is admitted.
fn admit_in_window_1(limiter: &ClientLimiter<ByParity>) -> bool {
    limiter.admit(CLIENT, 1).is_ok()
}

#[test]
fn new_client_is_admitted_once() {
    Model::new(new_client)
        .thread("first", admit_in_window_1)
        .thread("second", admit_in_window_1)
        .thread("third", admit_in_window_1)
        .acceptable("first=true second=false third=false", "the first was first")
        .acceptable("first=false second=true third=false", "the second was first")
        .acceptable("first=false second=false third=true", "the third was first")
        .check();
}

#[test]
fn new_window_admits_one() {
    Model::new(full_client)
        .thread("first", admit_in_window_1)
        .thread("second", admit_in_window_1)
        .acceptable("first=true second=false", "the first was first")
        .acceptable("first=false second=true", "the second was first")
        .check();
}

/// The old window is full and the new one admits one, in any order.
#[test]
fn late_request_does_not_reopen_its_window() {
    Model::new(full_client)
        .thread("late", |limiter| limiter.admit(CLIENT, 0).is_ok())
        .thread("first", admit_in_window_1)
        .thread("second", admit_in_window_1)
        .acceptable("late=false first=true second=false", "the first was let in")
        .acceptable("late=false first=false second=true", "the second was let in")
        .check();
}

/// A late request is counted in the current window, and gets its number.
#[test]
fn late_request_counts_in_the_current_window() {
    Model::new(|| ClientLimiter { limit: 2, ..new_client() })
        .thread("late", |limiter| limiter.admit(CLIENT, 0).ok())
        .thread("first", |limiter| limiter.admit(CLIENT, 1).ok())
        .acceptable("late=Some(0) first=Some(1)", "it was not late after all")
        .acceptable("late=Some(1) first=Some(1)", "late, and there was room for two")
        .check();
}

#[test]
fn clients_have_separate_limits() {
    Model::new(new_client)
        .thread("alice", |limiter| limiter.admit(CLIENT, 0).is_ok())
        .thread("bob", |limiter| limiter.admit(CLIENT + 2, 0).is_ok())
        .acceptable("alice=true bob=true", "one request each, in one shard")
        .check();
}

/// One limit for all, without a lock. Window 0 is full.
fn full_word() -> OneWordLimiter {
    OneWordLimiter::new(LIMIT, FULL)
}

/// A reader gets a window and its own count.
#[test]
fn read_of_one_word_is_not_torn() {
    Model::new(full_word)
        .thread("client", |limiter| limiter.admit(1).ok())
        .thread("operator", |limiter| {
            let seen = limiter.seen();
            (seen.window, seen.count)
        })
        .acceptable("client=Some(1) operator=(0, 1)", "looked before")
        .acceptable("client=Some(1) operator=(1, 1)", "looked after")
        .check();
}

#[test]
fn new_window_in_one_word_admits_one() {
    Model::new(full_word)
        .thread("first", |limiter| limiter.admit(1).ok())
        .thread("second", |limiter| limiter.admit(1).ok())
        .finally("seen", |limiter| {
            let seen = limiter.seen();
            (seen.window, seen.count)
        })
        .acceptable("first=Some(1) second=None seen=(1, 1)", "the first was first")
        .acceptable("first=None second=Some(1) seen=(1, 1)", "the second was first")
        .check();
}

#[test]
fn late_request_in_one_word_does_not_reopen_its_window() {
    Model::new(full_word)
        .thread("late", |limiter| limiter.admit(0).is_ok())
        .thread("first", |limiter| limiter.admit(1).is_ok())
        .thread("second", |limiter| limiter.admit(1).is_ok())
        .acceptable("late=false first=true second=false", "the first was let in")
        .acceptable("late=false first=false second=true", "the second was let in")
        .check();
}
