//! Runs one test by itself and reads what its models say.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::Deserialize;

use crate::binaries::Binary;
use crate::cargo::{Config, Workspace};

/// How often to look whether a test has ended.
const PAUSE: Duration = Duration::from_millis(2);

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
        let mut command = workspace.child(Config::Loom, &binary.executable);
        let output = command
            .args(["--list", "--format", "terse"])
            .output()
            .with_context(|| format!("{} cannot be run", binary.name))?;
        ensure!(output.status.success(), "{} does not list its tests", binary.name);
        let list = String::from_utf8_lossy(&output.stdout);
        let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
        Ok(names
            .map(|test| Self {
                name: format!("{}::{test}", binary.name),
                executable: binary.executable.clone(),
                exact: test.to_owned(),
            })
            .collect())
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
        let end = patience.map(|patience| Instant::now() + patience);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if end.is_some_and(|end| Instant::now() > end) {
                // It may have ended by itself.
                let _ = child.kill();
                child.wait()?;
                break None;
            }
            thread::sleep(PAUSE);
        };
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
