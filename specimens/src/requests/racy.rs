//! Counts and limits that go wrong: each has the one defect that it names.

use std::hash::{BuildHasher, Hash};

use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{ClientLimiter, RequestCounts, Seen, TooMany};

/// Defect: gets a count, and inserts one more.
pub struct GetThenInsertCounts<K, S> {
    pub counts: RequestCounts<K, S>,
    /// What is done between the two steps: nothing, or to let others run, say.
    pub between: fn(),
}

impl<K: Hash + Eq, S: BuildHasher> GetThenInsertCounts<K, S> {
    pub fn count(&self, kind: K) {
        let before = self.counts.0.get(&kind).unwrap_or(0);
        (self.between)();
        self.counts.0.insert(kind, before + 1);
    }
}

/// Defect: looks whether there is room, and then counts.
pub struct CheckThenCountLimiter<S> {
    pub limiter: ClientLimiter<S>,
    /// What is done between the two steps.
    pub between: fn(),
}

impl<S: BuildHasher> CheckThenCountLimiter<S> {
    pub fn admit(&self, client: u64, now: u32) -> Result<u32, TooMany> {
        let seen = self.limiter.seen.get(&client).unwrap_or(Seen { window: now, count: 0 });
        let counted = seen.admit(self.limiter.limit, now)?;
        (self.between)();
        self.limiter.seen.insert(client, counted);
        Ok(counted.window)
    }
}

/// How many requests a window lets through.
const LIMIT: u64 = 1;

/// Defect: reports the count and sets it to 0 in two steps. Counting itself is sound.
pub struct ReadThenResetCount {
    /// Relaxed: a count carries no message.
    requests: AtomicU64,
}

impl ReadThenResetCount {
    pub fn new() -> Self {
        Self { requests: AtomicU64::new(0) }
    }

    pub fn count(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub fn report(&self) -> u64 {
        let requests = self.requests.load(Relaxed);
        self.requests.store(0, Relaxed);
        requests
    }
}

/// Defect: counts, and takes it back if that was too much; a new window may begin in between.
pub struct CountThenUndoLimiter {
    /// Relaxed: as above.
    pub count: AtomicU64,
}

impl CountThenUndoLimiter {
    /// The window is full.
    pub fn full() -> Self {
        Self { count: AtomicU64::new(LIMIT) }
    }

    pub fn admit(&self) -> bool {
        let admitted = self.count.fetch_add(1, Relaxed) < LIMIT;
        if !admitted {
            self.count.fetch_sub(1, Relaxed);
        }
        admitted
    }

    pub fn begin_window(&self) {
        self.count.store(0, Relaxed);
    }
}

/// Defect: the window and its count are two atomics.
pub struct TwoWordLimiter {
    /// Relaxed, both: each is right by itself, and no ordering makes one of two.
    window: AtomicU64,
    count: AtomicU64,
}

impl TwoWordLimiter {
    /// Window 0 is full.
    pub fn full() -> Self {
        Self { window: AtomicU64::new(0), count: AtomicU64::new(LIMIT) }
    }

    pub fn admit(&self, now: u64) -> bool {
        if self.window.load(Relaxed) < now {
            self.window.store(now, Relaxed);
            self.count.store(0, Relaxed);
        }
        self.count.fetch_add(1, Relaxed) < LIMIT
    }
}
