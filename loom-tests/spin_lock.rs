//! # When may the next one in see what the last one wrote?
//!
//! **Answer.** When taking the lock is an acquire, and giving it back a release. One of the two is
//! not enough, and a lock that looks first and takes then lets both in.
//!
//! **Why the racy ones fail.** The flag keeps the second thread out whatever its ordering is: a
//! `compare_exchange` is one step. But being alone is not enough. A relaxed unlock does not carry
//! along what was written before it, a relaxed lock does not ask for it, and in either case the next
//! owner's access to the value is ordered after nothing: a data race. [`LooksThenTakes`] splits the
//! step in two, and two threads that both saw the lock free both take it.
//!
//! **Why the sound ones hold.** The acquire of the lock reads what the release of the last unlock
//! wrote, so all that the last owner did happens before all that the next one does. In a
//! [`TicketLock`] the same goes for the number that is being served; to draw a ticket may be
//! relaxed, because it lets nobody in. It is also fair: who draws first is served first, while a
//! spin lock may be taken by whoever came later.
//!
//! **Bounds and what is not modelled.** No bound: each model is explored completely, for two and for
//! three threads that lock once each. They wait in
//! [`hint::wait_until`](selvedge::sync::hint::wait_until): a loop around `hint::spin_loop` is
//! explored for two threads; of three, two can yield to each other for ever, and no number of steps
//! is enough. What waiting costs (the cache line that is fought for, a lock whose owner does not run)
//! is no matter of correctness, and not modelled.

