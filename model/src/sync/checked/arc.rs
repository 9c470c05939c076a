//! Shared ownership.

use std::any::Any;
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::kernel::{self, Handle, Operation, Rmw, Site};

mod convert;
mod counts;
pub(super) mod known;
mod raw;
mod traits;

pub(super) use counts::update;
use counts::{Counts, LOCKED, number, release_weak, settle};

/// `std::sync::Arc`.
pub struct Arc<T: ?Sized> {
    counts: Counts,
    value: ManuallyDrop<std::sync::Arc<T>>,
}

impl<T> Arc<T> {
    /// Puts `value` on the heap, with one owner.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self::of_std(std::sync::Arc::new(value), Location::caller())
    }

    /// Like [`new`](Self::new), for a value that may hold weak owners of itself.
    #[track_caller]
    pub fn new_cyclic(data_fn: impl FnOnce(&Weak<T>) -> T) -> Self {
        let site = Location::caller();
        let counts = Counts::starting_with(0, site);
        let value = std::sync::Arc::new_cyclic(|weak| {
            // The weak owner that all strong owners are together.
            let weak = Weak::of(counts, weak.clone());
            let value = data_fn(&weak);
            drop(weak.dissolve());
            value
        });
        known::remember(&value, counts);
        Counts::update(counts.strong, Rmw::Add(1), Release, site);
        Self::of(counts, value)
    }

    /// Like [`new`](Self::new), pinned.
    #[track_caller]
    pub fn pin(value: T) -> Pin<Self> {
        // SAFETY: the value does not move: `get_mut` and the like need `Unpin` through a `Pin`.
        unsafe { Pin::new_unchecked(Self::new(value)) }
    }

    /// Memory for a value, with one owner.
    #[track_caller]
    pub fn new_uninit() -> Arc<MaybeUninit<T>> {
        Arc::new(MaybeUninit::uninit())
    }

    /// Memory for a value, filled with zeros, with one owner.
    #[track_caller]
    pub fn new_zeroed() -> Arc<MaybeUninit<T>> {
        Arc::new(MaybeUninit::zeroed())
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
                std::sync::Arc::try_unwrap(value).map_err(|value| Self::of(counts, value))
            }
            Some(1) => {
                let _weak = kernel::with(|engine| this.counts.acquire_all(engine, site));
                let (counts, value) = this.dissolve();
                std::sync::Arc::try_unwrap(value).map_err(|value| Self::of(counts, value))
            }
            Some(_) => Err(this),
        }
    }

    /// Gives up this owner; returns the value to the last one.
    #[track_caller]
    pub fn into_inner(this: Self) -> Option<T> {
        let _weak = this.counts.release(Location::caller());
        let value = std::sync::Arc::into_inner(this.dissolve().1);
        settle();
        value
    }
}

impl<T> Arc<[T]> {
    /// Memory for so many values, with one owner.
    #[track_caller]
    pub fn new_uninit_slice(len: usize) -> Arc<[MaybeUninit<T>]> {
        Arc::of_std(std::sync::Arc::new_uninit_slice(len), Location::caller())
    }

    /// Memory for so many values, filled with zeros, with one owner.
    #[track_caller]
    pub fn new_zeroed_slice(len: usize) -> Arc<[MaybeUninit<T>]> {
        let zeros = (0..len).map(|_| MaybeUninit::zeroed());
        Arc::of_std(zeros.collect(), Location::caller())
    }
}

impl<T> Arc<MaybeUninit<T>> {
    /// The same, as a value.
    ///
    /// # Safety
    ///
    /// The value must have been written.
    pub unsafe fn assume_init(self) -> Arc<T> {
        let (counts, value) = self.dissolve();
        // SAFETY: the caller answers for it.
        Arc::of(counts, unsafe { value.assume_init() })
    }
}

impl<T> Arc<[MaybeUninit<T>]> {
    /// The same, as values.
    ///
    /// # Safety
    ///
    /// All values must have been written.
    pub unsafe fn assume_init(self) -> Arc<[T]> {
        let (counts, value) = self.dissolve();
        // SAFETY: the caller answers for it.
        Arc::of(counts, unsafe { value.assume_init() })
    }
}

impl Arc<dyn Any + Send + Sync> {
    /// The same as a `T`, if it is one.
    ///
    /// # Errors
    ///
    /// The `Arc` itself, if it is not.
    pub fn downcast<T: Any + Send + Sync>(self) -> Result<Arc<T>, Self> {
        let (counts, value) = self.dissolve();
        match value.downcast() {
            Ok(value) => Ok(Arc::of(counts, value)),
            Err(value) => Err(Self::of(counts, value)),
        }
    }
}

