//! Statistics of samples from many writers, read as of one moment.
//!
//! Writers do not share memory unless there are more of them than stripes: [`Stats::record`] picks a
//! stripe by the calling thread, and a [`StatsHandle`] owns a log that nobody else writes.
//!
//! # Guarantee
//!
//! [`Stats::snapshot`] and [`Stats::take`] are linearizable: count, sum, extremes and histogram
//! belong to one moment between the call and its return. A sample recorded before that moment is in
//! it, one recorded later is not, and no effect is seen without its cause. Each sample is returned by
//! exactly one `take`, or still to be taken. "Before" is happens-before: what a thread learns
//! through a `Relaxed` atomic it has, formally, not learned.
//!
//! Why it holds: a reader locks all stripes, in the order of their index, and reads only then; as
//! long as it holds them, no stripe changes. Logs may still grow, but the reader looks at their
//! lengths until two looks in a row agree: lengths only grow, so all of them stood like that at the
//! moment between the looks. A log that is full cannot grow without its stripe's lock, so the looks
//! do agree in the end.
//!
//! # Orderings
//!
//! All but the logs is protected by mutexes. The length of a log is stored with `Release` and looked
//! at with `Acquire`, so that who knows the length knows the samples, and also what their owner knew
//! when it recorded them: its cause. The rest is `Relaxed`, with the reason at the line.
//!
//! # Lock order
//!
//! Stripes by ascending index; there is no other lock. Nothing of the user's runs under one, but for
//! the allocator, when a handle is opened or dropped.
//!
//! # Coming from another histogram
//!
//! | in `hdrhistogram` or `prometheus` | here |
//! |---|---|
//! | `record`, `observe` | [`Stats::record`] |
//! | `recorder`, `local` | [`Stats::handle`] |
//! | `start_timer`, `observe_closure_duration`, `stop_and_discard` | [`Stats::timer`], [`Stats::time`], [`Timer::discard`] |
//! | `value_at_quantile(q)`; `len`, `get_sample_count`; `get_sample_sum` | [`Snapshot::quantile`]; [`Snapshot::count`]; [`Snapshot::sum`] |
//! | `mean`, `stdev`, `min`, `max`, `count_between` | the same, of a [`Snapshot`]; [`Snapshot::std_dev`] |
//! | `iter_recorded` | [`Snapshot::buckets`] |
//! | `add`; `refresh` or a `reset` after reading | [`Snapshot::merge`]; [`Stats::take`] |
//!
//! # Limits
//!
//! A reader stops writers for as long as it takes to fold the logs (up to 128 samples each) and, for
//! a snapshot, to add up the buckets between the least and the greatest sample; opening a handle
//! stops them for a shorter while. Samples are whole numbers. A stripe takes 8 (65 - p) 2^p bytes at
//! precision p, 30 KiB by default; a handle 1 KiB, which is used again, and given back with the last
//! handle and the `Stats`. More than 2^64 - 1 samples at a time, at one a nanosecond those of 584
//! years, overflow the count.

use std::fmt;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, thread, thread_number};

mod cells;
mod handle;
mod histogram;
#[cfg(feature = "serde")]
mod serialized;
mod snapshot;
mod stripe;

pub use handle::StatsHandle;
pub use snapshot::{Bucket, Snapshot};

use cells::Cells;
use stripe::{Locked, Stripe};

/// The most stripes that a [`Stats`] accepts.
pub const MAX_STRIPES: usize = 1 << 10;

/// The precision of [`Stats::new`]: quantiles are off by less than 1 %.
pub const DEFAULT_PRECISION: u32 = 6;

/// The highest precision that a [`Stats`] accepts: quantiles are off by less than 0.013 %.
pub const MAX_PRECISION: u32 = 12;

