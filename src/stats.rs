//! Statistics of samples from many writers, read at one point in time.
//!
//! Each thread that calls [`Stats::record`] has a log that no other thread writes, and so has a [`StatsHandle`]. For one
//! sample in 128 the log is full: then its owner locks a stripe and moves the samples there.
//!
//! # Guarantee
//!
//! [`Stats::snapshot`] and [`Stats::take`] are linearizable: count, sum, extremes and histogram are those
//! of one point in time between the call and its return. They include every sample recorded before that
//! point and none recorded after it, so no effect is seen without its cause. Each sample is returned by
//! exactly one `take`, or has yet to be taken. "Before" and "cause" are happens-before: reading a `Relaxed`
//! atomic does not put the writer's samples before the reader's call, nor before the reader's samples.
//!
//! Why this holds: a reader first locks all stripes, in ascending order of their index. While it holds the
//! locks, no stripe changes, and no log is added. Logs may still grow, so the reader reads their lengths until two
//! successive reads agree. Lengths only grow, so each length had that value between the two reads, and the lengths
//! form a consistent cut (closed under happens-before). A full log cannot grow without the lock of its
//! stripe, so the reads agree eventually. A log passes to the next owner, of which there is one at a time, under a lock,
//! so the next owner continues where the last one stopped.
//!
//! # Orderings
//!
//! Everything but the logs is protected by mutexes. The length of a log is stored with `Release` and loaded
//! with `Acquire`: the samples, and everything that happens before they are recorded, happen before the
//! load of a length that counts them. All other accesses are `Relaxed`, with the reason at the line.
//!
//! # Lock order
//!
//! Stripes in ascending order of their index. The lock of the numbers of threads, which a thread takes when it records
//! for the first time and when it ends, is never held together with another. No user code runs under a lock,
//! except the global allocator when a handle is opened or dropped, and when a thread records in a `Stats` for the first
//! time. A global allocator must not record.
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
//! - A reader blocks writers whose log is full while it adds up the samples in the logs (up to 128 each) and, of
//!   each stripe, the buckets between its least and its greatest sample. Opening a handle blocks them for a shorter time.
//! - Samples are `u64`.
//! - A stripe takes 8 (65 - p) 2^p bytes at precision p, 30 KiB by default, and a `Stats` 4 KiB besides. A log takes
//!   1.25 KiB. It is reused by later threads or later handles, and freed when the `Stats` and all of its handles are
//!   dropped. A reader reads every log that there is.
//! - Up to 256 threads at the same time have logs. Any other thread locks a stripe for each sample as long as it lives.
//!   So does a thread that is about to end, from when its thread-local values are destroyed.
//! - More than 2^64 - 1 samples between two calls of `take` overflow the count (584 years at one sample a
//!   nanosecond).

use std::fmt;
use std::time::{Duration, Instant};

use crate::padded::CachePadded;

use selvedge_model::sync::atomic::Ordering::Relaxed;
use selvedge_model::sync::{Arc, Mutex, MutexGuard, PoisonError, thread, thread_number};

mod cells;
mod handle;
mod histogram;
mod log;
#[cfg(not(all(any(plain_loom, shuttle), feature = "check")))]
mod per_thread;
#[cfg(feature = "serde")]
mod serialized;
mod snapshot;
mod stripe;

pub use handle::StatsHandle;
pub use snapshot::{Bucket, Snapshot};

use cells::Cells;
use log::Log;
use per_thread::PerThread;
use stripe::{Locked, Stripe};

/// On loom's and on shuttle's own types: they have no statics that begin anew in each execution, so no thread has a value.
#[cfg(all(any(plain_loom, shuttle), feature = "check"))]
mod per_thread {
    pub(super) struct PerThread<T>(std::marker::PhantomData<T>);

    impl<T> PerThread<T> {
        pub(super) fn new() -> Self {
            Self(std::marker::PhantomData)
        }

        #[expect(clippy::unused_self, reason = "called as the one of other builds")]
        pub(super) fn get(&self, _: impl FnOnce(usize) -> T) -> Option<&T> {
            None
        }
    }
}

/// The maximum number of stripes of a [`Stats`].
pub const MAX_STRIPES: usize = 1 << 10;

/// The precision of [`Stats::new`]: the relative error of quantiles is below 1 %.
pub const DEFAULT_PRECISION: u32 = 6;

/// The maximum precision of a [`Stats`]: the relative error of quantiles is below 0.013 %.
pub const MAX_PRECISION: u32 = 12;

/// The errors of [`Stats`] and [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatsError {
    /// The number of stripes is out of range.
    #[error("the number of stripes must be 1 to {MAX_STRIPES}, got {requested}")]
    Stripes {
        /// The requested number.
        requested: usize,
    },
    /// The precision is out of range.
    #[error("the precision must be 0 to {MAX_PRECISION}, got {requested}")]
    Precision {
        /// The requested precision.
        requested: u32,
    },
    /// Two snapshots with different precisions cannot be merged.
    #[error(
        "snapshots can be merged only if their precisions are equal, got precision {own} and \
         precision {other}"
    )]
    PrecisionsDiffer {
        /// The precision of the snapshot on which `merge` was called.
        own: u32,
        /// The precision of the other one.
        other: u32,
    },
    /// The sum of the counts of two snapshots overflows `u64`.
    #[error("a snapshot can hold at most {} samples, got {own} and {other} more", u64::MAX)]
    TooMany {
        /// The count of the snapshot on which `merge` was called.
        own: u64,
        /// The count of the other one.
        other: u64,
    },
}

