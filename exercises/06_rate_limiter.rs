//! # 6. A rate limiter (medium)
//!
//! The limit is sometimes exceeded. Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `allow(window)` | `true` for at most `limit` requests of each window, and for fewer only if fewer ask |
//! | | a request of an earlier window than the latest is refused, and does not open it again |
//!
//! A window is the number of the second in which a request comes, say. There are no locks to begin with: can
//! you do without?
//!
//! Run: `cargo exercise rate_limiter`. Hints: `cargo exercise hint rate_limiter`.
//! Lesson: 6.3 `loom-tests/6_web/3_request_counters.rs`.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::checks::rate_limiter::Limiter;

/// The latest window, and how many of its requests were allowed.
#[derive(Debug)]
pub struct Latest {
    limit: u64,
    window: AtomicU64,
    used: AtomicU64,
}

impl Limiter for Latest {
    fn new(limit: u64) -> Self {
        Self { limit, window: AtomicU64::new(0), used: AtomicU64::new(0) }
    }

    fn allow(&self, window: u64) -> bool {
        if self.window.load(Relaxed) < window {
            self.window.store(window, Relaxed);
            self.used.store(0, Relaxed);
        }
        if self.used.load(Relaxed) < self.limit {
            self.used.fetch_add(1, Relaxed);
            return true;
        }
        false
    }
}
