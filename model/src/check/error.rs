//! The errors of a check.

use std::fmt;

use super::{Failure, Promise};
#[cfg(loom)]
use crate::render::Picture;

/// Why a model or a check of scenarios did not pass.
///
/// Each variant is printed with what was found and what is valid; where an execution shows the error, the
/// interleaving of that execution follows ([`evidence`](Self::evidence)).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// An execution reached an outcome that the table does not allow.
    #[error("reached {}, which the table {}\n{evidence}", told(.outcome), judgement(.reason.as_deref(), .declared))]
    UnexpectedOutcome {
        /// The outcome, such as `total=1`.
        outcome: String,
        /// Why the table forbids it; `None` if the table does not mention it.
        reason: Option<String>,
        /// The outcomes that the table declares.
        declared: Vec<String>,
        /// The interleaving that led to it.
        evidence: Evidence,
    },
    /// An execution reached an outcome for which a relation does not hold
    /// ([`Model::always`](super::Model::always)).
    #[error("reached {}, for which {relation:?} does not hold\n{evidence}", told(.outcome))]
    BrokenRelation {
        /// The name of the relation.
        relation: String,
        /// The outcome.
        outcome: String,
        /// The interleaving that led to it.
        evidence: Evidence,
    },
    /// The table declares outcomes that no execution reached.
    #[error("never reached {}, which the table declares; reached: {}{}", list(.missing), list(.reached), bounded(.bound.as_deref()))]
    MissingOutcomes {
        /// The outcomes declared and not reached.
        missing: Vec<String>,
        /// The outcomes reached.
        reached: Vec<String>,
        /// What was left out, if anything was.
        bound: Option<String>,
    },
    /// An execution failed.
    #[error("{failure}: {message}\n{evidence}")]
    Failed {
        /// The kind of failure.
        failure: Failure,
        /// The details, such as the text of a panic.
        message: String,
        /// The interleaving that led to it.
        evidence: Evidence,
    },
    /// [`Model::fails`](super::Model::fails) expects a failure, and no execution failed.
    #[error("expected {expected}, but no execution failed; reached: {}{}", list(.reached), bounded(.bound.as_deref()))]
    DidNotFail {
        /// The expected failure.
        expected: Failure,
        /// The outcomes reached.
        reached: Vec<String>,
        /// What was left out, if anything was.
        bound: Option<String>,
    },
    /// [`Model::fails`](super::Model::fails) expects a failure of another kind.
    #[error("expected {expected}, found {found}")]
    FailedDifferently {
        /// The expected failure.
        expected: Failure,
        /// What was found instead.
        found: Box<CheckError>,
    },
    /// The model or the environment is invalid, or the model uses what the checker does not support. This
    /// is always an error: [`Model::fails`](super::Model::fails) cannot expect it.
    #[error("wrong model: {message}\n{evidence}")]
    WrongModel {
        /// What is wrong, and what is valid.
        message: String,
        /// The interleaving so far; empty if the model did not run.
        evidence: Evidence,
    },
    /// The two engines do not find the same outcomes. No expectation accepts it. The model depends on what the
    /// checker does not see, or the checker is wrong about it.
    #[error(
        "the engines disagree: the model depends on something that is not from selvedge_model::sync, \
         or this is a bug of the checker, please report it\n{difference}"
    )]
    EnginesDisagree {
        /// The outcomes that only one engine found, and an execution of each.
        difference: String,
    },
    /// There are more executions than the environment variable `SELVEDGE_LIMIT` allows. The exploration
    /// is incomplete, so there is no verdict.
    #[error(
        "limit exceeded: SELVEDGE_LIMIT={limit} allows fewer executions than there are, so there is no verdict; raise it, \
         or unset it"
    )]
    LimitExceeded {
        /// The limit, in executions.
        limit: u64,
    },
    /// An execution of a scenario returned results that the promise does not allow.
    #[error("`{scenario}` is not {promise}: {results}\n{why}\n{evidence}")]
    Broken {
        /// The promise.
        promise: Promise,
        /// The scenario, such as `add || add, get`.
        scenario: String,
        /// What the operations returned.
        results: String,
        /// The results of sequential orders of the operations, of the first few.
        why: String,
        /// The interleaving that led to it.
        evidence: Evidence,
    },
    /// A scenario failed in a way other than breaking the promise.
    #[error("in the scenario `{scenario}`: {found}")]
    InScenario {
        /// The scenario.
        scenario: String,
        /// What was found.
        found: Box<CheckError>,
    },
    /// A scenario was expected to break the promise, and none did.
    #[error("expected `{expected}` to break the promise, but none of {explored} scenarios did")]
    NotBroken {
        /// The expected scenario.
        expected: String,
        /// How many scenarios were explored.
        explored: u64,
    },
    /// Another scenario failed before the one that was expected to break the promise, or that one
    /// failed in another way.
    #[error("expected `{expected}` to be the first to break the promise, found {found}")]
    BrokenElsewhere {
        /// The expected scenario.
        expected: String,
        /// What was found instead.
        found: Box<CheckError>,
    },
    /// An environment variable of loom would bound the exploration without the result saying so.
    #[error(
        "the environment variable {name}={value} would silently bound the exploration: unset it, and \
         set bounds in the model, with .executions(n) or .steps(n)"
    )]
    EnvironmentBound {
        /// The variable's name.
        name: String,
        /// The variable's value.
        value: String,
    },
    /// On real threads, a round did not end within the time limit.
    #[error("timeout: round {round} did not end within {seconds} s; still running: {}", list(.running))]
    Timeout {
        /// The round, counted from 1.
        round: u64,
        /// The time limit, in seconds: `SELVEDGE_PATIENCE`.
        seconds: u64,
        /// The threads that had not ended.
        running: Vec<String>,
    },
    /// `SELVEDGE_REPLAY` asked for one execution, which was replayed. There is no verdict.
    #[error("replayed one execution, which gives no verdict: it reached {outcome}\n{evidence}")]
    Replayed {
        /// The outcome of the execution.
        outcome: String,
        /// Its interleaving, in full.
        evidence: Evidence,
    },
}

