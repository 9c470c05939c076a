//! The results of a check that passed.

use std::fmt;
use std::time::Duration;

use super::{Failure, Grade};
#[cfg(loom)]
use crate::render::Picture;

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
    /// Every execution that C++20 allows, within the bounds, each once.
    Graphs {
        /// The number of executions.
        executions: u64,
        /// What was left out, as text, with its place in the source.
        bounds: Vec<String>,
        /// Whether a loop that waits had turns in which nothing changed. Each is explored once, not any number of times.
        idle_turns: bool,
        /// Whether waits with a limit time out only when no other thread can move
        /// ([`Model::patient`](super::Model::patient)).
        patient: bool,
        /// What the second engine explored.
        interleavings: Interleavings,
    },
    /// Rounds on real threads, which start together.
    Threads {
        /// The number of rounds.
        rounds: u64,
        /// Why no round was run, if none was.
        skipped: Option<&'static str>,
    },
}

/// What the second engine explored: the interleavings of the threads, under sequential consistency, on loom.
/// Their outcomes must be those of the sequentially consistent executions, of all where loom came to its end;
/// otherwise the check fails with [`EnginesDisagree`](super::CheckError::EnginesDisagree). Of what `std` leaves
/// open, both take the first choice here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interleavings {
    /// All, up to the order of independent steps: so many.
    Complete(u64),
    /// Not all: the first ones ([`Model::loom`](super::Model::loom)), or those with few preemptions.
    Capped {
        /// So many.
        interleavings: u64,
        /// With at most so many preemptions each ([`Model::preemptions`](super::Model::preemptions)).
        preemptions: Option<u8>,
    },
    /// None, for this reason.
    NotRun(String),
}

impl Default for Interleavings {
    fn default() -> Self {
        Self::NotRun("the exploration stopped at a failure".to_owned())
    }
}

impl fmt::Display for Interleavings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |n: u64| if n == 1 { "" } else { "s" };
        match self {
            Self::Complete(n) => write!(f, "loom agrees on {n} interleaving{}", s(*n)),
            Self::Capped { interleavings: n, preemptions: None } => {
                write!(f, "loom agrees on the first {n} interleaving{}", s(*n))
            }
            Self::Capped { interleavings: n, preemptions: Some(most) } => {
                let (s, ss) = (s(*n), s(u64::from(*most)));
                write!(f, "loom agrees on {n} interleaving{s} with at most {most} preemption{ss}")
            }
            Self::NotRun(why) => write!(f, "loom not run: {why}"),
        }
    }
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
    /// An execution that reached it: the first that is an interleaving, or else the first.
    pub witness: Option<Witness>,
}

impl Outcome {
    /// A row that was never reached.
    pub(super) fn new(text: &str, grade: Grade, reason: &str) -> Self {
        Self { text: text.to_owned(), grade, reason: reason.to_owned(), seen: 0, witness: None }
    }
}

/// An execution that reached an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Witness {
    /// Whether it is sequentially consistent: an interleaving of the threads. `false` only if no
    /// interleaving reaches the outcome.
    pub sequential: bool,
    /// The number of the execution, counted from 1.
    pub execution: u64,
    /// The execution, as text.
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
    /// The number of executions or rounds that failed: 1 in an exploration, which stops at the first.
    pub seen: u64,
    /// The execution, as text.
    pub interleaving: String,
    /// The same as data.
    #[cfg(loom)]
    pub(super) picture: Option<Box<Picture>>,
}

impl Engine {
    pub(super) fn executions(&self) -> u64 {
        match self {
            Self::Graphs { executions, .. } => *executions,
            Self::Threads { rounds, .. } => *rounds,
        }
    }

    /// Says of an exploration without bounds what that means.
    pub(super) fn write_complete(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = matches!(self, Self::Graphs { idle_turns: true, .. });
        write!(f, ", explored completely{}", if idle { " but for idle turns" } else { "" })
    }
}

/// The number of executions.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graphs { executions, .. } => {
                write!(f, "{executions} execution{}", if *executions == 1 { "" } else { "s" })
            }
            Self::Threads { skipped: Some(why), .. } => write!(f, "not run on threads: {why}"),
            Self::Threads { rounds, .. } => write!(f, "{rounds} rounds on real threads"),
        }
    }
}

impl Report {
    /// The number of executions or rounds.
    pub fn executions(&self) -> u64 {
        self.engine.executions()
    }

    /// The number of interleavings that the second engine explored; 0 if it was not run.
    pub fn interleavings(&self) -> u64 {
        match &self.engine {
            Engine::Graphs {
                interleavings:
                    Interleavings::Complete(n) | Interleavings::Capped { interleavings: n, .. },
                ..
            } => *n,
            _ => 0,
        }
    }

    /// Whether every execution was explored, of waiting loops but for idle turns, as [`Engine::Graphs`] says.
    /// `false` on real threads, if a bound was reached, and if the exploration stopped at an expected failure.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none()
            && matches!(self.engine, Engine::Graphs { .. })
            && self.bound().is_none()
    }

    /// What was left out, as text, with its place in the source.
    pub fn bound(&self) -> Option<String> {
        match &self.engine {
            Engine::Graphs { bounds, .. } if !bounds.is_empty() => Some(bounds.join(", ")),
            _ => None,
        }
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
            (engine @ Engine::Graphs { .. }, None, None) => engine.write_complete(f)?,
            (Engine::Graphs { .. }, None, Some(bound)) => write!(f, ", bounded ({bound})")?,
            _ => {}
        }
        if let Engine::Graphs { patient: true, .. } = &self.engine {
            f.write_str(", waits with a limit end only when nothing else can run")?;
        }
        if let (Engine::Graphs { interleavings, .. }, None) = (&self.engine, &self.failure) {
            write!(f, ", {interleavings}")?;
        }
        writeln!(f, ", {milliseconds:.1} ms")?;
        if let Some(found) = &self.failure {
            writeln!(f, "  fails as expected, {}: {}", found.failure, found.message)?;
            write!(f, "{}", found.interleaving)?;
        }
        let width = self.outcomes.iter().map(|row| row.text.chars().count()).max().unwrap_or(0);
        for row in &self.outcomes {
            let weak = row.witness.as_ref().is_some_and(|witness| !witness.sequential);
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
