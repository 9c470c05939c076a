//! The result of a check of all small scenarios.

use std::fmt;
use std::time::Duration;

use super::Promise;
use crate::check::{CheckError, Engine, Report};

/// Of so many scenarios, the second engine explores one, the first of them.
pub const SAMPLE: usize = 20;

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
    /// The engine, and the number of executions over all scenarios.
    pub engine: Engine,
    /// The number of scenarios whose interleavings the second engine explored, to hold the outcomes against
    /// those of the first: one of [`SAMPLE`] scenarios.
    pub compared: u64,
    /// The number of these interleavings.
    pub interleavings: u64,
    /// A bound that was reached in one of the scenarios, as text.
    pub bound: Option<String>,
    /// The failure that [`Linearizable::fails`](super::Linearizable::fails) expects, if it does.
    pub failure: Option<CheckError>,
    /// The wall time of the check.
    pub elapsed: Duration,
}

impl ScenariosReport {
    /// The number of executions or rounds, over all scenarios.
    pub fn executions(&self) -> u64 {
        self.engine.executions()
    }

    /// Whether every execution of every scenario was explored. `false` on real threads, if a bound was
    /// reached, and if the exploration stopped at an expected failure.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none()
            && self.bound.is_none()
            && matches!(self.engine, Engine::Graphs { .. })
    }
}

impl ScenariosReport {
    /// Adds what was done in one scenario.
    pub(super) fn add(&mut self, explored: Report) {
        if self.bound.is_none() {
            self.bound = explored.bound();
        }
        let interleavings = explored.interleavings();
        self.compared += u64::from(interleavings > 0);
        self.interleavings += interleavings;
        match (&mut self.engine, explored.engine) {
            (
                Engine::Graphs { executions, idle_turns, .. },
                Engine::Graphs { executions: more, idle_turns: also, .. },
            ) => {
                *executions += more;
                *idle_turns |= also;
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
        write!(f, " ({} more by symmetry), ", self.symmetric)?;
        write!(f, "{}", self.engine)?;
        match (&self.failure, &self.bound, &self.engine) {
            (None, None, engine @ Engine::Graphs { .. }) => engine.write_complete(f)?,
            (_, Some(bound), _) => write!(f, ", bounded ({bound})")?,
            _ => {}
        }
        if self.compared > 0 {
            let (n, of) = (self.interleavings, self.compared);
            write!(f, ", loom agrees on {n} interleavings of {of} scenarios")?;
        } else if matches!(self.engine, Engine::Graphs { .. }) {
            f.write_str(", loom not run")?;
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
