//! The list of models: what is proved, and how completely.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result, ensure};

/// What the file says of itself.
const HEAD: &str = "\
# Every model of loom-tests/ and how it ends: explored completely, bounded, or failing as it should.
# `cargo ci prove` fails if a model is missing, new, or ends otherwise.
# Written by `cargo ci prove --bless`; a change here is to be reviewed like one to the code.
";

/// Models by name, each with its status.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct List(BTreeMap<String, String>);

impl List {
    /// Reads the file: a line a model, its name, two spaces, its status.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut list = Self::default();
        for (line, number) in text.lines().zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, status) = line.split_once("  ").with_context(|| {
                format!(
                    "line {number}, {line:?}: `page::test`, two spaces and a status is expected"
                )
            })?;
            ensure!(list.insert(name, status), "line {number}: {name} is listed twice");
        }
        Ok(list)
    }

    /// Adds a model; `false` if it was there.
    pub(crate) fn insert(&mut self, name: &str, status: &str) -> bool {
        self.0.insert(name.to_owned(), status.to_owned()).is_none()
    }

    /// The number of models.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The length of the longest name.
    pub(crate) fn width(&self) -> usize {
        self.0.keys().map(String::len).max().unwrap_or(0)
    }

    /// The models whose `page::test` contains `filter`.
    pub(crate) fn matching(mut self, filter: Option<&str>) -> Self {
        let test = |name: &str| name.split_once('#').map_or(name, |(test, _)| test).to_owned();
        self.0.retain(|name, _| filter.is_none_or(|filter| test(name).contains(filter)));
        self
    }

    /// In what `found` differs, a line a model.
    pub(crate) fn differences(&self, found: &Self) -> Vec<String> {
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
    fn the_committed_list_is_as_bless_would_write_it() {
        let text = include_str!("../../models.txt");
        assert_eq!(list(text).to_string(), text);
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
    fn a_filter_looks_at_page_and_test() {
        let all = "counter::x  complete\ncounter::x#2  complete\nstats::x  complete\n";
        assert_eq!(list(all).matching(Some("counter::")).len(), 2);
        assert_eq!(list(all).matching(Some("x")).len(), 3);
        assert_eq!(list(all).matching(Some("#2")).len(), 0);
        assert_eq!(list(all).matching(None).len(), 3);
    }
}
