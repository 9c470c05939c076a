//! `cargo ci linearizable`: larger scenarios than those that the pages explore one and all: so many at
//! random, or all of certain sizes.

use std::time::Duration;

use anyhow::{Result, ensure};
use cargo_selvedge::suite::{self, End, Terms};

use crate::cargo::Workspace;
use crate::tally::Tally;

/// What is asked for.
#[derive(Debug, clap::Args)]
#[group(required = true)]
pub(crate) struct Wish {
    /// So many scenarios of each type at random, from 1 to 100000, within 2 preemptions
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    scenarios: Option<u32>,
    /// All scenarios of the sizes of the page `linearizable_larger`, without a bound
    #[arg(long, conflicts_with = "scenarios")]
    exhaustive: bool,
    /// Of those, only tests whose name contains this
    #[arg(long, value_name = "FILTER", requires = "exhaustive")]
    only: Option<String>,
}

/// Explores them.
pub(crate) fn run(workspace: &Workspace, wish: &Wish) -> Result<Tally> {
    let (page, name, value) = match wish.scenarios {
        Some(scenarios) => ("linearizable_random", "LINEARIZABLE_SCENARIOS", scenarios.to_string()),
        None => ("linearizable_larger", "LINEARIZABLE_SIZES", "all".to_owned()),
    };
    let project = workspace.project()?;
    let mut tests = suite::all_tests(&project, &project.build(None)?.binaries)?;
    let only = wish.only.as_deref().unwrap_or_default();
    let inside = format!("{page}::");
    tests.retain(|test| test.path.starts_with(&inside) && test.path.contains(only));
    ensure!(!tests.is_empty(), "the page {page} has no test whose name contains {only:?}");
    suite::each(&project, &tests, |test, folder| {
        let variables = [(name, &*value), ("RUST_TEST_NOCAPTURE", "1")];
        // The checker says from time to time how far it is.
        let silence = Duration::from_mins(30);
        let terms = Terms { variables: &variables, patience: None, silence };
        let answer = test.ask(&project, terms, folder)?;
        let passed = answer.end == End::Passed;
        ensure!(passed, "{}:\n{}", test.path, answer.output);
        let is_count = |line: &&str| {
            [" scenarios of ", " scenarios (", "  threads x "]
                .iter()
                .any(|part| line.contains(part))
        };
        answer.output.lines().filter(is_count).for_each(|line| println!("{line}"));
        println!("{} passed", test.path);
        Ok(())
    })?;
    let mut tally = Tally::default();
    tally.passed(&format!("{} tests of {page} passed, {name}={value}", tests.len()));
    Ok(tally)
}
