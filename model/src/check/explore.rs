//! A plan, explored by the graph engine.
//!
//! The first thread of the program makes the state, spawns the declared threads, joins them, and makes
//! the observations.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use super::Failure;
use super::plan::{First, Plan, outcome_of};
use super::report::Interleavings;
use super::watchdog::{Heartbeat, Lost, watched};
use crate::engine::agreement::{self, Outcomes};
use crate::engine::graph::{self, Config, Ending, Execution};
use crate::engine::{loom, panics, stacks};
use crate::kernel::{self, Policy, ThreadId};
use crate::mutation::Probe;
use crate::render::{Detail, Picture, cause_of, describe_where, kind, picture};
use crate::sync::thread::{JoinHandle, end_locals, spawn_declared};
use crate::sync::thread_number;

/// What to explore besides the plan.
#[derive(Debug, Clone)]
pub(super) struct Task {
    /// The name of the model.
    pub(super) model: String,
    /// The execution that is to be replayed, if one is.
    pub(super) replay: Option<u64>,
    /// How many executions there may be before the check fails.
    pub(super) limit: u64,
    /// How long one execution may take.
    pub(super) patience: Duration,
    /// What is asked besides.
    pub(super) probe: Option<Arc<Probe>>,
    /// How many interleavings the second engine may explore; none if 0.
    pub(super) loom: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Explored {
    pub(super) executions: u64,
    pub(super) outcomes: Vec<Reached>,
    pub(super) finding: Option<Finding>,
    /// What was left out, in words.
    pub(super) bounds: BTreeSet<String>,
    pub(super) idle_turns: bool,
    pub(super) interleavings: Interleavings,
}

/// An outcome, and the execution that shows it: an interleaving, if one does.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) text: String,
    pub(super) seen: u64,
    pub(super) witness: Shown,
}

/// An execution as it is shown.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Its number.
    pub(super) execution: u64,
    /// Whether it is an interleaving of the threads: sequentially consistent.
    pub(super) sequential: bool,
    /// The kind of bug that it shows, where that is certain and not named by the fault.
    pub(super) kind: Option<&'static str>,
    pub(super) picture: Picture,
}

/// Why an exploration stopped before it was complete.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) fault: Fault,
    /// The execution that showed it, if one did.
    pub(super) shown: Option<Shown>,
}

/// The faults that an exploration can find.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// The program fails in this way: the details, in words.
    Failed(Failure, String),
    /// An outcome that the table does not allow.
    Outcome(String),
    /// An outcome, and a relation that does not hold of it.
    Relation { outcome: String, relation: String },
    /// There are more executions than `SELVEDGE_LIMIT`.
    LimitExceeded(u64),
    /// The program cannot be modelled as it is, for this reason.
    Misuse(String),
    /// The same: an execution is not the same when it is run again, and no owner of an `Arc` of `std` explains it.
    Nondeterministic(String),
    /// The checker failed.
    Engine(String),
    /// The engines do not find the same outcomes: what, in words.
    Disagreement(String),
    /// Not a fault: the execution that was to be replayed has ended so.
    Replayed(String),
}

/// How many executions are explored after a failure that is no interleaving, for one that is.
const SEARCH: u64 = 1_000;

/// Explores the plan to its end or to its first fault.
pub(super) fn explore(plan: &Arc<Plan>, task: &Task) -> Explored {
    let (its_plan, its_task) = (Arc::clone(plan), task.clone());
    let explored = watched(plan, task.patience, move |heartbeat| {
        panics::explores(its_task.model.clone());
        Exploration::new(&its_plan, &its_task).run(heartbeat)
    });
    explored.unwrap_or_else(|lost| {
        let fault = match lost {
            Lost::Panicked => Fault::Engine("the engine panicked".to_owned()),
            Lost::Hangs(message) => Fault::Misuse(message),
        };
        Explored { finding: Some(Finding { fault, shown: None }), ..Explored::default() }
    })
}

/// An exploration under way.
struct Exploration<'a> {
    plan: &'a Arc<Plan>,
    task: &'a Task,
    explored: Explored,
    /// A failure that is no interleaving, and how many executions may still show one that is.
    weak: Option<(Finding, u64)>,
    /// For the comparison of the engines.
    outcomes: Outcomes,
}

