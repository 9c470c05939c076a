//! Tests that judge in several ways.
#![cfg(loom)]

use judges::Flag;
use selvedge_model::Model;
use selvedge_model::sync::atomic::Ordering::Relaxed;

/// It executes the load, and has no ordering that could be weakened.
#[test]
fn a_look_is_relaxed() {
    Model::new(Flag::default)
        .thread("writer", |flag| flag.set(1))
        .thread("reader", |flag| flag.is_set(Relaxed))
        .acceptable(["reader=false", "reader=true"], "before or after")
        .check();
}

#[test]
fn a_value_is_published() {
    Model::new(Flag::default)
        .thread("writer", |flag| flag.set(1))
        .thread("reader", Flag::get)
        .acceptable(["reader=None", "reader=Some(1)"], "before or after")
        .check();
}
