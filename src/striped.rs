//! Cells that many writers share: what [`Counter`](crate::Counter) and [`Gauge`](crate::Gauge) are made of.
//!
//! A writer without a handle uses the stripe of the calling thread, and a handle owns a cell. The stripe is the
//! number of the thread modulo the number of stripes. Readers visit all cells, one reader at a time.
//!
//! Threads that share a stripe slow each other down while they run at the same time. So by default there are more
//! stripes than threads that can run in parallel.
//!
//! # Orderings
//!
//! What writers and readers do to a cell is up to its user. A cell passes from one handle to the next under
//! the mutex.

use crate::padded::CachePadded;

use selvedge_model::sync::{Arc, Mutex, MutexGuard, PoisonError, thread, thread_number};

/// The maximum number of stripes of a [`Counter`](crate::Counter) or a [`Gauge`](crate::Gauge).
pub const MAX_STRIPES: usize = 1 << 16;

/// How many stripes there are by default for each thread that can run in parallel.
const STRIPES_A_THREAD: usize = 4;
/// How many there are at least by default: 2 KiB.
const FEWEST_STRIPES: usize = 16;

/// Cells of type `C`, all of which begin with their default, and what readers note in an `N`.
pub(crate) struct Striped<C, N> {
    /// The length is a power of two.
    stripes: Box<[CachePadded<C>]>,
    owned: Arc<Mutex<Owned<C, N>>>,
}

/// What handles and readers share. Writers never lock it.
pub(crate) struct Owned<C, N> {
    /// Every cell that a handle owns or has owned.
    cells: Vec<Arc<CachePadded<C>>>,
    /// Those that no handle owns now.
    free: Vec<Arc<CachePadded<C>>>,
    /// What readers tell those that come later.
    pub(crate) note: N,
}

impl<C: Default, N: Default> Striped<C, N> {
    /// As many stripes as suit the machine, rounded up to a power of two.
    pub(crate) fn new() -> Self {
        // Few under the checker: what visits all stripes takes a step for each.
        let stripes = if cfg!(loom) {
            2
        } else {
            let parallelism = thread::available_parallelism().map_or(1, std::num::NonZero::get);
            parallelism.saturating_mul(STRIPES_A_THREAD).clamp(FEWEST_STRIPES, MAX_STRIPES)
        };
        Self::with(stripes)
    }

    /// So many stripes, rounded up to a power of two; `None` if that is not 1 to [`MAX_STRIPES`].
    pub(crate) fn with_stripes(stripes: usize) -> Option<Self> {
        (1..=MAX_STRIPES).contains(&stripes).then(|| Self::with(stripes))
    }

    fn with(stripes: usize) -> Self {
        let owned = Owned { cells: Vec::new(), free: Vec::new(), note: N::default() };
        Self {
            stripes: (0..stripes.next_power_of_two()).map(|_| CachePadded::default()).collect(),
            owned: Arc::new(Mutex::new(owned)),
        }
    }

    /// The number of stripes.
    pub(crate) fn stripes(&self) -> usize {
        self.stripes.len()
    }

    /// The stripe of the calling thread.
    #[inline]
    pub(crate) fn stripe(&self) -> &C {
        &self.stripes[thread_number() & (self.stripes.len() - 1)]
    }

    /// A cell that no one else writes until it is dropped.
    pub(crate) fn own(&self) -> OwnedCell<C, N> {
        let mut owned = lock(&self.owned);
        let cell = owned.free.pop().unwrap_or_else(|| {
            let cell = Arc::new(CachePadded::default());
            owned.cells.push(Arc::clone(&cell));
            cell
        });
        drop(owned);
        OwnedCell { cell: Some(cell), owned: Arc::clone(&self.owned) }
    }

    /// Excludes other readers, and handles that are opened or dropped.
    #[track_caller]
    pub(crate) fn read(&self) -> MutexGuard<'_, Owned<C, N>> {
        lock(&self.owned)
    }

    /// All cells.
    pub(crate) fn cells<'a>(&'a self, owned: &'a Owned<C, N>) -> impl Iterator<Item = &'a C> {
        let shared = self.stripes.iter().map(|cell| &**cell);
        shared.chain(owned.cells.iter().map(|cell| &***cell))
    }
}

/// A cell that a handle owns. Once it is dropped, another handle may go on with it.
pub(crate) struct OwnedCell<C, N> {
    /// `None` only while it is dropped.
    cell: Option<Arc<CachePadded<C>>>,
    owned: Arc<Mutex<Owned<C, N>>>,
}

impl<C, N> OwnedCell<C, N> {
    /// The cell; never `None`, which a handle need not check.
    #[inline]
    pub(crate) fn get(&self) -> Option<&C> {
        self.cell.as_ref().map(|cell| &***cell)
    }
}

impl<C, N> Drop for OwnedCell<C, N> {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            lock(&self.owned).free.push(cell);
        }
    }
}

/// A panic leaves nothing half done here (only a failed allocation can cause one), so a poisoned
/// mutex is as good as any. The caller's line is the one that the checker reports, and changes.
#[track_caller]
fn lock<C, N>(owned: &Mutex<Owned<C, N>>) -> MutexGuard<'_, Owned<C, N>> {
    owned.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With one stripe for each, threads share stripes as soon as there are more of them.
    #[test]
    #[cfg(not(loom))]
    fn by_default_there_are_more_stripes_than_threads_that_run_in_parallel() {
        let stripes = Striped::<u64, ()>::new().stripes();
        let parallelism = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        assert!(
            stripes >= 16 && stripes >= (4 * parallelism).min(MAX_STRIPES),
            "{stripes} stripes"
        );
        assert!(stripes.is_power_of_two(), "{stripes} stripes");
    }

    /// A count does not show it, but memory and the time of a read grow with the cells.
    #[test]
    fn a_cell_that_was_given_back_is_used_again() {
        let striped = Striped::<u64, ()>::new();
        for _ in 0..3 {
            let owned = [striped.own(), striped.own()];
            assert!(striped.read().free.is_empty(), "two cells, two owners");
            drop(owned);
        }
        assert_eq!(striped.read().cells.len(), 2);
    }
}
