//! Seats of a show, to be sold once each: one read-modify-write, one lock. And plain memory behind a flag.
//! Racy variants are in `seats/racy.rs`.
//!
//! Proved in `loom-tests/suites/seats.rs`.

use selvedge_model::sync::atomic::{
    AtomicBool, AtomicI64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Mutex, PoisonError};

pub mod racy;

/// Looks and sells in one read-modify-write.
pub struct OneStepSeats(pub AtomicI64);

impl OneStepSeats {
    pub fn sell(&self) -> bool {
        // Relaxed: the number stands for nothing but itself.
        let sold = self.0.fetch_update(Relaxed, Relaxed, |left| (left > 0).then(|| left - 1));
        sold.is_ok()
    }
}

/// Looks and sells under one lock. Plain memory, and no `unsafe`.
pub struct LockedSeats(pub Mutex<i64>);

impl LockedSeats {
    pub fn sell(&self) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = *left > 0;
        if free {
            *left -= 1;
        }
        free
    }
}

/// The number of seats, written once, and read only after the flag is seen.
#[derive(Default)]
pub struct FlaggedSeats {
    seats: UnsafeCell<i64>,
    written: AtomicBool,
}

// SAFETY: `publish` is called once, and `get` reads only after that, which the flag sees to.
unsafe impl Sync for FlaggedSeats {}

impl FlaggedSeats {
    /// To be called once.
    pub fn publish(&self, seats: i64) {
        // SAFETY: there is one writer, and no thread reads before the flag is set.
        self.seats.with_mut(|shared| unsafe { *shared = seats });
        // Release: pairs with the Acquire in `get`, which then sees the write above.
        self.written.store(true, Release);
    }

    pub fn get(&self) -> Option<i64> {
        // Acquire: pairs with the Release in `publish`.
        let written = self.written.load(Acquire);
        // SAFETY: it has been written, and will not be again.
        written.then(|| self.seats.with(|shared| unsafe { *shared }))
    }
}
