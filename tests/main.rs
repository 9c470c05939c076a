//! Properties of the primitives, on real threads. Under `--cfg loom` the same tests run outside any model.

mod counter;
mod drop_in;
mod gauge;
mod map;
mod map_abuse;
mod map_helpers;
mod map_inside;
mod map_leaves;
mod map_threads;
mod prometheus;
mod readme;
mod stats;
mod stats_helpers;
mod stats_threads;
