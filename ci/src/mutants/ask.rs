//! Runs one test by itself and reads what its models say.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;
use wait_timeout::ChildExt as _;

use crate::binaries::Binary;
use crate::cargo::{Config, Workspace};

/// A test that may be asked.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    /// `page::test`.
    pub(crate) name: String,
    executable: PathBuf,
    /// Its name in the binary.
    exact: String,
}

/// The result of a model, as far as mutants matter. The harness may add fields.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    /// Which of the test's models, counted from 1.
    pub(crate) model: u64,
    pub(crate) executions: u64,
    pub(crate) seconds: f64,
    pub(crate) failure: Option<String>,
    pub(crate) applied: Option<u64>,
    #[serde(default)]
    pub(crate) sites: Vec<Site>,
}

/// An operation that a model executed.
#[derive(Debug, Deserialize)]
pub(crate) struct Site {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) operation: String,
    pub(crate) ordering: String,
    /// Whether that was ever while another thread ran.
    pub(crate) contended: bool,
    pub(crate) changes: Vec<String>,
}

/// What came of a test.
pub(crate) struct Answer {
    /// None if its time was up.
    pub(crate) status: Option<ExitStatus>,
    /// Of its models, as far as they came to an end.
    pub(crate) lines: Vec<Line>,
    /// What it printed.
    pub(crate) output: String,
}

impl Test {
    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), executable: PathBuf::new(), exact: String::new() }
    }

    /// All of a binary.
    pub(crate) fn of(workspace: &Workspace, binary: &Binary) -> Result<Vec<Self>> {
        let test = |exact: String| Self {
            name: format!("{}::{exact}", binary.name),
            executable: binary.executable.clone(),
            exact,
        };
        Ok(binary.tests(workspace)?.into_iter().map(test).collect())
    }

    /// Runs it and reads its results, which are left in `folder`: nobody else's.
    pub(crate) fn ask(
        &self,
        workspace: &Workspace,
        variables: &[(&str, &str)],
        patience: Option<Duration>,
        folder: &Path,
    ) -> Result<Answer> {
        if folder.exists() {
            fs::remove_dir_all(folder).context("the last results cannot be removed")?;
        }
        fs::create_dir_all(folder)?;
        let printed = folder.with_extension("txt");
        let mut child = workspace
            .child(Config::Loom, &self.executable)
            .args(["--exact", &self.exact])
            .envs(variables.iter().copied())
            .env("SELVEDGE_RESULTS", folder)
            .stdout(File::create(&printed)?)
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be run", self.name))?;
        let status = match patience {
            None => Some(child.wait()?),
            Some(patience) => child.wait_timeout(patience)?,
        };
        if status.is_none() {
            // It may have ended by itself.
            let _ = child.kill();
            child.wait()?;
        }
        let read = read(folder);
        // A test that crashed may leave half a line.
        let whole = status.is_some_and(|status| status.code().is_some());
        let lines = if whole { read? } else { read.unwrap_or_default() };
        let output = String::from_utf8_lossy(&fs::read(&printed)?).into_owned();
        Ok(Answer { status, lines, output })
    }
}

/// All results in a folder.
fn read(folder: &Path) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        for line in fs::read_to_string(&path)?.lines() {
            let read = serde_json::from_str(line);
            lines.push(read.with_context(|| format!("{}: {line:?}", path.display()))?);
        }
    }
    Ok(lines)
}

/// Does the work on all items, on all cores, until one fails. What came of them is in their order;
/// each worker has a folder of its own.
pub(crate) fn each<T: Sync, R: Send>(
    workspace: &Workspace,
    items: &[T],
    work: impl Fn(&T, &Path) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = |folder: PathBuf| {
        let mut done = Vec::new();
        while !failed.load(Relaxed) {
            let position = next.fetch_add(1, Relaxed);
            let Some(item) = items.get(position) else { break };
            let result = work(item, &folder).inspect_err(|_| failed.store(true, Relaxed))?;
            done.push((position, result));
        }
        anyhow::Ok(done)
    };
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut done = thread::scope(|scope| {
        let folder = |number| workspace.scratch().join(format!("worker-{number}"));
        let start = |number| scope.spawn(move || worker(folder(number)));
        let workers: Vec<_> = (0..workers).map(start).collect();
        let mut done = Vec::new();
        for worker in workers {
            done.extend(worker.join().map_err(|_| anyhow!("a worker panicked"))??);
        }
        anyhow::Ok(done)
    })?;
    done.sort_by_key(|(position, _)| *position);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
