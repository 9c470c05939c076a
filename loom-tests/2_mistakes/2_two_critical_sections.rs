//! # Every access is locked: is the program right?
//!
//! A web shop has one seat left. Alice and bob buy at the same time. Each purchase runs this:
//!
//! ```rust
//! let free = *seats.lock().unwrap() > 0;
//! if free {
//!     *seats.lock().unwrap() -= 1;
//! }
//! ```
//!
//! The number is in a mutex, so no access is without the lock. **Guess:** who can get the seat?
//!
//! **Output.** Alice, or bob, or both:
//!
//! ```text
//!   alice=true bob=false  acceptable          1  alice has the seat
//!   alice=false bob=true  acceptable          1  bob has the seat
//!   alice=true bob=true   interesting         4  one seat is sold twice
//!   alice=true bob=true is reached like this:
//!       alice                bob
//!    1                       m1.lock
//!    2                       m1.unlock
//!                            ~~ preempted ~~
//!    3  m1.lock
//!    4  m1.unlock
//!    5  m1.lock
//!    6  m1.unlock
//!    7                       m1.lock
//!    8                       m1.unlock
//! ```
//!
//! Steps 1 and 2 are bob's check, 3 and 4 alice's check, 5 and 6 her purchase, 7 and 8 his. On real threads the seat
//! was sold twice in 0 to 316 of 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book --
//! two_critical_sections:: --nocapture`, two cores, 2026-11-29).
//!
//! **Why.** What a thread does between lock and unlock is a *critical section*: no other section of the same lock runs
//! meanwhile. Here check and act are two. Between them the lock is free, and what was checked may change. This is
//! **check-then-act**. It is no data race, so a race detector is silent. Nor does a type help that locks inside: each
//! call of a `Map` is one critical section, so `get` and then `update` are two.
//!
//! **Fix.** Check and act in one section: keep the guard. Of a `Map`, do both in one call, in the closure.
//!
//! **Break it yourself.** In `sell_in_one_section` replace `*left -=` by `drop(left); *seats.lock().unwrap() -=`.
//! `check_and_act_in_one_section_sell_one_seat_once` fails: *reached alice=true bob=true*.
//! Exercise: `cargo exercise lazy` (see `exercises/README.md`).

use selvedge::Map;
use selvedge_model::Model;
use selvedge_model::sync::Mutex;

use crate::shown::assert_shown;

/// Racy: checks in one critical section, and acts in another.
fn sell_in_two_sections(seats: &Mutex<i64>) -> bool {
    let free = *seats.lock().unwrap() > 0;
    if free {
        *seats.lock().unwrap() -= 1;
    }
    free
}

/// Sound: holds the lock from the check to the act.
fn sell_in_one_section(seats: &Mutex<i64>) -> bool {
    let mut left = seats.lock().unwrap();
    let free = *left > 0;
    *left -= i64::from(free);
    free
}

fn sale<S: Send + Sync + 'static>(shop: fn() -> S, sell: fn(&S) -> bool) -> Model<S> {
    Model::new(shop)
        .thread("alice", sell)
        .thread("bob", sell)
        .acceptable("alice=true bob=false", "alice has the seat")
        .acceptable("alice=false bob=true", "bob has the seat")
}

#[test]
fn check_and_act_in_two_sections_sell_one_seat_twice() {
    let report = sale(|| Mutex::new(1), sell_in_two_sections)
        .interesting("alice=true bob=true", "one seat is sold twice")
        .check();
    assert_shown(include_str!("2_two_critical_sections.rs"), &report.to_string());
}

#[test]
fn check_and_act_in_one_section_sell_one_seat_once() {
    sale(|| Mutex::new(1), sell_in_one_section).check();
}

type Shows = Map<&'static str, i64>;
fn shows() -> Shows {
    let shows = Map::with_shards(1).expect("1 shard is accepted");
    shows.insert("tonight", 1);
    shows
}

#[test]
fn two_calls_of_a_map_sell_one_seat_twice() {
    let sell = |shows: &Shows| {
        let free = shows.get("tonight") > Some(0);
        shows.update("tonight", |seats| seats - i64::from(free));
        free
    };
    sale(shows, sell).interesting("alice=true bob=true", "one seat is sold twice").check();
}

#[test]
fn one_call_of_a_map_sells_one_seat_once() {
    let sell = |shows: &Shows| {
        let mut free = false;
        shows.update("tonight", |seats| {
            free = *seats > 0;
            seats - i64::from(free)
        });
        free
    };
    sale(shows, sell).check();
}
