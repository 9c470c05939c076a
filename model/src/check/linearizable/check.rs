//! The exploration of all scenarios, one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use super::ScenariosReport;
use super::constraints::Shape;
use super::declared::Declared;
use super::engine::{Probe, interleavings, past_limit, replayed, run};
use super::judge::{EXPLAINED, Judge, RESULTS};
use super::scenario::{Alphabet, Scenario, THREADS, generate};
use super::threads::{Call, State};
use crate::check::plan::{Part, Plan};
use crate::check::progress::Progress;
use crate::check::{CheckError, Engine, Grade, Interleavings};

/// Rounds on real threads, over all scenarios, unless the check or `SELVEDGE_ROUNDS` says otherwise.
#[cfg(not(loom))]
const DEFAULT_ROUNDS: u64 = 4_000;

impl Declared {
    pub(super) fn explore(&self) -> Result<ScenariosReport, CheckError> {
        let start = Instant::now();
        let probe = Probe::from_environment().map_err(CheckError::wrong_model)?;
        let (scenarios, symmetric) = self.scenarios()?;
        let replayed = replayed(&self.identity, scenarios.len())?;
        let mut report = ScenariosReport {
            name: self.identity.name(),
            promise: self.promise,
            operations: self.operations(),
            starts: self.starts(),
            sizes: self.sizes.iter().map(|size| (size.threads, size.operations)).collect(),
            symmetric,
            scenarios: scenarios.len() as u64,
            explored: 0,
            engine: no_executions(),
            compared: 0,
            interleavings: 0,
            bound: None,
            failure: None,
            elapsed: start.elapsed(),
        };
        let seen: Vec<Arc<AtomicBool>> = self.operations.iter().map(|_| Arc::default()).collect();
        let mut found = None;
        let mut progress = Progress::new();
        for (position, scenario) in scenarios.iter().enumerate() {
            if replayed.is_some_and(|replayed| replayed != position + 1) {
                continue;
            }
            let (number, of) = (position + 1, scenarios.len());
            let this = This { scenario, number, of, seen: &seen, probe: probe.as_ref() };
            progress.tell(format_args!("{position} of {of} scenarios so far"));
            report.explored += 1;
            found = self.explore_one(&this, &mut report).err();
            found = found.or_else(|| past_limit(report.executions()));
            if found.is_some() {
                break;
            }
        }
        report.elapsed = start.elapsed();
        let found = found.or_else(|| self.validate_steps(&scenarios, &seen).err());
        let error = self.judge(&mut report, found);
        #[cfg(loom)]
        crate::check::verdict::tell_not_made(&self.identity, probe.as_deref());
        #[cfg(loom)]
        crate::check::results::append_scenarios(
            &self.identity,
            &report,
            error.as_ref(),
            probe.as_deref(),
        );
        error.map_or(Ok(report), Err)
    }

    /// All scenarios, the smallest first, and how many others are the same by symmetry.
    fn scenarios(&self) -> Result<(Vec<Scenario>, u64), CheckError> {
        let alphabet = self.alphabet();
        let sought = |text: &str| {
            Scenario::parse(text, &alphabet).ok_or_else(|| {
                CheckError::wrong_model(format!(
                    "`{text}` is not a scenario: a scenario has the form `{}`",
                    Scenario::new(0, vec![vec![0, 0], vec![0]]).text(&alphabet)
                ))
            })
        };
        if let Some(text) = &self.fails {
            sought(text)?;
        }
        if let Some(text) = &self.only {
            let scenario = sought(text)?;
            self.validate_shape(&scenario.threads.iter().map(Vec::len).collect::<Vec<_>>())?;
            return Ok((vec![scenario], 0));
        }
        let starts = self.starts.len().max(1);
        let all = generate(self.operations.len(), starts, &self.sizes, self.symmetric);
        Ok((all.scenarios, all.symmetric))
    }

