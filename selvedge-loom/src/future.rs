//! Futures. The feature `futures`, as in loom.

#[doc(inline)]
pub use selvedge_model::sync::future::{AtomicWaker, MayDrop, block_on, may_drop};
