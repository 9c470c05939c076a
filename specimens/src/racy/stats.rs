//! Statistics that never were.

use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError, thread_number};

/// Defect: a sample is counted in one step and summed up in another, so that a reader in between
/// finds a count and a sum from different moments, and a mean that no set of samples had.
#[derive(Debug, Default)]
pub struct TornStats {
    count: AtomicU64,
    sum: AtomicU64,
}

impl TornStats {
    /// No samples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a sample: nothing is lost, but not all of it comes at once.
    pub fn record(&self, value: u64) {
        self.count.fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
    }

    /// A count, and the sum of other samples.
    pub fn snapshot(&self) -> (u64, u64) {
        (self.count.load(Relaxed), self.sum.load(Relaxed))
    }
}

/// Defect: writers lock and the reader does not, "since it only reads".
#[derive(Debug, Default)]
pub struct UnlockedReadStats {
    writers: Mutex<()>,
    /// Written under the lock alone, so a load and a store suffice.
    count: AtomicU64,
    sum: AtomicU64,
}

impl UnlockedReadStats {
    /// No samples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a sample, all at once for other writers.
    pub fn record(&self, value: u64) {
        let _writing = lock(&self.writers);
        self.count.store(self.count.load(Relaxed) + 1, Relaxed);
        self.sum.store(self.sum.load(Relaxed) + value, Relaxed);
    }

    /// A count and a sum, from whatever moments they come.
    pub fn snapshot(&self) -> (u64, u64) {
        (self.count.load(Relaxed), self.sum.load(Relaxed))
    }
}

/// Defect: the log's length is published `Relaxed`, so that a reader can find a sample counted that
/// it cannot see yet.
///
/// Every processor that keeps stores in order hides the defect.
#[derive(Debug, Default)]
pub struct RelaxedLogStats {
    length: AtomicU64,
    samples: [AtomicU64; 2],
}

impl RelaxedLogStats {
    /// No samples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a sample. One thread alone may call this, at most twice.
    #[expect(clippy::cast_possible_truncation, reason = "at most 2")]
    pub fn record(&self, value: u64) {
        let length = self.length.load(Relaxed);
        self.samples[length as usize].store(value, Relaxed);
        self.length.store(length + 1, Relaxed);
    }

    /// A count, and the sum of what can be seen.
    #[expect(clippy::cast_possible_truncation, reason = "at most 2")]
    pub fn snapshot(&self) -> (u64, u64) {
        let length = self.length.load(Relaxed);
        let samples = self.samples[..length as usize].iter();
        (length, samples.map(|sample| sample.load(Relaxed)).sum())
    }
}

/// Defect: a snapshot looks at each owned cell once, so that it can hold an effect without its cause.
///
/// Every look is right, and `Acquire`; all of them together belong to no moment.
#[derive(Debug, Default)]
pub struct OneLookStats {
    sums: [AtomicU64; 2],
}

impl OneLookStats {
    /// No samples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a sample in the cell of the thread that owns it.
    pub fn record(&self, cell: usize, value: u64) {
        let sum = self.sums[cell].load(Relaxed);
        self.sums[cell].store(sum + value, Release);
    }

    /// The sum of all cells, each as of its own moment.
    pub fn snapshot(&self) -> u64 {
        self.sums.iter().map(|sum| sum.load(Acquire)).sum()
    }
}

/// Count and sum, as a stripe protects them.
type Pair = (u64, u64);

/// Defect: a snapshot locks one stripe after the other instead of all of them at once, so that it can
/// hold an effect without its cause.
#[derive(Debug, Default)]
pub struct StripeByStripeStats {
    stripes: [Mutex<Pair>; 2],
}

impl StripeByStripeStats {
    /// No samples, two stripes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a sample.
    pub fn record(&self, value: u64) {
        let mut stripe = lock(&self.stripes[thread_number() % self.stripes.len()]);
        *stripe = (stripe.0 + 1, stripe.1 + value);
    }

    /// Count and sum of all stripes, each as of its own moment.
    pub fn snapshot(&self) -> (u64, u64) {
        self.stripes.iter().fold((0, 0), |all, stripe| {
            let stripe = lock(stripe);
            (all.0 + stripe.0, all.1 + stripe.1)
        })
    }
}

/// Defect: `take` reads under the lock and resets under the lock, but lets go of it in between; what
/// is recorded then is lost.
#[derive(Debug, Default)]
pub struct LateResetStats {
    samples: Mutex<Pair>,
}

impl LateResetStats {
    /// No samples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a sample, unless another thread takes at the same time.
    pub fn record(&self, value: u64) {
        let mut samples = lock(&self.samples);
        *samples = (samples.0 + 1, samples.1 + value);
    }

    /// Count and sum of what is left since the last `take`.
    pub fn snapshot(&self) -> (u64, u64) {
        *lock(&self.samples)
    }

    /// Count and sum of what is left since the last `take`, which later calls will not count again.
    pub fn take(&self) -> (u64, u64) {
        let taken = self.snapshot();
        *lock(&self.samples) = (0, 0);
        taken
    }
}

/// Nothing panics while one of these is locked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
