//! Shared-state primitives for concurrent Rust, each proved in small scenarios by a model-checking
//! suite that is itself put to the proof.
//!
//! | type | guarantee | racy twin |
//! |---|---|---|
//! | [`Counter`] | each add is counted once, by exactly one [`take`](Counter::take) | `racy::LossyCounter`, `racy::UnsyncCounter`, `racy::SwapTakeCounter` |
//! | [`Stats`] | count, sum, extremes and histogram are of one moment, with the cause of each effect | `racy::TornStats`, `racy::StripeByStripeStats`, `racy::LateResetStats` |
//! | [`Map`] | each call that names keys is one atomic step; a [`snapshot`](Map::snapshot) is one moment; calls from inside a call are refused | `racy::CheckThenInsertMap`, `racy::ReadModifyWriteMap`, `racy::UnsyncMap`, `racy::LateLenMap`, `racy::HalfDoneMap`, `racy::ArgumentOrderMap` |
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
//! # Check your own code
//!
//! [`sync`] is the façade that the primitives are built on: `std` in a normal build, and under
//! `--cfg loom` the instrumented twins. `model::Model` (feature `model`) is the harness: a test is
//! a table of outcomes, every execution is held against it, and a failure shows the interleaving. What
//! the checker does not see is listed there under *Limits*.
//!
//! # Consistency
//!
//! A concurrent [`Counter::get`] counts every add that happened before it, each once, and perhaps
//! some that happen during it. It never counts backwards while nobody takes. With several writers
//! it may count an effect and not yet its cause: it is a sum of cells, not a moment in time. `add`,
//! `get` and `take` are sequentially consistent where no thread adds both by [`Counter::add`] and by a
//! [`CounterHandle`].
//!
//! [`Stats::snapshot`] and [`Stats::take`] are a moment in time: linearizable, each with all samples
//! that happened before it, and with the cause of every effect. For that, they make writers wait.
//!
//! All methods of [`Map`] are linearizable but those that go shard by shard (`for_each`, `retain`, and
//! its `Debug` form), entry by entry (`extend`) or without a lock (`len`, `is_empty`): the table in [`map`]
//! says which is which.
//!
//! # Features
//!
//! `racy` adds the deliberately broken twins, `model` the harness on real threads. Under
//! `--cfg loom` both are always there, and the harness runs on loom. `serde` makes
//! [`stats::Snapshot`] serialisable.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod counter;
pub mod map;
#[cfg(all(any(loom, feature = "model"), not(any(plain_loom, shuttle))))]
pub mod model;
#[cfg(any(loom, feature = "racy"))]
pub mod racy;
pub mod stats;
pub mod sync;

pub use counter::{Counter, CounterError, CounterHandle};
pub use map::{Map, MapError, NotInserted};
pub use stats::{Stats, StatsError, StatsHandle};
