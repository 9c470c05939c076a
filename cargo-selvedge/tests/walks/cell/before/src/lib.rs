//! A cell that is written once.

mod sync;

use std::mem::MaybeUninit;

use sync::{AtomicU8, Ordering, UnsafeCell};

const EMPTY: u8 = 0;
const WRITING: u8 = 1;
const FULL: u8 = 2;

/// Written by the first, read by all.
pub struct OnceCell<T> {
    state: AtomicU8,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is written by one thread before it is `FULL`, and only read from then on.
unsafe impl<T: Send + Sync> Sync for OnceCell<T> {}
unsafe impl<T: Send> Send for OnceCell<T> {}

impl<T: Copy> OnceCell<T> {
    pub fn new() -> Self {
        Self { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Writes the value; `false` if another one is there, or on its way.
    pub fn set(&self, value: T) -> bool {
        let claimed = self.state.compare_exchange(EMPTY, WRITING, Ordering::Relaxed, Ordering::Relaxed);
        if claimed.is_err() {
            return false;
        }
        self.value.with_mut(|cell| unsafe { (*cell).write(value) });
        self.state.store(FULL, Ordering::Release);
        true
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<T> {
        if self.state.load(Ordering::Acquire) == FULL {
            Some(self.value.with(|cell| unsafe { (*cell).assume_init() }))
        } else {
            None
        }
    }
}

impl<T: Copy> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}