use selvedge::model::{Failure, Model, Report};
use selvedge::sync::atomic::{
    AtomicBool, AtomicU64, Ordering,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge::sync::cell::UnsafeCell;
use selvedge::sync::hint;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// A number in plain memory, kept by a lock, or not.
#[derive(Default)]
struct Kept(UnsafeCell<u64>);

// SAFETY: none: whether accesses are ordered depends on the lock, and is what the page is about. Where
// they are not, the model is expected to fail, and is not run on real threads.
unsafe impl Sync for Kept {}

impl Kept {
    fn increment(&self) {
        // SAFETY: as above.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }

    fn get(&self) -> u64 {
        // SAFETY: as above.
        self.0.with(|value| unsafe { *value })
    }
}

/// A flag that is true while somebody is in.
struct SpinLock {
    taken: AtomicBool,
    value: Kept,
    /// The ordering of taking the lock, and of giving it back.
    lock: Ordering,
    unlock: Ordering,
}

impl SpinLock {
    fn with(lock: Ordering, unlock: Ordering) -> Self {
        Self { taken: AtomicBool::new(false), value: Kept::default(), lock, unlock }
    }

    /// The failure teaches nothing, so it may be relaxed.
    fn try_lock(&self) -> bool {
        self.taken.compare_exchange(false, true, self.lock, Relaxed).is_ok()
    }

    fn unlock(&self) {
        self.taken.store(false, self.unlock);
    }

    fn increment(&self) {
        hint::wait_until(|| self.try_lock());
        self.value.increment();
        self.unlock();
    }

    /// The same, as one would write it with `std` alone.
    fn increment_naively(&self) {
        while !self.try_lock() {
            hint::spin_loop();
        }
        self.value.increment();
        self.unlock();
    }
}

/// Waits until the lock is free, and then takes it: two steps.
#[derive(Default)]
struct LooksThenTakes {
    taken: AtomicBool,
    inside: AtomicU64,
    value: Kept,
}

impl LooksThenTakes {
    fn lock(&self) {
        hint::wait_until(|| !self.taken.load(Acquire));
        self.taken.store(true, Relaxed);
    }

    fn unlock(&self) {
        self.taken.store(false, Release);
    }

    fn increment(&self) {
        self.lock();
        self.value.increment();
        self.unlock();
    }

    /// How many others are in as well.
    fn company(&self) -> u64 {
        self.lock();
        let others = self.inside.fetch_add(1, Relaxed);
        self.inside.fetch_sub(1, Relaxed);
        self.unlock();
        others
    }
}

/// Each draws a number, and waits until it is served.
struct TicketLock {
    next: AtomicU64,
    serving: AtomicU64,
    value: Kept,
    lock: Ordering,
    unlock: Ordering,
}

impl TicketLock {
    fn with(lock: Ordering, unlock: Ordering) -> Self {
        let (next, serving, value) = Default::default();
        Self { next, serving, value, lock, unlock }
    }

    /// Returns the number of the ticket, and how many had been in before.
    fn increment(&self) -> (u64, u64) {
        // Relaxed: each needs a number of its own, and nothing else.
        let ticket = self.next.fetch_add(1, Relaxed);
        hint::wait_until(|| self.serving.load(self.lock) == ticket);
        let before = self.value.get();
        self.value.increment();
        self.serving.store(ticket + 1, self.unlock);
        (ticket, before)
    }
}

fn spin_lock(threads: usize, lock: Ordering, unlock: Ordering) -> Model<SpinLock> {
    let mut model = Model::new(move || SpinLock::with(lock, unlock));
    for name in NAMES.into_iter().take(threads) {
        model = model.thread(name, SpinLock::increment);
    }
    model.finally("total", |lock| lock.value.get())
}

/// The outcome says whether all were served in the order of their tickets.
fn ticket_lock(threads: usize, lock: Ordering, unlock: Ordering) -> Model<TicketLock> {
    let mut model = Model::new(move || TicketLock::with(lock, unlock));
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
    spin_lock(2, Acquire, Relaxed).fails(Failure::DataRace).check();
}

/// What was written is there to be had, and nobody asks for it.
#[test]
fn a_relaxed_lock_is_a_data_race() {
    spin_lock(2, Relaxed, Release).fails(Failure::DataRace).check();
}

/// Both saw it free.
#[test]
fn a_lock_that_looks_first_lets_two_in() {
    Model::new(LooksThenTakes::default)
        .thread("alice", LooksThenTakes::company)
        .thread("bob", LooksThenTakes::company)
        .acceptable("alice=0 bob=0", "each was alone")
        .interesting("alice=0 bob=1", "alice was still in when bob came")
        .interesting("alice=1 bob=0", "bob was still in when alice came")
        .check();
}

/// And so the orderings, which are right, order nothing.
#[test]
fn a_lock_that_looks_first_is_a_data_race() {
    Model::new(LooksThenTakes::default)
        .thread("alice", LooksThenTakes::increment)
        .thread("bob", LooksThenTakes::increment)
        .fails(Failure::DataRace)
        .check();
}

#[test]
fn a_ticket_lock_with_a_relaxed_unlock_is_a_data_race() {
    ticket_lock(2, Acquire, Relaxed).fails(Failure::DataRace).check();
}

#[test]
fn a_ticket_lock_that_waits_relaxed_is_a_data_race() {
    ticket_lock(2, Relaxed, Release).fails(Failure::DataRace).check();
}

/// A spin lock is not fair: who comes later may be let in first.
#[test]
fn a_spin_lock_may_be_taken_by_a_latecomer() {
    struct Shared {
        lock: SpinLock,
        arrivals: AtomicU64,
    }
    let first_come_first_served = |shared: &Shared| {
        let arrival = shared.arrivals.fetch_add(1, Relaxed);
        hint::wait_until(|| shared.lock.try_lock());
        let before = shared.lock.value.get();
        shared.lock.value.increment();
        shared.lock.unlock();
        arrival == before
    };
    let report = Model::new(|| Shared {
        lock: SpinLock::with(Acquire, Release),
        arrivals: AtomicU64::new(0),
    })
    .thread("alice", first_come_first_served)
    .thread("bob", first_come_first_served)
    .acceptable("alice=true bob=true", "in the order in which they came")
    .interesting("alice=false bob=false", "the later one was let in first")
    .check();
    is_complete(&report);
}

/// Why this page waits in `hint::wait_until`: while one is in, the other two yield to each other,
/// and an exploration of all schedules explores the one in which they never stop.
#[test]
fn three_that_spin_naively_yield_to_each_other_for_ever() {
    let mut model = Model::new(|| SpinLock::with(Acquire, Release));
    for name in NAMES {
        model = model.thread(name, SpinLock::increment_naively);
    }
    model.fails(Failure::Livelock).check();
}

// ---------------------------------------------------------------------------------------------
// Sound: the same questions, and no surprising outcome is left.
// ---------------------------------------------------------------------------------------------

/// Two may spin as they like: one of them can always go on.
#[test]
fn two_that_spin_naively_take_turns() {
    let report = Model::new(|| SpinLock::with(Acquire, Release))
        .thread("alice", SpinLock::increment_naively)
        .thread("bob", SpinLock::increment_naively)
        .finally("total", |lock| lock.value.get())
        .acceptable("total=2", "one at a time, and the second sees what the first wrote")
        .check();
    is_complete(&report);
}

#[test]
fn a_spin_lock_lets_two_threads_in_one_at_a_time() {
    let model = spin_lock(2, Acquire, Release);
    is_complete(&model.acceptable("total=2", "the second sees what the first wrote").check());
}

#[test]
fn a_spin_lock_lets_three_threads_in_one_at_a_time() {
    let model = spin_lock(3, Acquire, Release);
    is_complete(&model.acceptable("total=3", "each sees what those before it wrote").check());
}

#[test]
fn a_ticket_lock_serves_two_threads_in_order() {
    let model = ticket_lock(2, Acquire, Release);
    is_complete(&model.acceptable("total=2", "the second sees what the first wrote").check());
}

#[test]
fn a_ticket_lock_serves_three_threads_in_order() {
    let model = ticket_lock(3, Acquire, Release);
    is_complete(&model.acceptable("total=3", "each sees what those before it wrote").check());
}
