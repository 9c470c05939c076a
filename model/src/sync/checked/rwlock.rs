//! Many readers or one writer.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::contents::Contents;
use super::event::{Action, Site, WRITER};
use super::finding::Fault;
use super::mutation::{self, Change};
use super::operation::{Handle, Step, Turnstile, release};
use super::record::{self, Recorder};
use super::unwinding;
use super::{LockResult, PoisonError, TryLockError, TryLockResult};

/// `std::sync::RwLock`, instrumented.
pub struct RwLock<T: ?Sized> {
    model: Option<(Handle, Rc<loom::sync::RwLock<()>>, Rc<Turnstile>)>,
    /// In a model: whether it is poisoned.
    poisoned: AtomicBool,
    /// Locks outside a model.
    std: std::sync::RwLock<()>,
    contents: Contents,
    value: UnsafeCell<T>,
}

// SAFETY: `value` is reached through guards (readers share it, a writer is alone; `std` sees to it
// outside a model, loom inside) or through `&mut self`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
// SAFETY: the lock owns its value.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}

/// Shared access to the value of a [`RwLock`]. Dropping it releases the lock.
#[must_use = "a lock is released when its guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// `None` if the lock was left free on purpose.
    std: StdRead<'a>,
    twin: TwinRead<'a>,
    site: Site,
    /// Taken by a thread that was unwinding already: its panic did not begin here.
    unwound: bool,
}

/// Exclusive access to the value of a [`RwLock`]. Dropping it releases the lock.
#[must_use = "a lock is released when its guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// `None` if the lock was left free, or is only read, on purpose.
    std: StdWrite<'a>,
    twin: TwinWrite<'a>,
    site: Site,
    /// Taken by a thread that was unwinding already: its panic did not begin here.
    unwound: bool,
    /// A lock taken for reading instead, on purpose.
    reader: Option<Box<RwLockReadGuard<'a, T>>>,
}

type StdRead<'a> = Option<std::sync::RwLockReadGuard<'a, ()>>;
type StdWrite<'a> = Option<std::sync::RwLockWriteGuard<'a, ()>>;
type TwinRead<'a> = Option<loom::sync::RwLockReadGuard<'a, ()>>;
type TwinWrite<'a> = Option<loom::sync::RwLockWriteGuard<'a, ()>>;

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    fn new(
        lock: &'a RwLock<T>,
        std: StdRead<'a>,
        twin: TwinRead<'a>,
        site: Site,
        unwound: bool,
    ) -> Self {
        Self { lock, std, twin, site, unwound }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    fn new(
        lock: &'a RwLock<T>,
        std: StdWrite<'a>,
        twin: TwinWrite<'a>,
        site: Site,
        unwound: bool,
    ) -> Self {
        Self { lock, std, twin, site, unwound, reader: None }
    }
}

impl<T> RwLock<T> {
    /// An unlocked lock with `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let model = Handle::new('w', "read-write lock", Location::caller()).map(|handle| {
            (handle, Rc::new(loom::sync::RwLock::new(())), Rc::new(Turnstile::new()))
        });
        let (poisoned, std) = (AtomicBool::new(false), std::sync::RwLock::new(()));
        Self { model, poisoned, std, contents: Contents::new(), value: UnsafeCell::new(value) }
    }

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// The value, in a `PoisonError`, if the lock is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        self.acquire_history();
        let poisoned = self.is_poisoned();
        let value = self.value.into_inner();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}

