//! The same where there is no checker: real threads have one client, are watched by nobody, and nothing of
//! theirs is replayed.

use std::sync::Arc;

use super::clients::Client;
use super::history::{History, Judge};
use crate::check::identity::Identity;
use crate::check::plan::Plan;
use crate::check::{CheckError, Report};

/// Nobody is made to wait.
pub(super) struct Handover;

impl Handover {
    pub(super) fn new(_number: usize) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as on loom")]
    pub(super) fn give(&self) {}

    #[expect(clippy::unused_self, reason = "as on loom")]
    pub(super) fn take(&self) {}
}

/// Nobody knows when what was done.
pub(super) struct Spans;

#[expect(clippy::unused_self, reason = "as on loom")]
impl Spans {
    pub(super) fn new(_operations: usize) -> Self {
        Self
    }

    pub(super) fn begin(&self, _operation: usize) {}

    pub(super) fn end(&self, _operation: usize) {}
}

/// There are no other clients.
pub(super) struct Suspects;

#[expect(clippy::unused_self, reason = "as on loom")]
impl Suspects {
    pub(super) fn new(_judge: &Arc<Judge>, _clients: &[Arc<Client>]) -> Self {
        Self
    }

    pub(super) fn look_at(&self, _history: &History, _spans: &Spans) {}

    pub(super) fn include(&self, _position: usize) -> bool {
        false
    }
}

/// They are asked nothing beside the question.
pub(super) struct Probe;

impl Probe {
    #[expect(clippy::unnecessary_wraps, reason = "as on loom")]
    pub(super) fn from_environment() -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self))
    }
}

/// A round that fails leaves no report behind.
pub(super) fn run(
    identity: &Identity,
    plan: &Arc<Plan>,
    _: &Arc<Probe>,
) -> Result<(Report, Option<CheckError>), CheckError> {
    Ok((crate::check::rounds::check(identity, plan)?, None))
}

#[expect(clippy::unnecessary_wraps, reason = "as on loom")]
pub(super) fn replayed(
    _: &Identity,
    _scenarios: usize,
) -> Result<Option<(usize, usize)>, CheckError> {
    Ok(None)
}

pub(super) fn past_limit(_executions: u64) -> Option<CheckError> {
    None
}

pub(super) fn history() -> u64 {
    0
}
