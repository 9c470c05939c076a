//! `cargo ci linearizable`: larger scenarios than those that the pages explore one and all: so many at
//! random, or all of certain sizes.

use anyhow::{Result, ensure};

use crate::cargo::{Config, Workspace};
use crate::libtest;
use crate::tally::Tally;

/// What is asked for.
#[derive(Debug, clap::Args)]
#[group(required = true)]
pub(crate) struct Wish {
    /// So many scenarios of each type at random, from 1 to 100000, within 2 preemptions
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    scenarios: Option<u32>,
    /// All scenarios of the sizes of `tests/linearizable_larger.rs`, without a bound
    #[arg(long, conflicts_with = "scenarios")]
    exhaustive: bool,
    /// Of those, only tests whose name contains this
    #[arg(long, value_name = "FILTER", requires = "exhaustive")]
    only: Option<String>,
}

/// Explores them.
pub(crate) fn run(workspace: &Workspace, wish: &Wish) -> Result<Tally> {
    let (test, name, value) = match wish.scenarios {
        Some(scenarios) => ("linearizable_random", "LINEARIZABLE_SCENARIOS", scenarios.to_string()),
        None => ("linearizable_larger", "LINEARIZABLE_SIZES", "all".to_owned()),
    };
    let mut args = vec!["test", "--release", "--test", test, "--", "--nocapture"];
    // Tests of one process would wait for each other: each execution maps its stacks anew.
    args.push("--test-threads=1");
    args.extend(wish.only.as_deref());
    let mut command = workspace.cargo(Config::Loom, &args);
    command.env(name, &value);
    let output = workspace.output(command)?;
    let is_count = |line: &&str| {
        [" scenarios of ", " scenarios (", "  threads x "].iter().any(|part| line.contains(part))
    };
    for line in output.lines().filter(is_count) {
        println!("{line}");
    }
    ensure!(libtest::ran(&output) > 0, "no test ran");
    let mut tally = Tally::default();
    tally.passed(&match (wish.scenarios, &wish.only) {
        (Some(_), _) => format!("{value} larger scenarios of each type keep its promise"),
        (None, None) => "all scenarios of larger sizes keep their type's promise".to_owned(),
        (None, Some(only)) => format!("those of {only:?} do"),
    });
    Ok(tally)
}
