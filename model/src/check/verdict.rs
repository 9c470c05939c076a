//! Both passes of a model on loom, and what their findings mean.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use super::explore::{Tally, explore};
use super::identity::Identity;
use super::picture::{Detail, Picture};
use super::plan::Passes;
use super::{
    CheckError, Engine, Evidence, ExpectedFailure, Failure, Grade, Outcome, Plan, Report, Witness,
};
use super::{report, results};
use crate::sync::checked::event::Pass;
use crate::sync::checked::finding::{Fault, Finding};
use crate::sync::checked::mutation::Probe;
use crate::sync::checked::record::{Learned, SpuriousPoint, Task};

/// Why the weak-memory pass is left out where it is.
const LOOM_REORDERS_NOTHING: &str =
    "no plain load, no plain store that is read, and loom reorders nothing else";

/// One execution to be replayed, as `SELVEDGE_REPLAY` names it.
struct Replay {
    model: usize,
    /// Of a check of many scenarios: which one, and which client.
    scenario: Option<(usize, usize)>,
    pass: Pass,
    execution: u64,
}

/// The sets of steps that fail or wake spuriously: each set is a part of the exploration.
struct Cases {
    most: usize,
    /// In the order in which they are explored.
    all: Vec<BTreeSet<SpuriousPoint>>,
    next: usize,
    /// Whether there would have been a set with one more.
    cut: bool,
}

impl Cases {
    /// All sets of `most` steps or fewer, as far as the steps become known.
    fn up_to(most: usize) -> Self {
        Self { most, all: vec![BTreeSet::new()], next: 0, cut: false }
    }

    fn next(&mut self) -> Option<BTreeSet<SpuriousPoint>> {
        let next = self.all.get(self.next).cloned();
        self.next += 1;
        next
    }

    /// Adds the sets that extend `spurious` by one of `spurious_points`.
    fn extend(
        &mut self,
        spurious: &BTreeSet<SpuriousPoint>,
        spurious_points: &BTreeSet<SpuriousPoint>,
    ) {
        for point in spurious_points.difference(spurious) {
            if spurious.len() == self.most {
                self.cut = true;
                return;
            }
            let mut case = spurious.clone();
            case.insert(*point);
            if !self.all.contains(&case) {
                self.all.push(case);
            }
        }
    }
}

/// Checks the model, and appends the result.
pub(super) fn check(identity: &Identity, plan: &Arc<Plan>) -> Result<Report, CheckError> {
    let probe = Probe::from_environment().map_err(CheckError::wrong_model)?;
    let (report, error) = run(identity, plan, &probe)?;
    results::append(identity, &report, error.as_ref(), &probe);
    error.map_or(Ok(report), Err)
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
    probe: &Arc<Probe>,
) -> Result<(Report, Option<CheckError>), CheckError> {
    let start = Instant::now();
    let replay = replay()?.filter(|replay| replay.is_of(identity));
    let patience = super::patience(super::PATIENCE)?;
    let limit = limit()?;
    let mut passes = Vec::new();
    let mut outcomes: Vec<Outcome> =
        plan.table.iter().map(|row| Outcome::new(&row.outcome, row.grade, &row.reason)).collect();
    let mut finding = None;
    let mut learned = Learned::default();
    let mut cut = false;
    let mut bounds = BTreeSet::new();
    for pass in [Pass::Interleaving, Pass::WeakMemory] {
        if let Passes::Apart { interleaving, weak_memory } = plan.passes {
            if !(if pass == Pass::Interleaving { interleaving } else { weak_memory }) {
                continue;
            }
            learned = Learned { plain_access: true, ..Learned::default() };
        }
        let mut done = report::Pass { name: pass.name(), executions: 0, skipped: None };
        // What the first pass learns shapes the second: a replay of that one makes both.
        let wanted = replay.as_ref().is_none_or(|replay| replay.pass == pass);
        if !wanted && pass == Pass::WeakMemory {
            continue;
        }
        if pass == Pass::WeakMemory && !learned.plain_access {
            // True of loom. C++20 reorders relaxed updates as well: `updates_are_never_reordered`.
            done.skipped = Some(LOOM_REORDERS_NOTHING);
            passes.push(done);
            continue;
        }
        let only = replay.as_ref().map(|replay| if wanted { replay.execution } else { u64::MAX });
        let mut cases = Cases::up_to(plan.spurious);
        while let (Some(spurious), None) = (cases.next(), &finding) {
            let task = Task {
                pass,
                learned: learned.clone(),
                spurious: spurious.clone(),
                executions: done.executions,
                max_steps: plan.steps,
                limit,
                probe: Arc::clone(probe),
            };
            let explored = explore(plan, task, only, patience);
            done.executions = explored.executions;
            learned = explored.learned;
            bounds.extend(learned.bounds.iter().copied());
            count(&mut outcomes, explored.tally, pass);
            finding = explored.finding.map(|finding| (pass, finding));
            cases.extend(&spurious, &explored.spurious_points);
        }
        cut |= cases.cut;
        passes.push(done);
        if finding.is_some() {
            break;
        }
    }
    if let (Some(replay), None) = (&replay, &finding) {
        return Err(CheckError::wrong_model(format!(
            "SELVEDGE_REPLAY: there is no execution {}, the {} pass has {}",
            replay.execution,
            replay.pass.name(),
            passes.iter().map(|pass| pass.executions).sum::<u64>(),
        )));
    }
    let mut report = Report {
        name: identity.name(),
        engine: Engine::Loom {
            passes,
            preemptions: plan.preemptions,
            spurious: cut.then_some(plan.spurious),
            left_out: bounds.iter().map(ToString::to_string).collect(),
        },
        outcomes,
        failure: None,
        elapsed: start.elapsed(),
    };
    let verdict = judge(identity, plan, &mut report, finding);
    Ok((report, verdict.err()))
}

