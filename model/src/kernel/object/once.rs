//! Something that is done once.
//!
//! Whether it has been done is also in an atomic beside it, which is set before the attempt ends: a look at it takes no
//! turn among the operations here, and may find an old value.

use super::{Clock, Edges, ThreadId};

/// The caller is to do it.
pub const CLAIMED: u64 = 0;
/// The same, after an attempt that panicked.
pub const CLAIMED_AGAIN: u64 = 3;
/// It has been done.
pub const DONE: u64 = 1;
/// An earlier attempt panicked.
pub const POISONED_ONCE: u64 = 2;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Progress {
    #[default]
    Open,
    Running,
    Done,
    Poisoned,
}

/// The type of `std` that it is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "named after the types of std")]
pub enum OnceKind {
    #[default]
    Once,
    OnceLock,
    LazyLock,
}

/// The state of a `Once`.
#[derive(Debug, Clone, Default)]
pub struct Once {
    kind: OnceKind,
    progress: Progress,
    /// The end of the last attempt.
    released: Clock,
}

/// An operation on a `Once`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnceAct {
    /// Blocks while another attempt runs; returns [`CLAIMED`], [`CLAIMED_AGAIN`], [`DONE`] or
    /// [`POISONED_ONCE`].
    Begin {
        /// Whether a failed attempt is ignored.
        force: bool,
    },
    /// The attempt ends.
    Finish {
        /// Whether it is done now.
        done: bool,
        /// If it is not: whether later attempts must force.
        poisons: bool,
    },
    /// Blocks until it has been done, or [`POISONED_ONCE`].
    Wait {
        /// Whether a failed attempt is ignored.
        force: bool,
    },
}

impl Once {
    /// One that has not been done.
    pub fn new(kind: OnceKind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// One that has been done by its maker.
    pub fn done(kind: OnceKind) -> Self {
        Self { kind, progress: Progress::Done, released: Clock::default() }
    }

    /// The type of `std` that it is a part of.
    pub fn kind(&self) -> OnceKind {
        self.kind
    }

    pub(super) fn enabled(&self, act: OnceAct, _: ThreadId) -> bool {
        match act {
            OnceAct::Begin { .. } => self.progress != Progress::Running,
            OnceAct::Wait { force } => match self.progress {
                Progress::Done => true,
                Progress::Poisoned => !force,
                Progress::Open | Progress::Running => false,
            },
            OnceAct::Finish { .. } => true,
        }
    }

    pub(super) fn apply(&mut self, act: OnceAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match (act, self.progress) {
            (OnceAct::Finish { done, poisons }, _) => {
                self.progress = match (done, poisons) {
                    (true, _) => Progress::Done,
                    (false, true) => Progress::Poisoned,
                    (false, false) => Progress::Open,
                };
                self.released = edges.release();
                0
            }
            (OnceAct::Wait { .. } | OnceAct::Begin { .. }, Progress::Done) => {
                edges.acquire(&self.released);
                DONE
            }
            (
                OnceAct::Begin { force: false } | OnceAct::Wait { force: false },
                Progress::Poisoned,
            ) => {
                edges.acquire(&self.released);
                POISONED_ONCE
            }
            (OnceAct::Wait { .. }, _) => 0,
            (OnceAct::Begin { .. }, progress) => {
                edges.acquire(&self.released);
                self.progress = Progress::Running;
                if progress == Progress::Poisoned { CLAIMED_AGAIN } else { CLAIMED }
            }
        }
    }
}
