//! Interior mutability that the checker can follow.

use std::fmt;
use std::panic::Location;

use super::place::{Item, Kind, Place, here};
use crate::kernel::{Access, CellKind, Handle, Made, Site, ThreadId};

/// A cell without synchronisation; in an exploration, two accesses that happens-before does not
/// order, one of them a write, are a data race.
///
/// `std::cell::UnsafeCell`, and closures in place of `get`. Like `std`'s it is not [`Sync`]: a type
/// that shares it says why that is sound.
pub struct UnsafeCell<T: ?Sized> {
    model: Place<Plain>,
    value: std::cell::UnsafeCell<T>,
}

/// An access that has begun, and ends when this is dropped, by a panic too.
#[doc(hidden)]
#[derive(Debug)]
pub struct Accessing {
    /// The cell, the thread, and the steps that it had taken; `None` outside an exploration.
    begun: Option<(Handle, (ThreadId, u16))>,
    access: Access,
    site: Site,
}

impl Drop for Accessing {
    fn drop(&mut self) {
        let Some((cell, begun)) = self.begun else { return };
        Handle::at_end(Some(cell), |engine, location| {
            engine.end_access(location, begun.0);
            // Other threads may have run meanwhile: the access lasts until now. It may end in another thread.
            if (engine.thread(), engine.steps()) != begun {
                engine.access(location, self.access, self.site);
            }
        });
    }
}

pub(super) struct Plain;

impl Kind for Plain {
    const WHAT: &'static str = "a cell";
    fn made(&self) -> Made {
        Made::Cell(CellKind::Plain)
    }
}

impl<T: ?Sized> Item for UnsafeCell<T> {
    type Kind = Plain;
    fn place(&self) -> &Place<Plain> {
        &self.model
    }
}

impl<T> UnsafeCell<T> {
    /// Wraps `value`.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        let model = Place::new(Plain, Location::caller());
        Self { model, value: std::cell::UnsafeCell::new(value) }
    }

    /// Unwraps the value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.model.access(Access::Write, Location::caller());
        self.value.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Calls `f` with a pointer for reading. Dereferencing it is sound while no thread writes.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        let this = here(self);
        this.access(Access::Read, Location::caller(), || f(this.value.get()))
    }

    /// Calls `f` with a pointer for writing. Dereferencing it is sound while no other thread reads or
    /// writes.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        let this = here(self);
        this.access(Access::Write, Location::caller(), || f(this.value.get()))
    }

    /// A pointer to the value. It counts as a read, now: what is done through the pointer later is invisible to the
    /// checker. Use [`with`](Self::with) and [`with_mut`](Self::with_mut).
    #[track_caller]
    pub fn get(&self) -> *mut T {
        let (this, site) = (here(self), Location::caller());
        this.model.with(|engine, location| engine.access(location, Access::Read, site));
        this.value.get()
    }

    /// The value, reached through unique access.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        self.model.access(Access::Write, Location::caller());
        self.value.get_mut()
    }

    /// An access that lasts as long as `f` does.
    fn access<R>(&self, access: Access, site: Site, f: impl FnOnce() -> R) -> R {
        let _lasts = self.begin(access, site);
        f()
    }

    /// Begins an access that lasts as long as the result, with the pointer for it.
    #[doc(hidden)]
    #[track_caller]
    pub fn begin_read(&self) -> (*const T, Accessing) {
        let this = here(self);
        (this.value.get(), this.begin(Access::Read, Location::caller()))
    }

    /// Begins an access that lasts as long as the result, with the pointer for it.
    #[doc(hidden)]
    #[track_caller]
    pub fn begin_write(&self) -> (*mut T, Accessing) {
        let this = here(self);
        (this.value.get(), this.begin(Access::Write, Location::caller()))
    }

    fn begin(&self, access: Access, site: Site) -> Accessing {
        let begun = self.model.with(|engine, location| {
            engine.access(location, access, site);
            engine.begin_access(location, access, site);
            (Handle::of(engine, location), (engine.thread(), engine.steps()))
        });
        Accessing { begun, access, site }
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}
