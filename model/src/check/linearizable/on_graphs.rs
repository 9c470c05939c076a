//! What a check needs of the checker.

use std::ops::ControlFlow;

use super::SAMPLE;
use super::specification::Alone;
use crate::check::CheckError;
use crate::check::identity::Identity;
pub(super) use crate::check::verdict::run;
use crate::check::verdict::{limit, loom_by_environment, scenario_to_replay};
use crate::engine::graph::{self, Config, Ending, Point};
use crate::kernel::{self, Policy};
pub(super) use crate::mutation::Probe;
use crate::render::describe;

/// How many interleavings of a scenario of the sample the second engine explores at most, unless `SELVEDGE_LOOM` says
/// otherwise.
const INTERLEAVINGS: u64 = 200;

/// How many interleavings of scenario number `scenario`, counted from 1, the second engine may explore.
pub(super) fn interleavings(scenario: usize) -> Result<u64, CheckError> {
    let asked = loom_by_environment()?.unwrap_or(INTERLEAVINGS);
    Ok(if scenario % SAMPLE == 1 { asked } else { 0 })
}

/// The scenario of which an execution is to be replayed, if there is one.
pub(super) fn replayed(identity: &Identity, scenarios: usize) -> Result<Option<usize>, CheckError> {
    let replayed = scenario_to_replay(identity)?;
    match replayed.filter(|number| *number > scenarios) {
        Some(number) => Err(CheckError::wrong_model(format!(
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

/// What `run` returns in an execution of its own: what a static holds starts anew.
pub(super) fn alone<R>(run: impl Fn() -> R) -> Result<R, Alone> {
    let policy = Policy { spurious: false, patient: true };
    let config = Config { executions: 1, policy, ..Config::default() };
    let mut found = None;
    graph::explore_results(&config, run, |execution, returned| {
        found = Some(match (execution.ending(), returned) {
            (Ending::Complete, Some(returned)) => Ok(returned),
            (Ending::Panic { message, .. }, _) => Err(Alone::Panics(message.clone())),
            (Ending::Deadlock(_), _) => Err(Alone::Blocks(describe(execution))),
            _ => Err(Alone::Fails(describe(execution))),
        });
        ControlFlow::Break(())
    });
    found.unwrap_or_else(|| Err(Alone::Fails("it does not end".to_owned())))
}

/// How far a thread has come.
pub(super) type Moment = Point;

/// How far the calling thread has come.
pub(super) fn now() -> Moment {
    let here = kernel::with(|engine| Point { thread: engine.thread(), steps: engine.steps() });
    here.unwrap_or(Point { thread: 0, steps: 0 })
}
