//! # 8. A bounded queue (medium)
//!
//! It passes every test for weeks, and then panics: "the queue is empty". Make it right.
//!
//! | call | promise |
//! |---|---|
//! | `push(item)` | adds an item at the end; waits while the queue is full |
//! | `pop()` | removes the first item; waits while the queue is empty |
//! | | no thread waits while it could go on |
//!
//! Run: `cargo exercise queue`. Hints: `cargo exercise hint queue`.
//! Lesson: 7.1 `loom-tests/7_jobs/1_job_queue.rs`.

use std::collections::VecDeque;

use selvedge_model::sync::{Condvar, Mutex};

use crate::checks::queue::Queue;

/// The items, and where to wait.
#[derive(Debug)]
pub struct Bounded {
    capacity: usize,
    items: Mutex<VecDeque<u64>>,
    changed: Condvar,
}

impl Queue for Bounded {
    fn new(capacity: usize) -> Self {
        Self { capacity, items: Mutex::new(VecDeque::new()), changed: Condvar::new() }
    }

    fn push(&self, item: u64) {
        let mut items = self.items.lock().unwrap();
        if items.len() == self.capacity {
            items = self.changed.wait(items).unwrap();
        }
        items.push_back(item);
        self.changed.notify_one();
    }

    fn pop(&self) -> u64 {
        let mut items = self.items.lock().unwrap();
        if items.is_empty() {
            items = self.changed.wait(items).unwrap();
        }
        let item = items.pop_front().expect("the queue is empty");
        self.changed.notify_one();
        item
    }
}
