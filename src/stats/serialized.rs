//! A snapshot as `serde` sees it: sparse buckets, and numbers of at most 64 bits, because few formats
//! have more.

use serde::{Deserialize, Serialize};

use super::cells::{Cells, Squares, limbs, multiply};
use super::{MAX_PRECISION, Snapshot, histogram};

/// What is written of a [`Snapshot`]. The count is that of the buckets.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Snapshot", deny_unknown_fields)]
struct Serialized {
    precision: u32,
    /// The least significant limb first.
    sum: [u64; 2],
    /// The sum of squares, the least significant limb first.
    squares: [u64; 3],
    min: Option<u64>,
    max: Option<u64>,
    /// The least value and the count of each bucket that is not empty, in ascending order.
    buckets: Vec<(u64, u64)>,
}

/// What is wrong with a snapshot that was read.
#[derive(Debug, thiserror::Error)]
enum Malformed {
    #[error("the precision must be 0 to {MAX_PRECISION}, got {0}")]
    Precision(u32),
    #[error("the buckets must be listed by their least value, in ascending order, got {0}")]
    Bucket(u64),
    #[error("the count of a bucket must be at least 1, got 0 for the bucket at {0}")]
    Empty(u64),
    #[error("the counts of all buckets must sum up to at most {}", u64::MAX)]
    TooMany,
    #[error(
        "min and max must be values in the first and the last bucket, or null if there are no \
         buckets, got {min:?} and {max:?}"
    )]
    Extremes { min: Option<u64>, max: Option<u64> },
    #[error("the sum must be {least} to {greatest} for these buckets, got {sum}")]
    Sum { sum: u128, least: u128, greatest: u128 },
    #[error("the sum of squares must be possible for these buckets and this sum, got {0:?}")]
    Squares([u64; 3]),
}

impl Serialize for Snapshot {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Serialized {
            precision: self.precision(),
            sum: limbs(self.sum()),
            squares: self.cells.squares.limbs(),
            min: self.min(),
            max: self.max(),
            buckets: self.buckets().map(|bucket| (bucket.low, bucket.count)).collect(),
        }
        .serialize(serializer)
    }
}

/// Refuses what no set of samples can have led to, as far as that shows.
impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Serialized::deserialize(deserializer)?;
        let cells = read.check().map_err(serde::de::Error::custom)?;
        Ok(Self { cells })
    }
}

impl Serialized {
    fn check(self) -> Result<Cells, Malformed> {
        if self.precision > MAX_PRECISION {
            return Err(Malformed::Precision(self.precision));
        }
        let mut cells = Cells::new(self.precision);
        let mut next = 0;
        for (low, count) in self.buckets {
            let index = histogram::index(self.precision, low);
            if index < next || histogram::edges(self.precision, index).0 != low {
                return Err(Malformed::Bucket(low));
            }
            if count == 0 {
                return Err(Malformed::Empty(low));
            }
            cells.count = cells.count.checked_add(count).ok_or(Malformed::TooMany)?;
            cells.buckets[index] = count;
            next = index + 1;
        }
        let index = |value| histogram::index(self.precision, value);
        let first = cells.buckets.iter().position(|count| *count > 0);
        let last = cells.buckets.iter().rposition(|count| *count > 0);
        if (self.min.map(index), self.max.map(index)) != (first, last) || self.min > self.max {
            return Err(Malformed::Extremes { min: self.min, max: self.max });
        }
        if let (Some(min), Some(max)) = (self.min, self.max) {
            (cells.min, cells.max) = (min, max);
        }
        let [low, high] = self.sum.map(u128::from);
        cells.sum = high << 64 | low;
        cells.squares = Squares::from_limbs(self.squares);
        check_sums(&cells)?;
        Ok(cells)
    }
}

/// One sample is `min`, one is `max`, and each lies between them and within its bucket; the variance
/// is not negative.
fn check_sums(cells: &Cells) -> Result<(), Malformed> {
    let (mut least, mut greatest) = (0, 0);
    let (mut least_squares, mut greatest_squares) = (Squares::default(), Squares::default());
    let mut at_least = |value: u64, count: u64| {
        least += u128::from(value) * u128::from(count);
        least_squares.add(times(value, count));
    };
    let mut at_most = |value: u64, count: u64| {
        greatest += u128::from(value) * u128::from(count);
        greatest_squares.add(times(value, count));
    };
    let used = cells.used();
    for index in used.clone() {
        let count = cells.buckets[index];
        let (low, high) = histogram::edges(cells.precision, index);
        // Two of the samples are known.
        let is_max = u64::from(index == *used.end());
        let is_min = u64::from(index == *used.start());
        at_least(low.max(cells.min), count - is_max);
        at_least(cells.max, is_max);
        at_most(high.min(cells.max), count - is_min);
        at_most(cells.min, is_min);
    }
    if !(least..=greatest).contains(&cells.sum) {
        return Err(Malformed::Sum { sum: cells.sum, least, greatest });
    }
    if !(least_squares..=greatest_squares).contains(&cells.squares) || cells.spread().is_none() {
        return Err(Malformed::Squares(cells.squares.limbs()));
    }
    Ok(())
}

/// The sum of the squares of `count` samples of this value.
fn times(value: u64, count: u64) -> Squares {
    let [low, middle, high, _] = multiply(&Squares::of(value).limbs(), &[count]);
    Squares::from_limbs([low, middle, high])
}
