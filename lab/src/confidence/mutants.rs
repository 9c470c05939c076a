//! A sample of mutants: sound specimens in which the façade changes one operation.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use selvedge_results::{Record, Site};

/// One of them.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// The sound specimen that is changed.
    pub(crate) specimen: &'static str,
    /// What is changed about the first operation of `src/` that another thread runs beside.
    change: &'static str,
}

pub(crate) const MUTANTS: [Mutant; 4] = [
    Mutant {
        name: "`StatsHandle`, its Release weakened",
        specimen: "StatsHandle",
        change: "relaxed",
    },
    Mutant { name: "`Counter::add`, split in two", specimen: "Counter::add", change: "split" },
    Mutant { name: "`Stats`, a lock skipped", specimen: "Stats::snapshot", change: "skipped" },
    Mutant { name: "`Map::update`, locked for reading", specimen: "Map::update", change: "read" },
];

/// Why only the harness can be asked.
pub(crate) const ONLY_THE_HARNESS: &str =
    "a mutant is made by the façade of --cfg loom; here it is something else";

impl Mutant {
    /// What `SELVEDGE_MUTANT` is to be, given the results that a run without a change left in `folder`.
    pub(crate) fn named_by(&self, folder: &Path) -> Result<String> {
        let text = fs::read_to_string(folder.join("harness.jsonl"))
            .with_context(|| format!("{} left no result", self.specimen))?;
        self.find(&text)
    }

    fn find(&self, text: &str) -> Result<String> {
        let record = Record::parse(text.lines().next().unwrap_or_default())?;
        let sites = record.sites.unwrap_or_default();
        let site = sites.iter().find(|site| {
            let changes = site.changes.iter().any(|change| change == self.change);
            changes && site.contended && site.file.starts_with("src/")
        });
        let Site { file, line, column, operation, .. } = site
            .with_context(|| format!("{} has no operation to be {}", self.specimen, self.change))?;
        Ok(format!("{file}:{line}:{column}/{operation}/{}", self.change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_contended_operation_of_the_library_is_changed() {
        let site = |file: &str, line, contended| Site {
            file: file.to_owned(),
            line,
            column: 9,
            operation: "fetch_add".into(),
            ordering: "relaxed".to_owned(),
            contended,
            changes: vec!["split".to_owned()],
        };
        let sites = [
            site("lab/confidence/src/sound.rs", 1, true),
            site("src/counter.rs", 2, false),
            site("src/counter.rs", 3, true),
        ];
        let sites = Some(sites.to_vec());
        let record = Record { version: selvedge_results::VERSION, sites, ..Record::default() };
        let text = record.to_line().expect("plain data");
        let found = MUTANTS[1].find(&text).expect("an operation");
        assert_eq!(found, "src/counter.rs:3:9/fetch_add/split");
        let error = MUTANTS[0].find(&text).expect_err("no Release");
        assert_eq!(error.to_string(), "StatsHandle has no operation to be relaxed");
    }
}
