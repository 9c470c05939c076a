//! Tables that go wrong: each has the one defect that it names.

use selvedge_model::sync::cell::UnsafeCell;

use super::{HOST, LockedTable, PORT, Table, version_1};

/// Defect: a hash map in plain memory, shared.
pub struct UnsyncTable(UnsafeCell<Table>);

// SAFETY: none. That is the defect: `set` writes what others read.
unsafe impl Sync for UnsyncTable {}

impl UnsyncTable {
    pub fn new() -> Self {
        Self(UnsafeCell::new(version_1()))
    }

    pub fn set(&self, key: u64, version: u64) {
        // SAFETY: none while another thread has access, which is the defect.
        self.0.with_mut(|table| unsafe { (*table).insert(key, version) });
    }

    pub fn get(&self, key: u64) -> u64 {
        // SAFETY: none while another thread writes, which is the defect.
        self.0.with(|table| unsafe { (&(*table))[&key] })
    }
}

/// Defect: writes key by key, with a lock for each.
pub struct KeyByKeyTable(pub LockedTable);

impl KeyByKeyTable {
    pub fn set_both(&self, version: u64) {
        self.0.write().insert(HOST, version);
        self.0.write().insert(PORT, version);
    }
}

/// Defect: reads key by key, with a lock for each.
pub struct LookByLookTable(pub LockedTable);

impl LookByLookTable {
    pub fn both(&self) -> (u64, u64) {
        let host = self.0.read()[&HOST];
        let port = self.0.read()[&PORT];
        (host, port)
    }
}
