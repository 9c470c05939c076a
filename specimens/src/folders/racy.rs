//! Folders that go wrong, with the one defect that they name.

use selvedge_model::sync::PoisonError;

use super::{Folders, pour};

/// Defect: `merge` locks in the order of its arguments.
pub struct ArgumentOrderFolders(pub Folders);

impl ArgumentOrderFolders {
    pub fn merge(&self, from: usize, to: usize) {
        let mut from = self.0[from].lock().unwrap_or_else(PoisonError::into_inner);
        let mut to = self.0[to].lock().unwrap_or_else(PoisonError::into_inner);
        pour(&mut from, &mut to);
    }
}