/// Holds what was found against what was declared.
fn judge(
    identity: &Identity,
    plan: &Plan,
    report: &mut Report,
    finding: Option<(Pass, Finding)>,
) -> Result<(), CheckError> {
    let reached =
        || report.outcomes.iter().filter(|row| row.seen > 0).map(|row| row.text.clone()).collect();
    let Some((pass, finding)) = finding else {
        if let Some(expected) = plan.fails {
            return Err(CheckError::DidNotFail { expected, reached: reached() });
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
        return Err(CheckError::MissingOutcomes { missing, reached: reached() });
    };
    let error = explain(identity, plan, pass, &finding);
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

/// What a finding means, with the interleaving that shows it.
fn explain(identity: &Identity, plan: &Plan, pass: Pass, finding: &Finding) -> CheckError {
    let detail = match finding.fault {
        Fault::Replayed { .. } => Detail::Full,
        _ => Detail::Threads,
    };
    let failed = |failure, message: String| {
        let verdict = format!("{failure}: {message}");
        CheckError::Failed {
            failure,
            message,
            evidence: evidence(identity, pass, finding, detail, &verdict),
        }
    };
    let wrong = |message: String| {
        let verdict = format!("wrong model: {message}");
        CheckError::WrongModel {
            message,
            evidence: evidence(identity, pass, finding, detail, &verdict),
        }
    };
    match &finding.fault {
        Fault::Outcome { outcome } => {
            let reason = plan.find(outcome).map(|row| row.reason.clone());
            let verdict = match &reason {
                Some(reason) => format!("{outcome} is forbidden: {reason}"),
                None => format!("{outcome} is not declared"),
            };
            CheckError::UnexpectedOutcome {
                outcome: outcome.clone(),
                reason,
                declared: plan.declared(),
                evidence: evidence(identity, pass, finding, detail, &verdict),
            }
        }
        Fault::DataRace { message } => failed(Failure::DataRace, message.clone()),
        Fault::Deadlock => failed(
            Failure::Deadlock,
            "no thread can run: every thread that has not ended is blocked".to_owned(),
        ),
        Fault::SelfDeadlock => failed(
            Failure::Deadlock,
            "self-deadlock: a thread calls read or write on a RwLock that it already holds for \
             reading; even read blocks forever once a writer waits"
                .to_owned(),
        ),
        Fault::Panic { thread, message } => {
            failed(Failure::Panic, format!("{thread} panicked: {message}"))
        }
        Fault::Leak { message } => failed(Failure::Leak, message.clone()),
        Fault::Livelock { steps } => failed(
            Failure::Livelock,
            format!(
                "an execution took more than {steps} steps, the limit set by .steps(n); a spin loop \
                 must call hint::spin_loop(), and with three spinning threads two can yield to each \
                 other forever: use hint::wait_until or a blocking lock"
            ),
        ),
        Fault::TooLong { steps } => wrong(format!(
            "the only running thread took more than {steps} steps, the limit set by .steps(n): n must \
             be 1 to {}",
            super::MAX_STEPS,
        )),
        Fault::LimitExceeded { limit } => CheckError::LimitExceeded { limit: *limit },
        Fault::Timeout { seconds } => wrong(format!(
            "timeout: no execution has ended for {seconds} s; a thread blocks on something that the \
             checker cannot see, such as a lock from std::sync"
        )),
        Fault::Invisible { threads } => wrong(format!(
            "{} perform no operation that the checker can see: shared state must be from \
             selvedge_model::sync, not from std::sync",
            threads.join(" and ")
        )),
        Fault::TooManyThreads { site } => wrong(format!(
            "a model can have at most {} threads, including those it spawns: one too many is spawned{}",
            super::MAX_THREADS,
            site.as_ref().map(|site| format!(" at {site}")).unwrap_or_default(),
        )),
        Fault::NonDeterministic { thread, now, before } => wrong(format!(
            "the model is not deterministic: after the same history, {thread} continues with {now}, \
             and in an earlier execution continued at {before}; it must not depend on a clock, a \
             random hasher, or shared state that is not from selvedge_model::sync"
        )),
        Fault::ForeignObject { kind, origin, site } => wrong(format!(
            "{} {kind} made {origin} is used at {site}: an execution can use only what it made itself; \
             make it in Model::new's closure",
            if kind.starts_with('a') { "an" } else { "a" },
        )),
        Fault::Unsupported { message } => wrong((*message).to_owned()),
        Fault::Engine { message } => wrong(format!("loom failed: {message}")),
        Fault::Restart => wrong("the exploration was restarted too often".to_owned()),
        Fault::Replayed { outcome } => CheckError::Replayed {
            outcome: outcome.clone(),
            evidence: evidence(identity, pass, finding, detail, &format!("reached {outcome}")),
        },
    }
}

fn evidence(
    identity: &Identity,
    pass: Pass,
    finding: &Finding,
    detail: Detail,
    verdict: &str,
) -> Evidence {
    let picture = Picture::of(&finding.trace, pass, detail);
    let mut text = picture.to_string();
    let _ = writeln!(text, "\n  {verdict}");
    if pass == Pass::WeakMemory && !matches!(finding.fault, Fault::Replayed { .. }) {
        text.push_str(
            "  No interleaving reaches this: a load reads an older store (weak memory).\n",
        );
        let judged = matches!(finding.fault, Fault::Outcome { .. } | Fault::Panic { .. });
        if finding.trace.has_seq_cst_access() && !judged {
            text.push_str(
                "  loom treats SeqCst loads and stores as AcqRel, so this may be a false alarm;\n  \
                 fence(SeqCst) is exact.\n",
            );
        }
    }
    let _ = writeln!(
        text,
        "  Execution {} of the {} pass. To replay it with every step:\n    {}",
        finding.execution,
        pass.name(),
        identity.replay_command(pass.key(), finding.execution),
    );
    Evidence { text, picture: Some(Box::new(picture)) }
}

/// Adds what a pass reached to the table's rows.
fn count(outcomes: &mut Vec<Outcome>, tally: Tally, pass: Pass) {
    for (text, (seen, execution, trace)) in tally {
        let witness = || {
            let picture = Picture::of(&trace, pass, Detail::Threads);
            Witness { pass: pass.name(), execution, interleaving: picture.to_string(), picture }
        };
        if let Some(row) = outcomes.iter_mut().find(|row| row.text == text) {
            row.add(pass.name(), seen);
            row.witness.get_or_insert_with(witness);
        } else {
            // No table speaks of it: the model is to fail, or only explores.
            let witness = Some(witness());
            let mut row = Outcome { witness, ..Outcome::new(&text, Grade::Acceptable, "reached") };
            row.add(pass.name(), seen);
            outcomes.push(row);
        }
    }
}

/// How many executions a model may take: `SELVEDGE_LIMIT`, or as many as there are.
pub(super) fn limit() -> Result<u64, CheckError> {
    Ok(super::positive("SELVEDGE_LIMIT", "executions")?.unwrap_or(u64::MAX))
}

/// The scenario and the client of this check that `SELVEDGE_REPLAY` asks for, if it asks for one.
pub(super) fn scenario_to_replay(
    identity: &Identity,
) -> Result<Option<(usize, usize)>, CheckError> {
    let replay = replay()?.filter(|replay| replay.model == identity.ordinal);
    Ok(replay.and_then(|replay| replay.scenario))
}

impl Replay {
    fn is_of(&self, identity: &Identity) -> bool {
        (self.model, self.scenario) == (identity.ordinal, identity.scenario)
    }

    /// `1/weak/7`, or `1.37.2/weak/7`.
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().map(NonZeroUsize::get);
        let parts: Vec<&str> = text.split('/').collect();
        let &[model, pass, execution] = parts.as_slice() else { return None };
        let model: Vec<&str> = model.split('.').collect();
        let (model, scenario) = match *model.as_slice() {
            [model] => (model, None),
            [model, scenario, client] => (model, Some((number(scenario)?, number(client)?))),
            _ => return None,
        };
        let passes = [Pass::Interleaving, Pass::WeakMemory];
        Some(Self {
            model: number(model)?,
            scenario,
            pass: passes.into_iter().find(|known| known.key() == pass)?,
            execution: execution.parse().ok().filter(|execution| *execution > 0)?,
        })
    }
}

/// The execution that `SELVEDGE_REPLAY` asks for, of whichever model.
fn replay() -> Result<Option<Replay>, CheckError> {
    let Ok(value) = std::env::var("SELVEDGE_REPLAY") else { return Ok(None) };
    match Replay::parse(&value) {
        None => Err(CheckError::wrong_model(format!(
            "SELVEDGE_REPLAY must be MODEL/PASS/EXECUTION, such as 1/interleaving/2 or 1/weak/7 (the \
             test's first model is 1; 1.37.2 is the second client of its scenario 37), got {value:?}"
        ))),
        replay => Ok(replay),
    }
}

impl Pass {
    /// What the pass is called in prose.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interleaving => "interleaving",
            Self::WeakMemory => "weak memory",
        }
    }

    /// What it is called in `SELVEDGE_REPLAY`.
    fn key(self) -> &'static str {
        match self {
            Self::Interleaving => "interleaving",
            Self::WeakMemory => "weak",
        }
    }
}
