//! What can be refused.

use std::fmt;

use super::MAX_SHARDS;

/// Why a call on a [`Map`](super::Map) was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The number of shards is out of range.
    #[error("a map with {requested} shards cannot be made: 1 to {MAX_SHARDS} are accepted")]
    Shards {
        /// The number asked for.
        requested: usize,
    },
    /// The calling thread is inside the map: it would wait for itself.
    #[error(
        "a map is used from inside one of its own calls (a closure, or the Eq, Hash, Clone, Debug \
         or Drop of a key or value): any other map, and this one once the call has returned, is \
         accepted"
    )]
    Reentrant,
    /// A pair consists of one key twice.
    #[error("a pair of one key with itself cannot be updated: two different keys are accepted")]
    SameKey,
    /// The key has a value, and it was not to be replaced.
    #[error("the key already has a value: a key without one is accepted")]
    Occupied,
}

/// A key and a value that [`Map::try_insert`](super::Map::try_insert) gives back.
pub struct NotInserted<K, V> {
    /// The key that was to be inserted.
    pub key: K,
    /// The value that was to be inserted.
    pub value: V,
    /// Why it was not: [`MapError::Occupied`] or [`MapError::Reentrant`].
    pub why: MapError,
}

impl<K, V> fmt::Debug for NotInserted<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotInserted").field("why", &self.why).finish_non_exhaustive()
    }
}

impl<K, V> fmt::Display for NotInserted<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<K, V> std::error::Error for NotInserted<K, V> {}
