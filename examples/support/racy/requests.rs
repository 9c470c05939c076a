//! Counts and limits that go wrong: each has the one defect that it names.

use std::hash::{BuildHasher, Hash};

use super::{ClientLimiter, RequestCounts, Seen, TooMany};

/// Defect: gets a count, and inserts one more.
pub(crate) struct GetThenInsertCounts<K, S> {
    pub(crate) counts: RequestCounts<K, S>,
    /// What is done between the two steps: nothing, or to let others run, say.
    pub(crate) between: fn(),
}

impl<K: Hash + Eq, S: BuildHasher> GetThenInsertCounts<K, S> {
    pub(crate) fn count(&self, kind: K) {
        let before = self.counts.0.get(&kind).unwrap_or(0);
        (self.between)();
        self.counts.0.insert(kind, before + 1);
    }
}

/// Defect: looks whether there is room, and then counts.
pub(crate) struct CheckThenCountLimiter<S> {
    pub(crate) limiter: ClientLimiter<S>,
    /// What is done between the two steps.
    pub(crate) between: fn(),
}

impl<S: BuildHasher> CheckThenCountLimiter<S> {
    pub(crate) fn admit(&self, client: u64, now: u32) -> Result<u32, TooMany> {
        let seen = self.limiter.seen.get(&client).unwrap_or(Seen { window: now, count: 0 });
        let counted = seen.admit(self.limiter.limit, now)?;
        (self.between)();
        self.limiter.seen.insert(client, counted);
        Ok(counted.window)
    }
}
