//! The two passes: which of them are made, and whether a failure says what it takes.

use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use selvedge_model::sync::{Mutex, PoisonError};
use selvedge_model::{Engine, Model, Report};

/// Name, executions, and why it was not made, of each pass; none on real threads.
fn passes(report: &Report) -> Vec<(&'static str, u64, Option<&'static str>)> {
    match &report.engine {
        Engine::Loom { passes, .. } => {
            passes.iter().map(|pass| (pass.name, pass.executions, pass.skipped)).collect()
        }
        _ => Vec::new(),
    }
}

/// In loom neither a lock nor a read-modify-write reads anything old. (That the second pass would find
/// nothing, `model/tests/oracle` shows: its programs of swaps, adds and exchanges. That C++20 allows more, the
/// page `loom-tests/7_checker/limits.rs` shows: `updates_are_never_reordered`.)
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
            assert_eq!(passes(&report), [("interleaving", 2, None), LEFT_OUT], "{report}");
            let text = report.to_string();
            let why = format!("weak memory left out: {}", LEFT_OUT.2.unwrap_or_default());
            assert!(text.contains(&why), "{text}");
        }
    }
}

/// The second pass, left out.
const LEFT_OUT: (&str, u64, Option<&str>) = (
    "weak memory",
    0,
    Some("no plain load, no plain store that is read, and loom reorders nothing else"),
);

/// Two who store, each to both cells, one the other way round.
fn stores() -> Model<[AtomicU64; 2]> {
    let store = |cells: &[AtomicU64; 2], first: usize| {
        cells[first].store(1, Relaxed);
        cells[1 - first].store(2, Relaxed);
    };
    Model::new(<[AtomicU64; 2]>::default)
        .thread("alice", move |cells| store(cells, 0))
        .thread("bob", move |cells| store(cells, 1))
}

/// Nobody can tell in which order they came. Whoever reads can, also when all is over.
#[test]
fn stores_count_where_somebody_reads() {
    let unread = stores().acceptable("()", "nobody looks").check();
    let read = stores()
        .finally("left", |cells| cells.each_ref().map(|cell| cell.load(Relaxed)))
        .acceptable("left=[1, 2]", "bob first in the one, alice first in the other")
        .acceptable("left=[2, 1]", "the other way round")
        .acceptable("left=[2, 2]", "both began before either went on")
        .interesting("left=[1, 1]", "no interleaving: both go on before they begin")
        .check();
    let updated = Model::new(AtomicU64::default)
        .thread("alice", |cell| cell.store(1, Relaxed))
        .thread("bob", |cell| cell.fetch_add(1, Relaxed))
        .acceptable("bob=0", "bob first")
        .acceptable("bob=1", "alice first")
        .check();
    if cfg!(loom) {
        assert_eq!(passes(&unread)[1], LEFT_OUT);
        for report in [read, updated] {
            assert!(passes(&report)[1].1 > 0 && passes(&report)[1].2.is_none(), "{report}");
        }
    }
}

/// Message passing, with a reader that believes the flag.
fn passing(
    store: selvedge_model::sync::atomic::Ordering,
    asks_first: bool,
) -> Model<[AtomicU64; 2]> {
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
    const WEAK: &str = "No interleaving reaches this: a load reads an older store";
    let by_reordering = passing(Relaxed, true).try_check().expect_err("the flag overtakes");
    let text = by_reordering.to_string();
    assert!(text.contains(WEAK) && text.contains("of the weak memory pass"), "{text}");
    let by_preemption = passing(Release, false).try_check().expect_err("it does not ask");
    let text = by_preemption.to_string();
    assert!(!text.contains(WEAK) && text.contains("of the interleaving pass"), "{text}");
}
