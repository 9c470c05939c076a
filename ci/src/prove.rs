//! `cargo ci prove`: explores every model and holds what was found against `ci/models.txt`.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::cargo::Workspace;
use crate::tally::Tally;

mod list;
mod pages;
pub(crate) mod record;
mod watch;

use list::List;
use record::Record;
pub(crate) use record::grouped;
use watch::Watch;

/// The committed list, from the root folder.
const LIST: &str = "ci/models.txt";

/// Runs the step. With `filter`, only tests whose `page::test` contains it.
pub(crate) fn run(workspace: &Workspace, bless: bool, filter: Option<&str>) -> Result<Tally> {
    // `counter::test#2`, as in the list, means the test.
    let filter = filter.map(|filter| filter.split_once('#').map_or(filter, |(test, _)| test));
    let committed = committed(&workspace.root.join(LIST), bless)?.matching(filter);

    let summary = workspace.scratch().join("prove.json");
    if summary.exists() {
        fs::remove_file(&summary).context("the last prove.json cannot be removed")?;
    }
    let pages = pages::build(workspace)?;
    let start = Instant::now();
    let mut watch = Watch::new(workspace, filter, &committed)?;
    let mut problems = Vec::new();
    for page in &pages {
        problems.extend(watch.run(page).with_context(|| format!("the page {}", page.name))?);
    }
    let records = watch.end();
    let seconds = start.elapsed().as_secs_f64();
    let executions: u64 = records.iter().map(|record| record.executions).sum();
    let models = records.len();
    println!("{models} models, {} executions, {seconds:.1} s", grouped(executions));

    let (found, more) = list_of(&records);
    problems.extend(more);
    let totals = json!({ "models": models, "executions": executions, "seconds": seconds });
    let values: Vec<_> = records.iter().map(|record| &record.value).collect();
    let text = json!({ "filter": filter, "totals": totals, "models": values }).to_string();
    fs::write(&summary, text + "\n").context("prove.json cannot be written")?;

    let differences = committed.differences(&found);
    for problem in &problems {
        println!("problem: {problem}");
    }
    if !bless {
        for difference in &differences {
            println!("{difference}");
        }
    }
    ensure!(
        problems.is_empty(),
        "not every model is proved; problems, as above: {}",
        problems.len()
    );
    ensure!(models > 0, "no model was run{}: at least one has to be", of(filter));
    if bless {
        fs::write(workspace.root.join(LIST), found.to_string())
            .with_context(|| format!("{LIST} cannot be written"))?;
        println!("{LIST} is rewritten; lines that differ: {}", differences.len());
    } else {
        ensure!(
            differences.is_empty(),
            "{LIST} is not what was run; lines that differ, as above: {}; if that is meant: cargo ci \
             prove --bless",
            differences.len()
        );
    }
    let mut tally = Tally::default();
    tally.passed(&format!("{models} models{} are as {LIST} has them", of(filter)));
    Ok(tally)
}

/// What a message says of the filter.
fn of(filter: Option<&str>) -> String {
    filter.map(|filter| format!(" of those that match {filter:?}")).unwrap_or_default()
}

/// The committed list. One that is not there is empty; one to be rewritten may be malformed.
fn committed(path: &Path, bless: bool) -> Result<List> {
    if !path.exists() {
        return Ok(List::default());
    }
    let text = fs::read_to_string(path).with_context(|| format!("{LIST} cannot be read"))?;
    match List::parse(&text) {
        Err(_) if bless => Ok(List::default()),
        list => list.with_context(|| format!("{LIST} is malformed")),
    }
}

/// What was run as a list, and what is wrong with it in itself.
fn list_of(records: &[Record]) -> (List, Vec<String>) {
    let mut list = List::default();
    let mut problems = Vec::new();
    for record in records {
        let name = record.name();
        if !record.passed() {
            problems.push(format!("{name} ({}) failed", record.at));
        } else if record.executions == 0 {
            problems.push(format!("{name} ({}) passed without an execution", record.at));
        }
        if !list.insert(&name, &record.status()) {
            problems.push(format!("{name} ({}) was run twice", record.at));
        }
    }
    (list, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(test: &str, verdict: &str, executions: u64) -> Record {
        let line = json!({
            "page": "counter", "test": test, "model": 1, "at": "loom-tests/counter.rs:12",
            "verdict": verdict, "expected": "table", "bound": null, "executions": executions,
            "seconds": 0.0,
        });
        Record::parse(&line.to_string()).expect("a record")
    }

    #[test]
    fn a_failed_an_empty_and_a_repeated_model_are_problems() {
        let records = [
            record("fine", "passed", 3),
            record("failed", "failed", 3),
            record("empty", "passed", 0),
            record("fine", "passed", 3),
        ];
        let (list, problems) = list_of(&records);
        assert_eq!(list.len(), 3);
        assert_eq!(
            problems,
            [
                "counter::failed (loom-tests/counter.rs:12) failed",
                "counter::empty (loom-tests/counter.rs:12) passed without an execution",
                "counter::fine (loom-tests/counter.rs:12) was run twice",
            ]
        );
    }
}
