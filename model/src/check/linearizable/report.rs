//! The result of a check of all small scenarios.

use std::fmt;
use std::time::Duration;

use super::Promise;
use crate::check::{CheckError, Engine, Report};

/// The result of a check of all small scenarios that passed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ScenariosReport {
    /// The page (the name of the file, without `.rs`) and the test: `page::test`.
    pub name: String,
    /// The promise that was checked.
    pub promise: Promise,
    /// The names of the operations.
    pub operations: Vec<String>,
    /// The names of the initial states; empty if none was declared.
    pub starts: Vec<String>,
    /// The sizes: the number of threads, and the maximum number of operations of each.
    pub sizes: Vec<(usize, usize)>,
    /// The number of scenarios that were omitted, because they equal another one up to a permutation of
    /// threads.
    pub symmetric: u64,
    /// The number of all other scenarios.
    pub scenarios: u64,
    /// The number of these that were explored: all, or those up to the expected failure.
    pub explored: u64,
    /// The number of clients (sets of precedence constraints) over all scenarios, including one without
    /// constraints for each scenario.
    pub clients: u64,
    /// The engine, and the number of executions over all scenarios.
    pub engine: Engine,
    /// A bound that was reached in one of the scenarios, as text.
    pub bound: Option<String>,
    /// The failure that [`Linearizable::fails`](super::Linearizable::fails) expects, if it does.
    pub failure: Option<CheckError>,
    /// The wall time of the check.
    pub elapsed: Duration,
}

impl ScenariosReport {
    /// The number of executions or rounds, over all scenarios and passes.
    pub fn executions(&self) -> u64 {
        self.engine.executions()
    }

    /// Whether every execution of every scenario was explored. `false` on real threads, if a bound was
    /// reached, and if the exploration stopped at an expected failure.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none() && self.bound.is_none() && matches!(self.engine, Engine::Loom { .. })
    }
}

impl ScenariosReport {
    /// Adds what was done in one scenario.
    pub(super) fn add(&mut self, explored: Report) {
        if self.bound.is_none() {
            self.bound = explored.bound();
        }
        match (&mut self.engine, explored.engine) {
            (Engine::Loom { passes, .. }, Engine::Loom { passes: more, .. }) => {
                for pass in more {
                    match passes.iter_mut().find(|known| known.name == pass.name) {
                        Some(known) => {
                            known.executions += pass.executions;
                            // It was needed somewhere.
                            known.skipped = known.skipped.and(pass.skipped);
                        }
                        None => passes.push(pass),
                    }
                }
            }
            (Engine::Threads { rounds, .. }, Engine::Threads { rounds: more, .. }) => {
                *rounds += more;
            }
            _ => unreachable!("all scenarios are explored in the same way"),
        }
    }
}

impl fmt::Display for ScenariosReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.elapsed.as_secs_f64() * 1e3;
        match &self.failure {
            None => write!(f, "{}: {}", self.name, self.promise)?,
            Some(_) => write!(f, "{}: not {}, as expected", self.name, self.promise)?,
        }
        write!(f, " on {} of {} scenarios", self.explored, self.scenarios)?;
        write!(f, " ({} more by symmetry), {} clients, ", self.symmetric, self.clients)?;
        write!(f, "{}", self.engine)?;
        match (&self.failure, &self.bound, &self.engine) {
            (None, None, Engine::Loom { .. }) => {
                write!(f, ", explored completely, within the limits of loom 0.7.3")?;
            }
            (_, Some(bound), _) => write!(f, ", bounded ({bound})")?,
            _ => {}
        }
        writeln!(f, ", {milliseconds:.1} ms")?;
        writeln!(f, "  operations: {}", self.operations.join(", "))?;
        if !self.starts.is_empty() {
            writeln!(f, "  from: {}", self.starts.join(", "))?;
        }
        let sizes: Vec<String> = self
            .sizes
            .iter()
            .map(|(threads, operations)| format!("{threads} x {operations}"))
            .collect();
        writeln!(f, "  threads x operations: {}", sizes.join(", "))?;
        match &self.failure {
            Some(failure) => writeln!(f, "{failure}"),
            None => Ok(()),
        }
    }
}
