//! The harness: every execution.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use confidence::measured::Measured;
use selvedge_model::{CheckError, Model};

use crate::Bound;
use crate::specimen::{Round, Specimen};

/// What this build can do.
pub(crate) const METHODS: [&str; 1] = ["harness"];

/// Explores until the first execution that goes wrong, and then, where that is possible, to the end.
pub(crate) fn run(method: &str, specimen: Specimen, _: Bound) -> Result<Measured> {
    if !METHODS.contains(&method) {
        bail!("{method} is no method of this build: {METHODS:?} are accepted");
    }
    let specimen = Arc::new(specimen);
    let start = Instant::now();
    let checked = model(&specimen).acceptable("right=true", "nothing went wrong").try_check();
    let seconds = start.elapsed().as_secs_f64();
    let mut measured = match checked {
        Ok(report) => {
            let (rounds, complete) = (report.executions(), report.is_complete());
            return Ok(Measured { rounds, complete, ..Measured::default() });
        }
        Err(error @ (CheckError::UnexpectedOutcome { .. } | CheckError::Failed { .. })) => {
            let first = execution(error.evidence());
            let ended_by = error.failure().map(|failure| failure.to_string());
            let (rounds, seconds) = (first.unwrap_or(1), Some(seconds));
            Measured { wrong: 1, rounds, first, seconds, ended_by, ..Measured::default() }
        }
        // No execution at all went right.
        Err(CheckError::MissingOutcomes { .. }) => bail!("no execution goes right"),
        Err(error) => return Err(error.into()),
    };
    if measured.ended_by.is_none() {
        let report = model(&specimen).explore()?;
        measured.wrong = report.seen("right=false");
        measured.rounds = report.executions();
        measured.complete = report.is_complete();
    }
    Ok(measured)
}

fn model(specimen: &Arc<Specimen>) -> Model<Box<dyn Round>> {
    let init = Arc::clone(specimen);
    let mut model = Model::new(move || (init.round)());
    if specimen.patient {
        model = model.patient();
    }
    for thread in 0..specimen.threads {
        model = model.thread(&format!("t{thread}"), move |round| round.run(thread));
    }
    model.finally("right", |round| round.right())
}

/// The number in `Execution 2. To replay it …`
fn execution(evidence: &str) -> Option<u64> {
    let (_, rest) = evidence.split_once("Execution ")?;
    rest.split_once('.')?.0.parse().ok()
}