impl<T: ?Sized> Arc<T> {
    /// The only owner of what `std` owns. Stable Rust makes a `std::sync::Arc<dyn Trait>` of a
    /// `std::sync::Arc<T>`, but no `Arc<dyn Trait>` of this type of an `Arc<T>`.
    ///
    /// # Panics
    ///
    /// If it has other owners.
    #[track_caller]
    pub fn from_std(mut value: std::sync::Arc<T>) -> Self {
        let unique = std::sync::Arc::get_mut(&mut value).is_some();
        assert!(unique, "Arc::from_std needs the only owner, got one of several");
        Self::of_std(value, Location::caller())
    }

    /// The first owner of a value that `std` has put on the heap.
    fn of_std(value: std::sync::Arc<T>, site: Site) -> Self {
        let counts = Counts::starting_with(1, site);
        known::remember(&value, counts);
        Self::of(counts, value)
    }

    fn of(counts: Counts, value: std::sync::Arc<T>) -> Self {
        Self { counts, value: ManuallyDrop::new(value) }
    }

    /// The parts, without giving up the owner.
    fn dissolve(self) -> (Counts, std::sync::Arc<T>) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never used nor dropped again.
        (this.counts, unsafe { ManuallyDrop::take(&mut this.value) })
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
        if let Some(weak) = Counts::update(this.counts.weak, Rmw::Lock, Acquire, site) {
            if weak != 1 {
                return None;
            }
            let unique = Counts::load(this.counts.strong, Acquire, site) == Some(1);
            Handle::at_end(this.counts.weak, |engine, location| {
                if unique {
                    engine.step(Operation::Store { location, value: 1, order: Release }, site);
                } else {
                    // A call that fails changes nothing, so that a loop may wait for one that does not.
                    update(engine, location, Rmw::Unlock, Release, Relaxed, site);
                }
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
        Weak::of(this.counts, std::sync::Arc::downgrade(&this.value))
    }

    /// Whether both own the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&this.value, &other.value)
    }
}

impl<T: Clone> Arc<T> {
    /// The value, cloned first if there are other owners. If the others are weak, it is moved, and they lose it.
    #[track_caller]
    pub fn make_mut(this: &mut Self) -> &mut T {
        let site = Location::caller();
        let sole = Rmw::CompareExchange { current: 1, new: 0 };
        match Counts::update(this.counts.strong, sole, Acquire, site) {
            None => {}
            Some(1) => {
                if Counts::load(this.counts.weak, Relaxed, site) == Some(1) {
                    Handle::at_end(this.counts.strong, |engine, location| {
                        engine.step(Operation::Store { location, value: 1, order: Release }, site);
                    });
                } else {
                    kernel::with(|engine| drop(this.counts.end_strong(engine, site)));
                    this.counts = Counts::starting_with(1, site);
                }
            }
            Some(_) => *this = Self::of_std(std::sync::Arc::new((**this).clone()), site),
        }
        // There is one strong owner, so that `std` clones nothing, and moves the value as above.
        std::sync::Arc::make_mut(&mut this.value);
        known::remember(&this.value, this.counts);
        match std::sync::Arc::get_mut(&mut this.value) {
            Some(value) => value,
            None => unreachable!("the only owner has another"),
        }
    }

    /// The value, cloned if there are other owners.
    #[track_caller]
    pub fn unwrap_or_clone(this: Self) -> T {
        Self::try_unwrap(this).unwrap_or_else(|this| (*this).clone())
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Counts::update(self.counts.strong, Rmw::Add(1), Relaxed, Location::caller());
        Self::of(self.counts, std::sync::Arc::clone(&self.value))
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    #[track_caller]
    fn drop(&mut self) {
        // Dropped after the value.
        let _weak = self.counts.release(Location::caller());
        // SAFETY: it is dropped here only.
        unsafe { ManuallyDrop::drop(&mut self.value) };
        settle();
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// `std::sync::Weak`.
pub struct Weak<T: ?Sized> {
    counts: Counts,
    value: ManuallyDrop<std::sync::Weak<T>>,
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
        let site = Location::caller();
        let count =
            self.counts.strong.and_then(|_| Counts::load(self.counts.strong, Relaxed, site));
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

    fn of(counts: Counts, value: std::sync::Weak<T>) -> Self {
        Self { counts, value: ManuallyDrop::new(value) }
    }

    /// The parts, without giving up the owner.
    fn dissolve(self) -> (Counts, std::sync::Weak<T>) {
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
