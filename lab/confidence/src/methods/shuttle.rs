//! shuttle's random scheduler, and the one with priorities (PCT).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::{Result, bail};
use confidence::measured::Measured;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

use crate::Bound;
use crate::specimen::Specimen;
use crate::tally::Tally;
use crate::usual;

/// What this build can do.
pub(crate) const METHODS: [&str; 2] = ["random", "pct"];

/// So that two runs of this see the same.
const SEED: u64 = 8;

/// Priority changes a schedule, plus one.
const DEPTH: usize = 3;

/// Runs as many schedules; a deadlock ends it.
pub(crate) fn run(method: &str, specimen: Specimen, bound: Bound) -> Result<Measured> {
    let schedules = usize::try_from(bound.rounds)?;
    let mut config = Config::new();
    config.max_time = Some(bound.time());
    let tally = Arc::new(Tally::new());
    let counted = Arc::clone(&tally);
    let body = move || {
        counted.begin();
        if !usual::test(&specimen) {
            counted.wrong();
        }
    };
    let explored = catch_unwind(AssertUnwindSafe(|| match method {
        "random" => {
            Some(Runner::new(RandomScheduler::new_from_seed(SEED, schedules), config).run(body))
        }
        "pct" => {
            Some(Runner::new(PctScheduler::new_from_seed(SEED, DEPTH, schedules), config).run(body))
        }
        _ => None,
    }));
    let ended_by = match explored {
        Ok(Some(_)) => None,
        Ok(None) => bail!("{method} is no method of this build: {METHODS:?} are accepted"),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            let line = text.lines().next().unwrap_or_default().to_owned();
            if line.contains("did not exercise any concurrency") {
                bail!("PCT asks for more than one thread that can go on");
            }
            tally.wrong();
            Some(line)
        }
    };
    Ok(tally.measured(false, ended_by))
}