/// Why a [`Stats`] could not be made, or snapshots not be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatsError {
    /// The number of stripes is out of range.
    #[error("stats with {requested} stripes cannot be made: 1 to {MAX_STRIPES} are accepted")]
    Stripes {
        /// The number asked for.
        requested: usize,
    },
    /// The precision is out of range.
    #[error("stats of precision {requested} cannot be made: 0 to {MAX_PRECISION} are accepted")]
    Precision {
        /// The precision asked for.
        requested: u32,
    },
    /// Two snapshots whose buckets do not match.
    #[error(
        "a snapshot of precision {other} cannot be merged into one of precision {own}: the same \
         precision is accepted"
    )]
    PrecisionsDiffer {
        /// The precision of the snapshot that was to grow.
        own: u32,
        /// The precision of the one that was to be added.
        other: u32,
    },
    /// More samples than can be counted.
    #[error("{other} samples cannot be added to {own}: up to {} together are accepted", u64::MAX)]
    TooMany {
        /// The count of the snapshot that was to grow.
        own: u64,
        /// The count of the one that was to be added.
        other: u64,
    },
}

/// Statistics of samples from many writers, read as of one moment.
///
/// ```
/// use selvedge::Stats;
///
/// let sizes = Stats::new();
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| {
///             let mut mine = sizes.handle();
///             for size in 1..=250 {
///                 mine.record(size);
///             }
///         });
///     }
/// });
/// let all = sizes.take();
/// assert_eq!((all.count(), all.sum(), all.max()), (1_000, 125_500, Some(250)));
/// assert!(sizes.snapshot().is_empty());
/// ```
pub struct Stats {
    shared: Arc<Shared>,
}

/// What a [`Stats`] and its handles share.
struct Shared {
    precision: u32,
    /// As many as a power of two.
    stripes: Box<[CachePadded<Mutex<Stripe>>]>,
}

impl Stats {
    /// No samples, as many stripes as threads can run at once, and [`DEFAULT_PRECISION`].
    pub fn new() -> Self {
        Self::with(default_stripes(), DEFAULT_PRECISION)
    }

    /// No samples, `stripes` stripes, rounded up to a power of two, and [`DEFAULT_PRECISION`].
    /// Threads beyond that number share stripes, which costs time and nothing else.
    ///
    /// # Errors
    ///
    /// [`StatsError::Stripes`] unless `stripes` is from 1 to [`MAX_STRIPES`].
    pub fn with_stripes(stripes: usize) -> Result<Self, StatsError> {
        Self::with_stripes_and_precision(stripes, DEFAULT_PRECISION)
    }

    /// No samples, as many stripes as threads can run at once, and a histogram that divides every
    /// power of two into 2^`precision` buckets: quantiles are off by at most 2^-(precision + 1)
    /// times their value.
    ///
    /// # Errors
    ///
    /// [`StatsError::Precision`] unless `precision` is from 0 to [`MAX_PRECISION`].
    pub fn with_precision(precision: u32) -> Result<Self, StatsError> {
        Self::with_stripes_and_precision(default_stripes(), precision)
    }

    /// See [`with_stripes`](Self::with_stripes) and [`with_precision`](Self::with_precision).
    ///
    /// # Errors
    ///
    /// [`StatsError::Stripes`] and [`StatsError::Precision`], as there.
    pub fn with_stripes_and_precision(stripes: usize, precision: u32) -> Result<Self, StatsError> {
        if !(1..=MAX_STRIPES).contains(&stripes) {
            return Err(StatsError::Stripes { requested: stripes });
        }
        if precision > MAX_PRECISION {
            return Err(StatsError::Precision { requested: precision });
        }
        Ok(Self::with(stripes, precision))
    }

    fn with(stripes: usize, precision: u32) -> Self {
        let stripes = (0..stripes.next_power_of_two())
            .map(|_| CachePadded::new(Mutex::new(Stripe::new(precision))))
            .collect();
        Self { shared: Arc::new(Shared { precision, stripes }) }
    }

    /// Records a sample.
    #[inline]
    pub fn record(&self, value: u64) {
        let stripes = &self.shared.stripes;
        lock(&stripes[thread_number() & (stripes.len() - 1)]).cells.record(value);
    }

    /// Calls `f` and records how long it took, in nanoseconds, also if it panics.
    pub fn time<R>(&self, f: impl FnOnce() -> R) -> R {
        let _timer = self.timer();
        f()
    }

    /// Starts a timer, which records how long it lived, in nanoseconds, when it is dropped.
    pub fn timer(&self) -> Timer<'_> {
        Timer { stats: self, start: Instant::now() }
    }

    /// A handle that records in this `Stats` without locking, but for one sample in 128.
    pub fn handle(&self) -> StatsHandle {
        StatsHandle::open(&self.shared)
    }

    /// All samples since the last [`take`](Self::take), as of one moment during the call.
    ///
    /// Waits for other readers, and makes writers wait: see the module's limits.
    pub fn snapshot(&self) -> Snapshot {
        let mut cells = Cells::new(self.shared.precision);
        let mut locked = self.shared.lock_all();
        locked.settle();
        for stripe in &locked.stripes {
            cells.add(&stripe.cells);
        }
        drop(locked);
        Snapshot { cells }
    }

    /// All samples since the last `take`, as of one moment during the call; later calls will not
    /// count them again.
    ///
    /// Over all calls each sample is returned exactly once. Makes writers wait for a shorter time
    /// than [`snapshot`](Self::snapshot).
    pub fn take(&self) -> Snapshot {
        // Made before and added up after, so that under the locks they are only exchanged.
        let empty = || Cells::new(self.shared.precision);
        let mut taken: Vec<Cells> = self.shared.stripes.iter().map(|_| empty()).collect();
        let mut cells = empty();
        let mut locked = self.shared.lock_all();
        locked.settle();
        for (stripe, taken) in locked.stripes.iter_mut().zip(&mut taken) {
            std::mem::swap(&mut stripe.cells, taken);
        }
        drop(locked);
        for taken in &taken {
            cells.add(taken);
        }
        Snapshot { cells }
    }
}

