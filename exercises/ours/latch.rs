//! `04_latch.rs`.

use exercises::checks::latch::{Latch, check};
use selvedge_model::Failure;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Condvar, Mutex, hint};

use crate::marked::Expected::Fails;
use crate::marked::{is_wrong, solves};

struct Locked {
    left: Mutex<u64>,
    opened: Condvar,
}

impl Latch for Locked {
    fn new(count: u64) -> Self {
        Self { left: Mutex::new(count), opened: Condvar::new() }
    }

    fn count_down(&self) {
        let mut left = self.left.lock().unwrap();
        *left -= 1;
        if *left == 0 {
            self.opened.notify_all();
        }
    }

    fn wait(&self) {
        let left = self.left.lock().unwrap();
        drop(self.opened.wait_while(left, |left| *left > 0).unwrap());
    }
}

#[test]
fn a_count_in_the_mutex_solves_it() {
    solves(check::<Locked>());
}

/// Defect: the count is changed, and the notification sent, without the lock.
struct WithoutTheLock {
    left: AtomicU64,
    sleeping: Mutex<()>,
    opened: Condvar,
}

impl Latch for WithoutTheLock {
    fn new(count: u64) -> Self {
        Self { left: AtomicU64::new(count), sleeping: Mutex::new(()), opened: Condvar::new() }
    }

    fn count_down(&self) {
        if self.left.fetch_sub(1, Release) == 1 {
            self.opened.notify_all();
        }
    }

    fn wait(&self) {
        let guard = self.sleeping.lock().unwrap();
        drop(self.opened.wait_while(guard, |()| self.left.load(Acquire) > 0).unwrap());
    }
}

#[test]
fn a_notification_without_the_lock_is_lost() {
    let lines = ["v1.notify_all", "v1.wait", "deadlock"];
    is_wrong(check::<WithoutTheLock>(), Fails(Failure::Deadlock), &lines);
}

/// Defect: `if` in place of `while`.
struct WaitsOnce(Locked);

impl Latch for WaitsOnce {
    fn new(count: u64) -> Self {
        Self(Locked::new(count))
    }

    fn count_down(&self) {
        self.0.count_down();
    }

    fn wait(&self) {
        let left = self.0.left.lock().unwrap();
        if *left > 0 {
            drop(self.0.opened.wait(left).unwrap());
        }
    }
}

#[test]
fn a_spurious_wake_up_ends_the_wait_early() {
    is_wrong(check::<WaitsOnce>(), Fails(Failure::DataRace), &["v1.wait", "spurious"]);
}

/// Defect: wakes one of those that wait.
struct WakesOne(Locked);

impl Latch for WakesOne {
    fn new(count: u64) -> Self {
        Self(Locked::new(count))
    }

    fn count_down(&self) {
        let mut left = self.0.left.lock().unwrap();
        *left -= 1;
        self.0.opened.notify_one();
    }

    fn wait(&self) {
        self.0.wait();
    }
}

#[test]
fn notify_one_leaves_the_other_asleep() {
    is_wrong(check::<WakesOne>(), Fails(Failure::Deadlock), &["v1.notify_one", "deadlock"]);
}

/// Defect: relaxed.
struct Relaxes(AtomicU64);

impl Latch for Relaxes {
    fn new(count: u64) -> Self {
        Self(AtomicU64::new(count))
    }

    fn count_down(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    fn wait(&self) {
        while self.0.load(Relaxed) > 0 {
            hint::spin_loop();
        }
    }
}

#[test]
fn a_relaxed_count_is_a_data_race() {
    is_wrong(check::<Relaxes>(), Fails(Failure::DataRace), &["rlx"]);
}

/// Defect: counts down in two steps.
struct TwoSteps(AtomicU64);

impl Latch for TwoSteps {
    fn new(count: u64) -> Self {
        Self(AtomicU64::new(count))
    }

    fn count_down(&self) {
        self.0.store(self.0.load(Acquire) - 1, Release);
    }

    fn wait(&self) {
        while self.0.load(Acquire) > 0 {
            hint::spin_loop();
        }
    }
}

#[test]
fn a_count_in_two_steps_never_reaches_zero() {
    is_wrong(check::<TwoSteps>(), Fails(Failure::Livelock), &["livelock"]);
}
