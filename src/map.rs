//! A hash map for many threads.
//!
//! Entries are spread over shards, each a table under a read-write lock of its own. Values are
//! reached through closures: there is no guard that could be held across another call.
//!
//! # Guarantee
//!
//! Each call that names a key is one atomic step, and all of them are linearizable together. The
//! others:
//!
//! | method | consistency |
//! |---|---|
//! | `with`, `get`, `contains_key`, `insert`, `try_insert`, `update`, `compute`, `remove` | linearizable |
//! | `get_or_insert_with`, `get_or_try_insert_with` | linearizable; `init` runs once for each value that is inserted, and in one thread at a time |
//! | `update_pair` | linearizable: two entries change in one step |
//! | `snapshot`, `keys`, `values`, `clear` | linearizable: all shards at one moment |
//! | `retain`, `for_each`, `Debug`, `extend` | each entry is looked at, kept or removed in one step; another may change meanwhile |
//! | `len`, `is_empty` | without locks: a sum over the shards, not a moment. It counts all that has happened before the call; of what happens during it, some and not the rest. Never negative, exact while nobody writes |
//!
//! A closure that panics leaves its entry as it was, and the map as usable as before: values are
//! not changed in place but computed, and then put in. What is displaced or removed is dropped
//! after unlocking. A key is hashed before locking.
//!
//! # Re-entry
//!
//! A thread that is inside a call (in a closure of its, or in the `Eq`, `Clone` or `Debug` of a key
//! or value) and calls *the same map* again would wait for itself. It is refused at once: by
//! [`MapError::Reentrant`] where the method returns a [`MapError`], by a panic with the same text
//! elsewhere, for it is a mistake in the program, and a second `Result` around every look-up would
//! make all others pay for it. [`Map::is_inside`] tells beforehand; [`Map::len`],
//! [`Map::is_empty`], [`Map::shards`] and `Debug` never refuse. Other maps may be called.
//!
//! # Orderings
//!
//! Entries are read and written under their shard's lock, and that is all the order there is. Who
//! locks more than one shard does so in the order of their indices. The lengths beside the locks
//! are `Relaxed`, see their field.
//!
//! # Limits
//!
//! - A closure runs under its shard's lock: others wait for it. It must not wait for a thread that
//!   needs the map. Two maps, each called from a closure of the other in two threads, can
//!   deadlock: call them in the same order everywhere.
//! - A value that is too big to copy for each change belongs in a lock of its own inside the map,
//!   reached by [`Map::with`].
//! - A shard that grows hashes its keys again, under the lock. A `Hash` that panics then (having
//!   worked before) can lose entries of that shard; the map stays usable.
//! - A hasher that leaves bits 41 to 63 the same for all keys puts them all in one shard, and makes
//!   look-ups slow.

use std::hash::{BuildHasher, Hash, RandomState};
use std::mem;

use crossbeam_utils::CachePadded;
pub use hashbrown::Equivalent;
use hashbrown::hash_table::Entry;

use crate::sync::thread;

mod error;
mod pair;
mod reentry;
mod shard;
mod whole;

pub use error::{MapError, NotInserted};

use reentry::Inside;
use shard::Shard;

/// The most shards that a [`Map`] accepts.
pub const MAX_SHARDS: usize = 1 << 16;

/// The lowest of the bits from which `hashbrown` takes a tag that tells entries apart. They would
/// be the same for all entries of a shard, were the shard chosen by them.
const TAG_FROM: u32 = 57;

/// How many shards a map has for each thread that can run at once.
const SHARDS_A_THREAD: usize = 16;

/// A hash map for many threads: no guards, and two keys in one atomic step.
///
/// ```
/// use selvedge::Map;
///
/// let words = Map::new();
/// std::thread::scope(|scope| {
///     for text in ["to be or not", "not to be"] {
///         let words = &words;
///         scope.spawn(move || {
///             for word in text.split(' ') {
///                 words.compute(word, |count| Some(count.unwrap_or(&0) + 1));
///             }
///         });
///     }
/// });
/// assert_eq!(words.get("not"), Some(2));
/// assert_eq!(words.len(), 4);
/// ```
pub struct Map<K, V, S = RandomState> {
    /// As many as a power of two.
    shards: Box<[CachePadded<Shard<K, V>>]>,
    /// By how many bits a hash is shifted to get an index: the bits just below the tag.
    shift: u32,
    hasher: S,
}

