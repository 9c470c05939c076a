//! The run without a change: what each test executes, and that all pass.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use indicatif::ProgressBar;

use super::settings::Settings;
use super::source::Operation;
use super::trial::{Mutant, NOT_COVERED};
use crate::cargo::Workspace;
use crate::explore::{self, Answer, Explored, Record, Site, Test};

/// A test whose models execute an operation that is changed.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) test: Test,
    /// Of its largest model.
    pub(crate) executions: u64,
    /// Of all of them.
    pub(crate) seconds: f64,
    /// Those that fail also without a change, where a test expects that, and how.
    pub(crate) failures: Vec<(u64, String)>,
}

/// A mutant and the judges that execute its operation, by index.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) mutant: Mutant,
    pub(crate) judges: Vec<usize>,
}

/// All judges, in the order of their tests, and all mutants, in the order of the source.
#[derive(Debug, Default)]
pub(crate) struct Clean {
    pub(crate) judges: Vec<Judge>,
    pub(crate) cases: Vec<Case>,
}

/// Runs the tests without a change, and leaves in `tests` those that take more than `limit` executions.
pub(crate) fn run(
    workspace: &Workspace,
    tests: &mut Vec<Test>,
    limit: Option<u64>,
) -> Result<Vec<Explored>> {
    let bar = ProgressBar::new(tests.len() as u64);
    let limit = limit.map(|limit| limit.to_string());
    let mut variables = vec![("SELVEDGE_SITES", "1")];
    variables.extend(limit.as_deref().map(|limit| ("SELVEDGE_LIMIT", limit)));
    let answers = explore::each(workspace, tests, |test, folder| {
        bar.set_message(test.name.clone());
        let Answer { status, records, output } = test.ask(workspace, &variables, None, folder)?;
        bar.inc(1);
        let cut_short = |record: &Record| record.failure.as_deref() == Some("limit exceeded");
        if limit.is_some() && records.iter().any(cut_short) {
            return Ok(None);
        }
        if !status.is_some_and(|status| status.success()) {
            bail!("{} fails without a change:\n{output}", test.name);
        }
        Ok(Some(records))
    })?;
    bar.finish_and_clear();
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for (test, answer) in tests.drain(..).zip(answers) {
        match answer {
            Some(lines) => done.push((test, lines)),
            None => left.push(test),
        }
    }
    *tests = left;
    Ok(done)
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
pub(crate) fn gather(
    tests: &[Explored],
    operations: &[Operation],
    settings: &Settings,
    source: impl Fn(&str) -> Result<String>,
) -> Result<Clean> {
    let mut judges: Vec<Judge> = Vec::new();
    let mut known: BTreeMap<Operation, Known> = BTreeMap::new();
    for operation in operations {
        known.insert(operation.clone(), Known::default());
    }
    for (test, records) in tests {
        let mine = |site: &&Site| settings.changes(&site.file);
        if !records.iter().flat_map(|record| &record.sites).any(|site| mine(&site)) {
            continue;
        }
        let executions = records.iter().map(|record| record.executions).max().unwrap_or_default();
        let seconds = records.iter().map(|record| record.seconds).sum();
        let failure = |record: &Record| Some((record.model, record.failure.clone()?));
        let failures = records.iter().filter_map(failure).collect();
        judges.push(Judge { test: test.clone(), executions, seconds, failures });
        for site in records.iter().flat_map(|record| &record.sites).filter(mine) {
            let Site { file, line, column, operation: name, .. } = site;
            let (file, name) = (file.clone(), name.clone());
            let operation = Operation { file, line: *line, column: *column, name };
            let known = known.entry(operation).or_default();
            known.ordering.clone_from(&site.ordering);
            if site.contended {
                known.changes = Some(site.changes.clone());
                known.judges.insert(judges.len() - 1);
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

    fn record(executions: u64, sites: &[serde_json::Value]) -> Record {
        let value = json!({
            "page": "page", "test": "test", "model": 1, "at": "a.rs:1", "verdict": "passed",
            "expected": "table", "bound": null, "executions": executions, "seconds": 0.5, "sites": sites,
        });
        Record::parse(&value.to_string()).expect("a record")
    }

    #[test]
    fn what_is_executed_alone_or_not_at_all_is_not_covered() {
        let elsewhere = json!({
            "file": "tests/a.rs", "line": 1, "column": 1, "operation": "load",
            "ordering": "acquire", "contended": true, "changes": ["relaxed"],
        });
        let test = |name: &str, records| (Test::named(&format!("page::{name}")), records);
        let (swap, alone) = (["relaxed", "split"], ["skipped"]);
        let tests = [
            test(
                "one",
                vec![
                    record(3, &[site(1, "swap", true, &swap)]),
                    record(7, &[site(1, "swap", true, &swap)]),
                ],
            ),
            test(
                "two",
                vec![record(9, &[site(1, "swap", false, &swap), site(2, "lock", false, &alone)])],
            ),
            test("three", vec![record(1, &[elsewhere])]),
        ];
        let operation = |line, name: &str| Operation {
            file: "src/a.rs".to_owned(),
            line,
            column: 5,
            name: name.to_owned(),
        };
        let operations = [operation(1, "swap"), operation(2, "lock"), operation(3, "fence")];
        let source = |_: &str| Ok("a.swap(1)\n  m.lock()\nfence()\n".to_owned());
        let clean = gather(&tests, &operations, &Settings::default(), source).expect("a clean run");

        let judges: Vec<_> = clean.judges.iter().map(|j| (&*j.test.name, j.executions)).collect();
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
    }
}
