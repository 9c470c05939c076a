//! `cargo ci lint`: formatting, and clippy in each configuration.

use anyhow::Result;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    workspace.run(workspace.cargo(Config::Plain, &["fmt", "--all", "--check"]))?;
    tally.passed("the code is formatted");

    let args = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    workspace.run(workspace.cargo(Config::Plain, &args))?;
    tally.passed("clippy has nothing to say of the workspace");

    let args = ["clippy", "--all-targets", "--release", "--", "-D", "warnings"];
    workspace.run(workspace.cargo(Config::Loom, &args))?;
    tally.passed("clippy has nothing to say of the library and its tests on loom");

    // With the library, which they depend on: its façade is another one in each of these.
    let args = ["clippy", "--package", "specimens", "--release", "--", "-D", "warnings"];
    for config in [Config::Loom, Config::PlainLoom, Config::Shuttle] {
        workspace.run(workspace.cargo(config, &args))?;
        let what = format!("clippy has nothing to say of the specimens on {}", config.name());
        tally.passed(&what);
    }
    Ok(tally)
}
