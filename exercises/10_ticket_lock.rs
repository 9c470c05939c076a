//! # 10. A ticket lock (hard)
//!
//! Threads draw a ticket and wait until its number is served. What the lock protects is sometimes seen in an
//! old state. Make it right. Which of the orderings can stay `Relaxed`?
//!
//! | call | promise |
//! |---|---|
//! | `lock()` | one thread at a time holds the lock; it sees all that the last one wrote |
//! | | threads are served in the order of their tickets: 0, 1, 2, … |
//! | `unlock()` | lets the next ticket in |
//!
//! A loop that waits calls `hint::spin_loop`, so that the checker knows it as one.
//!
//! Run: `cargo exercise ticket_lock`. Hints: `cargo exercise hint ticket_lock`.
//! Lesson: 4.1 `loom-tests/4_orderings/1_publish_with_a_flag.rs`.

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::hint;

use crate::checks::ticket_lock::TicketLock;

/// The next ticket, and the one that is being served.
#[derive(Debug, Default)]
pub struct Tickets {
    next: AtomicU64,
    serving: AtomicU64,
}

impl TicketLock for Tickets {
    fn lock(&self) -> u64 {
        let ticket = self.next.fetch_add(1, Relaxed);
        while self.serving.load(Relaxed) != ticket {
            hint::spin_loop();
        }
        ticket
    }

    fn unlock(&self) {
        let ticket = self.serving.load(Relaxed);
        self.serving.store(ticket + 1, Relaxed);
    }
}
