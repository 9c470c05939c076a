//! The drop-in and the checker.

mod channels;
mod complete;
mod facade;
mod harness;
mod in_model;
mod linearizable;
mod lossy;
mod mutation;
mod overlooked;
mod passes;
mod refused;
mod thread_locals;
mod waiting;

/// The name by which this binary knows `test` of the module `path`.
fn name_of(test: &str, path: &str) -> String {
    let module = path.split_once("::").map_or("", |(_, module)| module);
    format!("{module}::{test}")
}
