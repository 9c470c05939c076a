//! What a method saw of a specimen: written by `specimens`, read by `cargo ci confidence`.

use serde::{Deserialize, Serialize};

/// One line of JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Rounds, schedules or executions that went wrong.
    pub(crate) wrong: u64,
    /// Of how many.
    pub(crate) rounds: u64,
    /// The number of the first that went wrong, counted from 1.
    pub(crate) first: Option<u64>,
    /// How long it took until then.
    pub(crate) seconds: Option<f64>,
    /// Whether an explorer came to its end: all that it would explore was.
    pub(crate) complete: bool,
    /// What ended it before its time: a deadlock, a limit.
    pub(crate) ended_by: Option<String>,
}
