//! `01_counter.rs`.

use exercises::checks::counter::{Counter, check};
use selvedge_model::Failure;
use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use exercises::checks::Plain;

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::{is_wrong, solves};

#[derive(Default)]
struct OneStep(AtomicU64);

impl Counter for OneStep {
    fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[test]
fn one_read_modify_write_solves_it() {
    solves(check::<OneStep>());
}

/// Another solution: one lock held over the step.
#[derive(Default)]
struct OneLock(Mutex<u64>);

impl Counter for OneLock {
    fn increment(&self) {
        *self.0.lock().unwrap() += 1;
    }

    fn get(&self) -> u64 {
        *self.0.lock().unwrap()
    }
}

#[test]
fn one_lock_solves_it() {
    solves(check::<OneLock>());
}

/// Defect: two steps, with stronger orderings.
#[derive(Default)]
struct StrongerOrderings(AtomicU64);

impl Counter for StrongerOrderings {
    fn increment(&self) {
        let before = self.0.load(Acquire);
        self.0.store(before + 1, Release);
    }

    fn get(&self) -> u64 {
        self.0.load(Acquire)
    }
}

#[test]
fn stronger_orderings_lose_an_update() {
    is_wrong(check::<StrongerOrderings>(), Reaches("total=1"), &["~~ preempted ~~", "a1.store 1"]);
}

/// Defect: the exchange is tried once.
#[derive(Default)]
struct ExchangeOnce(AtomicU64);

impl Counter for ExchangeOnce {
    fn increment(&self) {
        let before = self.0.load(Relaxed);
        let _ = self.0.compare_exchange(before, before + 1, AcqRel, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[test]
fn an_exchange_that_is_not_retried_loses_an_update() {
    is_wrong(check::<ExchangeOnce>(), Reaches("total=1"), &["~~ preempted ~~"]);
}

/// Defect: the lock is held for each step and not for both.
#[derive(Default)]
struct TwoLocks(Mutex<u64>);

impl Counter for TwoLocks {
    fn increment(&self) {
        let before = self.get();
        *self.0.lock().unwrap() = before + 1;
    }

    fn get(&self) -> u64 {
        *self.0.lock().unwrap()
    }
}

#[test]
fn two_critical_sections_lose_an_update() {
    is_wrong(check::<TwoLocks>(), Reaches("total=1"), &["m1.lock", "~~ preempted ~~"]);
}

/// Defect: plain memory.
#[derive(Default)]
struct PlainMemory(Plain);

impl Counter for PlainMemory {
    fn increment(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn get(&self) -> u64 {
        self.0.get()
    }
}

#[test]
fn plain_memory_is_a_data_race() {
    is_wrong(check::<PlainMemory>(), Fails(Failure::DataRace), &["c1.write"]);
}