impl<K, V> Map<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty map with room for `capacity` entries, if they spread evenly.
    ///
    /// # Panics
    ///
    /// If that is more than memory can hold.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }

    /// An empty map with `shards` shards, rounded up to a power of two.
    ///
    /// Threads wait for each other only where they use the same shard. More shards take more
    /// memory, and more time where all are visited.
    ///
    /// # Errors
    ///
    /// [`MapError::Shards`] unless `shards` is from 1 to [`MAX_SHARDS`].
    pub fn with_shards(shards: usize) -> Result<Self, MapError> {
        Self::with_shards_and_hasher(shards, RandomState::new())
    }
}

impl<K, V, S> Map<K, V, S> {
    /// An empty map whose keys are hashed by `hasher`.
    ///
    /// Only the default, [`RandomState`], withstands keys that somebody chose to collide.
    pub fn with_hasher(hasher: S) -> Self {
        Self::with_capacity_and_hasher(0, hasher)
    }

    /// [`with_capacity`](Map::with_capacity) and [`with_hasher`](Self::with_hasher) in one.
    ///
    /// # Panics
    ///
    /// If that is more than memory can hold.
    pub fn with_capacity_and_hasher(capacity: usize, hasher: S) -> Self {
        // Few under the checker: what visits all shards takes a step for each.
        let shards = if cfg!(loom) {
            2
        } else {
            let parallelism = thread::available_parallelism().map_or(1, std::num::NonZero::get);
            parallelism.saturating_mul(SHARDS_A_THREAD).min(MAX_SHARDS)
        };
        Self::build(shards, capacity, hasher)
    }

    /// [`with_shards`](Map::with_shards) and [`with_hasher`](Self::with_hasher) in one.
    ///
    /// # Errors
    ///
    /// [`MapError::Shards`] unless `shards` is from 1 to [`MAX_SHARDS`].
    pub fn with_shards_and_hasher(shards: usize, hasher: S) -> Result<Self, MapError> {
        if (1..=MAX_SHARDS).contains(&shards) {
            Ok(Self::build(shards, 0, hasher))
        } else {
            Err(MapError::Shards { requested: shards })
        }
    }

    fn build(shards: usize, capacity: usize, hasher: S) -> Self {
        let shards = shards.next_power_of_two();
        let capacity = capacity.div_ceil(shards);
        Self {
            shards: (0..shards).map(|_| CachePadded::new(Shard::with_capacity(capacity))).collect(),
            shift: TAG_FROM - shards.trailing_zeros(),
            hasher,
        }
    }

    /// The number of shards.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// What hashes the keys.
    pub fn hasher(&self) -> &S {
        &self.hasher
    }

    /// Whether the calling thread is inside a call on this map, in a closure say, where all calls
    /// that lock are refused.
    pub fn is_inside(&self) -> bool {
        reentry::is_inside(self.address())
    }

    /// An address that is this map's alone: a map has at least one shard.
    #[inline]
    fn address(&self) -> usize {
        self.shards.as_ptr().addr()
    }

    #[inline]
    fn try_enter(&self) -> Result<Inside, MapError> {
        Inside::enter(self.address())
    }

    /// Enters the map.
    ///
    /// # Panics
    ///
    /// If the thread is inside it already.
    #[inline]
    fn enter(&self) -> Inside {
        match self.try_enter() {
            Ok(inside) => inside,
            Err(error) => refuse(&error),
        }
    }

    /// The index of the shard of a hash.
    #[inline]
    fn index(&self, hash: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "what is cut off is masked out")]
        let bits = (hash >> self.shift) as usize;
        bits & (self.shards.len() - 1)
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard<K, V> {
        &self.shards[self.index(hash)]
    }
}

#[cold]
fn refuse(error: &MapError) -> ! {
    panic!("{error}")
}

// In all that follows: what is declared before `_inside`, arguments too, is dropped after the shard
// is unlocked and the map left, and may use the map.
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
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }
}

impl<K, V, S: Default> Default for Map<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// `hashbrown` tells entries of a table apart by the top 7 bits, and finds them by the low
    /// ones. A shard chosen by either would leave its table fewer to tell them apart by.
    #[test]
    fn the_bits_that_choose_a_shard_are_not_those_that_choose_within_it() {
        for shards in [1, 2, 64, MAX_SHARDS] {
            let map = Map::<(), ()>::with_shards(shards).expect("the number is in range");
            let reached = |hashes: &mut dyn Iterator<Item = u64>| {
                hashes.map(|hash| map.index(hash)).collect::<HashSet<_>>().len()
            };
            assert_eq!(reached(&mut (0..1 << 7).map(|bits| bits << 57)), 1, "the tag");
            assert_eq!(reached(&mut (0..41).map(|bit| (1 << bit) - 1)), 1, "a table's own bits");
            let between = (0..1 << 16).map(|bits| bits << 41);
            assert_eq!(reached(&mut { between }), shards, "all that is between");
        }
    }
}
