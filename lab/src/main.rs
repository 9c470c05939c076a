//! The laboratory: `cargo lab …` measures what takes too long for the gate. By hand, and every night.

use std::process::ExitCode;

use anyhow::Result;
use cargo_selvedge::{git, libtest};
use ci::cargo::Workspace;
use ci::{cargo, tally};
use clap::{Parser, Subcommand};

mod confidence;
mod sabotage;

/// Measurements that take too long for the gate.
#[derive(Parser)]
#[command(name = "lab", bin_name = "cargo lab")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to measure.
#[derive(Subcommand)]
enum Command {
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
    /// Make the breakages of lab/sabotage.toml, one at a time, and see a test fail
    Sabotage {
        /// Only those whose name contains this
        #[arg(default_value = "")]
        name: String,
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
    let workspace = Workspace::find()?;
    match command {
        Command::Confidence { smoke: true, .. } => confidence::smoke(&workspace)?,
        Command::Confidence { bless, seconds, filter, .. } => {
            confidence::run(&workspace, *bless, *seconds, filter.as_deref())?
        }
        Command::Sabotage { name } => sabotage::run(&workspace, name)?,
    };
    Ok(())
}
