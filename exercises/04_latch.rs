//! # 4. A latch (easy)
//!
//! A thread that waits sometimes sleeps for ever, although the latch is open. Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `count_down()` | counts one down |
//! | `wait()` | returns once the count is 0, and not before, however many threads wait |
//! | | what was written before a count is visible after the wait |
//!
//! `Condvar::wait` may return without a notification (spurious wake-up); the checker explores that too.
//!
//! Run: `cargo exercise latch`. Hints: `cargo exercise hint latch`.
//! Lesson: 7.1 `loom-tests/7_jobs/1_job_queue.rs`.

use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use selvedge_model::sync::{Condvar, Mutex};

use crate::checks::latch::Latch;

/// A count, and where to wait for its end.
#[derive(Debug)]
pub struct Gate {
    left: AtomicU64,
    sleeping: Mutex<()>,
    opened: Condvar,
}

impl Latch for Gate {
    fn new(count: u64) -> Self {
        Self { left: AtomicU64::new(count), sleeping: Mutex::new(()), opened: Condvar::new() }
    }

    fn count_down(&self) {
        if self.left.fetch_sub(1, Release) == 1 {
            self.opened.notify_all();
        }
    }

    fn wait(&self) {
        if self.left.load(Acquire) > 0 {
            let guard = self.sleeping.lock().unwrap();
            drop(self.opened.wait(guard).unwrap());
        }
    }
}
