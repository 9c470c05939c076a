//! The test binaries that are pages of `loom-tests/`.

use anyhow::{Result, ensure};

use crate::binaries::{self, Binary};
use crate::cargo::Workspace;

/// The folder of the pages.
const FOLDER: &str = "loom-tests";

/// Builds all pages on loom. The name of a page is the stem of its file.
pub(crate) fn build(workspace: &Workspace) -> Result<Vec<Binary>> {
    let pages = binaries::build(workspace, |source| source.starts_with(FOLDER))?;
    ensure!(
        !pages.is_empty(),
        "no page was built: a [[test]] whose path is in {FOLDER}/ is expected"
    );
    Ok(pages)
}
