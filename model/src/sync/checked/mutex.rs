//! Mutual exclusion.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::contents::Contents;
use super::event::{Action, Site, WRITER};
use super::mutation::{self, Change};
use super::operation::{Handle, Step, Turnstile, release};
use super::{LockResult, PoisonError, TryLockError, TryLockResult};
use super::{record, unwinding};

/// `std::sync::Mutex`, instrumented.
pub struct Mutex<T: ?Sized> {
    pub(super) model: Option<(Handle, Rc<loom::sync::Mutex<()>>, Rc<Turnstile>)>,
    /// In a model: whether it is poisoned.
    poisoned: AtomicBool,
    /// Locks outside a model.
    std: std::sync::Mutex<()>,
    contents: Contents,
    value: UnsafeCell<T>,
}

// SAFETY: `value` is reached through a guard, of which there is one at a time (`std` outside a
// model, loom inside), or through `&mut self`; so sharing the mutex only ever sends the value.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
// SAFETY: as for `Sync`: the mutex owns its value.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

/// Exclusive access to the value of a [`Mutex`]. Dropping it releases the lock.
#[must_use = "a lock is released when its guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    pub(super) mutex: &'a Mutex<T>,
    /// `None` only while a condition variable has the lock released, and if the lock was left free
    /// on purpose.
    pub(super) std: Option<std::sync::MutexGuard<'a, ()>>,
    pub(super) twin: Option<loom::sync::MutexGuard<'a, ()>>,
    pub(super) site: Site,
    /// Taken by a thread that was unwinding already: its panic did not begin here.
    unwound: bool,
}

