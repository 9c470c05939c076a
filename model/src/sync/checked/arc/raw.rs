//! Owners as raw pointers.

use std::mem::ManuallyDrop;

use super::known::recall;
use super::{Arc, Weak};

impl<T: ?Sized> Arc<T> {
    /// Where the value is.
    pub fn as_ptr(this: &Self) -> *const T {
        std::sync::Arc::as_ptr(&this.value)
    }

    /// The owner as a pointer to the value. It is given up by [`from_raw`](Self::from_raw).
    #[must_use = "losing the pointer will leak memory"]
    pub fn into_raw(this: Self) -> *const T {
        std::sync::Arc::into_raw(this.dissolve().1)
    }

    /// The owner that was made a pointer.
    ///
    /// # Safety
    ///
    /// As in `std`: `pointer` is from [`into_raw`](Self::into_raw), of a value of this type, and this owner has
    /// not been given up yet.
    pub unsafe fn from_raw(pointer: *const T) -> Self {
        // SAFETY: the caller answers for it: `std` handed the pointer out.
        Self::of(recall(pointer), unsafe { std::sync::Arc::from_raw(pointer) })
    }

    /// Adds an owner.
    ///
    /// # Safety
    ///
    /// As in `std`: `pointer` is from [`into_raw`](Self::into_raw), and there is an owner.
    #[track_caller]
    pub unsafe fn increment_strong_count(pointer: *const T) {
        // SAFETY: the caller answers for it; this owner is not given up.
        let this = ManuallyDrop::new(unsafe { Self::from_raw(pointer) });
        std::mem::forget(Self::clone(&this));
    }

    /// Gives up an owner.
    ///
    /// # Safety
    ///
    /// As of [`from_raw`](Self::from_raw).
    #[track_caller]
    pub unsafe fn decrement_strong_count(pointer: *const T) {
        // SAFETY: the caller answers for it.
        drop(unsafe { Self::from_raw(pointer) });
    }
}

impl<T: ?Sized> Weak<T> {
    /// Where the value is, or was.
    pub fn as_ptr(&self) -> *const T {
        self.value.as_ptr()
    }

    /// The owner as a pointer to the value. It is given up by [`from_raw`](Self::from_raw).
    #[must_use = "losing the pointer will leak memory"]
    pub fn into_raw(self) -> *const T {
        self.dissolve().1.into_raw()
    }

    /// The weak owner that was made a pointer.
    ///
    /// # Safety
    ///
    /// As in `std`: `pointer` is from [`into_raw`](Self::into_raw), of a value of this type, and this owner has
    /// not been given up yet.
    pub unsafe fn from_raw(pointer: *const T) -> Self {
        // SAFETY: the caller answers for it: `std` handed the pointer out.
        Self::of(recall(pointer), unsafe { std::sync::Weak::from_raw(pointer) })
    }
}
