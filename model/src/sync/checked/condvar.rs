//! Condition variables.
//!
//! loom's own hands the waking thread's knowledge to the woken one, which `std`'s does not promise,
//! and knows no time. So the queue is kept here: to wait and to notify are steps that conflict, and
//! who has been notified goes on when it has the lock.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use super::event::{Action, Site};
use super::mutation::{self, Change};
use super::mutex::{Mutex, MutexGuard};
use super::operation::{Gate, Handle, Step};
use super::record::{self, Recorder};
use super::waiting::Or;
use super::{LockResult, PoisonError};

/// `std::sync::Condvar`, instrumented.
pub struct Condvar {
    model: Option<(Handle, Waiters)>,
    std: std::sync::Condvar,
}

/// Who waits, longest first; set once notified.
struct Waiters {
    gate: Rc<Gate>,
    queue: RefCell<VecDeque<Rc<Cell<bool>>>>,
}

// SAFETY: all threads of a model are coroutines of one OS thread.
unsafe impl Send for Waiters {}
// SAFETY: as above; and no borrow is held while another coroutine can run.
unsafe impl Sync for Waiters {}

/// Whether a wait timed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the wait timed out.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A new condition variable.
    #[track_caller]
    pub fn new() -> Self {
        let model = Handle::new('v', "condition variable", Location::caller())
            .map(|handle| (handle, Waiters { gate: Gate::new(), queue: RefCell::default() }));
        Self { model, std: std::sync::Condvar::new() }
    }

    /// Releases the lock, blocks until notified, and acquires the lock again. May also return spuriously; a
    /// model explores both, up to the bound of `Model::spurious`.
    ///
    /// # Errors
    ///
    /// The guard, in a `PoisonError`, if the mutex is poisoned.
    ///
    /// # Panics
    ///
    /// In a model, if the mutex was made outside it.
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let site = Location::caller();
        match self.locate(site) {
            Some((object, waiters)) => waiters.wait(object, guard, site, Or::Nothing).0,
            None => outside(guard, |std| (self.std.wait(std), ())).0,
        }
    }

    /// Waits until `condition` is false.
    ///
    /// # Errors
    ///
    /// The guard, in a `PoisonError`, if the mutex is poisoned.
    #[track_caller]
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Like [`wait`](Self::wait), with a timeout. In a model, which has no time, it may time out at any
    /// point.
    ///
    /// # Errors
    ///
    /// The guard, in a `PoisonError`, if the mutex is poisoned.
    ///
    /// # Panics
    ///
    /// In a model, if the mutex was made outside it.
    #[track_caller]
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        duration: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let site = Location::caller();
        let (guard, timed_out) = match self.locate(site) {
            Some((object, waiters)) => waiters.wait(object, guard, site, Or::TimeIsUp),
            None => outside(guard, |std| match self.std.wait_timeout(std, duration) {
                Ok((std, result)) => (Ok(std), result.timed_out()),
                Err(poison) => {
                    let (std, result) = poison.into_inner();
                    (Err(PoisonError::new(std)), result.timed_out())
                }
            }),
        };
        let result = WaitTimeoutResult(timed_out);
        match guard {
            Ok(guard) => Ok((guard, result)),
            Err(poison) => Err(PoisonError::new((poison.into_inner(), result))),
        }
    }

    /// Waits until `condition` is false, with a timeout. In a model, which has no time, it may time out at
    /// any point.
    ///
    /// # Errors
    ///
    /// The guard, in a `PoisonError`, if the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        duration: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let start = std::time::Instant::now();
        while condition(&mut *guard) {
            let left = duration.saturating_sub(start.elapsed());
            let over = left.is_zero() && self.model.is_none();
            let (again, result) = if over {
                (guard, WaitTimeoutResult(true))
            } else {
                self.wait_timeout(guard, left)?
            };
            guard = again;
            if result.timed_out() {
                let still = condition(&mut *guard);
                return Ok((guard, WaitTimeoutResult(still)));
            }
        }
        Ok((guard, WaitTimeoutResult(false)))
    }

    /// Wakes one waiting thread; in a model, always the one that has waited longest.
    #[track_caller]
    pub fn notify_one(&self) {
        let site = Location::caller();
        match self.locate(site) {
            None => self.std.notify_one(),
            Some((object, waiters)) => {
                if mutation::at(site, "notify_one", &[]) == Some(Change::Dropped) {
                    return;
                }
                let step = Step::begin(site, "notify_one", Some(object), 0);
                step.first(|| waiters.gate.touch());
                if let Some(waiter) = waiters.queue.borrow_mut().pop_front() {
                    waiter.set(true);
                }
                step.end(Action::NotifyOne, 0);
            }
        }
    }

    /// Wakes all waiting threads.
    #[track_caller]
    pub fn notify_all(&self) {
        let site = Location::caller();
        match self.locate(site) {
            None => self.std.notify_all(),
            Some((object, waiters)) => {
                let all = match mutation::at(site, "notify_all", &[]) {
                    Some(Change::Dropped) => return,
                    Some(Change::One) => 1,
                    _ => usize::MAX,
                };
                let step = Step::begin(site, "notify_all", Some(object), 0);
                step.first(|| waiters.gate.touch());
                let mut queue = waiters.queue.borrow_mut();
                let woken = all.min(queue.len());
                queue.drain(..woken).for_each(|waiter| waiter.set(true));
                drop(queue);
                step.end(Action::NotifyAll, 0);
            }
        }
    }

    fn locate(&self, site: Site) -> Option<(usize, &Waiters)> {
        let handle = self.model.as_ref().map(|(handle, _)| *handle);
        let object = Handle::check(handle, "condition variable", site)?;
        self.model.as_ref().map(|(_, waiters)| (object, waiters))
    }
}

