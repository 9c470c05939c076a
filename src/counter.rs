//! A counter for many writers.
//!
//! The count is the sum of several cells. [`Counter::add`] chooses a cell by the calling thread, and a
//! [`CounterHandle`] owns one, so writers share a cell only if there are more threads than cells.
//!
//! # Guarantee
//!
//! Each amount is added to exactly one cell, and cells are never reset. So no add is lost or counted
//! twice: [`Counter::get`] counts each add that happens before it once, and each add is returned by
//! exactly one [`Counter::take`], or has yet to be taken.
//!
//! Arithmetic is modulo 2^64: the count wraps around at [`u64::MAX`].
//!
//! # Orderings
//!
//! All accesses to cells are `Relaxed`: reading a count creates no happens-before edge to the adds that it
//! counts. Completeness does not need an ordering. Cells only grow, so reading them late, or one after the
//! other, can only count more. A cell passes from one handle to the next under the mutex.
//!
//! # Limits
//!
//! [`Counter::get`] reads cell by cell while writers run, so the sum may include an effect without its
//! cause: if a thread observes the add of a second thread and then adds, its add may be counted and the
//! second thread's not. Calls of `get` and `take` exclude each other, so each counts all that the one
//! before it counted.
//!
//! The adds of one thread by [`Counter::add`], or through one handle, are counted in order. Adds of one
//! thread in both ways go to two cells and may be counted out of order. So `add`, `get` and `take` are
//! sequentially consistent if no thread mixes the two, and quiescently consistent otherwise.

use std::fmt;

use crate::padded::CachePadded;

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::{Arc, Mutex, MutexGuard, PoisonError, thread, thread_number};

/// The maximum number of stripes of a [`Counter`].
pub const MAX_STRIPES: usize = 1 << 16;

/// The error of [`Counter::with_stripes`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CounterError {
    /// The number of stripes is out of range.
    #[error("the number of stripes of a counter must be 1 to {MAX_STRIPES}, got {requested}")]
    Stripes {
        /// The requested number.
        requested: usize,
    },
}

