//! `cargo ci linearizable N`: so many random scenarios of each type, larger than those that the pages
//! explore one and all.

use anyhow::{Result, ensure};

use crate::cargo::{Config, Workspace};
use crate::libtest;
use crate::tally::Tally;

/// Explores so many scenarios of each type.
pub(crate) fn run(workspace: &Workspace, scenarios: u32) -> Result<Tally> {
    let args = ["test", "--release", "--test", "linearizable_random", "--", "--nocapture"];
    let mut command = workspace.cargo(Config::Loom, &args);
    command.env("LINEARIZABLE_SCENARIOS", scenarios.to_string());
    let output = workspace.output(command)?;
    for line in output.lines().filter(|line| line.contains(" scenarios of ")) {
        println!("{line}");
    }
    ensure!(libtest::ran(&output) > 0, "no test ran");
    let mut tally = Tally::default();
    tally.passed(&format!("{scenarios} larger scenarios of each type keep its promise"));
    Ok(tally)
}
