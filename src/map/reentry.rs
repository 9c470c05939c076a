//! Which maps the calling thread is inside of.
//!
//! A thread is inside a map from before it locks a shard until after it has unlocked it. Whatever
//! of the user's runs in between (closures, the `Eq` of keys, the `Clone` of values) and calls the
//! map again would wait for a lock of its own thread, for ever. So each call first looks here. Where nothing of the
//! user's can run (see `std_types`), a call looks and leaves no mark.
//!
//! # Orderings
//!
//! None needed: all of it belongs to one thread.
//!
//! # Limits
//!
//! A closure that waits for *another* thread, which waits for the map, is not found out.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use super::MapError;
use selvedge_model::sync::thread_local;

thread_local! {
    /// The map that was entered last, 0 if none. No destructor: of use as long as the thread is.
    static INNERMOST: Cell<usize> = const { Cell::new(0) };
    /// The maps around that one: a closure of theirs called it. Seldom any. Empty, it owns no
    /// memory, so nothing is lost in not dropping it.
    static AROUND: ManuallyDrop<RefCell<Vec<usize>>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// The calling thread is inside a map, until this is dropped.
#[must_use = "a map is left when this is dropped"]
pub(super) struct Inside {
    /// The map that was innermost before, 0 if none.
    around: usize,
}

impl Inside {
    /// Enters `map`, an address that is this map's alone.
    ///
    /// # Errors
    ///
    /// [`MapError::Reentrant`] if the thread is inside it already.
    #[inline]
    pub(super) fn enter(map: usize) -> Result<Self, MapError> {
        let around = INNERMOST.with(Cell::get);
        if around != 0 {
            enter_nested(map, around)?;
        }
        INNERMOST.with(|innermost| innermost.set(map));
        Ok(Self { around })
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        INNERMOST.with(|innermost| innermost.set(self.around));
        if self.around != 0 {
            leave_nested();
        }
    }
}

/// Enters nothing.
///
/// # Errors
///
/// [`MapError::Reentrant`] if the calling thread is inside `map`.
#[inline]
pub(super) fn check(map: usize) -> Result<(), MapError> {
    // Not `is_inside`: that no map was entered is the usual case, and one comparison.
    if INNERMOST.with(Cell::get) != 0 { check_nested(map) } else { Ok(()) }
}

#[cold]
fn check_nested(map: usize) -> Result<(), MapError> {
    if is_inside(map) { Err(MapError::Reentrant) } else { Ok(()) }
}

/// Whether the calling thread is inside `map`.
#[inline]
pub(super) fn is_inside(map: usize) -> bool {
    let innermost = INNERMOST.with(Cell::get);
    innermost == map || innermost != 0 && AROUND.with(|outer| outer.borrow().contains(&map))
}

#[cold]
fn enter_nested(map: usize, around: usize) -> Result<(), MapError> {
    check_nested(map)?;
    AROUND.with(|outer| outer.borrow_mut().push(around));
    Ok(())
}

#[cold]
fn leave_nested() {
    AROUND.with(|outer| {
        let mut outer = outer.borrow_mut();
        outer.pop();
        if outer.is_empty() {
            *outer = Vec::new();
        }
    });
}
