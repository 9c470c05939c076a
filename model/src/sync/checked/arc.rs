//! Shared ownership.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::rc::Rc;

use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::event::{Action, Site};
use super::operation::{Handle, Step};
use super::record;

/// `std::sync::Arc`, instrumented: one that is not dropped by the end of an execution is a leak.
///
/// In a model an empty `Arc` of loom counts the same references.
pub struct Arc<T: ?Sized> {
    value: std::sync::Arc<T>,
    model: Option<(Handle, ManuallyDrop<Twin>)>,
}

/// What an owner has in a model.
struct Twin {
    owner: loom::sync::Arc<()>,
    /// How many owners there are, in models that ask. loom's own count tells who asks all that the
    /// owners know, and does not see every one of them.
    count: Option<Rc<AtomicUsize>>,
}

// SAFETY: all threads of a model are coroutines of one OS thread.
unsafe impl Send for Twin {}
// SAFETY: as above.
unsafe impl Sync for Twin {}

impl Twin {
    fn new() -> Self {
        let counts = record::holds(|recorder| recorder.learned.counts_owners);
        let count = counts.then(|| Rc::new(AtomicUsize::new(1)));
        Self { owner: loom::sync::Arc::new(()), count }
    }

    /// One more owner.
    fn clone(&self, step: &Step) -> Self {
        let owner = step.first(|| loom::sync::Arc::clone(&self.owner));
        if let Some(count) = &self.count {
            step.merged(|| count.fetch_add(1, Relaxed));
        }
        Self { owner, count: self.count.clone() }
    }

    /// One owner less.
    fn drop(self, step: &Step) {
        let Self { owner, count } = self;
        step.first(|| drop(owner));
        if let Some(count) = count {
            step.merged(|| count.fetch_sub(1, Relaxed));
        }
    }
}

impl<T> Arc<T> {
    /// A new `Arc` with `value` and one reference.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let model = Handle::new('r', "Arc", Location::caller())
            .map(|handle| (handle, ManuallyDrop::new(Twin::new())));
        Self { value: std::sync::Arc::new(value), model }
    }

    /// Returns the value, if this is the only reference.
    ///
    /// # Errors
    ///
    /// The `Arc`, if there are other references.
    #[track_caller]
    pub fn try_unwrap(mut this: Self) -> Result<T, Self> {
        if Self::get_mut(&mut this).is_none() {
            return Err(this);
        }
        match Self::into_inner(this) {
            Some(value) => Ok(value),
            None => unreachable!("the only owner has another"),
        }
    }

    /// Drops this reference; returns the value if it was the last.
    #[track_caller]
    pub fn into_inner(this: Self) -> Option<T> {
        let mut this = ManuallyDrop::new(this);
        this.release(Location::caller());
        // SAFETY: `this` is never used nor dropped again, so its value moves out.
        let value = unsafe { std::ptr::read(&raw const this.value) };
        std::sync::Arc::into_inner(value)
    }
}

impl<T: ?Sized> Arc<T> {
    /// The number of references.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        let site = Location::caller();
        match this.locate(site) {
            None => std::sync::Arc::strong_count(&this.value),
            Some((object, twin)) => {
                let step = Step::begin(site, "strong_count", Some(object), 0);
                let Some(count) = &twin.count else {
                    record::begin_again(|learned| learned.counts_owners = true)
                };
                // Relaxed, like `std`'s: whoever counts learns nothing else.
                let count = step.first(|| count.fetch_add(0, Relaxed));
                step.end(Action::Count(count as u64), count as u64);
                count
            }
        }
    }

    /// The value, if this is the only reference.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let site = Location::caller();
        if let Some(object) = Handle::check(this.handle(), "Arc", site) {
            let step = Step::begin(site, "get_mut", Some(object), 0);
            let twin = this.model.as_mut().map(|(_, twin)| &mut **twin)?;
            let unique = step.first(|| loom::sync::Arc::get_mut(&mut twin.owner).is_some());
            if unique {
                record::with(|recorder| recorder.acquire_from(object));
            }
            step.end(Action::Unique(unique), u64::from(unique));
        }
        std::sync::Arc::get_mut(&mut this.value)
    }

    /// Whether both refer to the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&this.value, &other.value)
    }

    /// A pointer to the value.
    pub fn as_ptr(this: &Self) -> *const T {
        std::sync::Arc::as_ptr(&this.value)
    }

    /// Gives up this owner in the model; the value is dropped afterwards, by the last one.
    fn release(&mut self, site: Site) {
        let Some((handle, twin)) = &mut self.model else { return };
        if !handle.is_current() {
            return;
        }
        let object = handle.object;
        let step = Step::begin(site, "drop", Some(object), 0);
        // SAFETY: called once, by `drop` or by `into_inner` in its place.
        unsafe { ManuallyDrop::take(twin) }.drop(&step);
        let last = std::sync::Arc::strong_count(&self.value) == 1;
        record::with(|recorder| {
            recorder.acquire_from(object);
            recorder.release_to(object);
        });
        step.end(Action::Drop { last }, u64::from(last));
    }

    fn handle(&self) -> Option<Handle> {
        self.model.as_ref().map(|(handle, _)| *handle)
    }

    fn locate(&self, site: Site) -> Option<(usize, &Twin)> {
        let object = Handle::check(self.handle(), "Arc", site)?;
        self.model.as_ref().map(|(_, twin)| (object, &**twin))
    }
}

impl<T: Clone> Arc<T> {
    /// The value, which is cloned first if there are other references.
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

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let site = Location::caller();
        let model = self.locate(site).and_then(|(object, twin)| {
            let step = Step::begin(site, "clone", Some(object), 0);
            let twin = twin.clone(&step);
            step.end(Action::Clone, 0);
            Some((self.handle()?, ManuallyDrop::new(twin)))
        });
        Self { value: std::sync::Arc::clone(&self.value), model }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    #[track_caller]
    fn drop(&mut self) {
        self.release(Location::caller());
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
