//! What a passed check found.

use std::fmt;
use std::time::Duration;

#[cfg(loom)]
use super::picture::Picture;
use super::{Failure, Grade};

/// What a check found: returned by `check`, printed by it too.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The page (the stem of the file) and the test.
    pub name: String,
    /// How the executions were made.
    pub engine: Engine,
    /// Each outcome that was declared or reached, in the order of declaration.
    pub outcomes: Vec<Outcome>,
    /// The failure that was expected and found.
    pub failure: Option<Found>,
    /// Wall time.
    pub elapsed: Duration,
}

/// How executions are made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// On loom: every execution within the bound.
    Loom {
        /// What each pass did.
        passes: Vec<Pass>,
        /// The most preemptions in an execution, if they were bounded.
        preemptions: Option<usize>,
        /// The most steps of an execution that did nothing for no reason (a
        /// `compare_exchange_weak` that fails, a wait that ends), if more were possible.
        spurious: Option<usize>,
        /// What else was left out, and where, in words.
        left_out: Vec<String>,
    },
    /// On real threads, started together.
    Threads {
        /// How many rounds were run.
        rounds: u64,
        /// Why none was run, where none was.
        skipped: Option<&'static str>,
    },
}

/// What one pass of an exploration did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pass {
    /// `interleaving` or `weak memory`.
    pub name: &'static str,
    /// How many executions it made.
    pub executions: u64,
    /// Why it was not needed, where it was not.
    pub skipped: Option<&'static str>,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The outcome, such as `alice=1 total=2`.
    pub text: String,
    /// How the table grades it.
    pub grade: Grade,
    /// Why, in the table's words.
    pub reason: String,
    /// In how many executions or rounds it was reached.
    pub seen: u64,
    /// On loom: by which passes it was reached, and in how many executions of each.
    pub passes: Vec<(&'static str, u64)>,
    /// The execution that reached it first.
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
    /// `interleaving` or `weak memory`: the latter only where no interleaving alone reaches it.
    pub pass: &'static str,
    /// The number of the execution in its pass, counted from 1.
    pub execution: u64,
    /// The interleaving, drawn.
    pub interleaving: String,
    /// What is drawn.
    #[cfg(loom)]
    pub(super) picture: Picture,
}

/// An expected failure, found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Found {
    /// In which way the model failed.
    pub failure: Failure,
    /// What happened.
    pub message: String,
    /// In how many executions or rounds: on loom 1, because the exploration stops there.
    pub seen: u64,
    /// The interleaving, drawn.
    pub interleaving: String,
    /// What is drawn.
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

/// How many executions, of which kind.
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
                        Some(why) => write!(f, "{semicolon}{} not needed: {why}", pass.name)?,
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
    /// Executions or rounds, over all passes.
    pub fn executions(&self) -> u64 {
        self.engine.executions()
    }

    /// Whether every execution was explored: on loom, without a bound, and to the end.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none()
            && matches!(self.engine, Engine::Loom { .. })
            && self.bound().is_none()
    }

    /// What the exploration was bounded by, in words: `2 preemptions, 1 spurious failure`.
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

    /// How often `outcome` was reached; 0 also for an outcome that nobody declared.
    pub fn seen(&self, outcome: &str) -> u64 {
        self.outcomes.iter().find(|row| row.text == outcome).map_or(0, |row| row.seen)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.elapsed.as_secs_f64() * 1e3;
        write!(f, "{}: {}", self.name, self.engine)?;
        match (&self.engine, &self.failure, self.bound()) {
            (Engine::Loom { .. }, None, None) => write!(f, ", explored completely")?,
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
