//! # Room: check under the read lock
//!
//! Proved of [`LookAgainRoom`]: a limit holds if the check under the read lock is repeated under the write lock.
//!
//! **Racy variant.** [`CheckThenEnterRoom`]: check-then-act. The lock is released between the check and the entry.
//!
//! **Scope.** Explored completely, for two threads with one call each.

use selvedge_model::Model;
use selvedge_model::sync::{PoisonError, RwLock};

use specimens::room::LookAgainRoom;
use specimens::room::racy::CheckThenEnterRoom;

/// The number of people in a room.
fn inside(inside: &RwLock<usize>) -> usize {
    *inside.read().unwrap_or_else(PoisonError::into_inner)
}

/// Both threads check before either enters.
#[test]
fn check_under_the_read_lock_admits_two() {
    Model::new(|| CheckThenEnterRoom(LookAgainRoom::new(1)))
        .thread("alice", CheckThenEnterRoom::enter)
        .thread("bob", CheckThenEnterRoom::enter)
        .finally("inside", |room| inside(&room.0.inside))
        .acceptable("alice=true bob=false inside=1", "alice was first")
        .acceptable("alice=false bob=true inside=1", "bob was first")
        .interesting("alice=true bob=true inside=2", "both saw the one place free")
        .check();
}

/// Check under the read lock, and again under the write lock.
#[test]
fn check_repeated_under_the_write_lock_admits_one() {
    Model::new(|| LookAgainRoom::new(1))
        .thread("alice", LookAgainRoom::enter)
        .thread("bob", LookAgainRoom::enter)
        .finally("inside", |room| inside(&room.inside))
        .acceptable("alice=true bob=false inside=1", "alice was first")
        .acceptable("alice=false bob=true inside=1", "bob was first")
        .check();
}
