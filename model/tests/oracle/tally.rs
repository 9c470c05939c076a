//! What is counted over the programs of a family.

use std::collections::BTreeSet;

use crate::checked::Reached;
use crate::program::Program;

/// One program in so many is also run in plain loom.
#[cfg(loom)]
const PLAIN: u64 = 10;

/// Counts of programs, if not of executions.
#[derive(Default)]
pub(crate) struct Tally {
    programs: u64,
    /// They deadlock, which the harness must find.
    pub(crate) deadlocks: u64,
    /// Run in plain loom too, and those of which it misses a sequentially consistent outcome.
    plain: (u64, u64),
    /// Executions of these: of both passes, and of plain loom.
    executions: (u64, u64),
    /// Weak memory allows an outcome that is not reached.
    weaker: u64,
    /// An outcome is reached that is not allowed: of programs with `SeqCst` accesses, and of others.
    false_alarms: (u64, u64),
}

impl Tally {
    /// Counts a program that misses nothing.
    #[cfg_attr(
        not(loom),
        expect(unused_variables, clippy::unused_self, reason = "counts executions")
    )]
    pub(crate) fn count(
        &mut self,
        program: &Program,
        reached: &Reached,
        sequential: &BTreeSet<String>,
        weak: Option<&BTreeSet<String>>,
    ) {
        #[cfg(loom)]
        {
            let all = reached.all();
            self.programs += 1;
            match weak {
                Some(weak) => {
                    self.weaker += u64::from(!weak.is_subset(&all));
                    self.false_alarms.1 += u64::from(!all.is_subset(weak));
                }
                None => self.false_alarms.0 += u64::from(all != *sequential),
            }
            if self.programs % PLAIN == 1 && !program.waits() {
                let (plain, executions) = crate::plain::reached(program);
                self.plain.0 += 1;
                self.plain.1 += u64::from(!sequential.is_subset(&plain));
                self.executions.0 += reached.executions();
                self.executions.1 += executions;
            }
        }
    }

    /// A row of the table in `loom-tests/README.md`. The three zeros are what the passes, and both
    /// together, miss: a program of which they miss anything fails.
    pub(crate) fn row(&self, threads: usize, steps: usize, name: &str) -> String {
        let Self { programs, deadlocks, plain, executions, .. } = self;
        let plain = match plain {
            (0, _) => "-".to_owned(),
            (run, missed) => format!("{missed} of {run}"),
        };
        let executions = match executions {
            (0, _) => "-".to_owned(),
            (ours, plain) => format!("{ours} / {plain}"),
        };
        format!(
            "| {threads} x {steps} | {name} | {} | {deadlocks} | {plain} | 0 | 0 | 0 | {} | {} + {} | {executions} |",
            programs + deadlocks,
            self.weaker,
            self.false_alarms.0,
            self.false_alarms.1,
        )
    }
}