impl<T> Mutex<T> {
    /// An unlocked mutex with `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let model = Handle::new('m', "mutex", Location::caller())
            .map(|handle| (handle, Rc::new(loom::sync::Mutex::new(())), Rc::new(Turnstile::new())));
        let (poisoned, std) = (AtomicBool::new(false), std::sync::Mutex::new(()));
        Self { model, poisoned, std, contents: Contents::new(), value: UnsafeCell::new(value) }
    }

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// The value, in a `PoisonError`, if the mutex is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        self.acquire_history();
        let poisoned = self.is_poisoned();
        let value = self.value.into_inner();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Acquires the mutex; blocks until it is released.
    ///
    /// # Errors
    ///
    /// The guard, in a `PoisonError`, if the mutex is poisoned: a thread has panicked while it held it.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        let change = self.change(site, "lock");
        if change == Some(Change::Skipped) {
            return self.pass_by(site);
        }
        let guard = self.lock_at(site);
        if change == Some(Change::Ended) {
            drop(guard);
            return self.pass_by(site);
        }
        guard
    }

    /// What is to be changed about taking the mutex.
    fn change(&self, site: Site, operation: &'static str) -> Option<Change> {
        self.model.as_ref()?;
        mutation::at(site, operation, &[])
    }

    /// A guard that holds nothing: a lock that is left free on purpose.
    fn pass_by(&self, site: Site) -> LockResult<MutexGuard<'_, T>> {
        let guard = MutexGuard { mutex: self, std: None, twin: None, site, unwound: false };
        if self.is_poisoned() { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    pub(super) fn lock_at(&self, site: Site) -> LockResult<MutexGuard<'_, T>> {
        let Some((object, twin, _)) = self.locate(site) else {
            return match self.std.lock() {
                Ok(std) => Ok(self.guard(std, None, site)),
                Err(poison) => Err(PoisonError::new(self.guard(poison.into_inner(), None, site))),
            };
        };
        let step = Step::begin(site, "lock", Some(object), 0);
        if let Some(guard) = unwinding::take_back_mutex(object) {
            step.end(Action::Lock, 0);
            return self.reenter(guard, site);
        }
        let free = record::holds(|recorder| recorder.objects[object].holders == 0);
        let acquire = || twin.lock();
        let guard = if free { step.first(acquire) } else { step.run(acquire) };
        let Ok(guard) = guard else { unreachable!("loom's mutexes are never poisoned") };
        Self::acquired(object);
        step.end(Action::Lock, 0);
        self.reenter(guard, site)
    }

    /// Acquires the mutex if it is not locked.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is locked; `Poisoned`, with the guard, if it is poisoned.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        match self.change(site, "try_lock") {
            Some(Change::Fails) => return Err(TryLockError::WouldBlock),
            Some(Change::Skipped) => return self.pass_by(site).map_err(TryLockError::Poisoned),
            _ => {}
        }
        let Some((object, twin, turnstile)) = self.locate(site) else {
            return match self.std.try_lock() {
                Ok(std) => Ok(self.guard(std, None, site)),
                Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
                Err(TryLockError::Poisoned(poison)) => Err(TryLockError::Poisoned(
                    PoisonError::new(self.guard(poison.into_inner(), None, site)),
                )),
            };
        };
        let step = Step::begin(site, "try_lock", Some(object), 0);
        if let Some(guard) = unwinding::take_back_mutex(object) {
            step.end(Action::TryLock(true), 1);
            return self.reenter(guard, site).map_err(TryLockError::Poisoned);
        }
        let Ok(guard) = turnstile.attempt(&step, || twin.try_lock()) else {
            step.end(Action::TryLock(false), 0);
            return Err(TryLockError::WouldBlock);
        };
        Self::acquired(object);
        step.end(Action::TryLock(true), 1);
        self.reenter(guard, site).map_err(TryLockError::Poisoned)
    }

    /// Whether the mutex is poisoned.
    pub fn is_poisoned(&self) -> bool {
        if self.model.is_none() {
            return self.std.is_poisoned();
        }
        let poisoned = self.poisoned.load(Relaxed);
        // What the thread does next may depend on it.
        record::with(|recorder| recorder.absorb(u64::from(poisoned)));
        poisoned
    }

    /// Clears the poisoned state.
    pub fn clear_poison(&self) {
        self.poisoned.store(false, Relaxed);
        self.std.clear_poison();
    }

    /// The value, without locking: `&mut self` guarantees exclusive access.
    ///
    /// # Errors
    ///
    /// The value, in a `PoisonError`, if the mutex is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.acquire_history();
        let poisoned = self.is_poisoned();
        let value = self.value.get_mut();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }

    fn guard<'a>(
        &'a self,
        std: std::sync::MutexGuard<'a, ()>,
        twin: Option<loom::sync::MutexGuard<'a, ()>>,
        site: Site,
    ) -> MutexGuard<'a, T> {
        let unwound = std::thread::panicking();
        MutexGuard { mutex: self, std: Some(std), twin, site, unwound }
    }

    /// The guard of a thread that was let in: the `std` half is free.
    fn reenter<'a>(
        &'a self,
        twin: loom::sync::MutexGuard<'a, ()>,
        site: Site,
    ) -> LockResult<MutexGuard<'a, T>> {
        // Whether `std`'s half is poisoned says nothing: see `unwinding`.
        let std = match self.std.try_lock() {
            Ok(std) => std,
            Err(TryLockError::Poisoned(poison)) => poison.into_inner(),
            Err(TryLockError::WouldBlock) => unreachable!("loom let two threads into one mutex"),
        };
        let guard = self.guard(std, Some(twin), site);
        if self.is_poisoned() { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    /// Notes that the active thread holds the mutex.
    fn acquired(object: usize) {
        record::with(|recorder| {
            recorder.objects[object].holders = WRITER;
            recorder.acquire_from(object);
        });
    }

    /// Notes that the active thread gives the mutex back.
    pub(super) fn released(object: usize) {
        record::with(|recorder| {
            recorder.objects[object].holders = 0;
            recorder.release_to(object);
        });
    }

    fn acquire_history(&self) {
        if let Some((handle, ..)) = &self.model {
            if handle.is_current() {
                record::with(|recorder| recorder.acquire_from(handle.object));
            }
        }
    }

    fn handle(&self) -> Option<Handle> {
        self.model.as_ref().map(|(handle, ..)| *handle)
    }

    fn locate(&self, site: Site) -> Option<(usize, &loom::sync::Mutex<()>, &Turnstile)> {
        let object = Handle::check(self.handle(), "mutex", site)?;
        self.model.as_ref().map(|(_, twin, turnstile)| (object, &**twin, &**turnstile))
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let mut twin = self.twin.take();
        let Some((handle, lock, turnstile)) = &self.mutex.model else { return };
        // A guard without its `std` half has given the lock to a condition variable.
        if self.std.is_none() {
            return;
        }
        if !handle.is_current() {
            std::mem::forget(twin);
            return;
        }
        if !self.unwound && unwinding::unwinds() {
            self.mutex.poisoned.store(true, Relaxed);
        }
        if let Some(twin) = twin.take_if(|_| !self.unwound && std::thread::panicking()) {
            self.std = None;
            unwinding::put_aside_mutex(handle.object, self.site, twin, lock, turnstile);
            return;
        }
        turnstile.leave(self.site, handle.object, false);
        record::with(|recorder| {
            recorder.note(self.site, Some(handle.object), Action::Unlock);
        });
        Mutex::<T>::released(handle.object);
        self.std = None;
        release(twin);
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.mutex.contents.read(self.mutex.handle(), self.site);
        // SAFETY: this guard holds the lock, and there is one guard at a time. If the lock was left
        // free on purpose, an access that another does not come before or after ended the exploration
        // in the line above.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.mutex.contents.write(self.mutex.handle(), self.site);
        // SAFETY: this guard holds the lock, and there is one guard at a time. If the lock was left
        // free on purpose, an access that another does not come before or after ended the exploration
        // in the line above.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
