//! Many readers or one writer.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::event::{Action, Site, WRITER};
use super::finding::Fault;
use super::operation::{Handle, Step, Turnstile};
use super::record::{self, Recorder};
use super::{LockResult, PoisonError, TryLockError, TryLockResult};

/// `std::sync::RwLock`, instrumented.
pub struct RwLock<T: ?Sized> {
    model: Option<(Handle, loom::sync::RwLock<()>, Turnstile)>,
    /// Locks outside a model; knows in both worlds whether the lock is poisoned.
    std: std::sync::RwLock<()>,
    value: UnsafeCell<T>,
}

// SAFETY: `value` is reached through guards (readers share it, a writer is alone; `std` sees to it
// outside a model, loom inside) or through `&mut self`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
// SAFETY: the lock owns its value.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}

/// Shared access to what a [`RwLock`] holds, until dropped.
#[must_use = "a lock is released when its guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    std: Option<std::sync::RwLockReadGuard<'a, ()>>,
    twin: Option<loom::sync::RwLockReadGuard<'a, ()>>,
    site: Site,
}

/// Exclusive access to what a [`RwLock`] holds, until dropped.
#[must_use = "a lock is released when its guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    std: Option<std::sync::RwLockWriteGuard<'a, ()>>,
    twin: Option<loom::sync::RwLockWriteGuard<'a, ()>>,
    site: Site,
}

impl<T> RwLock<T> {
    /// A free lock around `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let model = Handle::new('w', "read-write lock", Location::caller())
            .map(|handle| (handle, loom::sync::RwLock::new(()), Turnstile::for_readers()));
        Self { model, std: std::sync::RwLock::new(()), value: UnsafeCell::new(value) }
    }

    /// Takes the value out.
    ///
    /// # Errors
    ///
    /// The value all the same, if the lock is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        self.inherit();
        let value = self.value.into_inner();
        match self.std.into_inner() {
            Ok(()) => Ok(value),
            Err(_) => Err(PoisonError::new(value)),
        }
    }
}

/// One way to take the lock: reading and writing differ in names and types alone.
macro_rules! acquire {
    ($Guard:ident, $blocking:ident, $trying:ident, $Done:expr, $Tried:expr, $free:expr,
     $hold:expr, shared: $shared:expr, $doc_blocking:literal, $doc_trying:literal) => {
        #[doc = $doc_blocking]
        ///
        /// # Errors
        ///
        /// The guard all the same, if a thread has panicked while it held the lock for writing.
        #[track_caller]
        pub fn $blocking(&self) -> LockResult<$Guard<'_, T>> {
            let site = Location::caller();
            let guard = |std, twin| $Guard { lock: self, std: Some(std), twin, site };
            let Some((object, twin, turnstile)) = self.locate(site) else {
                return match self.std.$blocking() {
                    Ok(std) => Ok(guard(std, None)),
                    Err(poison) => Err(PoisonError::new(guard(poison.into_inner(), None))),
                };
            };
            let step = Step::begin(site, stringify!($blocking), Some(object), 0);
            if record::holds(|recorder| recorder.reads(object)) {
                record::fail(Fault::WaitsForItself);
            }
            let free = record::with(|recorder| ($free)(recorder.objects[object].holders));
            let acquire = || twin.$blocking();
            let twin = if free == Some(true) { step.first(acquire) } else { step.run(acquire) };
            let Ok(twin) = twin else { unreachable!("loom's locks are never poisoned") };
            turnstile.enter(&step, $shared);
            record::with(|recorder| {
                ($hold)(recorder, object);
                recorder.inherit(object);
            });
            step.end($Done, 0);
            match self.std.$trying() {
                Ok(std) => Ok(guard(std, Some(twin))),
                Err(TryLockError::Poisoned(poison)) => {
                    Err(PoisonError::new(guard(poison.into_inner(), Some(twin))))
                }
                Err(TryLockError::WouldBlock) => {
                    unreachable!("loom let in a thread that should wait")
                }
            }
        }

        #[doc = $doc_trying]
        ///
        /// # Errors
        ///
        /// `WouldBlock` if that would have to wait; `Poisoned` with the guard, if a thread has
        /// panicked while it held the lock for writing.
        #[track_caller]
        pub fn $trying(&self) -> TryLockResult<$Guard<'_, T>> {
            let site = Location::caller();
            let guard = |std, twin| $Guard { lock: self, std: Some(std), twin, site };
            let mut kept = None;
            if let Some((object, twin, turnstile)) = self.locate(site) {
                let step = Step::begin(site, stringify!($trying), Some(object), 0);
                let Ok(twin) = turnstile.attempt(&step, || twin.$trying()) else {
                    step.end($Tried(false), 0);
                    return Err(TryLockError::WouldBlock);
                };
                record::with(|recorder| {
                    ($hold)(recorder, object);
                    recorder.inherit(object);
                });
                step.end($Tried(true), 1);
                kept = Some(twin);
            }
            match self.std.$trying() {
                Ok(std) => Ok(guard(std, kept)),
                Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
                Err(TryLockError::Poisoned(poison)) => {
                    Err(TryLockError::Poisoned(PoisonError::new(guard(poison.into_inner(), kept))))
                }
            }
        }
    };
}

