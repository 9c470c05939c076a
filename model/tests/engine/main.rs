//! The engines, each type of the drop-in on them, and what is shown of executions.

#![cfg(loom)]
#![allow(
    clippy::items_after_statements,
    clippy::needless_for_each,
    clippy::similar_names,
    reason = "programs under test are short"
)]

mod agreement;
mod counts;
mod cpp20;
mod downgrade;
mod executions;
mod facade;
mod finished;
mod given_up;
mod held;
mod interleavings;
mod leaks;
mod memory;
mod memory_of_loops;
mod mutation;
mod objects;
mod own_stores;
mod patience;
mod pictures;
mod precedence;
mod remembering;
mod sections;
mod statics;
mod support;
mod sync;
mod turn_ends;
mod unrolled;
mod waiting;
