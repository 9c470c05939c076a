//! The operations of statistics.

use selvedge::stats::Snapshot;
use selvedge::{Stats, StatsHandle};
use selvedge_model::{Linearizable, linearizable};

/// Two stripes, and a handle for each thread that uses one. The stripe depends on the thread, so
/// threads differ.
pub(crate) fn stats(
    handle: impl Fn(&Stats) -> StatsHandle + Send + Sync + 'static,
) -> Linearizable<Stats, StatsHandle> {
    linearizable(|| Stats::with_stripes_and_precision(2, 0).expect("2 are accepted"))
        .local(handle)
        .threads_differ()
        .operation("record 1", |stats| stats.record(1))
        .operation("record 4", |stats| stats.record(4))
        .owned("own 2", |_, handle| handle.record(2))
        .operation("snapshot", |stats| all(&stats.snapshot()))
        .operation("take", |stats| all(&stats.take()))
        .finally("left", |stats| all(&stats.snapshot()))
}

/// Count, sum, extremes, and how many samples are in the bucket of 1.
pub(crate) fn all(snapshot: &Snapshot) -> (u64, u128, Option<(u64, u64)>, u64) {
    let ones = snapshot.buckets().filter(|bucket| bucket.low == 1).map(|bucket| bucket.count);
    let extremes = snapshot.min().zip(snapshot.max());
    (snapshot.count(), snapshot.sum(), extremes, ones.sum())
}
