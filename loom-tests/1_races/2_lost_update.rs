//! # Why does the counter print 842 for 1,000?
//!
//! Ten threads increment one counter a hundred times each. The counter is an atomic, so there is no data race. An
//! increment is written like this:
//!
//! ```rust
//! let seen = total.load(Relaxed);
//! total.store(seen + 1, Relaxed);
//! ```
//!
//! (`Relaxed` is a memory ordering. It makes no difference here; orderings are chapter 4.) The smallest such program
//! has two threads, alice and bob, with one increment each. **Guess:** which totals can come out?
//!
//! **Output.** 2, and also 1. Here is every total, its grade in the test (`acceptable` is right, `interesting` is what
//! the lesson shows), in how many executions it is reached, and one of those that lose:
//!
//! ```text
//!   total=2  acceptable          2  one increment after the other
//!   total=1  interesting         2  both load 0: one update is lost
//!   total=1 is reached like this:
//!       alice                     bob
//!    1                            a1.load = 0
//!                                 ~~ preempted ~~
//!    2  a1.load = 0
//!    3  a1.store 1
//!    4                            a1.store 1
//! ```
//!
//! On real threads the total was 1 in 0 to 71 of 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book --
//! lost_update:: --nocapture`, two cores, 2026-11-29). A *round* is one run of the model on real threads. The number
//! depends on the machine and on what else runs there, and 0 is common: lesson 1.4 says why. This holds for all such
//! numbers in the lessons.
//!
//! **Why.** Bob is *preempted* between his load and his store: alice runs before he goes on, on the same core or on
//! another one. His store then overwrites alice's update with a value that does not contain it. This is a **lost
//! update**. Each access is atomic; the pair is not.
//!
//! The longer bob is away, the more is lost. In the second test bob adds three times between alice's load and her
//! store, and the total is 1 instead of 4. A program that prints 842 for 1,000 has lost 158 updates in this way.
//!
//! **Fix.** Make the increment one step. `fetch_add` is one: a read-modify-write, which reads the newest value and
//! writes the next without another store between the two. A lock that is held from the load to the store has the same
//! effect.
//!
//! **Break it yourself.** In `increment_in_one_step` replace `total.fetch_add(1, Relaxed)` by
//! `total.store(total.load(Relaxed) + 1, Relaxed)`. `fetch_add_keeps_every_update` fails: *reached total=1, which the
//! table does not declare; it declares total=2*.
//!
//! Exercise: `cargo exercise counter` (see `exercises/README.md`).

use selvedge_model::Model;
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::shown::assert_shown;

/// Racy: two steps.
fn increment_in_two_steps(total: &AtomicU64) {
    let seen = total.load(Relaxed);
    total.store(seen + 1, Relaxed);
}

/// Sound: one step.
fn increment_in_one_step(total: &AtomicU64) {
    total.fetch_add(1, Relaxed);
}

/// Sound: two steps, and no other thread in between.
fn increment_under_a_lock(total: &Mutex<u64>) {
    let mut total = total.lock().unwrap();
    *total += 1;
}

#[test]
fn split_increment_loses_an_update() {
    let report = Model::new(|| AtomicU64::new(0))
        .thread("alice", increment_in_two_steps)
        .thread("bob", increment_in_two_steps)
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=2", "one increment after the other")
        .interesting("total=1", "both load 0: one update is lost")
        .check();
    assert_shown(include_str!("2_lost_update.rs"), &report.to_string());
}

/// How 842 comes about: one late store overwrites every update since its load.
#[test]
fn one_late_store_overwrites_all_updates_since_its_load() {
    Model::new(|| AtomicU64::new(0))
        .thread("alice", increment_in_two_steps)
        .thread("bob", |total| (0..3).for_each(|_| increment_in_two_steps(total)))
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=4", "no two increments overlap")
        .interesting("total=3", "one update is lost")
        .interesting("total=2", "two updates are lost")
        .interesting("total=1", "alice loads 0 before bob's three updates and stores 1 after them")
        .check();
}

#[test]
fn fetch_add_keeps_every_update() {
    Model::new(|| AtomicU64::new(0))
        .thread("alice", increment_in_one_step)
        .thread("bob", increment_in_one_step)
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=2", "no update is lost")
        .check();
}

#[test]
fn locked_increment_keeps_every_update() {
    Model::new(|| Mutex::new(0))
        .thread("alice", increment_under_a_lock)
        .thread("bob", increment_under_a_lock)
        .finally("total", |total| *total.lock().unwrap())
        .acceptable("total=2", "no update is lost")
        .check();
}
