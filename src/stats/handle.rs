//! Samples of one thread, on their way into a stripe: the log, and the handle that writes it.

use std::fmt;
use std::time::Instant;

use crate::padded::CachePadded;

use super::{Shared, lock, nanoseconds};
use selvedge_model::sync::Arc;
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, Release},
};

/// How many samples a log holds; a model fills it with two.
pub(super) const LOG: usize = if cfg!(loom) { 2 } else { 128 };

/// The samples of one handle that are not in its stripe yet.
///
/// Written by the owner of the handle alone, and never more than [`LOG`] samples beyond what has
/// been folded into the stripe; for more room the owner has to lock the stripe. So whoever holds
/// that lock finds all samples in place that it knows of.
pub(super) struct Log {
    /// How many samples were ever written. Only grows.
    ///
    /// Release: pairs with the Acquire in `Locked::agree`; who reads a length also reads the samples
    /// that it counts, and sees whatever the owner had seen when it recorded them.
    pub(super) written: CachePadded<AtomicU64>,
    /// Sample n is at n modulo `LOG`.
    ///
    /// Relaxed: a slot is read after its sample was published by `written`, and written again after
    /// it was folded, which the owner learns through the stripe's mutex.
    pub(super) slots: [AtomicU64; LOG],
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            written: CachePadded::new(AtomicU64::new(0)),
            slots: [(); LOG].map(|()| AtomicU64::new(0)),
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "LOG is a power of two")]
    pub(super) fn slot(&self, sample: u64) -> &AtomicU64 {
        &self.slots[sample as usize % LOG]
    }
}

/// A handle that records in a [`Stats`](super::Stats) and takes a lock only for one sample in 128.
///
/// Readers include the samples in its log, and no sample is lost when it is dropped. It may outlive its
/// `Stats`.
pub struct StatsHandle {
    log: Arc<Log>,
    /// What `log.written` holds. No other thread writes it, so there is no need to read it.
    written: u64,
    /// How far the log may be written: `LOG` beyond what is known to be folded.
    limit: u64,
    shared: Arc<Shared>,
    /// Where the log belongs: the stripe, and its place there.
    stripe: usize,
    place: usize,
}

impl StatsHandle {
    /// A handle on a stripe of `shared` with the fewest handles.
    pub(super) fn open(shared: &Arc<Shared>) -> Self {
        let mut locked = shared.lock_all();
        let (stripe, _) = locked
            .stripes
            .iter()
            .enumerate()
            .min_by_key(|(_, stripe)| stripe.handles())
            .unwrap_or_else(|| unreachable!("there is at least one stripe"));
        let (place, log, written) = locked.stripes[stripe].open();
        drop(locked);
        let limit = written + LOG as u64;
        Self { log, written, limit, shared: Arc::clone(shared), stripe, place }
    }

    /// Records a sample. Blocks on the lock of the stripe if the log is full, which is once in 128 samples.
    #[inline]
    pub fn record(&mut self, value: u64) {
        if self.written == self.limit {
            self.make_room();
        }
        self.log.slot(self.written).store(value, Relaxed);
        self.written += 1;
        self.log.written.store(self.written, Release);
    }

    /// Calls `f` and records its duration in nanoseconds, even if it panics.
    pub fn time<R>(&mut self, f: impl FnOnce() -> R) -> R {
        struct OnDrop<'a>(&'a mut StatsHandle, Instant);
        impl Drop for OnDrop<'_> {
            fn drop(&mut self) {
                self.0.record(nanoseconds(self.1.elapsed()));
            }
        }
        let _timer = OnDrop(self, Instant::now());
        f()
    }

    /// Empties the log into its stripe.
    #[cold]
    fn make_room(&mut self) {
        lock(&self.shared.stripes[self.stripe]).fold(self.place, self.written);
        self.limit = self.written + LOG as u64;
    }
}

impl Drop for StatsHandle {
    fn drop(&mut self) {
        let mut stripe = lock(&self.shared.stripes[self.stripe]);
        stripe.fold(self.place, self.written);
        stripe.close(self.place);
    }
}

impl fmt::Debug for StatsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatsHandle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::stats::Stats;

    #[test]
    fn handles_are_spread_over_the_stripes_and_logs_used_again() {
        let stats = Stats::with_stripes_and_precision(4, 0).expect("4 stripes are accepted");
        for _ in 0..3 {
            let mut handles: Vec<_> = (0..8).map(|_| stats.handle()).collect();
            // One of each stripe: the next four handles go to four different ones again.
            handles.truncate(4);
            handles.extend((0..4).map(|_| stats.handle()));
            let mut places: Vec<_> = handles.iter().map(|mine| (mine.stripe, mine.place)).collect();
            places.sort_unstable();
            let expected: Vec<_> = (0..4).flat_map(|stripe| [(stripe, 0), (stripe, 1)]).collect();
            assert_eq!(places, expected, "two handles on each stripe, with the first two logs");
        }
    }
}
