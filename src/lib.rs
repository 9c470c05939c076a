//! Shared state for concurrent Rust, in safe code, model-checked in small scenarios.
//!
//! | type | guarantee |
//! |---|---|
//! | [`Counter`] | each add is counted once, and returned by exactly one [`take`](Counter::take) |
//! | [`Gauge`] | each change is counted once; a decrement never without the increments that happen before it |
//! | [`Stats`] | count, sum, extremes and histogram of a [`snapshot`](Stats::snapshot) are those of one point in time |
//! | [`Map`] | each call on a key, or on two keys, is one atomic step; [`snapshot`](Map::snapshot) is one point in time; re-entrant calls are rejected |
//!
//! ```
//! use selvedge::Counter;
//!
//! let requests = Counter::new();
//! std::thread::scope(|scope| {
//!     for _ in 0..4 {
//!         scope.spawn(|| (0..250).for_each(|_| requests.increment()));
//!     }
//! });
//! assert_eq!(requests.take(), 1_000);
//! ```
//!
//! # Consistency
//!
//! [`Counter::get`] counts each add that happens before it exactly once, and may count adds that are
//! concurrent with it. Without a [`Counter::take`] in between, later calls never return less. With several
//! writers the sum may include an effect without its cause: it is a sum of cells, not a point in time.
//! `add`, `get` and `take` are sequentially consistent if no thread uses both [`Counter::add`] and a
//! [`CounterHandle`].
//!
//! [`Gauge::get`] is linearizable beside up to two changes. Beside more, it may return too much, never too little.
//!
//! [`Stats::snapshot`] and [`Stats::take`] are linearizable: each includes all samples that happen before
//! it, and the cause of every effect. Writers block while they run.
//!
//! The methods of [`Map`] are linearizable, except those that visit one shard at a time (`for_each`,
//! `retain`, `Debug`), one entry at a time (`extend`), or take no lock (`len`, `is_empty`). See the table in
//! [`map`].
//!
//! # Coming from another crate
//!
//! [`coming_from`] has tables for dashmap, metrics, prometheus and prometheus-client, and says what is not here.
//!
//! # Features
//!
//! - `prometheus`: the module `prometheus`, which writes metrics as text.
//! - `serde`: `Serialize` and `Deserialize` for [`stats::Snapshot`].
//! - `check`: under `--cfg loom` the primitives are built on the types of `selvedge-model`, for models of
//!   code that uses them. Without `--cfg loom` it has no effect on the primitives.

#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// For documentation only.
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/coming-from.md")]
pub mod coming_from {}

pub mod counter;
pub mod gauge;
pub mod map;
mod padded;
#[cfg(feature = "prometheus")]
pub mod prometheus;
pub mod stats;
mod striped;

pub use counter::{Counter, CounterError, CounterHandle};
pub use gauge::{Gauge, GaugeError, GaugeHandle};
pub use map::{Map, MapError, NotInserted};
pub use stats::{Stats, StatsError, StatsHandle};
