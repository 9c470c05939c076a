//! What the locks have in common: results that may be poisoned, and what is shown.
//!
//! Whether a lock is poisoned is a flag beside it, as in `std`: an atomic whose accesses are relaxed. A thread that unwinds
//! stores it before it releases the lock. Acquiring the lock loads it. That load is left out if no earlier holder has stored
//! it, since it could only read the initial value. `is_poisoned` loads it without the lock, and may read an older value.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::Ordering::Relaxed;

use super::place::{Kind, Place};
use super::{LockResult, PoisonError, TryLockError, TryLockResult};
use crate::kernel::object::acquired;
use crate::kernel::{AtomicKind, CellKind, Engine, LocationId, Made, Operation, Site};

/// What lies beside a lock: what it protects, and the flag.
pub(super) fn contents_and_flag(lock: LocationId) -> [Option<Made>; 2] {
    let flag = Made::Atomic { value: 0, kind: AtomicKind::Poison { lock } };
    [Some(Made::Cell(CellKind::Contents { lock })), Some(flag)]
}

fn flag(lock: LocationId) -> LocationId {
    lock.next().next()
}

/// Whether the flag is set; `None` outside an exploration.
pub(super) fn is_set<K: Kind>(lock: &Place<K>, site: Site) -> Option<bool> {
    lock.with(|engine, lock| {
        engine.step(Operation::Load { location: flag(lock), order: Relaxed }, site) == 1
    })
}

/// Sets the flag, in a destructor.
pub(super) fn set<K: Kind>(lock: &Place<K>, site: Site) {
    lock.at_end(|engine, lock| store(engine, lock, 1, site));
}

/// Clears the flag; `None` outside an exploration.
pub(super) fn clear<K: Kind>(lock: &Place<K>, site: Site) -> Option<()> {
    lock.with(|engine, lock| store(engine, lock, 0, site))
}

fn store(engine: &dyn Engine, lock: LocationId, value: u64, site: Site) {
    engine.step(Operation::Store { location: flag(lock), value, order: Relaxed }, site);
}

/// What is acquired with `result`.
pub(super) fn acquired<K: Kind, G>(
    lock: &Place<K>,
    result: u64,
    guard: G,
    site: Site,
) -> LockResult<G> {
    let poisoned = result == acquired::POISONED && is_set(lock, site) == Some(true);
    of(poisoned, guard)
}

/// What a lock that may be poisoned gives access to.
pub(super) fn of<G>(poisoned: bool, guard: G) -> LockResult<G> {
    if poisoned { Err(PoisonError::new(guard)) } else { Ok(guard) }
}

pub(super) fn map<G, H>(result: LockResult<G>, f: impl FnOnce(G) -> H) -> LockResult<H> {
    match result {
        Ok(guard) => Ok(f(guard)),
        Err(poison) => Err(PoisonError::new(f(poison.into_inner()))),
    }
}

pub(super) fn try_map<G, H>(result: TryLockResult<G>, f: impl FnOnce(G) -> H) -> TryLockResult<H> {
    match result {
        Ok(guard) => Ok(f(guard)),
        Err(TryLockError::Poisoned(poison)) => Ok(map(Err(poison), f)?),
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
    }
}

/// Shows the value of a lock that is free, as in `std`. The lock is released before `is_poisoned` is called.
pub(super) fn show<G: Deref<Target: fmt::Debug>>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    tried: TryLockResult<G>,
    is_poisoned: impl FnOnce() -> bool,
) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    match tried {
        Ok(guard) => shown.field("data", &&*guard),
        Err(TryLockError::Poisoned(poison)) => shown.field("data", &&**poison.get_ref()),
        Err(TryLockError::WouldBlock) => shown.field("data", &format_args!("<locked>")),
    };
    shown.field("poisoned", &is_poisoned()).finish_non_exhaustive()
}

/// The traits of a guard.
macro_rules! guard {
    ($guard:ident) => {
        // SAFETY: through a shared guard there is only shared access to the value.
        unsafe impl<T: ?Sized + Sync> Sync for $guard<'_, T> {}

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

pub(super) use guard;
