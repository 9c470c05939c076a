//! A loom suite: written for loom, compiled against loom and against `selvedge-loom`, with equal verdicts. Where they
//! differ, the test says why.

#![allow(
    clippy::cast_ptr_alignment,
    clippy::if_not_else,
    clippy::manual_assert,
    clippy::needless_for_each,
    clippy::items_after_statements,
    clippy::needless_pass_by_value,
    reason = "programs under test are short"
)]

mod alloc;
mod atomic;
mod builder;
mod cell;
mod differs;
mod future;
mod lazy_static;
mod sync;
mod thread;

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::process::Command;

/// Of a process that runs one model: the place of the model.
const ONLY: &str = "LOOM_SUITE_ONLY";

/// What a model panics with; `None` if it passes.
///
/// loom often ends the process when a model fails, so there the test is run again, in a process that runs only this
/// model.
#[track_caller]
fn failure(model: impl FnOnce()) -> Option<String> {
    let place = Location::caller().to_string();
    if crate::ON_LOOM && std::env::var(ONLY).is_ok_and(|only| only == place) {
        model();
        std::process::exit(0);
    }
    if crate::ON_LOOM {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.env(ONLY, place).arg("--nocapture");
        let test = std::thread::current().name().filter(|name| *name != "main").map(str::to_owned);
        let test = test.map(|test| ["--exact".to_owned(), test]);
        let output = process.args(test.into_iter().flatten()).output().unwrap();
        return (!output.status.success()).then(|| output.status.to_string());
    }
    let payload = catch_unwind(AssertUnwindSafe(model)).err()?;
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Some(text.unwrap_or_default())
}

/// Whether this process runs one model, and not this one.
#[track_caller]
fn is_left_out() -> bool {
    let place = Location::caller().to_string();
    std::env::var(ONLY).is_ok_and(|only| only != place)
}

/// The model passes.
#[track_caller]
fn passes(f: impl Fn() + Send + Sync + 'static) {
    if !is_left_out() {
        loom::model(f);
    }
}

/// The model fails.
#[track_caller]
fn fails(f: impl Fn() + Send + Sync + 'static) {
    fails_of(|| loom::model(f));
}

/// The check fails.
#[track_caller]
fn fails_of(check: impl FnOnce()) {
    if !is_left_out() {
        assert!(failure(check).is_some(), "the model passes");
    }
}

/// The model fails, and not by the panic of an assertion.
#[track_caller]
fn fails_without_panic(f: impl Fn() + Send + Sync + 'static) {
    if is_left_out() {
        return;
    }
    let failure = failure(|| loom::model(f)).expect("the model passes");
    assert!(!failure.contains("panicked: "), "{failure}");
}

/// The model fails, and loom passes it.
#[track_caller]
fn loom_misses(reason: &str, f: impl Fn() + Send + Sync + 'static) {
    if is_left_out() {
        return;
    }
    let failure = failure(|| loom::model(f));
    assert_eq!(failure.is_none(), crate::ON_LOOM, "{reason}: {failure:?}");
}

/// The model passes, and loom fails it.
#[track_caller]
fn loom_alarms(reason: &str, f: impl Fn() + Send + Sync + 'static) {
    if is_left_out() {
        return;
    }
    let failure = failure(|| loom::model(f));
    assert_eq!(failure.is_some(), crate::ON_LOOM, "{reason}: {failure:?}");
}
