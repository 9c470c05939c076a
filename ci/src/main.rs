//! The gate: `cargo ci …` runs every check that a change has to pass, by hand as in CI.

use std::process::ExitCode;

use anyhow::Result;
use ci::{cargo, tally};
use clap::{Parser, Subcommand};

mod all;
mod deny;
mod doc;
mod features;
mod left;
mod linearizable;
mod lint;
mod oracle;
mod readme;
mod report;
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
    /// Licences, bans and sources of all dependencies
    Deny,
    /// The libraries with each set of features, and as dependencies of other crates
    Features,
    /// Build the documentation in both configurations
    Doc,
    /// The tests on real threads that `cargo test` leaves out
    Test,
    /// Run the README's two commands by the letter
    Readme,
    /// The report of `cargo selvedge` on what it has left, in the order of the book
    Report {
        /// Rewrite the drawing that the README shows
        #[arg(long)]
        bless: bool,
    },
    /// Compare the checker with the oracle over so many rounds of 5,400 and 31,000 random programs
    Oracle {
        /// From 1 to 200; the first round is the ordinary suite's
        rounds: u8,
    },
    /// Explore larger scenarios of each type than the pages do: so many at random, or all of some sizes
    Linearizable {
        #[command(flatten)]
        wish: linearizable::Wish,
    },
    /// All steps of the gate, in order
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
    let workspace = Workspace::find()?;
    match command {
        Command::Lint => lint::run(&workspace)?,
        Command::Deny => deny::run(&workspace)?,
        Command::Features => features::run(&workspace)?,
        Command::Doc => doc::run(&workspace)?,
        Command::Test => test::run(&workspace)?,
        Command::Readme => readme::run(&workspace)?,
        Command::Report { bless } => report::run(&workspace, *bless)?,
        Command::Oracle { rounds } => oracle::run(&workspace, *rounds)?,
        Command::Linearizable { wish } => linearizable::run(&workspace, wish)?,
        Command::All { without } => return all::run(&workspace, without),
    };
    Ok(())
}
