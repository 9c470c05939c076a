//! # Duty: one lock for one invariant
//!
//! Proved of [`OneLockDuty`]: "at least one person is on call" holds if one lock covers the check and the change.
//!
//! **Racy variant.** [`HalfLockedDuty`]: write skew. Each half has a lock of its own, and both threads check before
//! either leaves.
//!
//! **Scope.** Explored completely, for two threads with one call each.

use selvedge_model::Model;
use selvedge_model::sync::{Mutex, PoisonError};

use specimens::duty::OneLockDuty;
use specimens::duty::racy::HalfLockedDuty;

/// The people on call, by index.
const ALICE: usize = 0;
const BOB: usize = 1;

/// Each thread finds the other one on call, and leaves.
#[test]
fn two_locks_for_one_invariant_break_it() {
    Model::new(HalfLockedDuty::new)
        .thread("alice", |duty| duty.leave(ALICE))
        .thread("bob", |duty| duty.leave(BOB))
        .finally("on_call", HalfLockedDuty::on_call)
        .acceptable("alice=true bob=false on_call=1", "alice left first, and bob saw it")
        .acceptable("alice=false bob=true on_call=1", "bob left first, and alice saw it")
        .interesting("alice=true bob=true on_call=0", "both looked before either left")
        .check();
}

/// One critical section from the check to the change.
#[test]
fn one_lock_for_one_invariant_keeps_it() {
    Model::new(|| OneLockDuty(Mutex::new([true, true])))
        .thread("alice", |duty| duty.leave(ALICE))
        .thread("bob", |duty| duty.leave(BOB))
        .finally("on_call", |duty| {
            duty.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .filter(|on_call| **on_call)
                .count()
        })
        .acceptable("alice=true bob=false on_call=1", "alice left first, and bob saw it")
        .acceptable("alice=false bob=true on_call=1", "bob left first, and alice saw it")
        .check();
}
