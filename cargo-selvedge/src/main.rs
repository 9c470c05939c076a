//! `cargo selvedge`: the whole proof, for any crate.

use std::process::ExitCode;

use anyhow::Result;
use cargo_selvedge::exit::{CODES, Exit};
use cargo_selvedge::options::CargoOptions;
use cargo_selvedge::project::Project;
use cargo_selvedge::report::Extras;
use cargo_selvedge::shell::{Colour, Look, MessageFormat, Shell};
use cargo_selvedge::{interrupt, mutants, prove, report};
use clap::{Args, Parser, Subcommand};

/// Prove concurrent code: explore every execution of every model, break the code on purpose to see whether a model
/// notices, and draw what was found.
#[derive(Debug, Parser)]
#[command(name = "cargo-selvedge", bin_name = "cargo selvedge", version, styles = clap_cargo::style::CLAP_STYLING)]
#[command(after_help = CODES, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explore every model, and compare with the committed list
    Prove {
        #[command(flatten)]
        options: prove::Options,
        #[command(flatten)]
        common: Common,
    },
    /// Change one operation at a time, and see whether a model notices
    Mutants {
        #[command(flatten)]
        options: mutants::Options,
        #[command(flatten)]
        common: Common,
    },
    /// Write what was explored and found as pages for a browser
    Report {
        #[command(flatten)]
        options: report::Options,
        #[command(flatten)]
        common: Common,
    },
}

/// What all commands have.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    cargo: CargoOptions,
    /// What standard output is for
    #[arg(long, value_name = "FORMAT", default_value = "human", global = true)]
    message_format: MessageFormat,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    color: Colour,
}

fn main() -> ExitCode {
    // Cargo gives its subcommands their own name as the first argument.
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|argument| argument == "selvedge") {
        arguments.remove(1);
    }
    let cli = Cli::parse_from(arguments);
    interrupt::listen();
    match run(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{}: {error:#}", Look::Bad.paint("error"));
            Exit::of(&error).into()
        }
    }
}

fn run(command: &Command) -> Result<()> {
    let (Command::Prove { common, .. }
    | Command::Mutants { common, .. }
    | Command::Report { common, .. }) = command;
    let shell = Shell::new(common.message_format, common.color);
    let project = Project::find(&common.cargo)?;
    match command {
        Command::Prove { options, .. } => drop(prove::run(&project, options, shell)?),
        Command::Mutants { options, .. } => drop(mutants::run(&project, options, shell)?),
        Command::Report { options, .. } => {
            drop(report::run(&project, options, Extras::default(), shell)?);
        }
    }
    Ok(())
}
