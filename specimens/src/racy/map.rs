//! Maps that lose, double or tear what is in them, or wait for each other.
//!
//! Keys are `Copy` and values `Clone`, which is all that the pages need.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash};

use selvedge_model::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{
    Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

/// Hashes alike in each execution of a model.
type Table<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// What the racy variants with one lock around everything have in common, which is sound.
#[derive(Debug)]
struct Locked<K, V>(RwLock<Table<K, V>>);

impl<K: Hash + Eq + Copy, V: Clone> Locked<K, V> {
    fn new() -> Self {
        Self(RwLock::new(Table::default()))
    }

    #[track_caller]
    fn read(&self) -> RwLockReadGuard<'_, Table<K, V>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn write(&self) -> RwLockWriteGuard<'_, Table<K, V>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn get(&self, key: K) -> Option<V> {
        self.read().get(&key).cloned()
    }

    #[track_caller]
    fn insert(&self, key: K, value: V) -> Option<V> {
        self.write().insert(key, value)
    }
}

/// Defect: `get_or_insert_with` looks and inserts under two locks, so that two threads both find
/// nothing and both initialise.
///
/// Each lock is held where it is needed. It is the pair that is not atomic.
#[derive(Debug)]
pub struct CheckThenInsertMap<K, V>(Locked<K, V>);

impl<K: Hash + Eq + Copy, V: Clone> CheckThenInsertMap<K, V> {
    /// An empty map.
    #[expect(clippy::new_without_default, reason = "a racy variant has what its tests need")]
    pub fn new() -> Self {
        Self(Locked::new())
    }

    /// A clone of the value of `key`, which `init` makes first if there is none, or while another
    /// thread makes one.
    pub fn get_or_insert_with(&self, key: K, init: impl FnOnce() -> V) -> V {
        if let Some(value) = self.0.get(key) {
            return value;
        }
        let value = init();
        self.0.insert(key, value.clone());
        value
    }

    /// A clone of the value of `key`.
    pub fn get(&self, key: K) -> Option<V> {
        self.0.get(key)
    }
}

/// Defect: `update` gets, changes and inserts, so that a change of another thread in between is undone.
#[derive(Debug)]
pub struct ReadModifyWriteMap<K, V>(Locked<K, V>);

impl<K: Hash + Eq + Copy, V: Clone> ReadModifyWriteMap<K, V> {
    /// A map of `entries`.
    pub fn of(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        let map = Self(Locked::new());
        for (key, value) in entries {
            map.0.insert(key, value);
        }
        map
    }

    /// Replaces the value of `key` by what `f` makes of it, or made of an older one.
    pub fn update(&self, key: K, f: impl FnOnce(&V) -> V) -> Option<V> {
        let old = self.0.get(key)?;
        self.0.insert(key, f(&old))
    }

    /// Removes `key`, unless an `update` that is under way puts it back.
    pub fn remove(&self, key: K) -> Option<V> {
        self.0.write().remove(&key)
    }

    /// A clone of the value of `key`.
    pub fn get(&self, key: K) -> Option<V> {
        self.0.get(key)
    }
}

/// Defect: plain memory, shared without synchronisation. One writer and any number of readers are
/// a data race, and so undefined behaviour on real threads: the writer moves what a reader reads.
///
/// Only `unsafe` gets such a type past the compiler.
pub struct UnsyncMap<K, V>(UnsafeCell<Table<K, V>>);

// SAFETY: none. That is the defect: `insert` writes what others read.
unsafe impl<K, V> Sync for UnsyncMap<K, V> {}

impl<K: Hash + Eq + Copy, V: Clone> UnsyncMap<K, V> {
    /// An empty map.
    #[expect(clippy::new_without_default, reason = "a racy variant has what its tests need")]
    pub fn new() -> Self {
        Self(UnsafeCell::new(Table::default()))
    }

    /// Gives `key` the value `value`; races with every other access.
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        // SAFETY: none while another thread has access, which is the defect.
        self.0.with_mut(|table| unsafe { (*table).insert(key, value) })
    }

    /// A clone of the value of `key`; races with every write.
    pub fn get(&self, key: K) -> Option<V> {
        // SAFETY: none while another thread writes, which is the defect.
        self.0.with(|table| unsafe { (*table).get(&key).cloned() })
    }
}

