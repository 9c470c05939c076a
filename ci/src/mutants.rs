//! `cargo ci mutants`: breaks the library in every small way, one at a time, and sees whether a model
//! notices.
//!
//! Nothing is compiled again: the façade makes the change that `SELVEDGE_MUTANT` names. A run without
//! a change tells which operations there are and which tests execute them; those tests are the
//! judges.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

mod accepted;
mod clean;
mod hunt;
mod report;
mod settings;
mod source;
mod trial;

pub(crate) use accepted::Accepted;
use clean::{Case, Clean};
pub(crate) use report::Results;
use settings::Settings;
use source::Operation;
pub(crate) use trial::{Fate, Trial};
#[cfg(test)]
pub(crate) use trial::{Means, samples};
use trial::{Mutant, NOT_COVERED};

use crate::binaries;
use crate::cargo::Workspace;
use crate::explore::{self, Explored, Test};
use crate::git;
use crate::tally::Tally;

/// How many executions the models of a test may take at most for it to be asked first.
const QUICK: u64 = 2_000;

/// Which mutants are tried.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Selection {
    /// Only those of FILE, or of one line of it
    #[arg(long, value_name = "FILE[:LINE]")]
    only: Option<String>,
    /// Only those of files that have changed since REV
    #[arg(long, value_name = "REV", conflicts_with = "only")]
    changed_since: Option<String>,
    /// Only ask those tests whose `page::test` contains TEXT
    #[arg(long, value_name = "TEXT")]
    judge: Option<String>,
    /// Only every Nth, from the Ith: for several machines
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<(usize, usize)>,
    /// Take the results that `cargo ci readme` has left, if it has run, instead of exploring again
    #[arg(long, conflicts_with = "judge")]
    left: bool,
    /// Try none: put together what shards have left
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["only", "changed_since", "judge", "shard"])]
    merge: Vec<PathBuf>,
}

impl Selection {
    /// All of them, judged by what the README's command has explored.
    pub(crate) fn of_what_is_left() -> Self {
        Self { left: true, ..Self::default() }
    }

    /// Whether a mutant is among those to be tried, on this machine or another.
    fn wanted(&self, workspace: &Workspace) -> Result<impl Fn(&Mutant) -> bool> {
        let changed = match &self.changed_since {
            None => None,
            Some(revision) => Some(git::changed_since(&workspace.root, revision)?),
        };
        Ok(move |mutant: &Mutant| {
            self.only.as_ref().is_none_or(|only| is_at(mutant, only))
                && changed.as_ref().is_none_or(|files| files.contains(&mutant.file))
        })
    }
}

/// `2/3` as (2, 3).
fn shard(text: &str) -> Result<(usize, usize), String> {
    let parse = || {
        let (shard, count) = text.split_once('/')?;
        let (shard, count) = (shard.parse().ok()?, count.parse().ok()?);
        (1..=count).contains(&shard).then_some((shard, count))
    };
    parse().ok_or_else(|| "must be I/N with I from 1 to N, such as 1/3".to_owned())
}

/// The mutants that are accepted.
pub(crate) fn accepted(workspace: &Workspace) -> Result<Accepted> {
    let settings = Settings::of(workspace)?;
    Accepted::read(&workspace.root.join(settings.accepted))
}

/// Runs the step.
pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> Result<Tally> {
    let settings = Settings::of(workspace)?;
    let accepted = Accepted::read(&workspace.root.join(&settings.accepted))?;
    let results = match &*selection.merge {
        [] => hunt(workspace, &settings, selection)?,
        paths => Results::merge(paths)?,
    };
    let name = match results.shard {
        Some((shard, count)) => format!("mutants-{shard}-of-{count}"),
        None => "mutants".to_owned(),
    };
    let file = workspace.scratch().join(name);
    results.write(&file.with_extension("json"))?;
    std::fs::write(file.with_extension("md"), results.table(&accepted))?;
    println!("{}", results.summary(&accepted));

    let open = results.open(&accepted);
    for trial in &open {
        println!(
            "{}\n    {}\n    {}",
            trial.mutant.key(),
            trial.mutant.source,
            trial.mutant.meaning()
        );
    }
    let stale = accepted.stale(&results.trials, results.complete());
    for entry in &stale {
        println!("no longer accepted: {entry}");
    }
    let tried = results.trials.len();
    let killed = results.trials.iter().filter(|t| matches!(t.fate, Fate::Killed(_))).count();
    println!(
        "{tried} of {} mutants tried in {:.0} s, {killed} killed; all of them: {}",
        results.mutants,
        results.seconds,
        file.with_extension("md").strip_prefix(&workspace.root).unwrap_or(&file).display()
    );
    let mut tally = Tally::default();
    if let (0, Some(revision)) = (tried, &selection.changed_since) {
        tally.skip(&format!("no file with a mutant has changed since {revision}"));
        return Ok(tally);
    }
    ensure!(tried > 0, "no mutant was tried");
    ensure!(
        open.is_empty(),
        "mutants that survive or that no model covers, as above: {}; weaken the operation, add the model \
         that needs it, or accept it in {} with a reason",
        open.len(),
        settings.accepted
    );
    ensure!(
        stale.is_empty(),
        "entries of {} that do not survive any more, as above: {}; remove them",
        settings.accepted,
        stale.len()
    );
    tally.passed(&format!("{killed} of {tried} mutants are killed, the others are accepted"));
    Ok(tally)
}

