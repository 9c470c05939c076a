//! What the README's command leaves: the results of all models, explored once for `prove`, `mutants` and `report`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use cargo_selvedge::shell::{Shell, grouped};
use cargo_selvedge::{mutants, prove};

use crate::cargo::Workspace;
use crate::tally::Tally;

/// Where they are.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.scratch().join("results")
}

/// The step `prove`: what was explored is what the committed list says.
pub(crate) fn prove(workspace: &Workspace) -> Result<Tally> {
    let from = Some(folder(workspace)).filter(|folder| folder.exists());
    let options = prove::Options { from, ..prove::Options::default() };
    let proved = prove::run(&workspace.project()?, &options, Shell::default())?;
    let mut tally = Tally::default();
    let executions = grouped(proved.executions);
    tally.passed(&format!("{} models are as listed, {executions} executions", proved.models));
    Ok(tally)
}

/// The step `mutants`: what was explored notices every change.
pub(crate) fn mutants(workspace: &Workspace) -> Result<Tally> {
    let from = Some(folder(workspace)).filter(|folder| folder.exists());
    let options = mutants::Options { from, ..mutants::Options::default() };
    let tried = mutants::run(&workspace.project()?, &options, Shell::default())?;
    ensure!(
        tried.guessed == 0,
        "calls that may be operations, and were not executed: {}",
        tried.guessed
    );
    let mut tally = Tally::default();
    tally.passed(&format!(
        "{} of {} mutants are killed, the others accepted",
        tried.killed, tried.tried
    ));
    Ok(tally)
}
