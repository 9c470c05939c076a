//! Models of which an exploration would prove nothing.

use super::*;
use selvedge_model::sync::thread;

/// With the main thread there may be 16.
#[test]
fn a_spawned_thread_too_many_is_refused() {
    let spawns = |n: usize| {
        Model::new(|| ()).thread("alice", move |()| {
            for _ in 0..n {
                thread::spawn(|| ());
            }
        })
    };
    let report = spawns(14).acceptable("()", "as many as there may be").check();
    assert!(report.is_complete(), "{report}");
    let text = message(spawns(15).acceptable("()", "never"));
    assert!(
        text.contains("at most 16 threads, the main thread included")
            && text.contains("one too many is spawned at model/tests/harness/refused.rs:"),
        "{text}"
    );
    let error = spawns(15).fails(Failure::Panic).try_check().unwrap_err();
    assert!(matches!(error, CheckError::WrongModel { .. }), "no expectation accepts it: {error}");
}

#[test]
fn a_model_that_depends_on_chance_is_found_out() {
    use std::sync::atomic::AtomicU64 as Hidden;
    // Not from `selvedge_model::sync`: the checker cannot see it, and it differs in each execution.
    static RUNS: Hidden = Hidden::new(0);
    let error = Model::new(counter)
        .thread("alice", |count| {
            if RUNS.fetch_add(1, SeqCst).is_multiple_of(2) {
                count.fetch_add(1, SeqCst);
            } else {
                count.fetch_sub(1, SeqCst);
            }
        })
        .thread("bob", increment)
        .fails(Failure::Panic)
        .try_check()
        .unwrap_err();
    assert!(error.to_string().contains("not deterministic"), "{error}");
}

/// The steps are the same, and loom is not run.
#[test]
fn a_result_that_differs_is_found_out() {
    use std::sync::atomic::AtomicU64 as Hidden;
    static RUNS: Hidden = Hidden::new(0);
    let model = Model::new(counter).thread("alice", |_| RUNS.fetch_add(1, SeqCst)).loom(0);
    let error = model.thread("bob", increment).always("any", |_| true).try_check().unwrap_err();
    let said = "with the same steps, alice=0 came of it before, and alice=1 now";
    assert!(error.to_string().contains(said), "{error}");
}

#[test]
fn a_random_hasher_is_found_out() {
    let text = message(
        Model::new(|| [counter(), counter(), counter(), counter()])
            .thread("alice", |counts| {
                let order: std::collections::HashSet<usize> = (0..4).collect();
                for position in order {
                    increment(&counts[position]);
                }
            })
            .thread("bob", |counts| counts.iter().for_each(increment))
            .acceptable("()", "never"),
    );
    assert!(text.contains("not deterministic"), "{text}");
}

#[test]
fn what_a_spawned_thread_does_counts_for_the_thread_that_spawned_it() {
    let spawns = |count: &AtomicU64| {
        thread::scope(|scope| drop(scope.spawn(|| increment(count))));
    };
    Model::new(counter)
        .thread("alice", spawns)
        .thread("bob", spawns)
        .finally("total", |count| count.load(SeqCst))
        .acceptable("total=2", "no increment is lost")
        .check();
    let hides = |count: &std::sync::atomic::AtomicU64| {
        thread::scope(|scope| drop(scope.spawn(|| count.fetch_add(1, SeqCst))));
    };
    let hidden = Model::new(std::sync::atomic::AtomicU64::default);
    let text = message(hidden.thread("alice", hides).thread("bob", hides).acceptable("()", "none"));
    assert!(text.contains("alice and bob perform no operation"), "{text}");
}

/// `std::sync` inside a model: one execution, and nothing was explored.
#[test]
fn threads_that_the_checker_cannot_see_are_refused() {
    use std::sync::atomic::AtomicU64 as Hidden;
    let add = |count: &Hidden| {
        let before = count.load(SeqCst);
        count.store(before + 1, SeqCst);
    };
    let text = message(
        Model::new(|| Hidden::new(0))
            .thread("alice", add)
            .thread("bob", add)
            .finally("total", |count| count.load(SeqCst))
            .acceptable("total=2", "nothing was explored"),
    );
    assert!(text.contains("alice and bob") && text.contains("not from std::sync"), "{text}");
}

#[test]
fn values_from_outside_are_refused() {
    let outside = std::sync::Arc::new(counter());
    let text = message(
        Model::new(|| ()).thread("alice", move |()| increment(&outside)).acceptable("()", "never"),
    );
    assert!(text.contains("made outside any model"), "{text}");
}
