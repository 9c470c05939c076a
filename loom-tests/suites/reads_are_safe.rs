//! # Are reads safe?
//!
//! **Answer.** A read of one atomic is. A read of plain memory beside a write is a data race; two reads
//! of two things that belong together need one lock over both; and what was read under a lock may be
//! out of date as soon as the lock is given back.
//!
//! **Why the racy twins fail.** [`PlainWindow`] is read while it is written: undefined behaviour.
//! [`UnlockedReadWindow`] has its writer lock, and its readers not, "for they change nothing": what
//! they read is half of one window and half of another. [`OneByOneWindow`] locks for each of the two
//! reads, and the writer comes between. [`GuardInGuardWindow`] holds both locks at once, and may wait for
//! ever, for a writer that waits in between. [`CheckThenEnterRoom`] checks that there is room under the
//! read lock, as it changes nothing, and enters under the write lock: between the two, somebody else
//! enters.
//!
//! **Why the sound ones hold.** All that belongs together is read under one lock, and leaves it as a
//! copy ([`LockedWindow`]). What was checked under a read lock is checked again under the write lock
//! ([`LookAgainRoom`]), or only there. One call of a [`Map`] does both; a [`Stats`] snapshot is of one
//! moment.
//!
//! **The code** is in `specimens/src/window.rs` and `room.rs`, the twins in `window/racy.rs` and
//! `room/racy.rs`. What matters is how long a lock is held:
//!
//! ```text
//! let window = self.read();           let from = self.0.read().from;           (self.0.read().from,
//! (window.from, window.to)            let to = self.0.read().to;                self.0.read().to)
//! ```
//!
//! On the left [`LockedWindow`], in the middle [`OneByOneWindow`], on the right [`GuardInGuardWindow`].
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for two or
//! three threads with one or two calls each. Reads that run code of the user's (`Clone`, `Debug`) are
//! reads of whatever that code reads.

use selvedge::{Map, Stats};
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::{PoisonError, RwLock};
use selvedge_model::{Failure, Model};

use crate::support::by_parity::{Busy, ByParity, by_parity};
use specimens::room::LookAgainRoom;
use specimens::room::racy::CheckThenEnterRoom;
use specimens::window::racy::{
    GuardInGuardWindow, OneByOneWindow, PlainWindow, UnlockedReadWindow,
};
use specimens::window::{EVENING, LockedWindow, MORNING, Window};

/// How many are in each room.
type Rooms = Busy<Map<u64, u64, ByParity>>;

