//! The parts of the command `cargo selvedge`, for the gate of its own repository.
//!
//! Only the command is stable. This library is not: it changes with every release.
#![allow(missing_docs, reason = "not an interface: what the command is made of")]

pub mod exit;
pub mod git;
pub mod init;
pub mod interrupt;
pub mod libtest;
pub mod model;
pub mod mutants;
mod nextest;
pub mod options;
pub mod project;
pub mod prove;
pub mod replay;
pub mod report;
pub mod settings;
pub mod shell;
pub mod suite;
