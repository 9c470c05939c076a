//! Engines: each explores the executions of a program in its own way.

pub mod agreement;
pub mod graph;
pub mod loom;
pub mod memory;
mod names;
mod overflow;
pub(crate) mod panics;
pub(crate) mod stacks;
pub mod watch;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The number of the next execution: no two have the same.
fn next_number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    // Relaxed: numbers only have to differ.
    NUMBER.fetch_add(1, Relaxed)
}
