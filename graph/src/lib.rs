//! A model checker for concurrent Rust.
//!
//! - [`sync`]: types shaped like those of `std::sync`, on which the program under test is written.
//! - [`kernel`]: what such a program does, as operations. It knows neither the types nor the engines.
//! - [`engine`]: what carries out the operations, in every way that the memory model allows.
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use selvedge_graph::engine::graph::{Config, explore_results};
//! use selvedge_graph::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}, thread};
//!
//! // Store buffering: each thread may miss the store of the other.
//! let mut outcomes = Vec::new();
//! let report = explore_results(
//!     &Config::default(),
//!     || {
//!         let (x, y) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
//!         let (x2, y2) = (x.clone(), y.clone());
//!         let other = thread::spawn(move || {
//!             y2.store(1, Relaxed);
//!             let seen = x2.load(Relaxed);
//!             std::mem::forget((x2, y2)); // their drops would be steps too
//!             seen
//!         });
//!         x.store(1, Relaxed);
//!         (y.load(Relaxed), other.join().unwrap())
//!     },
//!     |_, outcome| {
//!         outcomes.extend(outcome);
//!         ControlFlow::Continue(())
//!     },
//! );
//! assert_eq!(report.complete, 4);
//! assert!(outcomes.contains(&(0, 0)));
//! ```

pub mod engine;
pub mod kernel;
pub mod sync;
