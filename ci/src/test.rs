//! `cargo ci test`: the tests on real threads of those packages that `cargo test` leaves out.

use anyhow::{Result, ensure};

use crate::cargo::{Config, Workspace};
use crate::libtest;
use crate::tally::Tally;

/// The packages.
const PACKAGES: [&str; 4] = ["ci", "confidence", "examples", "lab"];

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut command = workspace.cargo(Config::Plain, &["test"]);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    let output = workspace.tee(command)?;
    let (passed, ignored) = (libtest::passed(&output), libtest::ignored(&output));
    ensure!(passed > 0 && ignored == 0, "{passed} tests passed, {ignored} were ignored");
    tally.passed(&format!("{passed} tests of {} passed", PACKAGES.join(", ")));
    Ok(tally)
}
