//! A model checker for concurrent Rust, and a drop-in for `std::sync` ([`sync`]) on which it runs.
//!
//! A test is a table of outcomes. Every execution of the program under test must reach one of them.
//!
//! ```
//! use selvedge_model::Model;
//! use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
//!
//! Model::new(|| AtomicU64::new(0))
//!     .thread("alice", |total| { total.fetch_add(1, Relaxed); })
//!     .thread("bob", |total| { total.fetch_add(1, Relaxed); })
//!     .finally("total", |total| total.load(Relaxed))
//!     .acceptable("total=2", "no update is lost")
//!     .check();
//! ```
//!
//! Under `--cfg loom` the model explores all executions that loom explores, in two passes: one over all
//! interleavings (sequential consistency), one over weak memory (see *Limits*). Otherwise the same model
//! runs on real threads, in many rounds whose threads start together, and counts how often each outcome was
//! reached: the rate at which a stress test would find it.
//!
//! # What a passing check means
//!
//! A table is exact. On loom, every outcome declared [`acceptable`](Model::acceptable) or
//! [`interesting`](Model::interesting) must be reached, and no other outcome may be. A model that is
//! expected to fail declares how with [`fails`](Model::fails), and passes only if it fails in that way. The
//! report of a check that reached a bound says *bounded*, and names the bound. Any other incomplete
//! exploration is an error. Bounds from the environment (`LOOM_MAX_*`, `LOOM_CHECKPOINT_*`) are rejected.
//!
//! # All small scenarios
//!
//! A table is about one program. [`linearizable`] generates programs: every sequence of a type's operations
//! in every thread, up to a size. Instead of a table, a sequential order of the same operations must explain
//! the results of each execution. What this order must preserve is the type's [`Promise`].
//!
//! # Environment
//!
//! | variable | value | meaning |
//! |---|---|---|
//! | `SELVEDGE_REPLAY` | `1/interleaving/2` | replays one execution; a failure prints the command |
//! | `SELVEDGE_ROUNDS` | a positive integer | the number of rounds on real threads |
//! | `SELVEDGE_PATIENCE` | a positive integer, in seconds | the time limit of one execution or round; 60 by default |
//! | `SELVEDGE_LIMIT` | a positive integer | the maximum number of executions in a pass, or in all scenarios together; more are an error |
//! | `SELVEDGE_RESULTS` | a directory | each check on loom appends its result there, as a line of JSON |
//! | `SELVEDGE_TRACES` | any | adds the interleavings to these lines, as data |
//! | `SELVEDGE_SITES` | any | adds the operations that were executed, and the mutations of each |
//! | `SELVEDGE_MUTANT` | `src/spin.rs:24:22/store/relaxed` | makes one mutation: a suite that requires the original operation fails |
//!
//! `cargo ci mutants` in the repository makes all mutations, one at a time.
//!
//! # Progress
//!
//! A check that takes longer than two seconds prints its progress on stderr.
//!
//! # Limits
//!
//! - At most five threads.
//! - A thread must be deterministic: its next step must be a function of what it has read. It must not
//!   depend on clocks, random hashers, or shared state that is not from [`sync`]. A violation is reported
//!   when it shows, and so is a model in which two threads share nothing that is from [`sync`].
//! - loom 0.7.3 does not explore load buffering, reads of stores more than seven writes old, and relaxed
//!   read-modify-writes that are reordered. A report says "explored completely" without them.
//! - What else is not explored is listed in `loom-tests/` of the repository, on the pages `limits.rs`,
//!   `limits_of_locks.rs` and `missed_races.rs`; false positives are listed in `false_alarms.rs`. Each entry
//!   has a test and a workaround.

#[cfg(feature = "check")]
mod check;
pub mod sync;

#[cfg(all(feature = "check", not(any(plain_loom, shuttle))))]
pub use check::*;
