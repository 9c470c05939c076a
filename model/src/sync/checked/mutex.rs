//! Mutual exclusion.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::mutant;
use super::place::{Item, Kind, Place, here};
use super::poison::{self, guard};
use super::{LockResult, TryLockError, TryLockResult};
use crate::kernel::object::{self, MutexAct, acquired};
use crate::kernel::{Access, LocationId, Made, Site};
use crate::mutation::Change;

/// `std::sync::Mutex`.
pub struct Mutex<T: ?Sized> {
    /// What it protects is plain memory: found to race if the lock fails to protect it.
    model: Place<Lock>,
    /// Locks outside an exploration.
    std: std::sync::Mutex<()>,
    value: UnsafeCell<T>,
}

pub(super) struct Lock;

impl Kind for Lock {
    const WHAT: &'static str = "a mutex";
    fn made(&self) -> Made {
        Made::Object(object::Mutex::default().into())
    }
    fn beside(&self, lock: LocationId) -> [Option<Made>; 2] {
        poison::contents_and_flag(lock)
    }
}

// SAFETY: `value` is reached through a guard, of which there is one at a time (`std` outside an
// exploration, the kernel inside), or through `&mut self`. In an exploration all threads share an OS
// thread, so that it also holds for the guards of a mutant, of which there may be several.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
// SAFETY: as for `Sync`; the mutex owns its value.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
impl<T: ?Sized> std::panic::UnwindSafe for Mutex<T> {}
impl<T: ?Sized> std::panic::RefUnwindSafe for Mutex<T> {}

/// Exclusive access to what a [`Mutex`] holds, until dropped.
#[must_use = "a lock is released when its guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    pub(super) mutex: &'a Mutex<T>,
    /// `None` in an exploration.
    pub(super) std: Option<std::sync::MutexGuard<'a, ()>>,
    pub(super) site: Site,
    /// The thread unwound already when it acquired the mutex.
    pub(super) unwound: bool,
    /// It is to be released. Not if a mutant has not acquired it, or has released it already.
    held: bool,
}

impl<T: ?Sized> Item for Mutex<T> {
    type Kind = Lock;
    fn place(&self) -> &Place<Lock> {
        &self.model
    }
}

impl<T> Mutex<T> {
    /// A free mutex around `value`.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        let model = Place::new(Lock, Location::caller());
        Self { model, std: std::sync::Mutex::new(()), value: UnsafeCell::new(value) }
    }

    /// Takes the value out.
    ///
    /// # Errors
    ///
    /// The value too, if the mutex is poisoned.
    #[track_caller]
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        self.model.access_contents(Access::Write, Location::caller());
        let value = self.value.into_inner();
        poison::of(poisoned, value)
    }
}

impl<T: ?Sized> Mutex<T> {
    fn act(&self, act: MutexAct, site: Site) -> Option<u64> {
        here(self).model.act(act, site)
    }

