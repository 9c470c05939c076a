//! Gauges that show values which were never there.

use selvedge_model::sync::atomic::{
    AtomicI64, AtomicU64,
    Ordering::{Acquire, Release},
};
use selvedge_model::sync::thread_number;

/// Defect: one signed cell a stripe, added up cell by cell: a decrement is counted without the increment
/// that happens before it, and the gauge shows -1.
#[derive(Debug, Default)]
pub struct SignedCellGauge {
    cells: [AtomicI64; 2],
}

impl SignedCellGauge {
    /// A gauge at 0, two stripes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `n`, which may be negative.
    pub fn add(&self, n: i64) {
        self.cells[thread_number() % self.cells.len()].fetch_add(n, Release);
    }

    /// Adds 1.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Subtracts 1.
    pub fn decrement(&self) {
        self.add(-1);
    }

    /// The sum of all cells, each read at another time.
    pub fn get(&self) -> i64 {
        self.cells.iter().map(|cell| cell.load(Acquire)).sum()
    }
}

/// Defect: increments and decrements are read once, one after the other: an increment is counted without
/// the decrement that happens before it, and the gauge shows 2 where there was never more than 1.
#[derive(Debug, Default)]
pub struct OnePassGauge {
    up: AtomicU64,
    down: AtomicU64,
}

impl OnePassGauge {
    /// A gauge at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds 1.
    pub fn increment(&self) {
        self.up.fetch_add(1, Release);
    }

    /// Subtracts 1.
    pub fn decrement(&self) {
        self.down.fetch_add(1, Release);
    }

    /// The increments of a later time than the decrements.
    pub fn get(&self) -> i64 {
        let down = self.down.load(Acquire);
        self.up.load(Acquire).wrapping_sub(down).cast_signed()
    }
}
