//! `cargo ci lint`: formatting, and clippy in each configuration.

use anyhow::Result;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// What is other code, or code on another façade, under `--cfg loom`.
const ON_LOOM: [&str; 7] = [
    "selvedge",
    "selvedge-model",
    "selvedge-loom",
    "specimens",
    "confidence",
    "exercises",
    "field",
];

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    workspace.run(workspace.cargo(Config::Plain, &["fmt", "--all", "--check"]))?;
    tally.passed("the code is formatted");

    let mut clippy = |config, packages: &[&str], targets| {
        let mut command = workspace.cargo(config, &["clippy", "--all-features", targets]);
        for package in packages {
            command.args(["--package", package]);
        }
        if packages.is_empty() {
            command.arg("--workspace");
        }
        command.args(["--", "-D", "warnings"]);
        workspace.run(command)?;
        tally.passed(&format!("clippy has no warning, configuration: {}", config.name()));
        anyhow::Ok(())
    };
    clippy(Config::Plain, &[], "--all-targets")?;
    clippy(Config::Loom, &ON_LOOM, "--all-targets")?;
    // On loom's own types and on shuttle's, for the laboratory. Without tests, which are about the checker.
    for config in [Config::PlainLoom, Config::Shuttle] {
        clippy(config, &["selvedge-model", "confidence"], "--bins")?;
    }
    Ok(tally)
}