/// How the newest execution went, as far as its first thread knows.
struct Newest {
    /// The ids of the declared threads.
    threads: Arc<[AtomicUsize]>,
    /// What that thread calls.
    place: Cell<&'static str>,
    observation: Cell<Option<usize>>,
    /// What the threads and observations returned.
    returned: RefCell<Option<Vec<Option<String>>>>,
}

impl Newest {
    fn new(threads: &Arc<[AtomicUsize]>) -> Self {
        Self {
            threads: Arc::clone(threads),
            place: Cell::new(""),
            observation: Cell::new(None),
            returned: RefCell::new(None),
        }
    }
}

impl<'a> Exploration<'a> {
    fn new(plan: &'a Arc<Plan>, task: &'a Task) -> Self {
        let outcomes = Outcomes::default();
        Self { plan, task, explored: Explored::default(), weak: None, outcomes }
    }

    fn run(mut self, heartbeat: &Heartbeat) -> Explored {
        let newest = Newest::new(&heartbeat.threads);
        let config = Config {
            executions: self.plan.executions.unwrap_or(u64::MAX).min(self.task.limit),
            steps: self.plan.steps,
            stack_bytes: self.plan.stack.unwrap_or(stacks::DEFAULT_BYTES),
            policy: Policy { spurious: self.plan.spurious, patient: self.plan.patient },
            probe: self.task.probe.clone(),
            watch: heartbeat.watch.clone(),
            leaks: true,
            ..Config::default()
        };
        let plan = self.plan;
        let program = || heartbeat.run(|| execute(plan, &newest));
        let report = graph::explore(&config, &program, &mut |execution| {
            heartbeat.taken.store(execution.number(), Relaxed);
            heartbeat.explored.store(execution.explored().to_bits(), Relaxed);
            self.take(execution, &newest)
        });
        self.explored.executions = report.executions();
        self.explored.idle_turns = report.idle_turns;
        // That threads share what the checker does not see says more than that the model is not deterministic.
        let is_open = matches!(
            &self.explored.finding,
            None | Some(Finding { fault: Fault::Nondeterministic(_), .. })
        );
        if plan.needs_steps && is_open && self.task.replay.is_none() {
            let threads = plan.threads.iter().zip(newest.threads.iter());
            // Relaxed: threads of an exploration share an OS thread.
            let idle =
                threads.filter(|(_, number)| report.stepped & 1 << number.load(Relaxed) == 0);
            let idle: Vec<String> = idle.map(|(part, _)| part.name.clone()).collect();
            if idle.len() >= 2 {
                let fault = Fault::Misuse(format!(
                    "{} perform no operation that the checker can see: shared state must be from \
                 selvedge_model::sync, not from std::sync",
                    idle.join(" and ")
                ));
                self.explored.finding = Some(Finding { fault, shown: None });
            }
        }
        if self.explored.finding.is_none() {
            self.explored.finding = self.weak.take().map(|(finding, _)| finding);
        }
        if report.executions() == 0 && report.stutters > 0 && report.bounds.is_empty() {
            let fault = Fault::Engine(
                "no execution has come to an end: in each a waiting loop would go on, in another one"
                    .to_owned(),
            );
            self.explored.finding.get_or_insert(Finding { fault, shown: None });
        }
        if !plan.spurious {
            self.explored.bounds.insert("no spurious failures and wake-ups".to_owned());
        }
        for bound in &report.bounds {
            match bound {
                graph::Bound::Executions
                    if plan.executions.is_none_or(|bound| bound > self.task.limit) =>
                {
                    let fault = Fault::LimitExceeded(self.task.limit);
                    self.explored.finding.get_or_insert(Finding { fault, shown: None });
                }
                graph::Bound::Executions => {
                    let n = report.executions();
                    let s = if n == 1 { "" } else { "s" };
                    self.explored.bounds.insert(format!("{n} execution{s}"));
                }
                bound => drop(self.explored.bounds.insert(bound.to_string())),
            }
        }
        self.explored.interleavings = self.compare(&report, heartbeat);
        self.explored
    }

