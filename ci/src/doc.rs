//! `cargo ci doc`: the documentation, in both configurations, without a warning.

use anyhow::Result;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut command = workspace.cargo(Config::Plain, &["doc", "--no-deps", "--all-features"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    workspace.run(command)?;
    tally.passed("the documentation builds");

    let args = ["doc", "--no-deps", "--all-features", "--release"];
    let mut command = workspace.cargo(Config::Loom, &args);
    // rustdoc does not see RUSTFLAGS.
    command.env("RUSTDOCFLAGS", "--cfg loom -D warnings");
    workspace.run(command)?;
    tally.passed("the documentation builds on loom");
    Ok(tally)
}
