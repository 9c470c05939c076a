//! Seats that go wrong: each has the one defect that it names.

use selvedge_model::sync::atomic::{AtomicI64, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;

use super::FlaggedSeats;

/// Defect: seats in plain memory, shared without synchronisation.
///
/// Only `unsafe` gets such a type past the compiler.
pub struct PlainSeats(UnsafeCell<i64>);

// SAFETY: none. That is the defect: `sell` writes what others read and write.
unsafe impl Sync for PlainSeats {}

impl PlainSeats {
    pub fn new(seats: i64) -> Self {
        Self(UnsafeCell::new(seats))
    }

    pub fn left(&self) -> i64 {
        // SAFETY: none while another thread writes, which is the defect.
        self.0.with(|left| unsafe { *left })
    }

    pub fn set(&self, seats: i64) {
        // SAFETY: none while another thread has access, which is the defect.
        self.0.with_mut(|left| unsafe { *left = seats });
    }

    pub fn sell(&self) -> bool {
        let left = self.left();
        if left > 0 {
            self.set(left - 1);
        }
        left > 0
    }
}

/// Defect: `sell` checks, and then sells; between the two another thread may sell the same seat.
pub struct LookThenSellSeats(pub AtomicI64);

impl LookThenSellSeats {
    pub fn sell(&self) -> bool {
        let free = self.0.load(Relaxed) > 0;
        if free {
            self.0.fetch_sub(1, Relaxed);
        }
        free
    }
}

/// Defect: the flag says that the seats have been written, and orders nothing.
#[derive(Default)]
pub struct RelaxedFlagSeats(FlaggedSeats);

impl RelaxedFlagSeats {
    pub fn publish(&self, seats: i64) {
        // SAFETY: none, for nothing orders this write and the read, which is the defect.
        self.0.seats.with_mut(|shared| unsafe { *shared = seats });
        self.0.written.store(true, Relaxed);
    }

    pub fn get(&self) -> Option<i64> {
        let written = self.0.written.load(Relaxed);
        // SAFETY: none, for nothing orders this read and the write, which is the defect.
        written.then(|| self.0.seats.with(|shared| unsafe { *shared }))
    }
}