/// The tests, and what is known of them.
struct Suite<'a> {
    workspace: &'a Workspace,
    settings: &'a Settings,
    operations: Vec<Operation>,
    /// Those that have run without a change.
    done: Vec<Explored>,
    /// Those that take longer, and have not.
    left: Vec<Test>,
}

impl<'a> Suite<'a> {
    fn new(
        workspace: &'a Workspace,
        settings: &'a Settings,
        selection: &Selection,
    ) -> Result<Self> {
        let binaries = binaries::build(workspace, |source| settings.judges(source))?;
        ensure!(!binaries.is_empty(), "there is no test in {}", settings.judges.join(", "));
        let mut left = Vec::new();
        for binary in &binaries {
            left.extend(Test::of(workspace, binary)?);
        }
        left.retain(|test| !explore::LARGER.contains(&test.page()));
        if let Some(text) = &selection.judge {
            left.retain(|test| test.name.contains(text));
            ensure!(!left.is_empty(), "no test has {text:?} in its name");
        }
        let operations = source::operations(&workspace.root, settings)?;
        let explored = explore::left(workspace);
        let mut done = Vec::new();
        if selection.left && explored.exists() {
            println!("without a change: the results are those of the README's command");
            done = explore::by_test(&explored, &settings.judges, std::mem::take(&mut left))?;
        }
        Ok(Self { workspace, settings, operations, done, left })
    }

    /// Runs those that are left, unless they take more than `limit` executions.
    fn run(&mut self, limit: Option<u64>) -> Result<Clean> {
        self.done.extend(clean::run(self.workspace, &mut self.left, limit)?);
        clean::gather(&self.done, &self.operations, self.settings, |file| {
            fs::read_to_string(self.workspace.root.join(file))
                .with_context(|| format!("{file} cannot be read"))
        })
    }
}

/// Tries what is selected: asks the quick tests first, and the others only about what those leave.
fn hunt(workspace: &Workspace, settings: &Settings, selection: &Selection) -> Result<Results> {
    let wanted = selection.wanted(workspace)?;
    let mut suite = Suite::new(workspace, settings, selection)?;
    let start = Instant::now();
    let mut clean = suite.run(Some(QUICK))?;
    // Each shard has to know all mutants.
    if !suite.left.is_empty() && clean.cases.iter().any(|case| case.mutant.change == NOT_COVERED) {
        clean = suite.run(None)?;
    }
    println!(
        "{} mutants, {} tests that judge, {} that are asked about what those leave; {:.0} s without \
         a change",
        clean.cases.len(),
        clean.judges.len(),
        suite.left.len(),
        start.elapsed().as_secs_f64()
    );
    ensure!(!clean.cases.is_empty(), "there is no operation in {}", settings.files.join(", "));
    let cases: Vec<&Case> = clean.cases.iter().filter(|case| wanted(&case.mutant)).collect();
    if let Some(only) = selection.only.as_ref().filter(|_| cases.is_empty()) {
        anyhow::bail!("there is no mutant at {only}: it must be FILE or FILE:LINE of one");
    }
    let (shard, count) = selection.shard.unwrap_or((1, 1));
    let cases: Vec<Case> = cases.into_iter().skip(shard - 1).step_by(count).cloned().collect();
    let mut trials = hunt::run(workspace, &clean, &cases)?;

    let mut left: Vec<&mut Trial> =
        trials.iter_mut().filter(|trial| !trial.fate.is_settled()).collect();
    if !left.is_empty() && !suite.left.is_empty() {
        println!("{} mutants are left to {} longer tests", left.len(), suite.left.len());
        let asked = clean.judges.len();
        clean = suite.run(None)?;
        let is_left = |case: &&Case| left.iter().any(|trial| trial.mutant == case.mutant);
        let mut cases: Vec<Case> = clean.cases.iter().filter(is_left).cloned().collect();
        for case in &mut cases {
            case.judges.retain(|judge| *judge >= asked);
        }
        ensure!(cases.len() == left.len(), "the longer tests execute other operations");
        for (trial, later) in left.iter_mut().zip(hunt::run(workspace, &clean, &cases)?) {
            trial.fate = trial.fate.clone().and(later.fate);
        }
    }
    Ok(Results {
        mutants: clean.cases.len(),
        shard: selection.shard,
        whole: selection.only.is_none()
            && selection.judge.is_none()
            && selection.changed_since.is_none(),
        seconds: start.elapsed().as_secs_f64(),
        trials,
    })
}

/// Whether the mutant is of `place`, a file or a line of one.
fn is_at(mutant: &Mutant, place: &str) -> bool {
    mutant.file == place || format!("{}:{}", mutant.file, mutant.line) == place
}

#[cfg(test)]
mod tests {
    use super::trial::samples::trial;
    use super::*;

    #[test]
    fn a_shard_is_one_of_so_many() {
        assert_eq!(shard("2/3"), Ok((2, 3)));
        for text in ["0/3", "4/3", "2", "a/b", "1/0"] {
            assert!(shard(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_is_a_file_or_a_line_of_one() {
        let mutant = trial(12, "swap", "relaxed", Fate::NotCovered).mutant;
        assert!(is_at(&mutant, "src/a.rs") && is_at(&mutant, "src/a.rs:12"));
        assert!(!is_at(&mutant, "src/a.rs:1") && !is_at(&mutant, "a.rs"));
    }
}
