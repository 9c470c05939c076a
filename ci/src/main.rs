//! The gate: `cargo ci …` runs every check that a change has to pass, by hand as in CI.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod all;
mod bench;
mod cargo;
mod doc;
mod features;
mod libtest;
mod linearizable;
mod lint;
mod oracle;
mod prove;
mod readme;
mod tally;
mod test;

use cargo::Workspace;

/// The gate: every check that a change has to pass.
#[derive(Parser)]
#[command(name = "ci", bin_name = "cargo ci")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to check.
#[derive(Subcommand)]
enum Command {
    /// Formatting, and clippy in both configurations
    Lint,
    /// Build the library with each set of features, and as a dependency
    Features,
    /// Build the documentation in both configurations
    Doc,
    /// The tests on real threads, and the gate's own
    Test,
    /// Measure the primitives side by side with their peers; no figure fails
    Bench {
        /// Only rows that contain this, or `growth`
        #[arg(conflicts_with = "smoke")]
        word: Option<String>,
        /// Only see whether they run
        #[arg(long)]
        smoke: bool,
    },
    /// Explore every model and compare with ci/models.txt
    Prove {
        /// Rewrite ci/models.txt after a full run that passes
        #[arg(long, conflicts_with = "filter")]
        bless: bool,
        /// Only tests whose `page::test` contains this
        filter: Option<String>,
    },
    /// Compare the harness with the oracle over so many rounds of 5,400 random programs
    Oracle {
        /// From 1 to 200; the first round is the ordinary suite's
        rounds: u8,
    },
    /// Explore so many random scenarios of each type, larger than those that the pages explore
    Linearizable {
        /// From 1 to 100000
        #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
        scenarios: u32,
    },
    /// Run the README's two commands by the letter
    Readme,
    /// All of these but the oracle and the random scenarios, in CI's order; the benchmarks for one tiny round
    All,
}

fn main() -> ExitCode {
    match dispatch(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &Command) -> Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Lint => lint::run(&workspace)?,
        Command::Features => features::run(&workspace)?,
        Command::Doc => doc::run(&workspace)?,
        Command::Test => test::run(&workspace)?,
        Command::Bench { smoke: true, .. } => bench::smoke(&workspace)?,
        Command::Bench { word, .. } => bench::run(&workspace, word.as_deref())?,
        Command::Prove { bless, filter } => prove::run(&workspace, *bless, filter.as_deref())?,
        Command::Oracle { rounds } => oracle::run(&workspace, *rounds)?,
        Command::Linearizable { scenarios } => linearizable::run(&workspace, *scenarios)?,
        Command::Readme => readme::run(&workspace)?,
        Command::All => return all::run(&workspace),
    };
    Ok(())
}
