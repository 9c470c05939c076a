//! # 2. A value that is initialised once (easy)
//!
//! Every access is under a lock, and yet the value is sometimes initialised twice. Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `get(init)` | the first call runs `init`; no other call does, and all return the same value |
//! | | what `init` wrote to memory is visible to every caller |
//!
//! A call that comes while another one runs `init` waits for it. `std::sync::OnceLock` keeps all of this: write
//! it without.
//!
//! Run: `cargo exercise lazy`. Hints: `cargo exercise hint lazy`.
//! Lessons: 2.2 `loom-tests/2_mistakes/2_two_critical_sections.rs`,
//! 4.4 `loom-tests/4_orderings/4_double_checked_locking.rs`.

use selvedge_model::sync::Mutex;

use crate::checks::lazy::Lazy;

/// A value, once there is one.
#[derive(Debug, Default)]
pub struct Config {
    value: Mutex<Option<u64>>,
}

impl Lazy for Config {
    fn get(&self, init: impl FnOnce() -> u64) -> u64 {
        let found = *self.value.lock().unwrap();
        if let Some(value) = found {
            return value;
        }
        let value = init();
        *self.value.lock().unwrap() = Some(value);
        value
    }
}
