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
//! Under `--cfg loom` the model explores every execution that C++20 allows, load buffering apart. Otherwise the
//! same model runs on real threads, in many rounds whose threads start together, and counts how often each
//! outcome was reached: the rate at which a stress test would find it.
//!
//! # Two engines
//!
//! An execution is a graph: which store each load reads, in which order each atomic is written, in which order
//! the operations on each lock and channel take place. The first engine visits each consistent graph once
//! (the method of `TruSt`), and decides the verdict. What `std` leaves open is explored too: spurious
//! failures and wake-ups, waits that time out, the thread that `notify_one` wakes, a waiting writer that holds up new
//! readers.
//!
//! The second engine runs the interleavings of the same model on loom, up to 1,000
//! ([`loom`](Model::loom)). The outcomes of the sequentially consistent graphs must be exactly those of loom; if
//! loom did not come to its end, its outcomes must be among them. Otherwise the check fails with *the engines
//! disagree*. Either the checker has a bug, or the model shares state that is not from [`sync`]. The report
//! says how many interleavings were compared, or why none were: loom does not explore a model in which a loop may wait.
//!
//! # What a passing check means
//!
//! A table is exact. Under `--cfg loom`, every outcome declared [`acceptable`](Model::acceptable) or
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
//! | `SELVEDGE_REPLAY` | `1/7` | replays execution 7 of the test's first model; `1.37/2`: execution 2 of its scenario 37. A failure prints the command |
//! | `SELVEDGE_ROUNDS` | a positive integer | the number of rounds on real threads |
//! | `SELVEDGE_PATIENCE` | a positive integer, in seconds | the time limit of one execution or round; 60 by default |
//! | `SELVEDGE_LIMIT` | a positive integer | the maximum number of executions of a model, or of all scenarios together; more are an error |
//! | `SELVEDGE_LOOM` | an integer | how many interleavings of a model loom explores at most, unless the model says; 1,000 by default, and 200 of each scenario of a sample; 0: loom is not run |
//! | `SELVEDGE_RESULTS` | a directory | each exploration appends its result there, as a line of JSON: a `Record` of the crate `selvedge-results` |
//! | `SELVEDGE_TRACES` | any | adds the executions to these lines, as data |
//! | `SELVEDGE_SITES` | any | adds the operations that were executed, and the mutations of each |
//! | `SELVEDGE_MUTANT` | `src/spin.rs:24:22/store/relaxed` | makes one mutation: a suite that requires the original operation fails. A model in which it changes nothing says so on stderr |
//! | `SELVEDGE_OPTIONS` | options of cargo | are repeated in the command that replays a failure; `cargo selvedge` sets it |
//!
//! Another variable `SELVEDGE_…` is an error, as it may be misspelt. A process that is to replay an execution, and replays
//! none, fails.
//!
//! `cargo selvedge` (the package `cargo-selvedge`) sets all of these: `prove` runs all models and compares them with a
//! committed list, `mutants` makes all mutations, one at a time, `report` draws results, `replay` replays.
//!
//! # Progress
//!
//! A check that takes longer than two seconds prints on stderr how many executions it has explored, and an
//! estimate of their share of all. It also says if this package is built without optimisation: a check of three threads
//! took nine times as long then. With this in the manifest of the workspace, `cargo test` builds it with optimisation:
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 2
//! ```
//!
//! # Limits
//!
//! - At most [`MAX_THREADS`] threads, declared and spawned. loom is run with at most five, the main one included.
//! - A thread must be deterministic: its next step must be a function of what it has read. It must not
//!   depend on clocks, random hashers, or shared state that is not from [`sync`]. A violation is reported
//!   if it shows; for that, the first, the second, the fourth execution and so on are run again, with the threads the
//!   other way round where their order is left open. If a thread drops the last owner of an `Arc` of `std`, and
//!   another might have, each execution is run again once for each thread, with that one as late as possible: what
//!   depends on the last owner is reported. How many other owners there are (`strong_count`) is not tried out.
//! - Load buffering is not explored: no load reads from a store that depends on it. Nor does an operation on a lock,
//!   a channel or a `OnceLock`, or `is_finished` of a thread, find an old state of it. A report says "explored
//!   completely" without them.
//! - Data races are found in [`sync::cell::UnsafeCell`], in what locks protect, and where an object of [`sync`] is dropped or
//!   the memory allocated that it is in; not in other memory. An execution ends at its first data race.
//! - There is no time: a wait with a limit may time out at any moment, which hides a lost wake-up. With
//!   [`patient`](Model::patient) it times out only when no other thread can move.
//! - A waiting loop counts as blocked while its turns change nothing and find nothing new. How many such turns it
//!   takes is not told apart, nor how its waits with a limit end in them. It must call
//!   [`sync::hint::spin_loop`], [`sync::thread::yield_now`] or [`sync::hint::wait_until`], or wait by a
//!   `compare_exchange_weak`. One that gives up after more than about 1,000 such turns, or by a clock, is called a
//!   livelock. One whose turns have an effect is cut after 16, or after a wake-up in vain that was not notified, and the
//!   result is bounded.
//! - What a waiting loop changes through a shared guard (a `Cell` in a `Mutex`) is not seen by other loops, if its turn
//!   changes nothing else.
//! - An execution may be over before its threads are: after a deadlock or a data race, or where a waiting loop would find
//!   something else. These threads are unwound, so that destructors free memory. A destructor that uses a type of
//!   [`sync`] then, other than to drop it, is suspended for good, and so is a thread that has caught the panic: no result would be
//!   true. What it has on its stack is leaked. A destructor that panics without that aborts the process, as any panic
//!   in a destructor during unwinding does; [`sync::thread::panicking`] tells.
//! - What is known is listed in `loom-tests/suites/checker/` of the repository, on the pages `unexplored.rs`,
//!   `idle_turns.rs`, `false_alarms.rs` and `bounds.rs`. Each entry has a test and a workaround.

#[cfg(all(feature = "check", not(any(plain_loom, shuttle))))]
mod check;
#[cfg(all(feature = "check", not(any(plain_loom, shuttle))))]
mod place;
pub mod sync;

#[cfg(all(loom, feature = "check"))]
pub use engine::memory::Allocator;

// The engine room, for this package's own tests.
#[cfg(all(loom, feature = "check"))]
#[doc(hidden)]
pub mod engine;
#[cfg(all(loom, feature = "check"))]
#[doc(hidden)]
pub mod kernel;
#[cfg(all(loom, feature = "check"))]
#[doc(hidden)]
pub mod mutation;
#[cfg(all(loom, feature = "check"))]
#[doc(hidden)]
pub mod render;

/// For the macro `thread_local`, which expands in other crates.
#[cfg(all(plain_loom, feature = "check"))]
#[doc(hidden)]
pub use loom as __loom;

#[cfg(all(feature = "check", not(any(plain_loom, shuttle))))]
pub use check::*;
