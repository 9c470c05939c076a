//! `cargo ci features`: the libraries with each set of features, and as dependencies of other crates.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use cargo_selvedge::libtest;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// What is published.
const LIBRARIES: [&str; 4] = ["selvedge", "selvedge-model", "selvedge-loom", "selvedge-results"];

/// What a user of the primitives alone must not find in the lock file.
const NOT_FOR_USERS: [&str; 4] = ["loom", "shuttle", "serde_json", "selvedge-results"];

/// What the programs have to print.
const PRINTS: &str = "3";

/// A user of the primitives.
const COUNTS: Dependent = Dependent {
    name: "uses-the-counter",
    dependencies: "selvedge = { path = '{root}' }",
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

/// A user of the façade. It is std's, also under `--cfg loom`: an atomic can be in a `static`.
const SHARES: Dependent = Dependent {
    name: "uses-the-facade",
    dependencies: "selvedge-model = { path = '{root}/model' }",
    file: "src/main.rs",
    source: r#"//! Counts to three.
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
use selvedge_model::sync::thread;

static TOTAL: AtomicU64 = AtomicU64::new(0);

fn main() {
    let threads = [(); 3].map(|()| thread::spawn(|| TOTAL.fetch_add(1, Relaxed)));
    threads.map(|thread| thread.join().expect("an increment does not panic"));
    println!("{}", TOTAL.load(Relaxed));
}
"#,
};

/// A user of the checker, which only its tests need. On loom the split increment passes only if both
/// of its outcomes were reached, and so only if it was explored.
const CHECKS: Dependent = Dependent {
    name: "uses-the-checker",
    dependencies: "selvedge-model = { path = '{root}/model' }\n\n\
                   [dev-dependencies]\n\
                   selvedge-model = { path = '{root}/model', features = [\"check\"] }",
    file: "src/lib.rs",
    source: r#"//! Code of a user's own, under the model checker.
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Loses updates.
pub fn increment(total: &AtomicU64) {
    total.store(total.load(Relaxed) + 1, Relaxed);
}

#[test]
fn a_split_increment_loses_an_update() {
    selvedge_model::Model::new(|| AtomicU64::new(0))
        .thread("alice", increment)
        .thread("bob", increment)
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=2", "the increments did not overlap")
        .interesting("total=1", "both read 0: one update is lost")
        .check();
}
"#,
};

/// A crate with a test for loom, which has moved by one line of its manifest. loom itself passes it.
const MOVES: Dependent = Dependent {
    name: "moves-from-loom",
    dependencies: "[target.'cfg(loom)'.dependencies]\n\
                   loom = { package = \"selvedge-loom\", path = '{root}/selvedge-loom' }",
    file: "src/lib.rs",
    source: r#"//! Code that was tested with loom.
#![cfg(all(test, loom))]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[test]
#[should_panic(expected = "both read 0")]
fn relaxed_updates_are_reordered() {
    loom::model(|| {
        let both = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let other = Arc::clone(&both);
        let thread = loom::thread::spawn(move || {
            other.0.store(1, Relaxed);
            other.1.fetch_add(0, Relaxed)
        });
        both.1.store(1, Relaxed);
        let seen = (both.0.fetch_add(0, Relaxed), thread.join().unwrap());
        assert_ne!(seen, (0, 0), "both read 0");
    });
}
"#,
};

/// A crate that depends on ours by their paths.
struct Dependent {
    name: &'static str,
    /// Lines of its manifest, with `{root}` for the checkout.
    dependencies: &'static str,
    file: &'static str,
    source: &'static str,
}

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    powerset(workspace, &mut tally)?;
    for (dependent, configs) in [
        (COUNTS, &[Config::Plain, Config::Loom, Config::CrossbeamLoom][..]),
        (SHARES, &[Config::Plain, Config::Loom]),
    ] {
        let folder = dependent.write(workspace)?;
        for config in configs {
            let mut command = workspace.cargo(*config, &["run", "--quiet"]);
            command.current_dir(&folder);
            let output = workspace.output(command)?;
            let (name, printed) = (dependent.name, output.trim());
            ensure!(printed == PRINTS, "{name} printed {printed:?}, not {PRINTS:?}");
            tally.passed(&format!("{name} runs, configuration: {}", config.name()));
        }
        let lock =
            fs::read_to_string(folder.join("Cargo.lock")).context("there is no lock file")?;
        let found = packages_in(&lock, &NOT_FOR_USERS);
        ensure!(found.is_empty(), "the lock file of {} has {}", dependent.name, found.join(", "));
        let packages = lock.matches("[[package]]").count();
        let without = NOT_FOR_USERS.join(", ");
        tally.passed(&format!(
            "the lock file of {}: {packages} packages, no {without}",
            dependent.name
        ));
    }
    let folder = CHECKS.write(workspace)?;
    for config in [Config::Plain, Config::Loom] {
        let mut command = workspace.cargo(config, &["test"]);
        command.current_dir(&folder);
        let passed = libtest::passed(&workspace.tee(command)?);
        ensure!(passed == 1, "{} passed {passed} tests, not 1", CHECKS.name);
        tally.passed(&format!("{} passes, configuration: {}", CHECKS.name, config.name()));
    }
    let folder = MOVES.write(workspace)?;
    let mut command = workspace.cargo(Config::Loom, &["test"]);
    command.current_dir(&folder);
    let passed = libtest::passed(&workspace.tee(command)?);
    ensure!(passed == 1, "{} passed {passed} tests, not 1", MOVES.name);
    tally.passed(&format!("{} passes, by one line of its manifest", MOVES.name));
    Ok(tally)
}

