//! # 5. One writer and many readers of a map (medium)
//!
//! "There is only one writer, so nothing can go wrong." It is undefined behaviour. Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `write(change)` | called by one thread; readers see all that `change` does, or nothing of it |
//! | `read(look)` | the entries at one moment; a later read sees no older version |
//! | | readers do not wait for each other |
//!
//! Run: `cargo exercise readers`. Hints: `cargo exercise hint readers`.
//! Lessons: 1.1 `loom-tests/1_races/1_data_race.rs`, 2.1 `loom-tests/2_mistakes/1_reads_are_safe.rs`.

use selvedge_model::sync::cell::UnsafeCell;

use crate::checks::readers::{Entries, Readers};

/// The entries, in plain memory.
#[derive(Debug)]
pub struct Table {
    entries: UnsafeCell<Entries>,
}

// SAFETY: "there is only one writer". That is not enough, and the reason why this exercise exists.
unsafe impl Sync for Table {}

impl Readers for Table {
    fn new(entries: Entries) -> Self {
        Self { entries: UnsafeCell::new(entries) }
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        // SAFETY: as above.
        self.entries.with_mut(|entries| change(unsafe { &mut *entries }));
    }

    fn read<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        // SAFETY: as above.
        self.entries.with(|entries| look(unsafe { &*entries }))
    }
}
