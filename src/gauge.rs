//! A value that many writers raise and lower: the depth of a queue, the number of open sessions.
//!
//! As in a [`Counter`](crate::Counter), [`Gauge::add`] chooses a cell by the calling thread, and a
//! [`GaugeHandle`] owns one. A cell has two words: the sum of what raised the gauge, and the sum of what lowered
//! it. The value is the difference of the two, over all cells.
//!
//! # Guarantee
//!
//! Each amount is added to exactly one word, and words are never reset, so no amount is lost or counted twice.
//! [`Gauge::get`] counts each amount that happens before it. With each amount that lowers, it counts every
//! amount that raises and happens before that one: if a job is counted out of a queue only after it was counted
//! in, the depth is never below 0, whichever threads do it.
//!
//! - If at most two amounts are added while `get` runs, it is linearizable: it returns the value of one point in
//!   time during the call.
//! - If more are, it returns at least such a value, and at most the value at the beginning of the call plus the amounts
//!   that raise the gauge while it runs: of a session that begins and ends meanwhile, the beginning alone may be
//!   counted. So it is never too small.
//!
//! Arithmetic is modulo 2^64: the value wraps around at the ends of `i64`. On the way it may be beyond them.
//!
//! # Orderings
//!
//! Words are changed with `Release` and loaded with `Acquire`, so whatever happens before an amount that is
//! counted happens before the loads that follow. `get` loads all words that lower the gauge, and then all that
//! raise it: when it has counted that a job left, the load that finds its arrival is yet to come. It does so up
//! to [`PASSES`] times, until two passes in a row agree. Words only grow, so each had its value at the point in
//! time between the two passes. If no two agree, the least of the results is returned: each is at least the
//! value between the two halves of its pass. A cell passes from one handle to the next under a mutex.
//!
//! Why three passes are enough for two amounts: if no two passes agree, the first has found neither and the third
//! both, which are the values before and after; the second has found one. That is a value in between, unless the
//! other one happens before it and was missed. If the one found raises the gauge, the first result is less. If it
//! lowers the gauge, so does the one missed, and the third result is less.
//!
//! # Limits
//!
//! There is no `set`. A value that is set and not summed up is one word that all writers share, and stripes
//! gain nothing: use an [`AtomicI64`](std::sync::atomic::AtomicI64). Among deltas, `set` would be wrong whenever
//! what is counted in before it is counted out after it. There is no `take` for the same reason.
//!
//! Amounts added during one call of `get` must sum up to less than 2^64: two passes between which the words
//! have gone all the way round look as if they agreed.
//!
//! A cell takes two cache lines, as that of a `Counter` does.

use std::fmt;

use crate::striped::{Owned, OwnedCell, Striped};

use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

pub use crate::striped::MAX_STRIPES;

/// How often [`Gauge::get`] reads all cells at most.
pub const PASSES: usize = 3;

/// The error of [`Gauge::with_stripes`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GaugeError {
    /// The number of stripes is out of range.
    #[error("the number of stripes of a gauge must be 1 to {MAX_STRIPES}, got {requested}")]
    Stripes {
        /// The requested number.
        requested: usize,
    },
}

/// A value that many writers raise and lower.
///
/// ```
/// use selvedge::Gauge;
///
/// let depth = &Gauge::new();
/// let (sender, receiver) = std::sync::mpsc::channel();
/// std::thread::scope(|scope| {
///     scope.spawn(move || {
///         for job in 0..100 {
///             depth.increment(); // Before the job can be taken out.
///             sender.send(job).unwrap();
///         }
///     });
///     scope.spawn(move || {
///         let mut mine = depth.handle();
///         for _job in receiver {
///             mine.decrement();
///         }
///     });
///     assert!(depth.get() >= 0);
/// });
/// assert_eq!(depth.get(), 0);
/// ```
pub struct Gauge {
    cells: Striped<Cell, ()>,
}

/// Two words that only grow.
#[derive(Default)]
struct Cell {
    up: AtomicU64,
    down: AtomicU64,
}

/// What one pass over all cells has found.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sums {
    up: u64,
    down: u64,
}

impl Sums {
    fn value(self) -> i64 {
        self.up.wrapping_sub(self.down).cast_signed()
    }
}

impl Gauge {
    /// A gauge at 0, with four stripes for each thread that can run in parallel
    /// ([`available_parallelism`](std::thread::available_parallelism)), but at least 16, rounded up to a power of two.
    /// Each stripe takes 128 bytes. Under `--cfg loom` there are two.
    pub fn new() -> Self {
        Self { cells: Striped::new() }
    }

