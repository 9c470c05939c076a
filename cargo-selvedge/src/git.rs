//! What git knows of the checkout.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// All files, those that git does not know yet and does not ignore included.
///
/// # Errors
///
/// If git cannot be run, or fails.
pub fn files(root: &Path) -> Result<Vec<String>> {
    lines(root, &["ls-files", "--cached", "--others", "--exclude-standard"])
}

/// The files that differ from `revision`, those that git does not know yet included.
///
/// # Errors
///
/// If git cannot be run, or fails.
pub fn changed_since(root: &Path, revision: &str) -> Result<Vec<String>> {
    let diff = ["diff", "--name-only", "--relative", "--end-of-options", revision, "--"];
    let mut files = lines(root, &diff)?;
    files.extend(lines(root, &["ls-files", "--others", "--exclude-standard"])?);
    Ok(files)
}

fn lines(root: &Path, args: &[&str]) -> Result<Vec<String>> {
    let output = Command::new("git").arg("-C").arg(root).args(args).output();
    let output = output.context("git cannot be started")?;
    ensure!(
        output.status.success(),
        "git {}: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}
