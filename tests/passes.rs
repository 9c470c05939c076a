//! The two passes: which of them are made, and whether a failure says what it takes.

use selvedge::model::{Engine, Model, Report};
use selvedge::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge::sync::{Mutex, PoisonError};

/// Name, executions, and why it was not made, of each pass; none on real threads.
fn passes(report: &Report) -> Vec<(&'static str, u64, Option<&'static str>)> {
    match &report.engine {
        Engine::Loom { passes, .. } => {
            passes.iter().map(|pass| (pass.name, pass.executions, pass.skipped)).collect()
        }
        _ => Vec::new(),
    }
}

/// Neither a lock nor a read-modify-write reads anything old. (That the second pass would find
/// nothing, `tests/oracle` shows: its programs of swaps, adds and exchanges.)
#[test]
fn a_model_without_loads_and_stores_is_explored_once() {
    let locks = Model::new(|| Mutex::new(0))
        .thread("alice", |sum| *sum.lock().unwrap_or_else(PoisonError::into_inner) += 1)
        .thread("bob", |sum| *sum.lock().unwrap_or_else(PoisonError::into_inner) += 2)
        .finally("sum", |sum| *sum.lock().unwrap_or_else(PoisonError::into_inner))
        .acceptable("sum=3", "no update is lost")
        .check();
    let updates = Model::new(AtomicU64::default)
        .thread("alice", |sum| sum.fetch_add(1, Relaxed))
        .thread("bob", |sum| sum.fetch_add(2, Relaxed))
        .acceptable("alice=0 bob=1", "alice first")
        .acceptable("alice=2 bob=0", "bob first")
        .check();
    if cfg!(loom) {
        for report in [locks, updates] {
            let once =
                [("interleaving", 2, None), ("weak memory", 0, Some("no plain load or store"))];
            assert_eq!(passes(&report), once, "{report}");
            let text = report.to_string();
            assert!(text.contains("weak memory not needed: no plain load or store"), "{text}");
        }
    }
}

/// Message passing, with a reader that believes the flag.
fn passing(store: selvedge::sync::atomic::Ordering, asks_first: bool) -> Model<[AtomicU64; 2]> {
    Model::new(<[AtomicU64; 2]>::default)
        .thread("writer", move |[data, flag]| {
            data.store(1, Relaxed);
            flag.store(1, store);
        })
        .thread("reader", move |[data, flag]| {
            if !asks_first || flag.load(Acquire) == 1 {
                assert_eq!(data.load(Relaxed), 1, "the data is there");
            }
        })
        .acceptable("()", "whenever it asks")
}

#[test]
fn a_model_with_a_load_is_explored_twice() {
    let report = passing(Release, true).check();
    if cfg!(loom) {
        let made = passes(&report);
        assert!(made.iter().all(|(_, executions, skipped)| *executions > 1 && skipped.is_none()));
        assert_eq!(made.len(), 2, "{report}");
    }
}

/// Whether reordering is needed or preemption is enough: who reads the trace has to know.
#[test]
#[cfg(loom)]
fn a_failure_says_whether_it_takes_weak_memory() {
    const WEAK: &str = "No interleaving does this: it takes weak memory";
    let by_reordering = passing(Relaxed, true).try_check().expect_err("the flag overtakes");
    let text = by_reordering.to_string();
    assert!(text.contains(WEAK) && text.contains("of the weak memory pass"), "{text}");
    let by_preemption = passing(Release, false).try_check().expect_err("it does not ask");
    let text = by_preemption.to_string();
    assert!(!text.contains(WEAK) && text.contains("of the interleaving pass"), "{text}");
}
