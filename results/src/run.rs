//! What the commands of cargo-selvedge leave: files of JSON.

use serde::{Deserialize, Serialize};

use crate::{Record, Trial};

/// What `cargo selvedge prove` leaves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of this schema.
    pub version: u32,
    /// What wrote it: `cargo-selvedge 0.1.0`.
    pub by: String,
    /// The tests whose names contain this were run; all, where there is none.
    pub filter: Option<String>,
    /// The test targets that were run; all, where this is empty.
    pub targets: Vec<String>,
    /// Which part of the tests was run, and of how many.
    pub shard: Option<(usize, usize)>,
    /// How many tests there are, in all shards.
    pub tests: usize,
    /// Whether all tests that were asked for came to an end.
    pub finished: bool,
    /// How long it took.
    pub seconds: f64,
    /// What is wrong beside models that failed.
    pub problems: Vec<String>,
    /// The models, by name; `binary` is the name of the test target.
    pub models: Vec<Record>,
}

/// What `cargo selvedge mutants` leaves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trials {
    /// The version of this schema.
    pub version: u32,
    /// What wrote it: `cargo-selvedge 0.1.0`.
    pub by: String,
    /// All mutants there are, also those that this run was not asked to try.
    pub mutants: usize,
    /// Which part was tried, and of how many.
    pub shard: Option<(usize, usize)>,
    /// Whether nothing but the shard limited what was tried.
    pub whole: bool,
    /// How long it took.
    pub seconds: f64,
    /// What became of each.
    pub trials: Vec<Trial>,
}