    /// Explores the interleavings, and holds their outcomes against those of the graphs.
    fn compare(&mut self, graphs: &graph::Report, heartbeat: &Heartbeat) -> Interleavings {
        let not_run = |why: &str| Interleavings::NotRun(why.to_owned());
        match &self.explored {
            _ if self.task.loom == 0 => return not_run("not asked for"),
            _ if self.plan.patient => {
                return not_run("its waits with a limit may end at any moment");
            }
            Explored { finding: Some(_), .. } => {
                return not_run("the exploration stopped at a failure");
            }
            Explored { bounds, .. } if !bounds.is_empty() => {
                return not_run("the result is bounded");
            }
            _ => {}
        }
        heartbeat.on_loom.store(true, Relaxed);
        let newest = Newest::new(&heartbeat.threads);
        let config = loom::Config {
            executions: self.task.loom,
            steps: self.plan.steps,
            stack_bytes: self.plan.stack.unwrap_or(stacks::DEFAULT_BYTES),
            preemptions: self.plan.preemptions.map(usize::from),
            probe: self.task.probe.clone(),
            watch: heartbeat.watch.clone(),
        };
        let mut outcomes = Outcomes::default();
        let program = || heartbeat.run(|| execute(self.plan, &newest));
        let report = loom::explore(&config, &program, &mut |execution| {
            heartbeat.taken.fetch_add(1, Relaxed);
            outcomes
                .add_loom(execution, newest.returned.take().map(|returned| outcome_of(&returned)));
            ControlFlow::Continue(())
        });
        if let Err(difference) = agreement::compare((&self.outcomes, graphs), (&outcomes, &report))
        {
            let fault = Fault::Disagreement(difference.to_string());
            self.explored.finding = Some(Finding { fault, shown: None });
        }
        match report.end {
            loom::End::Complete => Interleavings::Complete(report.executions()),
            loom::End::Unable(why) => Interleavings::NotRun(why),
            loom::End::Broken(why) => {
                let fault = Fault::Engine(format!("loom has panicked: {why}"));
                self.explored.finding.get_or_insert(Finding { fault, shown: None });
                Interleavings::default()
            }
            loom::End::Capped | loom::End::Stopped => Interleavings::Capped {
                interleavings: report.executions(),
                preemptions: self.plan.preemptions,
            },
        }
    }

    /// Takes in an execution.
    fn take(&mut self, execution: &Execution<'_>, newest: &Newest) -> ControlFlow<()> {
        let returned = newest.returned.take();
        let outcome = returned.as_deref().map(outcome_of);
        let number = execution.number();
        if let Some(replay) = self.task.replay
            && replay != number
        {
            return ControlFlow::Continue(());
        }
        if self.task.loom > 0 {
            self.outcomes.add_graph(execution, outcome.clone());
        }
        let judged = match (&self.plan.judge, execution.ending()) {
            (Some(judge), Ending::Complete) => judge(execution),
            _ => None,
        };
        let (outcome, execution) = match judged {
            Some((outcome, ref execution)) => (Some(outcome), execution),
            None => (outcome, execution),
        };
        let fault = match execution.ending() {
            Ending::Complete => match outcome {
                Some(text) if self.task.replay.is_some() => Some(Fault::Replayed(text)),
                Some(text) => self.count(text, returned.as_deref().unwrap_or_default(), execution),
                None => None,
            },
            ending => Some(self.fault(ending, execution, newest)),
        };
        if let Some((_, left)) = &mut self.weak {
            *left -= 1;
            if *left == 0 {
                return ControlFlow::Break(());
            }
        }
        let Some(fault) = fault else { return ControlFlow::Continue(()) };
        let replayed = self.task.replay.is_some();
        let detail = if replayed { Detail::Full } else { Detail::Threads };
        let shown = show(execution, detail);
        let decided = shown.sequential || replayed;
        let finding = Finding { fault, shown: Some(shown) };
        if decided {
            self.explored.finding = Some(finding);
            return ControlFlow::Break(());
        }
        self.weak.get_or_insert((finding, SEARCH));
        ControlFlow::Continue(())
    }

    /// Counts an outcome; a fault if the table does not allow it, or a relation does not hold of it.
    fn count(
        &mut self,
        text: String,
        returned: &[Option<String>],
        execution: &Execution<'_>,
    ) -> Option<Fault> {
        if let Some(known) = self.explored.outcomes.iter_mut().find(|known| known.text == text) {
            known.seen += 1;
            if !known.witness.sequential && execution.is_sequentially_consistent() {
                known.witness = show(execution, Detail::Threads);
            }
            return None;
        }
        if !self.plan.allows(&text) {
            return Some(Fault::Outcome(text));
        }
        match self.plan.broken(returned) {
            Ok(None) => {}
            Ok(Some(relation)) => {
                return Some(Fault::Relation { outcome: text, relation: relation.to_owned() });
            }
            Err(message) => return Some(Fault::Misuse(message)),
        }
        let witness = show(execution, Detail::Threads);
        self.explored.outcomes.push(Reached { text, seen: 1, witness });
        None
    }

