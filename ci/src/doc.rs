//! `cargo ci doc`: the documentation of the libraries, in both configurations, without a warning.

use anyhow::Result;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// The libraries.
const PACKAGES: [&str; 4] = ["selvedge", "selvedge-model", "selvedge-loom", "selvedge-results"];

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    // rustdoc does not see RUSTFLAGS.
    for (config, flags) in
        [(Config::Plain, "-D warnings"), (Config::Loom, "--cfg loom -D warnings")]
    {
        let mut command = workspace.cargo(config, &["doc", "--no-deps", "--all-features"]);
        for package in PACKAGES {
            command.args(["--package", package]);
        }
        command.env("RUSTDOCFLAGS", flags);
        workspace.run(command)?;
        tally.passed(&format!("the documentation builds, configuration: {}", config.name()));
    }
    Ok(tally)
}
