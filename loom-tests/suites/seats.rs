//! # What is a race?
//!
//! **Answer.** Two things share the word. A *data race*: two threads, one memory, at least one of them
//! writes, and nothing orders the two accesses. It is undefined behaviour, and safe Rust does not
//! compile it: what can be changed through a shared reference, without synchronisation, is not [`Sync`],
//! and a second thread cannot have it. A *race condition*: the result depends on an order that nobody has decided, and in one
//! order it is wrong. Safe Rust compiles that like any other language.
//!
//! | | right in every order | wrong in one |
//! |---|---|---|
//! | **data race** | both write the same value | the last seat, in plain memory |
//! | **no data race** | the cures below | the last seat, in an atomic: look, then sell |
//!
//! **Why the racy twins fail.** [`PlainSeats`] is plain memory behind a promise (`unsafe impl Sync`)
//! that nobody keeps. [`LookThenSellSeats`] makes each access atomic, and so the race detector has
//! nothing to report: each access is ordered, and that is all that it looks at. That the seat which was
//! looked at is the seat which is sold is known to the program alone. It has to be said in a table of
//! outcomes, and a table finds it.
//!
//! **Why the sound ones hold.** Looking and selling are one step: one read-modify-write
//! ([`OneStepSeats`]), one lock held over both ([`LockedSeats`]), or one call of [`Map::compute`]. Plain
//! memory is in order where something orders it: who has loaded the flag of [`FlaggedSeats`] with
//! `Acquire` sees all that was written before the flag was stored with `Release`. With `Relaxed` it does
//! not ([`RelaxedFlagSeats`]).
//!
//! **The code** of the sound ones is in `specimens/src/seats.rs`, of the twins in
//! `specimens/src/seats/racy.rs`. What matters is whether looking and selling are one step:
//!
//! ```text
//! fetch_update(Relaxed, Relaxed, |left| (left > 0).then(|| left - 1))          // OneStepSeats
//!
//! let free = self.0.load(Relaxed) > 0;                                         // LookThenSellSeats
//! if free {
//!     self.0.fetch_sub(1, Relaxed);
//! }
//! ```
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two
//! threads with one call each. A data race is looked for on the checker only: on real threads it is
//! undefined behaviour, and such a model is not run there.

use selvedge::Map;
use selvedge_model::sync::atomic::{AtomicI64, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Mutex, PoisonError};
use selvedge_model::{Failure, Model};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::support::by_parity::{Busy, ByParity, by_parity};
use specimens::seats::racy::{LookThenSellSeats, PlainSeats, RelaxedFlagSeats};
use specimens::seats::{FlaggedSeats, LockedSeats, OneStepSeats};

// What safe Rust forbids, and what it does not.
assert_not_impl_any!(UnsafeCell<i64>: Sync);
assert_not_impl_any!(std::cell::Cell<i64>: Sync);
assert_impl_all!(AtomicI64: Sync);
assert_impl_all!(LookThenSellSeats: Sync);

// ---------------------------------------------------------------------------------------------
// Racy: data races. Two threads, one memory, one writes, no synchronisation.
// ---------------------------------------------------------------------------------------------

/// Whatever the reader would have read: the program has no meaning.
#[test]
fn a_write_beside_a_read_is_a_data_race() {
    Model::new(|| PlainSeats::new(1))
        .thread("writer", |seats| seats.set(0))
        .thread("reader", PlainSeats::left)
        .fails(Failure::DataRace)
        .check();
}

/// In any order 0 is left. It is a data race all the same: the compiler may count on it that there
/// is none, and "it cannot go wrong" is not among what it promises.
#[test]
fn two_writes_of_the_same_value_are_a_data_race() {
    Model::new(|| PlainSeats::new(1))
        .thread("alice", |seats| seats.set(0))
        .thread("bob", |seats| seats.set(0))
        .fails(Failure::DataRace)
        .check();
}

/// A data race and a race condition in one: the detector finds the first.
#[test]
fn the_last_seat_in_plain_memory_is_a_data_race() {
    Model::new(|| PlainSeats::new(1))
        .thread("alice", PlainSeats::sell)
        .thread("bob", PlainSeats::sell)
        .fails(Failure::DataRace)
        .check();
}

