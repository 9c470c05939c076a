//! Spin locks that go wrong: each has the one defect that it names.

use selvedge::sync::atomic::Ordering::{Acquire, Relaxed};
use selvedge::sync::hint;

use super::SpinLock;

/// Defect: who comes in does not ask for what the last one wrote.
#[derive(Default)]
pub(crate) struct RelaxedLockSpinLock(SpinLock);

impl RelaxedLockSpinLock {
    pub(crate) fn increment(&self) {
        let taken = &self.0.taken;
        hint::wait_until(|| taken.compare_exchange(false, true, Relaxed, Relaxed).is_ok());
        self.0.value.increment();
        self.0.leave();
    }
}

/// Defect: who leaves does not hand on what it wrote.
#[derive(Default)]
pub(crate) struct RelaxedUnlockSpinLock(SpinLock);

impl RelaxedUnlockSpinLock {
    pub(crate) fn increment(&self) {
        self.0.enter();
        self.0.value.increment();
        self.0.taken.store(false, Relaxed);
    }
}

/// Defect: waits until the lock is free, and then takes it. Its orderings are right.
#[derive(Default)]
pub(crate) struct LookThenTakeSpinLock(SpinLock);

impl LookThenTakeSpinLock {
    pub(crate) fn enter(&self) {
        hint::wait_until(|| !self.0.taken.load(Acquire));
        self.0.taken.store(true, Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.0.leave();
    }

    pub(crate) fn increment(&self) {
        self.enter();
        self.0.value.increment();
        self.leave();
    }
}
