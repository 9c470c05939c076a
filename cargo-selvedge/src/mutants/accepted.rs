//! Mutants that are known to survive, each with its reason.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use selvedge_results::{Fate, Mutant, Trial};
use serde::Deserialize;

use crate::exit::Exit;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    #[serde(default)]
    mutant: Vec<Entry>,
}

/// Mutants of operations on a line of this text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    /// The line, trimmed: it stays the same where its number does not.
    source: String,
    operation: String,
    change: String,
    reason: String,
}

impl Entry {
    fn covers(&self, mutant: &Mutant) -> bool {
        let Self { file, source, operation, change, .. } = self;
        (file, source, operation, change)
            == (&mutant.file, &mutant.source, &mutant.operation, &mutant.change)
    }

    fn name(&self) -> String {
        format!("{}: {:?}, {} -> {}", self.file, self.source, self.operation, self.change)
    }
}

impl Accepted {
    /// Reads the files; one that is not there accepts nothing.
    ///
    /// # Errors
    ///
    /// If one cannot be read, or has no reason for a mutant.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut all = Self::default();
        for path in paths.iter().filter(|path| path.exists()) {
            let text = fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            let accepted = Self::parse(&text)
                .map_err(|error| Exit::Usage.because(format!("{}: {error:#}", path.display())))?;
            all.mutant.extend(accepted.mutant);
        }
        Ok(all)
    }

    fn parse(text: &str) -> Result<Self> {
        let accepted: Self = toml::from_str(text)?;
        for entry in &accepted.mutant {
            ensure!(!entry.reason.trim().is_empty(), "{} has no reason", entry.name());
        }
        Ok(accepted)
    }

    /// Why the mutant is accepted, if it is.
    #[must_use]
    pub fn reason(&self, mutant: &Mutant) -> Option<&str> {
        self.mutant.iter().find(|entry| entry.covers(mutant)).map(|entry| &*entry.reason)
    }

    /// Entries that the trials prove wrong: one of their mutants was killed, or, where all were
    /// `tried`, they cover none.
    #[must_use]
    pub fn stale(&self, trials: &[Trial], all: bool) -> Vec<String> {
        let stale = self.mutant.iter().filter_map(|entry| {
            let mut covered = trials.iter().filter(|trial| entry.covers(&trial.mutant)).peekable();
            if covered.peek().is_none() {
                return all.then(|| format!("{}: there is no such mutant", entry.name()));
            }
            covered.find_map(|trial| match &trial.fate {
                Fate::Killed(kill) => Some(format!("{}: killed by {}", entry.name(), kill.by)),
                _ => None,
            })
        });
        stale.collect()
    }
}

#[cfg(test)]
mod tests {
    use selvedge_results::Means;
    use selvedge_results::samples::{killed, trial};

    use super::*;

    const ENTRY: &str = r#"
[[mutant]]
file = "src/a.rs"
source = "self.lock() // 3"
operation = "lock"
change = "ended"
reason = "a thread's own"
"#;

    #[test]
    fn an_entry_covers_a_line_wherever_it_stands() {
        let accepted = Accepted::parse(ENTRY).expect("well formed");
        let mut survivor = trial(3, "lock", "ended", Fate::Survived { judges: 1, visible: true });
        survivor.mutant.line = 99;
        assert_eq!(accepted.reason(&survivor.mutant), Some("a thread's own"));
        assert!(accepted.stale(std::slice::from_ref(&survivor), true).is_empty());
        survivor.mutant.change = "skipped".to_owned();
        assert_eq!(accepted.reason(&survivor.mutant), None);
    }

    #[test]
    fn an_entry_that_no_longer_survives_is_stale() {
        let accepted = Accepted::parse(ENTRY).expect("well formed");
        let dead = [trial(3, "lock", "ended", killed(Means::Model))];
        let name = r#"src/a.rs: "self.lock() // 3", lock -> ended"#;
        assert_eq!(accepted.stale(&dead, false), [format!("{name}: killed by page::test")]);
        assert_eq!(accepted.stale(&[], true), [format!("{name}: there is no such mutant")]);
        assert!(accepted.stale(&[], false).is_empty(), "it may be in another shard");
    }

    #[test]
    fn an_entry_needs_a_reason_and_nothing_else() {
        assert!(Accepted::parse(&ENTRY.replace("a thread's own", " ")).is_err());
        assert!(Accepted::parse(&ENTRY.replace("reason", "because")).is_err());
    }
}
