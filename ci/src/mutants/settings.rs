//! What is changed and who judges: `[package.metadata.selvedge.mutants]` in the manifest.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::cargo::Workspace;

/// The table. Paths are from the root folder; a folder stands for all that is in it. In a path `*` stands
/// for any one folder or file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// The sources whose operations are changed.
    pub(crate) files: Vec<String>,
    /// Those of them that are left as they are.
    pub(crate) except: Vec<String>,
    /// The tests whose models judge; all, where none is named.
    pub(crate) judges: Vec<String>,
    /// The list of accepted mutants.
    pub(crate) accepted: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            files: vec!["src".to_owned()],
            except: Vec::new(),
            judges: Vec::new(),
            accepted: "accepted-mutants.toml".to_owned(),
        }
    }
}

impl Settings {
    /// Those of the package.
    pub(crate) fn of(workspace: &Workspace) -> Result<Self> {
        match workspace.package.metadata["selvedge"].get("mutants") {
            None => Ok(Self::default()),
            Some(table) => serde_json::from_value(table.clone())
                .context("[package.metadata.selvedge.mutants] is not understood"),
        }
    }

    /// Whether the operations of `file` are changed.
    pub(crate) fn changes(&self, file: &str) -> bool {
        let within = |paths: &[String]| paths.iter().any(|path| is_within(file, path));
        within(&self.files) && !within(&self.except)
    }

    /// Whether the models of the test at `source` judge.
    pub(crate) fn judges(&self, source: &Path) -> bool {
        self.judges.is_empty() || self.judges.iter().any(|path| source.starts_with(path))
    }
}

/// Whether `file` is `path`, or in it.
fn is_within(file: &str, path: &str) -> bool {
    let mut parts = Path::new(file).components();
    Path::new(path)
        .components()
        .all(|wanted| parts.next().is_some_and(|part| part == wanted || wanted.as_os_str() == "*"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_folder_stands_for_what_is_in_it() {
        let except = ["specimens/src/racy", "specimens/src/*/racy.rs"];
        let table = json!({ "files": ["src", "specimens/src"], "except": except });
        let settings: Settings = serde_json::from_value(table).expect("a table");
        for file in ["src/counter.rs", "specimens/src/bank.rs", "specimens/src/racy_enough.rs"] {
            assert!(settings.changes(file), "{file}");
        }
        for file in [
            "src2/counter.rs",
            "model/src/lib.rs",
            "specimens/src/racy/counter.rs",
            "specimens/src/bank/racy.rs",
        ] {
            assert!(!settings.changes(file), "{file}");
        }
        assert!(settings.changes("specimens/src/bank/more/racy.rs"), "a star is one folder");
        assert!(settings.judges(Path::new("tests/any.rs")), "no judge is named: all judge");
        assert!(serde_json::from_value::<Settings>(json!({ "file": ["src"] })).is_err());
    }
}
