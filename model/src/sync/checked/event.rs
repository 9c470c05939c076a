//! What a trace is made of: who did what, where, to which object.

use std::panic::Location;

use super::thread::MAX_THREADS;

/// A call site in the code under test.
pub(crate) type Site = &'static Location<'static>;

/// How loads and stores are carried out: `loom-tests/README.md` says why there are two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Loads and stores as read-modify-writes: complete for sequential consistency, no stale reads.
    Interleaving,
    /// Real loads and stores, with touches that restore the dependencies loom forgets.
    WeakMemory,
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// `new(init)` runs; there is one thread.
    Setup,
    /// The declared threads run.
    Parallel,
    /// All declared threads have ended; `finally` runs.
    Finally,
}

/// A value as the trace shows it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, unreachable_pub, reason = "named by the sealed trait of what can be atomic")]
pub enum Value {
    Unsigned(u64),
    Signed(i64),
    Bool(bool),
    Pointer(usize),
}

/// What a thread did in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Load {
        what: &'static str,
        order: &'static str,
        value: Value,
        newest: Value,
    },
    Store {
        order: &'static str,
        value: Value,
    },
    Update {
        name: &'static str,
        order: &'static str,
        operand: Value,
        before: Value,
        after: Value,
    },
    CompareExchange {
        order: &'static str,
        expected: Value,
        new: Value,
        found: Value,
    },
    Fence {
        order: &'static str,
    },
    Lock,
    TryLock(bool),
    Unlock,
    Read,
    TryRead(bool),
    EndRead,
    Write,
    TryWrite(bool),
    EndWrite,
    Wait {
        /// The mutex.
        gives_back: usize,
    },
    /// The end of a wait, and whether somebody had notified.
    Woken(bool),
    NotifyOne,
    NotifyAll,
    Send(bool),
    Receive(bool),
    CloseSender,
    CloseReceiver,
    CellRead,
    CellWrite,
    Clone,
    Drop {
        last: bool,
    },
    Count(u64),
    Unique(bool),
    Spawn(usize),
    Join(usize),
    Park {
        woken: bool,
    },
    Unpark(usize),
    Yield,
    Panic(String),
    End,
    /// No step, but a line for the reader.
    Note(String),
    /// No step: others may learn at the handover of this number all that the thread knows.
    Gives(usize),
    /// No step: the thread has learned it.
    Takes(usize),
}

impl Action {
    /// Whether the step can make a difference to what others see.
    pub(super) fn changes_something(&self) -> bool {
        match self {
            Self::Load { .. }
            | Self::TryLock(false)
            | Self::TryRead(false)
            | Self::TryWrite(false)
            | Self::Send(false)
            | Self::Receive(false)
            | Self::CellRead
            | Self::Count(_)
            | Self::Fence { .. }
            | Self::Note(_)
            | Self::Gives(_)
            | Self::Takes(_)
            | Self::Yield => false,
            Self::Update { before, after, .. } => before != after,
            Self::CompareExchange { expected, found, .. } => expected == found,
            _ => true,
        }
    }
}

impl Action {
    /// Its ordering, if it has one.
    pub(crate) fn order(&self) -> Option<&'static str> {
        match self {
            Self::Load { order, .. }
            | Self::Store { order, .. }
            | Self::Update { order, .. }
            | Self::CompareExchange { order, .. }
            | Self::Fence { order } => Some(order),
            _ => None,
        }
    }

    /// Whether the step leaves something behind once its thread has come round a loop again: a lock
    /// is given back by then, and an owner dropped.
    pub(super) fn has_effect(&self) -> bool {
        self.changes_something()
            && !matches!(
                self,
                Self::Lock
                    | Self::TryLock(_)
                    | Self::Unlock
                    | Self::Read
                    | Self::TryRead(_)
                    | Self::EndRead
                    | Self::Write
                    | Self::TryWrite(_)
                    | Self::EndWrite
                    | Self::Wait { .. }
                    | Self::Woken(_)
                    | Self::Park { .. }
                    | Self::Clone
                    | Self::Drop { .. }
            )
    }
}

/// One line of a trace.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) thread: usize,
    pub(crate) site: Site,
    pub(crate) object: Option<usize>,
    pub(crate) action: Action,
    pub(crate) phase: Phase,
}

/// A shared object of the current execution.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// `a` for atomics, `m` for locks, …: with the ordinal, the label in the trace.
    pub(crate) letter: char,
    pub(crate) ordinal: usize,
    pub(crate) kind: &'static str,
    pub(crate) site: Site,
    /// The same in every execution that reaches this creation in the same way.
    pub(super) key: u64,
    /// The causal past of what the object holds: whoever reads it inherits it.
    pub(super) history: u64,
    /// An atomic: the value that it was made with.
    pub(crate) initial: Option<Value>,
    /// A lock: how many hold it (a writer counts as `WRITER`).
    pub(crate) holders: usize,
    /// A lock: how often each thread holds it for reading.
    pub(super) readers: [u8; MAX_THREADS],
    /// How many steps of each thread have changed it.
    pub(super) changes: [u64; MAX_THREADS],
    /// An atomic: a plain store of it has met other threads.
    pub(crate) stored: bool,
    /// An atomic: bit `t` is set once thread `t` has loaded it (the weak-memory pass asks).
    pub(crate) loaded_by: u8,
}

impl Object {
    /// One that nobody has touched.
    pub(crate) fn new(
        letter: char,
        ordinal: usize,
        kind: &'static str,
        site: Site,
        key: u64,
    ) -> Self {
        Self {
            letter,
            ordinal,
            kind,
            site,
            key,
            history: 0,
            initial: None,
            holders: 0,
            readers: [0; MAX_THREADS],
            changes: [0; MAX_THREADS],
            stored: false,
            loaded_by: 0,
        }
    }
}

/// `Object::holders` while a writer or the owner of a mutex holds it.
pub(crate) const WRITER: usize = usize::MAX;

/// The trace of one execution.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    pub(crate) threads: Vec<String>,
    pub(crate) objects: Vec<Object>,
    pub(crate) events: Vec<Event>,
    /// Threads that were inside an operation when the trace was taken.
    pub(crate) pending: Vec<(usize, Site, &'static str, Option<usize>)>,
}

impl Trace {
    /// Whether it holds a load or store that asks for sequential consistency.
    pub(crate) fn has_seq_cst_access(&self) -> bool {
        let asks = |order: &str| order == "sc";
        self.events.iter().any(|event| {
            event.phase == Phase::Parallel
                && match &event.action {
                    Action::Load { order, .. } | Action::Store { order, .. } => asks(order),
                    _ => false,
                }
        })
    }
}
