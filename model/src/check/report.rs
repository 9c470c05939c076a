//! The results of a check that passed.

use std::fmt;
use std::time::Duration;

#[cfg(loom)]
use super::picture::Picture;
use super::{Failure, Grade};

/// The result of a check that passed. [`Model::check`](super::Model::check) prints and returns it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The page (the name of the file, without `.rs`) and the test: `page::test`.
    pub name: String,
    /// The engine, and how many executions it explored.
    pub engine: Engine,
    /// Each outcome that was declared or reached, in the order of declaration.
    pub outcomes: Vec<Outcome>,
    /// The failure that [`Model::fails`](super::Model::fails) expects, if it does.
    pub failure: Option<ExpectedFailure>,
    /// The wall time of the check.
    pub elapsed: Duration,
}

/// The engine that runs the executions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// Exploration on loom: every execution within the bounds.
    Loom {
        /// The passes.
        passes: Vec<Pass>,
        /// The bound on preemptions in an execution, if there is one.
        preemptions: Option<usize>,
        /// The bound on spurious failures and wake-ups in an execution, if more of them were possible
        /// ([`Model::spurious`](super::Model::spurious)).
        spurious: Option<usize>,
        /// Other bounds that were reached, as text, with their place in the source.
        left_out: Vec<String>,
    },
    /// Rounds on real threads, which start together.
    Threads {
        /// The number of rounds.
        rounds: u64,
        /// Why no round was run, if none was.
        skipped: Option<&'static str>,
    },
}

/// A pass of an exploration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pass {
    /// `interleaving` or `weak memory`.
    pub name: &'static str,
    /// The number of executions.
    pub executions: u64,
    /// Why the pass was left out, if it was: loom would explore the same executions again.
    pub skipped: Option<&'static str>,
}

/// A row of the table of outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The outcome, such as `alice=1 total=2`.
    pub text: String,
    /// The grade that the table gives it.
    pub grade: Grade,
    /// The reason that the table gives.
    pub reason: String,
    /// The number of executions or rounds that reached it.
    pub seen: u64,
    /// On loom: the passes that reached it, with the number of executions in each.
    pub passes: Vec<(&'static str, u64)>,
    /// The first execution that reached it.
    pub witness: Option<Witness>,
}

impl Outcome {
    /// A row that was never reached.
    pub(super) fn new(text: &str, grade: Grade, reason: &str) -> Self {
        Self {
            text: text.to_owned(),
            grade,
            reason: reason.to_owned(),
            seen: 0,
            passes: Vec::new(),
            witness: None,
        }
    }

    /// Counts `seen` more executions of `pass`.
    #[cfg(loom)]
    pub(super) fn add(&mut self, pass: &'static str, seen: u64) {
        self.seen += seen;
        match self.passes.iter_mut().find(|(name, _)| *name == pass) {
            Some((_, sum)) => *sum += seen,
            None => self.passes.push((pass, seen)),
        }
    }
}

/// An execution that reached an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Witness {
    /// The pass: `interleaving`, or `weak memory` if no interleaving reaches the outcome.
    pub pass: &'static str,
    /// The number of the execution in its pass, counted from 1.
    pub execution: u64,
    /// The interleaving, as text.
    pub interleaving: String,
    /// The same as data.
    #[cfg(loom)]
    pub(super) picture: Picture,
}

/// A failure that was expected and found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExpectedFailure {
    /// The kind of failure.
    pub failure: Failure,
    /// The details, such as the text of a panic.
    pub message: String,
    /// The number of executions or rounds that failed: 1 on loom, which stops at the first.
    pub seen: u64,
    /// The interleaving, as text.
    pub interleaving: String,
    /// The same as data.
    #[cfg(loom)]
    pub(super) picture: Option<Box<Picture>>,
}

impl Engine {
    pub(super) fn executions(&self) -> u64 {
        match self {
            Self::Loom { passes, .. } => passes.iter().map(|pass| pass.executions).sum(),
            Self::Threads { rounds, .. } => *rounds,
        }
    }
}

/// The number of executions, by pass.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loom { passes, .. } => {
                let total = self.executions();
                write!(f, "{total} execution{} (", if total == 1 { "" } else { "s" })?;
                for (position, pass) in passes.iter().enumerate() {
                    let semicolon = if position == 0 { "" } else { "; " };
                    match pass.skipped {
                        None => write!(f, "{semicolon}{} {}", pass.name, pass.executions)?,
                        Some(why) => write!(f, "{semicolon}{} left out: {why}", pass.name)?,
                    }
                }
                f.write_str(")")
            }
            Self::Threads { skipped: Some(why), .. } => write!(f, "not run on threads: {why}"),
            Self::Threads { rounds, .. } => write!(f, "{rounds} rounds on real threads"),
        }
    }
}

impl Report {
    /// The number of executions or rounds, over all passes.
    pub fn executions(&self) -> u64 {
        self.engine.executions()
    }

    /// Whether every execution was explored. `false` on real threads, if a bound was reached, and if
    /// the exploration stopped at an expected failure.
    ///
    /// Executions that loom 0.7.3 does not explore are listed in the *Limits* of the crate.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none()
            && matches!(self.engine, Engine::Loom { .. })
            && self.bound().is_none()
    }

    /// The bounds of the exploration, as text: `2 preemptions, 1 spurious failure`.
    pub fn bound(&self) -> Option<String> {
        let Engine::Loom { preemptions, spurious, left_out, .. } = &self.engine else {
            return None;
        };
        let bounds = [(preemptions, "preemption"), (spurious, "spurious failure")];
        let bounds: Vec<String> = bounds
            .iter()
            .filter_map(|(bound, what)| {
                bound.map(|n| format!("{n} {what}{}", if n == 1 { "" } else { "s" }))
            })
            .chain(left_out.iter().cloned())
            .collect();
        (!bounds.is_empty()).then(|| bounds.join(", "))
    }

    /// The number of executions or rounds that reached `outcome`; 0 for one that is neither declared nor
    /// reached.
    pub fn seen(&self, outcome: &str) -> u64 {
        self.outcomes.iter().find(|row| row.text == outcome).map_or(0, |row| row.seen)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.elapsed.as_secs_f64() * 1e3;
        write!(f, "{}: {}", self.name, self.engine)?;
        match (&self.engine, &self.failure, self.bound()) {
            (Engine::Loom { .. }, None, None) => {
                write!(f, ", explored completely, within the limits of loom 0.7.3")?;
            }
            (Engine::Loom { .. }, None, Some(bound)) => write!(f, ", bounded ({bound})")?,
            _ => {}
        }
        writeln!(f, ", {milliseconds:.1} ms")?;
        if let Some(found) = &self.failure {
            writeln!(f, "  fails as expected, {}: {}", found.failure, found.message)?;
            write!(f, "{}", found.interleaving)?;
        }
        let width = self.outcomes.iter().map(|row| row.text.chars().count()).max().unwrap_or(0);
        for row in &self.outcomes {
            let weak = row.witness.as_ref().is_some_and(|witness| witness.pass == "weak memory");
            let weak = if weak { "  [only under weak memory]" } else { "" };
            writeln!(
                f,
                "  {:width$}  {:<11}  {:>8}  {}{weak}",
                row.text,
                row.grade.to_string(),
                row.seen,
                row.reason,
            )?;
        }
        for row in self.outcomes.iter().filter(|row| row.grade == Grade::Interesting) {
            if let Some(witness) = &row.witness {
                write!(f, "  {} is reached like this:\n{}", row.text, witness.interleaving)?;
            }
        }
        Ok(())
    }
}
