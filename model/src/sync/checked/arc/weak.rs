//! Owners that do not keep the value.

use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;

use super::super::atomic::Ordering::{Acquire, Relaxed};
use super::{Arc, Counts, number, release_weak, settle};
use crate::kernel::{self, Handle, Rmw};

/// `std::sync::Weak`.
pub struct Weak<T: ?Sized> {
    pub(super) counts: Counts,
    pub(super) value: ManuallyDrop<std::sync::Weak<T>>,
}

impl<T> Weak<T> {
    /// An owner of nothing.
    pub const fn new() -> Self {
        let counts = Counts { strong: None, weak: None };
        Self { counts, value: ManuallyDrop::new(std::sync::Weak::new()) }
    }
}

impl<T: ?Sized> Weak<T> {
    /// An owner, if there is one still.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Arc<T>> {
        kernel::with(|engine| engine.hold());
        let in_model = self.counts.strong.is_some();
        let site = Location::caller();
        let gone =
            in_model && Counts::add_unless(self.counts.strong, 0, Acquire, site) == Some(false);
        let value = if gone { None } else { self.value.upgrade() };
        settle();
        value.map(|value| Arc::of(self.counts, value))
    }

    /// How many strong owners there are.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        let count = self
            .counts
            .strong
            .and_then(|_| Counts::load(self.counts.strong, Relaxed, Location::caller()));
        count.map_or_else(|| self.value.strong_count(), number)
    }

    /// How many weak owners there are, or 0 if there is no strong one.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        let site = Location::caller();
        if self.counts.strong.is_none() {
            return self.value.weak_count();
        }
        let weak = Counts::load(self.counts.weak, Acquire, site).map_or(0, number);
        if Counts::load(self.counts.strong, Relaxed, site) == Some(0) { 0 } else { weak - 1 }
    }

    /// Whether both are owners of the same value.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.value.ptr_eq(&other.value)
    }

    pub(super) fn of(counts: Counts, value: std::sync::Weak<T>) -> Self {
        Self { counts, value: ManuallyDrop::new(value) }
    }

    /// The parts, without giving up the owner.
    pub(super) fn dissolve(self) -> (Counts, std::sync::Weak<T>) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never used nor dropped again.
        (this.counts, unsafe { ManuallyDrop::take(&mut this.value) })
    }
}

impl<T> Default for Weak<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        if self.counts.weak.is_some() {
            Counts::update(self.counts.weak, Rmw::Add(1), Relaxed, Location::caller());
        }
        Self::of(self.counts, std::sync::Weak::clone(&self.value))
    }
}

impl<T: ?Sized> Drop for Weak<T> {
    #[track_caller]
    fn drop(&mut self) {
        let site = Location::caller();
        Handle::at_end(self.counts.weak, |engine, location| {
            engine.hold();
            release_weak(engine, location, site);
        });
        // SAFETY: it is dropped here only.
        unsafe { ManuallyDrop::drop(&mut self.value) };
        settle();
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
