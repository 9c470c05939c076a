//! Helpers of the tests of `Stats`: a snapshot against the samples themselves.
use selvedge::Stats;
use selvedge::stats::Snapshot;

pub(crate) fn with(stripes: usize, precision: u32) -> Stats {
    Stats::with_stripes_and_precision(stripes, precision).expect("both are in range")
}

/// What a snapshot is asked.
#[derive(Debug, Clone)]
pub(crate) struct Questions {
    pub(crate) q: f64,
    pub(crate) low: u64,
    pub(crate) high: u64,
}

/// Asks a snapshot everything, and compares the answers with the samples themselves.
pub(crate) fn compare(snapshot: &Snapshot, samples: &[u64], questions: &Questions) {
    let mut samples = samples.to_vec();
    samples.sort_unstable();
    assert_eq!(snapshot.count(), samples.len() as u64, "count");
    assert_eq!(snapshot.is_empty(), samples.is_empty());
    assert_eq!(snapshot.sum(), samples.iter().copied().map(u128::from).sum(), "sum");
    assert_eq!(snapshot.min(), samples.first().copied(), "min");
    assert_eq!(snapshot.max(), samples.last().copied(), "max");
    compare_moments(snapshot, &samples);
    compare_buckets(snapshot, &samples);
    compare_quantile(snapshot, &samples, questions.q);
    compare_count_between(snapshot, &samples, questions.low, questions.high);
    let text = serde_json::to_string(snapshot).expect("a snapshot can be written");
    let read: Snapshot = serde_json::from_str(&text).expect("and read again");
    assert_eq!(&read, snapshot, "what was written is what is read");
}

#[allow(clippy::cast_precision_loss, reason = "compared within a tolerance")]
pub(crate) fn compare_moments(snapshot: &Snapshot, samples: &[u64]) {
    if samples.is_empty() {
        let all = (snapshot.mean(), snapshot.variance(), snapshot.std_dev());
        assert_eq!(all, (None, None, None), "nothing has no mean");
        return;
    }
    let n = samples.len() as f64;
    let mean = samples.iter().map(|sample| *sample as f64 / n).sum::<f64>();
    // Of all pairs, so that nothing is subtracted but whole numbers. Equal samples are one run.
    let runs: Vec<&[u64]> = samples.chunk_by(|a, b| a == b).collect();
    let mut distances = 0.0;
    for (position, a) in runs.iter().enumerate() {
        for b in &runs[position..] {
            let pairs = a.len() as f64 * b.len() as f64;
            distances += pairs * (a[0].abs_diff(b[0]) as f64).powi(2);
        }
    }
    let variance = distances / n / n;
    let near = |got: Option<f64>, expected: f64| {
        let got = got.expect("there are samples");
        assert!((got - expected).abs() <= 1e-12 * expected.abs(), "{got} is not {expected}");
    };
    near(snapshot.mean(), mean);
    near(snapshot.variance(), variance);
    near(snapshot.std_dev(), variance.sqrt());
}

pub(crate) fn compare_buckets(snapshot: &Snapshot, samples: &[u64]) {
    let mut beyond = None;
    let mut total = 0;
    for bucket in snapshot.buckets() {
        assert!(beyond.is_none_or(|beyond| beyond < bucket.low), "buckets ascend: {bucket:?}");
        let inside = samples.iter().filter(|sample| (bucket.low..=bucket.high).contains(sample));
        assert_eq!(bucket.count, inside.count() as u64, "samples in {bucket:?}");
        assert!(bucket.count > 0, "{bucket:?} is not empty");
        let widest = (bucket.low >> snapshot.precision()).max(1);
        assert!(bucket.high - bucket.low < widest, "{bucket:?} is at most {widest} wide");
        beyond = Some(bucket.high);
        total += bucket.count;
    }
    assert_eq!(total, samples.len() as u64, "each sample is in a bucket");
}

#[allow(clippy::cast_precision_loss, reason = "compared within the stated error")]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few samples")]
pub(crate) fn compare_quantile(snapshot: &Snapshot, samples: &[u64], q: f64) {
    let got = snapshot.quantile(q);
    let Some(last) = samples.len().checked_sub(1) else {
        assert_eq!(got, None, "nothing has no quantiles");
        return;
    };
    let position = ((q * samples.len() as f64).ceil() as usize).saturating_sub(1).min(last);
    let (got, expected) = (got.expect("there are samples"), samples[position]);
    let off = got.abs_diff(expected) as f64;
    assert!(off <= snapshot.relative_error() * expected as f64, "{q}: {got}, not {expected}");
    assert_eq!(snapshot.quantile(0.0), samples.first().copied(), "exact at the ends");
    assert_eq!(snapshot.quantile(1.0), samples.last().copied(), "exact at the ends");
}

pub(crate) fn compare_count_between(snapshot: &Snapshot, samples: &[u64], low: u64, high: u64) {
    let exact = |low: u64, high: u64| {
        samples.iter().filter(|sample| (low..=high).contains(sample)).count() as u64
    };
    let got = snapshot.count_between(low..=high);
    if low > high {
        assert_eq!(got, 0, "a range that ends before it begins is empty");
        return;
    }
    let wide = |value: u64| value >> snapshot.precision();
    let most = exact(low - wide(low), high.saturating_add(wide(high)));
    assert!((exact(low, high)..=most).contains(&got), "{got} between {low} and {high}");
    assert_eq!(snapshot.count_between(..), samples.len() as u64);
    if let Some(bucket) = snapshot.buckets().find(|bucket| bucket.high >= low) {
        let below = samples.iter().filter(|sample| **sample < bucket.low).count() as u64;
        assert_eq!(snapshot.count_between(..bucket.low), below, "exact at an edge: {bucket:?}");
        assert_eq!(snapshot.count_between(bucket.low..=bucket.high), bucket.count);
    }
}
