//! What a check of all small scenarios found.

use std::fmt;
use std::time::Duration;

use super::Promise;
use crate::model::{CheckError, Engine, Report};

/// What a check of all small scenarios found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ScenariosReport {
    /// The page (the stem of the file) and the test.
    pub name: String,
    /// What was held against the scenarios.
    pub promise: Promise,
    /// The names of the operations.
    pub operations: Vec<String>,
    /// The names of the initial states; empty if there is one, without a name.
    pub starts: Vec<String>,
    /// The sizes: so many threads, with so many operations each or fewer.
    pub sizes: Vec<(usize, usize)>,
    /// How many scenarios were left out, because they differ from another only in which thread does
    /// what.
    pub symmetric: u64,
    /// How many scenarios there were besides.
    pub scenarios: u64,
    /// How many of those were explored: all, or those up to the expected failure.
    pub explored: u64,
    /// How many clients they were held against, all in all: each has one that makes sure of nothing,
    /// and those that make sure that one operation has ended before another begins.
    pub clients: u64,
    /// How the executions were made, and how many of them: the sum over all scenarios.
    pub engine: Engine,
    /// What was bounded in one of the scenarios, in words.
    pub bound: Option<String>,
    /// The failure that was expected and found.
    pub failure: Option<CheckError>,
    /// Wall time.
    pub elapsed: Duration,
}

impl ScenariosReport {
    /// Executions or rounds, over all scenarios and passes.
    pub fn executions(&self) -> u64 {
        self.engine.executions()
    }

    /// Whether every execution of every scenario was explored: on loom, and without a bound.
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
            (None, None, Engine::Loom { .. }) => write!(f, ", explored completely")?,
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
