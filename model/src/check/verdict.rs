//! What an exploration found, held against what the model declares.

use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use selvedge_results::advice;

use super::explore::{Explored, Fault, Finding, Shown, Task, explore};
use super::identity::Identity;
use super::plan::First;
use super::{CheckError, Engine, Evidence, ExpectedFailure, Grade, Outcome, Plan, Report, Witness};
use super::{results, unreplayed};
use crate::mutation::Probe;

/// One execution to be replayed, as `SELVEDGE_REPLAY` names it.
struct Replay {
    model: usize,
    /// Of a check of many scenarios: which one.
    scenario: Option<usize>,
    execution: u64,
}

/// Checks the model, and appends the result.
pub(super) fn check(identity: &Identity, plan: &Arc<Plan>) -> Result<Report, CheckError> {
    let probe = Probe::from_environment().map_err(CheckError::wrong_model)?;
    let (report, error) = run(identity, plan, probe.as_ref())?;
    tell_not_made(identity, probe.as_deref());
    // An exploration without a table asserts nothing: whether an error is one, its caller knows. With the change of a
    // mutant it is the verdict that cargo-selvedge asks for.
    let is_mutated = probe.as_ref().is_some_and(|probe| probe.applied() > Some(0));
    if plan.judges || plan.first == First::Main || error.is_none() || is_mutated {
        results::append(identity, &report, error.as_ref(), probe.as_deref());
    }
    error.map_or(Ok(report), Err)
}

/// Says on stderr, past the capture of tests, that a mutant has changed nothing: the name of its operation may be wrong.
pub(super) fn tell_not_made(identity: &Identity, probe: Option<&Probe>) {
    if let Some(why) = probe.and_then(Probe::not_made) {
        // A message that nothing reads must not fail a test.
        let _ = writeln!(std::io::stderr(), "{}: {why}", identity.name());
    }
}

/// Says on stderr, past the capture of tests, that a check which passes is bounded: `ok` would be taken for a proof.
/// cargo-selvedge, which asks for results, says so itself.
pub(super) fn warn_of_bound(name: &str, bound: Option<String>) {
    let Some(bound) = bound.filter(|_| std::env::var_os(selvedge_results::FOLDER).is_none()) else {
        return;
    };
    let advice = advice::on(&bound).map(|advice| format!("; {advice}")).unwrap_or_default();
    // A message that nothing reads must not fail a test.
    let _ = writeln!(std::io::stderr(), "{name}: bounded, which is no proof: {bound}{advice}");
}

/// Explores the model: the report, and why it does not pass, if it does not.
///
/// # Errors
///
/// Whatever prevents a report: an invalid environment variable, or a replay of an execution that does
/// not exist.
pub(super) fn run(
    identity: &Identity,
    plan: &Arc<Plan>,
    probe: Option<&Arc<Probe>>,
) -> Result<(Report, Option<CheckError>), CheckError> {
    let start = Instant::now();
    let replay = replay()?.filter(|replay| replay.is_of(identity)).map(|replay| replay.execution);
    if replay.is_some() {
        unreplayed::replays();
    }
    let patience = super::patience(super::PATIENCE)?;
    let asks = replay.is_none() && probe.is_none_or(|probe| probe.applied().is_none());
    let loom = if asks { loom(plan)? } else { 0 };
    let (model, limit) = (identity.name(), limit()?);
    let task = Task { model, replay, limit, patience, probe: probe.cloned(), loom };
    let explored = explore(plan, &task);
    let Explored { executions, outcomes: reached, mut finding, bounds, idle_turns, interleavings } =
        explored;
    if let (Some(replay), None) = (replay, &finding) {
        return Err(CheckError::wrong_model(format!(
            "SELVEDGE_REPLAY: there is no execution {replay}: the model has executions 1 to {executions}, of which a check \
             that stops at a failure counts only the first"
        )));
    }
    let mut outcomes: Vec<Outcome> =
        plan.table.iter().map(|row| Outcome::new(&row.outcome, row.grade, &row.reason)).collect();
    for reached in reached {
        let witness = Some(witness(reached.witness));
        if let Some(row) = outcomes.iter_mut().find(|row| row.text == reached.text) {
            (row.seen, row.witness) = (reached.seen, witness);
        } else {
            // No table speaks of it: the model is to fail, only explores, or has relations.
            let row = Outcome::new(&reached.text, Grade::Acceptable, &plan.reason("reached"));
            outcomes.push(Outcome { seen: reached.seen, witness, ..row });
        }
    }
    let mut report = Report {
        name: identity.name(),
        engine: Engine::Graphs {
            executions,
            bounds: bounds.into_iter().collect(),
            idle_turns,
            patient: plan.patient,
            interleavings,
        },
        outcomes,
        failure: None,
        elapsed: start.elapsed(),
    };
    let verdict = judge(identity, plan, &mut report, finding.take(), replay.is_some());
    // A replay gives no verdict, also where the failure is expected.
    let expected = report.failure.as_ref().filter(|_| replay.is_some() && verdict.is_ok());
    let replayed = expected.map(|found| CheckError::Replayed {
        outcome: format!("{}: {}", found.failure, found.message),
        evidence: Evidence { text: found.interleaving.clone(), picture: found.picture.clone() },
    });
    Ok((report, verdict.err().or(replayed)))
}

