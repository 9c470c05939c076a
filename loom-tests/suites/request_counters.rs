//! # Does a count of requests lose any, and does a limit let one too many through?
//!
//! **Answer.** Totals in a [`Counter`] lose nothing, also while they are read and begun anew by
//! [`Counter::take`]. A limit holds if to look at the count, to begin a new window, and to count are one
//! step: [`Map::compute`] with a count for each client, one compare-and-exchange with a count for all.
//! In two steps each of the three goes wrong.
//!
//! **Why the racy twins fail.** [`GetThenInsertCounts`] gets, adds and inserts: two requests of one path
//! count as one. [`ReadThenResetCount`] reports what it read and sets the count to 0, with what came in
//! between. [`CheckThenCountLimiter`] looks whether there is room, and then counts: two requests are
//! let in where there is room for one. [`CountThenUndoLimiter`] counts first and takes that back if it
//! was too much, which does hold the limit, until a window begins between the two: then it takes back
//! what is no longer there, and the count passes below 0. [`TwoWordLimiter`] keeps window and count in
//! two atomics: of two requests that both begin the new window, the second one resets what the first
//! has counted.
//!
//! **Why the sound ones hold.** [`Counter`] never sets anything back, see `counter.rs`. The closure of
//! [`Map::compute`] sees the count as it is when the new one takes its place. [`OneWordLimiter`] keeps
//! window and count in one word: the compare-and-exchange succeeds only if neither has changed since
//! they were looked at, and otherwise looks again.
//!
//! **The code** of the sound ones, and of the twins that `cargo run -p examples --bin web -- --racy` runs, is
//! `specimens/src/requests.rs`: what is proved here is what the server runs. The other twins are in
//! `specimens/src/requests/racy.rs`.
//!
//! **Under load.** `cargo run --release -p examples --bin web` counts what it answers, and shows it on `/metrics`. On
//! two cores, 2026-11-24: `ab -c 8 -n 100000` completed 100,000 requests, and 100,000 were counted;
//! `wrk -t 2 -c 8 -d 10` then completed 872,665, and 872,673 were counted, for wrk hangs up at the end with
//! a request under way on each of its eight connections. With `--racy`, `ab` completed 20,000 requests,
//! and 3,730 were counted.
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one or two requests each, and a limit of one request a window. Time is the number
//! of a window, handed in by each request, so requests may also come late. Two windows that follow each
//! other let through twice the limit within a short time: that is what fixed windows mean, and no race.

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

/// How many requests a window lets through.
const LIMIT: u32 = 1;

/// Window 0, with no room left.
const FULL: Seen = Seen { window: 0, count: LIMIT };

// ---------------------------------------------------------------------------------------------
// Racy: counts.
// ---------------------------------------------------------------------------------------------

fn no_counts() -> RequestCounts<u64, ByParity> {
    RequestCounts(by_parity([]))
}

/// It works on every developer's machine: there, one request comes at a time.
#[test]
fn a_count_that_is_got_and_inserted_loses_requests() {
    Model::new(|| GetThenInsertCounts { counts: no_counts(), between: || () })
        .thread("alice", |counts| counts.count(PATH))
        .thread("bob", |counts| counts.count(PATH))
        .finally("total", |counts| counts.counts.all())
        .acceptable("total=[(1, 2)]", "one after the other")
        .interesting("total=[(1, 1)]", "both got the same count: one request is lost")
        .check();
}

/// Nobody notices: a report has no total to be compared with.
#[test]
fn a_report_that_resets_later_loses_requests() {
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
fn a_limit_that_is_checked_first_lets_one_too_many_through() {
    let admit = |limiter: &CheckThenCountLimiter<_>| limiter.admit(CLIENT, 0).is_ok();
    Model::new(|| CheckThenCountLimiter { limiter: new_client(), between: || () })
        .thread("alice", admit)
        .thread("bob", admit)
        .acceptable("alice=true bob=false", "alice was first")
        .acceptable("alice=false bob=true", "bob was first")
        .interesting("alice=true bob=true", "both looked before either counted")
        .check();
}

/// Below 0 is 18446744073709551615: the window has just begun, and the next request is refused.
#[test]
fn a_count_that_is_taken_back_in_the_next_window_passes_below_zero() {
    Model::new(CountThenUndoLimiter::full)
        .thread("alice", CountThenUndoLimiter::admit)
        .thread("clock", CountThenUndoLimiter::begin_window)
        .finally("count", |limiter| limiter.count.load(Relaxed))
        .finally("next", CountThenUndoLimiter::admit)
        .acceptable("alice=false count=0 next=true", "refused, then the window began")
        .acceptable("alice=true count=1 next=false", "the window began, then she was let in")
        .interesting(
            "alice=false count=18446744073709551615 next=false",
            "the window began between count and undo: nobody is let in, and it looks full",
        )
        .check();
}

/// To count in one step is not enough, if beginning a window is not part of it.
#[test]
fn two_requests_that_begin_a_window_are_both_let_through() {
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
fn a_report_neither_loses_nor_doubles_a_request() {
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
fn a_count_for_each_path_loses_nothing() {
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
fn a_report_of_one_path_neither_loses_nor_doubles_a_request() {
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

/// Whether a request of [`CLIENT`] in window 1 is let through.
fn admit_in_window_1(limiter: &ClientLimiter<ByParity>) -> bool {
    limiter.admit(CLIENT, 1).is_ok()
}

#[test]
fn one_of_three_requests_of_a_new_client_is_let_through() {
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
fn one_of_two_requests_that_begin_a_window_is_let_through() {
    Model::new(full_client)
        .thread("first", admit_in_window_1)
        .thread("second", admit_in_window_1)
        .acceptable("first=true second=false", "the first was first")
        .acceptable("first=false second=true", "the second was first")
        .check();
}

/// In whichever order they come, the old window is full and the new one lets one through.
#[test]
fn a_request_that_comes_late_does_not_begin_the_old_window_anew() {
    Model::new(full_client)
        .thread("late", |limiter| limiter.admit(CLIENT, 0).is_ok())
        .thread("first", admit_in_window_1)
        .thread("second", admit_in_window_1)
        .acceptable("late=false first=true second=false", "the first was let in")
        .acceptable("late=false first=false second=true", "the second was let in")
        .check();
}

/// One that comes late is counted where there is room: in the window that has begun, and it is told so.
#[test]
fn a_request_that_comes_late_is_let_through_in_the_window_that_has_begun() {
    Model::new(|| ClientLimiter { limit: 2, ..new_client() })
        .thread("late", |limiter| limiter.admit(CLIENT, 0).ok())
        .thread("first", |limiter| limiter.admit(CLIENT, 1).ok())
        .acceptable("late=Some(0) first=Some(1)", "it was not late after all")
        .acceptable("late=Some(1) first=Some(1)", "late, and there was room for two")
        .check();
}

#[test]
fn clients_do_not_use_up_each_others_limit() {
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

/// Who looks on sees a window and the number of its requests, not one of them and half of the other.
#[test]
fn who_looks_at_one_word_sees_a_window_with_its_own_count() {
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
fn one_of_two_requests_that_begin_a_window_in_one_word_is_let_through() {
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
fn a_late_request_leaves_the_word_in_its_window() {
    Model::new(full_word)
        .thread("late", |limiter| limiter.admit(0).is_ok())
        .thread("first", |limiter| limiter.admit(1).is_ok())
        .thread("second", |limiter| limiter.admit(1).is_ok())
        .acceptable("late=false first=true second=false", "the first was let in")
        .acceptable("late=false first=false second=true", "the second was let in")
        .check();
}