/// A wait on the `std` half.
fn outside<'a, T: ?Sized, R>(
    mut guard: MutexGuard<'a, T>,
    wait: impl FnOnce(std::sync::MutexGuard<'a, ()>) -> (LockResult<std::sync::MutexGuard<'a, ()>>, R),
) -> (LockResult<MutexGuard<'a, T>>, R) {
    let Some(std) = guard.std.take() else { unreachable!("a guard holds its lock") };
    let (result, rest) = wait(std);
    let poisoned = result.is_err();
    guard.std = Some(result.unwrap_or_else(PoisonError::into_inner));
    (if poisoned { Err(PoisonError::new(guard)) } else { Ok(guard) }, rest)
}

impl Waiters {
    /// One wait, in a model. Returns whether it ended without having been notified, too.
    fn wait<'a, T: ?Sized>(
        &self,
        object: usize,
        mut guard: MutexGuard<'a, T>,
        site: Site,
        or: Or,
    ) -> (LockResult<MutexGuard<'a, T>>, bool) {
        let mutex: &'a Mutex<T> = guard.mutex;
        let wakes = or == Or::Nothing && mutation::at(site, "wait", &[]) == Some(Change::Wakes);
        if guard.std.is_none() {
            // Left free on purpose: there is nothing to give back.
            return (mutex.lock_at(site), false);
        }
        let (Some((lock, _, turnstile)), Some(held)) = (&mutex.model, guard.twin.take()) else {
            panic!(
                "a Condvar of a model must wait with a mutex made in the same execution, got one made \
                 outside, at {site}"
            )
        };
        turnstile.leave(site, lock.object, false);
        let step = Step::begin(site, "wait", Some(object), 0);
        step.first(|| self.gate.touch());
        let mine = Rc::new(Cell::new(false));
        self.queue.borrow_mut().push_back(Rc::clone(&mine));
        let waits = Action::Wait { gives_back: lock.object };
        record::with(|recorder| recorder.note(site, Some(object), waits));
        // Free from here on: nothing comes between the waiting and the giving back.
        guard.std = None;
        drop(guard);
        Mutex::<T>::released(lock.object);
        drop(held);
        match or {
            _ if wakes => {}
            Or::TimeIsUp => step.yield_if_spinning(site),
            Or::Nothing if record::holds(Recorder::fails_spuriously) => {}
            Or::Nothing => step.wait(|_| mine.get()),
        }
        step.run(|| self.gate.touch());
        self.queue.borrow_mut().retain(|waiter| !Rc::ptr_eq(waiter, &mine));
        step.end(Action::Woken(mine.get()), u64::from(mine.get()));
        (mutex.lock_at(site), !mine.get())
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
