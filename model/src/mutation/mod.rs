//! One small change to one operation: a test of the tests.
//!
//! `SELVEDGE_MUTANT=src/counter.rs:120:9/fetch_add/relaxed` makes the `fetch_add` at that place
//! relaxed, in every model, without compiling anything again. A suite that needs the ordering fails; if
//! it passes, a test is missing, or the ordering is stronger than it need be.
//!
//! With `SELVEDGE_SITES` set, the result of each model lists the operations that it executed and
//! what can be changed about each.
//!
//! The change is made by the types of [`crate::sync`], which take another step than they were asked
//! for, or none. An engine only passes on the question, and says whether other threads could run.

mod change;
mod probe;

use std::fmt;
use std::str::FromStr;

pub use change::{Change, changes, of_load, of_store};
pub use probe::Probe;
pub use selvedge_results::Site;

/// A change to the operation at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The path of the source, without `folder/..`.
    pub file: String,
    /// The line, from 1 on.
    pub line: u32,
    /// The column, from 1 on.
    pub column: u32,
    /// The name of the operation: at one place there may be several.
    pub operation: String,
    /// What is changed about it.
    pub change: Change,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, operation, change } = self;
        write!(f, "{file}:{line}:{column}/{operation}/{change}")
    }
}

impl FromStr for Mutant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (place, change) = text.rsplit_once('/')?;
            let (place, operation) = place.rsplit_once('/')?;
            let (place, column) = place.rsplit_once(':')?;
            let (file, line) = place.rsplit_once(':')?;
            Some(Self {
                file: file.to_owned(),
                line: line.parse().ok()?,
                column: column.parse().ok()?,
                operation: operation.to_owned(),
                change: change.parse().ok()?,
            })
        };
        parse().ok_or_else(|| {
            format!(
                "SELVEDGE_MUTANT must be FILE:LINE:COLUMN/OPERATION/CHANGE, such as \
                 src/counter.rs:120:9/fetch_add/relaxed, got {text:?}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_that_names_no_change_is_refused_with_its_value() {
        let mutant: Mutant = "src/a.rs:12:9/load/relaxed".parse().expect("well formed");
        assert_eq!((mutant.file.as_str(), mutant.line, mutant.column), ("src/a.rs", 12, 9));
        for text in
            ["", "src/a.rs:12/load/relaxed", "src/a.rs:12:9/load/harder", "src/a.rs:x:9/a/one"]
        {
            let error = text.parse::<Mutant>().expect_err("malformed");
            assert!(
                error.starts_with("SELVEDGE_MUTANT must be FILE:LINE:COLUMN/OPERATION/CHANGE, ")
                    && error.ends_with(&format!("got {text:?}")),
                "{error}"
            );
        }
    }
}
