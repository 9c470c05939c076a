//! One entry in one atomic step.
//!
//! In every method, what is declared before `_inside`, arguments too, is dropped after the shard is
//! unlocked and the map left. So what is displaced, removed or not called may use the map.

use std::hash::{BuildHasher, Hash};
use std::mem;

use hashbrown::Equivalent;
use hashbrown::hash_table::Entry;

use super::{Map, MapError, NotInserted};

impl<K: Hash + Eq, V, S: BuildHasher> Map<K, V, S> {
    /// Calls `f` with the value of `key`, and returns what it returns; `None` if there is none.
    ///
    /// # Panics
    ///
    /// If `f` does, and inside the same map.
    #[inline]
    pub fn with<Q, R>(&self, key: &Q, f: impl FnOnce(&V) -> R) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.look(self.hash(key), key, f)
    }

    /// A clone of the value of `key`. For values that are dear to clone, see [`with`](Self::with).
    ///
    /// # Panics
    ///
    /// Inside the same map.
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
        V: Clone,
    {
        self.with(key, V::clone)
    }

    /// Whether `key` has a value.
    ///
    /// # Panics
    ///
    /// Inside the same map.
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.with(key, |_| ()).is_some()
    }

    /// Gives `key` the value `value`, and returns the one it had.
    ///
    /// A key that is there already stays, and the equal one given here is dropped.
    ///
    /// # Panics
    ///
    /// Inside the same map.
    #[inline]
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        let hash = self.hash(&key);
        let _inside = self.enter();
        let mut shard = self.shard(hash).write();
        match shard.entry(hash, |(k, _)| *k == key, |(k, _)| self.hash(k)) {
            Entry::Occupied(mut entry) => Some(mem::replace(&mut entry.get_mut().1, value)),
            Entry::Vacant(entry) => {
                entry.insert((key, value));
                None
            }
        }
    }

    /// Gives `key` the value `value`, unless it has one.
    ///
    /// # Errors
    ///
    /// Gives both back if it has ([`MapError::Occupied`]), and inside the same map
    /// ([`MapError::Reentrant`]).
    pub fn try_insert(&self, key: K, value: V) -> Result<(), NotInserted<K, V>> {
        let hash = self.hash(&key);
        let _inside = match self.try_enter() {
            Ok(inside) => inside,
            Err(why) => return Err(NotInserted { key, value, why }),
        };
        let mut shard = self.shard(hash).write();
        match shard.entry(hash, |(k, _)| *k == key, |(k, _)| self.hash(k)) {
            Entry::Occupied(_) => Err(NotInserted { key, value, why: MapError::Occupied }),
            Entry::Vacant(entry) => {
                entry.insert((key, value));
                Ok(())
            }
        }
    }

    /// Replaces the value of `key` by what `f` makes of it, and returns the old one; `None` if
    /// there is none, and `f` is not called.
    ///
    /// Nobody comes between the call of `f` and the replacement: `|n| n + 1` loses no update.
    ///
    /// ```
    /// let stock = selvedge::Map::from([("apples", 3)]);
    /// assert_eq!(stock.update("apples", |n| n - 1), Some(3));
    /// assert_eq!(stock.get("apples"), Some(2));
    /// assert_eq!(stock.update("pears", |n| n - 1), None);
    /// ```
    ///
    /// # Panics
    ///
    /// If `f` does, and the value is then as it was; and inside the same map.
    #[inline]
    pub fn update<Q>(&self, key: &Q, f: impl FnOnce(&V) -> V) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        let _inside = self.enter();
        let mut shard = self.shard(hash).write();
        let (_, value) = shard.find_mut(hash, |(k, _)| key.equivalent(k))?;
        let new = f(value);
        Some(mem::replace(value, new))
    }

    /// Gives `key` the value that `f` makes of the one it has, if it has one; none if `f` returns
    /// `None`. Returns the old one.
    ///
    /// Whether to insert, replace or remove is decided and done in one atomic step.
    ///
    /// ```
    /// let tickets = selvedge::Map::from([("front row", 1)]);
    /// let sell = |left: Option<&u32>| left.filter(|left| **left > 1).map(|left| left - 1);
    /// assert_eq!(tickets.compute("front row", sell), Some(1));
    /// assert!(!tickets.contains_key("front row"), "sold out");
    /// ```
    ///
    /// # Panics
    ///
    /// If `f` does, and the entry is then as it was; and inside the same map.
    pub fn compute(&self, key: K, f: impl FnOnce(Option<&V>) -> Option<V>) -> Option<V> {
        let hash = self.hash(&key);
        let _removed: Option<K>;
        let _inside = self.enter();
        let mut shard = self.shard(hash).write();
        match shard.entry(hash, |(k, _)| *k == key, |(k, _)| self.hash(k)) {
            Entry::Occupied(mut entry) => {
                if let Some(new) = f(Some(&entry.get().1)) {
                    return Some(mem::replace(&mut entry.get_mut().1, new));
                }
                let ((key, value), _) = entry.remove();
                _removed = Some(key);
                Some(value)
            }
            Entry::Vacant(entry) => {
                if let Some(new) = f(None) {
                    entry.insert((key, new));
                }
                None
            }
        }
    }

    /// Removes `key` and returns its value.
    ///
    /// # Panics
    ///
    /// Inside the same map.
    #[inline]
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        let removed = {
            let _inside = self.enter();
            let mut shard = self.shard(hash).write();
            let entry = shard.find_entry(hash, |(k, _)| key.equivalent(k)).ok()?;
            entry.remove().0
        };
        Some(removed.1)
    }

    /// A clone of the value of `key`, which `init` makes first if there is none.
    ///
    /// However many threads ask at the same time, `init` runs once; they wait for it, and so does
    /// whoever needs that shard. If it panics, nothing is inserted, and the next one tries.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let cache = selvedge::Map::new();
    /// let first = cache.get_or_insert_with("config", || Arc::new("read from disk".to_owned()));
    /// let again = cache.get_or_insert_with("config", || unreachable!("it is there"));
    /// assert!(Arc::ptr_eq(&first, &again));
    /// ```
    ///
    /// # Panics
    ///
    /// If `init` does, and inside the same map.
    pub fn get_or_insert_with(&self, key: K, init: impl FnOnce() -> V) -> V
    where
        V: Clone,
    {
        match self.get_or_try_insert_with(key, || Ok::<V, std::convert::Infallible>(init())) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// [`get_or_insert_with`](Self::get_or_insert_with) by an `init` that can fail.
    ///
    /// # Errors
    ///
    /// Those of `init`. Nothing is inserted then, and the next one tries.
    ///
    /// # Panics
    ///
    /// If `init` does, and inside the same map.
    pub fn get_or_try_insert_with<E>(
        &self,
        key: K,
        init: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E>
    where
        V: Clone,
    {
        let hash = self.hash(&key);
        // The usual case, in which readers do not wait for each other.
        if let Some(value) = self.look(hash, &key, V::clone) {
            return Ok(value);
        }
        let mut made = None;
        let _inside = self.enter();
        let mut shard = self.shard(hash).write();
        // The second look: somebody may have been here since the first.
        match shard.entry(hash, |(k, _)| *k == key, |(k, _)| self.hash(k)) {
            Entry::Occupied(entry) => Ok(entry.get().1.clone()),
            Entry::Vacant(entry) => {
                let result = made.insert(init()?).clone();
                if let Some(value) = made {
                    entry.insert((key, value));
                }
                Ok(result)
            }
        }
    }

    /// Calls `f` with the value of `key` under the read lock.
    #[inline]
    fn look<Q, R>(&self, hash: u64, key: &Q, f: impl FnOnce(&V) -> R) -> Option<R>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let _inside = self.enter();
        let shard = self.shard(hash).read();
        let (_, value) = shard.find(hash, |(k, _)| key.equivalent(k))?;
        Some(f(value))
    }

    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }
}
