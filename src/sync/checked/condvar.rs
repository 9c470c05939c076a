//! Condition variables.

use std::fmt;
use std::panic::Location;

use super::event::{Action, Site};
use super::mutex::{Mutex, MutexGuard};
use super::operation::{Handle, Step};
use super::record;
use super::{LockResult, PoisonError};

/// `std::sync::Condvar`, instrumented. In a model no wait ends spuriously.
pub struct Condvar {
    model: Option<(Handle, loom::sync::Condvar)>,
    std: std::sync::Condvar,
}

impl Condvar {
    /// A condition variable that nobody waits on.
    #[track_caller]
    pub fn new() -> Self {
        let model = Handle::new('v', "condition variable", Location::caller())
            .map(|handle| (handle, loom::sync::Condvar::new()));
        Self { model, std: std::sync::Condvar::new() }
    }

    /// Gives the lock back, blocks until notified, and takes the lock again.
    ///
    /// # Errors
    ///
    /// The guard all the same, if the mutex is poisoned.
    ///
    /// # Panics
    ///
    /// In a model, if the mutex was made outside it.
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let site = Location::caller();
        let mutex = guard.mutex;
        let Some((object, twin)) = self.locate(site) else {
            let Some(std) = guard.std.take() else { unreachable!("a guard holds its lock") };
            return match self.std.wait(std) {
                Ok(std) => {
                    guard.std = Some(std);
                    Ok(guard)
                }
                Err(poison) => {
                    guard.std = Some(poison.into_inner());
                    Err(PoisonError::new(guard))
                }
            };
        };
        let (Some((lock, _, turnstile)), Some(held)) = (&mutex.model, guard.twin.take()) else {
            panic!("a condition variable of a model waits with a mutex made outside it, at {site}")
        };
        turnstile.leave(site, lock.object, false);
        let step = Step::begin(site, "wait", Some(object), 0);
        record::with(|recorder| recorder.note(site, Some(object), Action::Wait));
        // Not free yet: loom gives it back within the wait, after a choice of its own.
        record::with(|recorder| recorder.bequeath(lock.object));
        guard.std = None;
        drop(guard);
        let Ok(held) = step.run(|| twin.wait(held)) else {
            unreachable!("loom's mutexes are never poisoned")
        };
        Mutex::<T>::acquired(lock.object);
        record::with(|recorder| {
            let thread = recorder.current();
            recorder.leave(thread, site, Some(lock.object), Action::Lock, 0);
        });
        mutex.reenter(held, site)
    }

    /// Waits until `condition` is false.
    ///
    /// # Errors
    ///
    /// The guard all the same, if the mutex is poisoned.
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

    /// Wakes one waiting thread.
    #[track_caller]
    pub fn notify_one(&self) {
        let site = Location::caller();
        match self.locate(site) {
            None => self.std.notify_one(),
            Some((object, twin)) => {
                let step = Step::begin(site, "notify_one", Some(object), 0);
                step.first(|| twin.notify_one());
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
            Some((object, twin)) => {
                let step = Step::begin(site, "notify_all", Some(object), 0);
                step.first(|| twin.notify_all());
                step.end(Action::NotifyAll, 0);
            }
        }
    }

    fn locate(&self, site: Site) -> Option<(usize, &loom::sync::Condvar)> {
        let handle = self.model.as_ref().map(|(handle, _)| *handle);
        let object = Handle::check(handle, "condition variable", site)?;
        self.model.as_ref().map(|(_, twin)| (object, twin))
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
