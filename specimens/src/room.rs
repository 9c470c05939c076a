//! A room with a limited number of places. A racy variant is in `room/racy.rs`.
//!
//! Proved in `loom-tests/suites/room.rs`.

use selvedge_model::sync::{PoisonError, RwLock};

pub mod racy;

/// Checks under the read lock, which is cheap where there is no place, and again under the write lock.
pub struct LookAgainRoom {
    places: usize,
    pub inside: RwLock<usize>,
}

impl LookAgainRoom {
    pub fn new(places: usize) -> Self {
        Self { places, inside: RwLock::new(0) }
    }

    /// Enters if there is room. Whether there was.
    pub fn enter(&self) -> bool {
        if *self.inside.read().unwrap_or_else(PoisonError::into_inner) >= self.places {
            return false;
        }
        let mut inside = self.inside.write().unwrap_or_else(PoisonError::into_inner);
        let room = *inside < self.places;
        if room {
            *inside += 1;
        }
        room
    }
}
