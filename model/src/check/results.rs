//! Results for machines: a line of JSON a model, of the schema of `selvedge_results`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use selvedge_results::{FOLDER, Outcome, Record, Scenarios, TRACES, VERSION, Verdict};

use super::identity::Identity;
use super::{CheckError, Engine, Report, ScenariosReport};
use crate::mutation::Probe;
use crate::place::file_and_line;

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

fn write(identity: &Identity, record: impl FnOnce() -> Record) {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let path = Path::new(&folder).join(format!("{}.jsonl", identity.page()));
    let written = record().to_line().map_err(std::io::Error::from).and_then(|line| {
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

fn record(
    identity: &Identity,
    report: &Report,
    error: Option<&CheckError>,
    probe: Option<&Probe>,
) -> Record {
    let found = report.failure.as_ref();
    let traces = traces();
    let picture = match error {
        Some(error) => error.picture(),
        None => found.and_then(|found| found.picture.as_deref()),
    };
    Record {
        expected: found.map(|found| found.failure.to_string()),
        bound: report.bound(),
        seconds: report.elapsed.as_secs_f64(),
        outcomes: report
            .outcomes
            .iter()
            .map(|row| Outcome {
                text: row.text.clone(),
                grade: row.grade.to_string(),
                reason: row.reason.clone(),
                seen: row.seen,
                only_weak: row.witness.as_ref().is_some_and(|w| !w.sequential),
                execution: row.witness.as_ref().map(|w| w.execution),
                trace: row.witness.as_ref().map(|w| w.picture.clone()).filter(|_| traces),
            })
            .collect(),
        message: found.map(|found| found.message.clone()),
        trace: picture.filter(|_| traces).cloned(),
        ..common(identity, &report.engine, error, probe)
    }
}

/// Whether executions are asked for as data.
fn traces() -> bool {
    std::env::var_os(TRACES).is_some()
}

fn scenarios_record(
    identity: &Identity,
    report: &ScenariosReport,
    error: Option<&CheckError>,
    probe: Option<&Probe>,
) -> Record {
    let found = report.failure.as_ref();
    let broken = found.and_then(CheckError::scenario);
    Record {
        expected: broken.map(|scenario| format!("not {}: {scenario}", report.promise)),
        bound: report.bound.clone(),
        seconds: report.elapsed.as_secs_f64(),
        scenarios: Some(Scenarios {
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
        trace: error.or(found).and_then(CheckError::picture).filter(|_| traces()).cloned(),
        ..common(identity, &report.engine, error, probe)
    }
}

/// What both kinds have in common.
fn common(
    identity: &Identity,
    engine: &Engine,
    error: Option<&CheckError>,
    probe: Option<&Probe>,
) -> Record {
    Record {
        version: VERSION,
        by: concat!("selvedge-model ", env!("CARGO_PKG_VERSION")).to_owned(),
        package: std::env::var("CARGO_PKG_NAME").unwrap_or_default(),
        binary: super::identity::binary().unwrap_or_default(),
        test: identity.test(),
        model: identity.ordinal,
        at: file_and_line(identity.at),
        verdict: if error.is_none() { Verdict::Passed } else { Verdict::Failed },
        expected: None,
        bound: None,
        idle_turns: matches!(engine, Engine::Graphs { idle_turns: true, .. }),
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
