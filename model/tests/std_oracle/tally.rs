//! What is counted over the programs of a family.

use std::collections::BTreeMap;

/// Why a program differs although that is known. The new engine (issue 16) removes these one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    /// FACTS 5: a waiting writer may hold up new readers, and make `try_read` fail: not explored.
    WaitingWriter,
    /// `limits.rs`: `notify_one` wakes the one that has waited longest; `std` does not say whom.
    NotifiesInOrder,
    /// A `wait_timeout` that was not notified always says that time was up; in `std` it may wake
    /// spuriously.
    TimeoutNeverSpurious,
    /// `missed_races.rs`: a read lock acquires what the read locks before it released.
    ReadersSynchronize,
    /// FACTS 11: with two readers and a `try_write` loom's state is invalid, and it gives up.
    TryWriteRefused,
}

impl Known {
    pub(crate) const ALL: [Self; 5] = [
        Self::WaitingWriter,
        Self::NotifiesInOrder,
        Self::TimeoutNeverSpurious,
        Self::ReadersSynchronize,
        Self::TryWriteRefused,
    ];
}

/// Counts of programs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) programs: u64,
    /// They can fail, which was found.
    pub(crate) failing: u64,
    pub(crate) missed: u64,
    pub(crate) false_alarms: u64,
    /// More was reached than there are interleavings for, where weak memory may be why.
    pub(crate) unjudged: u64,
    /// The report says that the exploration was bounded; and something was missed.
    pub(crate) bounded: (u64, u64),
    /// More executions than the limit, or more states than the machine has room for.
    pub(crate) too_large: u64,
    pub(crate) known: BTreeMap<Known, u64>,
}

impl Tally {
    /// A row whose numbers `cargo ci oracle` adds up.
    pub(crate) fn row(&self, family: &str) -> String {
        let known = Known::ALL.map(|known| {
            format!("{known:?} {}", self.known.get(&known).copied().unwrap_or_default())
        });
        format!(
            "| std | {family} | {} | {} failing | {} missed | {} false | {} unjudged | {} + {} bounded | {} too large | {} |",
            self.programs,
            self.failing,
            self.missed,
            self.false_alarms,
            self.unjudged,
            self.bounded.0,
            self.bounded.1,
            self.too_large,
            known.join(" ")
        )
    }
}
