//! A ring buffer for one producer and one consumer.

use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::atomic::AtomicUsize;
use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Holds up to `N` values.
pub struct Ring<const N: usize> {
    slots: [UnsafeCell<u64>; N],
    /// How many values were popped.
    head: AtomicUsize,
    /// How many values were pushed.
    tail: AtomicUsize,
}

// SAFETY: a slot is the producer's until `tail` has passed it, and then the consumer's until `head` has.
unsafe impl<const N: usize> Sync for Ring<N> {}

impl<const N: usize> Ring<N> {
    /// An empty ring.
    pub fn new() -> Self {
        Self {
            slots: std::array::from_fn(|_| UnsafeCell::new(0)),
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
        }
    }

    /// Pushes a value, unless the ring is full. For one thread at a time.
    pub fn push(&self, value: u64) -> bool {
        let tail = self.tail.load(Relaxed);
        if tail - self.head.load(Acquire) == N {
            return false;
        }
        // SAFETY: the consumer is done with this slot.
        self.slots[tail % N].with_mut(|slot| unsafe { *slot = value });
        self.tail.store(tail + 1, Release);
        true
    }

    /// Pops a value, unless the ring is empty. For one thread at a time.
    pub fn pop(&self) -> Option<u64> {
        let head = self.head.load(Relaxed);
        if head == self.tail.load(Acquire) {
            return None;
        }
        // SAFETY: the producer is done with this slot.
        let value = self.slots[head % N].with(|slot| unsafe { *slot });
        self.head.store(head + 1, SeqCst);
        Some(value)
    }

    /// How many values there are, at some moment.
    pub fn len(&self) -> usize {
        self.tail.load(Acquire) - self.head.load(Acquire)
    }

    /// Wakes the thread that waits. It has the name of an operation of `std`, and is a method of this crate.
    pub fn unpark(&self, waiter: &Waiter) {
        waiter.unpark();
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Counts how often it was woken.
#[derive(Default)]
pub struct Waiter {
    woken: std::cell::Cell<u64>,
}

impl Waiter {
    /// Wakes it.
    pub fn unpark(&self) {
        self.woken.set(self.woken.get() + 1);
    }
}
