//! A first model. It fails, on purpose: `cargo selvedge prove` shows the execution that loses an increment.
//!
//! To mend it, let `increment` be one step: `total.fetch_add(1, Relaxed);`. Or say that the loss is expected, with one
//! more line in the table: `.interesting("total=1", "both loaded 0: one increment is lost")`.
//!
//! A model is a table of outcomes. Every execution of its threads has to reach one of them, and each of them has to be
//! reached. Put your own types here: written on `selvedge_model::sync` instead of `std::sync`, they are explored too.
//! Plain `cargo test` runs the same model 2,000 times on real threads, and passes most of the time.

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Adds one. Another thread may come between the load and the store.
fn increment(total: &AtomicU64) {
    let seen = total.load(Relaxed);
    total.store(seen + 1, Relaxed);
}

#[test]
fn no_increment_is_lost() {
    Model::new(|| AtomicU64::new(0))
        .thread("alice", increment)
        .thread("bob", increment)
        .finally("total", |total| total.load(Relaxed))
        .acceptable("total=2", "no increment is lost")
        .check();
}
