//! Maps whose shards are known: two of them, even keys in one, odd keys in the other.

use std::hash::{BuildHasher, Hasher};

use selvedge::Map;

/// Whichever bits choose the shard, parity chooses it. No randomness: each execution does the same.
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
        unreachable!("all keys here are u64");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key & 1 == 1;
    }

    fn finish(&self) -> u64 {
        if self.0 { u64::MAX } else { 0 }
    }
}

/// A map of `entries`, with two shards.
pub(crate) fn by_parity<V>(entries: impl IntoIterator<Item = (u64, V)>) -> Map<u64, V, ByParity> {
    let mut map = Map::with_shards_and_hasher(2, ByParity::default()).expect("2 shards are valid");
    map.extend(entries);
    map
}
