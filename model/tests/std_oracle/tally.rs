//! What is counted over the programs of a family.

/// Counts of programs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) programs: u64,
    /// They can fail, which was found.
    pub(crate) failing: u64,
    pub(crate) missed: u64,
    pub(crate) false_alarms: u64,
    /// The report says that the exploration was bounded; and something was missed.
    pub(crate) bounded: (u64, u64),
    /// More executions than the limit, or more states than the machine has room for.
    pub(crate) too_large: u64,
    /// `std` allows more than the engine explores: see [`Policy`](crate::machine::Policy).
    pub(crate) overtaken_writers: u64,
}

impl Tally {
    /// A row of a table.
    pub(crate) fn row(&self, family: &str) -> String {
        format!(
            "| std | {family} | {} | {} failing | {} missed | {} false | {} + {} bounded | {} too large | {} overtaken writers |",
            self.programs,
            self.failing,
            self.missed,
            self.false_alarms,
            self.bounded.0,
            self.bounded.1,
            self.too_large,
            self.overtaken_writers
        )
    }
}
