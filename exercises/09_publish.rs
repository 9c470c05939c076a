//! # 9. Publication by a flag (medium)
//!
//! The value is written first and the flag is set afterwards. In every interleaving a reader that sees the flag
//! reads after the write, and yet it is a data race. Make it right, without a lock.
//!
//! | call | promise |
//! |---|---|
//! | `put(value)` | publishes the value; called once, by one thread |
//! | `get()` | the value, if it was published; does not wait |
//!
//! Run: `cargo exercise publish`. Hints: `cargo exercise hint publish`.
//! Lesson: 4.1 `loom-tests/4_orderings/1_publish_with_a_flag.rs`.

use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;

use crate::checks::publish::Publish;

/// A value in plain memory, and whether it is there.
#[derive(Debug, Default)]
pub struct Slot {
    value: UnsafeCell<u64>,
    ready: AtomicBool,
}

// SAFETY: the value is written before `ready` is set, and read after. The checker says why this is not enough.
unsafe impl Sync for Slot {}

impl Publish for Slot {
    fn put(&self, value: u64) {
        // SAFETY: as above.
        self.value.with_mut(|slot| unsafe { *slot = value });
        self.ready.store(true, Relaxed);
    }

    fn get(&self) -> Option<u64> {
        if self.ready.load(Relaxed) {
            // SAFETY: as above.
            Some(self.value.with(|slot| unsafe { *slot }))
        } else {
            None
        }
    }
}
