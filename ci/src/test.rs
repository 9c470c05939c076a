//! `cargo ci test`: the tests on real threads, doctests included, and the gate's own.

use anyhow::{Result, ensure};

use crate::cargo::{Config, Workspace};
use crate::libtest;
use crate::tally::Tally;

/// Runs the step.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut total = 0;
    for (what, args) in [
        ("the library", &["test"][..]),
        ("ci", &["test", "--package", "ci"]),
        ("the specimens", &["test", "--package", "specimens"]),
    ] {
        let output = workspace.tee(workspace.cargo(Config::Plain, args))?;
        let passed = libtest::passed(&output);
        ensure!(passed > 0, "no test of {what} was run: at least one has to pass");
        tally.passed(&format!("{passed} tests of {what}"));
        total += passed;
    }
    println!("{total} tests passed");
    Ok(tally)
}
