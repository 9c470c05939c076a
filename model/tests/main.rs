//! The drop-in and the checker.

#[cfg(loom)]
mod allocations;
mod channels;
#[cfg(loom)]
mod counted_by_hand;
mod executions;
mod facade;
#[cfg(loom)]
mod facts;
mod futures;
mod given_up;
mod harness;
mod in_model;
#[cfg(loom)]
mod kinds;
mod linearizable;
#[cfg(loom)]
mod loops;
mod lossy;
#[cfg(loom)]
mod messages;
mod mutation;
#[cfg(loom)]
mod owners;
#[cfg(loom)]
mod precedence;
mod programs;
#[cfg(loom)]
mod races;
mod relations;
mod scopes;
mod stacks;
mod thread_locals;
mod waiting;
#[cfg(loom)]
mod weak_exchanges;

/// The name by which this binary knows `test` of the module `path`.
fn name_of(test: &str, path: &str) -> String {
    let module = path.split_once("::").map_or("", |(_, module)| module);
    format!("{module}::{test}")
}
