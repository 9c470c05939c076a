//! A value that is initialised once.
//!
//! Its orderings and its lock are those of the standard library, not the user's: none of them is a
//! place for a mutation.

use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};

use super::atomic::{AtomicBool, Ordering};
use super::{Mutex, PoisonError};

/// `std::sync::OnceLock`, instrumented.
pub struct OnceLock<T> {
    made: AtomicBool,
    /// Held by who makes the value.
    making: Mutex<()>,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written once, under `making` and before the Release store to `made`; it is read
// after an Acquire load of it. `Send`, because whoever shares the cell may take or drop the value.
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}
impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// An empty cell.
    #[track_caller]
    pub fn new() -> Self {
        Self { made: AtomicBool::new(false), making: Mutex::new(()), value: UnsafeCell::new(None) }
    }

    /// The value; `None` if the cell is not initialised.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        // Acquire: pairs with the Release in `make`, so that the value is there.
        if !self.made.read("get", Ordering::Acquire, Location::caller()) {
            return None;
        }
        // SAFETY: the value was written before `made`, and is written no more.
        unsafe { (*self.value.get()).as_ref() }
    }

    /// The value, without synchronisation: `&mut self` guarantees exclusive access.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }

    /// Initialises the cell with `value`.
    ///
    /// # Errors
    ///
    /// `value`, if the cell is initialised already.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        // Without the lock, where there is a value: it would teach what others knew who failed too.
        if self.get().is_some() {
            return Err(value);
        }
        let mut value = Some(value);
        self.make(|| value.take());
        value.map_or(Ok(()), Err)
    }

    /// The value. If the cell is not initialised, initialises it with the result of `f`; concurrent calls
    /// block until `f` returns.
    ///
    /// `f` must not initialise the same cell: that is a self-deadlock.
    #[track_caller]
    pub fn get_or_init(&self, f: impl FnOnce() -> T) -> &T {
        if self.get().is_none() {
            self.make(|| Some(f()));
        }
        match self.get() {
            Some(value) => value,
            None => unreachable!("the value has just been made"),
        }
    }

    /// Returns the value; `None` if the cell is not initialised.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Returns the value, and leaves the cell empty.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }

    #[track_caller]
    fn make(&self, f: impl FnOnce() -> Option<T>) {
        // A panic in `f` leaves no value, which the next one may make.
        let site = Location::caller();
        let _making = self.making.lock_at(site).unwrap_or_else(PoisonError::into_inner);
        // Relaxed: `making` orders this load after the store by whoever held it before.
        if self.made.read("get", Ordering::Relaxed, site) {
            return;
        }
        let value = f();
        // SAFETY: `making` is held, and nobody reads before `made` is set.
        unsafe { *self.value.get() = value };
        // Release: pairs with the Acquire in `get`.
        self.made.write(true, Ordering::Release, site);
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self {
            made: AtomicBool::new(true),
            making: Mutex::new(()),
            value: UnsafeCell::new(Some(value)),
        }
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.get().map_or_else(Self::new, |value| Self::from(value.clone()))
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceLock").finish_non_exhaustive()
    }
}
