//! The engine under `--cfg loom`: every execution, in two passes.
//!
//! # The shape of an execution
//!
//! Reference counts and joins are scheduling points, and each multiplies the executions. So the
//! state is owned by the main coroutine and lent to the others; the first declared thread runs on
//! the main coroutine; and the others are not joined. A thread that has ended parks until all have,
//! and only then passes on what it knows to the main one, by `unpark`: passed on earlier, it would
//! order the main thread's remaining steps after its own, and hide races between them. Parked, not
//! waiting to run: a thread that could run, and does nothing, would still be offered as a choice.
//!
//! # How an exploration ends early
//!
//! The exploration runs on an OS thread of its own. Whoever finds a fault sends it from there and
//! parks that OS thread for good ([`record::fail`]). Nothing unwinds through loom, so no destructor
//! meets a scheduler that is gone, and the next model starts on a fresh thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::finding::{Fault, Finding};
use super::identity::Identity;
use super::trace::{Detail, draw};
use super::{CheckError, Engine, Evidence, Failure, Found, Outcome, Plan, Report, Witness};
use super::{outcome_of, panics, report, results};
use crate::sync::checked::local_end;
use crate::sync::checked::operation::diagnose;
use crate::sync::checked::record::{self, Action, Learned, Pass, Phase, Trace};

/// One pass, explored to its end or to its first fault.
struct Explored {
    executions: u64,
    learned: Learned,
    tally: Tally,
    finding: Option<Finding>,
}

/// The outcomes of a pass: how often, and the first execution of each.
type Tally = BTreeMap<String, (u64, u64, Trace)>;

/// One execution to be replayed, as `SELVEDGE_REPLAY` names it.
struct Replay {
    pass: Pass,
    execution: u64,
}

/// Checks the model.
pub(super) fn check<S: Send + Sync + 'static>(
    identity: &Identity,
    plan: &Arc<Plan<S>>,
) -> Result<Report, CheckError> {
    let start = Instant::now();
    let replay = replay(identity)?;
    let mut passes = Vec::new();
    let mut outcomes: Vec<Outcome> = plan
        .table
        .iter()
        .map(|row| Outcome {
            text: row.outcome.clone(),
            grade: row.grade,
            reason: row.reason.clone(),
            seen: 0,
            witness: None,
        })
        .collect();
    let mut finding = None;
    let mut learned = Learned::default();
    let mut skippable = false;
    for pass in [Pass::Interleaving, Pass::WeakMemory] {
        let mut done = report::Pass { name: pass.name(), executions: 0, skipped: None };
        if replay.as_ref().is_some_and(|replay| replay.pass != pass) {
            continue;
        }
        if skippable {
            done.skipped = Some("no plain load or store");
        } else {
            let only = replay.as_ref().map(|replay| replay.execution);
            let explored = explore(plan, pass, learned, only);
            done.executions = explored.executions;
            learned = explored.learned;
            skippable = !learned.plain_access;
            count(&mut outcomes, explored.tally, pass, plan);
            finding = explored.finding.map(|finding| (pass, finding));
        }
        passes.push(done);
        if finding.is_some() {
            break;
        }
    }
    if let (Some(replay), None) = (&replay, &finding) {
        return Err(CheckError::wrong_model(format!(
            "there is no execution {} to replay: the {} pass has {}",
            replay.execution,
            replay.pass.name(),
            passes.iter().map(|pass| pass.executions).sum::<u64>(),
        )));
    }
    let mut report = Report {
        name: identity.name(),
        engine: Engine::Loom { passes, preemptions: plan.preemptions },
        outcomes,
        failure: None,
        elapsed: start.elapsed(),
    };
    let verdict = judge(identity, plan, &mut report, finding);
    results::append(identity, &report, verdict.as_ref().err());
    verdict.map(|()| report)
}

/// Holds what was found against what was declared.
fn judge<S>(
    identity: &Identity,
    plan: &Plan<S>,
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
            .filter(|row| row.grade != super::Grade::Forbidden && row.seen == 0)
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
            report.failure = Some(Found { failure, message, seen: 1, interleaving: evidence.0 });
            Ok(())
        }
        (Some(expected), found @ CheckError::Failed { .. }) => {
            Err(CheckError::FailedDifferently { expected, found: Box::new(found) })
        }
        (_, error) => Err(error),
    }
}