/// One way to take the lock: reading and writing differ in names and types alone.
macro_rules! acquire {
    ($Guard:ident, $blocking:ident, $at:ident, $trying:ident, $changed:expr, $Done:expr, $Tried:expr, $free:expr,
     $hold:expr, shared: $shared:expr, $doc_blocking:literal, $doc_trying:literal) => {
        #[doc = $doc_blocking]
        ///
        /// # Errors
        ///
        /// The guard, in a `PoisonError`, if the lock is poisoned: a thread has panicked while it held it
        /// for writing.
        #[track_caller]
        pub fn $blocking(&self) -> LockResult<$Guard<'_, T>> {
            let site = Location::caller();
            let pass_by = || {
                let guard = $Guard::new(self, None, None, site, false);
                if self.is_poisoned() { Err(PoisonError::new(guard)) } else { Ok(guard) }
            };
            match self.change(site, stringify!($blocking)) {
                Some(Change::Skipped) => pass_by(),
                Some(Change::Ended) => {
                    drop(self.$at(site));
                    pass_by()
                }
                Some(Change::Read) => ($changed)(self, site),
                _ => self.$at(site),
            }
        }

        fn $at(&self, site: Site) -> LockResult<$Guard<'_, T>> {
            let unwound = std::thread::panicking();
            let guard = |std, twin| $Guard::new(self, Some(std), twin, site, unwound);
            let Some((object, twin, turnstile)) = self.locate(site) else {
                return match self.std.$blocking() {
                    Ok(std) => Ok(guard(std, None)),
                    Err(poison) => Err(PoisonError::new(guard(poison.into_inner(), None))),
                };
            };
            let step = Step::begin(site, stringify!($blocking), Some(object), 0);
            unwinding::refuse_if_aside(object);
            if record::holds(|recorder| recorder.reads(object)) {
                record::fail(Fault::SelfDeadlock);
            }
            let free = record::with(|recorder| ($free)(recorder.objects[object].holders));
            let acquire = || twin.$blocking();
            let twin = if free == Some(true) { step.first(acquire) } else { step.run(acquire) };
            let Ok(twin) = twin else { unreachable!("loom's locks are never poisoned") };
            turnstile.enter(&step, $shared);
            record::with(|recorder| {
                ($hold)(recorder, object);
                recorder.acquire_from(object);
            });
            step.end($Done, 0);
            // Whether `std`'s half is poisoned says nothing: see `unwinding`.
            let std = match self.std.$trying() {
                Ok(std) => std,
                Err(TryLockError::Poisoned(poison)) => poison.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    unreachable!("loom let in a thread that should wait")
                }
            };
            let guard = guard(std, Some(twin));
            if self.is_poisoned() { Err(PoisonError::new(guard)) } else { Ok(guard) }
        }

        #[doc = $doc_trying]
        ///
        /// # Errors
        ///
        /// `WouldBlock` if it would block; `Poisoned`, with the guard, if the lock is poisoned.
        #[track_caller]
        pub fn $trying(&self) -> TryLockResult<$Guard<'_, T>> {
            let site = Location::caller();
            match self.change(site, stringify!($trying)) {
                Some(Change::Fails) => return Err(TryLockError::WouldBlock),
                Some(Change::Skipped) => return Ok($Guard::new(self, None, None, site, false)),
                _ => {}
            }
            let unwound = std::thread::panicking();
            let guard = |std, twin| $Guard::new(self, Some(std), twin, site, unwound);
            let Some((object, twin, turnstile)) = self.locate(site) else {
                return match self.std.$trying() {
                    Ok(std) => Ok(guard(std, None)),
                    Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
                    Err(TryLockError::Poisoned(poison)) => {
                        let guard = guard(poison.into_inner(), None);
                        Err(TryLockError::Poisoned(PoisonError::new(guard)))
                    }
                };
            };
            let step = Step::begin(site, stringify!($trying), Some(object), 0);
            if record::holds(|recorder| recorder.reads(object)) {
                record::fail(Fault::Unsupported {
                    message: "try_read and try_write of a RwLock that the thread already holds for reading are \
                              not modelled: drop the first guard, or use another lock",
                });
            }
            let Ok(twin) = turnstile.attempt(&step, || twin.$trying()) else {
                step.end($Tried(false), 0);
                return Err(TryLockError::WouldBlock);
            };
            record::with(|recorder| {
                ($hold)(recorder, object);
                recorder.acquire_from(object);
            });
            step.end($Tried(true), 1);
            let std = match self.std.$trying() {
                Ok(std) => std,
                Err(TryLockError::Poisoned(poison)) => poison.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    unreachable!("loom let in a thread that should wait")
                }
            };
            let guard = guard(std, Some(twin));
            if self.is_poisoned() {
                Err(TryLockError::Poisoned(PoisonError::new(guard)))
            } else {
                Ok(guard)
            }
        }
    };
}

