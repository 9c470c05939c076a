//! One entry in one atomic step.
//!
//! In every method, what is declared before `_inside`, arguments too, is dropped after the shard is
//! unlocked and the map left. So what is displaced, removed or not called may use the map.

use std::hash::{BuildHasher, Hash};
use std::mem;

use equivalent::Equivalent;
use hashbrown::hash_table::Entry;

use super::std_types::calls_back;
use super::{Map, MapError, NotInserted};

impl<K: Hash + Eq, V, S: BuildHasher> Map<K, V, S> {
    /// Calls `f` with the value of `key`, and returns its result; `None`, without calling `f`, if the key has
    /// no value.
    ///
    /// # Panics
    ///
    /// If `f` panics, or if the call is re-entrant.
    #[inline]
    pub fn with<Q, R>(&self, key: &Q, f: impl FnOnce(&V) -> R) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.look(self.hash(key), key, f, true)
    }

    /// A clone of the value of `key`. For values that are expensive to clone, use [`with`](Self::with).
    ///
    /// # Panics
    ///
    /// If the call is re-entrant.
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
        V: Clone,
    {
        self.look(self.hash(key), key, V::clone, calls_back::<V>())
    }

    /// Whether `key` has a value.
    ///
    /// # Panics
    ///
    /// If the call is re-entrant.
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.look(self.hash(key), key, |_| (), false).is_some()
    }

    /// Sets the value of `key`, and returns the previous one.
    ///
    /// If the map has an equal key already, it is kept, and `key` is dropped.
    ///
    /// # Panics
    ///
    /// If the call is re-entrant.
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

    /// Sets the value of `key` if it has none.
    ///
    /// # Errors
    ///
    /// [`NotInserted`], with key and value: because of [`MapError::Occupied`] if the key has a value, and of
    /// [`MapError::Reentrant`] if the call is re-entrant.
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

    /// Replaces the value of `key` by the result of `f`, and returns the previous one; `None`, without calling
    /// `f`, if the key has no value.
    ///
    /// The read, the call of `f` and the write are one atomic step: `|n| n + 1` loses no update.
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
    /// If `f` panics; the value is then unchanged. Also if the call is re-entrant.
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

    /// Calls `f` with the value of `key`, if it has one, and inserts or replaces the value by the result, or
    /// removes it if the result is `None`. Returns the previous value.
    ///
    /// The read, the call of `f` and the change are one atomic step.
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
    /// If `f` panics; the entry is then unchanged. Also if the call is re-entrant.
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
    /// If the call is re-entrant.
    #[inline]
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        let removed = {
            let _inside = self.enter_if(calls_back::<K>() || calls_back::<Q>());
            let mut shard = self.shard(hash).write();
            let entry = shard.find_entry(hash, |(k, _)| key.equivalent(k)).ok()?;
            entry.remove().0
        };
        Some(removed.1)
    }

    /// A clone of the value of `key`. If the key has no value, inserts the result of `init` first.
    ///
    /// If several threads call this for one key, `init` runs in one of them, and the others block until it
    /// returns, as do all calls on the same shard. If `init` panics, nothing is inserted, and the next thread
    /// calls its own `init`.
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
    /// If `init` panics, or if the call is re-entrant.
    pub fn get_or_insert_with(&self, key: K, init: impl FnOnce() -> V) -> V
    where
        V: Clone,
    {
        match self.get_or_try_insert_with(key, || Ok::<V, std::convert::Infallible>(init())) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// Like [`get_or_insert_with`](Self::get_or_insert_with), with a fallible `init`.
    ///
    /// # Errors
    ///
    /// The error of `init`. Nothing is inserted then, and the next thread calls its own `init`.
    ///
    /// # Panics
    ///
    /// If `init` panics, or if the call is re-entrant.
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
        if let Some(value) = self.look(hash, &key, V::clone, calls_back::<V>()) {
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

    /// Calls `f`, which `may_call_back`, with the value of `key` under the read lock.
    #[inline]
    fn look<Q, R>(
        &self,
        hash: u64,
        key: &Q,
        f: impl FnOnce(&V) -> R,
        may_call_back: bool,
    ) -> Option<R>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let _inside = self.enter_if(may_call_back || calls_back::<K>() || calls_back::<Q>());
        let shard = self.shard(hash).read();
        let (_, value) = shard.find(hash, |(k, _)| key.equivalent(k))?;
        Some(f(value))
    }

    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }
}
