//! The operations of which scenarios are generated.

pub(crate) mod counter;
pub(crate) mod map;
pub(crate) mod stats;
