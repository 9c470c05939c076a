//! Spin locks that go wrong: each has the one defect that it names.

use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed};
use selvedge_model::sync::hint;

use super::SpinLock;

/// Defect: the lock does not acquire, so the owner may not see what the last one wrote.
#[derive(Default)]
pub struct RelaxedLockSpinLock(pub SpinLock);

impl RelaxedLockSpinLock {
    pub fn increment(&self) {
        let taken = &self.0.taken;
        hint::wait_until(|| taken.compare_exchange(false, true, Relaxed, Relaxed).is_ok());
        self.0.value.increment();
        self.0.leave();
    }
}

/// Defect: the unlock does not release, so the next owner may not see what was written.
#[derive(Default)]
pub struct RelaxedUnlockSpinLock(pub SpinLock);

impl RelaxedUnlockSpinLock {
    pub fn increment(&self) {
        self.0.enter();
        self.0.value.increment();
        self.0.taken.store(false, Relaxed);
    }
}

/// Defect: waits until the lock is free, and then takes it. Its orderings are right.
#[derive(Default)]
pub struct LookThenTakeSpinLock(SpinLock);

impl LookThenTakeSpinLock {
    pub fn enter(&self) {
        hint::wait_until(|| !self.0.taken.load(Acquire));
        self.0.taken.store(true, Relaxed);
    }

    pub fn leave(&self) {
        self.0.leave();
    }

    pub fn increment(&self) {
        self.enter();
        self.0.value.increment();
        self.leave();
    }
}
