//! `cargo ci features`: the library builds with each set of features, and as a dependency.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::cargo::{Config, Workspace};
use crate::libtest;
use crate::tally::Tally;

/// The sets of features that the library claims to build with.
const SETS: [&str; 5] = ["", "racy", "model", "racy,model", "serde"];

/// A user of the primitives.
const USER: Dependent = Dependent {
    name: "uses-the-counter",
    dependency: "",
    file: "src/main.rs",
    source: r#"//! Counts to three.
fn main() {
    let counter = selvedge::Counter::new();
    for _ in 0..3 {
        counter.increment();
    }
    println!("{}", counter.get());
}
"#,
};

/// What it has to print.
const USER_PRINTS: &str = "3";

/// A user of the harness. On loom the split increment passes only if both of its outcomes were
/// reached, and so only if it was explored.
const TESTER: Dependent = Dependent {
    name: "uses-the-harness",
    dependency: r#", features = ["model"]"#,
    file: "src/lib.rs",
    source: r#"//! Code of a user's own, under the model checker.
#[test]
fn a_split_increment_loses_an_update() {
    use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};

    fn increment(total: &AtomicU64) {
        total.store(total.load(Relaxed) + 1, Relaxed);
    }
    selvedge::model::Model::new(|| AtomicU64::new(0))
        .thread("alice", increment)
        .thread("bob", increment)
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=2", "the increments did not overlap")
        .interesting("total=1", "both read 0: one update is lost")
        .check();
}
"#,
};

/// A crate that depends on the library by its path.
struct Dependent {
    name: &'static str,
    /// What follows the path in the line of the dependency.
    dependency: &'static str,
    file: &'static str,
    source: &'static str,
}

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    build(workspace, &mut tally)?;
    use_counter(workspace, &mut tally)?;
    use_harness(workspace, &mut tally)?;
    Ok(tally)
}

/// Builds the library. `cargo rustc` denies its warnings without building its dependencies anew.
fn build(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    for features in SETS {
        let args = ["rustc", "--lib", "--features", features, "--", "-D", "warnings"];
        workspace.run(workspace.cargo(Config::Plain, &args))?;
        let features = if features.is_empty() { "none" } else { features };
        tally.passed(&format!("the library builds, features: {features}"));
    }
    let args = ["rustc", "--lib", "--release", "--", "-D", "warnings"];
    workspace.run(workspace.cargo(Config::Loom, &args))?;
    tally.passed("the library builds on loom, features: none");
    Ok(())
}

/// A crate that counts: it is run, and checked on loom.
fn use_counter(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let folder = USER.write(workspace)?;
    let mut command = workspace.cargo(Config::Plain, &["run", "--quiet"]);
    command.current_dir(&folder);
    let output = workspace.output(command)?;
    let printed = output.trim();
    ensure!(
        printed == USER_PRINTS,
        "{} printed {printed:?}: {USER_PRINTS:?} is expected",
        USER.name
    );
    tally.passed("a crate that depends on the library counts");

    let mut command = workspace.cargo(Config::Loom, &["check", "--release"]);
    command.current_dir(&folder);
    workspace.run(command)?;
    tally.passed("a crate that depends on the library checks on loom");
    Ok(())
}

/// A crate that tests with the harness: it is run on real threads, and on loom.
fn use_harness(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let folder = TESTER.write(workspace)?;
    for (config, args) in [(Config::Plain, &["test"][..]), (Config::Loom, &["test", "--release"])] {
        let mut command = workspace.cargo(config, args);
        command.current_dir(&folder);
        let passed = libtest::passed(&workspace.tee(command)?);
        ensure!(passed == 1, "{} passed {passed} tests: 1 is expected", TESTER.name);
        tally.passed(&format!("a crate tests its own code, configuration: {}", config.name()));
    }
    Ok(())
}

impl Dependent {
    /// Writes the crate afresh and returns its folder.
    fn write(&self, workspace: &Workspace) -> Result<PathBuf> {
        let folder = workspace.scratch().join(self.name);
        let write = || -> std::io::Result<()> {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(folder.join("src"))?;
            fs::write(folder.join(self.file), self.source)?;
            fs::write(folder.join("Cargo.toml"), self.manifest(&workspace.root))?;
            // The same versions of everything, and no look at the registry.
            fs::copy(workspace.root.join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
        };
        write().with_context(|| format!("{} cannot be written", folder.display()))?;
        Ok(folder)
    }

    /// Its own workspace, with the root's release profile so that loom is not built once more.
    fn manifest(&self, root: &Path) -> String {
        let Self { name, dependency, .. } = self;
        let root = root.display();
        format!(
            r#"[package]
name = "{name}"
version = "0.0.0"
edition = "2024"

[dependencies]
selvedge = {{ path = '{root}'{dependency} }}

[lints.rust]
unexpected_cfgs = {{ level = "warn", check-cfg = ['cfg(loom)'] }}

[profile.release]
debug = "line-tables-only"

[workspace]
"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependent_names_the_library_by_its_path() {
        let manifest = TESTER.manifest(Path::new("/checkout"));
        let line = r#"selvedge = { path = '/checkout', features = ["model"] }"#;
        assert!(manifest.contains(line), "{manifest}");
    }
}
