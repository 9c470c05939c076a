//! How the command ends.

use std::fmt;
use std::process::ExitCode;

/// Why a command did not do all that it was asked, by exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A model failed, the list differs, a mutant survived: what was looked for was found.
    Found = 1,
    /// What was asked for cannot be done here: an option, a package, a manifest.
    Usage = 2,
    /// The crate does not build.
    Build = 3,
    /// A file or a process failed: the disk is full, cargo is missing.
    System = 4,
    /// The user interrupted.
    Interrupted = 130,
}

/// What each exit code means, for `--help`.
pub const CODES: &str = "\
Exit codes:
  0    all was as it should be
  1    a model failed or changed, a mutant survived, or no model was run
  2    the options, the package or its manifest do not allow it
  3    the crate does not build
  4    a file cannot be written, or a program cannot be run
  130  interrupted; what was found so far is kept";

/// A message with its exit code.
#[derive(Debug)]
struct Problem {
    exit: Exit,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Exit {
    /// An error that ends the command with this code.
    pub fn because(self, message: impl Into<String>) -> anyhow::Error {
        Problem { exit: self, message: message.into() }.into()
    }

    /// The code that an error ends the command with: [`Exit::System`], unless it says otherwise.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        let problem = error.chain().find_map(|cause| cause.downcast_ref::<Problem>());
        problem.map_or(Self::System, |problem| problem.exit)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn an_error_keeps_its_code_whatever_is_said_around_it() {
        let error = Exit::Build.because("it does not build");
        let error = Err::<(), _>(error).context("prove").expect_err("an error");
        assert_eq!(Exit::of(&error), Exit::Build);
        assert_eq!(Exit::of(&anyhow::anyhow!("the disk is full")), Exit::System);
    }
}