fn witness(shown: Shown) -> Witness {
    Witness {
        sequential: shown.sequential,
        execution: shown.execution,
        interleaving: shown.picture.to_string(),
        picture: shown.picture,
    }
}

/// Holds what was found against what was declared.
fn judge(
    identity: &Identity,
    plan: &Plan,
    report: &mut Report,
    finding: Option<Finding>,
    is_replay: bool,
) -> Result<(), CheckError> {
    let reached = || -> Vec<String> {
        report.outcomes.iter().filter(|row| row.seen > 0).map(|row| row.text.clone()).collect()
    };
    let Some(finding) = finding else {
        if let Some(expected) = plan.fails {
            return Err(CheckError::DidNotFail {
                expected,
                reached: reached(),
                bound: report.bound(),
            });
        }
        if let (Some(relation), true) = (plan.relations.first(), reached().is_empty()) {
            return Err(CheckError::wrong_model(format!(
                "no execution came to an end, so that the relation {:?} was asked of no outcome; bounded: {}",
                relation.name,
                report.bound().unwrap_or_default()
            )));
        }
        let missing: Vec<String> = report
            .outcomes
            .iter()
            .filter(|row| row.grade != Grade::Forbidden && row.seen == 0)
            .map(|row| row.text.clone())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        return Err(CheckError::MissingOutcomes {
            missing,
            reached: reached(),
            bound: report.bound(),
        });
    };
    let error = explain(identity, plan, finding, is_replay);
    match (plan.fails, error) {
        (Some(expected), CheckError::Failed { failure, message, evidence })
            if failure == expected =>
        {
            let Evidence { text: interleaving, picture } = evidence;
            report.failure =
                Some(ExpectedFailure { failure, message, seen: 1, interleaving, picture });
            Ok(())
        }
        (Some(expected), found @ CheckError::Failed { .. }) => {
            Err(CheckError::FailedDifferently { expected, found: Box::new(found) })
        }
        (_, error) => Err(error),
    }
}

/// What a finding means, with the execution that shows it.
fn explain(
    identity: &Identity,
    plan: &Plan,
    Finding { fault, shown }: Finding,
    is_replay: bool,
) -> CheckError {
    let evidence = || evidence(identity, shown.as_ref(), &fault, is_replay);
    let wrong = |message: String| CheckError::WrongModel { evidence: evidence(), message };
    match &fault {
        Fault::Outcome(outcome) => {
            let reason = plan.find(outcome).map(|row| row.reason.clone());
            CheckError::UnexpectedOutcome {
                outcome: outcome.clone(),
                reason,
                declared: plan.declared(),
                evidence: evidence(),
            }
        }
        Fault::Relation { outcome, relation } => CheckError::BrokenRelation {
            relation: relation.clone(),
            outcome: outcome.clone(),
            evidence: evidence(),
        },
        Fault::Failed(failure, message) => {
            CheckError::Failed { failure: *failure, message: message.clone(), evidence: evidence() }
        }
        Fault::LimitExceeded(limit) => CheckError::LimitExceeded { limit: *limit },
        Fault::Misuse(message) | Fault::Nondeterministic(message) => wrong(message.clone()),
        Fault::Disagreement(difference) => {
            CheckError::EnginesDisagree { difference: difference.clone() }
        }
        Fault::Engine(message) => wrong(format!("the checker failed: {message}")),
        Fault::Replayed(outcome) => {
            CheckError::Replayed { outcome: outcome.clone(), evidence: evidence() }
        }
    }
}

