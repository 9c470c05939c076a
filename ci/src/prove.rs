//! `cargo ci prove`: explores every model and compares what was found with `ci/models.txt`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use ci::grouped;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::binaries;
use crate::cargo::Workspace;
use crate::explore::{self, Answer, Explored, Record, Test};
use crate::libtest;
use crate::tally::Tally;

mod list;

use list::List;

/// The folder of the pages.
const PAGES: &str = "loom-tests";

/// The committed list, from the root folder.
const LIST: &str = "ci/models.txt";

/// What is asked for.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Wish {
    /// Rewrite ci/models.txt after a full run that passes
    #[arg(long, conflicts_with = "filter")]
    bless: bool,
    /// Only tests whose `page::test` contains this
    filter: Option<String>,
    /// Take the results that `cargo ci readme` has left, if it has run, instead of exploring again
    #[arg(long, conflicts_with = "filter")]
    left: bool,
}

impl Wish {
    /// A comparison with what the README's command has explored.
    pub(crate) fn of_what_is_left() -> Self {
        Self { left: true, ..Self::default() }
    }
}

/// Runs the step.
pub(crate) fn run(workspace: &Workspace, wish: &Wish) -> Result<Tally> {
    // `counter::test#2`, as in the list, means the test.
    let filter = wish.filter.as_deref();
    let filter = filter.map(|filter| filter.split_once('#').map_or(filter, |(test, _)| test));
    let bless = wish.bless;
    let committed = committed(&workspace.root.join(LIST), bless)?.matching(filter);

    let summary = workspace.scratch().join("prove.json");
    if summary.exists() {
        fs::remove_file(&summary).context("the last prove.json cannot be removed")?;
    }
    let mut tests = tests(workspace)?;
    tests.retain(|test| !explore::LARGER.contains(&test.page()));
    tests.retain(|test| filter.is_none_or(|filter| test.name.contains(filter)));
    ensure!(!tests.is_empty(), "there is no test{}", of(filter));

    let start = Instant::now();
    let left = explore::left(workspace);
    let (done, mut problems) = if wish.left && left.exists() {
        println!("the results are those of the README's command");
        (explore::by_test(&left, &[PAGES.to_owned()], tests)?, Vec::new())
    } else {
        explore(workspace, tests, &committed)?
    };
    let seconds = start.elapsed().as_secs_f64();
    problems.extend(pages_without_models(&done));
    let mut records: Vec<Record> = done.into_iter().flat_map(|(_, records)| records).collect();
    records.sort_by_key(Record::name);
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

/// All tests of the pages.
pub(crate) fn tests(workspace: &Workspace) -> Result<Vec<Test>> {
    let binaries = binaries::build(workspace, |source| source.starts_with(PAGES))?;
    ensure!(!binaries.is_empty(), "there is no [[test]] whose path is in {PAGES}/");
    let mut tests = Vec::new();
    for binary in &binaries {
        tests.extend(Test::of(workspace, binary)?);
    }
    Ok(tests)
}

/// Explores the models of these tests and prints each as it ends; and what went wrong.
fn explore(
    workspace: &Workspace,
    tests: Vec<Test>,
    committed: &List,
) -> Result<(Vec<Explored>, Vec<String>)> {
    // It hides itself where standard error is no terminal.
    let bar = ProgressBar::new(tests.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos} of {len} tests, {elapsed}, {msg}")?);
    let width = committed.width();
    let answers = explore::each(workspace, &tests, |test, folder| {
        bar.set_message(test.name.clone());
        let answer = test.ask(workspace, &explore::ALL_OF_IT, None, folder)?;
        bar.suspend(|| answer.records.iter().for_each(|record| println!("{}", record.line(width))));
        bar.inc(1);
        Ok(answer)
    })?;
    bar.finish_and_clear();
    let mut problems = Vec::new();
    let mut done = Vec::new();
    for (test, Answer { status, records, output }) in tests.into_iter().zip(answers) {
        if !status.is_some_and(|status| status.success()) {
            println!("{output}");
            problems.push(format!("{} failed: its output is above", test.name));
        } else if libtest::ran(&output) != 1 {
            problems.push(format!("{} was not run", test.name));
        }
        done.push((test, records));
    }
    Ok((done, problems))
}

/// Pages of which no test has run a model.
fn pages_without_models(done: &[Explored]) -> Vec<String> {
    let mut models: BTreeMap<&str, usize> = BTreeMap::new();
    for (test, records) in done {
        *models.entry(test.page()).or_default() += records.len();
    }
    let empty = models.into_iter().filter(|(_, models)| *models == 0);
    empty.map(|(page, _)| format!("the page {page} ran no model")).collect()
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
        } else if record.executions == 0 && !record.status().starts_with("bounded") {
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
            "page": "counter", "test": test, "model": 1, "at": "loom-tests/1_race/counter.rs:12",
            "verdict": verdict, "expected": "table", "bound": null, "executions": executions,
            "seconds": 0.0,
        });
        Record::parse(&line.to_string()).expect("a record")
    }

    #[test]
    fn a_page_without_a_model_is_a_problem() {
        let done = [
            (Test::named("counter::fine"), vec![record("fine", "passed", 3)]),
            (Test::named("counter::plain"), Vec::new()),
            (Test::named("stats::plain"), Vec::new()),
        ];
        assert_eq!(pages_without_models(&done), ["the page stats ran no model"]);
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
                "counter::failed (loom-tests/1_race/counter.rs:12) failed",
                "counter::empty (loom-tests/1_race/counter.rs:12) passed without an execution",
                "counter::fine (loom-tests/1_race/counter.rs:12) was run twice",
            ]
        );
    }
}
