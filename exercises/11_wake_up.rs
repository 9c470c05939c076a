//! # 11. A wake-up that is not lost (hard)
//!
//! `add` takes the lock only if a thread sleeps, because that is rare. A thread that wants to sleep announces it
//! first and checks for a permit again afterwards, so it cannot miss one. And yet it sometimes sleeps for ever
//! although there is a permit. Make it right, and keep the fast path: no lock if no thread sleeps.
//!
//! | call | promise |
//! |---|---|
//! | `add()` | adds a permit, and wakes a thread that sleeps |
//! | `take()` | takes a permit; sleeps while there is none |
//! | | what was written before `add` is visible after the `take` of that permit |
//!
//! No interleaving shows it: read which store each load of the picture reads.
//!
//! Run: `cargo exercise wake_up`. Hints: `cargo exercise hint wake_up`.
//! Lessons: 4.2 `loom-tests/4_orderings/2_store_buffering.rs`, 7.1 `loom-tests/7_jobs/1_job_queue.rs`.

use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use selvedge_model::sync::{Condvar, Mutex};

use crate::checks::wake_up::Permits;

/// Permits that are there, and threads that sleep for want of one.
#[derive(Debug, Default)]
pub struct Semaphore {
    permits: AtomicU64,
    sleepers: AtomicU64,
    lock: Mutex<()>,
    added: Condvar,
}

impl Semaphore {
    fn try_take(&self) -> bool {
        self.permits.fetch_update(AcqRel, Relaxed, |permits| permits.checked_sub(1)).is_ok()
    }
}

impl Permits for Semaphore {
    fn add(&self) {
        self.permits.fetch_add(1, AcqRel);
        if self.sleepers.load(Acquire) > 0 {
            let _guard = self.lock.lock().unwrap();
            self.added.notify_one();
        }
    }

    fn take(&self) {
        if self.try_take() {
            return;
        }
        let mut guard = self.lock.lock().unwrap();
        self.sleepers.fetch_add(1, AcqRel);
        while !self.try_take() {
            guard = self.added.wait(guard).unwrap();
        }
        self.sleepers.fetch_sub(1, AcqRel);
    }
}
