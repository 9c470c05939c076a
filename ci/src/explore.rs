//! Runs tests that hold models, each in a process of its own, and reads what the models say.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use wait_timeout::ChildExt as _;

use crate::binaries::Binary;
use crate::cargo::{Config, Workspace};

mod record;

pub(crate) use record::{Record, Scenarios, Site};

/// A test that may be run.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    /// `page::test`.
    pub(crate) name: String,
    executable: PathBuf,
    /// Its name in the binary.
    exact: String,
}

/// A test, and the results of its models.
pub(crate) type Explored = (Test, Vec<Record>);

/// What came of a test.
pub(crate) struct Answer {
    /// None if its time was up.
    pub(crate) status: Option<ExitStatus>,
    /// Of its models, as far as they came to an end.
    pub(crate) records: Vec<Record>,
    /// What it printed.
    pub(crate) output: String,
}

impl Test {
    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), executable: PathBuf::new(), exact: String::new() }
    }

    /// All of a binary. The first module of a test is its page; where there is none, the binary is.
    pub(crate) fn of(workspace: &Workspace, binary: &Binary) -> Result<Vec<Self>> {
        let test = |exact: String| Self {
            name: if exact.contains("::") {
                exact.clone()
            } else {
                format!("{}::{exact}", binary.name)
            },
            executable: binary.executable.clone(),
            exact,
        };
        Ok(binary.tests(workspace)?.into_iter().map(test).collect())
    }

    /// The page that it stands on.
    pub(crate) fn page(&self) -> &str {
        self.name.split_once("::").map_or(&*self.name, |(page, _)| page)
    }

    /// Whether the record is of one of its models. A page may be a module within a module.
    fn has(&self, record: &Record) -> bool {
        let name = record.test_name();
        let inner = || self.name.strip_suffix(&*name).is_some_and(|outer| outer.ends_with("::"));
        self.name == name || self.name == record.test || inner()
    }

    /// Runs it and reads its results, which are left in `folder`: no other test writes there.
    pub(crate) fn ask(
        &self,
        workspace: &Workspace,
        variables: &[(&str, &str)],
        patience: Option<Duration>,
        folder: &Path,
    ) -> Result<Answer> {
        empty(folder)?;
        let printed = folder.with_extension("txt");
        let file = File::create(&printed)?;
        let mut child = workspace
            .child(Config::Loom, &self.executable)
            .args(["--exact", &self.exact])
            .envs(variables.iter().copied())
            .env("SELVEDGE_RESULTS", folder)
            .stdout(file.try_clone()?)
            .stderr(file)
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
        let records = if whole { read? } else { read.unwrap_or_default() };
        let output = String::from_utf8_lossy(&fs::read(&printed)?).into_owned();
        Ok(Answer { status, records, output })
    }
}

/// Empties a folder, and makes it if need be.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    let empty = || {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)
    };
    empty().with_context(|| format!("{} cannot be emptied", folder.display()))
}

/// All results in a folder.
fn read(folder: &Path) -> Result<Vec<Record>> {
    read_if(folder, |_| true)
}

/// Those results in a folder whose line is `wanted`.
fn read_if(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        for line in fs::read_to_string(&path)?.lines().filter(|line| wanted(line)) {
            records.push(Record::parse(line).with_context(|| path.display().to_string())?);
        }
    }
    Ok(records)
}

/// Where the README's command leaves the results of all models.
pub(crate) fn left(workspace: &Workspace) -> PathBuf {
    workspace.scratch().join("results")
}

/// What `cargo ci linearizable` explores in full, and the ordinary suite in a size that takes no time. These
/// are no lessons: they are run, but they have no page in the report, no line in the list, and no mutants.
pub(crate) const LARGER: [&str; 2] = ["linearizable_larger", "linearizable_random"];

/// What is asked of models that are explored once for the list, the mutants and the report.
pub(crate) const ALL_OF_IT: [(&str, &str); 2] = [("SELVEDGE_TRACES", "1"), ("SELVEDGE_SITES", "1")];

/// The results in `folder` of models whose file is in one of `sources`, each with its test.
///
/// # Errors
///
/// If one of them belongs to none of the tests.
pub(crate) fn by_test(
    folder: &Path,
    sources: &[String],
    tests: Vec<Test>,
) -> Result<Vec<Explored>> {
    // A cheap look, since the models of other test binaries are there as well.
    let marks: Vec<String> = sources.iter().map(|source| format!("\"at\":\"{source}/")).collect();
    let mut records = read_if(folder, |line| marks.iter().any(|mark| line.contains(mark)))?;
    records.retain(|record| !LARGER.contains(&&*record.page));
    let mut all: Vec<Explored> = tests.into_iter().map(|test| (test, Vec::new())).collect();
    for record in records {
        let of = all.iter_mut().find(|(test, _)| test.has(&record));
        let (_, mine) =
            of.with_context(|| format!("{} is the result of no test of today", record.name()))?;
        mine.push(record);
    }
    ensure!(all.iter().any(|(_, records)| !records.is_empty()), "no model left a result");
    Ok(all)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(page: &str, test: &str, at: &str) -> String {
        let value = json!({
            "page": page, "test": test, "model": 1, "at": at, "verdict": "passed",
            "expected": "table", "bound": null, "executions": 3, "seconds": 0.0,
        });
        value.to_string() + "\n"
    }

    #[test]
    fn a_result_goes_to_its_test_wherever_the_page_stands() {
        let folder = std::env::temp_dir().join(format!("selvedge-ci-{}", std::process::id()));
        empty(&folder).expect("a folder");
        let lines = [
            line("counter", "adds", "loom-tests/1_race/counter.rs:1"),
            line("axioms", "hold", "loom-tests/7_checker/litmus/axioms.rs:1"),
            line("harness", "fails", "model/tests/harness.rs:1"),
            line(LARGER[0], "shrinks", "loom-tests/3_scenarios/linearizable_random.rs:1"),
        ];
        fs::write(folder.join("a.jsonl"), lines.concat()).expect("a file");
        let sources = ["loom-tests".to_owned()];
        let tests = ["counter::adds", "litmus::axioms::hold", "counter::other"];
        let read = |tests: &[&str]| {
            by_test(&folder, &sources, tests.iter().map(|name| Test::named(name)).collect())
        };
        let found = read(&tests).expect("two results");
        let counts: Vec<_> = found.iter().map(|(_, records)| records.len()).collect();
        assert_eq!(counts, [1, 1, 0]);
        let error = read(&tests[..1]).expect_err("a test is gone").to_string();
        assert_eq!(error, "axioms::hold is the result of no test of today");
        empty(&folder).expect("a folder");
        assert_eq!(read(&tests).expect_err("nothing").to_string(), "no model left a result");
        fs::remove_dir_all(folder).expect("it was there");
    }
}