/// What a finding means, with the interleaving that shows it.
fn explain<S>(identity: &Identity, plan: &Plan<S>, pass: Pass, finding: &Finding) -> CheckError {
    let detail = match finding.fault {
        Fault::Replayed { .. } => Detail::Full,
        _ => Detail::Threads { weak: pass == Pass::WeakMemory },
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
                evidence: evidence(identity, pass, finding, detail, &verdict),
            }
        }
        Fault::DataRace { message } => failed(Failure::DataRace, message.clone()),
        Fault::Deadlock => failed(
            Failure::Deadlock,
            "every thread that has not ended waits for another".to_owned(),
        ),
        Fault::Invariant { thread, message } => {
            failed(Failure::Invariant, format!("{thread} panicked: {message}"))
        }
        Fault::Leak { message } => failed(Failure::Leak, message.clone()),
        Fault::Livelock { steps } => failed(
            Failure::Livelock,
            format!("an execution took more than {steps} steps (the limit is set by .steps(n))"),
        ),
        Fault::TooManyThreads { site } => wrong(format!(
            "it spawns one thread too many{}: at most {} are accepted, the declared ones included",
            site.as_ref().map(|site| format!(" at {site}")).unwrap_or_default(),
            super::MAX_THREADS,
        )),
        Fault::NonDeterministic { thread, now, before } => wrong(format!(
            "it is not deterministic: {thread} goes on with {now}, and in an earlier execution, \
             having seen exactly the same, went on at {before}; a clock, a random hasher, or \
             shared state that is not from selvedge::sync decides"
        )),
        Fault::Stranger { kind, origin, site } => wrong(format!(
            "it uses {} {kind} made {origin}, at {site}: only what an execution makes itself can \
             be checked; make it in Model::new's closure",
            if kind.starts_with('a') { "an" } else { "a" },
        )),
        Fault::Engine { message } => wrong(format!("loom gave up: {message}")),
        Fault::Restart => wrong("the exploration began again and again".to_owned()),
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
    let mut text = draw(&finding.trace, detail);
    let _ = writeln!(text, "\n  {verdict}");
    if pass == Pass::WeakMemory && !matches!(finding.fault, Fault::Replayed { .. }) {
        text.push_str(
            "  No interleaving alone does this: it takes weak memory, a load that reads an older \
             store.\n",
        );
    }
    let _ = writeln!(
        text,
        "  Execution {} of the {} pass. To replay it with every step:\n    {}",
        finding.execution,
        pass.name(),
        identity.replay_command(pass.key(), finding.execution),
    );
    Evidence(text)
}

/// Adds what a pass reached to the table's rows.
fn count<S>(outcomes: &mut Vec<Outcome>, tally: Tally, pass: Pass, plan: &Plan<S>) {
    for (text, (seen, execution, trace)) in tally {
        let witness = || Witness {
            pass: pass.name(),
            execution,
            interleaving: draw(&trace, Detail::Threads { weak: pass == Pass::WeakMemory }),
        };
        if let Some(row) = outcomes.iter_mut().find(|row| row.text == text) {
            row.seen += seen;
            row.witness.get_or_insert_with(witness);
        } else if plan.fails.is_some() {
            // On the way to the expected failure; no table speaks of it.
            outcomes.push(Outcome {
                text,
                grade: super::Grade::Acceptable,
                reason: "reached before the failure".to_owned(),
                seen,
                witness: Some(witness()),
            });
        }
    }
}

