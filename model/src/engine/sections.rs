//! The critical sections that a thread is in, and whether it has changed something in one of them.

use crate::kernel::{Act, LocationId};

/// Of one thread.
#[derive(Debug, Default)]
pub(in crate::engine) struct Sections {
    /// How many changes the thread has made.
    changes: u32,
    /// The locks that it has acquired, or tried to, and how many changes it had made before.
    open: Vec<(LocationId, u32)>,
}

impl Sections {
    /// The thread has changed something.
    pub(in crate::engine) fn changed(&mut self) {
        self.changes += 1;
    }

    /// The thread takes an act. Whether that ends a section in which it has changed something.
    pub(in crate::engine) fn act(&mut self, object: LocationId, act: Act) -> bool {
        let at = self.open.iter().position(|&(lock, _)| lock == object);
        if act.ends_section() {
            let before = at.map(|at| self.open.swap_remove(at).1);
            return before != Some(self.changes);
        }
        if at.is_none() && matches!(act, Act::Mutex(_) | Act::RwLock(_)) {
            self.open.push((object, self.changes));
        }
        false
    }
}
