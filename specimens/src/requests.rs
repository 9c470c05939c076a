//! Request counters and rate limits. Racy variants are in `requests/racy.rs`.
//!
//! Proved in `loom-tests/suites/requests.rs`, run in `examples/src/bin/web`.

use std::hash::{BuildHasher, Hash};

use selvedge::Map;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use thiserror::Error;

pub mod racy;

// ---------------------------------------------------------------------------------------------
// Counts.
// ---------------------------------------------------------------------------------------------

/// A count for each kind of request, without a list of kinds. Each request is counted once.
pub struct RequestCounts<K, S>(pub Map<K, u64, S>);

impl<K: Hash + Eq + Clone, S: BuildHasher> RequestCounts<K, S> {
    pub fn count(&self, kind: K) {
        self.0.compute(kind, |count| Some(count.unwrap_or(&0) + 1));
    }

    /// The count of one kind since the last call, which later calls will not count again.
    pub fn take(&self, kind: &K) -> u64 {
        self.0.remove(kind).unwrap_or(0)
    }

    /// All counts, of one moment.
    pub fn all(&self) -> Vec<(K, u64)> {
        self.0.snapshot()
    }

    /// The sum of all counts, of one moment.
    pub fn total(&self) -> u64 {
        self.all().iter().map(|(_, count)| count).sum()
    }
}

// ---------------------------------------------------------------------------------------------
// Limits.
// ---------------------------------------------------------------------------------------------

/// A request is one too many.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("too many requests: the limit is {limit} in window {window}")]
pub struct TooMany {
    pub limit: u32,
    pub window: u32,
}

/// The last window that requests came in, and how many it let through.
///
/// Two windows that follow each other let through twice the limit within a short time. That is
/// what fixed windows mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub window: u32,
    pub count: u32,
}

impl Seen {
    /// One more request at `now`, if there is room. One that comes late belongs to the window that
    /// has begun: to go back would begin that one anew.
    fn admit(self, limit: u32, now: u32) -> Result<Self, TooMany> {
        let seen = if self.window < now { Self { window: now, count: 0 } } else { self };
        if seen.count < limit {
            Ok(Self { count: seen.count + 1, ..seen })
        } else {
            Err(TooMany { limit, window: seen.window })
        }
    }
}

/// A limit for each client. To look, to begin a window and to count are one step.
pub struct ClientLimiter<S> {
    pub limit: u32,
    pub seen: Map<u64, Seen, S>,
}

impl<S: BuildHasher> ClientLimiter<S> {
    /// Lets a request of `client` through, in the window `now` or the one that has begun, which is
    /// returned.
    pub fn admit(&self, client: u64, now: u32) -> Result<u32, TooMany> {
        let mut admitted = Err(TooMany { limit: self.limit, window: now });
        self.seen.compute(client, |seen| {
            let seen = seen.copied().unwrap_or(Seen { window: now, count: 0 });
            let counted = seen.admit(self.limit, now);
            let kept = *counted.as_ref().unwrap_or(&seen);
            admitted = counted.map(|seen| seen.window);
            Some(kept)
        });
        admitted
    }
}

/// One limit for all clients, without a lock.
pub struct OneWordLimiter {
    limit: u32,
    /// The window in the high 32 bits, the number of its requests in the low 32.
    ///
    /// Relaxed: nothing but the word itself is decided by it, and a read-modify-write always works
    /// on the newest one.
    seen: AtomicU64,
}

impl OneWordLimiter {
    pub fn new(limit: u32, seen: Seen) -> Self {
        Self { limit, seen: AtomicU64::new(pack(seen)) }
    }

    /// Lets a request through, in the window `now` or the one that has begun, which is returned.
    pub fn admit(&self, now: u32) -> Result<u32, TooMany> {
        let counted = |word| unpack(word).admit(self.limit, now).ok().map(pack);
        match self.seen.fetch_update(Relaxed, Relaxed, counted) {
            Ok(word) => Ok(unpack(word).window.max(now)),
            Err(word) => Err(TooMany { limit: self.limit, window: unpack(word).window }),
        }
    }

    pub fn seen(&self) -> Seen {
        unpack(self.seen.load(Relaxed))
    }
}

fn pack(seen: Seen) -> u64 {
    u64::from(seen.window) << 32 | u64::from(seen.count)
}

#[expect(clippy::cast_possible_truncation, reason = "the word is divided into its halves")]
fn unpack(word: u64) -> Seen {
    Seen { window: (word >> 32) as u32, count: word as u32 }
}
