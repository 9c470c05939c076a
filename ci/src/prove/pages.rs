//! The test binaries that are pages of `loom-tests/`.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::cargo::{Config, Workspace};

/// The folder of the pages.
const FOLDER: &str = "loom-tests";

/// A page, built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The stem of its file.
    pub(crate) name: String,
    /// Its test binary.
    pub(crate) executable: PathBuf,
}

/// What we need of a message of cargo's.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

/// Builds all pages on loom.
pub(crate) fn build(workspace: &Workspace) -> Result<Vec<Page>> {
    let args = ["test", "--release", "--no-run", "--message-format=json-render-diagnostics"];
    let messages = workspace.output(workspace.cargo(Config::Loom, &args))?;
    let folder = workspace.root.join(FOLDER);
    let mut pages: Vec<Page> = messages.lines().filter_map(|line| page(line, &folder)).collect();
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    ensure!(
        !pages.is_empty(),
        "no page was built: a [[test]] whose path is in {FOLDER}/ is expected"
    );
    Ok(pages)
}

/// The page that a message of cargo's is about, if it is about one.
fn page(message: &str, folder: &Path) -> Option<Page> {
    let Message { reason, target, executable } = serde_json::from_str(message).ok()?;
    let target = target.filter(|target| {
        reason == "compiler-artifact"
            && target.kind.iter().any(|kind| kind == "test")
            && target.src_path.starts_with(folder)
    })?;
    let name = target.src_path.file_stem()?.to_string_lossy().into_owned();
    Some(Page { name, executable: executable? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, path: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","target":{{"kind":["{kind}"],"name":"page_counter",
            "src_path":"{path}"}},"executable":"/t/page_counter-1","fresh":true}}"#
        )
    }

    #[test]
    fn only_tests_of_the_folder_are_pages() {
        let folder = Path::new("/checkout/loom-tests");
        let found = page(&message("test", "/checkout/loom-tests/counter.rs"), folder);
        let executable = PathBuf::from("/t/page_counter-1");
        assert_eq!(found, Some(Page { name: "counter".to_owned(), executable }));

        assert_eq!(page(&message("test", "/checkout/tests/counter.rs"), folder), None);
        assert_eq!(page(&message("lib", "/checkout/loom-tests/counter.rs"), folder), None);
        assert_eq!(page(r#"{"reason":"build-finished","success":true}"#, folder), None);
    }
}
