//! Results for machines: a line of JSON a model, for `cargo ci prove` and for reports.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::identity::Identity;
use super::{CheckError, Engine, Report, ScenariosReport};
use crate::mutation::{Executed, Probe};
use crate::place::file_and_line;
use crate::render::Picture;

/// One line.
#[derive(Serialize)]
struct Record<'a> {
    page: &'a str,
    test: String,
    model: usize,
    at: String,
    verdict: &'static str,
    expected: String,
    bound: Option<String>,
    /// Waits with a limit end only when nothing else can run.
    patient: bool,
    executions: u64,
    /// Of the second engine, in words.
    loom: String,
    seconds: f64,
    outcomes: Vec<OutcomeRecord<'a>>,
    /// Of a check of many scenarios.
    scenarios: Option<ScenariosRecord>,
    error: Option<String>,
    /// What kind of error that is.
    failure: Option<String>,
    /// Of an expected failure: what happened.
    message: Option<String>,
    /// With `SELVEDGE_TRACES`: how it failed, step by step.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Picture>,
    /// With `SELVEDGE_MUTANT`: how often the change was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<u64>,
    /// With `SELVEDGE_SITES`: the operations that were executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    sites: Option<Vec<Executed>>,
}

#[derive(Serialize)]
struct ScenariosRecord {
    promise: String,
    operations: Vec<String>,
    starts: Vec<String>,
    /// Threads, and operations each.
    sizes: Vec<(usize, usize)>,
    /// How many there are, besides those that are the same as another by symmetry.
    all: u64,
    symmetric: u64,
    explored: u64,
}

#[derive(Serialize)]
struct OutcomeRecord<'a> {
    text: &'a str,
    grade: String,
    reason: &'a str,
    seen: u64,
    only_weak: bool,
    /// An execution that reached it.
    execution: Option<u64>,
    interleaving: Option<&'a str>,
    /// With `SELVEDGE_TRACES`: the same, step by step.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Picture>,
}

/// Appends the result to `$SELVEDGE_RESULTS/<page>.jsonl`, if the variable is set.
///
/// # Panics
///
/// If the file cannot be written: a result that was asked for must not get lost.
pub(super) fn append(
    identity: &Identity,
    report: &Report,
    error: Option<&CheckError>,
    probe: Option<&Probe>,
) {
    write(identity, || record(identity, report, error, probe));
}

/// The same for a check of many scenarios: one line.
pub(super) fn append_scenarios(
    identity: &Identity,
    report: &ScenariosReport,
    error: Option<&CheckError>,
    probe: Option<&Probe>,
) {
    write(identity, || scenarios_record(identity, report, error, probe));
}

fn write<'a>(identity: &Identity, record: impl FnOnce() -> Record<'a>) {
    let Some(folder) = std::env::var_os("SELVEDGE_RESULTS") else { return };
    let path = Path::new(&folder).join(format!("{}.jsonl", identity.page()));
    let written = serde_json::to_string(&record()).map_err(std::io::Error::from).and_then(|line| {
        std::fs::create_dir_all(&folder)?;
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        // In one write, so that tests that end together do not mix their lines.
        file.write_all(format!("{line}\n").as_bytes())
    });
    if let Err(error) = written {
        panic!(
            "the result of {} cannot be written to {}: {error}",
            identity.name(),
            path.display()
        );
    }
}