    /// What an ending other than [`Ending::Complete`] means.
    fn fault(&self, ending: &Ending, execution: &Execution<'_>, newest: &Newest) -> Fault {
        let name = |thread: ThreadId| match newest.observation.get() {
            _ if thread != 0 => execution.name(thread),
            Some(number) => self.plan.observations[number].name.clone(),
            None => newest.place.get().to_owned(),
        };
        let says = || describe_where(execution, Some(&name(0)));
        let panicked = |thread, message: &str| {
            Fault::Failed(Failure::Panic, format!("{} panicked: {message}", name(thread)))
        };
        match ending {
            Ending::Complete => unreachable!("an execution that ended well"),
            Ending::Panic { thread, message } => {
                let cause = cause_of(execution, *thread).map(|cause| format!("; {cause}"));
                panicked(*thread, &(message.clone() + &cause.unwrap_or_default()))
            }
            Ending::Deadlock(blocked) => {
                if let Some((thread, message)) = execution.panic() {
                    // What the others wait for.
                    return panicked(thread, message);
                }
                let spins = blocked.iter().any(|blocked| blocked.spins);
                Fault::Failed(if spins { Failure::Livelock } else { Failure::Deadlock }, says())
            }
            Ending::Leak(_) => Fault::Failed(Failure::Leak, says()),
            Ending::Race { .. } => Fault::Failed(Failure::DataRace, says()),
            Ending::UseAfterFree { .. } => Fault::Failed(Failure::UseAfterFree, says()),
            Ending::Nondeterministic { .. } | Ending::OtherOutcome { .. } => {
                let message = format!(
                    "the model is not deterministic: {}; it must not depend on addresses, a clock, a random \
                     hasher, or shared state that is not from selvedge_model::sync, such as which thread drops the \
                     last owner of an Arc of std (use the one of selvedge_model::sync)",
                    says()
                );
                match execution.last_owner() {
                    Some(_) => Fault::Misuse(message),
                    None => Fault::Nondeterministic(message),
                }
            }
            Ending::Misuse(message) => Fault::Misuse(message.clone()),
            ending => Fault::Engine(format!("{ending:?}")),
        }
    }
}

fn show(execution: &Execution<'_>, detail: Detail) -> Shown {
    Shown {
        execution: execution.number(),
        sequential: execution.is_sequentially_consistent(),
        kind: kind(execution),
        picture: picture(execution, detail),
    }
}

/// The program: one execution of the plan, on its first thread.
fn execute(plan: &Arc<Plan>, newest: &Newest) {
    newest.place.set(if plan.first == First::Main { "main" } else { "init" });
    newest.observation.set(None);
    newest.returned.take();
    let state = Arc::new((plan.init)());
    newest.place.set("the harness");
    let threads: Vec<_> = (0..plan.threads.len())
        .map(|number| {
            let name = plan.threads[number].name.clone();
            let (plan, state) = (Arc::clone(plan), Arc::clone(&state));
            let ids = Arc::clone(&newest.threads);
            spawn_declared(name, move || {
                ids[number].store(thread_number(), Relaxed);
                plan.threads[number].run(&state)
            })
        })
        .collect();
    // All of them, also after one that panicked: none outlives the state.
    let parts: Vec<_> = threads.into_iter().map(JoinHandle::join_unnoticed).collect();
    let Some(mut parts) = parts.into_iter().collect::<Option<Vec<_>>>() else { return };
    for (number, observation) in plan.observations.iter().enumerate() {
        newest.observation.set(Some(number));
        parts.push(observation.run(&state));
    }
    newest.observation.set(None);
    newest.place.set("the state's drop");
    drop(state);
    end_locals();
    let shown = || plan.shown.as_ref().map(|shown| shown()).unwrap_or_default();
    kernel::with(|engine| engine.returns(&|| outcome_of(&parts) + &shown()));
    newest.returned.replace(Some(parts));
}