/// The execution that `SELVEDGE_REPLAY` asks for, if it asks for one of this model.
fn replay(identity: &Identity) -> Result<Option<Replay>, CheckError> {
    let Ok(value) = std::env::var("SELVEDGE_REPLAY") else { return Ok(None) };
    let wrong = || {
        CheckError::wrong_model(format!(
            "SELVEDGE_REPLAY={value} does not name an execution: accepted is model/pass/number, \
             such as 1/interleaving/2 or 1/weak/7"
        ))
    };
    let mut parts = value.split('/');
    let (Some(model), Some(pass), Some(number), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let pass = [Pass::Interleaving, Pass::WeakMemory].into_iter().find(|known| known.key() == pass);
    match (model.parse::<usize>(), pass, number.parse::<u64>()) {
        (Ok(model), Some(pass), Ok(execution)) if execution > 0 => {
            Ok((model == identity.ordinal).then_some(Replay { pass, execution }))
        }
        _ => Err(wrong()),
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

/// Explores one pass to its end or to its first fault; from the start again where an execution
/// learns something that would have made earlier ones take other steps.
fn explore<S: Send + Sync + 'static>(
    plan: &Arc<Plan<S>>,
    pass: Pass,
    mut learned: Learned,
    only: Option<u64>,
) -> Explored {
    loop {
        let explored = explore_once(plan, pass, learned, only);
        match &explored.finding {
            Some(Finding { fault: Fault::Restart, .. }) => learned = explored.learned,
            _ => return explored,
        }
    }
}

fn explore_once<S: Send + Sync + 'static>(
    plan: &Arc<Plan<S>>,
    pass: Pass,
    learned: Learned,
    only: Option<u64>,
) -> Explored {
    let (verdict, found) = channel();
    let tally = Arc::new(Mutex::new(Tally::new()));
    let run = {
        let (plan, tally) = (Arc::clone(plan), Arc::clone(&tally));
        move || run(&plan, pass, learned, only, &tally, &verdict)
    };
    let spawned = std::thread::Builder::new().name("selvedge-model".to_owned()).spawn(run);
    assert!(spawned.is_ok(), "the operating system starts no thread: {:?}", spawned.err());
    // The thread says one thing, and if that is a fault it never ends.
    let Ok(end) = found.recv() else { unreachable!("an exploration ends with a verdict") };
    let tally = std::mem::take(&mut *lock(&tally));
    let (executions, learned, finding) = match end {
        End::Complete { executions, learned } => (executions, learned, None),
        End::Found(finding) => (finding.execution, finding.learned, Some(*finding)),
    };
    Explored { executions, learned, tally, finding }
}

/// How a pass ended.
pub(crate) enum End {
    /// Every execution was explored.
    Complete { executions: u64, learned: Learned },
    /// An execution showed a fault.
    Found(Box<Finding>),
}

/// The exploration's OS thread.
fn run<S: Send + Sync + 'static>(
    plan: &Arc<Plan<S>>,
    pass: Pass,
    learned: Learned,
    only: Option<u64>,
    tally: &Arc<Mutex<Tally>>,
    verdict: &Sender<End>,
) {
    panics::keep();
    record::install(pass, learned, plan.steps, verdict.clone());
    let mut builder = loom::model::Builder::new();
    builder.max_threads = super::MAX_THREADS;
    // A step is at most a touch and an access, each a branch or two. Never the limit that counts.
    builder.max_branches = plan.steps.saturating_mul(6).saturating_add(1_000);
    builder.preemption_bound = plan.preemptions;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.checkpoint_interval = usize::MAX;
    builder.location = false;
    builder.log = false;
    let explored = {
        let (plan, tally) = (Arc::clone(plan), Arc::clone(tally));
        catch_unwind(AssertUnwindSafe(|| {
            builder.check(move || execution(&plan, only, &tally));
        }))
    };
    match explored {
        Ok(()) => {
            fail_on_unjoined_panic();
            let end = record::with(|recorder| End::Complete {
                executions: recorder.executions,
                learned: recorder.learned,
            });
            if let Some(end) = end {
                // The receiver waits for this very message.
                let _ = verdict.send(end);
            }
        }
        Err(payload) => {
            let over = record::with(|recorder| recorder.over) == Some(true);
            record::fail(match diagnose(&*payload) {
                // All threads have ended, and loom looks for what was not given back.
                Fault::Engine { message } if over => {
                    Fault::Leak { message: message.lines().next().unwrap_or_default().to_owned() }
                }
                fault => fault,
            })
        }
    }
}

/// What the threads of an execution share besides the state. All run on one OS thread.
struct Meeting {
    parts: RefCell<Vec<Option<String>>>,
    /// Threads whose bodies still run.
    running: Cell<usize>,
    /// Threads that have ended before others, the main one apart.
    early: RefCell<Vec<loom::thread::Thread>>,
    /// Threads that have passed on what they know.
    gathered: Cell<usize>,
    main: loom::thread::Thread,
}

