//! A count and limits that go wrong: each has the one defect that it names.

use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many requests a window lets through.
const LIMIT: u64 = 1;

/// Defect: reports the count and sets it to 0 in two steps. Counting itself is sound.
pub(crate) struct ReadThenResetCount {
    /// Relaxed: a count carries no message.
    requests: AtomicU64,
}

impl ReadThenResetCount {
    pub(crate) fn new() -> Self {
        Self { requests: AtomicU64::new(0) }
    }

    pub(crate) fn count(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn report(&self) -> u64 {
        let requests = self.requests.load(Relaxed);
        self.requests.store(0, Relaxed);
        requests
    }
}

/// Defect: counts, and takes it back if that was too much; a new window may begin in between.
pub(crate) struct CountThenUndoLimiter {
    /// Relaxed: as above.
    pub(crate) count: AtomicU64,
}

impl CountThenUndoLimiter {
    /// The window is full.
    pub(crate) fn full() -> Self {
        Self { count: AtomicU64::new(LIMIT) }
    }

    pub(crate) fn admit(&self) -> bool {
        let admitted = self.count.fetch_add(1, Relaxed) < LIMIT;
        if !admitted {
            self.count.fetch_sub(1, Relaxed);
        }
        admitted
    }

    pub(crate) fn begin_window(&self) {
        self.count.store(0, Relaxed);
    }
}

/// Defect: the window and its count are two atomics.
pub(crate) struct TwoWordLimiter {
    /// Relaxed, both: each is right by itself, and no ordering makes one of two.
    window: AtomicU64,
    count: AtomicU64,
}

impl TwoWordLimiter {
    /// Window 0 is full.
    pub(crate) fn full() -> Self {
        Self { window: AtomicU64::new(0), count: AtomicU64::new(LIMIT) }
    }

    pub(crate) fn admit(&self, now: u64) -> bool {
        if self.window.load(Relaxed) < now {
            self.window.store(now, Relaxed);
            self.count.store(0, Relaxed);
        }
        self.count.fetch_add(1, Relaxed) < LIMIT
    }
}
