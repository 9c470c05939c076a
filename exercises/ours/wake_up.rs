//! `11_wake_up.rs`.

use exercises::checks::wake_up::{Permits, check};
use selvedge_model::Failure;
use selvedge_model::sync::atomic::{
    AtomicBool, AtomicU64, Ordering,
    Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
    fence,
};
use selvedge_model::sync::{Condvar, Mutex};

use crate::marked::Expected::Fails;
use crate::marked::{is_wrong, solves};

#[derive(Default)]
struct Parts {
    permits: AtomicU64,
    sleepers: AtomicU64,
    lock: Mutex<()>,
    added: Condvar,
}

impl Parts {
    fn try_take(&self, success: Ordering, failure: Ordering) -> bool {
        self.permits.fetch_update(success, failure, |permits| permits.checked_sub(1)).is_ok()
    }

    fn notify(&self) {
        let _guard = self.lock.lock().unwrap();
        self.added.notify_one();
    }

    /// Says that it sleeps, calls `between`, looks, and sleeps.
    fn sleep(&self, announce: Ordering, between: fn(), look: Ordering) {
        let mut guard = self.lock.lock().unwrap();
        self.sleepers.fetch_add(1, announce);
        between();
        while !self.try_take(AcqRel, look) {
            guard = self.added.wait(guard).unwrap();
        }
        self.sleepers.fetch_sub(1, Relaxed);
    }
}

/// Permits, and their two calls.
macro_rules! permits {
    ($(#[$doc:meta])* $name:ident, $add:expr, $take:expr) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name(Parts);

        impl Permits for $name {
            fn add(&self) {
                $add(&self.0);
            }

            fn take(&self) {
                if !self.0.try_take(Acquire, Relaxed) {
                    $take(&self.0);
                }
            }
        }
    };
}

fn add(parts: &Parts, write: Ordering, between: fn(), read: Ordering) {
    parts.permits.fetch_add(1, write);
    between();
    if parts.sleepers.load(read) > 0 {
        parts.notify();
    }
}

fn nothing() {}

fn full_fence() {
    fence(SeqCst);
}

permits!(
    SequentiallyConsistent,
    |parts: &Parts| add(parts, SeqCst, nothing, SeqCst),
    |parts: &Parts| parts.sleep(SeqCst, nothing, SeqCst)
);

#[test]
fn sequentially_consistent_accesses_solve_it() {
    solves(check::<SequentiallyConsistent>());
}

permits!(Fences, |parts: &Parts| add(parts, AcqRel, full_fence, Relaxed), |parts: &Parts| parts
    .sleep(Relaxed, full_fence, Relaxed));

#[test]
fn a_fence_on_both_sides_solves_it() {
    solves(check::<Fences>());
}

permits!(
    /// Defect: a fence on one side.
    OneFence,
    |parts: &Parts| add(parts, AcqRel, full_fence, Acquire),
    |parts: &Parts| parts.sleep(AcqRel, nothing, Acquire)
);

#[test]
fn a_fence_on_one_side_loses_a_wake_up() {
    let lines = ["reads 0, newest is 1", "v1.wait", "deadlock"];
    is_wrong(check::<OneFence>(), Fails(Failure::Deadlock), &lines);
}

permits!(
    /// Defect: the look that fails is not sequentially consistent.
    RelaxedLook,
    |parts: &Parts| add(parts, SeqCst, nothing, SeqCst),
    |parts: &Parts| parts.sleep(SeqCst, nothing, Relaxed)
);

#[test]
fn a_relaxed_look_loses_a_wake_up() {
    let lines = ["reads 0, newest is 1", "v1.wait", "deadlock"];
    is_wrong(check::<RelaxedLook>(), Fails(Failure::Deadlock), &lines);
}

permits!(
    /// Defect: notifies without the lock.
    WithoutTheLock,
    |parts: &Parts| {
        parts.permits.fetch_add(1, SeqCst);
        if parts.sleepers.load(SeqCst) > 0 {
            parts.added.notify_one();
        }
    },
    |parts: &Parts| parts.sleep(SeqCst, nothing, SeqCst)
);

#[test]
fn a_notification_without_the_lock_is_lost() {
    let lines = ["v1.notify_one", "v1.wait", "deadlock"];
    is_wrong(check::<WithoutTheLock>(), Fails(Failure::Deadlock), &lines);
}

permits!(
    /// Defect: looks first, and then says that it sleeps.
    LooksFirst,
    |parts: &Parts| add(parts, SeqCst, nothing, SeqCst),
    |parts: &Parts| {
        let mut guard = parts.lock.lock().unwrap();
        while !parts.try_take(SeqCst, SeqCst) {
            parts.sleepers.fetch_add(1, SeqCst);
            guard = parts.added.wait(guard).unwrap();
            parts.sleepers.fetch_sub(1, SeqCst);
        }
    }
);

#[test]
fn a_look_before_the_announcement_loses_a_wake_up() {
    let lines = ["~~ preempted ~~", "v1.wait", "deadlock"];
    is_wrong(check::<LooksFirst>(), Fails(Failure::Deadlock), &lines);
}

permits!(
    /// Defect: adding a permit does not release.
    RelaxedPermit,
    |parts: &Parts| {
        parts.permits.fetch_add(1, Relaxed);
        fence(SeqCst);
        if parts.sleepers.load(Relaxed) > 0 {
            parts.notify();
        }
    },
    |parts: &Parts| parts.sleep(Relaxed, full_fence, Relaxed)
);

#[test]
fn a_permit_that_does_not_release_is_a_data_race() {
    is_wrong(check::<RelaxedPermit>(), Fails(Failure::DataRace), &["rlx"]);
}

/// Defect: a flag in place of a count of those that sleep.
#[derive(Default)]
struct OneFlag {
    parts: Parts,
    sleeping: AtomicBool,
}

impl Permits for OneFlag {
    fn add(&self) {
        self.parts.permits.fetch_add(1, SeqCst);
        if self.sleeping.load(SeqCst) {
            self.parts.notify();
        }
    }

    fn take(&self) {
        let mut guard = self.parts.lock.lock().unwrap();
        self.sleeping.store(true, SeqCst);
        while !self.parts.try_take(SeqCst, SeqCst) {
            guard = self.parts.added.wait(guard).unwrap();
        }
        self.sleeping.store(false, SeqCst);
    }
}

#[test]
fn a_flag_that_the_first_clears_forgets_the_second() {
    let lines = ["store false", "v1.wait", "deadlock"];
    is_wrong(check::<OneFlag>(), Fails(Failure::Deadlock), &lines);
}
