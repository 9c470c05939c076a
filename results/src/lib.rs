//! What the model checker `selvedge-model` found, as data: a [`Record`] for each model, a line of JSON each.
//!
//! The checker writes with these types and `cargo selvedge` reads with them. A line of another [`VERSION`] is
//! refused by [`Record::parse`], which names both versions.
//!
//! What `cargo selvedge` itself leaves for its other commands is data too: a [`Run`] of `prove`, and [`Trials`] of
//! `mutants`.
//!
//! | variable | what the checker adds |
//! |---|---|
//! | [`FOLDER`] | a line for each model, to a file in this directory |
//! | [`TRACES`] | executions, step by step |
//! | [`SITES`] | the operations that were executed, and what can be changed about each |
//! | [`OPTIONS`] | these options, in the command that replays a failure |

pub mod advice;
mod model;
mod picture;
mod run;
mod text;
mod trial;

pub use model::{Outcome, ReadError, Record, Scenarios, Site, Verdict, read};
pub use picture::{Kind, Picture, Reads, Row, SharedObject, Source, Step};
pub use run::{Run, Trials};
pub use trial::{Fate, Kill, Means, Mutant, NOT_COVERED, Reach, Survivor, Trial, samples};

/// The version of the schema. It changes whenever a reader of the last one would misunderstand a line.
pub const VERSION: u32 = 1;

/// The environment variable that names the directory for results.
pub const FOLDER: &str = "SELVEDGE_RESULTS";
/// The environment variable that asks for executions.
pub const TRACES: &str = "SELVEDGE_TRACES";
/// The environment variable with the options that a command of cargo-selvedge needs, as one types them.
pub const OPTIONS: &str = "SELVEDGE_OPTIONS";
/// The environment variable that asks for the operations that were executed.
pub const SITES: &str = "SELVEDGE_SITES";
