//! The gate: `cargo ci …` runs every check that a change has to pass, by hand as in CI.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod all;
mod bench;
mod binaries;
mod cargo;
mod confidence;
mod doc;
mod features;
mod git;
mod libtest;
mod linearizable;
mod lint;
mod mutants;
mod oracle;
mod prove;
mod readme;
mod report;
mod sabotage;
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
    /// Formatting, and clippy in each configuration
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
    /// Break the library in every small way, one at a time, and see whether a model notices
    Mutants {
        #[command(flatten)]
        selection: mutants::Selection,
        /// The manifest of another crate that uses the façade
        #[arg(long, value_name = "PATH")]
        manifest_path: Option<PathBuf>,
        /// Make the breakages of ci/sabotage.toml instead, or those whose name contains NAME
        #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "",
              conflicts_with_all = ["only", "changed_since", "shard", "merge", "manifest_path"])]
        sabotage: Option<String>,
    },
    /// Compare the harness with both oracles over so many rounds of random programs: 5,400, and 1,000 a family
    Oracle {
        /// From 1 to 200; the first round is the ordinary suite's
        rounds: u8,
    },
    /// Write target/selvedge/report/index.html: what was explored, found, and would be noticed
    Report {
        #[command(flatten)]
        wish: report::Wish,
    },
    /// Explore larger scenarios of each type than the pages do: so many at random, or all of some sizes
    Linearizable {
        #[command(flatten)]
        wish: linearizable::Wish,
    },
    /// Try every way of testing on every bug, and say which finds it, how often and how fast
    Confidence {
        /// Rewrite the tables of loom-tests/confidence.md
        #[arg(long, conflicts_with_all = ["smoke", "filter"])]
        bless: bool,
        /// One tiny round of what needs no tool, only to see whether it runs
        #[arg(long)]
        smoke: bool,
        /// The most seconds that a cell may take
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
        /// Only bugs whose name contains this
        filter: Option<String>,
    },
    /// Run the README's two commands by the letter
    Readme,
    /// All of these but the oracle and the larger scenarios, in CI's order; benchmarks and confidence for
    /// one tiny round
    All {
        /// Leave this step out: another machine runs it
        #[arg(long, value_name = "STEP", value_parser = all::names())]
        without: Vec<String>,
    },
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
    let manifest = match command {
        Command::Mutants { manifest_path, .. } => manifest_path.as_deref(),
        _ => None,
    };
    let workspace = Workspace::find(manifest)?;
    match command {
        Command::Lint => lint::run(&workspace)?,
        Command::Features => features::run(&workspace)?,
        Command::Doc => doc::run(&workspace)?,
        Command::Test => test::run(&workspace)?,
        Command::Bench { smoke: true, .. } => bench::smoke(&workspace)?,
        Command::Bench { word, .. } => bench::run(&workspace, word.as_deref())?,
        Command::Prove { bless, filter } => prove::run(&workspace, *bless, filter.as_deref())?,
        Command::Mutants { sabotage: Some(name), .. } => sabotage::run(&workspace, name)?,
        Command::Mutants { selection, .. } => mutants::run(&workspace, selection)?,
        Command::Oracle { rounds } => oracle::run(&workspace, *rounds)?,
        Command::Report { wish } => report::run(&workspace, wish)?,
        Command::Linearizable { wish } => linearizable::run(&workspace, wish)?,
        Command::Confidence { smoke: true, .. } => confidence::smoke(&workspace)?,
        Command::Confidence { bless, seconds, filter, .. } => {
            confidence::run(&workspace, *bless, *seconds, filter.as_deref())?
        }
        Command::Readme => readme::run(&workspace)?,
        Command::All { without } => return all::run(&workspace, without),
    };
    Ok(())
}
