//! Spin locks around a number in plain memory. Racy variants are in `spin_lock/racy.rs`.
//!
//! Proved in `loom-tests/suites/checker/spin_lock.rs`.

use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::hint;

pub mod racy;

/// A number in plain memory, kept by a lock.
#[derive(Default)]
pub struct Kept(UnsafeCell<u64>);

// SAFETY: the lock around it excludes other threads, and each unlock happens before the next lock.
// In a racy variant it does not, which is its defect.
unsafe impl Sync for Kept {}

impl Kept {
    pub fn increment(&self) {
        // SAFETY: as above.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }

    pub fn get(&self) -> u64 {
        // SAFETY: as above.
        self.0.with(|value| unsafe { *value })
    }
}

/// The thread that sets the flag holds the lock.
#[derive(Default)]
pub struct SpinLock {
    /// True while the lock is held.
    taken: AtomicBool,
    pub value: Kept,
}

impl SpinLock {
    /// Acquires the lock if it is free.
    pub fn try_enter(&self) -> bool {
        // Acquire: pairs with the Release in `leave`; the owner sees all that the last one wrote.
        // Relaxed: a failed attempt reads nothing else.
        self.taken.compare_exchange(false, true, Acquire, Relaxed).is_ok()
    }

    pub fn enter(&self) {
        hint::wait_until(|| self.try_enter());
    }

    pub fn leave(&self) {
        // Release: what was written in here is there for the next one in.
        self.taken.store(false, Release);
    }

    pub fn increment(&self) {
        self.enter();
        self.value.increment();
        self.leave();
    }
}

/// Each draws a number, and waits until it is served.
#[derive(Default)]
pub struct TicketLock {
    next: AtomicU64,
    serving: AtomicU64,
    pub value: Kept,
}

impl TicketLock {
    /// Returns the number of the ticket, and how many had been in before.
    pub fn increment(&self) -> (u64, u64) {
        // Relaxed: each needs a number of its own, and nothing else.
        let ticket = self.next.fetch_add(1, Relaxed);
        // Acquire and Release: as in `SpinLock`, with the number in place of the flag.
        hint::wait_until(|| self.serving.load(Acquire) == ticket);
        let before = self.value.get();
        self.value.increment();
        self.serving.store(ticket + 1, Release);
        (ticket, before)
    }
}
