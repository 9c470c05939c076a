//! A handle: the owner of a log.

use std::fmt;
use std::time::Instant;

use crate::padded::CachePadded;

use super::log::Log;
use super::{Shared, lock, nanoseconds};
use selvedge_model::sync::Arc;
use selvedge_model::sync::atomic::Ordering::Relaxed;

/// A handle that records in a [`Stats`](super::Stats) and takes a lock only for one sample in 128.
///
/// Readers include the samples in its log, also when it is dropped. It may outlive its
/// `Stats`.
pub struct StatsHandle {
    log: Arc<CachePadded<Log>>,
    /// What `log.written` holds. No other thread writes it, so there is no need to read it.
    written: u64,
    shared: Arc<Shared>,
}

impl StatsHandle {
    /// A handle on a stripe of `shared` with the fewest logs in use.
    pub(super) fn open(shared: &Arc<Shared>) -> Self {
        let mut locked = shared.lock_all();
        let (number, stripe) = locked
            .stripes
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, stripe)| stripe.used())
            .unwrap_or_else(|| unreachable!("there is at least one stripe"));
        let log = stripe.open(number);
        drop(locked);
        // Relaxed: the last owner of the log closed it under the lock of the stripe.
        let written = log.written.load(Relaxed);
        Self { log, written, shared: Arc::clone(shared) }
    }

    /// Records a sample. Blocks on the lock of the stripe if the log is full, which is once in 128 samples.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.written = self.log.record(&self.shared, self.written, value);
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
}

impl Drop for StatsHandle {
    fn drop(&mut self) {
        lock(&self.shared.stripes[self.log.stripe]).close(self.log.place);
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
            let mut places: Vec<_> =
                handles.iter().map(|mine| (mine.log.stripe, mine.log.place)).collect();
            places.sort_unstable();
            let expected: Vec<_> = (0..4).flat_map(|stripe| [(stripe, 0), (stripe, 1)]).collect();
            assert_eq!(places, expected, "two handles on each stripe, with the first two logs");
        }
    }
}
