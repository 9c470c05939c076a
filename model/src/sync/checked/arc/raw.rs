//! Owners as raw pointers.
//!
//! A pointer to the value says nothing about where its counts are, so those of an execution are known by the address
//! of the value: what an execution frees is kept until it is over, so that no two of its values have the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;

use super::{Arc, Counts, Weak};
use crate::kernel;

#[derive(Default)]
struct Known {
    execution: u64,
    counts: BTreeMap<usize, Counts>,
}

std::thread_local! {
    // All threads of an exploration share an OS thread.
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// Calls `f` with the counts of all `Arc`s of the execution that runs.
fn known<R>(f: impl FnOnce(&mut BTreeMap<usize, Counts>) -> R) -> Option<R> {
    let execution = kernel::with(|engine| engine.execution())?;
    // The map is not part of the program under test.
    kernel::outside(|| {
        KNOWN.with_borrow_mut(|known| {
            if known.execution != execution {
                *known = Known { execution, counts: BTreeMap::new() };
            }
            Some(f(&mut known.counts))
        })
    })
}

pub(super) fn remember<T: ?Sized>(value: &std::sync::Arc<T>, counts: Counts) {
    let address = std::sync::Arc::as_ptr(value).addr();
    known(|known| known.insert(address, counts));
    super::super::know_owners(value);
}

fn recall<T: ?Sized>(pointer: *const T) -> Counts {
    let counts = known(|known| known.get(&pointer.addr()).copied()).flatten();
    counts.unwrap_or(Counts { strong: None, weak: None })
}

/// Whether the value of an [`Arc`] begins there. `std` has it in the same block as its own counts.
pub(in super::super) fn is_in_one(start: usize, end: usize) -> bool {
    known(|known| known.range(start..=end).next().is_some()) == Some(true)
}

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
