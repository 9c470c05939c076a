//! The result of a model, as its `check` wrote it.

use anyhow::{Context as _, Result};
use ci::grouped;
use serde::Deserialize;
use serde_json::Value;

/// What the gate needs of a line. The harness may add fields.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) page: String,
    pub(crate) test: String,
    /// Which of the test's models, counted from 1.
    pub(crate) model: u64,
    /// File and line.
    pub(crate) at: String,
    verdict: String,
    /// `table`, or how the model is to fail.
    pub(crate) expected: String,
    bound: Option<String>,
    pub(crate) executions: u64,
    pub(crate) seconds: f64,
    /// Of a check of many scenarios.
    pub(crate) scenarios: Option<Scenarios>,
    /// How it failed, whether or not that was expected.
    #[serde(default)]
    pub(crate) failure: Option<String>,
    /// With a change: how often it was made.
    #[serde(default)]
    pub(crate) applied: Option<u64>,
    #[serde(default)]
    pub(crate) sites: Vec<Site>,
    /// The whole line.
    #[serde(skip)]
    pub(crate) value: Value,
}

/// What was held against how many scenarios.
#[derive(Debug, Deserialize)]
pub(crate) struct Scenarios {
    pub(crate) promise: String,
    pub(crate) operations: Vec<String>,
    /// The initial states; none if there is one without a name.
    pub(crate) starts: Vec<String>,
    /// Threads, and operations each.
    pub(crate) sizes: Vec<(usize, usize)>,
    /// How many there are, besides those that are the same as another by symmetry.
    pub(crate) all: u64,
    pub(crate) symmetric: u64,
    pub(crate) explored: u64,
}

/// An operation that a model executed.
#[derive(Debug, Deserialize)]
pub(crate) struct Site {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) operation: String,
    pub(crate) ordering: String,
    /// Whether that was ever while another thread ran.
    pub(crate) contended: bool,
    pub(crate) changes: Vec<String>,
}

impl Record {
    /// Reads a line.
    pub(crate) fn parse(line: &str) -> Result<Self> {
        let read = || -> serde_json::Result<Self> {
            let value: Value = serde_json::from_str(line)?;
            Ok(Self { value: value.clone(), ..serde_json::from_value(value)? })
        };
        read().with_context(|| format!("{line:?} is not the result of a model"))
    }

    /// `page::test`.
    pub(crate) fn test_name(&self) -> String {
        format!("{}::{}", self.page, self.test)
    }

    /// The file that it is written in, from the root folder.
    pub(crate) fn file(&self) -> &str {
        self.at.rsplit_once(':').map_or(&*self.at, |(file, _)| file)
    }

    /// `page::test`, and `#2` if it is the test's second model.
    pub(crate) fn name(&self) -> String {
        match (self.test_name(), self.model) {
            (test, 1) => test,
            (test, model) => format!("{test}#{model}"),
        }
    }

    /// The line of its file that it begins in.
    pub(crate) fn line_number(&self) -> usize {
        self.at.rsplit_once(':').and_then(|(_, line)| line.parse().ok()).unwrap_or_default()
    }

    /// Whether it passed.
    pub(crate) fn passed(&self) -> bool {
        self.verdict == "passed"
    }

    /// How it ended, as in the list.
    pub(crate) fn status(&self) -> String {
        let how = match (self.expected.as_str(), &self.bound) {
            ("table", None) => "complete".to_owned(),
            ("table", Some(bound)) => format!("bounded ({bound})"),
            (failure, _) => return format!("fails ({failure})"),
        };
        match &self.scenarios {
            None => how,
            Some(Scenarios { promise, explored, .. }) => {
                format!("{how}, {promise} on {} scenarios", grouped(*explored))
            }
        }
    }

    /// A line for people, its name padded to `width`.
    pub(crate) fn line(&self, width: usize) -> String {
        let status = match self.status() {
            _ if !self.passed() => "FAILED".to_owned(),
            status => status.replacen("fails (", "fails as expected (", 1),
        };
        let (name, executions) = (self.name(), grouped(self.executions));
        let milliseconds = self.seconds * 1e3;
        format!("{name:<width$}  {executions:>9} executions  {status}, {milliseconds:.1} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"page":"counter","test":"loses","model":1,"at":"loom-tests/1_race/counter.rs:12",
"verdict":"passed","expected":"table","bound":null,"executions":1203,"seconds":0.0012,
"outcomes":[{"text":"total=2"}],"new":[1]}"#;

    fn record(from: &str, to: &str) -> Record {
        Record::parse(&LINE.replace(from, to)).expect("a record")
    }

    #[test]
    fn a_line_tells_how_the_model_ended() {
        assert_eq!(
            record("", "").line(16),
            "counter::loses        1,203 executions  complete, 1.2 ms"
        );
        let second = record(r#""model":1"#, r#""model":2"#);
        assert_eq!(second.name(), "counter::loses#2");
        let bounded = record("null", r#""2 preemptions""#);
        assert_eq!(bounded.status(), "bounded (2 preemptions)");
        let fails = record("\"table\"", "\"data race\"");
        assert_eq!(fails.status(), "fails (data race)");
        assert!(fails.line(0).contains("fails as expected (data race), 1.2 ms"));
        assert!(record("passed", "failed").line(0).contains("FAILED"));
    }

    #[test]
    fn a_check_of_many_scenarios_says_what_was_held_against_them() {
        let scenarios = r#""scenarios":{"promise":"linearizable","operations":["add"],"starts":[],
"sizes":[[2,2]],"all":1764,"symmetric":3,"explored":1764},"new""#;
        let all = record("\"new\"", scenarios);
        assert_eq!(all.status(), "complete, linearizable on 1,764 scenarios");
        assert_eq!(record("null", "null,\"scenarios\":null").status(), "complete");
    }

    #[test]
    fn fields_that_are_not_known_are_kept() {
        assert_eq!(record("", "").value["new"][0], 1);
        assert_eq!(record("", "").file(), "loom-tests/1_race/counter.rs");
    }

    #[test]
    fn a_line_that_is_cut_off_is_refused() {
        let error = Record::parse(&LINE[..40]).expect_err("half a line");
        assert!(error.to_string().contains("is not the result of a model"), "{error}");
    }
}