    /// Blocks until the mutex is free, and acquires it.
    ///
    /// # Errors
    ///
    /// The guard too, if a thread has panicked while it held the mutex.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        match mutant::change(site, "lock", &[]) {
            Some(Change::Skipped) => self.pass_by(site),
            Some(Change::Ended) => {
                let poisoned = self.lock_at(site).is_err();
                self.unheld(poisoned, site)
            }
            _ => self.lock_at(site),
        }
    }

    /// A mutant: the guard of a mutex that has not been acquired.
    fn pass_by(&self, site: Site) -> LockResult<MutexGuard<'_, T>> {
        let poisoned = poison::is_set(&here(self).model, site) == Some(true);
        self.unheld(poisoned, site)
    }

    fn unheld(&self, poisoned: bool, site: Site) -> LockResult<MutexGuard<'_, T>> {
        let mut guard = self.guard(None, site);
        guard.held = false;
        poison::of(poisoned, guard)
    }

    /// Acquires the mutex; no mutant changes it.
    pub(super) fn lock_at(&self, site: Site) -> LockResult<MutexGuard<'_, T>> {
        match self.act(MutexAct::Lock, site) {
            Some(result) => self.acquired(result, site),
            None => poison::map(self.std.lock(), |std| self.guard(Some(std), site)),
        }
    }

    /// Acquires the mutex if it is free.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not; `Poisoned` with the guard, if a thread has panicked while it held
    /// the mutex.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        match mutant::change(site, "try_lock", &[]) {
            Some(Change::Fails) => Err(TryLockError::WouldBlock),
            Some(Change::Skipped) => Ok(self.pass_by(site)?),
            _ => self.try_lock_at(site),
        }
    }

    /// Acquires the mutex if it is free; no mutant changes it.
    fn try_lock_at(&self, site: Site) -> TryLockResult<MutexGuard<'_, T>> {
        match self.act(MutexAct::TryLock, site) {
            Some(acquired::WOULD_BLOCK) => Err(TryLockError::WouldBlock),
            Some(result) => Ok(self.acquired(result, site)?),
            None => poison::try_map(self.std.try_lock(), |std| self.guard(Some(std), site)),
        }
    }

    fn acquired(&self, result: u64, site: Site) -> LockResult<MutexGuard<'_, T>> {
        poison::acquired(&here(self).model, result, self.guard(None, site), site)
    }

    fn guard<'a>(
        &'a self,
        std: Option<std::sync::MutexGuard<'a, ()>>,
        site: Site,
    ) -> MutexGuard<'a, T> {
        MutexGuard { mutex: here(self), std, site, unwound: super::thread::panicking(), held: true }
    }

    /// Whether a thread has panicked while it held the mutex.
    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        self.is_poisoned_at(Location::caller())
    }

    fn is_poisoned_at(&self, site: Site) -> bool {
        poison::is_set(&here(self).model, site).unwrap_or_else(|| self.std.is_poisoned())
    }

    /// Declares the value sound again.
    #[track_caller]
    pub fn clear_poison(&self) {
        if poison::clear(&here(self).model, Location::caller()).is_none() {
            self.std.clear_poison();
        }
    }

    /// The value, reached without locking: no other thread can have access.
    ///
    /// # Errors
    ///
    /// The value too, if the mutex is poisoned.
    #[track_caller]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.model.access_contents(Access::Write, Location::caller());
        let poisoned = self.is_poisoned();
        let value = self.value.get_mut();
        poison::of(poisoned, value)
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Releases the mutex without dropping the guard's `std` half: a condition variable does that.
    pub(super) fn dissolve(mut self) -> (&'a Mutex<T>, Option<std::sync::MutexGuard<'a, ()>>) {
        let parts = (self.mutex, self.std.take());
        std::mem::forget(self);
        parts
    }

    /// Releases the mutex for a wait in an exploration, which does not poison it. Returns whether the thread
    /// unwound already when it acquired the mutex: the guard after the wait counts as this one.
    pub(super) fn release_to_wait(self) -> (&'a Mutex<T>, bool) {
        self.release(false);
        let parts = (self.mutex, self.unwound);
        std::mem::forget(self);
        parts
    }

    /// Whether the condition of a wait holds. One that holds is taken to have read the value; one that does not, and ends
    /// the wait, may have changed it.
    pub(super) fn waits_while(&mut self, condition: &mut impl FnMut(&mut T) -> bool) -> bool {
        self.mutex.model.access_contents(Access::Read, self.site);
        // SAFETY: this guard holds the lock, and there is one guard at a time. If a mutant does not hold
        // it, an access that happens-before does not order has ended the execution in the line above.
        let waits = condition(unsafe { &mut *self.mutex.value.get() });
        if !waits {
            self.mutex.model.access_contents(Access::Write, self.site);
        }
        waits
    }

    /// The guard of a mutex that has been acquired outside an exploration.
    pub(super) fn from_std(
        mutex: &'a Mutex<T>,
        std: std::sync::MutexGuard<'a, ()>,
        site: Site,
    ) -> Self {
        mutex.guard(Some(std), site)
    }
}

impl<T: ?Sized> MutexGuard<'_, T> {
    fn release(&self, poisons: bool) {
        if self.held {
            if poisons {
                poison::set(&self.mutex.model, self.site);
            }
            self.mutex.model.act_at_end(MutexAct::Unlock { poisons }, self.site);
        }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.release(!self.unwound && super::thread::panicking());
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.mutex.model.access_contents(Access::Read, self.site);
        // SAFETY: this guard holds the lock, and there is one guard at a time. If a mutant does not hold
        // it, an access that happens-before does not order has ended the execution in the line above.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.mutex.model.access_contents(Access::Write, self.site);
        // SAFETY: this guard holds the lock, and there is one guard at a time. If a mutant does not hold
        // it, an access that happens-before does not order has ended the execution in the line above.
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

/// Shows the value if the mutex is free, as in `std`: by a `try_lock`, shown where the mutex was made, since the
/// formatter calls from inside `std`.
impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.model.site();
        poison::show(f, "Mutex", self.try_lock_at(site), || self.is_poisoned_at(site))
    }
}

guard!(MutexGuard);
