//! What a hunt found: tables for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use selvedge_results::{Fate, Means, Mutant, Reach, Trial, Trials};

use super::accepted::Accepted;
use crate::exit::Exit;
use crate::prove::check_shards;

/// Reads what a run has left.
///
/// # Errors
///
/// If it cannot be read, or is of another version.
pub fn read(path: &Path) -> Result<Trials> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("{} cannot be read; `cargo selvedge mutants` writes it", path.display())
    })?;
    selvedge_results::read(&text)
        .map_err(|error| Exit::Usage.because(format!("{} cannot be used: {error}", path.display())))
}

/// Reads what runs have left, on this machine or others, and puts it together.
///
/// # Errors
///
/// If they are not all the shards of one run.
pub(super) fn merge(paths: &[PathBuf]) -> Result<Trials> {
    let parts = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    of_shards(parts).map_err(|message| Exit::Usage.because(message))
}

fn of_shards(parts: Vec<Trials>) -> Result<Trials, String> {
    let shards: Vec<_> = parts.iter().map(|part| part.shard).collect();
    check_shards(&shards)?;
    let mutants = parts.first().map_or(0, |part| part.mutants);
    if parts.iter().any(|part| part.mutants != mutants || !part.whole) {
        return Err(
            "the shards are not of the same run, or one tried only some of its mutants".to_owned()
        );
    }
    let seconds = parts.iter().map(|part| part.seconds).fold(0.0, f64::max);
    let mut trials: Vec<Trial> = parts.into_iter().flat_map(|part| part.trials).collect();
    trials.sort_by(|a, b| a.mutant.cmp(&b.mutant));
    if trials.len() != mutants {
        return Err(format!(
            "{} of {mutants} mutants were tried: a shard was interrupted",
            trials.len()
        ));
    }
    Ok(Trials { mutants, whole: true, seconds, trials, ..Trials::default() })
}

/// The trials, and which of them are accepted.
pub struct Summary<'a> {
    trials: &'a [Trial],
    accepted: &'a Accepted,
}

impl<'a> Summary<'a> {
    /// Of these trials.
    #[must_use]
    pub fn new(trials: &'a [Trial], accepted: &'a Accepted) -> Self {
        Self { trials, accepted }
    }

    /// Those that no model noticed, and that are not accepted.
    #[must_use]
    pub fn open(&self) -> Vec<&'a Trial> {
        let open = |trial: &&Trial| {
            trial.fate.survivor().is_some() && self.accepted.reason(&trial.mutant).is_none()
        };
        self.trials.iter().filter(open).collect()
    }

    /// What only looks like an operation, and was not executed.
    #[must_use]
    pub fn guessed(&self) -> Vec<&'a Trial> {
        let guessed = Fate::NotCovered { reach: Reach::Guessed };
        self.trials.iter().filter(|trial| trial.fate == guessed).collect()
    }

    /// How many of each fate, by `key`.
    fn count(&self, key: impl Fn(&Mutant) -> String) -> BTreeMap<String, Counts> {
        let mut table: BTreeMap<String, Counts> = BTreeMap::new();
        for trial in self.trials {
            let accepted = self.accepted.reason(&trial.mutant).is_some();
            table.entry(key(&trial.mutant)).or_default().add(&trial.fate, accepted);
        }
        table
    }

    /// The tables by file and by operator, and the score.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (title, table) in [
            ("file", self.count(|mutant| mutant.file.clone())),
            ("operator", self.count(|mutant| mutant.operator().to_owned())),
            ("all", self.count(|_| "all".to_owned())),
        ] {
            if title != "all" {
                let _ = writeln!(
                    text,
                    "{title:<36}{:>8}{:>8}{:>8}{:>10}{:>10}{:>10}{:>13}",
                    "mutants",
                    "killed",
                    "by test",
                    "ran away",
                    "accepted",
                    "survived",
                    "not covered"
                );
            }
            for (key, counts) in table {
                let Counts { model, test, ran_away, accepted, survived, not_covered } = counts;
                let _ = writeln!(
                    text,
                    "{key:<36}{:>8}{model:>10}{test:>10}{ran_away:>10}{accepted:>10}{survived:>10}\
                     {not_covered:>13}",
                    model + test + ran_away + accepted + survived + not_covered
                );
            }
            text.push('\n');
        }
        text
    }

    /// A table a file: each mutant and what became of it.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut last = None;
        for Trial { mutant, fate } in self.trials {
            if last != Some(&mutant.file) {
                let _ = writeln!(text, "\n## {}\n", mutant.file);
                text.push_str("| line | source | operation | change | found out by |\n|---|---|---|---|---|\n");
                last = Some(&mutant.file);
            }
            let fate = match (fate, self.accepted.reason(mutant)) {
                (Fate::Killed(kill), _) => {
                    let executions = kill.executions.map(|n| format!(", execution {n}"));
                    format!("{}: {}{}", kill.by, kill.how, executions.unwrap_or_default())
                }
                (Fate::Survived { .. } | Fate::NotCovered { .. }, Some(reason)) => {
                    format!("accepted: {reason}")
                }
                (Fate::Survived { judges, .. }, None) => {
                    let kind = fate.survivor().map_or("", selvedge_results::Survivor::name);
                    format!("SURVIVED {judges} tests: {kind}")
                }
                (Fate::NotCovered { reach: Reach::Guessed }, None) => {
                    "perhaps not covered: it may be no operation".to_owned()
                }
                (Fate::NotCovered { .. }, None) => "NOT COVERED".to_owned(),
            };
            let Mutant { line, source, operation, ordering, change, .. } = mutant;
            let operation = format!("{operation} {ordering}");
            let source = source.replace('|', "\\|");
            let _ = writeln!(
                text,
                "| {line} | `{source}` | {} | {change} | {fate} |",
                operation.trim()
            );
        }
        text
    }
}

