//! What real threads can show of it.

use super::{Failure, Model, increment, rerun, sound, text};
use selvedge_model::Engine;
use selvedge_model::sync::atomic::AtomicU64;

#[test]
fn rounds_are_counted() {
    let report = sound().rounds(7).acceptable("total=2", "both count").check();
    assert_eq!((report.executions(), report.seen("total=2")), (7, 7));
}

#[test]
fn a_failure_that_did_not_show_is_not_claimed() {
    let report = sound().rounds(7).fails(Failure::Panic).check();
    assert!(report.failure.is_none(), "nothing failed: {report}");
}

#[test]
fn what_would_be_undefined_is_not_run() {
    let report = Model::new(|| AtomicU64::new(0))
        .thread("alice", increment)
        .fails(Failure::DataRace)
        .check();
    let skipped = matches!(report.engine, Engine::Threads { rounds: 0, skipped: Some(_) });
    assert!(skipped, "a data race must not be run: {report}");
}

#[test]
fn a_replay_on_real_threads_is_refused() {
    let output = rerun("an_exact_table_passes", &[("SELVEDGE_REPLAY", "1/1")]);
    let text = text(&output);
    assert!(!output.status.success() && text.contains("cannot be replayed"), "{text}");
}

#[test]
fn a_bad_number_of_rounds_in_the_environment_is_refused() {
    let expected = "SELVEDGE_ROUNDS must be a positive integer (rounds), got \"many\"";
    let output = rerun("an_exact_table_passes", &[("SELVEDGE_ROUNDS", "many")]);
    let text = text(&output);
    assert!(!output.status.success() && text.contains(expected), "{text}");
}

#[test]
fn a_failure_says_how_to_explore_it() {
    let printed = text(&rerun("prints_a_failure_if_asked_to", &[("PRINT_A_FAILURE", "check")]));
    let test = crate::name_of("prints_a_failure_if_asked_to", "checker::harness");
    let commands = format!(
        "on real threads. For the interleaving, explore it:\n    cargo selvedge prove {test}\n  \
         or, without cargo-selvedge:\n    \
         RUSTFLAGS=\"--cfg loom\" cargo test -p selvedge-model --test checker -- --exact {test}\n"
    );
    assert!(printed.contains(&commands), "{printed}");
}
