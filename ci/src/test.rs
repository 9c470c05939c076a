//! `cargo ci test`: the tests of those packages that `cargo test` leaves out: the checker in both
//! configurations, the others on real threads.

use anyhow::{Result, ensure};
use cargo_selvedge::libtest;

use crate::cargo::{Config, Workspace};
use crate::tally::Tally;

/// What is tested, and how.
const RUNS: [(Config, &[&str]); 2] = [
    (
        Config::Plain,
        &[
            "selvedge-model",
            "selvedge-results",
            "cargo-selvedge",
            "specimens",
            "ci",
            "confidence",
            "examples",
            "exercises",
            "field",
            "lab",
        ],
    ),
    (Config::Loom, &["selvedge-model", "selvedge-loom", "exercises", "field"]),
];

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    for (config, packages) in RUNS {
        let mut command = workspace.cargo(config, &["test"]);
        for package in packages {
            command.args(["--package", package]);
        }
        let output = workspace.tee(command)?;
        let (passed, ignored) = (libtest::passed(&output), libtest::ignored(&output));
        ensure!(passed > 0 && ignored == 0, "{passed} tests passed, {ignored} were ignored");
        let (packages, config) = (packages.join(", "), config.name());
        tally.passed(&format!("{passed} tests of {packages} passed, configuration: {config}"));
    }
    Ok(tally)
}
