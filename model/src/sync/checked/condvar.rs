//! Waiting for a notification.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::mutant;
use super::place::{Item, Kind, Place, here};
use super::poison;
use super::{LockResult, MutexGuard};
use crate::kernel::object::{self, CondvarAct, MAY_TAKE};
use crate::kernel::{self, Choice, Made, Operation, Site, Turn};
use crate::mutation::Change;

/// `std::sync::Condvar`. In an exploration, waits end without a cause too, and those with a limit at
/// any moment; under [`Policy::patient`](crate::kernel::Policy::patient), only where no other thread can
/// move.
pub struct Condvar {
    model: Place<Queue>,
    std: std::sync::Condvar,
}

pub(super) struct Queue;

impl Kind for Queue {
    const WHAT: &'static str = "a condition variable";
    fn made(&self) -> Made {
        Made::Object(object::Condvar::default().into())
    }
}

impl Item for Condvar {
    type Kind = Queue;
    fn place(&self) -> &Place<Queue> {
        &self.model
    }
}

/// Whether a wait with a limit ended because time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether time was up.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Woken,
    TimedOut,
}

impl Condvar {
    /// No thread waits.
    #[track_caller]
    pub const fn new() -> Self {
        let model = Place::new(Queue, Location::caller());
        Self { model, std: std::sync::Condvar::new() }
    }

    fn act(&self, act: CondvarAct, site: Site) -> Option<u64> {
        here(self).model.act(act, site)
    }

    fn spurious(site: Site) -> bool {
        kernel::with(|engine| engine.wakes_spuriously(site)) == Some(true)
    }

    /// Waits for a notification until time is up.
    fn wakes_in_time(&self, site: Site) -> bool {
        let woken = here(self).model.with(|engine, object| {
            let act = CondvarAct::Wake.into();
            engine.step_in_time(Operation::Act { object, act }, site)
        });
        woken.flatten().is_some()
    }

    /// Waits in an exploration; outside, returns the guard.
    fn wait_in_model<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        limited: bool,
        site: Site,
    ) -> Result<(LockResult<MutexGuard<'a, T>>, End), MutexGuard<'a, T>> {
        // A wait with a limit may end at any moment anyway.
        let wakes = !limited && mutant::change(site, "wait", &[]) == Some(Change::Wakes);
        if self.act(CondvarAct::Enter, site).is_none() {
            return Err(guard);
        }
        let (mutex, unwound) = guard.release_to_wait();
        let mut end = End::Woken;
        let patient = kernel::with(|engine| engine.policy().patient);
        if limited && patient == Some(true) {
            let spurious = Self::spurious(site);
            if spurious || !self.wakes_in_time(site) {
                self.act(CondvarAct::LeaveAnyway, site);
                Self::end_turn(site);
                end = if spurious { End::Woken } else { End::TimedOut };
            }
        } else if limited {
            Self::end_turn(site);
            // Whether it was notified depends on when it leaves; and then it may be open.
            let mut result = self.act(CondvarAct::Leave, site);
            if result == Some(MAY_TAKE) {
                let leaves = kernel::with(|engine| engine.chooses(Choice::TimeOut, site));
                let leaves = leaves == Some(true);
                let act = if leaves { CondvarAct::LeaveAnyway } else { CondvarAct::TakeOrLeave };
                result = self.act(act, site);
            }
            let notified = result == Some(1);
            if !notified && !Self::spurious(site) {
                end = End::TimedOut;
            }
        } else {
            // A wait that only a notification ends is no turn of a loop: it blocks.
            if wakes || kernel::with(|engine| engine.policy().spurious) == Some(true) {
                Self::end_turn(site);
            }
            let spurious = wakes || Self::spurious(site);
            self.act(if spurious { CondvarAct::LeaveAnyway } else { CondvarAct::Wake }, site);
        }
        let mut guard = mutex.lock_at(site);
        match &mut guard {
            Ok(guard) => guard.unwound = unwound,
            Err(poison) => poison.get_mut().unwound = unwound,
        }
        Ok((guard, end))
    }

    /// The wait may be a turn of a loop. The mutex is not held here.
    fn end_turn(site: Site) {
        kernel::with(|engine| engine.turn(Turn::Spin, site));
    }

    /// Releases the mutex, blocks until notified, and acquires the mutex again. May return without a
    /// notification.
    ///
    /// # Errors
    ///
    /// The guard too, if the mutex is poisoned.
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let site = Location::caller();
        match self.wait_in_model(guard, false, site) {
            Ok((guard, _)) => guard,
            Err(guard) => {
                let (mutex, std) = guard.dissolve();
                let Some(std) = std else { unreachable!("a guard outside an exploration") };
                poison::map(self.std.wait(std), |std| MutexGuard::from_std(mutex, std, site))
            }
        }
    }

    /// Waits while `condition` holds.
    ///
    /// # Errors
    ///
    /// The guard too, if the mutex is poisoned.
    #[track_caller]
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while guard.waits_while(&mut condition) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Like [`wait`](Self::wait), but for no longer than `duration`.
    ///
    /// # Errors
    ///
    /// The same too, if the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        duration: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let site = Location::caller();
        match self.wait_in_model(guard, true, site) {
            Ok((guard, end)) => {
                let result = WaitTimeoutResult(end == End::TimedOut);
                poison::map(guard, |guard| (guard, result))
            }
            Err(guard) => {
                let (mutex, std) = guard.dissolve();
                let Some(std) = std else { unreachable!("a guard outside an exploration") };
                poison::map(self.std.wait_timeout(std, duration), |(std, result)| {
                    let result = WaitTimeoutResult(result.timed_out());
                    (MutexGuard::from_std(mutex, std, site), result)
                })
            }
        }
    }

    /// Waits while `condition` holds, but for no longer than `duration`.
    ///
    /// # Errors
    ///
    /// The same too, if the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        duration: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let start = std::time::Instant::now();
        let in_model = kernel::with(|_| ()).is_some();
        loop {
            if !guard.waits_while(&mut condition) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            // There is no time in an exploration.
            let passed = if in_model { Duration::ZERO } else { start.elapsed() };
            let Some(left) = duration.checked_sub(passed) else {
                return Ok((guard, WaitTimeoutResult(true)));
            };
            let result;
            (guard, result) = self.wait_timeout(guard, left)?;
            if result.timed_out() && in_model {
                let waits = guard.waits_while(&mut condition);
                return Ok((guard, WaitTimeoutResult(waits)));
            }
        }
    }

    /// Notifies one of the threads that wait.
    #[track_caller]
    pub fn notify_one(&self) {
        let site = Location::caller();
        if mutant::change(site, "notify_one", &[]) == Some(Change::Dropped) {
            return;
        }
        if self.act(CondvarAct::NotifyOne, site).is_none() {
            self.std.notify_one();
        }
    }

    /// Notifies all threads that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        let site = Location::caller();
        let act = match mutant::change(site, "notify_all", &[]) {
            Some(Change::Dropped) => return,
            Some(Change::One) => CondvarAct::NotifyOne,
            _ => CondvarAct::NotifyAll,
        };
        if self.act(act, site).is_none() {
            self.std.notify_all();
        }
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
