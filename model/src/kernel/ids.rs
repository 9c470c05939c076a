//! What tells sites, threads and locations apart.

use std::panic::Location;

/// A call site in the code under test.
pub type Site = &'static Location<'static>;

/// Whether two sites are at one place in the sources. Mostly they are one, and names of files need not be compared.
#[inline]
pub(crate) fn is_same_site(a: Site, b: Site) -> bool {
    std::ptr::eq(a, b) || a == b
}

/// A thread of the execution: 0 is the first.
pub type ThreadId = usize;

/// An atomic, a cell or an object, numbered in the order in which one execution makes them: in another
/// execution the same number may mean another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LocationId(u32);

impl LocationId {
    /// The id of location number `index`.
    ///
    /// # Panics
    ///
    /// If an execution has more than 2^32 locations.
    pub fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("ids of locations"))
    }

    /// The number.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) fn number(self) -> u32 {
        self.0
    }

    pub(super) fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The location that was made right after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
