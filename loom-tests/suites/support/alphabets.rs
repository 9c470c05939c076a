//! The operations of which scenarios are made.

pub(crate) mod counter;
pub(crate) mod map;
pub(crate) mod stats;
