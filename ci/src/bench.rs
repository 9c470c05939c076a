//! `cargo ci bench`: the primitives side by side with their peers.

use anyhow::Result;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// Measures the rows that contain `word`; all, without it. No figure fails.
pub(crate) fn run(workspace: &Workspace, word: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    workspace.run(peers(workspace, word))?;
    tally.passed("the benchmarks ran");
    Ok(tally)
}

/// The step of the gate: each row for one tiny round, which measures nothing.
pub(crate) fn smoke(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    workspace.run(peers(workspace, Some("--smoke")))?;
    tally.passed("the benchmarks can be run");
    Ok(tally)
}

fn peers(workspace: &Workspace, arg: Option<&str>) -> std::process::Command {
    let mut command =
        workspace.cargo(Config::Plain, &["run", "--profile", "bench", "--package", "peers"]);
    command.arg("--").args(arg);
    command
}
