//! # Spin locks: acquire, release and waiting loops
//!
//! Proved of [`SpinLock`] and [`TicketLock`]: mutual exclusion, and each owner sees what the previous one wrote.
//! The acquire of the lock reads what the release of the unlock stored, so all that one owner did happens before
//! all that the next one does. A [`TicketLock`] serves threads in the order of their tickets; a [`SpinLock`] is not
//! fair. Drawing a ticket may be relaxed.
//!
//! **Racy variants.** [`RelaxedUnlockSpinLock`], [`RelaxedLockSpinLock`]: data race, one side does not synchronise.
//! [`LookThenTakeSpinLock`]: check-then-act, two threads enter.
//!
//! **Loops that wait.** A turn that reads the same stores as an earlier turn and changes nothing is a *stutter*,
//! and is not explored again. So a loop around `hint::spin_loop` has finitely many executions. The locks here wait
//! in [`hint::wait_until`](selvedge_model::sync::hint::wait_until), which has fewer: none in which a turn fails and
//! another one follows. Where no other thread can end the wait, the checker reports a livelock (of a loop) or a
//! deadlock (of `wait_until`).
//!
//! **Scope.** Explored completely, for two and three threads that lock once each.

use super::is_complete;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::hint;
use selvedge_model::{Failure, Model};

use specimens::spin_lock::racy::{
    LookThenTakeSpinLock, RelaxedLockSpinLock, RelaxedUnlockSpinLock,
};
use specimens::spin_lock::{SpinLock, TicketLock};

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// A spin lock in the usual style of `std`.
fn increment_naively(lock: &SpinLock) {
    while !lock.try_enter() {
        hint::spin_loop();
    }
    lock.value.increment();
    lock.leave();
}

fn by_spin_lock(threads: usize, increment: fn(&SpinLock)) -> Model<SpinLock> {
    let mut model = Model::new(SpinLock::default);
    for name in NAMES.into_iter().take(threads) {
        model = model.thread(name, increment);
    }
    model.finally("total", |lock| lock.value.get())
}

/// Asserts that the threads are served in the order of their tickets.
fn by_ticket_lock(threads: usize) -> Model<TicketLock> {
    let mut model = Model::new(TicketLock::default);
    for name in NAMES.into_iter().take(threads) {
        model = model.thread(name, |lock: &TicketLock| {
            let (ticket, before) = lock.increment();
            assert_eq!(ticket, before, "who draws first is served first");
        });
    }
    model.finally("total", |lock| lock.value.get())
}

// ---------------------------------------------------------------------------------------------
// Racy variants.
// ---------------------------------------------------------------------------------------------

/// The unlock does not release: the next owner may not see the write.
#[test]
fn relaxed_unlock_is_a_data_race() {
    Model::new(RelaxedUnlockSpinLock::default)
        .thread("alice", RelaxedUnlockSpinLock::increment)
        .thread("bob", RelaxedUnlockSpinLock::increment)
        .fails(Failure::DataRace)
        .check();
}

/// The lock does not acquire: the owner may not see the write.
#[test]
fn relaxed_lock_is_a_data_race() {
    Model::new(RelaxedLockSpinLock::default)
        .thread("alice", RelaxedLockSpinLock::increment)
        .thread("bob", RelaxedLockSpinLock::increment)
        .fails(Failure::DataRace)
        .check();
}

/// Both threads find the lock free.
#[test]
fn check_then_set_admits_two_threads() {
    let company = |(lock, inside): &(LookThenTakeSpinLock, AtomicU64)| {
        lock.enter();
        let others = inside.fetch_add(1, Relaxed);
        inside.fetch_sub(1, Relaxed);
        lock.leave();
        others
    };
    Model::new(|| (LookThenTakeSpinLock::default(), AtomicU64::new(0)))
        .thread("alice", company)
        .thread("bob", company)
        .acceptable("alice=0 bob=0", "each was alone")
        .interesting("alice=0 bob=1", "alice was still in when bob came")
        .interesting("alice=1 bob=0", "bob was still in when alice came")
        .check();
}

/// The orderings are right, and neither thread reads from the other's unlock.
#[test]
fn check_then_set_is_a_data_race() {
    Model::new(LookThenTakeSpinLock::default)
        .thread("alice", LookThenTakeSpinLock::increment)
        .thread("bob", LookThenTakeSpinLock::increment)
        .fails(Failure::DataRace)
        .check();
}

/// The thread that arrives later may enter first.
#[test]
fn spin_lock_is_not_fair() {
    let first_come_first_served = |(lock, arrivals): &(SpinLock, AtomicU64)| {
        let arrival = arrivals.fetch_add(1, Relaxed);
        lock.enter();
        let before = lock.value.get();
        lock.value.increment();
        lock.leave();
        arrival == before
    };
    let report = Model::new(|| (SpinLock::default(), AtomicU64::new(0)))
        .thread("alice", first_come_first_served)
        .thread("bob", first_come_first_served)
        .acceptable("alice=true bob=true", "in the order in which they came")
        .interesting("alice=false bob=false", "the later one was let in first")
        .check();
    is_complete(&report);
}

/// Alice returns without unlocking. If bob comes second, each turn of his loop reads the same store, and no other
/// thread can change it.
#[test]
fn unreleased_spin_lock_is_a_livelock() {
    Model::new(SpinLock::default)
        .thread("alice", |lock| {
            if lock.try_enter() {
                lock.value.increment();
            }
        })
        .thread("bob", increment_naively)
        .fails(Failure::Livelock)
        .check();
}

// ---------------------------------------------------------------------------------------------
// Sound.
// ---------------------------------------------------------------------------------------------

/// The threads enter in one of n! orders. The second may fail on the store by which the first locked; the third on
/// that of the first, of the second, or on both in this order. The i-th has 2^(i - 1) choices. Failing on the same
/// store twice is a stutter.
fn naive_spinning_costs(threads: usize, executions: u64) {
    let model = by_spin_lock(threads, increment_naively);
    let report = model.acceptable(&format!("total={threads}"), "no increment is lost").check();
    is_complete(&report);
    assert!(!cfg!(loom) || report.executions() == executions, "{report}");
}

#[test]
fn two_spinning_threads_are_explored_completely() {
    naive_spinning_costs(2, 2 * 2);
}

#[test]
fn three_spinning_threads_are_explored_completely() {
    naive_spinning_costs(3, 6 * 2 * 4);
}

#[test]
fn spin_lock_excludes_two_threads() {
    let model = by_spin_lock(2, SpinLock::increment);
    is_complete(&model.acceptable("total=2", "the second sees what the first wrote").check());
}

#[test]
fn spin_lock_excludes_three_threads() {
    let model = by_spin_lock(3, SpinLock::increment);
    is_complete(&model.acceptable("total=3", "each sees what those before it wrote").check());
}

#[test]
fn ticket_lock_serves_two_threads_in_order() {
    let model = by_ticket_lock(2);
    is_complete(&model.acceptable("total=2", "the second sees what the first wrote").check());
}

#[test]
fn ticket_lock_serves_three_threads_in_order() {
    let model = by_ticket_lock(3);
    is_complete(&model.acceptable("total=3", "each sees what those before it wrote").check());
}
