//! `UnsafeCell` without the checker.

use std::fmt;

/// A cell without synchronisation, whose accesses the checker tracks.
///
/// `std::cell::UnsafeCell`, and closures in place of `get`, so that with `--cfg loom` the beginning and
/// the end of each access are known. It is not [`Sync`]: a type that shares it must implement `Sync`, with
/// a safety argument.
#[derive(Default)]
#[repr(transparent)]
pub struct UnsafeCell<T: ?Sized>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Calls `f` with a pointer for reading. Dereferencing it is sound if there is no concurrent write.
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Calls `f` with a pointer for writing. Dereferencing it is sound if there is no concurrent access.
    #[inline]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }

    /// A pointer to the value. In a model it counts as a read, when it is called: what is done through the pointer
    /// later is invisible to the checker. Use [`with`](Self::with) and [`with_mut`](Self::with_mut).
    #[inline]
    pub fn get(&self) -> *mut T {
        self.0.get()
    }

    /// The value, reached through unique access.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T> From<T> for UnsafeCell<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}
