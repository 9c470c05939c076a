//! A counter for many writers.
//!
//! The count is the sum of several cells. [`Counter::add`] chooses a cell by the calling thread, and a
//! [`CounterHandle`] owns one, so writers seldom share a cell. What goes down as well is a
//! [`Gauge`](crate::Gauge).
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

use crate::striped::{Owned, OwnedCell, Striped};

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub use crate::striped::MAX_STRIPES;

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
    cells: Striped<Cell, Taken>,
}

/// Relaxed throughout: see the head of the file.
type Cell = AtomicU64;

/// The sum of all cells, stripes included, at the last `take`.
type Taken = u64;

impl Counter {
    /// A counter at 0, with four stripes for each thread that can run in parallel
    /// ([`available_parallelism`](std::thread::available_parallelism)), but at least 16, rounded up to a power of two.
    /// Each stripe takes 128 bytes. Under `--cfg loom` there are two.
    pub fn new() -> Self {
        Self { cells: Striped::new() }
    }

    /// A counter at 0 with `stripes` stripes, rounded up to a power of two. If there are more threads, they
    /// share stripes, which affects only speed.
    ///
    /// # Errors
    ///
    /// [`CounterError::Stripes`] if `stripes` is not 1 to [`MAX_STRIPES`].
    pub fn with_stripes(stripes: usize) -> Result<Self, CounterError> {
        let cells = Striped::with_stripes(stripes);
        cells.map(|cells| Self { cells }).ok_or(CounterError::Stripes { requested: stripes })
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        self.cells.stripe().fetch_add(n, Relaxed);
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
        let owned = self.cells.read();
        self.sum(&owned).wrapping_sub(owned.note)
    }

    /// The sum of all adds since the last `take`. Later calls do not count these adds again.
    ///
    /// Over all calls each add is returned exactly once. Blocks like [`get`](Self::get).
    pub fn take(&self) -> u64 {
        let mut owned = self.cells.read();
        let sum = self.sum(&owned);
        sum.wrapping_sub(std::mem::replace(&mut owned.note, sum))
    }

    /// A handle that adds to this counter at the cost of a plain store.
    pub fn handle(&self) -> CounterHandle {
        let cell = self.cells.own();
        let value = cell.get().map_or(0, |cell| cell.load(Relaxed));
        CounterHandle { cell, value }
    }

    /// All that was ever added, as far as it can be seen.
    fn sum(&self, owned: &Owned<Cell, Taken>) -> u64 {
        self.cells.cells(owned).map(|cell| cell.load(Relaxed)).fold(0, u64::wrapping_add)
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
            .field("stripes", &self.cells.stripes())
            .finish_non_exhaustive()
    }
}

/// A handle that adds to a [`Counter`] with a plain store instead of a read-modify-write: it owns a cell.
///
/// After it is dropped, its adds stay counted and another handle may reuse its cell. It may outlive its
/// counter.
pub struct CounterHandle {
    cell: OwnedCell<Cell, Taken>,
    /// What the cell holds. No other thread writes it, so there is no need to read it.
    value: u64,
}

impl CounterHandle {
    /// Adds `n`.
    #[inline]
    pub fn add(&mut self, n: u64) {
        self.value = self.value.wrapping_add(n);
        if let Some(cell) = self.cell.get() {
            cell.store(self.value, Relaxed);
        }
    }

    /// Adds 1.
    #[inline]
    pub fn increment(&mut self) {
        self.add(1);
    }
}

impl fmt::Debug for CounterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CounterHandle").finish_non_exhaustive()
    }
}
