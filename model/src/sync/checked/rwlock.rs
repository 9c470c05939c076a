//! Readers or one writer.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::mutant;
use super::place::{Item, Kind, Place, here};
use super::poison::{self, guard};
use super::{LockResult, TryLockError, TryLockResult};
use crate::kernel::object::{self, ReadEnd, ReadEndAct, RwLockAct, acquired};
use crate::kernel::{Access, Engine, Handle, LocationId, Made, Object, Site};
use crate::mutation::Change;

mod downgrade;

use downgrade::StdWrite;

/// `std::sync::RwLock`. Whether a waiting writer holds up new readers is left open by `std`: in an
/// exploration it does, and it does not.
pub struct RwLock<T: ?Sized> {
    /// What it protects is plain memory: found to race if the lock fails to protect it.
    model: Place<Lock>,
    /// Locks outside an exploration.
    std: std::sync::RwLock<()>,
    /// Outside an exploration: acquired before `std` is for writing, and released after it. So a writer becomes a
    /// reader before another one can come.
    writers: std::sync::Mutex<()>,
    value: UnsafeCell<T>,
}

pub(super) struct Lock;

impl Kind for Lock {
    const WHAT: &'static str = "a reader-writer lock";
    fn made(&self) -> Made {
        Made::Object(object::RwLock::default().into())
    }
    fn beside(&self, lock: LocationId) -> [Option<Made>; 2] {
        poison::contents_and_flag(lock)
    }
}

// SAFETY: `value` is reached through guards: of one writer, or of readers, who share it, which needs
// `Sync`; or through `&mut self`. In an exploration all threads share an OS thread, so that it also
// holds for the guards of a mutant, of which there may be several.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
// SAFETY: the lock owns its value.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
impl<T: ?Sized> std::panic::UnwindSafe for RwLock<T> {}
impl<T: ?Sized> std::panic::RefUnwindSafe for RwLock<T> {}

impl<T: ?Sized> Item for RwLock<T> {
    type Kind = Lock;
    fn place(&self) -> &Place<Lock> {
        &self.model
    }
}

/// Shared access to what a [`RwLock`] holds, until dropped.
#[must_use = "a lock is released when its guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    _std: Option<std::sync::RwLockReadGuard<'a, ()>>,
    /// Where the read ends, in an exploration. `None` if a mutant has not begun it, or has ended it
    /// already.
    end: Option<Handle>,
    site: Site,
}

/// Exclusive access to what a [`RwLock`] holds, until dropped.
#[must_use = "a lock is released when its guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    std: Option<StdWrite<'a>>,
    site: Site,
    /// The thread unwound already when it acquired the lock.
    unwound: bool,
    held: Held,
}

/// What the guard of a writer has acquired, and is to release.
enum Held {
    Write,
    /// A mutant: a read, which ends there.
    Read(Option<Handle>),
    /// A mutant: nothing.
    Nothing,
}

/// The ends of the reads that a writer has found, and how many reads have begun in all.
fn reads(engine: &dyn Engine, object: LocationId) -> (Vec<LocationId>, usize) {
    match engine.state(object) {
        Object::RwLock(state) => (state.reads().to_vec(), state.begun()),
        _ => (Vec::new(), 0),
    }
}

fn end_read(end: Option<Handle>, site: Site) {
    Handle::at_end(end, |engine, end| _ = engine.act(end, ReadEndAct::End, site));
}

