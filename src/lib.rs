//! x
pub mod counter;
#[cfg(any(loom, feature = "model"))]
pub mod model;
#[cfg(any(loom, feature = "racy"))]
pub mod racy;
pub mod sync;
pub use counter::{Counter, CounterError, CounterHandle};
