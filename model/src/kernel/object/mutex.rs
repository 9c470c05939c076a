//! Mutual exclusion.

use super::{Clock, Edges, ThreadId, acquired};

/// The state of a mutex.
#[derive(Debug, Clone, Default)]
pub struct Mutex {
    holder: Option<ThreadId>,
    poisoned: bool,
    /// The last unlock.
    released: Clock,
}

/// An operation on a mutex. Those that acquire return a value of [`acquired`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MutexAct {
    /// Blocks until the mutex is free, and acquires it. A thread that holds it blocks for ever.
    Lock,
    /// Acquires the mutex if it is free. If it is not, nothing is acquired.
    TryLock,
    /// Releases the mutex.
    Unlock {
        /// Whether the holder unwinds from a panic that began while it held the mutex.
        poisons: bool,
    },
}

impl Mutex {
    /// The thread that holds it.
    pub fn holder(&self) -> Option<ThreadId> {
        self.holder
    }

    pub(super) fn enabled(&self, act: MutexAct, _: ThreadId) -> bool {
        act != MutexAct::Lock || self.holder.is_none()
    }

    pub(super) fn apply(&mut self, act: MutexAct, thread: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match act {
            MutexAct::TryLock if self.holder.is_some() => return acquired::WOULD_BLOCK,
            MutexAct::Lock | MutexAct::TryLock => {
                self.holder = Some(thread);
                edges.acquire(&self.released);
                return u64::from(self.poisoned);
            }
            MutexAct::Unlock { poisons } => {
                self.holder = None;
                self.poisoned |= poisons;
                self.released = edges.release();
            }
        }
        0
    }
}
