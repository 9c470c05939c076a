//! `model`, its bounds, and what tells loom where to explore.

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{Relaxed, SeqCst};
use loom::thread;

use super::fails_of;

fn races() {
    let value = Arc::new(AtomicUsize::new(0));
    let other = Arc::clone(&value);
    thread::spawn(move || other.store(1, SeqCst));
    assert_eq!(value.load(SeqCst), 0);
}

#[test]
fn a_builder_explores() {
    Builder::new().check(|| drop(thread::spawn(|| ())));
    Builder::default().check(|| drop(thread::spawn(|| ())));
    fails_of(|| Builder::new().check(races));
}

#[test]
fn preemptions_can_be_bounded() {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    fails_of(|| builder.check(races));
}

#[test]
fn the_number_of_executions_can_be_bounded() {
    let mut builder = Builder::new();
    (builder.max_permutations, builder.checkpoint_interval) = (Some(1), 1);
    builder.check(races);
}

#[test]
fn a_loop_without_end_fails() {
    let mut builder = Builder::new();
    builder.max_branches = 100;
    fails_of(|| {
        builder.check(|| {
            let value = AtomicUsize::new(0);
            while value.load(Relaxed) == 0 {}
        });
    });
}

#[test]
fn fields_that_change_nothing() {
    let mut builder = Builder::new();
    (builder.location, builder.log, builder.max_threads) = (true, false, 4);
    fails_of(|| builder.check(races));
    loom::model(|| {
        loom::stop_exploring();
        drop(thread::spawn(|| ()));
        loom::explore();
        drop(thread::spawn(|| ()));
        loom::skip_branch();
    });
    assert_eq!(loom::MAX_THREADS, 5);
}

#[test]
fn what_is_said_to_be_unreachable_must_be() {
    // SAFETY: a model defines it.
    super::fails(|| unsafe { loom::hint::unreachable_unchecked() });
}
