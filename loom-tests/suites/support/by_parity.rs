//! Maps with two shards: even keys in one, odd keys in the other.

use std::hash::{BuildHasher, Hasher};

use selvedge::Map;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// All bits are equal, so the parity of the key chooses the shard. No randomness, so each execution of a model hashes
/// alike.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ByParity(bool);

impl BuildHasher for ByParity {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for ByParity {
    fn write(&mut self, _: &[u8]) {
        unreachable!("all keys are u64");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key & 1 == 1;
    }

    fn finish(&self) -> u64 {
        if self.0 { u64::MAX } else { 0 }
    }
}

/// A map beside an atomic.
pub(crate) struct Busy<M> {
    pub(crate) map: M,
    steps: AtomicU64,
}

impl<M> Busy<M> {
    pub(crate) fn new(map: M) -> Self {
        Self { map, steps: AtomicU64::new(0) }
    }

    /// A step, and its number from 1. In a closure it is a scheduling point.
    pub(crate) fn step(&self) -> u64 {
        self.steps.fetch_add(1, Relaxed) + 1
    }
}

/// A map of `entries`, with two shards.
pub(crate) fn by_parity<V>(entries: impl IntoIterator<Item = (u64, V)>) -> Map<u64, V, ByParity> {
    let mut map = Map::with_shards_and_hasher(2, ByParity::default()).expect("2 are accepted");
    map.extend(entries);
    map
}
