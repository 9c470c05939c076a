//! Bugs, each written down once, and the ways of testing that may or may not find them.
//!
//! `cargo lab confidence` builds this in each configuration and asks each build for what it can do.
//! One run is one cell of its table: a specimen, a method, and a line of JSON.

use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, Parser};
use confidence::measured::Measured;
use serde_json::json;

mod by_parity;
#[cfg(test)]
mod forgotten;
#[cfg_attr(plain_loom, path = "methods/plain_loom.rs")]
#[cfg_attr(shuttle, path = "methods/shuttle.rs")]
#[cfg_attr(loom, path = "methods/harness.rs")]
#[cfg_attr(not(any(loom, plain_loom, shuttle)), path = "methods/threads.rs")]
mod methods;
mod pages;
mod reported;
mod sound;
mod specimen;
#[cfg(not(loom))]
mod tally;
#[cfg(not(loom))]
mod usual;
mod variants;

use specimen::Specimen;

/// Runs one specimen in one way, and prints what was seen of it as JSON.
#[derive(Parser)]
struct Cli {
    /// The name of the specimen; without it, all are listed
    #[arg(requires = "method")]
    specimen: Option<String>,
    /// The way of testing: those of this build are listed, too
    method: Option<String>,
    #[command(flatten)]
    bound: Bound,
}

/// What ends a run.
#[derive(Args, Clone, Copy)]
struct Bound {
    /// The most rounds or schedules
    #[arg(long, default_value_t = 1)]
    rounds: u64,
    /// The most seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

impl Bound {
    #[cfg_attr(loom, expect(dead_code, reason = "the harness goes to the end"))]
    fn time(self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn main() -> Result<()> {
    let Cli { specimen, method, bound } = Cli::parse();
    let (Some(name), Some(method)) = (specimen, method) else {
        let specimens: Vec<_> = all()
            .map(|one| json!({ "name": one.name, "kind": one.kind, "control": one.control }))
            .collect();
        println!("{}", json!({ "methods": methods::METHODS, "specimens": specimens }));
        return Ok(());
    };
    let specimen = all()
        .find(|one| one.name == name)
        .with_context(|| format!("{name} is no specimen: without one, all are listed"))?;
    // What goes wrong is counted, not told.
    std::panic::set_hook(Box::new(|_| ()));
    print(&methods::run(&method, specimen, bound)?);
    Ok(())
}

/// Those of the crate, those of the pages, those from reports, and the controls.
fn all() -> impl Iterator<Item = Specimen> {
    variants::all().into_iter().chain(pages::all()).chain(reported::all()).chain(sound::all())
}

fn print(measured: &Measured) {
    println!("{}", json!(measured));
}
