//! A queue for threads.

use std::collections::VecDeque;
use std::sync::Mutex;
#[cfg(feature = "wait")]
use std::sync::Condvar;

/// First in, first out.
#[derive(Debug, Default)]
pub struct Queue {
    items: Mutex<VecDeque<u64>>,
    #[cfg(feature = "wait")]
    filled: Condvar,
}

impl Queue {
    /// Appends an item.
    pub fn push(&self, item: u64) {
        self.items.lock().unwrap().push_back(item);
        #[cfg(feature = "wait")]
        self.filled.notify_one();
    }

    /// Takes the oldest item, if there is one.
    pub fn pop(&self) -> Option<u64> {
        self.items.lock().unwrap().pop_front()
    }

    /// Takes the oldest item, and waits for one.
    #[cfg(feature = "wait")]
    pub fn pop_wait(&self) -> u64 {
        let items = self.items.lock().unwrap();
        let mut items = self.filled.wait_while(items, |items| items.is_empty()).unwrap();
        items.pop_front().expect("it is not empty")
    }
}
