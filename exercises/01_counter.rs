//! # 1. Several threads increment one integer (easy)
//!
//! The total is sometimes too small. Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `increment` | adds 1; no increment is lost |
//! | `get` | the sum of the increments so far |
//!
//! 1. Run `cargo exercise counter` and read the picture: which step comes between which two?
//! 2. Ask two detectors of data races whether they object. `exercises/README.md` has the commands and their
//!    output. Why are they silent?
//! 3. Make `increment` right.
//!
//! Hints: `cargo exercise hint counter`.
//! Lessons: 1.2 `loom-tests/1_races/2_lost_update.rs`, 1.3 `loom-tests/1_races/3_race_condition.rs`.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::checks::counter::Counter;

/// The total of all threads.
#[derive(Debug, Default)]
pub struct Total {
    value: AtomicU64,
}

impl Counter for Total {
    fn increment(&self) {
        let before = self.value.load(Relaxed);
        self.value.store(before + 1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.value.load(Relaxed)
    }
}
