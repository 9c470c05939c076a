//! The samples of a [`Stats`](super::Stats) at one point in time.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use super::cells::Cells;
use super::{DEFAULT_PRECISION, StatsError, histogram};

/// Count, sum, extremes, moments and histogram of a set of samples, all at one point in time.
///
/// Count, sum, extremes, bucket counts and the sum of squares (for the variance) are exact integers. Two
/// snapshots of the same samples with the same precision are equal.
///
/// ```
/// let stats = selvedge::Stats::new();
/// for value in [10, 20, 20, 50] {
///     stats.record(value);
/// }
/// let snapshot = stats.snapshot();
/// assert_eq!((snapshot.count(), snapshot.sum()), (4, 100));
/// assert_eq!((snapshot.min(), snapshot.max()), (Some(10), Some(50)));
/// assert_eq!((snapshot.mean(), snapshot.variance()), (Some(25.0), Some(225.0)));
/// assert_eq!(snapshot.quantile(0.5), Some(20));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub(super) cells: Cells,
}

/// A bucket of the histogram that has at least one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// The least value in it.
    pub low: u64,
    /// The greatest value in it.
    pub high: u64,
    /// The number of samples in it.
    pub count: u64,
}

impl Snapshot {
    /// The number of samples.
    pub fn count(&self) -> u64 {
        self.cells.count
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.cells.count == 0
    }

    /// The sum of all samples, exact. It cannot overflow: 2^64 - 1 samples of `u64` fit into 128 bits.
    pub fn sum(&self) -> u128 {
        self.cells.sum
    }

