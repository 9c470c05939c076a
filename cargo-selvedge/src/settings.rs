//! What a manifest says about us: `[package.metadata.selvedge]`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use cargo_metadata::Package;
use serde::Deserialize;

use crate::exit::Exit;

/// The table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The committed list of models, from the folder of the package.
    pub models: PathBuf,
    /// The test targets that have models; all, where none is named.
    pub tests: Vec<String>,
    /// Tests whose name contains one of these are not run.
    pub skip: Vec<String>,
    /// What `mutants` changes.
    pub mutants: Mutants,
    /// The name of the package.
    #[serde(skip)]
    pub package: String,
    /// Its folder.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// `[package.metadata.selvedge.mutants]`. A folder stands for all that is in it; in a path `*` stands for any one
/// folder or file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mutants {
    /// The sources whose operations are changed, from the folder of the workspace; the package's own, where none
    /// is named.
    pub files: Vec<String>,
    /// Those that are left as they are.
    pub except: Vec<String>,
    /// The list of accepted mutants, from the folder of the package.
    pub accepted: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            models: "selvedge-models.txt".into(),
            tests: Vec::new(),
            skip: Vec::new(),
            mutants: Mutants::default(),
            package: String::new(),
            folder: PathBuf::new(),
        }
    }
}

impl Default for Mutants {
    fn default() -> Self {
        let accepted = "selvedge-accepted.toml".into();
        Self { files: Vec::new(), except: Vec::new(), accepted }
    }
}

impl Settings {
    /// Those of a package.
    ///
    /// # Errors
    ///
    /// If the table has keys or values that are not known.
    pub fn of(package: &Package) -> Result<Self> {
        let mut settings = match package.metadata.get("selvedge") {
            None => Self::default(),
            Some(table) => serde_json::from_value(table.clone()).map_err(|error| {
                Exit::Usage.because(format!(
                    "{}: [package.metadata.selvedge] is not understood: {error}",
                    package.manifest_path
                ))
            })?,
        };
        settings.package = package.name.to_string();
        settings.folder = package.manifest_path.parent().map(Into::into).unwrap_or_default();
        Ok(settings)
    }

    /// Whether the test target `name` may have models.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.tests.is_empty() || self.tests.iter().any(|known| known == name)
    }

    /// Whether a test is not to be run.
    #[must_use]
    pub fn skips(&self, test: &str) -> bool {
        self.skip.iter().any(|text| test.contains(&**text))
    }

    /// The committed list of models.
    #[must_use]
    pub fn list(&self) -> PathBuf {
        self.folder.join(&self.models)
    }

    /// The list of accepted mutants.
    #[must_use]
    pub fn accepted(&self) -> PathBuf {
        self.folder.join(&self.mutants.accepted)
    }
}

/// Whether `file` is one of `paths`, or in it.
#[must_use]
pub fn is_within(file: &str, paths: &[String]) -> bool {
    let within = |path: &String| {
        let mut parts = Path::new(file).components();
        Path::new(path).components().all(|wanted| {
            parts.next().is_some_and(|part| part == wanted || wanted.as_os_str() == "*")
        })
    };
    paths.iter().any(within)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_folder_stands_for_what_is_in_it() {
        let files = ["src".to_owned(), "specimens/src".to_owned()];
        for file in ["src/counter.rs", "specimens/src/bank.rs"] {
            assert!(is_within(file, &files), "{file}");
        }
        let except = ["specimens/src/racy".to_owned(), "specimens/src/*/racy.rs".to_owned()];
        for file in ["specimens/src/racy/counter.rs", "specimens/src/bank/racy.rs"] {
            assert!(is_within(file, &except), "{file}");
        }
        for file in ["src2/a.rs", "specimens/src/racy_enough.rs", "specimens/src/bank/more/racy.rs"]
        {
            assert!(!is_within(file, &[&files[..1], &except].concat()), "{file}");
        }
    }

    #[test]
    fn a_key_that_is_not_known_is_refused() {
        let table = json!({ "tests": ["ring"], "mutants": { "except": ["src/racy.rs"] } });
        let settings: Settings = serde_json::from_value(table).expect("a table");
        assert!(settings.has("ring") && !settings.has(crate::project::LIB));
        assert!(serde_json::from_value::<Settings>(json!({ "test": ["ring"] })).is_err());
    }
}