fn record<'a>(
    identity: &'a Identity,
    report: &'a Report,
    error: Option<&'a CheckError>,
    probe: Option<&Probe>,
) -> Record<'a> {
    let found = report.failure.as_ref();
    let expected = found.map(|found| found.failure);
    let traces = traces();
    let picture = match error {
        Some(error) => error.picture(),
        None => found.and_then(|found| found.picture.as_deref()),
    };
    Record {
        expected: expected.map_or_else(|| "table".to_owned(), |failure| failure.to_string()),
        bound: report.bound(),
        seconds: report.elapsed.as_secs_f64(),
        outcomes: report
            .outcomes
            .iter()
            .map(|row| OutcomeRecord {
                text: &row.text,
                grade: row.grade.to_string(),
                reason: &row.reason,
                seen: row.seen,
                only_weak: row.witness.as_ref().is_some_and(|w| !w.sequential),
                execution: row.witness.as_ref().map(|w| w.execution),
                interleaving: row.witness.as_ref().map(|w| w.interleaving.as_str()),
                trace: row.witness.as_ref().map(|w| &w.picture).filter(|_| traces),
            })
            .collect(),
        message: found.map(|found| found.message.clone()),
        trace: picture.filter(|_| traces),
        ..Record::new(identity, &report.engine, error, probe)
    }
}

/// Whether interleavings are asked for as data.
fn traces() -> bool {
    std::env::var_os("SELVEDGE_TRACES").is_some()
}

fn scenarios_record<'a>(
    identity: &'a Identity,
    report: &'a ScenariosReport,
    error: Option<&'a CheckError>,
    probe: Option<&Probe>,
) -> Record<'a> {
    let found = report.failure.as_ref();
    let broken = found.and_then(CheckError::scenario);
    let expected = match broken {
        Some(scenario) => format!("not {}: {scenario}", report.promise),
        None => "table".to_owned(),
    };
    Record {
        expected,
        bound: report.bound.clone(),
        seconds: report.elapsed.as_secs_f64(),
        scenarios: Some(ScenariosRecord {
            promise: report.promise.to_string(),
            operations: report.operations.clone(),
            starts: report.starts.clone(),
            sizes: report.sizes.clone(),
            all: report.scenarios,
            symmetric: report.symmetric,
            explored: report.explored,
        }),
        // `expected` names the scenario.
        message: found.and_then(CheckError::results).map(str::to_owned),
        trace: error.or(found).and_then(CheckError::picture).filter(|_| traces()),
        ..Record::new(identity, &report.engine, error, probe)
    }
}

impl<'a> Record<'a> {
    /// What both kinds have in common.
    fn new(
        identity: &'a Identity,
        engine: &Engine,
        error: Option<&CheckError>,
        probe: Option<&Probe>,
    ) -> Self {
        Self {
            page: identity.page(),
            test: identity.short_test(),
            model: identity.ordinal,
            at: file_and_line(identity.at),
            verdict: if error.is_none() { "passed" } else { "failed" },
            expected: String::new(),
            bound: None,
            patient: matches!(engine, Engine::Graphs { patient: true, .. }),
            executions: engine.executions(),
            loom: match engine {
                Engine::Graphs { interleavings, .. } => interleavings.to_string(),
                Engine::Threads { .. } => String::new(),
            },
            seconds: 0.0,
            outcomes: Vec::new(),
            scenarios: None,
            error: error.map(ToString::to_string),
            failure: error.map(kind),
            message: None,
            trace: None,
            applied: probe.and_then(Probe::applied),
            sites: probe.and_then(Probe::executed),
        }
    }
}

/// What kind of error it is, for those who count.
fn kind(error: &CheckError) -> String {
    match error {
        CheckError::Failed { failure, .. } => return failure.to_string(),
        CheckError::UnexpectedOutcome { .. } => "undeclared outcome",
        CheckError::BrokenRelation { .. } => "broken relation",
        CheckError::MissingOutcomes { .. } => "missing outcome",
        CheckError::Broken { .. } => "broken promise",
        CheckError::InScenario { found, .. } => return kind(found),
        CheckError::DidNotFail { .. } | CheckError::NotBroken { .. } => "did not fail",
        CheckError::FailedDifferently { .. } | CheckError::BrokenElsewhere { .. } => {
            "failed differently"
        }
        CheckError::LimitExceeded { .. } => "limit exceeded",
        CheckError::EnginesDisagree { .. } => "engines disagree",
        _ => "wrong model",
    }
    .to_owned()
}
