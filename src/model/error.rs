//! Why `check` did not pass.

use std::fmt;

#[cfg(loom)]
use super::picture::Picture;
use super::{Failure, Promise};

/// Why a model did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The table does not allow an outcome that an execution reached.
    #[error("reached {outcome}, which the table {}\n{evidence}", judgement(.reason.as_deref(), .declared))]
    UnexpectedOutcome {
        /// The outcome, such as `total=1`.
        outcome: String,
        /// Why the table forbids it; `None` if the table does not mention it.
        reason: Option<String>,
        /// What the table declares.
        declared: Vec<String>,
        /// The interleaving that led to it.
        evidence: Evidence,
    },
    /// The table declares outcomes that no execution reached.
    #[error("never reached {}, which the table declares; reached: {}", list(.missing), list(.reached))]
    MissingOutcomes {
        /// What was declared and not reached.
        missing: Vec<String>,
        /// What was reached.
        reached: Vec<String>,
    },
    /// An execution failed.
    #[error("{failure}: {message}\n{evidence}")]
    Failed {
        /// In which way.
        failure: Failure,
        /// What happened.
        message: String,
        /// The interleaving that led to it.
        evidence: Evidence,
    },
    /// The model was expected to fail, and no execution did.
    #[error("expected {expected}, and no execution failed; reached: {}", list(.reached))]
    DidNotFail {
        /// The expected failure.
        expected: Failure,
        /// What was reached.
        reached: Vec<String>,
    },
    /// The model was expected to fail, and failed in another way.
    #[error("expected {expected}, found {found}")]
    FailedDifferently {
        /// The expected failure.
        expected: Failure,
        /// What was found instead.
        found: Box<CheckError>,
    },
    /// The model itself is wrong; no expectation accepts this.
    #[error("wrong model: {message}\n{evidence}")]
    WrongModel {
        /// What is wrong, and what would be accepted.
        message: String,
        /// The interleaving up to there; empty if the model never ran.
        evidence: Evidence,
    },
    /// There were more executions than the environment variable `SELVEDGE_LIMIT` allows, and no
    /// verdict yet.
    #[error(
        "cut short: {limit} executions were made, as many as SELVEDGE_LIMIT allows, and more were left"
    )]
    CutShort {
        /// The limit.
        limit: u64,
    },
    /// An execution of a scenario shows results that the promise does not allow.
    #[error("`{scenario}` is not {promise}: {results}\n{why}\n{evidence}")]
    Broken {
        /// The promise.
        promise: Promise,
        /// The scenario, such as `add || add, get`.
        scenario: String,
        /// What the operations returned.
        results: String,
        /// What each order of the operations would have given, the first few of them.
        why: String,
        /// The interleaving that led to it.
        evidence: Evidence,
    },
    /// A scenario fails in another way.
    #[error("in the scenario `{scenario}`: {found}")]
    InScenario {
        /// The scenario.
        scenario: String,
        /// What was found.
        found: Box<CheckError>,
    },
    /// A scenario was expected to break the promise, and none did.
    #[error("expected `{expected}` to break the promise, and none of {explored} scenarios did")]
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
    /// The environment sets a bound.
    #[error(
        "the environment variable {name}={value} would bound the exploration unseen: unset it; \
         bounds belong in the model, as .preemptions(n) or .steps(n)"
    )]
    EnvironmentBound {
        /// The variable's name.
        name: String,
        /// The variable's value.
        value: String,
    },
    /// On real threads, a round did not end.
    #[error("round {round} did not end within {seconds} s: still running: {}", list(.running))]
    Stuck {
        /// The round, counted from 1.
        round: u64,
        /// How long it was given, in seconds.
        seconds: u64,
        /// The threads that had not ended.
        running: Vec<String>,
    },
    /// One execution was replayed, as `SELVEDGE_REPLAY` asked: no verdict.
    #[error("replayed one execution, which is no verdict: it reached {outcome}\n{evidence}")]
    Replayed {
        /// The outcome of the execution.
        outcome: String,
        /// Its interleaving, in full.
        evidence: Evidence,
    },
}

impl CheckError {
    /// The failure that an execution showed, if that is what the error is about.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Failed { failure, .. } => Some(*failure),
            Self::FailedDifferently { found, .. }
            | Self::InScenario { found, .. }
            | Self::BrokenElsewhere { found, .. } => found.failure(),
            _ => None,
        }
    }

    /// The interleaving that led to the error, drawn; empty where there is none.
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

    /// The scenario in which it was found, if many were explored.
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

/// An interleaving, drawn: one column a thread, time downward.
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

fn list(outcomes: &[String]) -> String {
    if outcomes.is_empty() { "nothing".to_owned() } else { outcomes.join(", ") }
}
