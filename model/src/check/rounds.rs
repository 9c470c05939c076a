//! The engine of a normal build: real threads, many rounds, each started together.
//!
//! Real threads cannot show that something never happens, only how often it was seen. So a table
//! fails here on an outcome that it does not allow, and merely counts those that it does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use super::identity::Identity;
use super::plan::{AnyState, Plan, outcome_of};
use super::{
    CheckError, Engine, Evidence, ExpectedFailure, Failure, Grade, Outcome, Report, panics,
};

/// Rounds, unless the model or `SELVEDGE_ROUNDS` says otherwise.
const DEFAULT_ROUNDS: u64 = 2_000;

/// How long a round may take, in seconds, for a model that is expected to deadlock, and so to be stuck.
const PATIENCE_FOR_DEADLOCK: u64 = 1;

/// What one thread has to say about one round.
type Part = Result<Option<String>, String>;

/// Checks the model.
pub(super) fn check(identity: &Identity, plan: &Arc<Plan>) -> Result<Report, CheckError> {
    let start = Instant::now();
    if let Ok(value) = std::env::var("SELVEDGE_REPLAY") {
        return Err(CheckError::wrong_model(format!(
            "SELVEDGE_REPLAY requires loom: {value:?} cannot be replayed on real threads, set \
             RUSTFLAGS=\"--cfg loom\""
        )));
    }
    let rounds = number_of_rounds(plan.rounds)?;
    let report = |rounds, skipped, outcomes, failure| Report {
        name: identity.name(),
        engine: Engine::Threads { rounds, skipped },
        outcomes,
        failure,
        elapsed: start.elapsed(),
    };
    if let Some(reason) = plan.fails.and_then(cannot_be_run) {
        return Ok(report(0, Some(reason), Vec::new(), None));
    }
    let mut workers = Workers::new(plan)?;
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut failures = (0, String::new());
    let mut done = 0;
    while done < rounds {
        done += 1;
        match workers.round(plan, done) {
            Ok((returned, outcome)) if plan.allows(&outcome) => {
                if !seen.contains_key(&outcome) {
                    check_relations(identity, plan, &returned, &outcome, done)?;
                }
                *seen.entry(outcome).or_default() += 1;
            }
            Ok((_, outcome)) => {
                let reason = plan.find(&outcome).map(|row| row.reason.clone());
                let evidence = in_round(identity, done);
                return Err(CheckError::UnexpectedOutcome {
                    outcome,
                    reason,
                    declared: plan.declared(),
                    evidence,
                });
            }
            Err(Trouble::Panic(message)) => {
                let failure = Failure::Panic;
                match plan.fails {
                    Some(Failure::Panic) => failures = (failures.0 + 1, message),
                    expected => {
                        let evidence = in_round(identity, done);
                        let found = CheckError::Failed { failure, message, evidence };
                        return Err(match expected {
                            None => found,
                            Some(expected) => {
                                CheckError::FailedDifferently { expected, found: Box::new(found) }
                            }
                        });
                    }
                }
            }
            // The threads are lost; so no further round can be run.
            Err(Trouble::Timeout(_)) if plan.fails == Some(Failure::Deadlock) => {
                failures = (1, format!("round {done} did not end"));
                break;
            }
            Err(Trouble::Timeout(running)) => {
                let seconds = workers.patience.as_secs();
                return Err(CheckError::Timeout { round: done, seconds, running });
            }
        }
    }
    let failure = plan.fails.filter(|_| failures.0 > 0).map(|failure| ExpectedFailure {
        failure,
        message: format!("{} (in {} of {done} rounds)", failures.1, failures.0),
        seen: failures.0,
        interleaving: String::new(),
    });
    Ok(report(done, None, rows(plan, seen), failure))
}

fn check_relations(
    identity: &Identity,
    plan: &Plan,
    returned: &[Option<String>],
    outcome: &str,
    round: u64,
) -> Result<(), CheckError> {
    match plan.broken(returned) {
        Ok(None) => Ok(()),
        Ok(Some(relation)) => Err(CheckError::BrokenRelation {
            relation: relation.to_owned(),
            outcome: outcome.to_owned(),
            evidence: in_round(identity, round),
        }),
        Err(message) => {
            Err(CheckError::WrongModel { message, evidence: in_round(identity, round) })
        }
    }
}

/// Failures that real threads must not, or cannot, be made to show.
fn cannot_be_run(failure: Failure) -> Option<&'static str> {
    match failure {
        Failure::DataRace => Some("a data race is undefined behaviour"),
        Failure::UseAfterFree => Some("a use after free is undefined behaviour"),
        Failure::Livelock => Some("a livelock does not terminate"),
        Failure::Leak => Some("leaks are not detected on real threads"),
        Failure::Deadlock | Failure::Panic => None,
    }
}

fn number_of_rounds(declared: Option<u64>) -> Result<u64, CheckError> {
    let asked = super::positive("SELVEDGE_ROUNDS", "rounds")?;
    Ok(asked.or(declared).unwrap_or(DEFAULT_ROUNDS))
}

