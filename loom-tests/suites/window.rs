//! # Opening hours: torn read
//!
//! Proved of [`LockedWindow`]: two values that are written under one guard and read under one guard belong
//! together.
//!
//! **Racy variants.** [`PlainWindow`]: data race. [`UnlockedReadWindow`]: torn read, the reader does not lock.
//! [`OneByOneWindow`]: torn read, under two guards. [`GuardInGuardWindow`]: deadlock by a recursive read while a
//! writer waits.
//!
//! **Scope.** Explored completely, for one writer and one or two readers.

use selvedge_model::{Failure, Model};

use specimens::window::racy::{
    GuardInGuardWindow, OneByOneWindow, PlainWindow, UnlockedReadWindow,
};
use specimens::window::{EVENING, LockedWindow, MORNING};

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// A write and a read of plain memory.
#[test]
fn unsynchronised_read_is_a_data_race() {
    Model::new(|| PlainWindow::new(MORNING))
        .thread("writer", |window| window.set(EVENING))
        .thread("reader", PlainWindow::get)
        .fails(Failure::DataRace)
        .check();
}

/// Each half is an atomic, so there is no data race.
#[test]
fn read_without_the_lock_is_torn() {
    Model::new(|| UnlockedReadWindow::new(MORNING))
        .thread("writer", |window| window.set(EVENING))
        .thread("reader", UnlockedReadWindow::get)
        .acceptable("reader=(8, 12)", "read first")
        .acceptable("reader=(18, 22)", "read last")
        .interesting("reader=(18, 12)", "read between the stores: it closes before it opens")
        .interesting("reader=(8, 22)", "one half was read before the change, the other after it")
        .check();
}

/// Every access is locked, and the writer comes between the two reads.
#[test]
fn two_reads_under_two_guards_are_torn() {
    Model::new(|| OneByOneWindow(LockedWindow::new(MORNING)))
        .thread("writer", |window| window.0.set(EVENING))
        .thread("reader", OneByOneWindow::get)
        .acceptable("reader=(8, 12)", "read first")
        .acceptable("reader=(18, 22)", "read last")
        .interesting("reader=(8, 22)", "the writer came between the two reads")
        .forbidden("reader=(18, 12)", "what was read under a lock is not older than before")
        .check();
}

/// Both guards live until the end of the statement. A waiting writer may block new readers: it waits for the first
/// guard, and the second read waits for it.
#[test]
fn recursive_read_deadlocks_with_a_waiting_writer() {
    Model::new(|| GuardInGuardWindow(LockedWindow::new(MORNING)))
        .thread("writer", |window| window.0.set(EVENING))
        .thread("reader", GuardInGuardWindow::get)
        .fails(Failure::Deadlock)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

/// One guard for both reads.
#[test]
fn two_reads_under_one_guard_are_not_torn() {
    Model::new(|| LockedWindow::new(MORNING))
        .thread("writer", |window| window.set(EVENING))
        .thread("reader", LockedWindow::get)
        .thread("other", LockedWindow::get)
        .acceptable("reader=(8, 12) other=(8, 12)", "both read first")
        .acceptable("reader=(8, 12) other=(18, 22)", "the change came between them")
        .acceptable("reader=(18, 22) other=(8, 12)", "the change came between them")
        .acceptable("reader=(18, 22) other=(18, 22)", "both read last")
        .check();
}
