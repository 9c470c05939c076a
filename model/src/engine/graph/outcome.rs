//! What an exploration finds, as data.

use std::fmt;
use std::sync::atomic::Ordering;

use super::event::Id;
use crate::kernel::{Access, LocationId, Operation, Site, ThreadId};

/// What a thread did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It made the location.
    Make(LocationId),
    /// It took a step.
    Step(Operation),
    /// It accessed plain memory, or ended a location.
    Access(LocationId, Access),
    /// A turn of a loop that waits ended.
    Turn,
    /// It began to panic: the text of this number says more.
    Panic(usize),
    /// Not a step: the text of this number is for the reader.
    Note(usize),
}

/// What a line of the trace says that is not data, and where it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The message of a panic, or the note.
    pub text: String,
    /// The file and its line.
    pub at: (String, u32),
}

/// What a thread did, and where: one side of a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    /// The thread.
    pub thread: ThreadId,
    /// How many of its events came before.
    pub index: u16,
    /// What it did.
    pub action: Action,
    /// Where.
    pub site: Site,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All threads ended.
    Complete,
    /// All threads ended, this one with a panic that no thread was told of.
    Panic {
        /// The thread.
        thread: ThreadId,
        /// The message.
        message: String,
    },
    /// No thread can take a step, and some have not ended.
    Deadlock(Vec<Blocked>),
    /// Happens-before orders neither access before the other, or the one is under way when the other takes place.
    Race {
        /// What both accessed.
        location: LocationId,
        /// The one that took place, or began, first in this run.
        first: Party,
        /// The other.
        second: Party,
        /// Whether the first has not ended when the second takes place. Its beginning then happens before it.
        under_way: bool,
    },
    /// A location is used by a thread that knows of its end.
    UseAfterFree {
        /// The location.
        location: LocationId,
        /// The end of the location.
        freed: Party,
        /// The use.
        used: Party,
    },
    /// All threads ended, and these values with counted owners were not dropped, or this memory was not freed:
    /// where each was made. Only if [`Config::leaks`](super::Config::leaks) says so.
    Leak(Vec<Party>),
    /// The program did something else when it was run again with the same choices.
    Nondeterministic {
        /// The thread.
        thread: ThreadId,
        /// What it did before: the place, and the location if there is one. `None`: it had ended.
        before: Option<(Site, Option<LocationId>)>,
        /// What it did now.
        now: Option<(Site, Option<LocationId>)>,
    },
    /// The program was run again, and the threads took the same steps, but something else came of it.
    OtherOutcome {
        /// What the threads returned; nothing if that is not known.
        before: String,
        /// What they return now, or how the execution ends.
        now: String,
    },
    /// The program cannot be modelled as it is.
    Misuse(String),
    /// A limit was reached.
    Bounded(Bound),
    /// Given up: a waiting loop would read something else in the end, and where it does is another
    /// execution. Not shown to the caller.
    #[doc(hidden)]
    Stutter,
    /// Given up: the SC axiom does not hold. Not shown to the caller.
    #[doc(hidden)]
    Inconsistent,
    /// Given up, to be run again with what was learned. Not shown to the caller.
    #[doc(hidden)]
    Again,
}

/// A thread that cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The thread.
    pub thread: ThreadId,
    /// What it waits to do; of a waiting loop, the last thing that it did.
    pub operation: Operation,
    /// Where.
    pub site: Site,
    /// Whether it spins in a loop that waits.
    pub spins: bool,
    /// Whether it waits in a `wait_until`.
    pub until: bool,
}

/// What cut an exploration short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// As many executions as were asked for.
    Executions,
    /// A thread took as many steps as it may.
    Steps {
        /// The thread.
        thread: ThreadId,
        /// Where it was.
        site: Site,
    },
    /// A loop that waits went round too often: its turns have an effect, or read nothing.
    Turns {
        /// The thread.
        thread: ThreadId,
        /// The end of its turn.
        site: Site,
    },
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executions => f.write_str("the limit of executions"),
            Self::Steps { site, .. } => {
                write!(f, "the limit of steps of a thread, at {}:{}", site.file(), site.line())
            }
            Self::Turns { site, .. } => {
                write!(
                    f,
                    "the loop at {}:{}, whose turns change something",
                    site.file(),
                    site.line()
                )
            }
        }
    }
}

/// A read from a write that did not synchronise with it. Both are lines of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsynchronised {
    /// The write, which happens after what was to be made known.
    pub write: usize,
    /// The read.
    pub read: usize,
    /// Whether the write releases that.
    pub releases: bool,
    /// Whether the read acquires.
    pub acquires: bool,
}

/// What happened in an execution.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The lines, in an order that agrees with program order and reads-from.
    pub lines: Vec<Line>,
    /// Each read finds the last write before it: the order is an interleaving of the threads, so the
    /// execution is sequentially consistent.
    pub is_interleaving: bool,
}

/// One line of a [`Trace`].
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// The thread.
    pub thread: ThreadId,
    /// What it did.
    pub action: Action,
    /// Where.
    pub site: Site,
    /// The ordering that applied, of an atomic operation.
    pub order: Option<Ordering>,
    /// What was read, the result of an act, or the branch chosen.
    pub result: u64,
    /// What was written, if something was.
    pub written: Option<u64>,
    /// What was read from, if something was read.
    pub source: Option<Source>,
    /// Of a read: whether nothing newer was there at the end.
    pub newest: bool,
    /// Of a write or an act: its position in modification order, or in the order of the acts.
    pub place: Option<usize>,
    pub(in crate::engine) event: Option<Id>,
}

impl Line {
    /// What a thread did; of what it read and wrote nothing is known yet.
    pub(in crate::engine) fn of(thread: ThreadId, action: Action, site: Site) -> Self {
        Self {
            thread,
            action,
            site,
            order: None,
            result: 0,
            written: None,
            source: None,
            newest: true,
            place: None,
            event: None,
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// What the location was made with.
    Initial,
    /// A line of the trace.
    Line(usize),
}
