//! The run without a change: which tests there are, what each executes, and that all pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use indicatif::ProgressBar;
use serde::Deserialize;

use super::settings::Settings;
use super::source::Operation;
use super::trial::{Mutant, NOT_COVERED};
use crate::binaries::{self, Binary};
use crate::cargo::{Config, Workspace};

/// The result of a model, as far as mutants matter. The harness may add fields.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) page: String,
    pub(crate) test: String,
    /// Which of the test's models, counted from 1.
    pub(crate) model: u64,
    pub(crate) executions: u64,
    seconds: f64,
    pub(crate) failure: Option<String>,
    pub(crate) applied: Option<u64>,
    #[serde(default)]
    sites: Vec<Site>,
}

/// An operation that a model executed.
#[derive(Debug, Deserialize)]
struct Site {
    file: String,
    line: usize,
    column: usize,
    operation: String,
    ordering: String,
    /// Whether that was ever while another thread ran.
    contended: bool,
    changes: Vec<String>,
}

/// A test whose models execute an operation that is changed.
#[derive(Debug)]
pub(crate) struct Judge {
    /// `page::test`.
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
    /// For `--exact`.
    pub(crate) test: String,
    /// Of its largest model.
    pub(crate) executions: u64,
    /// Of all of them.
    pub(crate) seconds: f64,
    /// Those that fail also without a change, where a test expects that, and how.
    pub(crate) failures: Vec<(u64, String)>,
}

/// A mutant and the judges that execute its operation, by index.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) mutant: Mutant,
    pub(crate) judges: Vec<usize>,
}

/// All judges and all mutants, in the order of the source.
#[derive(Debug, Default)]
pub(crate) struct Clean {
    pub(crate) judges: Vec<Judge>,
    pub(crate) cases: Vec<Case>,
}

impl Clean {
    /// Leaves those judges out whose names are not `wanted`.
    pub(crate) fn ask_only(&mut self, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let wanted: Vec<bool> = self.judges.iter().map(|judge| wanted(&judge.name)).collect();
        ensure!(wanted.contains(&true), "no test that executes an operation has such a name");
        for case in &mut self.cases {
            case.judges.retain(|judge| wanted[*judge]);
        }
        Ok(())
    }
}

/// Builds the tests.
pub(crate) fn build(workspace: &Workspace, settings: &Settings) -> Result<Vec<Binary>> {
    let binaries = binaries::build(workspace, |source| settings.judges(source))?;
    ensure!(!binaries.is_empty(), "there is no test in {}", settings.judges.join(", "));
    Ok(binaries)
}

/// Runs the tests without a change.
pub(crate) fn run(
    workspace: &Workspace,
    settings: &Settings,
    binaries: &[Binary],
) -> Result<Clean> {
    let folder = workspace.scratch().join("clean");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("the last clean run cannot be removed")?;
    }
    let bar = ProgressBar::new(binaries.len() as u64);
    let mut tests = Vec::new();
    for binary in binaries {
        bar.set_message(binary.name.clone());
        let results = folder.join(&binary.name);
        let output = workspace
            .child(Config::Loom, &binary.executable)
            .env("SELVEDGE_RESULTS", &results)
            .env("SELVEDGE_SITES", "1")
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("{} cannot be run", binary.name))?;
        ensure!(
            output.status.success(),
            "{} fails without a change:\n{}",
            binary.name,
            String::from_utf8_lossy(&output.stdout)
        );
        let lines = if results.exists() { read(&results)? } else { Vec::new() };
        tests.push((binary.executable.clone(), lines));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let operations = super::source::operations(&workspace.root, settings)?;
    let clean = gather(tests, &operations, settings, |file| {
        fs::read_to_string(workspace.root.join(file))
            .with_context(|| format!("{file} cannot be read"))
    })?;
    ensure!(
        !clean.judges.is_empty(),
        "no model executes an operation of {}",
        settings.files.join(", ")
    );
    Ok(clean)
}