impl<T: ?Sized> RwLock<T> {
    acquire! {
        RwLockReadGuard, read, try_read, Action::Read, Action::TryRead,
        |holders| holders != WRITER, Recorder::begins_to_read, shared: true,
        "Blocks until nobody writes, and takes the lock for reading.",
        "Takes the lock for reading if nobody writes."
    }

    acquire! {
        RwLockWriteGuard, write, try_write, Action::Write, Action::TryWrite,
        |holders| holders == 0, |recorder: &mut Recorder, object: usize| recorder.objects[object].holders = WRITER, shared: false,
        "Blocks until nobody else holds the lock, and takes it for writing.",
        "Takes the lock for writing if nobody else holds it."
    }

    /// Whether a thread has panicked while it held the lock for writing.
    pub fn is_poisoned(&self) -> bool {
        self.std.is_poisoned()
    }

    /// Declares the value sound again.
    pub fn clear_poison(&self) {
        self.std.clear_poison();
    }

    /// The value, reached without locking: nobody else can have access.
    ///
    /// # Errors
    ///
    /// The value all the same, if the lock is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inherit();
        let poisoned = self.std.is_poisoned();
        let value = self.value.get_mut();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }

    fn inherit(&self) {
        if let Some((handle, ..)) = &self.model {
            if handle.is_current() {
                record::with(|recorder| recorder.inherit(handle.object));
            }
        }
    }

    fn locate(&self, site: Site) -> Option<(usize, &loom::sync::RwLock<()>, &Turnstile)> {
        let handle = self.model.as_ref().map(|(handle, ..)| *handle);
        let object = Handle::check(handle, "read-write lock", site)?;
        self.model.as_ref().map(|(_, twin, turnstile)| (object, twin, turnstile))
    }
}

/// Gives the lock back.
macro_rules! release {
    ($Guard:ident, shared: $shared:expr, $action:expr, $release:expr) => {
        impl<T: ?Sized> Drop for $Guard<'_, T> {
            fn drop(&mut self) {
                let twin = self.twin.take();
                let Some((handle, _, turnstile)) = &self.lock.model else { return };
                if self.std.is_none() {
                    return;
                }
                if !handle.is_current() {
                    std::mem::forget(twin);
                    return;
                }
                let object = handle.object;
                turnstile.leave(self.site, object, $shared);
                record::with(|recorder| {
                    recorder.note(self.site, Some(object), $action);
                    ($release)(recorder, object);
                });
                self.std = None;
                drop(twin);
            }
        }

        impl<T: ?Sized> Deref for $Guard<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                // SAFETY: while this guard exists nobody has exclusive access but itself.
                unsafe { &*self.lock.value.get() }
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $Guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

release!(RwLockReadGuard, shared: true, Action::EndRead, Recorder::ends_to_read);
release!(RwLockWriteGuard, shared: false, Action::EndWrite, |recorder: &mut Recorder, object: usize| {
    recorder.objects[object].holders = 0;
    recorder.bequeath(object);
});

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: while this guard exists nobody else has access.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}
