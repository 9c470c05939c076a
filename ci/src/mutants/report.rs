//! What a hunt found: tables for people, a file for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::accepted::Accepted;
use super::trial::{Fate, Means, Mutant, Trial};

/// What a run leaves for machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Results {
    /// All mutants there are, also those that this run was not asked to try.
    pub(crate) mutants: usize,
    /// Which part was tried, and of how many.
    pub(crate) shard: Option<(usize, usize)>,
    /// Whether nothing but the shard limited what was tried.
    pub(crate) whole: bool,
    pub(crate) seconds: f64,
    pub(crate) trials: Vec<Trial>,
}

impl Results {
    /// Reads what a run has left.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> { Ok(serde_json::from_str(&fs::read_to_string(path)?)?) };
        read().with_context(|| format!("{} is no result", path.display()))
    }

    /// Reads what runs have left, on this machine or others, and puts it together.
    pub(crate) fn merge(paths: &[PathBuf]) -> Result<Self> {
        let mut parts = Vec::new();
        for path in paths {
            parts.push(Self::read(path)?);
        }
        Self::of_shards(parts)
    }

    fn of_shards(parts: Vec<Self>) -> Result<Self> {
        ensure!(!parts.is_empty(), "there is no result to merge");
        let mutants = parts[0].mutants;
        let mut shards: Vec<(usize, usize)> = parts.iter().filter_map(|part| part.shard).collect();
        shards.sort_unstable();
        let count = shards.first().map_or(1, |(_, count)| *count);
        let wanted: Vec<(usize, usize)> = (1..=count).map(|shard| (shard, count)).collect();
        ensure!(
            shards == wanted && shards.len() == parts.len(),
            "these are the shards {}: accepted is each from 1/{count} to {count}/{count}, once",
            shards.iter().map(|(i, n)| format!("{i}/{n}")).collect::<Vec<_>>().join(", ")
        );
        ensure!(
            parts.iter().all(|part| part.mutants == mutants && part.whole),
            "the shards are not of the same run"
        );
        let seconds = parts.iter().map(|part| part.seconds).fold(0.0, f64::max);
        let mut trials: Vec<Trial> = parts.into_iter().flat_map(|part| part.trials).collect();
        trials.sort_by(|a, b| a.mutant.cmp(&b.mutant));
        ensure!(trials.len() == mutants, "{} of {mutants} mutants were tried", trials.len());
        Ok(Self { mutants, shard: None, whole: true, seconds, trials })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Whether every mutant there is was tried.
    pub(crate) fn complete(&self) -> bool {
        self.trials.len() == self.mutants
    }

    /// Those that nobody noticed and nobody accepts.
    pub(crate) fn open(&self, accepted: &Accepted) -> Vec<&Trial> {
        let open = |trial: &&Trial| {
            !matches!(trial.fate, Fate::Killed(_)) && accepted.reason(&trial.mutant).is_none()
        };
        self.trials.iter().filter(open).collect()
    }

    /// How many of each fate, by `key`.
    fn count(
        &self,
        accepted: &Accepted,
        key: impl Fn(&Mutant) -> String,
    ) -> BTreeMap<String, Counts> {
        let mut table: BTreeMap<String, Counts> = BTreeMap::new();
        for trial in &self.trials {
            let accepted = accepted.reason(&trial.mutant).is_some();
            table.entry(key(&trial.mutant)).or_default().add(&trial.fate, accepted);
        }
        table
    }

    /// The tables by file and by operator, and the score.
    pub(crate) fn summary(&self, accepted: &Accepted) -> String {
        let mut text = String::new();
        for (title, table) in [
            ("file", self.count(accepted, |mutant| mutant.file.clone())),
            ("operator", self.count(accepted, |mutant| mutant.operator().to_owned())),
            ("all", self.count(accepted, |_| "all".to_owned())),
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
    pub(crate) fn table(&self, accepted: &Accepted) -> String {
        let mut text = String::new();
        let mut last = None;
        for Trial { mutant, fate } in &self.trials {
            if last != Some(&mutant.file) {
                let _ = writeln!(text, "\n## {}\n", mutant.file);
                text.push_str("| line | source | operation | change | found out by |\n|---|---|---|---|---|\n");
                last = Some(&mutant.file);
            }
            let fate = match (fate, accepted.reason(mutant)) {
                (Fate::Killed(kill), _) => {
                    let executions = kill.executions.map(|n| format!(", execution {n}"));
                    format!("{}: {}{}", kill.by, kill.how, executions.unwrap_or_default())
                }
                (Fate::Survived { .. } | Fate::NotCovered, Some(reason)) => {
                    format!("accepted: {reason}")
                }
                (Fate::Survived { judges }, None) => format!("SURVIVED {judges} tests"),
                (Fate::NotCovered, None) => "NOT COVERED".to_owned(),
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
            Fate::NotCovered => &mut self.not_covered,
        };
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::samples::{killed, trial};
    use super::*;

    fn results(shard: Option<(usize, usize)>, trials: Vec<Trial>) -> Results {
        Results { mutants: 4, shard, whole: true, seconds: 1.0, trials }
    }

    fn all() -> Vec<Trial> {
        vec![
            trial(1, "swap", "relaxed", killed(Means::Model)),
            trial(2, "swap", "split", killed(Means::RanAway)),
            trial(3, "lock", "ended", Fate::Survived { judges: 2 }),
            trial(4, "lock", "none", Fate::NotCovered),
        ]
    }

    #[test]
    fn what_survives_and_what_is_not_covered_is_open() {
        let results = results(None, all());
        let open: Vec<usize> =
            results.open(&Accepted::default()).iter().map(|trial| trial.mutant.line).collect();
        assert_eq!(open, [3, 4]);
        let table = results.table(&Accepted::default());
        assert!(table.contains("| relaxed | page::test: data race, execution 3 |"), "{table}");
        assert!(table.contains("| ended | SURVIVED 2 tests |"), "{table}");
        let summary = results.summary(&Accepted::default());
        let row = summary.lines().find(|line| line.starts_with("all")).expect("a row");
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells, ["all", "4", "1", "0", "1", "0", "1", "1"]);
    }

    #[test]
    fn shards_make_a_whole_or_an_error() {
        let mut trials = all();
        let second = results(Some((2, 2)), trials.split_off(1));
        let first = results(Some((1, 2)), trials);
        let merged = Results::of_shards(vec![second.clone(), first.clone()]).expect("a whole");
        assert_eq!(merged.trials, all());
        assert!(merged.complete() && !first.complete());

        let error = Results::of_shards(vec![first.clone()]).expect_err("one is missing");
        assert_eq!(
            error.to_string(),
            "these are the shards 1/2: accepted is each from 1/2 to 2/2, once"
        );
        assert!(Results::of_shards(vec![first.clone(), first.clone()]).is_err(), "one is twice");
        let mut other = second;
        other.trials.pop();
        assert!(Results::of_shards(vec![first, other]).is_err(), "a mutant is missing");
    }
}
