//! Tests that judge in several ways.
#![cfg(loom)]

use judges::Flag;
use selvedge_model::{CheckError, Model, Report};
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

fn explore() -> Result<Report, CheckError> {
    Model::new(Flag::default)
        .thread("writer", |flag| flag.set(1))
        .thread("reader", Flag::get)
        .explore()
}

#[test]
fn an_exploration_is_unwrapped() {
    assert_eq!(explore().unwrap().outcomes.len(), 2);
}

/// It notices nothing.
#[test]
fn an_exploration_may_fail() {
    if let Ok(report) = explore() {
        assert_eq!(report.outcomes.len(), 2);
    }
}

/// If it is asked to, it fails with any change, before its model.
#[test]
fn a_test_asserts_before_its_model() {
    if std::env::var_os("ASSERTS").is_some() {
        assert_eq!(std::env::var_os("SELVEDGE_MUTANT"), None);
    }
    explore().unwrap();
}
