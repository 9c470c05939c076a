//! Tries mutants, on all cores.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use selvedge_results::{Fate, Kill, Means, NOT_COVERED, Record, Trial};

use super::QUICK;
use super::clean::{Case, Clean, Judge};
use crate::libtest;
use crate::project::Project;
use crate::shell::Shell;
use crate::suite::{self, Answer, End, Terms};

/// How many times as many executions as in the clean run, and how many more, a model may take with a
/// change before it counts as run away.
const LIMIT: (u64, u64) = (20, 5_000);

/// Likewise for the time of a test, in seconds.
const PATIENCE: (f64, f64) = (100.0, 60.0);

/// Tries those cases, in parallel, and returns what became of each, in their order; less if the user interrupts.
pub(super) fn run(
    project: &Project,
    clean: &Clean,
    cases: &[Case],
    shell: Shell,
) -> Result<Vec<Trial>> {
    let bar = shell.progress(cases.len(), "mutants");
    let hunt = Hunt { project, clean, progress: Mutex::default(), bar };
    let trials = suite::each(project, cases, |case, folder| {
        let Some(fate) = hunt.try_case(case, folder)? else { return Ok(None) };
        hunt.tell(&fate);
        let trial = Trial { mutant: case.mutant.clone(), fate };
        shell.data(&trial)?;
        Ok(Some(trial))
    })?;
    hunt.bar.finish_and_clear();
    Ok(trials.into_iter().flatten().collect())
}

struct Hunt<'a> {
    project: &'a Project,
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
            Fate::Survived { .. } | Fate::NotCovered { .. } => progress.left += 1,
        }
        let Progress { killed, left, .. } = *progress;
        self.bar.set_message(format!("{killed} killed, {left} not"));
        self.bar.inc(1);
    }

    /// Asks one judge after the other, until a model has come to another verdict. `None` if the user interrupts.
    fn try_case(&self, case: &Case, folder: &Path) -> Result<Option<Fate>> {
        if case.mutant.change == NOT_COVERED {
            return Ok(Some(Fate::NotCovered { reach: case.reach }));
        }
        let mut best: Option<Kill> = None;
        let mut visible = false;
        for judge in self.in_order(case) {
            let kill = match self.ask(case, &self.clean.judges[judge], folder)? {
                Asked::Interrupted => return Ok(None),
                Asked::Passed { visible: here } => {
                    visible |= here;
                    continue;
                }
                Asked::Killed(kill) => kill,
            };
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
        let survived = Fate::Survived { judges: case.judges.len(), visible };
        Ok(Some(best.map_or(survived, Fate::Killed)))
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

    /// Runs a test with the change.
    fn ask(&self, case: &Case, judge: &Judge, folder: &Path) -> Result<Asked> {
        let limit = (judge.executions * LIMIT.0 + LIMIT.1).to_string();
        let key = case.mutant.key();
        let variables = [("SELVEDGE_MUTANT", &*key), ("SELVEDGE_LIMIT", &*limit)];
        let patience = Duration::from_secs_f64(judge.seconds * PATIENCE.0 + PATIENCE.1);
        let terms = Terms { variables: &variables, patience: Some(patience), silence: patience };
        let Answer { end, records, output } = judge.test.ask(self.project, terms, folder)?;
        let by = judge.test.name();
        let kill = |how: &str, executions, means| {
            Ok(Asked::Killed(Kill { by: by.clone(), how: how.to_owned(), executions, means }))
        };
        match end {
            End::Interrupted => return Ok(Asked::Interrupted),
            End::TimedOut | End::Silent => return kill("time is up", None, Means::RanAway),
            _ => {}
        }
        if end == End::Passed {
            let applied: u64 = records.iter().filter_map(|record| record.applied).sum();
            ensure!(applied > 0, "{key} was not made, though {by} executes it: please report this");
            let executions: Vec<u64> = records.iter().map(|record| record.executions).collect();
            return Ok(Asked::Passed { visible: executions != judge.all });
        }
        let failure =
            records.into_iter().filter_map(|Record { model, failure, executions, .. }| {
                let failure = (model, failure?);
                (!judge.failures.contains(&failure))
                    .then(|| (means(&failure.1), failure.1, executions))
            });
        match (failure.max_by_key(|(means, ..)| *means), end) {
            (Some((means, failure, executions)), _) => kill(&failure, Some(executions), means),
            (None, End::Crashed(signal)) => {
                kill(&format!("crashed by signal {signal}"), None, Means::Test)
            }
            (None, _) => {
                let message = libtest::panic(&output).map(|message| format!(": {message}"));
                let how = format!("the test's own assertion{}", message.unwrap_or_default());
                kill(&how, None, Means::Test)
            }
        }
    }
}

/// What a test says to a change.
enum Asked {
    /// It stays green. `visible` if one of its models took another number of executions.
    Passed {
        visible: bool,
    },
    Killed(Kill),
    Interrupted,
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
