//! The result of a model, a line of JSON.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Picture, VERSION};

/// What the check of a model found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this schema.
    pub version: u32,
    /// What wrote it: `selvedge-model 0.1.0`.
    pub by: String,
    /// The package whose test it is, as cargo names it to its tests; empty where cargo did not start the test.
    pub package: String,
    /// The stem of the test binary, with cargo's hash: `ring-0123456789abcdef`.
    pub binary: String,
    /// The path of the test in its binary: `spsc::push_pop`.
    pub test: String,
    /// Which of the test's models, from 1 on.
    pub model: usize,
    /// Where the model is made: file and line.
    pub at: String,
    /// Whether it passed.
    pub verdict: Verdict,
    /// How it is to fail; nothing if it has a table or a promise.
    pub expected: Option<String>,
    /// What bounded the exploration; nothing if that was complete.
    pub bound: Option<String>,
    /// Of a loop that waits, turns in which nothing changed are explored once, not any number of times.
    pub idle_turns: bool,
    /// Waits with a limit end only when nothing else can run.
    pub patient: bool,
    /// How many executions the graph engine explored.
    pub executions: u64,
    /// What the second engine explored, in words.
    pub loom: String,
    /// How long it took.
    pub seconds: f64,
    /// The outcomes, of the table or reached.
    pub outcomes: Vec<Outcome>,
    /// Of a check of many scenarios: what they are.
    pub scenarios: Option<Scenarios>,
    /// Why it did not pass, as a person reads it.
    pub error: Option<String>,
    /// What kind of failure that is.
    pub failure: Option<String>,
    /// Of a failure that was expected: what happened.
    pub message: Option<String>,
    /// With [`TRACES`](crate::TRACES): how it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Picture>,
    /// With a mutation: how often that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<u64>,
    /// With [`SITES`](crate::SITES): the operations that were executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<Site>>,
}

/// Whether a model passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It found what was declared.
    #[default]
    Passed,
    /// It found something else, or could not be explored.
    Failed,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What the threads returned and the observations saw.
    pub text: String,
    /// `acceptable`, `interesting` or `forbidden`.
    pub grade: String,
    /// Why.
    pub reason: String,
    /// How many executions reached it.
    pub seen: u64,
    /// Whether no interleaving reaches it.
    pub only_weak: bool,
    /// An execution that reached it.
    pub execution: Option<u64>,
    /// With [`TRACES`](crate::TRACES): that execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Picture>,
}

/// What was held against how many scenarios.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenarios {
    /// `linearizable`, or a weaker promise.
    pub promise: String,
    /// The names of the operations.
    pub operations: Vec<String>,
    /// The initial states; none if there is one without a name.
    pub starts: Vec<String>,
    /// Threads, and operations each.
    pub sizes: Vec<(usize, usize)>,
    /// How many there are, besides those that are the same as another by symmetry.
    pub all: u64,
    /// How many are the same as another by symmetry.
    pub symmetric: u64,
    /// How many were explored.
    pub explored: u64,
}

/// An operation that a model executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The path of the source, as the compiler was given it, without `folder/..`.
    pub file: String,
    /// The line, from 1 on.
    pub line: u32,
    /// The column, from 1 on.
    pub column: u32,
    /// The name of the operation.
    pub operation: Cow<'static, str>,
    /// Its orderings, separated by commas; empty if it has none.
    pub ordering: String,
    /// Whether it was ever executed while other threads could run.
    pub contended: bool,
    /// What can be changed about it.
    pub changes: Vec<String>,
}

/// Why a line is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It has another version.
    #[error(
        "it has version {found} of the schema and was written by {by}, but version {VERSION} is read: use a \
         cargo-selvedge and a selvedge-model of the same release"
    )]
    Version {
        /// The version that it has.
        found: u32,
        /// What wrote it.
        by: String,
    },
    /// It is no result, or is cut off.
    #[error("it is not the result of a model: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl Record {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// If the line is of another [`VERSION`], or malformed.
    pub fn parse(line: &str) -> Result<Self, ReadError> {
        read(line)
    }

    /// Writes a line, without the line's end.
    ///
    /// # Errors
    ///
    /// If a number of seconds is none.
    pub fn to_line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Whether it passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    /// The file that the model is made in.
    #[must_use]
    pub fn file(&self) -> &str {
        self.at.rsplit_once(':').map_or(&*self.at, |(file, _)| file)
    }

    /// The line of its file that it begins in.
    #[must_use]
    pub fn line_number(&self) -> usize {
        self.at.rsplit_once(':').and_then(|(_, line)| line.parse().ok()).unwrap_or_default()
    }
}

/// Reads JSON whose top level has a `version`, and perhaps says `by` whom it is.
///
/// # Errors
///
/// If it is of another [`VERSION`], or malformed.
pub fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, ReadError> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
        #[serde(default)]
        by: String,
    }
    let Head { version, by } = serde_json::from_str(text)?;
    if version != VERSION {
        return Err(ReadError::Version { found: version, by });
    }
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> String {
        let record = Record {
            version: VERSION,
            by: "selvedge-model 0.1.0".to_owned(),
            at: "tests/spsc.rs:12".to_owned(),
            ..Record::default()
        };
        record.to_line().expect("plain data")
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let record = Record::parse(&line()).expect("a record");
        assert_eq!(record.to_line().expect("plain data"), line());
        assert_eq!((record.file(), record.line_number()), ("tests/spsc.rs", 12));
        assert!(!line().contains("trace") && !line().contains("sites"), "{}", line());
    }

    #[test]
    fn another_version_is_refused_and_both_are_named() {
        let other =
            line().replace("\"version\":1", "\"version\":7").replace("model 0.1", "model 9.1");
        let error = Record::parse(&other).expect_err("another version").to_string();
        for part in ["version 7", "selvedge-model 9.1.0", "version 1 is read"] {
            assert!(error.contains(part), "{error}");
        }
        // Whatever else has changed.
        let error = Record::parse(r#"{"version":7,"by":"somebody"}"#).expect_err("another version");
        assert!(matches!(error, ReadError::Version { found: 7, .. }), "{error}");
    }

    #[test]
    fn a_line_that_is_cut_off_is_refused() {
        let error = Record::parse(&line()[..40]).expect_err("half a line").to_string();
        assert!(error.contains("is not the result of a model"), "{error}");
    }
}
