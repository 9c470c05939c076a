//! # Folders: lock order
//!
//! Proved of [`OrderedFolders`]: locks that are taken in the order of their indices do not deadlock, for two
//! threads in opposite directions and for three in a cycle.
//!
//! **Racy variant.** [`ArgumentOrderFolders`]: deadlock, the locks are taken in the order of the arguments.
//!
//! **Scope.** Explored completely, for two or three threads with one call each.

use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};
use selvedge_model::{Failure, Model};

use specimens::folders::racy::ArgumentOrderFolders;
use specimens::folders::{Folders, OrderedFolders, folders};

#[track_caller]
fn lock<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of papers in each folder at the end.
fn papers(folders: &Folders) -> [u64; 3] {
    [0, 1, 2].map(|folder| *lock(&folders[folder]))
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// Each thread holds the lock that the other waits for.
#[test]
fn two_locks_in_opposite_orders_deadlock() {
    Model::new(|| ArgumentOrderFolders(folders()))
        .thread("alice", |folders| folders.merge(0, 1))
        .thread("bob", |folders| folders.merge(1, 0))
        .fails(Failure::Deadlock)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: locks in one order.
// ---------------------------------------------------------------------------------------------

#[test]
fn two_locks_in_one_order_do_not_deadlock() {
    Model::new(|| OrderedFolders(folders()))
        .thread("alice", |folders| folders.merge(0, 1))
        .thread("bob", |folders| folders.merge(1, 0))
        .finally("papers", |folders| papers(&folders.0))
        .acceptable("papers=[11, 0, 100]", "alice first: bob moves all of it back")
        .acceptable("papers=[0, 11, 100]", "bob first")
        .check();
}

#[test]
fn three_locks_in_one_order_do_not_deadlock() {
    Model::new(|| OrderedFolders(folders()))
        .thread("alice", |folders| folders.merge(0, 1))
        .thread("bob", |folders| folders.merge(1, 2))
        .thread("carol", |folders| folders.merge(2, 0))
        .finally("papers", |folders| papers(&folders.0))
        .acceptable("papers=[111, 0, 0]", "alice, bob, carol")
        .acceptable("papers=[100, 0, 11]", "alice, carol, bob")
        .acceptable("papers=[110, 1, 0]", "bob, alice, carol")
        .acceptable("papers=[0, 111, 0]", "bob, carol, alice")
        .acceptable("papers=[0, 0, 111]", "carol, alice, bob")
        .acceptable("papers=[0, 101, 10]", "carol, bob, alice")
        .check();
}