fn evidence(
    identity: &Identity,
    shown: Option<&Shown>,
    fault: &Fault,
    is_replay: bool,
) -> Evidence {
    let Some(shown) = shown else { return Evidence::default() };
    let mut text = shown.picture.to_string();
    text.push('\n');
    if let Some(kind) = shown.kind {
        let _ = writeln!(text, "  {kind}");
    }
    if !shown.sequential && !matches!(fault, Fault::Replayed(_)) {
        text.push_str("  It takes weak memory: a load reads an older store.\n");
    }
    let number = shown.execution;
    let _ = if is_replay {
        writeln!(
            text,
            "  Execution {number}, replayed. Unset SELVEDGE_REPLAY to check the model again."
        )
    } else {
        let commands = identity.replay_commands(number);
        writeln!(text, "  Execution {number}. To replay it with every step:\n{commands}")
    };
    Evidence { text, picture: Some(Box::new(shown.picture.clone())) }
}

/// How many interleavings the second engine may explore, unless the model or `SELVEDGE_LOOM` says
/// otherwise.
const INTERLEAVINGS: u64 = 1_000;

/// How many interleavings the second engine may explore: what the model says, `SELVEDGE_LOOM`, or the
/// default. 0: it is left out, and the report says so.
fn loom(plan: &Plan) -> Result<u64, CheckError> {
    Ok(plan.loom.or(loom_by_environment()?).unwrap_or(INTERLEAVINGS))
}

/// What `SELVEDGE_LOOM` says.
pub(super) fn loom_by_environment() -> Result<Option<u64>, CheckError> {
    super::number("SELVEDGE_LOOM", 0, "an integer, 0 or more (interleavings)")
}

/// How many executions a model may take: `SELVEDGE_LIMIT`, or as many as there are.
pub(super) fn limit() -> Result<u64, CheckError> {
    Ok(super::positive("SELVEDGE_LIMIT", "executions")?.unwrap_or(u64::MAX))
}

/// The scenario of this check that `SELVEDGE_REPLAY` asks for, if it asks for one.
pub(super) fn scenario_to_replay(identity: &Identity) -> Result<Option<usize>, CheckError> {
    let replay = replay()?.filter(|replay| replay.model == identity.ordinal);
    Ok(replay.and_then(|replay| replay.scenario))
}

impl Replay {
    fn is_of(&self, identity: &Identity) -> bool {
        (self.model, self.scenario) == (identity.ordinal, identity.scenario)
    }

    /// `1/7`, or `1.37/7`.
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().map(NonZeroUsize::get);
        let (model, execution) = text.split_once('/')?;
        let (model, scenario) = match model.split_once('.') {
            None => (model, None),
            Some((model, scenario)) => (model, Some(number(scenario)?)),
        };
        let execution = execution.parse().ok().filter(|execution| *execution > 0)?;
        Some(Self { model: number(model)?, scenario, execution })
    }
}

/// The execution that `SELVEDGE_REPLAY` asks for, of whichever model.
fn replay() -> Result<Option<Replay>, CheckError> {
    let Ok(value) = std::env::var("SELVEDGE_REPLAY") else { return Ok(None) };
    match Replay::parse(&value) {
        None => Err(CheckError::wrong_model(format!(
            "SELVEDGE_REPLAY must be MODEL/EXECUTION, such as 1/7 (models and executions are numbered from 1; \
             1.37/2 is execution 2 of scenario 37 of the test's first model), got {value:?}"
        ))),
        replay => {
            unreplayed::fails_at_exit();
            Ok(replay)
        }
    }
}