/// Each set of features of both libraries, without a warning. cargo-hack is no help here: it runs `cargo
/// check --manifest-path`, which of a root package means all of `default-members`.
fn powerset(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    for name in LIBRARIES {
        let package = workspace.packages.iter().find(|package| package.name == name);
        let package = package.with_context(|| format!("there is no package {name}"))?;
        let features: Vec<&str> = package.features.keys().map(String::as_str).collect();
        let sets = subsets(&features);
        for config in [Config::Plain, Config::Loom] {
            for set in &sets {
                let args =
                    ["clippy", "--package", name, "--no-default-features", "--features", set];
                let mut command = workspace.cargo(config, &args);
                command.args(["--", "-D", "warnings"]);
                workspace.run(command)?;
            }
            let (sets, config) = (sets.len(), config.name());
            tally.passed(&format!("{name} builds with each of {sets} sets of features, {config}"));
        }
    }
    Ok(())
}

/// All sets of features, each with commas; `default` apart, which is one of them by another name.
fn subsets(features: &[&str]) -> Vec<String> {
    let mut sets = vec![String::new()];
    for feature in features.iter().filter(|feature| **feature != "default") {
        let more: Vec<String> = sets.iter().map(|set| format!("{set},{feature}")).collect();
        sets.extend(more);
    }
    sets.iter().map(|set| set.trim_start_matches(',').to_owned()).collect()
}

/// Those of `names` that a lock file has.
fn packages_in<'a>(lock: &str, names: &[&'a str]) -> Vec<&'a str> {
    let has = |name: &&&str| lock.lines().any(|line| line == format!("name = \"{name}\""));
    names.iter().filter(has).copied().collect()
}

impl Dependent {
    /// Writes the crate afresh and returns its folder.
    fn write(&self, workspace: &Workspace) -> Result<PathBuf> {
        let folder = workspace.scratch().join(self.name);
        let root = &workspace.root;
        let write = || -> std::io::Result<()> {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(folder.join("src"))?;
            fs::write(folder.join(self.file), self.source)?;
            fs::write(folder.join("Cargo.toml"), self.manifest(root))?;
            // The same versions as here. Cargo removes what is not needed.
            fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
        };
        write().with_context(|| format!("{} cannot be written", folder.display()))?;
        Ok(folder)
    }

    /// Its own workspace.
    fn manifest(&self, root: &Path) -> String {
        let Self { name, dependencies, .. } = self;
        let dependencies = dependencies.replace("{root}", &root.display().to_string());
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependencies}\n\n[workspace]\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependent_names_the_library_by_its_path() {
        let manifest = CHECKS.manifest(Path::new("/checkout"));
        let line = r#"selvedge-model = { path = '/checkout/model', features = ["check"] }"#;
        assert!(manifest.contains(line), "{manifest}");
    }

    #[test]
    fn each_set_of_features_is_there_once() {
        assert_eq!(subsets(&["a", "default", "b"]), ["", "a", "b", "a,b"]);
    }

    #[test]
    fn a_lock_file_names_its_packages() {
        let lock =
            "[[package]]\nname = \"loom\"\nversion = \"0.7.3\"\n\n[[package]]\nname = \"serde\"\n";
        assert_eq!(packages_in(lock, &NOT_FOR_USERS), ["loom"]);
    }
}
