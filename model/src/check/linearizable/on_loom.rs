//! What a check needs of the checker.

pub(super) use super::reorder::{Spans, Suspects};
use crate::check::CheckError;
use crate::check::identity::Identity;
pub(super) use crate::check::verdict::run;
use crate::check::verdict::{limit, scenario_to_replay};
pub(super) use crate::sync::checked::mutation::Probe;
pub(super) use crate::sync::checked::operation::Handover;
use crate::sync::checked::record;

/// The scenario and the client of which an execution is to be replayed, if there is one.
pub(super) fn replayed(
    identity: &Identity,
    scenarios: usize,
) -> Result<Option<(usize, usize)>, CheckError> {
    let replayed = scenario_to_replay(identity)?;
    match replayed.filter(|(number, _)| *number > scenarios) {
        Some((number, _)) => Err(CheckError::wrong_model(format!(
            "SELVEDGE_REPLAY: there is no scenario {number}, the check has {scenarios}"
        ))),
        None => Ok(replayed),
    }
}

/// `SELVEDGE_LIMIT` is for all scenarios together.
pub(super) fn past_limit(executions: u64) -> Option<CheckError> {
    match limit() {
        Ok(limit) => (executions > limit).then_some(CheckError::LimitExceeded { limit }),
        Err(error) => Some(error),
    }
}

/// All that the calling thread has done and seen.
pub(super) fn history() -> u64 {
    record::with(|recorder| recorder.thread().history()).unwrap_or_default()
}
