//! # Can two threads both miss each other's store?
//!
//! Two threads want to enter a room that only one may enter. Each announces itself and then looks whether the other one
//! did. It enters if the other one did not:
//!
//! ```rust
//! mine.store(true, ordering);
//! let enters = !other.load(ordering);
//! ```
//!
//! In every *interleaving* (an order of the four steps in which each load reads the newest store) one of the two loads
//! is the last step, and it reads `true`. **Guess:** can both threads enter?
//!
//! **Output.** Yes, with `Relaxed`, and with `Release` and `Acquire` too:
//!
//! ```text
//!       alice                   bob
//!    1  a1.store rlx true
//!    2  a2.load rlx = false
//!    3                          a2.store rlx true
//!    4                          a1.load rlx
//!                                 reads false, newest
//!                                 is true
//! ```
//!
//! Real threads showed it in 0 to 137 of 20,000 rounds (`SELVEDGE_ROUNDS=20000 cargo test --test book --
//! store_buffering:: --nocapture`, 2026-11-29, two cores, x86-64).
//!
//! **Why.** This is **store buffering**: a processor puts a store into a buffer, and its next load does not wait until
//! the store has left the buffer. The picture is an *execution graph*, which says what each load reads. It is not an
//! interleaving: step 4 comes after step 1 and reads the value from before it. No order of the four steps gives both
//! loads `false`. Release and acquire order something only if a load reads the other thread's store. Here none does.
//!
//! **Fix.** `SeqCst`, *sequentially consistent*, for all four operations. All `SeqCst` operations are in one order that
//! agrees with the order in each thread, so one of the two loads is the last of the four and reads `true`. A *fence*
//! has the same effect: an operation of its own, which orders the atomic accesses before and after it. Here it is a
//! `fence(SeqCst)` between a relaxed store and a relaxed load. `AcqRel` is `Acquire` and `Release` in one, for a fence
//! or a read-modify-write, and is too weak here.
//!
//! **Break it yourself.** In `enters_with_fence` write `fence(Ordering::AcqRel)`.
//! `seq_cst_fence_lets_at_most_one_enter` fails: *reached alice=true bob=true, which the table does not declare*.
//!
//! Exercise: `cargo exercise wake_up` (see `exercises/README.md`).

use selvedge_model::Model;
use selvedge_model::sync::atomic::Ordering::{self, Acquire, Relaxed, Release, SeqCst};
use selvedge_model::sync::atomic::{AtomicBool, fence};

use crate::shown::assert_shown;

/// What alice announced, and what bob did.
type Room = (AtomicBool, AtomicBool);

/// Announces, looks, and returns whether the thread enters.
fn enters(mine: &AtomicBool, other: &AtomicBool, store: Ordering, load: Ordering) -> bool {
    mine.store(true, store);
    !other.load(load)
}

/// The same with relaxed accesses and a fence between them.
fn enters_with_fence(mine: &AtomicBool, other: &AtomicBool) -> bool {
    mine.store(true, Relaxed);
    fence(SeqCst);
    !other.load(Relaxed)
}

/// Two threads that enter, and the outcomes that an interleaving explains.
fn model(store: Ordering, load: Ordering) -> Model<Room> {
    let model = Model::new(Room::default)
        .thread("alice", move |(alice, bob)| enters(alice, bob, store, load))
        .thread("bob", move |(alice, bob)| enters(bob, alice, store, load));
    at_most_one(model)
}

fn at_most_one(model: Model<Room>) -> Model<Room> {
    model
        .acceptable("alice=true bob=false", "alice was first")
        .acceptable("alice=false bob=true", "bob was first")
        .acceptable("alice=false bob=false", "both stores came before both loads")
}

#[test]
fn store_buffering_relaxed() {
    let report = model(Relaxed, Relaxed)
        .interesting("alice=true bob=true", "each load missed the other's store")
        .check();
    assert_shown(include_str!("2_store_buffering.rs"), &report.to_string());
}

#[test]
fn store_buffering_release_acquire() {
    model(Release, Acquire)
        .interesting("alice=true bob=true", "release and acquire allow the same")
        .check();
}

#[test]
fn seq_cst_lets_at_most_one_enter() {
    model(SeqCst, SeqCst).check();
}

#[test]
fn seq_cst_fence_lets_at_most_one_enter() {
    let model = Model::new(Room::default)
        .thread("alice", |(alice, bob)| enters_with_fence(alice, bob))
        .thread("bob", |(alice, bob)| enters_with_fence(bob, alice));
    at_most_one(model).check();
}
