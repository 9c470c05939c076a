//! What a type may promise.

use std::fmt;

/// What a type promises to those who call it from several threads: each is weaker than the one
/// before, or not comparable with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Promise {
    /// One order explains all results. It keeps each thread's own order, and an operation that had
    /// ended before another began comes before it (Herlihy and Wing, 1990).
    #[default]
    Linearizable,
    /// One order explains all results. It keeps each thread's own order, and nothing else (Lamport,
    /// 1979): who has heard of an operation by other means need not see it.
    SequentiallyConsistent,
    /// One order explains all results. It keeps apart what a quiescent moment separates: one at which
    /// nothing was under way (Aspnes, Herlihy and Shavit, 1994). It need not keep a thread's own
    /// order.
    QuiescentlyConsistent,
    /// For each thread an order explains what *that thread* saw, and keeps each thread's own order:
    /// no two threads need agree (PRAM or FIFO consistency; Lipton and Sandberg, 1988). What is
    /// observed at the end has an order of its own as well.
    ThreadOrder,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linearizable => "linearizable",
            Self::SequentiallyConsistent => "sequentially consistent",
            Self::QuiescentlyConsistent => "quiescently consistent",
            Self::ThreadOrder => "consistent with each thread's own order",
        })
    }
}

impl Promise {
    /// Whether an order must keep each thread's own.
    pub(super) fn keeps_threads(self) -> bool {
        self != Self::QuiescentlyConsistent
    }
}