/// All results in a folder.
pub(crate) fn read(folder: &Path) -> Result<Vec<Line>> {
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

/// What is known of an operation.
#[derive(Default)]
struct Known {
    ordering: String,
    /// `None` while it was only executed alone.
    changes: Option<Vec<String>>,
    judges: BTreeSet<usize>,
}

/// Judges and mutants out of results.
fn gather(
    tests: Vec<(PathBuf, Vec<Line>)>,
    operations: &[Operation],
    settings: &Settings,
    source: impl Fn(&str) -> Result<String>,
) -> Result<Clean> {
    let mut judges: Vec<Judge> = Vec::new();
    let mut known: BTreeMap<Operation, Known> = BTreeMap::new();
    for operation in operations {
        known.insert(operation.clone(), Known::default());
    }
    for (executable, lines) in tests {
        for line in lines {
            let sites: Vec<Site> =
                line.sites.into_iter().filter(|site| settings.changes(&site.file)).collect();
            if sites.is_empty() {
                continue;
            }
            let name = format!("{}::{}", line.page, line.test);
            let found = judges.iter().position(|judge| judge.name == name);
            let judge = found.unwrap_or_else(|| {
                let executable = executable.clone();
                let failures = Vec::new();
                let test = line.test;
                judges.push(Judge {
                    name,
                    executable,
                    test,
                    executions: 0,
                    seconds: 0.0,
                    failures,
                });
                judges.len() - 1
            });
            judges[judge].executions = judges[judge].executions.max(line.executions);
            judges[judge].seconds += line.seconds;
            judges[judge].failures.extend(line.failure.map(|failure| (line.model, failure)));
            for site in sites {
                let Site { file, line, column, operation: name, .. } = site;
                let known = known.entry(Operation { file, line, column, name }).or_default();
                known.ordering = site.ordering;
                if site.contended {
                    known.changes = Some(site.changes);
                    known.judges.insert(judge);
                }
            }
        }
    }
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let mut cases = Vec::new();
    for (Operation { file, line, column, name: operation }, known) in known {
        if !sources.contains_key(&file) {
            sources.insert(file.clone(), source(&file)?);
        }
        let text = sources[&file].lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let source = text.trim().to_owned();
        let ordering = known.ordering;
        let mutant = |change: String| Mutant {
            file: file.clone(),
            line,
            column,
            operation: operation.clone(),
            ordering: ordering.clone(),
            change,
            source: source.clone(),
        };
        let judges: Vec<usize> = known.judges.into_iter().collect();
        match known.changes {
            None => cases.push(Case { mutant: mutant(NOT_COVERED.to_owned()), judges }),
            Some(changes) => cases.extend(
                changes
                    .into_iter()
                    .map(|change| Case { mutant: mutant(change), judges: judges.clone() }),
            ),
        }
    }
    Ok(Clean { judges, cases })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn site(line: usize, operation: &str, contended: bool, changes: &[&str]) -> serde_json::Value {
        json!({
            "file": "src/a.rs", "line": line, "column": 5, "operation": operation,
            "ordering": "acq_rel", "contended": contended, "changes": changes,
        })
    }

    fn line(test: &str, executions: u64, sites: &[serde_json::Value]) -> Line {
        let value = json!({
            "page": "page", "test": test, "model": 1, "verdict": "passed", "executions": executions,
            "seconds": 0.5, "sites": sites, "more": [],
        });
        serde_json::from_value(value).expect("a line")
    }

    #[test]
    fn what_is_executed_alone_or_not_at_all_is_not_covered() {
        let elsewhere = json!({
            "file": "tests/a.rs", "line": 1, "column": 1, "operation": "load",
            "ordering": "acquire", "contended": true, "changes": ["relaxed"],
        });
        let lines = vec![
            line("one", 3, &[site(1, "swap", true, &["relaxed", "split"])]),
            line("one", 7, &[site(1, "swap", true, &["relaxed", "split"])]),
            line(
                "two",
                9,
                &[
                    site(1, "swap", false, &["relaxed", "split"]),
                    site(2, "lock", false, &["skipped"]),
                ],
            ),
            line("three", 1, &[elsewhere]),
        ];
        let operation = |line, name: &str| Operation {
            file: "src/a.rs".to_owned(),
            line,
            column: 5,
            name: name.to_owned(),
        };
        let operations = [operation(1, "swap"), operation(2, "lock"), operation(3, "fence")];
        let source = |_: &str| Ok("a.swap(1)\n  m.lock()\nfence()\n".to_owned());
        let clean =
            gather(vec![("/t/page".into(), lines)], &operations, &Settings::default(), source)
                .expect("a clean run");

        let judges: Vec<_> = clean.judges.iter().map(|j| (&*j.name, j.executions)).collect();
        assert_eq!(judges, [("page::one", 7), ("page::two", 9)]);
        let cases: Vec<_> = clean
            .cases
            .iter()
            .map(|case| {
                (case.mutant.line, &*case.mutant.change, &*case.mutant.source, &*case.judges)
            })
            .collect();
        assert_eq!(
            cases,
            [
                (1, "relaxed", "a.swap(1)", &[0][..]),
                (1, "split", "a.swap(1)", &[0]),
                (2, NOT_COVERED, "m.lock()", &[]),
                (3, NOT_COVERED, "fence()", &[]),
            ]
        );

        let mut clean = clean;
        assert!(clean.ask_only(|name| name == "page::four").is_err());
        clean.ask_only(|name| name == "page::two").expect("it is there");
        assert!(clean.cases.iter().all(|case| case.judges.is_empty()));
    }
}
