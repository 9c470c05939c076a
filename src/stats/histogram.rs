//! Which bucket a value falls into: a log-linear histogram over all of `u64`.
//!
//! Every power of two is divided into 2^p buckets of equal width, p being the precision, so that a
//! bucket is at most 2^-p times as wide as the smallest value in it. Values below 2^(p + 1) have a
//! bucket each. This is the layout of Gil Tene's `HdrHistogram` for powers of two.
//!
//! A value is cut after its leading one and the p bits that follow. What is left, a number from 2^p
//! to 2^(p + 1) - 1, and how many bits were cut off, is the bucket.

/// How many buckets there are.
pub(super) fn buckets(precision: u32) -> usize {
    (65 - precision as usize) << precision
}

/// The bucket of `value`.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "there are few buckets: see `buckets`")]
pub(super) fn index(precision: u32, value: u64) -> usize {
    // How many bits are cut off: none of values that have no more than p + 1.
    let cut = (value | 1 << precision).ilog2() - precision;
    ((u64::from(cut) << precision) + (value >> cut)) as usize
}

/// The least and the greatest value of a bucket.
pub(super) fn edges(precision: u32, index: usize) -> (u64, u64) {
    let index = index as u64;
    let cut = (index >> precision).saturating_sub(1);
    let low = (index - (cut << precision)) << cut;
    (low, low + ((1 << cut) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_all_of_u64_without_gap_or_overlap() {
        for precision in 0..=12 {
            let mut next = 0;
            for bucket in 0..buckets(precision) {
                let (low, high) = edges(precision, bucket);
                assert_eq!(low, next, "bucket {bucket} begins where the last one ends");
                assert_eq!(index(precision, low), bucket, "{low} is in its bucket");
                assert_eq!(index(precision, high), bucket, "{high} is in its bucket");
                let width = u128::from(high - low) + 1;
                assert!(width == 1 || width << precision <= u128::from(low), "{low}..={high}");
                next = high.wrapping_add(1);
            }
            assert_eq!(next, 0, "the last bucket ends at u64::MAX");
        }
    }

    #[test]
    fn small_values_have_a_bucket_each() {
        for value in 0..128 {
            assert_eq!(edges(6, index(6, value)), (value, value));
        }
        assert_eq!(edges(6, index(6, 128)), (128, 129));
    }
}