impl Shared {
    /// Locks all stripes, in the order of their index.
    #[track_caller]
    fn lock_all(&self) -> Locked<'_> {
        // Room for the guards first: nothing is allocated under a lock.
        let mut stripes = Vec::with_capacity(self.stripes.len());
        for stripe in &self.stripes {
            stripes.push(lock(stripe));
        }
        Locked { stripes }
    }
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stats")
            .field("snapshot", &self.snapshot())
            .field("stripes", &self.shared.stripes.len())
            .field("precision", &self.shared.precision)
            .finish_non_exhaustive()
    }
}

/// Measures time, in nanoseconds, and records it in a [`Stats`] when dropped, also by a panic.
///
/// ```
/// let stats = selvedge::Stats::new();
/// {
///     let _timer = stats.timer();
///     // What is to be timed.
/// }
/// stats.timer().discard();
/// assert_eq!(stats.snapshot().count(), 1);
/// ```
#[derive(Debug)]
#[must_use = "a timer measures until it is dropped"]
pub struct Timer<'a> {
    stats: &'a Stats,
    start: Instant,
}

impl Timer<'_> {
    /// Records the time since the start, and returns it.
    pub fn stop(self) -> Duration {
        let elapsed = self.start.elapsed();
        self.stats.record(nanoseconds(elapsed));
        self.discard();
        elapsed
    }

    /// Records nothing.
    pub fn discard(self) {
        std::mem::forget(self);
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.stats.record(nanoseconds(self.start.elapsed()));
    }
}

/// As a sample; `u64::MAX` stands for anything from 584 years.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn default_stripes() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MAX_STRIPES)
}

/// A panic leaves nothing half done here (only a failed allocation can cause one), so a poisoned
/// mutex is as good as any. The caller's line is the one that the checker reports, and changes.
#[inline]
#[track_caller]
fn lock(stripe: &Mutex<Stripe>) -> MutexGuard<'_, Stripe> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}