/// One execution, on the main coroutine.
fn execution<S: Send + Sync + 'static>(
    plan: &Arc<Plan<S>>,
    only: Option<u64>,
    tally: &Mutex<Tally>,
) {
    fail_on_unjoined_panic();
    record::with(|recorder| recorder.begin(&plan.threads[0].name));
    let state = Rc::new(guarded("init", || (plan.init)()));
    let meeting = Rc::new(Meeting {
        parts: RefCell::new(vec![None; plan.threads.len()]),
        running: Cell::new(plan.threads.len()),
        early: RefCell::new(Vec::new()),
        gathered: Cell::new(0),
        main: loom::thread::current(),
    });
    let others = plan.threads.len() - 1;
    for position in 1..=others {
        let number =
            record::with(|recorder| recorder.add_thread(plan.threads[position].name.clone()))
                .unwrap_or_default();
        let (plan, state, meeting) = (Arc::clone(plan), Rc::clone(&state), Rc::clone(&meeting));
        loom::thread::spawn(move || {
            record::with(|recorder| recorder.resume(number));
            body(&plan, position, &state, &meeting);
            drop(state);
            if meeting.running.get() > 0 {
                meeting.early.borrow_mut().push(loom::thread::current());
                while meeting.running.get() > 0 {
                    on_engine(number, loom::thread::park);
                }
            }
            meeting.gathered.set(meeting.gathered.get() + 1);
            meeting.main.unpark();
        });
    }
    record::with(|recorder| recorder.phase = Phase::Parallel);
    body(plan, 0, &state, &meeting);
    while meeting.running.get() > 0 {
        on_engine(0, loom::thread::park);
    }
    for thread in meeting.early.take() {
        thread.unpark();
    }
    while meeting.gathered.get() < others {
        on_engine(0, loom::thread::park);
    }
    record::with(|recorder| recorder.phase = Phase::Finally);
    let mut parts = meeting.parts.take();
    for observation in &plan.observations {
        parts.push(guarded(&observation.name, || (observation.run)(&state)));
    }
    guarded("the state's drop", || drop(state));
    local_end();
    record::with(|recorder| recorder.over = true);
    finish(plan, only, tally, outcome_of(parts));
}

/// Runs the body of the declared thread at `position`, and ends the thread.
fn body<S>(plan: &Plan<S>, position: usize, state: &S, meeting: &Meeting) {
    let part = &plan.threads[position];
    let result = guarded(&part.name, || {
        let result = (part.run)(state);
        if position > 0 {
            local_end();
        }
        result
    });
    meeting.parts.borrow_mut()[position] = result;
    meeting.running.set(meeting.running.get() - 1);
    record::with(|recorder| recorder.thread().ended = true);
}

/// Calls code under test; a panic in it breaks an invariant.
fn guarded<R>(name: &str, f: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| {
        let message = panics::take();
        record::with(|recorder| recorder.note_panic(&message));
        record::fail(Fault::Invariant { thread: name.to_owned(), message })
    })
}

/// Waits on loom, on behalf of the harness.
fn on_engine(thread: usize, wait: impl FnOnce()) {
    match catch_unwind(AssertUnwindSafe(wait)) {
        Ok(()) => {
            record::with(|recorder| recorder.resume(thread));
        }
        Err(payload) => record::fail(diagnose(&*payload)),
    }
}

/// Fails if, in the execution that has just ended, a thread panicked that nobody joined.
fn fail_on_unjoined_panic() {
    let panicked = record::with(|recorder| {
        recorder
            .threads
            .iter()
            .find_map(|thread| Some((thread.name.clone(), thread.panic.clone()?)))
    });
    if let Some((thread, message)) = panicked.flatten() {
        record::fail(Fault::Invariant { thread, message });
    }
}

/// Counts the outcome, or ends the exploration with it.
fn finish<S>(plan: &Plan<S>, only: Option<u64>, tally: &Mutex<Tally>, outcome: String) {
    let execution = record::with(|recorder| recorder.executions).unwrap_or_default();
    if only == Some(execution) {
        record::fail(Fault::Replayed { outcome });
    }
    if only.is_some() {
        return;
    }
    if !plan.allows(&outcome) {
        record::fail(Fault::Outcome { outcome });
    }
    let trace = || record::with(|recorder| recorder.trace()).unwrap_or_default();
    let mut tally = lock(tally);
    tally.entry(outcome).or_insert_with(|| (0, execution, trace())).0 += 1;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl record::Recorder {
    /// Marks the panic in the trace.
    fn note_panic(&mut self, message: &str) {
        let site = self.last_site();
        self.note(site, None, Action::Panic(message.to_owned()));
    }
}