/// A row of a summary.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    /// Killed by a model's verdict.
    model: usize,
    /// Killed by a test's own assertion, or by a crash.
    test: usize,
    /// Killed by a limit.
    ran_away: usize,
    accepted: usize,
    survived: usize,
    not_covered: usize,
}

impl Counts {
    fn add(&mut self, fate: &Fate, accepted: bool) {
        let count = match fate {
            Fate::Killed(kill) => match kill.means {
                Means::Model => &mut self.model,
                Means::Test => &mut self.test,
                Means::RanAway => &mut self.ran_away,
            },
            _ if accepted => &mut self.accepted,
            Fate::Survived { .. } => &mut self.survived,
            Fate::NotCovered { reach: Reach::Guessed } => return,
            Fate::NotCovered { .. } => &mut self.not_covered,
        };
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use selvedge_results::samples::{killed, trial};

    use super::*;

    fn results(shard: Option<(usize, usize)>, trials: Vec<Trial>) -> Trials {
        Trials { mutants: 4, shard, whole: true, trials, ..Trials::default() }
    }

    fn all() -> Vec<Trial> {
        vec![
            trial(1, "swap", "relaxed", killed(Means::Model)),
            trial(2, "swap", "split", killed(Means::RanAway)),
            trial(3, "lock", "ended", Fate::Survived { judges: 2, visible: false }),
            trial(4, "lock", "none", Fate::NotCovered { reach: Reach::Alone }),
            trial(5, "lock", "none", Fate::NotCovered { reach: Reach::Guessed }),
        ]
    }

    #[test]
    fn what_survives_and_what_is_not_covered_is_open() {
        let (all, accepted) = (all(), Accepted::default());
        let summary = Summary::new(&all, &accepted);
        let lines = |trials: Vec<&Trial>| trials.iter().map(|t| t.mutant.line).collect::<Vec<_>>();
        assert_eq!((lines(summary.open()), lines(summary.guessed())), (vec![3, 4], vec![5]));
        let table = summary.table();
        assert!(table.contains("| relaxed | page::test: data race, execution 3 |"), "{table}");
        assert!(
            table.contains(
                "| ended | SURVIVED 2 tests: needed by nothing that the checker can see |"
            ),
            "{table}"
        );
        let text = summary.text();
        let row = text.lines().find(|line| line.starts_with("all")).expect("a row");
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells, ["all", "4", "1", "0", "1", "0", "1", "1"]);
    }

    #[test]
    fn shards_make_a_whole_or_an_error() {
        let mut trials = all();
        trials.truncate(4);
        let second = results(Some((2, 2)), trials.split_off(1));
        let first = results(Some((1, 2)), trials);
        let merged = of_shards(vec![second.clone(), first.clone()]).expect("a whole");
        assert_eq!(merged.trials, all()[..4]);

        let error = of_shards(vec![first.clone()]).expect_err("one is missing");
        assert_eq!(error, "these files are of 1/2; each from 1/2 to 2/2 is needed, once");
        assert!(of_shards(vec![first.clone(), first.clone()]).is_err(), "one is there twice");
        let mut other = second;
        other.trials.pop();
        assert!(of_shards(vec![first, other]).is_err(), "a mutant is missing");
    }
}
