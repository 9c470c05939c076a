//! The consistency conditions that can be checked.

use std::fmt;

/// The consistency condition that a type promises for concurrent calls. Each is weaker than
/// [`Linearizable`](Self::Linearizable).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Promise {
    /// One order explains all results. It preserves the program order of each thread, and an operation that
    /// ends before another begins precedes it (Herlihy and Wing, 1990).
    #[default]
    Linearizable,
    /// One order explains all results. It preserves the program order of each thread, but not the order
    /// between threads in time (Lamport, 1979).
    SequentiallyConsistent,
    /// One order explains all results. It preserves the order of operations that are separated by a
    /// quiescent point, at which no operation is pending (Aspnes, Herlihy and Shavit, 1994). It need not
    /// preserve the program order of a thread.
    QuiescentlyConsistent,
    /// For each thread some order explains the results of *that thread*, and preserves the program order of
    /// each thread; the orders of two threads may differ (PRAM or FIFO consistency; Lipton and Sandberg,
    /// 1988). The final observation may have yet another order.
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
