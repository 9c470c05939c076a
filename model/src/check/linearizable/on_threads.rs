//! The same where there is no checker: real threads are explored without constraints, and nothing is
//! replayed.

use std::sync::Arc;

use super::specification::Alone;
use crate::check::identity::Identity;
use crate::check::plan::Plan;
use crate::check::{CheckError, Report, panics};

/// They are asked nothing beside the question.
pub(super) struct Probe;

impl Probe {
    #[expect(clippy::unnecessary_wraps, reason = "as on loom")]
    pub(super) fn from_environment() -> Result<Option<Arc<Self>>, String> {
        Ok(None)
    }
}

/// A round that fails leaves no report behind.
pub(super) fn run(
    identity: &Identity,
    plan: &Arc<Plan>,
    _: Option<&Arc<Probe>>,
) -> Result<(Report, Option<CheckError>), CheckError> {
    Ok((crate::check::rounds::check(identity, plan)?, None))
}

#[expect(clippy::unnecessary_wraps, reason = "as on loom")]
pub(super) fn interleavings(_scenario: usize) -> Result<u64, CheckError> {
    Ok(0)
}

#[expect(clippy::unnecessary_wraps, reason = "as on loom")]
pub(super) fn replayed(_: &Identity, _scenarios: usize) -> Result<Option<usize>, CheckError> {
    Ok(None)
}

/// What `run` returns.
pub(super) fn alone<R>(run: impl Fn() -> R) -> Result<R, Alone> {
    panics::catch(run).map_err(Alone::Panics)
}

pub(super) fn past_limit(_executions: u64) -> Option<CheckError> {
    None
}

/// It is not known how far a thread has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment;

pub(super) fn now() -> Moment {
    Moment
}
