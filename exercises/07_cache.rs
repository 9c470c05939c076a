//! # 7. A cache without a stampede (medium)
//!
//! A hundred requests miss the same key, and a hundred queries reach the database. Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `get(key, load)` | the value of `key`; threads that miss it together load it once, and all have that value |
//! | | a load does not wait for loads of other keys |
//! | | a load that panics leaves the key absent: the next call, or one that already waits, loads it |
//!
//! Run: `cargo exercise cache`. Hints: `cargo exercise hint cache`.
//! Lesson: 6.1 `loom-tests/6_web/1_cache.rs`.

use std::collections::BTreeMap;

use selvedge_model::sync::Mutex;

use crate::checks::cache::Cache;

/// The values that were loaded, by key.
#[derive(Debug, Default)]
pub struct Values {
    values: Mutex<BTreeMap<u64, u64>>,
}

impl Cache for Values {
    fn get(&self, key: u64, load: impl FnOnce() -> u64) -> u64 {
        let found = self.values.lock().unwrap().get(&key).copied();
        if let Some(value) = found {
            return value;
        }
        let value = load();
        self.values.lock().unwrap().insert(key, value);
        value
    }
}