/// A counter for many writers.
///
/// ```
/// use selvedge::Counter;
///
/// let hits = Counter::new();
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| {
///             let mut mine = hits.handle();
///             for _ in 0..250 {
///                 mine.increment();
///             }
///         });
///     }
/// });
/// assert_eq!(hits.get(), 1_000);
/// ```
pub struct Counter {
    /// For [`Counter::add`]. The length is a power of two.
    stripes: Box<[Cell]>,
    owned: Arc<Mutex<Owned>>,
}

/// Relaxed throughout: see the head of the file.
type Cell = CachePadded<AtomicU64>;

/// A cell at 0.
fn new_cell() -> Cell {
    CachePadded::new(AtomicU64::new(0))
}

/// What handles and readers share. Writers never lock it.
struct Owned {
    /// Every cell that a handle owns or has owned.
    cells: Vec<Arc<Cell>>,
    /// Those that no handle owns now.
    free: Vec<Arc<Cell>>,
    /// The sum of all cells, stripes included, at the last `take`.
    taken: u64,
}

impl Counter {
    /// A counter at 0, with one stripe for each thread that can run in parallel
    /// ([`available_parallelism`](std::thread::available_parallelism)), rounded up to a power of two.
    pub fn new() -> Self {
        let parallelism = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::striped(parallelism.min(MAX_STRIPES))
    }

    /// A counter at 0 with `stripes` stripes, rounded up to a power of two. If there are more threads, they
    /// share stripes, which affects only speed.
    ///
    /// # Errors
    ///
    /// [`CounterError::Stripes`] if `stripes` is not 1 to [`MAX_STRIPES`].
    pub fn with_stripes(stripes: usize) -> Result<Self, CounterError> {
        if (1..=MAX_STRIPES).contains(&stripes) {
            Ok(Self::striped(stripes))
        } else {
            Err(CounterError::Stripes { requested: stripes })
        }
    }

    fn striped(stripes: usize) -> Self {
        Self {
            stripes: (0..stripes.next_power_of_two()).map(|_| new_cell()).collect(),
            owned: Arc::new(Mutex::new(Owned { cells: Vec::new(), free: Vec::new(), taken: 0 })),
        }
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        let stripe = thread_number() & (self.stripes.len() - 1);
        self.stripes[stripe].fetch_add(n, Relaxed);
    }

    /// Adds 1.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// The sum of all adds since the last [`take`](Self::take).
    ///
    /// Counts each add that happens before the call, and may count adds that are concurrent with it; see
    /// the limits of the [module](self) for several writers. Blocks while other threads are in `get`,
    /// `take` or [`handle`](Self::handle), never because of writers.
    pub fn get(&self) -> u64 {
        let owned = lock(&self.owned);
        self.sum(&owned).wrapping_sub(owned.taken)
    }

    /// The sum of all adds since the last `take`. Later calls do not count these adds again.
    ///
    /// Over all calls each add is returned exactly once. Blocks like [`get`](Self::get).
    pub fn take(&self) -> u64 {
        let mut owned = lock(&self.owned);
        let sum = self.sum(&owned);
        sum.wrapping_sub(std::mem::replace(&mut owned.taken, sum))
    }

    /// A handle that adds to this counter at the cost of a plain store.
    pub fn handle(&self) -> CounterHandle {
        let mut owned = lock(&self.owned);
        let cell = owned.free.pop().unwrap_or_else(|| {
            let cell = Arc::new(new_cell());
            owned.cells.push(Arc::clone(&cell));
            cell
        });
        let value = cell.load(Relaxed);
        drop(owned);
        CounterHandle { cell: Some(cell), value, owned: Arc::clone(&self.owned) }
    }

    /// All that was ever added, as far as it can be seen.
    fn sum(&self, owned: &Owned) -> u64 {
        let shared = self.stripes.iter().map(|cell| cell.load(Relaxed));
        let own = owned.cells.iter().map(|cell| cell.load(Relaxed));
        shared.chain(own).fold(0, u64::wrapping_add)
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter")
            .field("count", &self.get())
            .field("stripes", &self.stripes.len())
            .finish_non_exhaustive()
    }
}

/// A handle that adds to a [`Counter`] with a plain store instead of a read-modify-write: it owns a cell.
///
/// After it is dropped, its adds stay counted and another handle may reuse its cell. It may outlive its
/// counter.
pub struct CounterHandle {
    /// `None` only while it is dropped.
    cell: Option<Arc<Cell>>,
    /// What the cell holds. Nobody else writes it, so there is no need to read it.
    value: u64,
    owned: Arc<Mutex<Owned>>,
}

impl CounterHandle {
    /// Adds `n`.
    #[inline]
    pub fn add(&mut self, n: u64) {
        self.value = self.value.wrapping_add(n);
        if let Some(cell) = &self.cell {
            cell.store(self.value, Relaxed);
        }
    }

    /// Adds 1.
    #[inline]
    pub fn increment(&mut self) {
        self.add(1);
    }
}

impl Drop for CounterHandle {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            lock(&self.owned).free.push(cell);
        }
    }
}

impl fmt::Debug for CounterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CounterHandle").finish_non_exhaustive()
    }
}

/// A panic leaves nothing half done here (only a failed allocation can cause one), so a poisoned
/// mutex is as good as any. The caller's line is the one that the checker reports, and changes.
#[track_caller]
fn lock(owned: &Mutex<Owned>) -> MutexGuard<'_, Owned> {
    owned.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody can tell from a count, but memory and the time of a read grow with the cells.
    #[test]
    fn a_cell_that_was_given_back_is_used_again() {
        let counter = Counter::new();
        for _ in 0..3 {
            let handles = [counter.handle(), counter.handle()];
            assert!(lock(&counter.owned).free.is_empty(), "two cells, two owners");
            drop(handles);
        }
        assert_eq!(lock(&counter.owned).cells.len(), 2);
    }
}
