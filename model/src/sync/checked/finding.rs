//! The faults that an exploration can find.

use std::collections::BTreeSet;

use super::event::Trace;
use super::record::{Learned, SpuriousPoint};

/// Why an exploration stopped before it was complete.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    DataRace {
        message: String,
    },
    Deadlock,
    /// A thread acquires a read-write lock that it already holds for reading.
    SelfDeadlock,
    Panic {
        thread: String,
        message: String,
    },
    Leak {
        message: String,
    },
    Livelock {
        steps: usize,
    },
    /// A thread that is alone, and does not wait, takes more steps than an execution may.
    TooLong {
        steps: usize,
    },
    /// An outcome that the table does not allow.
    Outcome {
        outcome: String,
    },
    /// There are more executions than `SELVEDGE_LIMIT`.
    LimitExceeded {
        limit: u64,
    },
    /// An execution does not end within the time limit: a thread blocks on something invisible.
    Timeout {
        seconds: u64,
    },
    /// Threads that never took a step that the checker could see.
    Invisible {
        threads: Vec<String>,
    },
    TooManyThreads {
        site: Option<String>,
    },
    NonDeterministic {
        thread: String,
        now: String,
        before: String,
    },
    ForeignObject {
        kind: &'static str,
        origin: &'static str,
        site: String,
    },
    /// An operation that the checker does not model.
    Unsupported {
        message: &'static str,
    },
    /// loom gave up for a reason of its own.
    Engine {
        message: String,
    },
    /// Not a fault: the exploration must begin again, with what it has learned.
    Restart,
    /// Not a fault: the execution that was to be replayed has ended.
    Replayed {
        outcome: String,
    },
}

/// A fault, and the execution that showed it.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) fault: Fault,
    pub(crate) execution: u64,
    pub(crate) trace: Trace,
    pub(crate) learned: Learned,
}

/// How a pass ended.
pub(crate) enum End {
    /// Every execution was explored.
    Complete { executions: u64, learned: Learned, spurious_points: BTreeSet<SpuriousPoint> },
    /// An execution showed a fault.
    Found(Box<Finding>),
}