    fn alphabet(&self) -> Alphabet<'_> {
        Alphabet {
            operations: self.operations.iter().map(|operation| operation.name.as_str()).collect(),
            starts: self.starts.iter().map(|start| start.name.as_str()).collect(),
        }
    }

    /// How many rounds of each scenario to run on real threads.
    #[cfg_attr(loom, expect(unused_variables, reason = "loom knows no rounds"))]
    fn rounds_each(&self, scenarios: usize) -> Option<u64> {
        #[cfg(not(loom))]
        let default = Some((DEFAULT_ROUNDS / scenarios.max(1) as u64).max(1));
        #[cfg(loom)]
        let default = None;
        self.rounds.or(default)
    }

    /// Explores one scenario, and adds to `report` what was done.
    fn explore_one(&self, this: &This<'_>, report: &mut ScenariosReport) -> Result<(), CheckError> {
        let text = this.scenario.text(&self.alphabet());
        let shape = Shape::new(this.scenario.threads.iter().map(Vec::len));
        let orders = self.orders(this.scenario, &shape, &text)?;
        let name = |number: &usize| self.operations[*number].name.clone();
        let names = this.scenario.threads.iter().flatten().map(name).collect();
        let last = self.last.as_ref().map_or_else(String::new, |last| last.name.clone());
        let judge = Arc::new(Judge::new(shape, self.promise, orders, names, last));
        let mut identity = self.identity.clone();
        identity.scenario = Some(this.number);
        let mut plan = self.plan(this, &judge);
        plan.loom = Some(interleavings(this.number)?);
        plan.validate()?;
        let explain = |found: CheckError| match found {
            CheckError::UnexpectedOutcome { outcome, evidence, .. } => {
                let (results, why) = judge.story(&outcome);
                let (promise, scenario) = (self.promise, text.clone());
                CheckError::Broken { promise, scenario, results, why, evidence }
            }
            found => CheckError::InScenario { scenario: text.clone(), found: Box::new(found) },
        };
        let (explored, error) = run(&identity, &Arc::new(plan), this.probe).map_err(explain)?;
        report.add(explored);
        error.map_or(Ok(()), |error| Err(explain(error)))
    }

    /// The scenario as a model whose one acceptable outcome is that its results are explained.
    fn plan(&self, this: &This<'_>, judge: &Arc<Judge>) -> Plan {
        let scenario = this.scenario;
        let (init, local) = (Arc::clone(&self.init), Arc::clone(&self.local));
        let prepare = self.starts.get(scenario.start).map(|start| Arc::clone(&start.what));
        let (owners, operations) = (self.owners(scenario), judge.shape.operations());
        let mut plan = Plan::new(move || {
            let shared = init();
            if let Some(prepare) = &prepare {
                prepare(&shared);
            }
            let locals = owners.iter().map(|owns| owns.then(|| local(&shared))).collect();
            State::new(shared, locals, operations)
        });
        // Whether each operation takes steps is asked once, over all scenarios.
        plan.needs_steps = false;
        plan.executions = self.executions;
        plan.rounds = self.rounds_each(this.of);
        for (me, thread) in scenario.threads.iter().enumerate() {
            let calls: Vec<Call> = judge
                .shape
                .of_thread(me)
                .zip(thread)
                .map(|(number, &operation)| Call {
                    number,
                    operation: Arc::clone(&self.operations[operation].what),
                    seen: Arc::clone(&this.seen[operation]),
                })
                .collect();
            plan.threads.push(Part::new(THREADS[me], move |state: &State| state.run(me, &calls)));
        }
        let observe = self.last.as_ref().map(|last| Arc::clone(&last.what));
        let unconstrained = Arc::clone(judge);
        plan.observations.push(Part::new(RESULTS, move |state: &State| {
            unconstrained.verdict(state.end(observe.as_deref()))
        }));
        #[cfg(loom)]
        {
            let (judge, shows) = (Arc::clone(judge), Arc::clone(judge));
            plan.shown = Some(Box::new(move || shows.newest_history()));
            plan.judge = Some(Box::new(move |execution| judge.constrained(execution)));
        }
        let explained = format!("{RESULTS}={EXPLAINED}");
        plan.declare(&explained, Grade::Acceptable, "some order explains them");
        plan
    }

    /// An operation without a step has no interleavings to explore.
    fn validate_steps(
        &self,
        scenarios: &[Scenario],
        seen: &[Arc<AtomicBool>],
    ) -> Result<(), CheckError> {
        let used = |number| {
            scenarios.iter().any(|all| all.threads.iter().any(|thread| thread.contains(&number)))
        };
        let mut numbers = 0..self.operations.len();
        match numbers.find(|number| cfg!(loom) && used(*number) && !seen[*number].load(Relaxed)) {
            Some(number) => Err(CheckError::wrong_model(format!(
                "the operation {:?} does nothing that the checker can see: shared state must be from \
                 selvedge_model::sync, not from std::sync",
                self.operations[number].name
            ))),
            None => Ok(()),
        }
    }

    /// Holds what was found against what was expected; a failure that was expected goes into the
    /// report.
    fn judge(&self, report: &mut ScenariosReport, found: Option<CheckError>) -> Option<CheckError> {
        let Some(expected) = &self.fails else { return found };
        match found {
            Some(CheckError::Broken { ref scenario, .. })
                if scenario == expected || cfg!(not(loom)) =>
            {
                report.failure = found;
                None
            }
            // No verdict.
            Some(CheckError::InScenario { ref found, .. })
                if matches!(
                    **found,
                    CheckError::Replayed { .. } | CheckError::LimitExceeded { .. }
                ) =>
            {
                Some(CheckError::clone(found))
            }
            Some(found @ (CheckError::Broken { .. } | CheckError::InScenario { .. })) => {
                let found = Box::new(found);
                Some(CheckError::BrokenElsewhere { expected: expected.clone(), found })
            }
            None if cfg!(loom) => Some(CheckError::NotBroken {
                expected: expected.clone(),
                explored: report.explored,
            }),
            found => found,
        }
    }
}

/// A scenario that is explored.
struct This<'a> {
    scenario: &'a Scenario,
    /// Counted from 1.
    number: usize,
    of: usize,
    /// By operation of the alphabet: whether it was seen to take a step.
    seen: &'a [Arc<AtomicBool>],
    probe: Option<&'a Arc<Probe>>,
}

fn no_executions() -> Engine {
    if cfg!(loom) {
        Engine::Graphs {
            executions: 0,
            bounds: Vec::new(),
            idle_turns: false,
            patient: false,
            interleavings: Interleavings::default(),
        }
    } else {
        Engine::Threads { rounds: 0, skipped: None }
    }
}
