//! The names of [loom] 0.7 on the model checker [`selvedge_model`]. A crate with a loom suite moves by one line of
//! its manifest, once its scripts set no `LOOM_MAX_*`:
//!
//! ```toml
//! [target.'cfg(loom)'.dependencies]
//! loom = { package = "selvedge-loom", version = "0.1", features = ["futures", "checkpoint"] }
//! ```
//!
//! Without `--cfg loom` this crate is empty, since it can do nothing then.
//!
//! # What is explored
//!
//! All that C++20 and `std` allow, load buffering apart, each execution once; loom itself runs beside it, up to 1,000
//! interleavings, and must agree ([`selvedge_model`] says more). So a suite finds what loom misses: `SeqCst` that is
//! needed, loads hidden by loads, updates that are reordered, spurious failures and wake-ups, waits that time out.
//! Waiting loops are explored completely, with [`thread::yield_now`] in them as loom requires. A failure shows the
//! execution, and the command that replays it.
//!
//! # What differs
//!
//! | loom | here |
//! |---|---|
//! | a model has at most 5 threads | 16, the main thread included. With more than 5, loom does not run beside it. [`MAX_THREADS`] is still 5, for suites that size something by it |
//! | bounds in a [`model::Builder`] | each field says whether it is obeyed, without effect, or refused |
//! | bounds from the environment: `LOOM_MAX_*`, `LOOM_CHECKPOINT_*` | refused: they bound silently. Unset them; a bound of one model stands in its [`model::Builder`] |
//! | a loop that waits, and looks by `&mut`: `while queue.lock().unwrap().pop_front().is_none()` | bounded after 16 turns, and says so: ask `is_empty` in the loop, and pop behind it |
//! | texts of panics, as in `#[should_panic(expected = "…")]` | other texts |
//! | `LOOM_LOG`, `LOOM_LOCATION` | without effect: reports have locations, replays every step |
//! | [`stop_exploring`], [`explore`], [`skip_branch`] | without effect: everything is explored |
//! | an atomic or a lock in a `std::sync::Arc` is fine | fine too, but where the drop of its last owner takes steps, it must be known which thread that is, or the model is called not deterministic: use [`sync::Arc`] |
//! | `sync::Barrier`, `recv_timeout`, time-outs of `wait_timeout` | work |
//! | a thread panics: the model fails | only if no `join` returns the panic |
//! | `lazy_static!` values are dropped when the main thread ends | when the last thread has ended |
//! | memory from [`alloc::alloc`]: a leak is found | use after its end too, by objects that lie in it |
//!
//! [loom]: https://docs.rs/loom/0.7
//! [`MAX_THREADS`]: MAX_THREADS
#![cfg_attr(not(loom), allow(rustdoc::broken_intra_doc_links, reason = "the crate is empty"))]
#![cfg(loom)]

pub mod cell;
#[cfg(feature = "futures")]
pub mod future;
pub mod hint;
pub mod lazy_static;
pub mod model;
pub mod sync;
pub mod thread;

pub use crate::model::model;
pub use selvedge_model::sync::{alloc, thread_local};

/// How many threads a model in loom may have. For suites that size something by it; here it may have 16.
pub const MAX_THREADS: usize = 5;

/// Without effect: everything is explored.
pub fn explore() {}

/// Without effect: everything is explored.
pub fn stop_exploring() {}

/// Without effect: everything is explored.
pub fn skip_branch() {}
