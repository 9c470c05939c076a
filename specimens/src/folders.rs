//! Folders with a lock each; one call takes two of them. A racy variant is in `folders/racy.rs`.
//!
//! Proved in `loom-tests/suites/folders.rs`.

use selvedge_model::sync::{Mutex, PoisonError};

pub mod racy;

/// How many papers are in each of three folders.
pub type Folders = [Mutex<u64>; 3];

pub fn folders() -> Folders {
    [1, 10, 100].map(Mutex::new)
}

/// Moves all papers from one folder to another.
fn pour(from: &mut u64, to: &mut u64) {
    *to += *from;
    *from = 0;
}

/// Locks in the order of the indices: a thread that waits for a folder holds none with a greater index.
pub struct OrderedFolders(pub Folders);

impl OrderedFolders {
    /// Moves all papers of one folder to another one.
    pub fn merge(&self, from: usize, to: usize) {
        let mut low = self.0[from.min(to)].lock().unwrap_or_else(PoisonError::into_inner);
        let mut high = self.0[from.max(to)].lock().unwrap_or_else(PoisonError::into_inner);
        if from < to { pour(&mut low, &mut high) } else { pour(&mut high, &mut low) }
    }
}
