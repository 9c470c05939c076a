//! What concerns the map as a whole.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::mem;

use super::Map;

impl<K, V, S> Map<K, V, S> {
    /// The number of entries, without locking.
    ///
    /// Sums up the lengths that each write to a shard stores. The result is exact if there is no concurrent
    /// write. Otherwise it counts all changes that happen before the call, and any subset of the concurrent
    /// ones: an entry that is moved from one key to another may be counted twice or not at all.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// Whether [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Clones of all entries at one point in time, in no particular order.
    ///
    /// Locks all shards for reading, in ascending order of their index, before it clones.
    ///
    /// # Panics
    ///
    /// If the call is re-entrant.
    pub fn snapshot(&self) -> Vec<(K, V)>
    where
        K: Clone,
        V: Clone,
    {
        self.at_one_moment(|key, value| (key.clone(), value.clone()))
    }

    /// Clones of all keys at one point in time; see [`snapshot`](Self::snapshot).
    ///
    /// # Panics
    ///
    /// If the call is re-entrant.
    pub fn keys(&self) -> Vec<K>
    where
        K: Clone,
    {
        self.at_one_moment(|key, _| key.clone())
    }

    /// Clones of all values at one point in time; see [`snapshot`](Self::snapshot).
    ///
    /// # Panics
    ///
    /// If the call is re-entrant.
    pub fn values(&self) -> Vec<V>
    where
        V: Clone,
    {
        self.at_one_moment(|_, value| value.clone())
    }

    fn at_one_moment<T>(&self, mut pick: impl FnMut(&K, &V) -> T) -> Vec<T> {
        let mut all = Vec::new();
        let _inside = self.enter();
        let shards: Vec<_> = self.shards.iter().map(|shard| shard.read()).collect();
        all.reserve(shards.iter().map(|shard| shard.len()).sum());
        for (key, value) in shards.iter().flat_map(|shard| shard.iter()) {
            all.push(pick(key, value));
        }
        all
    }

    /// Calls `f` with each entry, shard by shard, in no particular order.
    ///
    /// An entry that is present during the whole call is visited once, one that is inserted or removed
    /// concurrently at most once. The entries are not those of one point in time; for that, use
    /// [`snapshot`](Self::snapshot).
    ///
    /// # Panics
    ///
    /// If `f` panics, or if the call is re-entrant.
    pub fn for_each(&self, mut f: impl FnMut(&K, &V)) {
        for shard in &self.shards {
            let _inside = self.enter();
            for (key, value) in shard.read().iter() {
                f(key, value);
            }
        }
    }

    /// Removes the entries for which `keep` returns `false`, shard by shard.
    ///
    /// An entry that is present during the whole call is visited once; the call of `keep` and the removal are
    /// one atomic step. An entry that is inserted concurrently may be missed.
    ///
    /// # Panics
    ///
    /// If `keep` panics; the entries for which it has returned `false` are then removed, and all others are
    /// unchanged. Also if the call is re-entrant.
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        for shard in &self.shards {
            let mut removed = Vec::new();
            let _inside = self.enter();
            let mut shard = shard.write();
            removed.extend(shard.extract_if(|(key, value)| !keep(key, value)));
        }
    }

    /// Removes all entries at one point in time, and frees their memory.
    ///
    /// # Panics
    ///
    /// If the call is re-entrant.
    pub fn clear(&self) {
        let mut removed = Vec::new();
        let _inside = self.enter();
        let mut shards: Vec<_> = self.shards.iter().map(|shard| shard.write()).collect();
        removed.extend(shards.iter_mut().map(|shard| mem::take(&mut **shard)));
    }
}

/// Returns the entries in no particular order, without cloning.
impl<K, V, S> IntoIterator for Map<K, V, S> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        let shards = self.shards.into_iter();
        let entries: Vec<_> = shards.flat_map(|shard| shard.into_inner().into_table()).collect();
        entries.into_iter()
    }
}

impl<K: Hash + Eq, V, S: BuildHasher> Extend<(K, V)> for Map<K, V, S> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Hash + Eq, V, S: BuildHasher + Default> FromIterator<(K, V)> for Map<K, V, S> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        map.extend(entries);
        map
    }
}

/// With the default hasher; see [`FromIterator`] for others.
impl<K: Hash + Eq, V, const N: usize> From<[(K, V); N]> for Map<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        Self::from_iter(entries)
    }
}

/// The entries, shard by shard; only their number if the call is re-entrant.
impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for Map<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_inside() {
            return f.debug_struct("Map").field("len", &self.len()).finish_non_exhaustive();
        }
        let mut entries = f.debug_map();
        self.for_each(|key, value| {
            entries.entry(key, value);
        });
        entries.finish()
    }
}
