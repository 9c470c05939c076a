//! Counters that count wrong.

use std::fmt;

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Mutex, PoisonError, thread};

/// Defect: `add` is a load and a store, so that an add between the two is lost.
///
/// Safe Rust throughout, and no data race: every access is atomic. It is the pair that is not.
#[derive(Debug, Default)]
pub struct LossyCounter {
    count: AtomicU64,
}

impl LossyCounter {
    /// A counter at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `n`, unless another thread adds at the same time.
    pub fn add(&self, n: u64) {
        let count = self.count.load(Relaxed);
        self.count.store(count.wrapping_add(n), Relaxed);
    }

    /// Adds 1, unless another thread adds at the same time.
    pub fn increment(&self) {
        self.add(1);
    }

    /// What is left of the adds since the last `take`.
    pub fn get(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// What is left of the adds since the last `take`, which later calls will not count again.
    pub fn take(&self) -> u64 {
        self.count.swap(0, Relaxed)
    }

    /// The handle of this variant is the counter itself.
    pub fn handle(&self) -> &Self {
        self
    }
}

/// Defect: the count is plain memory, shared without synchronisation: a data race, and so
/// undefined behaviour on real threads.
///
/// Only `unsafe` gets such a type past the compiler.
#[derive(Default)]
pub struct UnsyncCounter {
    count: UnsafeCell<u64>,
}

// SAFETY: none. That is the defect: `add` writes what others read and write.
unsafe impl Sync for UnsyncCounter {}

impl UnsyncCounter {
    /// A counter at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `n`; races with every other access.
    pub fn add(&self, n: u64) {
        // SAFETY: none while another thread has access, which is the defect.
        self.count.with_mut(|count| unsafe { *count = (*count).wrapping_add(n) });
    }

    /// Adds 1; races with every other access.
    pub fn increment(&self) {
        self.add(1);
    }

    /// The count; races with every write.
    pub fn get(&self) -> u64 {
        // SAFETY: none while another thread writes, which is the defect.
        self.count.with(|count| unsafe { *count })
    }

    /// The count, which is set back to 0; races with every other access.
    pub fn take(&self) -> u64 {
        // SAFETY: none while another thread has access, which is the defect.
        self.count.with_mut(|count| unsafe { std::mem::take(&mut *count) })
    }

    /// The handle of this variant is the counter itself.
    pub fn handle(&self) -> &Self {
        self
    }
}

impl fmt::Debug for UnsyncCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsyncCounter").finish_non_exhaustive()
    }
}

/// Defect: `take` sets cells back to 0 behind the backs of the handles that own them; the owner's
/// next store brings back what was taken, and it is counted twice.
#[derive(Debug, Default)]
pub struct SwapTakeCounter {
    shared: AtomicU64,
    owned: Mutex<Vec<Arc<AtomicU64>>>,
}

impl SwapTakeCounter {
    /// A counter at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.shared.fetch_add(n, Relaxed);
    }

    /// Adds 1.
    pub fn increment(&self) {
        self.add(1);
    }

    /// The sum of all adds since the last `take`, and whatever was counted twice.
    pub fn get(&self) -> u64 {
        self.sum(|cell| cell.load(Relaxed))
    }

    /// The sum of all adds since the last `take`, and whatever was counted twice.
    pub fn take(&self) -> u64 {
        self.sum(|cell| cell.swap(0, Relaxed))
    }

    /// A handle that adds to this counter at the cost of a plain store.
    pub fn handle(&self) -> SwapTakeHandle {
        let cell = Arc::new(AtomicU64::new(0));
        let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        owned.push(Arc::clone(&cell));
        SwapTakeHandle { cell, value: 0 }
    }

    fn sum(&self, read: impl Fn(&AtomicU64) -> u64) -> u64 {
        let owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        owned.iter().map(|cell| read(cell)).fold(read(&self.shared), u64::wrapping_add)
    }
}

/// The right to add to a [`SwapTakeCounter`] without any read-modify-write.
#[derive(Debug)]
pub struct SwapTakeHandle {
    cell: Arc<AtomicU64>,
    value: u64,
}

impl SwapTakeHandle {
    /// Adds `n`, and brings back what was taken.
    pub fn add(&mut self, n: u64) {
        self.value = self.value.wrapping_add(n);
        self.cell.store(self.value, Relaxed);
    }

    /// Adds 1, and brings back what was taken.
    pub fn increment(&mut self) {
        self.add(1);
    }
}

/// Defect: counts `increments` by each of `threads` threads, and does not wait for them.
///
/// The counter is sound, and the program prints too small a number: it reads the count before the
/// threads have ended.
pub fn count_without_waiting(threads: usize, increments: usize) -> u64 {
    let count = Arc::new(AtomicU64::new(0));
    for _ in 0..threads {
        let count = Arc::clone(&count);
        thread::spawn(move || {
            for _ in 0..increments {
                count.fetch_add(1, Relaxed);
            }
        });
    }
    count.load(Relaxed)
}
