//! Memory whose end the checker follows: freed too early, freed twice, or never.
//!
//! An allocation is a location that [`dealloc`] ends, together with the objects of [`sync`](crate::sync) that lie in it.
//! What is freed is kept until the execution is over, so that what uses it after its end finds the object as it was, and
//! is reported.

use std::alloc::handle_alloc_error;
use std::panic::Location;

pub use std::alloc::Layout;

use crate::kernel::{self, Access, CellKind, Handle, Made, Memory, Site};

/// Notes memory that was allocated in an exploration.
fn note(pointer: *mut u8, layout: Layout, site: Site) -> *mut u8 {
    kernel::with(|engine| {
        if pointer.is_null() {
            handle_alloc_error(layout);
        }
        if let Memory::Owned(block) = engine.memory(pointer.addr()) {
            engine.make_in(block, Made::Cell(CellKind::Allocation), site);
        }
    });
    pointer
}

/// `std::alloc::alloc`.
///
/// # Safety
///
/// That of `std::alloc::alloc`.
#[track_caller]
pub unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller answers for it.
    note(unsafe { std::alloc::alloc(layout) }, layout, Location::caller())
}

/// `std::alloc::alloc_zeroed`.
///
/// # Safety
///
/// That of `std::alloc::alloc_zeroed`.
#[track_caller]
pub unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: the caller answers for it.
    note(unsafe { std::alloc::alloc_zeroed(layout) }, layout, Location::caller())
}

/// `std::alloc::dealloc`. In an exploration, memory that was freed before is an error of the execution.
///
/// # Safety
///
/// That of `std::alloc::dealloc`. In an exploration the memory must be from [`alloc`] or [`alloc_zeroed`].
///
/// # Panics
///
/// In an exploration, if the memory is from elsewhere.
#[track_caller]
pub unsafe fn dealloc(pointer: *mut u8, layout: Layout) {
    let site = Location::caller();
    let is_there = kernel::with(|engine| engine.end_block(pointer.addr(), site));
    assert!(is_there != Some(false), "dealloc of memory that is not from alloc, in this execution");
    // SAFETY: the caller answers for it.
    unsafe { std::alloc::dealloc(pointer, layout) };
}

/// What leaks if it does not come to its end.
#[derive(Debug)]
pub(super) struct Ends {
    /// `None` outside an exploration.
    model: Option<Handle>,
    site: Site,
}

impl Ends {
    pub(super) fn new(kind: CellKind, site: Site) -> Self {
        Self { model: Handle::new(site, || Made::Cell(kind)), site }
    }

    fn access(&self, access: Access, site: Site) {
        Handle::at_end(self.model, |engine, location| engine.access(location, access, site));
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.access(Access::Free, self.site);
    }
}

/// A value whose end the checker follows: used too late, or never dropped.
#[derive(Debug)]
pub struct Track<T> {
    value: T,
    ends: Ends,
}

impl<T> Track<T> {
    /// Tracks `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { value, ends: Ends::new(CellKind::Allocation, Location::caller()) }
    }

    /// The value; in an exploration, as a read of it.
    #[track_caller]
    pub fn get_ref(&self) -> &T {
        self.ends.access(Access::Read, Location::caller());
        &self.value
    }

    /// The value; in an exploration, as a write of it.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        self.ends.access(Access::Write, Location::caller());
        &mut self.value
    }

    /// Takes the value out, and tracks it no more.
    pub fn into_inner(self) -> T {
        self.value
    }
}