/// How many are in a room.
fn inside(inside: &RwLock<usize>) -> usize {
    *inside.read().unwrap_or_else(PoisonError::into_inner)
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// The reader changes nothing, and it takes two for a race: the writer is the other.
#[test]
fn a_read_during_a_write_is_a_data_race() {
    Model::new(|| PlainWindow::new(MORNING))
        .thread("writer", |window| window.set(EVENING))
        .thread("reader", PlainWindow::get)
        .fails(Failure::DataRace)
        .check();
}

/// No data race, for each half is an atomic: and open from 18 to 12.
#[test]
fn a_read_without_the_writers_lock_is_torn() {
    Model::new(|| UnlockedReadWindow::new(MORNING))
        .thread("writer", |window| window.set(EVENING))
        .thread("reader", UnlockedReadWindow::get)
        .acceptable("reader=(8, 12)", "read first")
        .acceptable("reader=(18, 22)", "read last")
        .interesting("reader=(18, 12)", "read between the stores: it closes before it opens")
        .interesting("reader=(8, 22)", "one half was read before the change, the other after it")
        .check();
}

/// Every access is locked. The writer cannot come into a read, but it can come between two.
#[test]
fn two_reads_under_two_locks_are_torn() {
    Model::new(|| OneByOneWindow(LockedWindow::new(MORNING)))
        .thread("writer", |window| window.0.set(EVENING))
        .thread("reader", OneByOneWindow::get)
        .acceptable("reader=(8, 12)", "read first")
        .acceptable("reader=(18, 22)", "read last")
        .interesting("reader=(8, 22)", "the writer came between the two reads")
        .forbidden("reader=(18, 12)", "what was read under a lock is not older than before")
        .check();
}

/// A guard lives as long as its statement, so here are two at once. A writer that waits keeps new
/// readers out, as `std` may do: it waits for the first guard, and the second read waits for it.
#[test]
fn a_read_inside_a_read_deadlocks_where_a_writer_waits() {
    Model::new(|| GuardInGuardWindow(LockedWindow::new(MORNING)))
        .thread("writer", |window| window.0.set(EVENING))
        .thread("reader", GuardInGuardWindow::get)
        .fails(Failure::Deadlock)
        .check();
}

/// Readers do not keep each other out; so both check before either enters.
#[test]
fn a_check_under_the_read_lock_lets_two_into_a_room_for_one() {
    Model::new(|| CheckThenEnterRoom(LookAgainRoom::new(1)))
        .thread("alice", CheckThenEnterRoom::enter)
        .thread("bob", CheckThenEnterRoom::enter)
        .finally("inside", |room| inside(&room.0.inside))
        .acceptable("alice=true bob=false inside=1", "alice was first")
        .acceptable("alice=false bob=true inside=1", "bob was first")
        .interesting("alice=true bob=true inside=2", "both saw the one place free")
        .check();
}

/// Not the check's fault alone: on a map whose every call is sound, two calls are two.
#[test]
fn two_calls_on_a_sound_map_let_two_into_a_room_for_one() {
    let enter = |rooms: &Rooms| {
        let room = rooms.map.get(&1).is_some_and(|inside| inside < 1);
        if room {
            rooms.map.update(&1, |inside| inside + 1);
        }
        room
    };
    Model::new(|| Busy::new(by_parity([(1, 0)])))
        .thread("alice", enter)
        .thread("bob", enter)
        .finally("inside", |rooms| rooms.map.get(&1))
        .acceptable("alice=true bob=false inside=Some(1)", "alice was first")
        .acceptable("alice=false bob=true inside=Some(1)", "bob was first")
        .interesting("alice=true bob=true inside=Some(2)", "both saw the one place free")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// What is true of "reads are safe": one atomic is read whole, and later reads read nothing older.
#[test]
fn a_read_of_one_atomic_is_whole_and_never_goes_back() {
    let packed = |window: Window| (window.from << 32) | window.to;
    Model::new(move || AtomicU64::new(packed(MORNING)))
        .thread("writer", move |window| window.store(packed(EVENING), Relaxed))
        .thread("reader", |window| {
            let unpacked = |packed: u64| (packed >> 32, packed & 0xFFFF_FFFF);
            [window.load(Relaxed), window.load(Relaxed)].map(unpacked)
        })
        .acceptable("reader=[(8, 12), (8, 12)]", "both reads came first")
        .acceptable("reader=[(8, 12), (18, 22)]", "the change came between the reads")
        .acceptable("reader=[(18, 22), (18, 22)]", "both reads came last")
        .forbidden("reader=[(18, 22), (8, 12)]", "one atomic does not go back")
        .check();
}

/// One lock over both reads, and what leaves it is a copy.
#[test]
fn two_reads_under_one_lock_belong_together() {
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

/// Look under the read lock, for the many who find no room; look again under the write lock.
#[test]
fn a_check_that_is_repeated_under_the_write_lock_lets_one_in() {
    Model::new(|| LookAgainRoom::new(1))
        .thread("alice", LookAgainRoom::enter)
        .thread("bob", LookAgainRoom::enter)
        .finally("inside", |room| inside(&room.inside))
        .acceptable("alice=true bob=false inside=1", "alice was first")
        .acceptable("alice=false bob=true inside=1", "bob was first")
        .check();
}

/// Check and entry in one call, and a third who only looks.
#[test]
fn a_check_in_the_call_that_acts_lets_one_in() {
    let enter = |rooms: &Rooms| {
        let mut room = false;
        rooms.map.update(&1, |inside| {
            rooms.step();
            room = *inside < 1;
            if room { inside + 1 } else { *inside }
        });
        room
    };
    Model::new(|| Busy::new(by_parity([(1, 0)])))
        .thread("alice", enter)
        .thread("bob", enter)
        .thread("reader", |rooms| rooms.map.get(&1))
        .acceptable("alice=true bob=false reader=Some(0)", "looked first")
        .acceptable("alice=true bob=false reader=Some(1)", "looked once alice was in")
        .acceptable("alice=false bob=true reader=Some(0)", "looked first")
        .acceptable("alice=false bob=true reader=Some(1)", "looked once bob was in")
        .check();
}

/// Many values that belong together, and writers that do not wait for each other: a snapshot.
#[test]
fn a_snapshot_of_count_and_sum_belongs_together() {
    Model::new(|| Stats::with_stripes(1).expect("1 stripe is accepted"))
        .thread("writer", |stats| stats.record(5))
        .thread("reader", |stats| {
            let stats = stats.snapshot();
            (stats.count(), stats.sum())
        })
        .acceptable("reader=(0, 0)", "read first")
        .acceptable("reader=(1, 5)", "read last")
        .check();
}
