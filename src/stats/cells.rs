//! What is known of a set of samples: the plain data that a lock protects.
//!
//! All of it is integers, and exact, so neither the order in which samples come nor the stripe in
//! which they land leaves a trace: two sets with the same samples are equal.

use std::ops::RangeInclusive;

use super::histogram;

/// Count, sum, sum of squares, extremes and histogram of a set of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cells {
    pub(super) precision: u32,
    pub(super) count: u64,
    /// Cannot overflow: at most 2^64 - 1 samples of at most 2^64 - 1.
    pub(super) sum: u128,
    pub(super) squares: Squares,
    /// `u64::MAX` while there are no samples.
    pub(super) min: u64,
    /// 0 while there are no samples.
    pub(super) max: u64,
    pub(super) buckets: Box<[u64]>,
}

/// A sum of squares in 192 bits. Cannot overflow: at most 2^64 - 1 squares below 2^128.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Squares {
    high: u64,
    low: u128,
}

impl Squares {
    pub(super) fn add(&mut self, other: Self) {
        let (low, carry) = self.low.overflowing_add(other.low);
        self.low = low;
        self.high += other.high + u64::from(carry);
    }

    pub(super) fn of(value: u64) -> Self {
        Self { high: 0, low: u128::from(value) * u128::from(value) }
    }

    /// The least significant limb first.
    pub(super) fn limbs(self) -> [u64; 3] {
        let [low, middle] = limbs(self.low);
        [low, middle, self.high]
    }

    #[cfg(feature = "serde")]
    pub(super) fn from_limbs([low, middle, high]: [u64; 3]) -> Self {
        Self { high, low: u128::from(middle) << 64 | u128::from(low) }
    }
}

impl Cells {
    /// No samples.
    pub(super) fn new(precision: u32) -> Self {
        Self {
            precision,
            count: 0,
            sum: 0,
            squares: Squares::default(),
            min: u64::MAX,
            max: 0,
            buckets: vec![0; histogram::buckets(precision)].into_boxed_slice(),
        }
    }

    /// Adds samples, with what they have in common kept in registers.
    #[inline]
    pub(super) fn record_all(&mut self, values: impl Iterator<Item = u64>) {
        let (precision, buckets) = (self.precision, &mut *self.buckets);
        let (mut count, mut sum, mut squares) = (0, 0, Squares::default());
        let (mut min, mut max) = (self.min, self.max);
        for value in values {
            count += 1;
            sum += u128::from(value);
            squares.add(Squares::of(value));
            min = min.min(value);
            max = max.max(value);
            buckets[histogram::index(precision, value)] += 1;
        }
        self.count += count;
        self.sum += sum;
        self.squares.add(squares);
        (self.min, self.max) = (min, max);
    }

    /// Adds what `other` holds, of the same precision.
    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares.add(other.squares);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        let used = other.used();
        for (own, other) in self.buckets[used.clone()].iter_mut().zip(&other.buckets[used]) {
            *own += other;
        }
    }

    /// Removes all samples.
    pub(super) fn clear(&mut self) {
        let used = self.used();
        self.buckets[used].fill(0);
        (self.count, self.sum, self.squares) = (0, 0, Squares::default());
        (self.min, self.max) = (u64::MAX, 0);
    }

    /// The buckets from the least sample to the greatest; all others are empty.
    pub(super) fn used(&self) -> RangeInclusive<usize> {
        // Without samples the range is empty, because the least is above the greatest: but it must
        // begin within the slice.
        if self.count == 0 {
            return RangeInclusive::new(1, 0);
        }
        histogram::index(self.precision, self.min)..=histogram::index(self.precision, self.max)
    }

    /// The square of the count times the variance, which is a whole number: n Σx² - (Σx)². `None` if
    /// that is below 0, which no set of samples is.
    pub(super) fn spread(&self) -> Option<[u64; 4]> {
        let squares = multiply(&self.squares.limbs(), &[self.count]);
        let sum = limbs(self.sum);
        subtract(squares, multiply(&sum, &sum))
    }
}

/// The least significant limb first.
#[expect(clippy::cast_possible_truncation, reason = "each limb is one half")]
pub(super) fn limbs(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

/// The product of two numbers of four limbs together.
#[expect(clippy::cast_possible_truncation, reason = "each limb is one half")]
pub(super) fn multiply(a: &[u64], b: &[u64]) -> [u64; 4] {
    let mut product = [0; 4];
    for (i, a) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, b) in b.iter().enumerate() {
            // At most (2^64 - 1)^2 + 2 (2^64 - 1), which is 2^128 - 1.
            let step = u128::from(*a) * u128::from(*b) + u128::from(product[i + j]) + carry;
            product[i + j] = step as u64;
            carry = step >> 64;
        }
        // The last limb of a row has not been written yet. Beyond the fourth the carry is 0.
        if let Some(limb) = product.get_mut(i + b.len()) {
            *limb = carry as u64;
        }
    }
    product
}

/// `a - b`, or `None` if that is below 0.
fn subtract(a: [u64; 4], b: [u64; 4]) -> Option<[u64; 4]> {
    let mut difference = [0; 4];
    let mut borrow = false;
    for (limb, (a, b)) in difference.iter_mut().zip(a.into_iter().zip(b)) {
        let (first, under) = a.overflowing_sub(b);
        let (second, further) = first.overflowing_sub(u64::from(borrow));
        *limb = second;
        borrow = under || further;
    }
    (!borrow).then_some(difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let max = [u64::MAX; 2];
        // (2^128 - 1)^2 = 2^256 - 2^129 + 1
        assert_eq!(multiply(&max, &max), [1, 0, u64::MAX - 1, u64::MAX]);
        assert_eq!(multiply(&[u64::MAX; 3], &[u64::MAX]), [1, u64::MAX, u64::MAX, u64::MAX - 1]);
        assert_eq!(subtract([0, 0, 0, 1], [1, 0, 0, 0]), Some([u64::MAX, u64::MAX, u64::MAX, 0]));
        assert_eq!(subtract([0, 1, 0, 0], [1, 1, 0, 0]), None);
    }

    #[test]
    fn a_sum_of_squares_carries_into_the_third_limb() {
        let mut cells = Cells::new(0);
        cells.record_all([u64::MAX; 3].into_iter());
        // 3 (2^64 - 1)^2 = 2 * 2^128 + 2^128 - 6 * 2^64 + 3
        assert_eq!(cells.squares.limbs(), [3, u64::MAX - 5, 2]);
        assert_eq!(cells.spread(), Some([0; 4]), "three equal samples have no spread");
    }
}
