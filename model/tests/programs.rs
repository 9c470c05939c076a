//! Programs that spawn their threads themselves: `explore` and `Model::program`, in both configurations.

#[cfg(loom)]
use selvedge_model::CheckError;
use selvedge_model::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use selvedge_model::sync::{Arc, thread};
use selvedge_model::{Failure, Model, explore};

/// Two threads increment, by a read-modify-write or by a load and a store.
fn increments(split: bool) {
    let total = Arc::new(AtomicUsize::new(0));
    let increment = move |total: &AtomicUsize| {
        if split {
            total.store(total.load(Relaxed) + 1, Relaxed);
        } else {
            total.fetch_add(1, Relaxed);
        }
    };
    let other = Arc::clone(&total);
    let thread = thread::spawn(move || increment(&other));
    increment(&total);
    thread.join().unwrap();
    assert_eq!(total.load(Relaxed), 2, "an update is lost");
}

#[test]
fn a_program_is_explored() {
    let report = explore(|| increments(false));
    assert_eq!(report.is_complete(), cfg!(loom));
    assert!(report.executions() > 1);
}

#[test]
#[cfg(loom)]
fn a_program_fails_by_a_panic_of_its_main_thread() {
    let report = Model::program(|| increments(true)).fails(Failure::Panic).check();
    let failure = report.failure.expect("it is expected");
    assert!(failure.message.starts_with("main panicked: "), "{}", failure.message);
    let error = Model::program(|| increments(true)).try_check();
    assert!(matches!(error, Err(CheckError::Failed { failure: Failure::Panic, .. })), "{error:?}");
}

#[test]
fn a_program_that_should_fail_must() {
    let error = Model::program(|| ()).fails(Failure::Panic).rounds(2).try_check();
    assert_eq!(error.is_err(), cfg!(loom));
}

#[test]
#[cfg(loom)]
fn the_executions_of_a_program_can_be_bounded() {
    let report = Model::program(|| increments(true)).executions(1).check();
    assert_eq!(report.bound().as_deref(), Some("1 execution"));
}

/// A thread may outlive the first.
#[test]
#[cfg(loom)]
fn an_execution_ends_with_its_last_thread() {
    Model::program(|| {
        let value = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&value);
        thread::spawn(move || assert_eq!(other.swap(1, Relaxed), 0));
        value.swap(2, Relaxed);
    })
    .fails(Failure::Panic)
    .check();
}
