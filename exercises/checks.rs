//! What each exercise promises, as a trait, and the models that hold an implementation to it.

use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::{CheckError, Report};

pub mod cache;
pub mod counter;
pub mod jobs;
pub mod latch;
pub mod lazy;
pub mod publish;
pub mod queue;
pub mod rate_limiter;
pub mod readers;
pub mod seqlock;
pub mod ticket_lock;
pub mod transfer;
pub mod wake_up;

/// A promise in words, and the model that explores whether it is kept.
pub type Question = (&'static str, fn() -> Result<Report, CheckError>);

/// A number in plain memory, which an exercise must protect.
#[derive(Debug, Default)]
pub struct Plain(UnsafeCell<u64>);

// SAFETY: the checker reports an access that is not ordered with a write, and ends the execution there.
unsafe impl Sync for Plain {}

impl Plain {
    /// Reads the number.
    #[track_caller]
    pub fn get(&self) -> u64 {
        // SAFETY: as above.
        self.0.with(|value| unsafe { *value })
    }

    /// Replaces the number.
    #[track_caller]
    pub fn set(&self, new: u64) {
        // SAFETY: as above.
        self.0.with_mut(|value| unsafe { *value = new });
    }
}