impl CheckError {
    /// The kind of failure, if the error is a failed execution.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Failed { failure, .. } => Some(*failure),
            Self::FailedDifferently { found, .. }
            | Self::InScenario { found, .. }
            | Self::BrokenElsewhere { found, .. } => found.failure(),
            _ => None,
        }
    }

    /// The interleaving that led to the error, as text; empty if there is none.
    pub fn evidence(&self) -> &str {
        self.found().map_or("", |evidence| &evidence.text)
    }

    /// The same as data.
    #[cfg(loom)]
    pub(super) fn picture(&self) -> Option<&Picture> {
        self.found()?.picture.as_deref()
    }

    fn found(&self) -> Option<&Evidence> {
        match self {
            Self::UnexpectedOutcome { evidence, .. }
            | Self::BrokenRelation { evidence, .. }
            | Self::Failed { evidence, .. }
            | Self::WrongModel { evidence, .. }
            | Self::Broken { evidence, .. }
            | Self::Replayed { evidence, .. } => Some(evidence),
            Self::FailedDifferently { found, .. }
            | Self::InScenario { found, .. }
            | Self::BrokenElsewhere { found, .. } => found.found(),
            _ => None,
        }
    }

    /// The scenario that failed, for a check of scenarios.
    pub fn scenario(&self) -> Option<&str> {
        match self {
            Self::Broken { scenario, .. } | Self::InScenario { scenario, .. } => Some(scenario),
            Self::BrokenElsewhere { found, .. } => found.scenario(),
            _ => None,
        }
    }

    /// What the operations of a scenario that breaks its promise returned.
    #[cfg(loom)]
    pub(super) fn results(&self) -> Option<&str> {
        match self {
            Self::Broken { results, .. } => Some(results),
            _ => None,
        }
    }

    pub(crate) fn wrong_model(message: impl Into<String>) -> Self {
        Self::WrongModel { message: message.into(), evidence: Evidence::default() }
    }
}

/// An interleaving as text: one column a thread, time downward.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    pub(crate) text: String,
    /// What is drawn.
    #[cfg(loom)]
    pub(super) picture: Option<Box<Picture>>,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn judgement(reason: Option<&str>, declared: &[String]) -> String {
    match reason {
        Some(reason) => format!("forbids: {reason}"),
        None => format!("does not declare; it declares {}", list(declared)),
    }
}

fn bounded(bound: Option<&str>) -> String {
    let Some(bound) = bound else { return String::new() };
    #[cfg(loom)]
    if let Some(advice) = selvedge_results::advice::on(bound) {
        return format!("; bounded ({bound}): {advice}");
    }
    format!("; bounded ({bound})")
}

fn list(outcomes: &[String]) -> String {
    if outcomes.is_empty() {
        return "nothing".to_owned();
    }
    let told: Vec<_> = outcomes.iter().map(|outcome| told(outcome)).collect();
    told.join(", ")
}

/// An outcome as an error names it: in quotes where white space at its ends would not be seen.
fn told(outcome: &str) -> String {
    if outcome.trim() == outcome { outcome.to_owned() } else { format!("{outcome:?}") }
}
