//! # Is it right once every access is locked?
//!
//! **Answer.** No. There is no data race left, and that is all. What is right also depends on which lock
//! covers what, on the order in which locks are taken, and on what is called while one is held.
//!
//! **Why the racy twins fail.** [`ArgumentOrderFolders`] takes two locks in the order of its arguments:
//! two threads, or three in a circle, each hold what the next one waits for. [`CallUnderLockBell`] calls
//! its listeners while it holds the lock on them; a listener that wants to add another waits for
//! itself. [`HalfLockedDuty`] has a lock for each half of one invariant ("somebody is on call"): each
//! half is read and written under its lock, and the invariant breaks between the two.
//!
//! **Why the sound ones hold.** [`OrderedFolders`] takes locks in the order of their indices: who waits
//! for one holds none that comes later, so there is no circle. [`CallAfterUnlockBell`] copies the
//! listeners, unlocks, and calls. One lock for one invariant ([`OneLockDuty`]): whatever can be wrong
//! together is locked together. And with less to share there is less to lock: a [`Counter`] where a
//! number is all there is, one owner with messages where it is not. A [`Map`] refuses a call from inside
//! a call, so that the mistake is an error on the first day and not a hang on the last.
//!
//! **The code** is in `specimens/src`: `folders.rs`, `bell.rs` and `duty.rs`, each twin in a `racy.rs` below.
//! What matters of each is one line, here sound and racy:
//!
//! ```text
//! let mut low = self.0[from.min(to)].lock()…;             let mut from = self.0[from].lock()…;
//! let listeners = self.0.lock()….clone();                 for listener in self.0.lock()….iter() {
//! let mut on_call = self.0.lock()…;                       let covered = *self.half(1 - who);
//! ```
//!
//! **Bounds and what is not modelled.** No bound: every model here is explored completely, for one to
//! three threads with one call each. Contention is not modelled: threads that wait for one lock take
//! turns, and however many there are, one of them works. That costs time, and a model counts
//! executions, not time. On real threads a deadlock may never come; if it does, the round is given
//! up after a second.

use selvedge::{Counter, Map, MapError};
use selvedge_model::sync::mpsc::{Receiver, Sender, channel};
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError};
use selvedge_model::{Failure, Model};

use crate::support::by_parity::{Busy, ByParity, by_parity};
use specimens::bell::CallAfterUnlockBell;
use specimens::bell::racy::CallUnderLockBell;
use specimens::duty::OneLockDuty;
use specimens::duty::racy::HalfLockedDuty;
use specimens::folders::racy::ArgumentOrderFolders;
use specimens::folders::{Folders, OrderedFolders, folders};

#[track_caller]
fn lock<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many papers each folder has in the end.
fn papers(folders: &Folders) -> [u64; 3] {
    [0, 1, 2].map(|folder| *lock(&folders[folder]))
}

/// Who is on call, by index.
const ALICE: usize = 0;
const BOB: usize = 1;

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// Each holds what the other waits for.
#[test]
fn two_locks_in_opposite_orders_deadlock() {
    Model::new(|| ArgumentOrderFolders(folders()))
        .thread("alice", |folders| folders.merge(0, 1))
        .thread("bob", |folders| folders.merge(1, 0))
        .fails(Failure::Deadlock)
        .check();
}

/// No two of them use the same two locks.
#[test]
fn three_locks_in_a_circle_deadlock() {
    Model::new(|| ArgumentOrderFolders(folders()))
        .thread("alice", |folders| folders.merge(0, 1))
        .thread("bob", |folders| folders.merge(1, 2))
        .thread("carol", |folders| folders.merge(2, 0))
        .fails(Failure::Deadlock)
        .check();
}

/// The same program with one thread fewer is explored completely, and sound: a circle takes all who
/// are in it. A test with two threads would never have found it.
#[test]
fn two_of_the_three_never_deadlock() {
    Model::new(|| ArgumentOrderFolders(folders()))
        .thread("alice", |folders| folders.merge(0, 1))
        .thread("bob", |folders| folders.merge(1, 2))
        .finally("papers", |folders| papers(&folders.0))
        .acceptable("papers=[0, 0, 111]", "alice first: bob moves hers on")
        .acceptable("papers=[0, 1, 110]", "bob first")
        .check();
}

/// One thread is enough: `ring` holds the lock, and the listener waits for it.
#[test]
fn a_listener_that_listens_again_waits_for_its_own_thread() {
    Model::new(|| CallUnderLockBell(Mutex::new(vec![|bell| bell.listen(|_| ())])))
        .thread("alice", CallUnderLockBell::ring)
        .fails(Failure::Deadlock)
        .check();
}

