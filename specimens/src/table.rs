//! A table of a host and a port that belong together, under a read-write lock. Racy variants are in `table/racy.rs`.
//!
//! Proved in `loom-tests/suites/table.rs`.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

use selvedge_model::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub mod racy;

/// The keys of what belongs together.
pub const HOST: u64 = 1;
pub const PORT: u64 = 2;

/// Hashes alike in each execution of a model.
pub type Table = HashMap<u64, u64, BuildHasherDefault<DefaultHasher>>;

/// Host and port of version 1.
fn version_1() -> Table {
    Table::from_iter([(HOST, 1), (PORT, 1)])
}

/// The lock protects the table, and both sides take it once for all that belongs together.
pub struct LockedTable(RwLock<Table>);

impl LockedTable {
    pub fn new() -> Self {
        Self(RwLock::new(version_1()))
    }

    #[track_caller]
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes both in one step.
    pub fn set_both(&self, version: u64) {
        let mut table = self.write();
        table.insert(HOST, version);
        table.insert(PORT, version);
    }

    /// Host and port, read in one step.
    pub fn both(&self) -> (u64, u64) {
        let table = self.read();
        (table[&HOST], table[&PORT])
    }
}

/// The lock protects a pointer. What it points to is never written again.
pub struct PublishedTable(RwLock<Arc<Table>>);

impl PublishedTable {
    pub fn new() -> Self {
        Self(RwLock::new(Arc::new(version_1())))
    }

    /// The newest version, to be read for as long as one likes.
    pub fn current(&self) -> Arc<Table> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// For the one writer: two could undo each other's changes.
    pub fn publish(&self, change: impl FnOnce(&mut Table)) {
        let mut table = Table::clone(&self.current());
        change(&mut table);
        let mut new = Arc::new(table);
        {
            let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *current, &mut new);
        }
        // The old one is dropped here, outside the lock, unless a reader still has it.
    }
}
