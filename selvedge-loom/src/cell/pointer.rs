//! Pointers to what is in a cell: an access lasts as long as they do.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use selvedge_model::sync::cell::Accessing;

/// The accesses to a cell that are under way: how many read, or -1 if one writes. Relaxed: the threads of a model
/// share an OS thread.
pub(super) type UnderWay = Arc<AtomicIsize>;

/// A pointer for reading; the access ends when it is dropped.
#[derive(Debug)]
pub struct ConstPtr<T: ?Sized> {
    pointer: *const T,
    under_way: UnderWay,
    _access: Accessing,
}

/// A pointer for writing; the access ends when it is dropped.
#[derive(Debug)]
pub struct MutPtr<T: ?Sized> {
    pointer: *mut T,
    under_way: UnderWay,
    _access: Accessing,
}

impl<T: ?Sized> ConstPtr<T> {
    #[track_caller]
    pub(super) fn new(pointer: *const T, access: Accessing, under_way: &UnderWay) -> Self {
        let written = under_way.load(Relaxed) < 0 && !std::thread::panicking();
        assert!(!written, "a cell is read while it is being written");
        under_way.fetch_add(1, Relaxed);
        Self { pointer, under_way: Arc::clone(under_way), _access: access }
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// Nothing may write it meanwhile.
    pub unsafe fn deref(&self) -> &T {
        // SAFETY: the caller answers for it.
        unsafe { &*self.pointer }
    }

    /// Calls `f` with the pointer.
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*const T) -> R,
    {
        f(self.pointer)
    }
}

impl<T: ?Sized> MutPtr<T> {
    #[track_caller]
    pub(super) fn new(pointer: *mut T, access: Accessing, under_way: &UnderWay) -> Self {
        let used = under_way.load(Relaxed) != 0 && !std::thread::panicking();
        assert!(!used, "a cell is written while it is being read or written");
        under_way.fetch_sub(1, Relaxed);
        Self { pointer, under_way: Arc::clone(under_way), _access: access }
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// Nothing else may access it meanwhile.
    #[expect(clippy::mut_from_ref, reason = "loom's signature")]
    pub unsafe fn deref(&self) -> &mut T {
        // SAFETY: the caller answers for it.
        unsafe { &mut *self.pointer }
    }

    /// Calls `f` with the pointer.
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*mut T) -> R,
    {
        f(self.pointer)
    }
}

impl<T: ?Sized> Drop for ConstPtr<T> {
    fn drop(&mut self) {
        self.under_way.fetch_sub(1, Relaxed);
    }
}

impl<T: ?Sized> Drop for MutPtr<T> {
    fn drop(&mut self) {
        self.under_way.fetch_add(1, Relaxed);
    }
}
