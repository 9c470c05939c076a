//! # When may the next one in see what the last one wrote?
//!
//! **Answer.** When taking the lock is an acquire, and giving it back a release. One of the two is
//! not enough, and a lock that looks first and takes then lets both in.
//!
//! **Why the racy ones fail.** The flag keeps the second thread out whatever its ordering is: a
//! `compare_exchange` is one step. But being alone is not enough. A relaxed unlock does not carry
//! along what was written before it ([`RelaxedUnlockSpinLock`]), a relaxed lock does not ask for it
//! ([`RelaxedLockSpinLock`]), and in either case the next owner's access to the value is ordered after
//! nothing: a data race. [`LookThenTakeSpinLock`] splits the step in two, and two threads that both saw the
//! lock free both take it.
//!
//! **Why the sound ones hold.** The acquire of the lock reads what the release of the last unlock
//! wrote, so all that the last owner did happens before all that the next one does. In a
//! [`TicketLock`] the same goes for the number that is being served; to draw a ticket may be
//! relaxed, because it lets nobody in. It is also fair: who draws first is served first, while a
//! spin lock may be taken by whoever came later.
//!
//! **The code** is in `specimens/src/spin_lock.rs`, the twins in `specimens/src/spin_lock/racy.rs`. What matters of a
//! [`SpinLock`] are two lines, one to come in and one to leave:
//!
//! ```text
//! self.taken.compare_exchange(false, true, Acquire, Relaxed).is_ok()
//! self.taken.store(false, Release);
//! ```
//!
//! `cargo selvedge mutants` weakens each of these orderings, and those of the ticket lock, and splits the steps:
//! a model of the second half turns red each time.
//!
//! **Loops that wait.** A turn that reads the same stores as the turn before and changes nothing is a
//! *stutter*, and is not explored again. So the loop that one writes with `std` alone, around
//! `hint::spin_loop`, has finitely many executions. The locks here wait in
//! [`hint::wait_until`](selvedge_model::sync::hint::wait_until), which has fewer: no execution in which a turn
//! fails and another one follows. Where no other thread is left that could end the wait, the checker reports
//! a livelock (of a loop) or a deadlock (of `wait_until`).
//!
//! **Bounds and what is not modelled.** No bound: each model is explored completely, for two and for
//! three threads that lock once each. The cost of waiting (contention for the cache line, a lock whose owner
//! is not scheduled) does not affect the outcomes, and is not modelled.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::hint;
use selvedge_model::{Failure, Model, Report};

use specimens::spin_lock::racy::{
    LookThenTakeSpinLock, RelaxedLockSpinLock, RelaxedUnlockSpinLock,
};
use specimens::spin_lock::{SpinLock, TicketLock};

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// The lock as one would write it with `std` alone.
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

/// The outcome says whether all were served in the order of their tickets.
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

/// A proof that was cut short is none.
fn is_complete(report: &Report) {
    assert!(report.is_complete() || !cfg!(loom), "explored completely: {report}");
}

// ---------------------------------------------------------------------------------------------
// Racy: what goes wrong.
// ---------------------------------------------------------------------------------------------

/// The flag arrives, what was written under the lock may not.
#[test]
fn a_relaxed_unlock_is_a_data_race() {
    Model::new(RelaxedUnlockSpinLock::default)
        .thread("alice", RelaxedUnlockSpinLock::increment)
        .thread("bob", RelaxedUnlockSpinLock::increment)
        .fails(Failure::DataRace)
        .check();
}

/// What was written is there to be had, and nobody asks for it.
#[test]
fn a_relaxed_lock_is_a_data_race() {
    Model::new(RelaxedLockSpinLock::default)
        .thread("alice", RelaxedLockSpinLock::increment)
        .thread("bob", RelaxedLockSpinLock::increment)
        .fails(Failure::DataRace)
        .check();
}

/// Both saw it free.
#[test]
fn a_lock_that_looks_first_lets_two_in() {
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

/// And so the orderings, which are right, order nothing.
#[test]
fn a_lock_that_looks_first_is_a_data_race() {
    Model::new(LookThenTakeSpinLock::default)
        .thread("alice", LookThenTakeSpinLock::increment)
        .thread("bob", LookThenTakeSpinLock::increment)
        .fails(Failure::DataRace)
        .check();
}

/// A spin lock is not fair: who comes later may be let in first.
#[test]
fn a_spin_lock_may_be_taken_by_a_latecomer() {
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

/// Alice returns without unlocking. If bob comes second he spins for ever: every turn of his loop reads the
/// same store, and no other thread is left that could change it.
#[test]
fn a_lock_that_is_never_released_is_a_livelock() {
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
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// The threads enter in one of n! orders. On its way in, the second may fail on the store by which the first
/// locked; the third on that of the first, of the second, or on both, one after the other; and so on: the i-th
/// has 2^(i - 1) ways. To fail on the same store twice is a stutter.
fn naive_spinning_costs(threads: usize, executions: u64) {
    let model = by_spin_lock(threads, increment_naively);
    let report = model.acceptable(&format!("total={threads}"), "no increment is lost").check();
    is_complete(&report);
    assert!(!cfg!(loom) || report.executions() == executions, "{report}");
}

#[test]
fn two_that_spin_naively_are_explored_completely() {
    naive_spinning_costs(2, 2 * 2);
}

#[test]
fn three_that_spin_naively_are_explored_completely() {
    naive_spinning_costs(3, 6 * 2 * 4);
}

#[test]
fn a_spin_lock_lets_two_threads_in_one_at_a_time() {
    let model = by_spin_lock(2, SpinLock::increment);
    is_complete(&model.acceptable("total=2", "the second sees what the first wrote").check());
}

#[test]
fn a_spin_lock_lets_three_threads_in_one_at_a_time() {
    let model = by_spin_lock(3, SpinLock::increment);
    is_complete(&model.acceptable("total=3", "each sees what those before it wrote").check());
}

#[test]
fn a_ticket_lock_serves_two_threads_in_order() {
    let model = by_ticket_lock(2);
    is_complete(&model.acceptable("total=2", "the second sees what the first wrote").check());
}

#[test]
fn a_ticket_lock_serves_three_threads_in_order() {
    let model = by_ticket_lock(3);
    is_complete(&model.acceptable("total=3", "each sees what those before it wrote").check());
}
