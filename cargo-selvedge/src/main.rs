//! `cargo selvedge`: the whole proof, for any crate.

use std::process::ExitCode;

use anyhow::Result;
use cargo_selvedge::exit::{CODES, Exit};
use cargo_selvedge::options::CargoOptions;
use cargo_selvedge::project::{Project, ignored};
use cargo_selvedge::report::Extras;
use cargo_selvedge::shell::{Colour, Look, MessageFormat, Shell};
use cargo_selvedge::{init, interrupt, mutants, prove, replay, report};
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
    /// Add dependencies, lint, profile and a first model to a crate
    ///
    /// Shows what changes, and never replaces a file. The first model fails on purpose, so that `prove` has something
    /// to show.
    #[command(after_help = INIT_EXAMPLES)]
    Init {
        #[command(flatten)]
        options: init::Options,
        #[command(flatten)]
        common: Common,
    },
    /// Explore every execution of every model, and compare with the committed list
    ///
    /// Each test runs in a process of its own, on all cores; cargo-nextest runs them where it is installed. Fails if a
    /// model fails, if one vanished or changed against `selvedge-models.txt`, and if there is none.
    #[command(after_help = PROVE_EXAMPLES)]
    Prove {
        #[command(flatten)]
        options: prove::Options,
        #[command(flatten)]
        common: Common,
    },
    /// Change one operation at a time, and see whether a model notices
    ///
    /// Nothing is compiled again for a change. Fails if a change survives that is not accepted with a reason, in
    /// `selvedge-accepted.toml`.
    #[command(after_help = MUTANTS_EXAMPLES)]
    Mutants {
        #[command(flatten)]
        options: mutants::Options,
        #[command(flatten)]
        common: Common,
    },
    /// Write what was explored and found as pages for a browser
    ///
    /// They are made of what `prove` and `mutants` have left, stand in target/selvedge/report, and need no network.
    #[command(after_help = REPORT_EXAMPLES)]
    Report {
        #[command(flatten)]
        options: report::Options,
        #[command(flatten)]
        common: Common,
    },
    /// Show one execution with every step
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay {
        #[command(flatten)]
        options: replay::Options,
        #[command(flatten)]
        common: Common,
    },
}

const INIT_EXAMPLES: &str = "\
Examples:
  cargo selvedge init --dry-run     see what would change
  cargo selvedge init --ci          also a workflow that proves on four machines
  cargo selvedge init --loom        a crate with a suite on loom";
const PROVE_EXAMPLES: &str = "\
Examples:
  cargo selvedge prove                      all models of the package
  cargo selvedge prove ring::               those of the test target `ring`
  cargo selvedge prove --bless              write the list of models, to be committed
  cargo selvedge prove --shard 2/4          a quarter of them, on one of four machines
  cargo selvedge prove --merge shards/*.json";
const MUTANTS_EXAMPLES: &str = "\
Examples:
  cargo selvedge mutants                         all operations of the package
  cargo selvedge mutants --only src/ring.rs:42   those of one line
  cargo selvedge mutants --changed-since main    those of files that a branch has changed";
const REPORT_EXAMPLES: &str = "\
Examples:
  cargo selvedge report --open";
const REPLAY_EXAMPLES: &str = "\
Examples:
  cargo selvedge replay ring::push_pop/7      execution 7 of the test's first model
  cargo selvedge replay ring::push_pop#2/7    of its second
  cargo selvedge replay map::all#1.37/2       execution 2 of scenario 37";

/// What all commands have.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    cargo: CargoOptions,
    /// What standard output is for
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    message_format: MessageFormat,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
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
    let (Command::Init { common, .. }
    | Command::Prove { common, .. }
    | Command::Mutants { common, .. }
    | Command::Report { common, .. }
    | Command::Replay { common, .. }) = command;
    let shell = Shell::new(common.message_format, common.color);
    let project = Project::find(&common.cargo)?;
    if let Command::Prove { .. } | Command::Mutants { .. } | Command::Replay { .. } = command {
        let ignored = ignored();
        if !ignored.is_empty() {
            anstream::eprintln!(
                "{}: these variables of the environment have no effect on `cargo selvedge`: {}",
                Look::Warn.paint("note"),
                ignored.join(", ")
            );
        }
    }
    match command {
        Command::Init { options, .. } => init::run(&project, options, shell)?,
        Command::Replay { options, .. } => replay::run(&project, options, shell)?,
        Command::Prove { options, .. } => drop(prove::run(&project, options, shell)?),
        Command::Mutants { options, .. } => drop(mutants::run(&project, options, shell)?),
        Command::Report { options, .. } => {
            drop(report::run(&project, options, Extras::default(), shell)?);
        }
    }
    Ok(())
}