fn in_round(identity: &Identity, round: u64) -> Evidence {
    let commands = identity.explore_commands();
    let text = format!(
        "  In round {round}, on real threads. For the interleaving, explore it:\n{commands}\n"
    );
    Evidence { text }
}

fn rows(plan: &Plan, mut seen: BTreeMap<String, u64>) -> Vec<Outcome> {
    let row = |text: &str, grade, reason: &str, seen| Outcome {
        seen,
        ..Outcome::new(text, grade, reason)
    };
    let mut rows: Vec<Outcome> = plan
        .table
        .iter()
        .map(|declared| {
            let seen = seen.remove(&declared.outcome).unwrap_or_default();
            row(&declared.outcome, declared.grade, &declared.reason, seen)
        })
        .collect();
    rows.extend(seen.into_iter().map(|(outcome, seen)| {
        row(&outcome, Grade::Acceptable, &plan.reason("reached without the failure"), seen)
    }));
    rows
}

/// The model's threads, kept from round to round.
struct Workers {
    work: Vec<Sender<Round>>,
    results: Receiver<(usize, Part)>,
    patience: Duration,
}

/// What a thread needs for a round.
struct Round {
    state: Arc<AnyState>,
    start: Arc<Start>,
}

/// Where the threads of a round meet, so that none has a head start.
struct Start {
    barrier: Barrier,
    ready: AtomicUsize,
    threads: usize,
}

/// What can go wrong in a round.
enum Trouble {
    Panic(String),
    Timeout(Vec<String>),
}

impl Workers {
    fn new(plan: &Arc<Plan>) -> Result<Self, CheckError> {
        let (report, results) = channel();
        let work = (0..plan.threads.len())
            .map(|position| {
                let (sender, rounds) = channel::<Round>();
                let (plan, report) = (Arc::clone(plan), report.clone());
                // Never joined: a thread that is stuck would hold up the test for ever.
                let builder = std::thread::Builder::new();
                let builder = match plan.stack {
                    Some(bytes) => builder.stack_size(bytes),
                    None => builder,
                };
                let spawned = builder.spawn(move || serve(&plan, position, &rounds, &report));
                assert!(spawned.is_ok(), "the operating system failed to start a thread");
                sender
            })
            .collect();
        let seconds = match plan.fails {
            Some(Failure::Deadlock) => PATIENCE_FOR_DEADLOCK,
            _ => super::PATIENCE,
        };
        Ok(Self { work, results, patience: super::patience(seconds)? })
    }

    /// One round: state, threads, observations. What they returned, and the outcome.
    fn round(
        &mut self,
        plan: &Plan,
        number: u64,
    ) -> Result<(Vec<Option<String>>, String), Trouble> {
        let threads = self.work.len();
        let state = Arc::new(quiet("init", || (plan.init)()).map_err(Trouble::Panic)?);
        let start =
            Arc::new(Start { barrier: Barrier::new(threads), ready: AtomicUsize::new(0), threads });
        for sender in &self.work {
            let round = Round { state: Arc::clone(&state), start: Arc::clone(&start) };
            assert!(sender.send(round).is_ok(), "a worker thread ended before round {number}");
        }
        let mut parts: Vec<Option<Part>> = vec![None; threads];
        for _ in 0..threads {
            match self.results.recv_timeout(self.patience) {
                Ok((position, part)) => parts[position] = Some(part),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let running = plan.threads.iter().zip(&parts);
                    let running = running.filter(|(_, part)| part.is_none());
                    return Err(Trouble::Timeout(running.map(|(t, _)| t.name.clone()).collect()));
                }
            }
        }
        let mut outcome = Vec::new();
        for part in parts.into_iter().flatten() {
            outcome.push(part.map_err(Trouble::Panic)?);
        }
        for observation in &plan.observations {
            let part = quiet(&observation.name, || observation.run(&state));
            outcome.push(part.map_err(Trouble::Panic)?);
        }
        quiet("the state's drop", || drop(state)).map_err(Trouble::Panic)?;
        let text = outcome_of(&outcome);
        Ok((outcome, text))
    }
}

/// The life of one of the model's threads.
fn serve(plan: &Plan, position: usize, rounds: &Receiver<Round>, report: &Sender<(usize, Part)>) {
    let body = &plan.threads[position];
    while let Ok(Round { state, start }) = rounds.recv() {
        start.together();
        let part = quiet(&body.name, || body.run(&state));
        // Given back before the round is reported, so that the last owner is the round itself.
        drop(state);
        if report.send((position, part)).is_err() {
            return;
        }
    }
}

impl Start {
    /// Returns when all threads are here: all but awake, they spin for the last few nanoseconds.
    fn together(&self) {
        self.barrier.wait();
        self.ready.fetch_add(1, Ordering::AcqRel);
        let mut spins = 0_u32;
        while self.ready.load(Ordering::Acquire) < self.threads {
            spins += 1;
            if spins < 1_000 {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

/// Calls code under test; a panic in it is a result.
fn quiet<R>(name: &str, f: impl FnOnce() -> R) -> Result<R, String> {
    panics::catch(f).map_err(|message| format!("{name} panicked: {message}"))
}
