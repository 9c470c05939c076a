//! A writer that becomes a reader.

use std::panic::Location;
use std::sync::{MutexGuard, PoisonError};

use super::super::poison;
use super::{Held, RwLock, RwLockReadGuard, RwLockWriteGuard};
use super::{LockResult, TryLockError, TryLockResult};
use crate::kernel::object::RwLockAct;

/// The locks of a writer outside an exploration, in the order in which they are released.
pub(super) type StdWrite<'a> = (std::sync::RwLockWriteGuard<'a, ()>, MutexGuard<'a, ()>);

impl<T: ?Sized> RwLock<T> {
    pub(super) fn write_std(&self) -> LockResult<StdWrite<'_>> {
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        poison::map(self.std.write(), |guard| (guard, writers))
    }

    pub(super) fn try_write_std(&self) -> TryLockResult<StdWrite<'_>> {
        let writers = match self.writers.try_lock() {
            Ok(writers) => writers,
            Err(TryLockError::Poisoned(poison)) => poison.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(TryLockError::WouldBlock),
        };
        poison::try_map(self.std.try_write(), |guard| (guard, writers))
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Ends the write and begins a read: no other thread writes in between.
    #[track_caller]
    pub fn downgrade(mut s: Self) -> RwLockReadGuard<'a, T> {
        let site = Location::caller();
        // What `s` has acquired is released here.
        let (lock, held) = (s.lock, std::mem::replace(&mut s.held, Held::Nothing));
        let read = s.std.take().map(|(guard, writers)| {
            drop(guard);
            let read = lock.std.read().unwrap_or_else(PoisonError::into_inner);
            drop(writers);
            read
        });
        let end = match held {
            Held::Write => {
                lock.begin(|end| RwLockAct::Downgrade { end }, site).and_then(|(_, end)| end)
            }
            Held::Read(end) => end,
            Held::Nothing => None,
        };
        RwLockReadGuard { lock, _std: read, end, site }
    }
}