impl<T> RwLock<T> {
    /// A free lock around `value`.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        let model = Place::new(Lock, Location::caller());
        let (std, writers) = (std::sync::RwLock::new(()), std::sync::Mutex::new(()));
        Self { model, std, writers, value: UnsafeCell::new(value) }
    }

    /// Takes the value out.
    ///
    /// # Errors
    ///
    /// The value too, if the lock is poisoned.
    #[track_caller]
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        self.model.access_contents(Access::Write, Location::caller());
        let value = self.value.into_inner();
        poison::of(poisoned, value)
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Begins a read. Returns its result, and where it will end.
    fn begin(
        &self,
        act: impl FnOnce(LocationId) -> RwLockAct,
        site: Site,
    ) -> Option<(u64, Option<Handle>)> {
        here(self).model.with(|engine, object| {
            let end = Handle::new(site, || Made::Object(ReadEnd::default().into()));
            let act = act(Handle::with(end, "a read", |_, location| location).unwrap_or_default());
            (engine.act(object, act, site), end)
        })
    }

    fn begin_read(&self, site: Site) -> Option<(u64, Option<Handle>)> {
        self.begin(|end| RwLockAct::Read { end }, site)
    }

    /// Keeps new readers out, and waits for those that there are.
    fn begin_write(&self, site: Site) -> Option<u64> {
        here(self).model.with(|engine, object| {
            engine.hold();
            let result = engine.act(object, RwLockAct::Write, site);
            let (ends, _) = reads(engine, object);
            engine.settle();
            for end in ends {
                engine.act(end, ReadEndAct::Await, site);
            }
            result
        })
    }

    /// Acquires the lock for writing if no read is under way.
    fn begin_try_write(&self, site: Site) -> Option<u64> {
        here(self).model.with(|engine, object| {
            loop {
                engine.hold();
                let looked = engine.act(object, RwLockAct::TryWrite, site);
                let (ends, begun) = reads(engine, object);
                engine.settle();
                if looked != acquired::HAS_READS {
                    return looked;
                }
                let ended = |&end: &LocationId| engine.act(end, ReadEndAct::HasEnded, site) == 1;
                if !ends.iter().all(ended) {
                    return acquired::WOULD_BLOCK;
                }
                let result = engine.act(object, RwLockAct::TryWriteAfter { begun }, site);
                if result != acquired::WOULD_BLOCK {
                    for end in ends {
                        engine.act(end, ReadEndAct::Await, site);
                    }
                    return result;
                }
                // Others were faster: look again.
            }
        })
    }

    /// Blocks while there is a writer, and acquires the lock for reading.
    ///
    /// # Errors
    ///
    /// The guard too, if a writer has panicked.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        let begun = match mutant::change(site, "read", &[]) {
            Some(Change::Skipped) => self.poison(site).map(|result| (result, None)),
            Some(Change::Ended) => self.begin_read(site).map(|(result, end)| {
                end_read(end, site);
                (result, None)
            }),
            _ => self.begin_read(site),
        };
        match begun {
            Some((result, end)) => self.acquired_read(result, end, site),
            None => poison::map(self.std.read(), |std| self.read_guard(Some(std), site)),
        }
    }

    /// Acquires the lock for reading if there is no writer.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is one, or if one waits; `Poisoned` with the guard, if a writer has
    /// panicked.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        let begun = match mutant::change(site, "try_read", &[]) {
            Some(Change::Fails) => Some((acquired::WOULD_BLOCK, None)),
            Some(Change::Skipped) => self.poison(site).map(|result| (result, None)),
            _ => self.begin_try_read(site),
        };
        self.tried_read(begun, site)
    }

    fn begin_try_read(&self, site: Site) -> Option<(u64, Option<Handle>)> {
        self.begin(|end| RwLockAct::TryRead { end }, site)
    }

    /// `begun` is `None` outside an exploration.
    fn tried_read(
        &self,
        begun: Option<(u64, Option<Handle>)>,
        site: Site,
    ) -> TryLockResult<RwLockReadGuard<'_, T>> {
        match begun {
            Some((acquired::WOULD_BLOCK, _)) => Err(TryLockError::WouldBlock),
            Some((result, end)) => Ok(self.acquired_read(result, end, site)?),
            None => poison::try_map(self.std.try_read(), |std| self.read_guard(Some(std), site)),
        }
    }

    /// Blocks until the lock is free, and acquires it for writing.
    ///
    /// # Errors
    ///
    /// The guard too, if a writer has panicked.
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        let begun = match mutant::change(site, "write", &[]) {
            Some(Change::Skipped) => self.poison(site).map(|result| (result, Held::Nothing)),
            Some(Change::Ended) => self.begin_write(site).map(|result| {
                self.end_write(false, site);
                (result, Held::Nothing)
            }),
            Some(Change::Read) => {
                self.begin_read(site).map(|(result, end)| (result, Held::Read(end)))
            }
            _ => self.begin_write(site).map(|result| (result, Held::Write)),
        };
        match begun {
            Some((result, held)) => self.acquired_write(result, held, site),
            None => {
                poison::map(self.write_std(), |std| self.write_guard(Some(std), Held::Write, site))
            }
        }
    }

    /// Acquires the lock for writing if it is free.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not; `Poisoned` with the guard, if a writer has panicked.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        let begun = match mutant::change(site, "try_write", &[]) {
            Some(Change::Fails) => Some((acquired::WOULD_BLOCK, Held::Nothing)),
            Some(Change::Skipped) => self.poison(site).map(|result| (result, Held::Nothing)),
            _ => self.begin_try_write(site).map(|result| (result, Held::Write)),
        };
        match begun {
            Some((acquired::WOULD_BLOCK, _)) => Err(TryLockError::WouldBlock),
            Some((result, held)) => Ok(self.acquired_write(result, held, site)?),
            None => poison::try_map(self.try_write_std(), |std| {
                self.write_guard(Some(std), Held::Write, site)
            }),
        }
    }

    fn acquired_read(
        &self,
        result: u64,
        end: Option<Handle>,
        site: Site,
    ) -> LockResult<RwLockReadGuard<'_, T>> {
        let guard = RwLockReadGuard { lock: here(self), _std: None, end, site };
        poison::acquired(&here(self).model, result, guard, site)
    }

    fn acquired_write(
        &self,
        result: u64,
        held: Held,
        site: Site,
    ) -> LockResult<RwLockWriteGuard<'_, T>> {
        let guard = self.write_guard(None, held, site);
        poison::acquired(&here(self).model, result, guard, site)
    }

    fn read_guard<'a>(
        &'a self,
        std: Option<std::sync::RwLockReadGuard<'a, ()>>,
        site: Site,
    ) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { lock: here(self), _std: std, end: None, site }
    }

    fn write_guard<'a>(
        &'a self,
        std: Option<StdWrite<'a>>,
        held: Held,
        site: Site,
    ) -> RwLockWriteGuard<'a, T> {
        let unwound = super::thread::panicking();
        RwLockWriteGuard { lock: here(self), std, site, unwound, held }
    }

    fn end_write(&self, poisons: bool, site: Site) {
        if poisons {
            poison::set(&self.model, site);
        }
        self.model.act_at_end(RwLockAct::EndWrite { poisons }, site);
    }

    /// Whether the lock is poisoned, as the result of a mutant that does not acquire it.
    fn poison(&self, site: Site) -> Option<u64> {
        poison::is_set(&here(self).model, site).map(u64::from)
    }

    /// Whether a writer has panicked.
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
    /// The value too, if the lock is poisoned.
    #[track_caller]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.model.access_contents(Access::Write, Location::caller());
        let poisoned = self.is_poisoned();
        let value = self.value.get_mut();
        poison::of(poisoned, value)
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        end_read(self.end, self.site);
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        match self.held {
            Held::Write => {
                self.lock.end_write(!self.unwound && super::thread::panicking(), self.site);
            }
            Held::Read(end) => end_read(end, self.site),
            Held::Nothing => {}
        }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.lock.model.access_contents(Access::Read, self.site);
        // SAFETY: this guard holds the lock for reading, so there is no writer. If a mutant does not hold
        // it, an access that happens-before does not order has ended the execution in the line above.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.lock.model.access_contents(Access::Read, self.site);
        // SAFETY: this guard holds the lock for writing, so there is no other guard. If a mutant does not hold
        // it, an access that happens-before does not order has ended the execution in the line above.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.lock.model.access_contents(Access::Write, self.site);
        // SAFETY: this guard holds the lock for writing, so there is no other guard. If a mutant does not hold
        // it, an access that happens-before does not order has ended the execution in the line above.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Shows the value unless it is being written, as in `std`: by a `try_read`, shown where the lock was made, since
/// the formatter calls from inside `std`.
impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.model.site();
        let tried = self.tried_read(self.begin_try_read(site), site);
        poison::show(f, "RwLock", tried, || self.is_poisoned_at(site))
    }
}

guard!(RwLockReadGuard);
guard!(RwLockWriteGuard);
