//! What the locks have in common: results that may be poisoned, and what is shown.

use std::fmt;
use std::ops::Deref;

use super::{LockResult, PoisonError, TryLockError, TryLockResult};

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
