//! The committed list of models: what is proved, and how completely.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs};

use anyhow::{Context as _, Result, ensure};

use crate::exit::Exit;

/// What the file says of itself.
const HEAD: &str = "\
# Every model and how it ends: explored completely, bounded, or failing as it should.
# `cargo selvedge prove` fails if a model is missing, new, or ends otherwise.
# Written by `cargo selvedge prove --bless`; a change here is to be reviewed like one to the code.
";

/// Models by name, each with its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List(BTreeMap<String, String>);

impl List {
    /// The list in a file; nothing if there is no such file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or a line of it is no line of a list.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(&text).map(Some).map_err(|error| {
            Exit::Usage.because(format!(
                "{}: {error:#}; `cargo selvedge prove --bless` writes it anew",
                path.display()
            ))
        })
    }

    /// Reads the text: a line a model, its name, two spaces, its status.
    ///
    /// # Errors
    ///
    /// If a line is none of a list, or names a model again.
    pub fn parse(text: &str) -> Result<Self> {
        let mut list = Self::default();
        for (line, number) in text.lines().zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, status) = line.split_once("  ").with_context(|| {
                format!("line {number}, {line:?}: a name, two spaces and a status are expected")
            })?;
            ensure!(list.insert(name, status), "line {number}: {name} is listed twice");
        }
        Ok(list)
    }

    /// Adds a model; `false` if it was there.
    pub fn insert(&mut self, name: &str, status: &str) -> bool {
        self.0.insert(name.to_owned(), status.to_owned()).is_none()
    }

    /// The names of the models.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The models of the test targets that `selects` wants, and whose test contains `filter`.
    #[must_use]
    pub fn matching(mut self, filter: Option<&str>, selects: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| {
            let test = name.split_once('#').map_or(&**name, |(test, _)| test);
            let target = name.split_once("::").map_or(&**name, |(target, _)| target);
            selects(target) && filter.is_none_or(|filter| test.contains(filter))
        });
        self
    }

    /// In what `found` differs, a line a model.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, status) in &self.0 {
            match found.0.get(name) {
                None => lines.push(format!("missing: {name}  {status}")),
                Some(now) if now != status => {
                    lines.push(format!("changed: {name}  {now}, listed as {status}"));
                }
                Some(_) => {}
            }
        }
        let new = found.0.iter().filter(|(name, _)| !self.0.contains_key(*name));
        lines.extend(new.map(|(name, status)| format!("not listed: {name}  {status}")));
        lines
    }
}

/// The text of the file.
impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        self.0.iter().try_for_each(|(name, status)| writeln!(f, "{name}  {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(lines: &str) -> List {
        List::parse(lines).expect("a list")
    }

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let text =
            "# head\n\nb::x#2  bounded (2 preemptions)\nb::x  complete\na::y  fails (leak)\n";
        let written = list(text).to_string();
        let body = written.strip_prefix(HEAD).expect("the head");
        assert_eq!(body, "a::y  fails (leak)\nb::x  complete\nb::x#2  bounded (2 preemptions)\n");
        assert_eq!(list(&written), list(text));
    }

    #[test]
    fn malformed_lines_are_refused() {
        let error = List::parse("a::x  complete\na::y complete\n").expect_err("one space");
        assert!(error.to_string().starts_with("line 2, \"a::y complete\""), "{error}");
        let error = List::parse("a::x  complete\na::x  complete\n").expect_err("twice");
        assert_eq!(error.to_string(), "line 2: a::x is listed twice");
    }

    #[test]
    fn missing_new_and_changed_models_differ() {
        let committed = list("a::x  complete\na::y  complete\na::z  complete\n");
        let found = list("a::x  complete\na::y  bounded (1 preemptions)\na::w  complete\n");
        assert_eq!(
            committed.differences(&found),
            [
                "changed: a::y  bounded (1 preemptions), listed as complete",
                "missing: a::z  complete",
                "not listed: a::w  complete",
            ]
        );
        assert!(committed.differences(&committed).is_empty());
    }

    #[test]
    fn a_filter_looks_at_the_test() {
        let all = "counter::x  complete\ncounter::x#2  complete\nstats::x  complete\n";
        let matching = |filter| list(all).matching(filter, |_| true).names().count();
        assert_eq!(matching(Some("counter::")), 2);
        assert_eq!(matching(Some("x")), 3);
        assert_eq!(matching(Some("#2")), 0);
        assert_eq!(matching(None), 3);
        let of_stats = list(all).matching(Some("x"), |target| target == "stats");
        assert!(of_stats.names().eq(["stats::x"]));
    }
}