    /// A gauge at 0 with `stripes` stripes, rounded up to a power of two. If there are more threads, they
    /// share stripes, which affects only speed.
    ///
    /// # Errors
    ///
    /// [`GaugeError::Stripes`] if `stripes` is not 1 to [`MAX_STRIPES`].
    pub fn with_stripes(stripes: usize) -> Result<Self, GaugeError> {
        let cells = Striped::with_stripes(stripes);
        cells.map(|cells| Self { cells }).ok_or(GaugeError::Stripes { requested: stripes })
    }

    /// Adds `n`, which may be negative.
    #[inline]
    pub fn add(&self, n: i64) {
        if n < 0 {
            self.lower(n.unsigned_abs());
        } else {
            self.raise(n.unsigned_abs());
        }
    }

    /// Subtracts `n`, which may be negative.
    #[inline]
    pub fn sub(&self, n: i64) {
        if n < 0 {
            self.raise(n.unsigned_abs());
        } else {
            self.lower(n.unsigned_abs());
        }
    }

    /// Adds 1.
    #[inline]
    pub fn increment(&self) {
        self.raise(1);
    }

    /// Subtracts 1.
    #[inline]
    pub fn decrement(&self) {
        self.lower(1);
    }

    /// Release: a reader that counts it has counted, with its next pass, what lowers the gauge and happens
    /// before.
    #[inline]
    fn raise(&self, n: u64) {
        self.cells.stripe().up.fetch_add(n, Release);
    }

    /// Release: a reader that counts it goes on to count what raises the gauge and happens before.
    #[inline]
    fn lower(&self, n: u64) {
        self.cells.stripe().down.fetch_add(n, Release);
    }

    /// The sum of all amounts.
    ///
    /// Counts each amount that happens before the call, and may count amounts that are concurrent with it; see
    /// the [module](self) for what that can be. Blocks while other threads are in `get` or
    /// [`handle`](Self::handle), never because of writers.
    pub fn get(&self) -> i64 {
        let owned = self.cells.read();
        let mut last = self.pass(&owned);
        let mut value = last.value();
        for _ in 1..PASSES {
            let next = self.pass(&owned);
            if next == last {
                return next.value();
            }
            value = value.min(next.value());
            last = next;
        }
        value
    }

    /// Acquire: each load pairs with all changes of its word up to the one that it reads, so what happens
    /// before one of them is found by the loads that follow.
    fn pass(&self, owned: &Owned<Cell, ()>) -> Sums {
        let cells = || self.cells.cells(owned);
        let down = cells().map(|cell| cell.down.load(Acquire)).fold(0, u64::wrapping_add);
        let up = cells().map(|cell| cell.up.load(Acquire)).fold(0, u64::wrapping_add);
        Sums { up, down }
    }

    /// A handle that adds to this gauge at the cost of a plain store.
    pub fn handle(&self) -> GaugeHandle {
        let cell = self.cells.own();
        // Relaxed: the mutex orders it after all that other owners of the cell have written.
        let words = |cell: &Cell| (cell.up.load(Relaxed), cell.down.load(Relaxed));
        let (up, down) = cell.get().map_or((0, 0), words);
        GaugeHandle { cell, up, down }
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge")
            .field("value", &self.get())
            .field("stripes", &self.cells.stripes())
            .finish_non_exhaustive()
    }
}

/// A handle that adds to a [`Gauge`] with a plain store instead of a read-modify-write: it owns a cell.
///
/// After it is dropped, what it added stays counted and another handle may reuse its cell. It may outlive its
/// gauge.
pub struct GaugeHandle {
    cell: OwnedCell<Cell, ()>,
    /// What the words of the cell hold. No other thread writes them, so there is no need to read them.
    up: u64,
    down: u64,
}

impl GaugeHandle {
    /// Adds `n`, which may be negative.
    #[inline]
    pub fn add(&mut self, n: i64) {
        self.change(n < 0, n.unsigned_abs());
    }

    /// Subtracts `n`, which may be negative.
    #[inline]
    pub fn sub(&mut self, n: i64) {
        self.change(n >= 0, n.unsigned_abs());
    }

    /// Adds 1.
    #[inline]
    pub fn increment(&mut self) {
        self.change(false, 1);
    }

    /// Subtracts 1.
    #[inline]
    pub fn decrement(&mut self) {
        self.change(true, 1);
    }

    /// Release as in [`Gauge::raise`] and [`Gauge::lower`].
    ///
    /// Both sums are changed, one of them by 0: so the compiler can keep them in registers, whatever the sign.
    #[inline]
    fn change(&mut self, down: bool, n: u64) {
        self.up = self.up.wrapping_add(if down { 0 } else { n });
        self.down = self.down.wrapping_add(if down { n } else { 0 });
        match self.cell.get() {
            Some(cell) if down => cell.down.store(self.down, Release),
            Some(cell) => cell.up.store(self.up, Release),
            None => {}
        }
    }
}

impl fmt::Debug for GaugeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GaugeHandle").finish_non_exhaustive()
    }
}
