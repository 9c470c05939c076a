//! Tables that go wrong: each has the one defect that it names.

use selvedge::sync::cell::UnsafeCell;

use super::{HOST, LockedTable, PORT, Table, version_1};

/// Defect: a hash map in plain memory, shared.
pub(crate) struct UnsyncTable(UnsafeCell<Table>);

// SAFETY: none. That is the defect: `set` writes what others read.
unsafe impl Sync for UnsyncTable {}

impl UnsyncTable {
    pub(crate) fn new() -> Self {
        Self(UnsafeCell::new(version_1()))
    }

    pub(crate) fn set(&self, key: u64, version: u64) {
        // SAFETY: none while another thread has access, which is the defect.
        self.0.with_mut(|table| unsafe { (*table).insert(key, version) });
    }

    pub(crate) fn get(&self, key: u64) -> u64 {
        // SAFETY: none while another thread writes, which is the defect.
        self.0.with(|table| unsafe { (&(*table))[&key] })
    }
}

/// Defect: writes key by key, with a lock for each.
pub(crate) struct KeyByKeyTable(pub(crate) LockedTable);

impl KeyByKeyTable {
    pub(crate) fn set_both(&self, version: u64) {
        self.0.write().insert(HOST, version);
        self.0.write().insert(PORT, version);
    }
}

/// Defect: reads key by key, with a lock for each.
pub(crate) struct LookByLookTable(pub(crate) LockedTable);

impl LookByLookTable {
    pub(crate) fn both(&self) -> (u64, u64) {
        let host = self.0.read()[&HOST];
        let port = self.0.read()[&PORT];
        (host, port)
    }
}
