//! Tries mutants, on all cores.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::clean::{self, Case, Clean, Judge};
use super::trial::{Fate, Kill, Means, NOT_COVERED, Trial};
use crate::cargo::{Config, Workspace};

/// How many times as many executions as in the clean run, and how many more, a model may take with a
/// change before it counts as run away.
const LIMIT: (u64, u64) = (20, 5_000);

/// Likewise for the time of a test, in seconds.
const PATIENCE: (f64, f64) = (100.0, 60.0);

/// How often to look whether a test has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// Tries those cases, in parallel, and returns what became of each, in their order.
pub(crate) fn run(workspace: &Workspace, clean: &Clean, cases: &[&Case]) -> Result<Vec<Trial>> {
    // It hides itself where standard error is no terminal.
    let bar = ProgressBar::new(cases.len() as u64);
    bar.set_style(ProgressStyle::with_template(
        "{bar:30} {pos} of {len} mutants, {msg}, {elapsed}, {eta} to go",
    )?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let hunt = Hunt { workspace, clean, cases, next: Mutex::default(), bar };
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let shared = &hunt;
    thread::scope(|scope| {
        let work = |worker| scope.spawn(move || shared.work(&format!("mutant-{worker}")));
        let workers: Vec<_> = (0..workers).map(work).collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        anyhow::Ok(())
    })?;
    hunt.bar.finish_and_clear();
    let Hunt { next, .. } = hunt;
    let mut trials = next.into_inner().unwrap_or_else(PoisonError::into_inner).trials;
    trials.sort_by_key(|(position, _)| *position);
    Ok(trials.into_iter().map(|(_, trial)| trial).collect())
}

struct Hunt<'a> {
    workspace: &'a Workspace,
    clean: &'a Clean,
    cases: &'a [&'a Case],
    next: Mutex<Progress>,
    bar: ProgressBar,
}

/// What the workers share.
#[derive(Default)]
struct Progress {
    /// The next case.
    next: usize,
    trials: Vec<(usize, Trial)>,
    /// How many mutants of a file each judge has killed, and of an operation.
    kills: HashMap<(usize, String), usize>,
    survived: usize,
    /// A worker has given up, and so do the others.
    failed: bool,
}

impl Hunt<'_> {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries one case after the other.
    fn work(&self, folder: &str) -> Result<()> {
        let folder = self.workspace.scratch().join(folder);
        loop {
            let position = {
                let mut progress = self.progress();
                if progress.failed || progress.next == self.cases.len() {
                    return Ok(());
                }
                progress.next += 1;
                progress.next - 1
            };
            let case = self.cases[position];
            let fate =
                self.try_case(case, &folder).inspect_err(|_| self.progress().failed = true)?;
            let mut progress = self.progress();
            if let Fate::Survived { .. } = fate {
                progress.survived += 1;
                self.bar.suspend(|| println!("survived: {}", case.mutant.key()));
            }
            progress.trials.push((position, Trial { mutant: case.mutant.clone(), fate }));
            let (done, survived) = (progress.trials.len(), progress.survived);
            self.bar.set_message(format!("{} killed, {survived} survived", done - survived));
            self.bar.inc(1);
        }
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

    /// Those first that have killed mutants of the same operation, then of the same file, then the
    /// quickest.
    fn in_order(&self, case: &Case) -> Vec<usize> {
        let progress = self.progress();
        let kills = |judge: usize, near: String| progress.kills.get(&(judge, near)).copied();
        let mut judges = case.judges.clone();
        judges.sort_by_key(|&judge| {
            let here = kills(judge, place(case)).unwrap_or_default();
            let near = kills(judge, case.mutant.file.clone()).unwrap_or_default();
            (Reverse(here), Reverse(near), self.clean.judges[judge].executions)
        });
        judges
    }

    /// Runs a test with the change; `None` if it stays green.
    fn ask(&self, case: &Case, judge: &Judge, folder: &Path) -> Result<Option<Kill>> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let limit = judge.executions * LIMIT.0 + LIMIT.1;
        let key = case.mutant.key();
        let mut child = self
            .workspace
            .child(Config::Loom, &judge.executable)
            .args(["--exact", &judge.test])
            .env("SELVEDGE_RESULTS", folder)
            .env("SELVEDGE_MUTANT", &key)
            .env("SELVEDGE_LIMIT", limit.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be run", judge.name))?;
        let end = Instant::now() + Duration::from_secs_f64(judge.seconds * PATIENCE.0 + PATIENCE.1);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > end {
                // It may have ended by itself.
                let _ = child.kill();
                child.wait()?;
                break None;
            }
            thread::sleep(PAUSE);
        };
        let kill = |how: &str, executions, means| {
            let how = how.to_owned();
            Ok(Some(Kill { by: judge.name.clone(), how, executions, means }))
        };
        let Some(status) = status else { return kill("time is up", None, Means::RanAway) };
        if status.success() {
            let applied: u64 = clean::read(folder)?.iter().filter_map(|line| line.applied).sum();
            ensure!(applied > 0, "{key} was not made, though {} executes it", judge.name);
            return Ok(None);
        }
        // A test that crashed may leave half a line.
        let lines = clean::read(folder).unwrap_or_default();
        ensure!(
            !lines.is_empty() || status.signal().is_some(),
            "{} ended with {status} before any of its models did, on {key}",
            judge.name
        );
        let failure = lines.into_iter().filter_map(|line| {
            let failure = (line.model, line.failure?);
            (!judge.failures.contains(&failure))
                .then(|| (means(&failure.1), failure.1, line.executions))
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
        "cut short" | "livelock" => Means::RanAway,
        "wrong model" => Means::Test,
        _ => Means::Model,
    }
}