impl<T: ?Sized> RwLock<T> {
    acquire! {
        RwLockReadGuard, read, read_at, try_read, Self::read_at, Action::Read, Action::TryRead,
        |holders| holders != WRITER, Recorder::begins_to_read, shared: true,
        "Acquires the lock for reading; blocks while it is held for writing.",
        "Acquires the lock for reading if it is not held for writing."
    }

    acquire! {
        RwLockWriteGuard, write, write_at, try_write, Self::write_as_reader, Action::Write, Action::TryWrite,
        |holders| holders == 0, |recorder: &mut Recorder, object: usize| recorder.objects[object].holders = WRITER, shared: false,
        "Acquires the lock for writing; blocks while it is held.",
        "Acquires the lock for writing if it is not held."
    }

    /// What is to be changed about taking the lock.
    fn change(&self, site: Site, operation: &'static str) -> Option<Change> {
        self.model.as_ref()?;
        mutation::at(site, operation, &[])
    }

    /// Takes the lock for reading and lets the caller write: on purpose.
    fn write_as_reader(&self, site: Site) -> LockResult<RwLockWriteGuard<'_, T>> {
        let with = |reader| {
            let mut guard = RwLockWriteGuard::new(self, None, None, site, false);
            guard.reader = Some(Box::new(reader));
            guard
        };
        self.read_at(site).map(with).map_err(|poison| PoisonError::new(with(poison.into_inner())))
    }

    /// Whether the lock is poisoned.
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
    /// The value, in a `PoisonError`, if the lock is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.acquire_history();
        let poisoned = self.is_poisoned();
        let value = self.value.get_mut();
        if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
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

    fn locate(&self, site: Site) -> Option<(usize, &loom::sync::RwLock<()>, &Turnstile)> {
        let object = Handle::check(self.handle(), "read-write lock", site)?;
        self.model.as_ref().map(|(_, twin, turnstile)| (object, &**twin, &**turnstile))
    }
}

/// Gives the lock back.
macro_rules! release {
    ($Guard:ident, shared: $shared:expr, $action:expr, $release:expr, $put_aside:expr) => {
        impl<T: ?Sized> Drop for $Guard<'_, T> {
            fn drop(&mut self) {
                let mut twin = self.twin.take();
                let Some((handle, lock, turnstile)) = &self.lock.model else { return };
                if self.std.is_none() {
                    return;
                }
                if !handle.is_current() {
                    std::mem::forget(twin);
                    return;
                }
                let object = handle.object;
                if !$shared && !self.unwound && unwinding::unwinds() {
                    self.lock.poisoned.store(true, Relaxed);
                }
                let aside = !self.unwound && std::thread::panicking();
                if let Some(twin) = twin.take_if(|_| aside) {
                    self.std = None;
                    ($put_aside)(object, self.site, twin, lock, turnstile);
                    return;
                }
                turnstile.leave(self.site, object, $shared);
                record::with(|recorder| {
                    recorder.note(self.site, Some(object), $action);
                    ($release)(recorder, object);
                });
                self.std = None;
                release(twin);
            }
        }

        impl<T: ?Sized> Deref for $Guard<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                self.lock.contents.read(self.lock.handle(), self.site);
                // SAFETY: while this guard exists nobody has exclusive access but itself. If the lock
                // was changed on purpose, an access that another does not come before or after ended
                // the exploration in the line above.
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

release!(RwLockReadGuard, shared: true, Action::EndRead, Recorder::ends_to_read, unwinding::put_aside_read);
release!(RwLockWriteGuard, shared: false, Action::EndWrite, |recorder: &mut Recorder, object: usize| {
    recorder.objects[object].holders = 0;
    recorder.release_to(object);
}, unwinding::put_aside_write);

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.lock.contents.write(self.lock.handle(), self.site);
        // SAFETY: while this guard exists nobody else has access, or the line above has ended the
        // exploration.
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
