//! A value with cache lines of its own.

use std::ops::{Deref, DerefMut};

/// A value that shares no cache line with another, so that writes to neighbours do not slow it down.
///
/// 128 bytes: Intel processors since Sandy Bridge prefetch cache lines in pairs, and Apple's have lines of
/// 128 bytes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    /// `value`, padded.
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for CachePadded<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