impl<K, V> fmt::Debug for UnsyncMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsyncMap").finish_non_exhaustive()
    }
}

/// Defect: the length is counted after unlocking, so that it disagrees with the entries. It can
/// even pass below 0, when a `remove` counts before the `insert` whose entry it removes.
#[derive(Debug)]
pub struct LateLenMap<K, V> {
    entries: Locked<K, V>,
    /// Relaxed: no ordering would help, it is written too late.
    len: AtomicUsize,
}

impl<K: Hash + Eq + Copy, V: Clone> LateLenMap<K, V> {
    /// An empty map.
    #[expect(clippy::new_without_default, reason = "a racy variant has what its tests need")]
    pub fn new() -> Self {
        Self { entries: Locked::new(), len: AtomicUsize::new(0) }
    }

    /// Gives `key` the value `value`, and then counts it.
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        let old = self.entries.insert(key, value);
        if old.is_none() {
            self.len.fetch_add(1, Relaxed);
        }
        old
    }

    /// Removes `key`, and then counts that.
    pub fn remove(&self, key: K) -> Option<V> {
        let old = self.entries.write().remove(&key);
        if old.is_some() {
            self.len.fetch_sub(1, Relaxed);
        }
        old
    }

    /// Whether `key` has a value.
    pub fn contains_key(&self, key: K) -> bool {
        self.entries.read().contains_key(&key)
    }

    /// The number of entries, sooner or later.
    pub fn len(&self) -> usize {
        self.len.load(Relaxed)
    }

    /// Whether [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Defect: `update_pair` changes one entry, unlocks, and then changes the other; what the two have
/// in common is wrong in between.
#[derive(Debug)]
pub struct HalfDoneMap<K, V>(Locked<K, V>);

impl<K: Hash + Eq + Copy, V: Clone> HalfDoneMap<K, V> {
    /// A map of `entries`.
    pub fn of(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        let map = Self(Locked::new());
        for (key, value) in entries {
            map.0.insert(key, value);
        }
        map
    }

    /// Replaces the values of two keys by what `f` makes of them, one after the other.
    pub fn update_pair(&self, first: K, second: K, f: impl FnOnce(&V, &V) -> (V, V)) {
        let (Some(a), Some(b)) = (self.0.get(first), self.0.get(second)) else { return };
        let new = f(&a, &b);
        self.0.insert(first, new.0);
        self.0.insert(second, new.1);
    }

    /// Clones of all entries as they are at one moment.
    pub fn snapshot(&self) -> Vec<(K, V)> {
        self.0.read().iter().map(|(key, value)| (*key, value.clone())).collect()
    }
}

/// Defect: `update_pair` locks in the order of its arguments, so that two threads with the same
/// keys the other way round wait for each other.
#[derive(Debug)]
pub struct ArgumentOrderMap<K, V>(BTreeMap<K, Mutex<V>>);

impl<K: Ord, V> ArgumentOrderMap<K, V> {
    /// A map of `entries`. Each has its lock.
    pub fn of(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key, Mutex::new(value))).collect())
    }

    /// Replaces the values of two keys by what `f` makes of them, in one atomic step, if it ever
    /// comes to that.
    pub fn update_pair(&self, first: &K, second: &K, f: impl FnOnce(&V, &V) -> (V, V)) {
        let (Some(first), Some(second)) = (self.0.get(first), self.0.get(second)) else { return };
        let mut first = lock(first);
        let mut second = lock(second);
        (*first, *second) = f(&first, &second);
    }
}

#[track_caller]
fn lock<V>(value: &Mutex<V>) -> MutexGuard<'_, V> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
