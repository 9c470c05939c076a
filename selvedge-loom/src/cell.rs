//! Cells whose accesses are checked: two of them race if happens-before does not order them and one is a write.

mod copied;
mod pointer;

pub use copied::Cell;
pub use pointer::{ConstPtr, MutPtr};

use pointer::UnderWay;
use selvedge_model::sync::cell;

/// A cell without synchronisation.
///
/// An access lasts as long as the closure, or the pointer, that it was begun for. Two accesses at the same time, one
/// of them a write, fail the model, in one thread too.
#[derive(Debug)]
pub struct UnsafeCell<T: ?Sized> {
    under_way: UnderWay,
    cell: cell::UnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    /// A cell around `data`.
    #[track_caller]
    pub fn new(data: T) -> Self {
        Self { under_way: UnderWay::default(), cell: cell::UnsafeCell::new(data) }
    }

    /// Takes the value out.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.cell.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Calls `f` with a pointer for reading.
    ///
    /// # Panics
    ///
    /// If the cell is being written.
    #[track_caller]
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*const T) -> R,
    {
        self.get().with(f)
    }

    /// Calls `f` with a pointer for writing.
    ///
    /// # Panics
    ///
    /// If the cell is being read or written.
    #[track_caller]
    pub fn with_mut<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*mut T) -> R,
    {
        self.get_mut().with(f)
    }

    /// A pointer for reading. The cell is being read as long as it exists.
    ///
    /// # Panics
    ///
    /// If the cell is being written.
    #[track_caller]
    pub fn get(&self) -> ConstPtr<T> {
        let (pointer, access) = self.cell.begin_read();
        ConstPtr::new(pointer, access, &self.under_way)
    }

    /// A pointer for writing. The cell is being written as long as it exists.
    ///
    /// # Panics
    ///
    /// If the cell is being read or written.
    #[track_caller]
    pub fn get_mut(&self) -> MutPtr<T> {
        let (pointer, access) = self.cell.begin_write();
        MutPtr::new(pointer, access, &self.under_way)
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[track_caller]
    fn from(data: T) -> Self {
        Self::new(data)
    }
}
