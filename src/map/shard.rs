//! A shard: a table under a lock, and its length beside the lock.

use std::ops::{Deref, DerefMut};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use selvedge_model::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use selvedge_model::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The entries of a shard.
pub(super) type Table<K, V> = HashTable<(K, V)>;

/// A part of a map, locked on its own.
pub(super) struct Shard<K, V> {
    table: RwLock<Table<K, V>>,
    /// The length of the table when it was last written. Stored by the thread that holds the lock for
    /// writing.
    ///
    /// Relaxed: it carries no message. Who has seen an entry has done so under the lock, after the
    /// store; coherence then shows it that length or a later one.
    len: AtomicUsize,
}

impl<K, V> Shard<K, V> {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { table: RwLock::new(Table::with_capacity(capacity)), len: AtomicUsize::new(0) }
    }

    /// The table. Poisoned or not: see [`read`](Self::read).
    pub(super) fn into_table(self) -> Table<K, V> {
        self.table.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of entries, without the lock.
    pub(super) fn len(&self) -> usize {
        self.len.load(Relaxed)
    }

    /// Locks for reading. The caller's line is the one that the checker reports.
    ///
    /// A panic leaves nothing half done in a table, so a poisoned lock is as good as any.
    #[inline]
    #[track_caller]
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Table<K, V>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks for writing; otherwise like [`read`](Self::read).
    #[inline]
    #[track_caller]
    pub(super) fn write(&self) -> Writing<'_, K, V> {
        let table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        Writing { len: &self.len, table }
    }
}

/// Exclusive access to a shard's table. Dropped, it notes the new length and then unlocks, however
/// the call ends. It does so even if nothing was inserted or removed: the store costs less than
/// finding out.
pub(super) struct Writing<'a, K, V> {
    len: &'a AtomicUsize,
    /// Dropped after the body of `drop` has stored the length.
    table: RwLockWriteGuard<'a, Table<K, V>>,
}

impl<K, V> Writing<'_, K, V> {
    /// For how many entries the first insert makes room: up to about 256 bytes, and as `hashbrown` would at least. A
    /// map grows in as many steps as each of its shards does, and the first ones are the dearest an entry.
    const FIRST: usize = match 256_usize.checked_div(size_of::<(K, V)>()) {
        Some(count @ 4..=14) => count,
        Some(0..=3) => 3,
        _ => 14,
    };

    /// The entry of `hash` for which `is_it` holds, or a place for it.
    #[inline]
    pub(super) fn entry(
        &mut self,
        hash: u64,
        is_it: impl FnMut(&(K, V)) -> bool,
        rehash: impl Fn(&(K, V)) -> u64,
    ) -> Entry<'_, (K, V)> {
        if self.table.capacity() == 0 {
            self.make_room();
        }
        self.table.entry(hash, is_it, rehash)
    }

    #[cold]
    fn make_room(&mut self) {
        *self.table = Table::with_capacity(Self::FIRST);
    }
}

impl<K, V> Drop for Writing<'_, K, V> {
    #[inline]
    fn drop(&mut self) {
        self.len.store(self.table.len(), Relaxed);
    }
}

impl<K, V> Deref for Writing<'_, K, V> {
    type Target = Table<K, V>;

    #[inline]
    fn deref(&self) -> &Table<K, V> {
        &self.table
    }
}

impl<K, V> DerefMut for Writing<'_, K, V> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Table<K, V> {
        &mut self.table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room_after_the_first_insert<V: Default>() -> usize {
        let shard = Shard::with_capacity(0);
        let mut writing = shard.write();
        writing.entry(0, |_| false, |_| 0).insert((0_u64, V::default()));
        writing.capacity()
    }

    #[test]
    fn the_first_insert_makes_room_for_several_unless_they_are_large() {
        assert_eq!(room_after_the_first_insert::<u64>(), 14);
        assert_eq!(room_after_the_first_insert::<[u64; 4]>(), 7);
        assert_eq!(room_after_the_first_insert::<[[u64; 32]; 4]>(), 3);
        assert_eq!(Shard::<u64, u64>::with_capacity(0).write().capacity(), 0);
    }
}