/// Plain memory behind a flag. The reader reads only once it has seen the flag, so after the write in
/// every interleaving. And nothing orders the two: a flag raised with `Relaxed` says nothing of what was
/// written before.
#[test]
fn a_relaxed_flag_orders_nothing_and_leaves_a_data_race() {
    Model::new(RelaxedFlagSeats::default)
        .thread("writer", |seats| seats.publish(7))
        .thread("reader", RelaxedFlagSeats::get)
        .fails(Failure::DataRace)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Racy: a race condition that is no data race.
// ---------------------------------------------------------------------------------------------

/// Safe Rust, every access atomic. A table passes only if no execution fails, with a data race or
/// otherwise. So this one says both: no execution has a data race, and one seat is sold twice.
#[test]
fn the_last_seat_in_an_atomic_is_sold_twice_without_a_data_race() {
    Model::new(|| LookThenSellSeats(AtomicI64::new(1)))
        .thread("alice", LookThenSellSeats::sell)
        .thread("bob", LookThenSellSeats::sell)
        .finally("left", |seats| seats.0.load(Relaxed))
        .acceptable("alice=true bob=false left=0", "alice has it")
        .acceptable("alice=false bob=true left=0", "bob has it")
        .interesting("alice=true bob=true left=-1", "both saw it free: one seat, sold twice")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: no data race, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// "One writes" is part of what a data race is.
#[test]
fn two_reads_are_no_data_race() {
    Model::new(|| PlainSeats::new(1))
        .thread("alice", PlainSeats::left)
        .thread("bob", PlainSeats::left)
        .acceptable("alice=1 bob=1", "nobody writes")
        .check();
}

/// So is "nothing orders them". Every read of the memory comes after what the flag stands for. One side is
/// not enough: `cargo selvedge mutants` weakens the one and the other, and this model then has a data race.
#[test]
fn what_a_flag_releases_and_acquires_is_no_data_race() {
    Model::new(FlaggedSeats::default)
        .thread("writer", |seats| seats.publish(7))
        .thread("reader", FlaggedSeats::get)
        .acceptable("reader=None", "the flag was not raised yet")
        .acceptable("reader=Some(7)", "raised, and all that was written before is there")
        .check();
}

/// The first cure: look and sell in one read-modify-write.
#[test]
fn one_read_modify_write_sells_the_last_seat_once() {
    Model::new(|| OneStepSeats(AtomicI64::new(1)))
        .thread("alice", OneStepSeats::sell)
        .thread("bob", OneStepSeats::sell)
        .finally("left", |seats| seats.0.load(Relaxed))
        .acceptable("alice=true bob=false left=0", "alice has it")
        .acceptable("alice=false bob=true left=0", "bob has it")
        .check();
}

/// The second: one lock, held from the look to the sale. Plain memory again, and no `unsafe`.
#[test]
fn one_lock_over_both_steps_sells_the_last_seat_once() {
    Model::new(|| LockedSeats(Mutex::new(1)))
        .thread("alice", LockedSeats::sell)
        .thread("bob", LockedSeats::sell)
        .finally("left", |seats| *seats.0.lock().unwrap_or_else(PoisonError::into_inner))
        .acceptable("alice=true bob=false left=0", "alice has it")
        .acceptable("alice=false bob=true left=0", "bob has it")
        .check();
}

/// The third, where there are many shows: one call that is given both steps.
#[test]
fn one_call_of_a_map_sells_the_last_seat_once() {
    let sell = |shows: &Busy<Map<u64, u64, ByParity>>| {
        let left = shows.map.compute(1, |left| {
            shows.step();
            left.filter(|left| **left > 1).map(|left| left - 1)
        });
        left.is_some()
    };
    Model::new(|| Busy::new(by_parity([(1, 1)])))
        .thread("alice", sell)
        .thread("bob", sell)
        .finally("left", |shows| shows.map.get(&1))
        .acceptable("alice=true bob=false left=None", "alice has it")
        .acceptable("alice=false bob=true left=None", "bob has it")
        .check();
}
