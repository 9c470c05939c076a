//! `cargo ci deny`: what is in the dependency graph, by `deny.toml`.

use anyhow::Result;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// Runs the step. Advisories need the network, and are a job of the workflow.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    workspace.needs("deny")?;
    let args = ["deny", "check", "licenses", "bans", "sources"];
    workspace.run(workspace.cargo(Config::Plain, &args))?;
    tally.passed("licences, bans and sources of all dependencies are as deny.toml has them");
    Ok(tally)
}
