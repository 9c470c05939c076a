//! A room that goes wrong, with the one defect that it names.

use selvedge_model::sync::PoisonError;

use super::LookAgainRoom;

/// Defect: `enter` checks under the read lock, and acts under the write lock.
pub struct CheckThenEnterRoom(pub LookAgainRoom);

impl CheckThenEnterRoom {
    /// Enters if there is room. Whether there was.
    pub fn enter(&self) -> bool {
        let inside = *self.0.inside.read().unwrap_or_else(PoisonError::into_inner);
        let room = inside < self.0.places;
        if room {
            *self.0.inside.write().unwrap_or_else(PoisonError::into_inner) += 1;
        }
        room
    }
}
