//! # Seats: check-then-act and publication
//!
//! Proved of [`OneStepSeats`] and [`LockedSeats`]: the last seat is sold once, by one read-modify-write or in one
//! critical section. Proved of [`FlaggedSeats`]: message passing, a `Release` store of the flag publishes plain
//! memory to an `Acquire` load.
//!
//! **Racy variants.** [`PlainSeats`]: data race. [`LookThenSellSeats`]: check-then-act, which is no data race.
//! [`RelaxedFlagSeats`]: message passing with a relaxed flag, a data race.
//!
//! **Scope.** Explored completely, for two threads with one call each.

use selvedge_model::sync::atomic::{AtomicI64, Ordering::Relaxed};
use selvedge_model::sync::{Mutex, PoisonError};
use selvedge_model::{Failure, Model};

use specimens::seats::racy::{LookThenSellSeats, PlainSeats, RelaxedFlagSeats};
use specimens::seats::{FlaggedSeats, LockedSeats, OneStepSeats};

// ---------------------------------------------------------------------------------------------
// Racy variants: data races.
// ---------------------------------------------------------------------------------------------

/// A data race and a race condition; the data race is reported.
#[test]
fn last_seat_in_plain_memory_is_a_data_race() {
    Model::new(|| PlainSeats::new(1))
        .thread("alice", PlainSeats::sell)
        .thread("bob", PlainSeats::sell)
        .fails(Failure::DataRace)
        .check();
}

/// In every interleaving the reader reads after the write. A relaxed flag does not order the two.
#[test]
fn relaxed_flag_is_a_data_race() {
    Model::new(RelaxedFlagSeats::default)
        .thread("writer", |seats| seats.publish(7))
        .thread("reader", RelaxedFlagSeats::get)
        .fails(Failure::DataRace)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Racy variants: a race condition without a data race.
// ---------------------------------------------------------------------------------------------

/// Every access is atomic. The table also shows that no execution has a data race.
#[test]
fn check_then_act_sells_the_last_seat_twice() {
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
// Sound.
// ---------------------------------------------------------------------------------------------

/// Both orderings are needed: `cargo selvedge mutants` weakens each, and this model has a data race then.
#[test]
fn release_and_acquire_publish_the_seats() {
    Model::new(FlaggedSeats::default)
        .thread("writer", |seats| seats.publish(7))
        .thread("reader", FlaggedSeats::get)
        .acceptable("reader=None", "the flag was not raised yet")
        .acceptable("reader=Some(7)", "raised, and all that was written before is there")
        .check();
}

/// Check and act in one read-modify-write.
#[test]
fn read_modify_write_sells_the_last_seat_once() {
    Model::new(|| OneStepSeats(AtomicI64::new(1)))
        .thread("alice", OneStepSeats::sell)
        .thread("bob", OneStepSeats::sell)
        .finally("left", |seats| seats.0.load(Relaxed))
        .acceptable("alice=true bob=false left=0", "alice has it")
        .acceptable("alice=false bob=true left=0", "bob has it")
        .check();
}

/// Check and act in one critical section.
#[test]
fn one_critical_section_sells_the_last_seat_once() {
    Model::new(|| LockedSeats(Mutex::new(1)))
        .thread("alice", LockedSeats::sell)
        .thread("bob", LockedSeats::sell)
        .finally("left", |seats| *seats.0.lock().unwrap_or_else(PoisonError::into_inner))
        .acceptable("alice=true bob=false left=0", "alice has it")
        .acceptable("alice=false bob=true left=0", "bob has it")
        .check();
}
