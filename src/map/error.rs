//! The errors of a map.

use std::fmt;

use super::MAX_SHARDS;

/// The error of a call on a [`Map`](super::Map). The map is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The number of shards is out of range.
    #[error("the number of shards must be 1 to {MAX_SHARDS}, got {requested}")]
    Shards {
        /// The requested number.
        requested: usize,
    },
    /// The calling thread is inside a call on the same map, so that this call could deadlock with itself.
    #[error(
        "re-entrant call: a closure, or the Eq, Hash, Clone, Debug or Drop of a key or value, must \
         not call the map that is calling it; it may call other maps"
    )]
    Reentrant,
    /// [`Map::update_pair`](super::Map::update_pair) was called with equal keys.
    #[error("`update_pair` requires two distinct keys")]
    SameKey,
    /// [`Map::try_insert`](super::Map::try_insert) was called with a key that has a value.
    #[error("the key already has a value")]
    Occupied,
}

/// The error of [`Map::try_insert`](super::Map::try_insert), which returns the key and the value.
pub struct NotInserted<K, V> {
    /// The key that was not inserted.
    pub key: K,
    /// The value that was not inserted.
    pub value: V,
    /// The reason: [`MapError::Occupied`] or [`MapError::Reentrant`].
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