    /// The least sample, exact; `None` if there are no samples.
    pub fn min(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.cells.min)
    }

    /// The greatest sample, exact; `None` if there are no samples.
    pub fn max(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.cells.max)
    }

    /// The mean, with a relative error below 2^-51; `None` if there are no samples.
    #[expect(clippy::cast_precision_loss, reason = "rounded, as the documentation says")]
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.cells.sum as f64 / self.cells.count as f64)
    }

    /// The population variance (divided by the count, not by the count minus one); `None` if there are no
    /// samples.
    ///
    /// It is computed from exact sums in 256 bits and rounded only at the end, so there is no cancellation:
    /// the relative error is below 2^-49 for all samples.
    #[expect(clippy::cast_precision_loss, reason = "rounded, as the documentation says")]
    pub fn variance(&self) -> Option<f64> {
        if self.is_empty() {
            return None;
        }
        let limbs = self.cells.spread()?;
        let spread =
            limbs.iter().rev().fold(0.0, |sum, limb| sum * 2.0_f64.powi(64) + *limb as f64);
        let count = self.cells.count as f64;
        Some(spread / count / count)
    }

    /// The square root of the [`variance`](Self::variance); `None` if there are no samples.
    pub fn std_dev(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// The nearest-rank quantile: of n samples in ascending order the one at rank ⌈q n⌉, counted from 1.
    ///
    /// Its relative error is at most [`relative_error`](Self::relative_error). Both ends are exact:
    /// `quantile(0.0)` is the least sample, `quantile(1.0)` the greatest. With more than 2^53 samples, the
    /// rank itself is rounded.
    ///
    /// `None` if there are no samples, or if `q` is not 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "rounded, as the documentation says")]
    #[expect(clippy::cast_possible_truncation, reason = "a float too large becomes u64::MAX")]
    #[expect(clippy::cast_sign_loss, reason = "q is not negative")]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let cells = &self.cells;
        if self.is_empty() || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let position = ((q * cells.count as f64).ceil() as u64).clamp(1, cells.count);
        if position == 1 {
            return Some(cells.min);
        }
        if position == cells.count {
            return Some(cells.max);
        }
        let mut seen = 0;
        let bucket = self.buckets().find(|bucket| {
            seen += bucket.count;
            seen >= position
        })?;
        // The middle of a bucket is never further than half its width from what fell into it.
        let middle = bucket.low + (bucket.high - bucket.low) / 2;
        Some(middle.clamp(cells.min, cells.max))
    }

    /// The number of samples in `range`, which is first widened to whole buckets.
    ///
    /// The result is never too small. It is exact if both ends of the range are edges of
    /// [`buckets`](Self::buckets), as all values below 2^(precision + 1) are. Otherwise it may include
    /// samples outside the range, by at most 2^-precision times their value.
    pub fn count_between(&self, range: impl RangeBounds<u64>) -> u64 {
        let low = match range.start_bound() {
            Bound::Included(low) => Some(*low),
            Bound::Excluded(low) => low.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let high = match range.end_bound() {
            Bound::Included(high) => Some(*high),
            Bound::Excluded(high) => high.checked_sub(1),
            Bound::Unbounded => Some(u64::MAX),
        };
        let (Some(low), Some(high)) = (low, high) else { return 0 };
        let (low, high) = (low.max(self.cells.min), high.min(self.cells.max));
        if low > high {
            return 0;
        }
        let index = |value| histogram::index(self.cells.precision, value);
        self.cells.buckets[index(low)..=index(high)].iter().sum()
    }

    /// The buckets that have samples, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let used = self.cells.used();
        self.cells.buckets[used.clone()].iter().zip(used).filter(|(count, _)| **count > 0).map(
            |(count, index)| {
                let (low, high) = histogram::edges(self.cells.precision, index);
                Bucket { low, high, count: *count }
            },
        )
    }

    /// The precision p: the histogram divides each power of two into 2^p buckets.
    pub fn precision(&self) -> u32 {
        self.cells.precision
    }

    /// The maximum relative error of a [`quantile`](Self::quantile): 2^-(precision + 1).
    pub fn relative_error(&self) -> f64 {
        1.0 / f64::from(1_u32 << (self.cells.precision + 1))
    }

    /// Adds the samples of `other`. The result is the same as if all had been recorded in one [`Stats`](super::Stats).
    ///
    /// # Errors
    ///
    /// [`StatsError::PrecisionsDiffer`] if the precisions are not equal, and [`StatsError::TooMany`] if
    /// there would be more than [`u64::MAX`] samples. This snapshot is then unchanged.
    pub fn merge(&mut self, other: &Self) -> Result<(), StatsError> {
        let (own, other) = (&mut self.cells, &other.cells);
        if own.precision != other.precision {
            return Err(StatsError::PrecisionsDiffer {
                own: own.precision,
                other: other.precision,
            });
        }
        if own.count.checked_add(other.count).is_none() {
            return Err(StatsError::TooMany { own: own.count, other: other.count });
        }
        own.add(other);
        Ok(())
    }
}

impl Default for Snapshot {
    /// No samples, with the default precision.
    fn default() -> Self {
        Self { cells: Cells::new(DEFAULT_PRECISION) }
    }
}

/// A table of two columns, without a line break at its end.
///
/// ```text
/// count         1000
/// sum         500500
/// mean         500.5
/// std dev      288.7
/// min              1
/// p50            499
/// p90            899
/// p99            987
/// p99.9          995
/// max           1000
/// ```
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
        let real = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
        let rows = [
            ("count", self.count().to_string()),
            ("sum", self.sum().to_string()),
            ("mean", real(self.mean())),
            ("std dev", real(self.std_dev())),
            ("min", whole(self.min())),
            ("p50", whole(self.quantile(0.5))),
            ("p90", whole(self.quantile(0.9))),
            ("p99", whole(self.quantile(0.99))),
            ("p99.9", whole(self.quantile(0.999))),
            ("max", whole(self.max())),
        ];
        let width = rows.iter().map(|(_, value)| value.len()).max().unwrap_or(0).max(8);
        for (row, (name, value)) in rows.iter().enumerate() {
            let end = if row + 1 < rows.len() { "\n" } else { "" };
            write!(f, "{name:<8}  {value:>width$}{end}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("count", &self.count())
            .field("sum", &self.sum())
            .field("min", &self.min())
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}
