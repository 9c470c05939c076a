//! Interior mutability whose accesses the checker tracks.

use std::fmt;
use std::panic::Location;

use super::event::{Action, Site};
use super::operation::{Handle, Step, access_memory, touch_cell};
use super::record;

/// A cell without synchronisation. In a model, two accesses without a happens-before edge between them, one
/// of them a write, are a data race.
///
/// `std::cell::UnsafeCell` with closures in place of `get`. It is not [`Sync`]: a type that shares it must
/// implement `Sync`, with a safety argument.
pub struct UnsafeCell<T: ?Sized> {
    model: Option<(Handle, loom::cell::UnsafeCell<()>)>,
    value: std::cell::UnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    /// Wraps `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let model = Handle::new('c', "cell", Location::caller())
            .map(|handle| (handle, loom::cell::UnsafeCell::new(())));
        Self { model, value: std::cell::UnsafeCell::new(value) }
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Calls `f` with a pointer for reading. Dereferencing it is sound if there is no concurrent write.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        let site = Location::caller();
        let Some((object, twin)) = self.locate(site) else {
            return f(self.value.get());
        };
        touch_cell();
        let step = Step::begin(site, "cell read", Some(object), 0);
        let access = access_memory(|| twin.get());
        record::with(|recorder| recorder.acquire_from(object));
        step.end(Action::CellRead, 0);
        let result = f(self.value.get());
        end(site, "cell read ends", object, access);
        result
    }

    /// Calls `f` with a pointer for writing. Dereferencing it is sound if there is no concurrent access.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        let site = Location::caller();
        let Some((object, twin)) = self.locate(site) else {
            return f(self.value.get());
        };
        touch_cell();
        let step = Step::begin(site, "cell write", Some(object), 0);
        let access = access_memory(|| twin.get_mut());
        record::with(|recorder| recorder.acquire_from(object));
        step.end(Action::CellWrite, 0);
        let result = f(self.value.get());
        record::with(|recorder| recorder.release_to(object));
        end(site, "cell write ends", object, access);
        result
    }

    fn locate(&self, site: Site) -> Option<(usize, &loom::cell::UnsafeCell<()>)> {
        let handle = self.model.as_ref().map(|(handle, _)| *handle);
        let object = Handle::check(handle, "cell", site)?;
        self.model.as_ref().map(|(_, twin)| (object, twin))
    }
}

/// Ends an access: loom checks it once more, so this too can be where a race shows.
fn end(site: Site, what: &'static str, object: usize, access: impl Sized) {
    let _step = Step::begin(site, what, Some(object), 0);
    access_memory(|| drop(access));
    record::with(|recorder| recorder.thread().pending = None);
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}
