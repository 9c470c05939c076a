//! What concerns the map as a whole.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::mem;

use super::Map;

impl<K, V, S> Map<K, V, S> {
    /// The number of entries, without locking.
    ///
    /// Adds up what each shard notes when it is written. So it is exact while nobody writes, counts
    /// all that has happened before the call, and some of what happens during it: an entry that
    /// moves from one key to another meanwhile may be counted twice or not at all.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// Whether [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Clones of all entries as they are at one moment, in no particular order.
    ///
    /// Locks all shards for reading, in the order of their indices, before it clones.
    ///
    /// # Panics
    ///
    /// Inside the same map.
    pub fn snapshot(&self) -> Vec<(K, V)>
    where
        K: Clone,
        V: Clone,
    {
        self.at_one_moment(|key, value| (key.clone(), value.clone()))
    }

    /// Clones of all keys as they are at one moment; see [`snapshot`](Self::snapshot).
    ///
    /// # Panics
    ///
    /// Inside the same map.
    pub fn keys(&self) -> Vec<K>
    where
        K: Clone,
    {
        self.at_one_moment(|key, _| key.clone())
    }

    /// Clones of all values as they are at one moment; see [`snapshot`](Self::snapshot).
    ///
    /// # Panics
    ///
    /// Inside the same map.
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
    /// An entry that is there throughout is visited once; one that is inserted or removed
    /// meanwhile, at most once. Not a moment in time: that is [`snapshot`](Self::snapshot).
    ///
    /// # Panics
    ///
    /// If `f` does, and inside the same map.
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
    /// An entry that is there throughout is looked at once, and goes or stays as it was seen:
    /// nobody comes between. One that is inserted meanwhile may be missed.
    ///
    /// # Panics
    ///
    /// If `keep` does: what it had refused by then is gone, all else is as it was. And inside the
    /// same map.
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        for shard in &self.shards {
            let mut removed = Vec::new();
            let _inside = self.enter();
            let mut shard = shard.write();
            removed.extend(shard.extract_if(|(key, value)| !keep(key, value)));
        }
    }

    /// Removes all entries at one moment, and gives their memory back.
    ///
    /// # Panics
    ///
    /// Inside the same map.
    pub fn clear(&self) {
        let mut removed = Vec::new();
        let _inside = self.enter();
        let mut shards: Vec<_> = self.shards.iter().map(|shard| shard.write()).collect();
        removed.extend(shards.iter_mut().map(|shard| mem::take(&mut **shard)));
    }
}

/// The entries, in no particular order. None is cloned.
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

/// The entries, shard by shard; their number only, inside the same map.
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