/// Statistics of samples from many writers, read at one point in time.
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
    /// The length is a power of two.
    stripes: Box<[CachePadded<Mutex<Stripe>>]>,
    /// The logs of threads. Those of handles are known to them and to their stripe only.
    logs: PerThread<Arc<CachePadded<Log>>>,
}

impl Stats {
    /// No samples, one stripe for each thread that can run in parallel
    /// ([`available_parallelism`](std::thread::available_parallelism)), rounded up to a power of two, and
    /// [`DEFAULT_PRECISION`].
    pub fn new() -> Self {
        Self::with(default_stripes(), DEFAULT_PRECISION)
    }

    /// No samples, `stripes` stripes, rounded up to a power of two, and [`DEFAULT_PRECISION`]. If there are
    /// more threads, they share stripes, which affects only speed.
    ///
    /// # Errors
    ///
    /// [`StatsError::Stripes`] if `stripes` is not 1 to [`MAX_STRIPES`].
    pub fn with_stripes(stripes: usize) -> Result<Self, StatsError> {
        Self::with_stripes_and_precision(stripes, DEFAULT_PRECISION)
    }

    /// No samples, as many stripes as [`new`](Self::new), and a histogram that divides each power of two
    /// into 2^`precision` buckets. The relative error of quantiles is at most 2^-(precision + 1).
    ///
    /// # Errors
    ///
    /// [`StatsError::Precision`] if `precision` is not 0 to [`MAX_PRECISION`].
    pub fn with_precision(precision: u32) -> Result<Self, StatsError> {
        Self::with_stripes_and_precision(default_stripes(), precision)
    }

    /// No samples, with this number of stripes and this precision: see
    /// [`with_stripes`](Self::with_stripes) and [`with_precision`](Self::with_precision).
    ///
    /// # Errors
    ///
    /// [`StatsError::Stripes`] or [`StatsError::Precision`] if an argument is out of range.
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
        let logs = PerThread::new();
        Self { shared: Arc::new(Shared { precision, stripes, logs }) }
    }

    /// Records a sample. Blocks on the lock of a stripe if the log of the calling thread is full, which is once in 128
    /// samples, or if the thread has none: see the limits of the [module](self).
    #[inline]
    pub fn record(&self, value: u64) {
        let shared = &*self.shared;
        match shared.logs.get(|number| shared.open(number)) {
            Some(log) => {
                // Relaxed: what other threads wrote happens before this one has the log.
                log.record(shared, log.written.load(Relaxed), value);
            }
            None => shared.record_locked(value),
        }
    }

    /// Calls `f` and records its duration in nanoseconds, even if it panics.
    pub fn time<R>(&self, f: impl FnOnce() -> R) -> R {
        let _timer = self.timer();
        f()
    }

    /// Starts a timer, which records the time since its start, in nanoseconds, when it is dropped.
    pub fn timer(&self) -> Timer<'_> {
        Timer { stats: self, start: Instant::now() }
    }

    /// A handle that records in this `Stats` without looking for the log of the calling thread. It may move from thread
    /// to thread.
    pub fn handle(&self) -> StatsHandle {
        StatsHandle::open(&self.shared)
    }

    /// All samples since the last [`take`](Self::take), at one point in time during the call.
    ///
    /// Blocks while other threads read, and blocks writers: see the limits of the [module](self).
    pub fn snapshot(&self) -> Snapshot {
        let mut cells = Cells::new(self.shared.precision);
        let mut locked = self.shared.lock_all();
        locked.find_consistent_cut();
        for stripe in &locked.stripes {
            stripe.add_to(&mut cells);
        }
        Snapshot { cells }
    }

    /// All samples since the last `take`, at one point in time during the call. Later calls do not return
    /// these samples again.
    ///
    /// Over all calls each sample is returned exactly once. Blocks as [`snapshot`](Self::snapshot) does.
    pub fn take(&self) -> Snapshot {
        let mut cells = Cells::new(self.shared.precision);
        let mut locked = self.shared.lock_all();
        locked.find_consistent_cut();
        for stripe in &mut locked.stripes {
            stripe.add_to(&mut cells);
            stripe.clear();
        }
        Snapshot { cells }
    }
}

impl Shared {
    /// A log on the stripe that is chosen by `number`.
    fn open(&self, number: usize) -> Arc<CachePadded<Log>> {
        let stripe = number & (self.stripes.len() - 1);
        lock(&self.stripes[stripe]).open(stripe)
    }

    #[cold]
    fn record_locked(&self, value: u64) {
        let stripe = thread_number() & (self.stripes.len() - 1);
        lock(&self.stripes[stripe]).cells.record_all(std::iter::once(value));
    }

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

/// Records the time since its start, in nanoseconds, in a [`Stats`] when it is dropped, also by a panic.
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
#[must_use = "a timer records when it is dropped"]
pub struct Timer<'a> {
    stats: &'a Stats,
    start: Instant,
}

impl Timer<'_> {
    /// Stops the timer, records the time since its start, and returns it.
    pub fn stop(self) -> Duration {
        let elapsed = self.start.elapsed();
        self.stats.record(nanoseconds(elapsed));
        self.discard();
        elapsed
    }

    /// Drops the timer without recording.
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
