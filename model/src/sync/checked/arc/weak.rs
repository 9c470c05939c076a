//! Owners that do not keep the value.

use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;

use super::super::atomic::Ordering::{Acquire, Relaxed, Release};
use super::{Arc, Counts, number, update};
use crate::kernel::{Handle, Rmw};

/// `std::sync::Weak`.
pub struct Weak<T: ?Sized> {
    pub(super) counts: Counts,
    pub(super) value: std::sync::Weak<T>,
}

impl<T> Weak<T> {
    /// An owner of nothing.
    pub const fn new() -> Self {
        Self { counts: Counts { strong: None, weak: None }, value: std::sync::Weak::new() }
    }
}

impl<T: ?Sized> Weak<T> {
    /// An owner, if there is one still.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Arc<T>> {
        let in_model = self.counts.strong.is_some();
        let site = Location::caller();
        if in_model && Counts::add_unless(self.counts.strong, 0, Acquire, site) == Some(false) {
            return None;
        }
        self.value.upgrade().map(|value| Arc { counts: self.counts, value })
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

    /// The parts, without giving up the owner.
    pub(super) fn dissolve(self) -> (Counts, std::sync::Weak<T>) {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is never used nor dropped again, so its value moves out.
        (this.counts, unsafe { std::ptr::read(&raw const this.value) })
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
        Self { counts: self.counts, value: self.value.clone() }
    }
}

impl<T: ?Sized> Drop for Weak<T> {
    #[track_caller]
    fn drop(&mut self) {
        let site = Location::caller();
        Handle::at_end(self.counts.weak, |engine, location| {
            update(engine, location, Rmw::Sub(1), Release, Relaxed, site);
        });
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