/// Each sees the other on call, and leaves. Every access was locked.
#[test]
fn two_halves_under_two_locks_leave_nobody_on_call() {
    Model::new(HalfLockedDuty::new)
        .thread("alice", |duty| duty.leave(ALICE))
        .thread("bob", |duty| duty.leave(BOB))
        .finally("on_call", HalfLockedDuty::on_call)
        .acceptable("alice=true bob=false on_call=1", "alice left first, and bob saw it")
        .acceptable("alice=false bob=true on_call=1", "bob left first, and alice saw it")
        .interesting("alice=true bob=true on_call=0", "both looked before either left")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: locks in one order.
// ---------------------------------------------------------------------------------------------

#[test]
fn two_locks_in_one_order_end() {
    Model::new(|| OrderedFolders(folders()))
        .thread("alice", |folders| folders.merge(0, 1))
        .thread("bob", |folders| folders.merge(1, 0))
        .finally("papers", |folders| papers(&folders.0))
        .acceptable("papers=[11, 0, 100]", "alice first: bob moves all of it back")
        .acceptable("papers=[0, 11, 100]", "bob first")
        .check();
}

#[test]
fn three_locks_in_one_order_end() {
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

// ---------------------------------------------------------------------------------------------
// Sound: nothing unknown is called under a lock.
// ---------------------------------------------------------------------------------------------

/// Both ring, each listener adds one: nobody waits, and none is lost.
#[test]
fn a_listener_that_is_called_without_the_lock_may_listen_again() {
    Model::new(|| CallAfterUnlockBell(Mutex::new(vec![|bell| bell.listen(|_| ())])))
        .thread("alice", CallAfterUnlockBell::ring)
        .thread("bob", CallAfterUnlockBell::ring)
        .finally("listeners", |bell| lock(&bell.0).len())
        .acceptable("listeners=3", "the first, and one for each time that it was called")
        .check();
}

/// Where it is the map that holds the lock, the mistake is an error, at once and always.
#[test]
fn a_map_refuses_a_call_from_inside_a_call() {
    Model::new(|| Busy::new(by_parity([(1, 0), (2, 0)])))
        .thread("alice", |numbers: &Busy<Map<u64, u64, ByParity>>| {
            let mut refused = None;
            numbers.map.update(&1, |n| {
                numbers.step();
                refused = numbers.map.update_pair(&1, &2, |a, b| (*b, *a)).err();
                n + 1
            });
            refused == Some(MapError::Reentrant)
        })
        .thread("bob", |numbers| {
            numbers.map.update(&1, |n| n + 1);
        })
        .finally("total", |numbers| numbers.map.get(&1))
        .acceptable("alice=true total=Some(2)", "refused, and both updates are there")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: one lock an invariant.
// ---------------------------------------------------------------------------------------------

/// What must hold together is locked together, from the look to the change.
#[test]
fn one_lock_over_both_halves_leaves_one_on_call() {
    Model::new(|| OneLockDuty(Mutex::new([true, true])))
        .thread("alice", |duty| duty.leave(ALICE))
        .thread("bob", |duty| duty.leave(BOB))
        .finally("on_call", |duty| lock(&duty.0).iter().filter(|on_call| **on_call).count())
        .acceptable("alice=true bob=false on_call=1", "alice left first, and bob saw it")
        .acceptable("alice=false bob=true on_call=1", "bob left first, and alice saw it")
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound: less shared state.
// ---------------------------------------------------------------------------------------------

/// A number that depends on no other needs no lock: each thread has a cell of its own.
#[test]
fn what_each_thread_owns_needs_no_lock() {
    Model::new(|| Counter::with_stripes(1).expect("1 stripe is accepted"))
        .thread("alice", |count| count.handle().increment())
        .thread("bob", |count| count.handle().increment())
        .finally("total", Counter::get)
        .acceptable("total=2", "every increment is counted")
        .check();
}

/// Who asks to go off call.
struct Office {
    /// One for alice and one for bob. A mutex is how a model hands a thread what it is to own.
    senders: [Mutex<Option<Sender<usize>>>; 2],
    requests: Mutex<Option<Receiver<usize>>>,
}

impl Office {
    fn new() -> Self {
        let (sender, requests) = channel();
        let senders = [sender.clone(), sender].map(|sender| Mutex::new(Some(sender)));
        Self { senders, requests: Mutex::new(Some(requests)) }
    }

    fn ask_to_leave(&self, who: usize) {
        let sender = lock(&self.senders[who]).take();
        let sent = sender.expect("handed over once").send(who);
        sent.expect("the owner listens until all senders are gone");
    }

    /// Owns the state, and alone decides: plain local variables, and no lock.
    fn decide(&self) -> Vec<usize> {
        let requests = lock(&self.requests).take().expect("handed over once");
        let mut on_call = [true, true];
        let mut granted = Vec::new();
        for who in requests {
            if on_call[1 - who] {
                on_call[who] = false;
                granted.push(who);
            }
        }
        granted
    }
}

/// One owner, who is sent messages: what is not shared cannot be raced for.
#[test]
fn one_owner_with_messages_leaves_one_on_call() {
    Model::new(Office::new)
        .thread("owner", Office::decide)
        .thread("alice", |office| office.ask_to_leave(ALICE))
        .thread("bob", |office| office.ask_to_leave(BOB))
        .acceptable("owner=[0]", "alice's message was first")
        .acceptable("owner=[1]", "bob's message was first")
        .check();
}
