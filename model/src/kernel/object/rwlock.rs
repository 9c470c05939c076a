//! Readers or one writer.
//!
//! A read is begun on the lock and ended on a [`ReadEnd`] of its own, so that the ends of reads are not
//! ordered. A writer first keeps new readers out, and then waits for the reads that were begun before.
//! Whether a waiting writer holds up new readers is left open by `std`: it does if it comes first on
//! the lock, and does not if it comes later.

use super::{Clock, Edges, ThreadId, acquired};
use crate::kernel::LocationId;

/// The state of a reader-writer lock.
#[derive(Debug, Clone, Default)]
pub struct RwLock {
    writer: Option<ThreadId>,
    /// The ends of the reads since the last write.
    reads: Vec<LocationId>,
    /// How many reads have begun in all.
    begun: usize,
    poisoned: bool,
    /// The last end of a write.
    written: Clock,
}

/// An operation on a reader-writer lock. Those that acquire return a value of [`acquired`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RwLockAct {
    /// Blocks while there is a writer; begins a read.
    Read {
        /// The object on which it will end.
        end: LocationId,
    },
    /// Begins a read if there is no writer.
    TryRead {
        /// The object on which it will end.
        end: LocationId,
    },
    /// Blocks while there is a writer; keeps others out. The reads before it have to end still.
    Write,
    /// Fails if there is a writer. Acquires the lock if no read has begun since the last write; if one has,
    /// nothing is acquired yet: [`acquired::HAS_READS`].
    TryWrite,
    /// After `TryWrite`, all reads having ended: acquires the lock unless there are others.
    TryWriteAfter {
        /// How many reads had begun when these were found.
        begun: usize,
    },
    /// Ends a write.
    EndWrite {
        /// Whether the writer unwinds from a panic that began while it held the lock.
        poisons: bool,
    },
    /// Ends a write, and begins a read before another writer can come.
    Downgrade {
        /// The object on which the read will end.
        end: LocationId,
    },
}

impl RwLockAct {
    /// Of an operation that begins a read, or tries to: where it will end.
    pub fn begins_read(self) -> Option<LocationId> {
        match self {
            Self::Read { end } | Self::TryRead { end } | Self::Downgrade { end } => Some(end),
            _ => None,
        }
    }
}

impl RwLock {
    /// The ends of the reads since the last write.
    pub fn reads(&self) -> &[LocationId] {
        &self.reads
    }

    /// How many reads have begun in all.
    pub fn begun(&self) -> usize {
        self.begun
    }

    /// The thread that writes, or waits for reads to end.
    pub fn writer(&self) -> Option<ThreadId> {
        self.writer
    }

    pub(super) fn enabled(&self, act: RwLockAct, _: ThreadId) -> bool {
        self.writer.is_none() || !matches!(act, RwLockAct::Read { .. } | RwLockAct::Write)
    }

    pub(super) fn apply(&mut self, act: RwLockAct, thread: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match act {
            RwLockAct::TryRead { .. } | RwLockAct::TryWrite if self.writer.is_some() => {
                return acquired::WOULD_BLOCK;
            }
            RwLockAct::TryWriteAfter { begun } if self.writer.is_some() || self.begun != begun => {
                return acquired::WOULD_BLOCK;
            }
            RwLockAct::Read { end } | RwLockAct::TryRead { end } => {
                self.reads.push(end);
                self.begun += 1;
                edges.acquire(&self.written);
            }
            RwLockAct::TryWrite if !self.reads.is_empty() => return acquired::HAS_READS,
            RwLockAct::Write | RwLockAct::TryWrite | RwLockAct::TryWriteAfter { .. } => {
                self.writer = Some(thread);
                edges.acquire(&self.written);
            }
            RwLockAct::EndWrite { poisons } => {
                self.writer = None;
                self.reads.clear();
                self.poisoned |= poisons;
                self.written = edges.release();
                return 0;
            }
            RwLockAct::Downgrade { end } => {
                self.writer = None;
                self.reads = vec![end];
                self.begun += 1;
                self.written = edges.release();
                return 0;
            }
        }
        u64::from(self.poisoned)
    }
}

/// The end of one read.
#[derive(Debug, Clone, Default)]
pub struct ReadEnd(Option<Clock>);

/// An operation on the end of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadEndAct {
    /// The read ends.
    End,
    /// Blocks until it has ended.
    Await,
    /// 1 if it has ended. Acquires nothing.
    HasEnded,
}

impl ReadEnd {
    /// Whether the read has ended.
    pub fn has_ended(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn enabled(&self, act: ReadEndAct, _: ThreadId) -> bool {
        act != ReadEndAct::Await || self.0.is_some()
    }

    pub(super) fn apply(&mut self, act: ReadEndAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match (act, &self.0) {
            (ReadEndAct::End, _) => self.0 = Some(edges.release()),
            (ReadEndAct::Await, Some(ended)) => edges.acquire(ended),
            (ReadEndAct::Await, None) => {}
            (ReadEndAct::HasEnded, ended) => return u64::from(ended.is_some()),
        }
        0
    }
}
