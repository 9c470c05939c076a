//! Shared ownership.
//!
//! # Orderings
//!
//! The counts are atomics of the kernel, with the orderings of `std`: clones are Relaxed, a drop is a
//! Release, the last drop acquires all of them by a fence, `get_mut` and `upgrade` are Acquire.

use std::fmt;
use std::ops::Deref;
use std::panic::Location;

use super::atomic::Ordering::{self, Acquire, Relaxed, Release};
use crate::kernel::{
    AtomicKind, Engine, Handle, LocationId, Made, Operation, Rmw, Shape, Site, Update,
};

/// The numbers of owners of one value; the memory is that of `std`.
#[derive(Clone, Copy)]
struct Counts {
    strong: Option<Handle>,
    weak: Option<Handle>,
}

const COUNT: Shape = Shape { bits: 64, signed: false };
/// The count of weak owners while `get_mut` looks at the other.
const LOCKED: u64 = u64::MAX;

/// # Panics
///
/// If there are more owners than memory holds.
fn number(count: u64) -> usize {
    usize::try_from(count).expect("as many owners as memory holds")
}

fn update(
    engine: &dyn Engine,
    location: LocationId,
    rmw: Rmw,
    success: Ordering,
    failure: Ordering,
    site: Site,
) -> u64 {
    let update = Update { rmw, shape: COUNT };
    engine.step(Operation::Update { location, update, success, failure }, site)
}

impl Counts {
    fn new(site: Site) -> Self {
        let one = |kind| Handle::new(site, || Made::Atomic { value: 1, kind });
        let strong = one(AtomicKind::Strong);
        let weak = strong.and_then(|strong| one(AtomicKind::Weak { strong: strong.location() }));
        Self { strong, weak }
    }

    fn load(handle: Option<Handle>, order: Ordering, site: Site) -> Option<u64> {
        Handle::with(handle, "an Arc", |engine, location| {
            engine.step(Operation::Load { location, order }, site)
        })
    }

    fn update(handle: Option<Handle>, rmw: Rmw, order: Ordering, site: Site) -> Option<u64> {
        Handle::with(handle, "an Arc", |engine, location| {
            update(engine, location, rmw, order, Relaxed, site)
        })
    }

    /// Adds one, by `compare_exchange` from `seen` on, unless `stop`.
    fn add_unless(
        handle: Option<Handle>,
        stop: u64,
        success: Ordering,
        site: Site,
    ) -> Option<bool> {
        let mut seen = Self::load(handle, Relaxed, site)?;
        while seen != stop {
            let rmw = Rmw::CompareExchange { current: seen, new: seen + 1 };
            let found = Self::update(handle, rmw, success, site)?;
            if found == seen {
                return Some(true);
            }
            seen = found;
        }
        Some(false)
    }

    /// One strong owner less. The last one acquires what all others released.
    fn release(&self, site: Site) {
        Handle::at_end(self.strong, |engine, location| {
            if update(engine, location, Rmw::Sub(1), Release, Relaxed, site) == 1 {
                engine.step(Operation::Fence { order: Acquire }, site);
            }
        });
    }
}

/// `std::sync::Arc`.
pub struct Arc<T: ?Sized> {
    counts: Counts,
    value: std::sync::Arc<T>,
}

/// `std::sync::Weak`.
pub struct Weak<T: ?Sized> {
    counts: Counts,
    value: std::sync::Weak<T>,
}

impl<T> Arc<T> {
    /// Puts `value` on the heap, with one owner.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { counts: Counts::new(Location::caller()), value: std::sync::Arc::new(value) }
    }

    /// Takes the value out, if this is the only owner.
    ///
    /// # Errors
    ///
    /// The `Arc` itself, if there are other owners.
    #[track_caller]
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        let site = Location::caller();
        let sole = Rmw::CompareExchange { current: 1, new: 0 };
        match Counts::update(this.counts.strong, sole, Relaxed, site) {
            None => {
                let (counts, value) = this.dissolve();
                std::sync::Arc::try_unwrap(value).map_err(|value| Self { counts, value })
            }
            Some(1) => {
                Handle::at_end(this.counts.strong, |engine, _| {
                    engine.step(Operation::Fence { order: Acquire }, site);
                });
                let (counts, value) = this.dissolve();
                std::sync::Arc::try_unwrap(value).map_err(|value| Self { counts, value })
            }
            Some(_) => Err(this),
        }
    }

    /// Gives up this owner; returns the value to the last one.
    #[track_caller]
    pub fn into_inner(this: Self) -> Option<T> {
        this.counts.release(Location::caller());
        std::sync::Arc::into_inner(this.dissolve().1)
    }
}

impl<T: ?Sized> Arc<T> {
    /// The parts, without giving up the owner.
    fn dissolve(self) -> (Counts, std::sync::Arc<T>) {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: `this` is never used nor dropped again, so its value moves out.
        (this.counts, unsafe { std::ptr::read(&raw const this.value) })
    }

    /// How many owners there are. Relaxed, as in `std`: it may be an old number.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        let count = Counts::load(this.counts.strong, Relaxed, Location::caller());
        count.map_or_else(|| std::sync::Arc::strong_count(&this.value), number)
    }

    /// How many weak owners there are. Relaxed, as in `std`: it may be an old number.
    #[track_caller]
    pub fn weak_count(this: &Self) -> usize {
        let count = Counts::load(this.counts.weak, Relaxed, Location::caller());
        count.map_or_else(
            || std::sync::Arc::weak_count(&this.value),
            |count| if count == LOCKED { 0 } else { number(count) - 1 },
        )
    }

    /// The value, if this is the only owner.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let site = Location::caller();
        let lock = Rmw::CompareExchange { current: 1, new: LOCKED };
        let locked = Handle::with(this.counts.weak, "an Arc", |engine, location| {
            update(engine, location, lock, Acquire, Relaxed, site) == 1
        });
        if let Some(locked) = locked {
            if !locked {
                return None;
            }
            let unique = Counts::load(this.counts.strong, Acquire, site) == Some(1);
            Handle::at_end(this.counts.weak, |engine, location| {
                engine.step(Operation::Store { location, value: 1, order: Release }, site);
            });
            if !unique {
                return None;
            }
        }
        std::sync::Arc::get_mut(&mut this.value)
    }

    /// A weak owner.
    #[track_caller]
    pub fn downgrade(this: &Self) -> Weak<T> {
        let site = Location::caller();
        while Counts::add_unless(this.counts.weak, LOCKED, Acquire, site) == Some(false) {
            super::hint::spin_loop();
        }
        Weak { counts: this.counts, value: std::sync::Arc::downgrade(&this.value) }
    }

    /// Whether both own the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&this.value, &other.value)
    }

    /// Where the value is.
    pub fn as_ptr(this: &Self) -> *const T {
        std::sync::Arc::as_ptr(&this.value)
    }
}

impl<T: Clone> Arc<T> {
    /// The value, cloned first if there are other owners.
    #[track_caller]
    pub fn make_mut(this: &mut Self) -> &mut T {
        if Self::get_mut(this).is_none() {
            *this = Self::new((**this).clone());
        }
        match std::sync::Arc::get_mut(&mut this.value) {
            Some(value) => value,
            None => unreachable!("the only owner has another"),
        }
    }
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

    /// Whether both are owners of the same value.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.value.ptr_eq(&other.value)
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

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Counts::update(self.counts.strong, Rmw::Add(1), Relaxed, Location::caller());
        Self { counts: self.counts, value: std::sync::Arc::clone(&self.value) }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    #[track_caller]
    fn drop(&mut self) {
        self.counts.release(Location::caller());
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Arc<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
