//! Programs, and the pictures of their executions.

use std::ops::ControlFlow;
use std::sync::Arc as Shared;

use selvedge_model::engine::graph::{Config, Ending, Execution, explore_results};
use selvedge_model::render::{Detail, Picture, describe, picture};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::thread;

/// Plain memory that threads share.
pub(crate) struct Plain(UnsafeCell<u64>);

// SAFETY: a race ends the execution before the memory is accessed.
unsafe impl Sync for Plain {}

impl Plain {
    pub(crate) fn new() -> Self {
        Self(UnsafeCell::new(0))
    }
    #[track_caller]
    pub(crate) fn read(&self) -> u64 {
        // SAFETY: as for `Sync`.
        self.0.with(|value| unsafe { *value })
    }
    #[track_caller]
    pub(crate) fn write(&self, to: u64) {
        // SAFETY: as for `Sync`.
        self.0.with_mut(|value| unsafe { *value = to });
    }
}

pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(body).unwrap()
}

/// Two threads that share a state.
pub(crate) fn pair<S: Send + Sync + 'static, A: Send + 'static, B: Send + 'static>(
    state: S,
    alice: impl FnOnce(&S) -> A + Send + 'static,
    bob: impl FnOnce(&S) -> B + Send + 'static,
) -> (A, B) {
    // Not counted: its drops are not steps.
    let state = Shared::new(state);
    let (for_alice, for_bob) = (state.clone(), state.clone());
    let alice = spawn("alice", move || alice(&for_alice));
    let bob = spawn("bob", move || bob(&for_bob));
    let results = (alice.join().unwrap(), bob.join().unwrap());
    drop(state);
    results
}

/// The first execution of `program` that is wanted.
pub(crate) fn first<R, T>(
    program: impl Fn() -> R,
    wanted: impl Fn(&Execution<'_>, Option<&R>) -> bool,
    show: impl Fn(&Execution<'_>) -> T,
) -> T {
    let mut found = None;
    explore_results(&Config::default(), program, |execution, result| {
        if wanted(execution, result.as_ref()) {
            found = Some(show(execution));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    found.expect("an execution that is wanted")
}

/// The picture of the first execution that returns `result`.
pub(crate) fn drawn<R: PartialEq>(result: &R, program: impl Fn() -> R) -> String {
    first(program, |_, returned| returned == Some(result), drawing)
}

/// The picture of the first execution with an error, and what it means.
pub(crate) fn error<R>(program: impl Fn() -> R) -> (String, String) {
    let fails = |execution: &Execution<'_>, _: Option<&R>| *execution.ending() != Ending::Complete;
    first(program, fails, |execution| (drawing(execution), told(execution)))
}

pub(crate) fn drawing(execution: &Execution<'_>) -> String {
    without_places(picture(execution, Detail::Threads))
}

/// The text, as if all steps were taken in one place, and without that.
pub(crate) fn without_places(mut picture: Picture) -> String {
    const PLACE: &str = "src/program.rs:100";
    for at in picture.rows.iter_mut().filter_map(|row| row.at.as_mut()) {
        PLACE.clone_into(at);
    }
    let picture = picture.to_string();
    assert!(picture.lines().all(|line| line.chars().count() <= 80), "{picture}");
    let mut text = String::from("\n");
    for line in picture.lines() {
        let end = line.find(PLACE).or_else(|| line.find(" made at")).unwrap_or(line.len());
        text.push_str(line[..end].trim_end());
        text.push('\n');
    }
    text
}

/// What the ending means, with `:` for each place.
pub(crate) fn told(execution: &Execution<'_>) -> String {
    let text = describe(execution);
    let mut parts = text.split("model/tests/engine/pictures/");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (_, part) = part.split_once(':').unwrap_or_default();
        text + ":" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}
