//! Whose memory a value lies in: so it is known by whom it was made, though making it is no operation.

use std::alloc::Layout;

use super::{MAX_THREADS, ThreadId};

/// A point between two steps of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The thread.
    pub thread: ThreadId,
    /// How many steps it has taken.
    pub steps: u16,
}

impl Moment {
    /// Before all threads.
    pub const START: Self = Self { thread: 0, steps: 0 };
}

/// Memory of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// When a thread was given it. What lies there counts as made then.
    pub given: Moment,
    /// When a thread gave it back.
    pub freed: Option<Moment>,
    /// Which block or stack it is, and how far from the start: the same in each run that allocates the
    /// same.
    pub position: (usize, usize),
}

impl Owned {
    /// So far into the stack of a thread. Whatever is there was put there by that thread, or by what started
    /// it.
    pub fn on_stack(thread: ThreadId, offset: usize) -> Self {
        let given = Moment { thread, steps: 0 };
        Self { given, freed: None, position: (thread, offset) }
    }

    /// So far into block number `block`.
    pub fn in_block(block: usize, offset: usize, given: Moment, freed: Option<Moment>) -> Self {
        Self { given, freed, position: (MAX_THREADS + block, offset) }
    }

    /// How far into a block from the allocator it is.
    pub fn offset_in_block(&self) -> Option<usize> {
        let (block, offset) = self.position;
        (block >= MAX_THREADS && block != usize::MAX).then_some(offset)
    }

    /// In the copy of a static.
    pub fn in_static(address: usize) -> Self {
        Self { given: Moment::START, freed: None, position: (usize::MAX, address) }
    }
}

/// What an address is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// A block or a stack of this execution, or the copy of a static.
    Owned(Owned),
    /// A static, and the copy of it, which this execution uses in its place.
    Static(Option<*mut u8>),
    /// Anything else.
    Foreign,
}

/// What stands for a static in one execution.
pub struct StaticCopy {
    /// The static.
    pub of: usize,
    /// The copy.
    pub pointer: *mut u8,
    /// What it was allocated with.
    pub layout: Layout,
    /// Drops what is in it.
    pub drop: Box<dyn FnOnce()>,
}
