//! The test binaries of a package, as cargo builds them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::cargo::{Config, Target, Workspace};

/// A test binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binary {
    /// The stem of its source.
    pub(crate) name: String,
    /// Its source, from the root folder.
    pub(crate) source: PathBuf,
    pub(crate) executable: PathBuf,
}

impl Binary {
    /// The names of its tests.
    pub(crate) fn tests(&self, workspace: &Workspace) -> Result<Vec<String>> {
        let mut command = workspace.child(Config::Loom, &self.executable);
        let output = command
            .args(["--list", "--format", "terse"])
            .output()
            .with_context(|| format!("{} cannot be run", self.name))?;
        ensure!(output.status.success(), "{} does not list its tests", self.name);
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }
}

/// What we need of a message of cargo's.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

/// Builds those tests of the package on loom whose source is `wanted`. Sorted by name.
pub(crate) fn build(workspace: &Workspace, wanted: impl Fn(&Path) -> bool) -> Result<Vec<Binary>> {
    let args = ["test", "--no-run", "--message-format=json-render-diagnostics"];
    let mut command = workspace.cargo(Config::Loom, &args);
    // The root's are built with the packages that `cargo test` builds, so that features are the same.
    if !workspace.is_root() {
        command.args(["--package", &workspace.package.name]);
    }
    let source = |path: &Path| path.strip_prefix(&workspace.root).unwrap_or(path).to_owned();
    let mut found = false;
    for target in &workspace.package.targets {
        if target.is("test") && wanted(&source(&target.src_path)) {
            command.args(["--test", &target.name]);
            found = true;
        } else if target.is("lib") && wanted(&source(&target.src_path)) {
            command.arg("--lib");
            found = true;
        }
    }
    if !found {
        return Ok(Vec::new());
    }
    let messages = workspace.output(command)?;
    let mut binaries: Vec<Binary> =
        messages.lines().filter_map(|line| binary(line, &workspace.root)).collect();
    binaries.retain(|binary| wanted(&binary.source));
    binaries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(binaries)
}

/// The test binary that a message of cargo's is about, if it is about one.
fn binary(message: &str, root: &Path) -> Option<Binary> {
    let Message { reason, target, executable } = serde_json::from_str(message).ok()?;
    let target = target.filter(|target| {
        reason == "compiler-artifact" && (target.is("test") || target.is("lib"))
    })?;
    let source = target.src_path.strip_prefix(root).unwrap_or(&target.src_path).to_owned();
    let stem = source.file_stem()?.to_string_lossy();
    let name = if target.is("lib") { "lib" } else { &*stem }.to_owned();
    Some(Binary { name, source, executable: executable? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, path: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","target":{{"kind":["{kind}"],"name":"book",
            "src_path":"{path}"}},"executable":"/t/book-1","fresh":true}}"#
        )
    }

    #[test]
    fn test_binaries_are_named_by_their_source() {
        let root = Path::new("/checkout");
        let page = message("test", "/checkout/loom-tests/main.rs");
        assert_eq!(
            binary(&page, root),
            Some(Binary {
                name: "main".to_owned(),
                source: PathBuf::from("loom-tests/main.rs"),
                executable: PathBuf::from("/t/book-1"),
            })
        );
        let lib = binary(&message("lib", "/checkout/src/lib.rs"), root);
        assert_eq!(lib.map(|lib| lib.name), Some("lib".to_owned()));

        assert_eq!(binary(&message("bench", "/checkout/benches/facade.rs"), root), None);
        let library = message("lib", "/checkout/src/lib.rs")
            .replace(r#""executable":"/t/book-1""#, r#""executable":null"#);
        assert_eq!(binary(&library, root), None);
        assert_eq!(binary(r#"{"reason":"build-finished","success":true}"#, root), None);
    }
}
