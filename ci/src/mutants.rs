//! `cargo ci mutants`: breaks the library in every small way, one at a time, and sees whether a model
//! notices.
//!
//! Nothing is compiled again: the façade makes the change that `SELVEDGE_MUTANT` names. A run without
//! a change tells which operations there are and which tests execute them; those tests are the
//! judges.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};

mod accepted;
mod clean;
mod hunt;
mod report;
mod settings;
mod source;
mod trial;

pub(crate) use accepted::Accepted;
use clean::Case;
pub(crate) use report::Results;
use settings::Settings;
use trial::Mutant;
pub(crate) use trial::{Fate, Trial};
#[cfg(test)]
pub(crate) use trial::{Means, samples};

use crate::cargo::Workspace;
use crate::git;
use crate::tally::Tally;

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
    /// Try none: put together what shards have left
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["only", "changed_since", "judge", "shard"])]
    merge: Vec<PathBuf>,
}

/// `2/3` as (2, 3).
fn shard(text: &str) -> Result<(usize, usize), String> {
    let parse = || {
        let (shard, count) = text.split_once('/')?;
        let (shard, count) = (shard.parse().ok()?, count.parse().ok()?);
        (1..=count).contains(&shard).then_some((shard, count))
    };
    parse().ok_or_else(|| "accepted is I/N with I from 1 to N, such as 1/3".to_owned())
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

/// Tries what is selected.
fn hunt(workspace: &Workspace, settings: &Settings, selection: &Selection) -> Result<Results> {
    let binaries = clean::build(workspace, settings)?;
    let start = Instant::now();
    let mut clean = clean::run(workspace, settings, &binaries)?;
    if let Some(text) = &selection.judge {
        clean.ask_only(|judge| judge.contains(text.as_str()))?;
    }
    println!(
        "{} mutants, {} tests that judge; {:.0} s without a change",
        clean.cases.len(),
        clean.judges.len(),
        start.elapsed().as_secs_f64()
    );
    let mutants = clean.cases.len();
    let changed = match &selection.changed_since {
        None => None,
        Some(revision) => Some(git::changed_since(&workspace.root, revision)?),
    };
    let wanted = |mutant: &Mutant| {
        selection.only.as_ref().is_none_or(|only| is_at(mutant, only))
            && changed.as_ref().is_none_or(|files| files.contains(&mutant.file))
    };
    let (shard, count) = selection.shard.unwrap_or((1, 1));
    let cases: Vec<&Case> = clean
        .cases
        .iter()
        .filter(|case| wanted(&case.mutant))
        .skip(shard - 1)
        .step_by(count)
        .collect();
    if let Some(only) = selection.only.as_ref().filter(|_| cases.is_empty()) {
        anyhow::bail!("there is no mutant at {only}: FILE or FILE:LINE of one is accepted");
    }
    let trials = hunt::run(workspace, &clean, &cases)?;
    Ok(Results {
        mutants,
        shard: selection.shard,
        whole: selection.only.is_none() && selection.judge.is_none() && changed.is_none(),
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
