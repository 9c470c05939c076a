//! Tries mutants, on all cores.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::QUICK;
use super::clean::{Case, Clean, Judge};
use super::trial::{Fate, Kill, Means, NOT_COVERED, Trial};
use crate::cargo::Workspace;
use crate::explore::{self, Answer};

/// How many times as many executions as in the clean run, and how many more, a model may take with a
/// change before it counts as run away.
const LIMIT: (u64, u64) = (20, 5_000);

/// Likewise for the time of a test, in seconds.
const PATIENCE: (f64, f64) = (100.0, 60.0);

/// Tries those cases, in parallel, and returns what became of each, in their order.
pub(crate) fn run(workspace: &Workspace, clean: &Clean, cases: &[Case]) -> Result<Vec<Trial>> {
    // It hides itself where standard error is no terminal.
    let bar = ProgressBar::new(cases.len() as u64);
    bar.set_style(ProgressStyle::with_template(
        "{bar:30} {pos} of {len} mutants, {msg}, {elapsed}, {eta} to go",
    )?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let hunt = Hunt { workspace, clean, progress: Mutex::default(), bar };
    let trials = explore::each(workspace, cases, |case, folder| {
        let fate = hunt.try_case(case, folder)?;
        hunt.tell(&fate);
        Ok(Trial { mutant: case.mutant.clone(), fate })
    })?;
    hunt.bar.finish_and_clear();
    Ok(trials)
}

struct Hunt<'a> {
    workspace: &'a Workspace,
    clean: &'a Clean,
    progress: Mutex<Progress>,
    bar: ProgressBar,
}

/// What the workers share.
#[derive(Default)]
struct Progress {
    /// How many mutants of a file each judge has killed, and of an operation.
    kills: HashMap<(usize, String), usize>,
    killed: usize,
    left: usize,
}

impl Hunt<'_> {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more.
    fn tell(&self, fate: &Fate) {
        let mut progress = self.progress();
        match fate {
            Fate::Killed(_) => progress.killed += 1,
            Fate::Survived { .. } | Fate::NotCovered => progress.left += 1,
        }
        let Progress { killed, left, .. } = *progress;
        self.bar.set_message(format!("{killed} killed, {left} not"));
        self.bar.inc(1);
    }

    /// Asks one judge after the other, until a model has come to another verdict.
    fn try_case(&self, case: &Case, folder: &Path) -> Result<Fate> {
        if case.mutant.change == NOT_COVERED {
            return Ok(Fate::NotCovered);
        }
        let mut best: Option<Kill> = None;
        for judge in self.in_order(case) {
            let Some(kill) = self.ask(case, &self.clean.judges[judge], folder)? else { continue };
            let end = kill.means == Means::Model;
            if best.as_ref().is_none_or(|best| best.means < kill.means) {
                best = Some(kill);
            }
            if end {
                let mut progress = self.progress();
                for near in [case.mutant.file.clone(), place(case)] {
                    *progress.kills.entry((judge, near)).or_default() += 1;
                }
                break;
            }
        }
        Ok(best.map_or(Fate::Survived { judges: case.judges.len() }, Fate::Killed))
    }

    /// Of the quick ones those first that have killed mutants of the same operation, then of the same file,
    /// then the quickest; and then the others.
    fn in_order(&self, case: &Case) -> Vec<usize> {
        let progress = self.progress();
        let kills = |judge: usize, near: String| progress.kills.get(&(judge, near)).copied();
        let mut judges = case.judges.clone();
        judges.sort_by_key(|&judge| {
            let here = kills(judge, place(case)).unwrap_or_default();
            let near = kills(judge, case.mutant.file.clone()).unwrap_or_default();
            let executions = self.clean.judges[judge].executions;
            (executions > QUICK, Reverse(here), Reverse(near), executions)
        });
        judges
    }

    /// Runs a test with the change; `None` if it stays green.
    fn ask(&self, case: &Case, judge: &Judge, folder: &Path) -> Result<Option<Kill>> {
        let limit = (judge.executions * LIMIT.0 + LIMIT.1).to_string();
        let key = case.mutant.key();
        let variables = [("SELVEDGE_MUTANT", &*key), ("SELVEDGE_LIMIT", &*limit)];
        let patience = Duration::from_secs_f64(judge.seconds * PATIENCE.0 + PATIENCE.1);
        let answer = judge.test.ask(self.workspace, &variables, Some(patience), folder)?;
        let Answer { status, records, .. } = answer;
        let by = &judge.test.name;
        let kill = |how: &str, executions, means| {
            let how = how.to_owned();
            Ok(Some(Kill { by: by.clone(), how, executions, means }))
        };
        let Some(status) = status else { return kill("time is up", None, Means::RanAway) };
        if status.success() {
            let applied: u64 = records.iter().filter_map(|record| record.applied).sum();
            ensure!(applied > 0, "{key} was not made, though {by} executes it");
            return Ok(None);
        }
        ensure!(
            !records.is_empty() || status.signal().is_some(),
            "{by} ended with {status} before any of its models did, on {key}"
        );
        let failure = records.into_iter().filter_map(|record| {
            let failure = (record.model, record.failure?);
            (!judge.failures.contains(&failure))
                .then(|| (means(&failure.1), failure.1, record.executions))
        });
        match (failure.max_by_key(|(means, ..)| *means), status.signal()) {
            (Some((means, failure, executions)), _) => kill(&failure, Some(executions), means),
            (None, Some(signal)) => kill(&format!("crashed by signal {signal}"), None, Means::Test),
            (None, None) => kill("the test's own assertion", None, Means::Test),
        }
    }
}

/// The operation of a case.
fn place(case: &Case) -> String {
    format!("{}:{}:{}", case.mutant.file, case.mutant.line, case.mutant.column)
}

/// What a model's failure rests on.
fn means(failure: &str) -> Means {
    match failure {
        "limit exceeded" | "livelock" => Means::RanAway,
        "wrong model" => Means::Test,
        _ => Means::Model,
    }
}
