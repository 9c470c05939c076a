//! Locks that are waited for in a loop, around a number in plain memory. Racy twins are in `racy/`.
//!
//! Proved in `loom-tests/spin_lock.rs`.

use selvedge::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge::sync::cell::UnsafeCell;
use selvedge::sync::hint;

#[path = "racy/spin_lock.rs"]
pub(crate) mod racy;

/// A number in plain memory, kept by a lock.
#[derive(Default)]
pub(crate) struct Kept(UnsafeCell<u64>);

// SAFETY: the lock around it lets one thread in at a time, and the next one in after the last one is out.
// Where a twin does not, that is its defect.
unsafe impl Sync for Kept {}

impl Kept {
    pub(crate) fn increment(&self) {
        // SAFETY: as above.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }

    pub(crate) fn get(&self) -> u64 {
        // SAFETY: as above.
        self.0.with(|value| unsafe { *value })
    }
}

/// Whoever turns the flag is in.
#[derive(Default)]
pub(crate) struct SpinLock {
    /// True while somebody is in.
    taken: AtomicBool,
    pub(crate) value: Kept,
}

impl SpinLock {
    /// Comes in if nobody is.
    pub(crate) fn try_enter(&self) -> bool {
        // Acquire: pairs with the Release in `leave`; who comes in sees all that the last one wrote.
        // Relaxed: who stays out may see nothing.
        self.taken.compare_exchange(false, true, Acquire, Relaxed).is_ok()
    }

    pub(crate) fn enter(&self) {
        hint::wait_until(|| self.try_enter());
    }

    pub(crate) fn leave(&self) {
        // Release: what was written in here is there for the next one in.
        self.taken.store(false, Release);
    }

    pub(crate) fn increment(&self) {
        self.enter();
        self.value.increment();
        self.leave();
    }
}

/// Each draws a number, and waits until it is served.
#[derive(Default)]
pub(crate) struct TicketLock {
    next: AtomicU64,
    serving: AtomicU64,
    pub(crate) value: Kept,
}

impl TicketLock {
    /// Returns the number of the ticket, and how many had been in before.
    pub(crate) fn increment(&self) -> (u64, u64) {
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
