//! What bounds an exploration, and what is left of one: results, and the replay of an execution.

use std::collections::VecDeque;

use super::*;
use selvedge_model::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use selvedge_model::sync::{Arc, Mutex, hint, thread};
use selvedge_results::advice::WAITING;

#[test]
fn the_limit_of_steps_bounds_the_result() {
    let counts = |steps| {
        let model = Model::new(counter);
        let model = model.thread("alice", |count| (0..60).for_each(|_| increment(count)));
        model.steps(steps)
    };
    let report = counts(60).acceptable("()", "it takes 60 steps").check();
    assert!(report.is_complete(), "{report}");
    let report = counts(59).explore().expect("it has no failure");
    let limit = "the limit of steps of a thread, at model/tests/harness.rs:26";
    assert_eq!((report.executions(), report.bound().as_deref()), (0, Some(limit)));
    assert!(!report.is_complete() && report.to_string().contains("bounded (the limit"));
    let error = counts(59).acceptable("()", "not within the limit").try_check().unwrap_err();
    let bounded =
        matches!(&error, CheckError::MissingOutcomes { bound: Some(bound), .. } if bound == limit);
    assert!(bounded, "{error}");
}

/// A loop that waits without a hint, and is cut at any step: also in the drop of an `Arc`, which stands in the
/// standard library.
fn waits_without_a_hint() -> Model<()> {
    let program = || {
        let ready = Arc::new(AtomicBool::new(false));
        let sets = Arc::clone(&ready);
        thread::spawn(move || sets.store(true, SeqCst));
        while !ready.load(SeqCst) {}
    };
    Model::program(program).steps(20)
}

#[test]
fn the_limit_of_steps_is_reached_in_the_program() {
    waits_without_a_hint().check();
}

#[test]
fn the_limit_of_steps_has_a_place_and_a_hint() {
    let bound = waits_without_a_hint().check().bound().expect("it is bounded");
    assert!(bound.contains("tests/harness/bounds.rs:") && !bound.contains("/rustc/"), "{bound}");
    let output = rerun("bounds::the_limit_of_steps_is_reached_in_the_program", &[]);
    let text = text(&output);
    assert!(output.status.success() && text.contains(&format!("; {WAITING}\n")), "{text}");
    let error =
        waits_without_a_hint().fails(Failure::Deadlock).try_check().unwrap_err().to_string();
    assert!(error.ends_with(&format!("): {WAITING}")), "{error}");
}

/// A loop that pops in each turn.
#[test]
fn a_loop_whose_turns_change_something_is_told_to_look_first() {
    let pops = |queue: &Mutex<VecDeque<u32>>| {
        while queue.lock().unwrap().pop_front().is_none() {
            hint::spin_loop();
        }
    };
    let model = Model::new(|| Mutex::new(VecDeque::new())).thread("pops", pops);
    let error = model.acceptable("()", "it ends").try_check().unwrap_err().to_string();
    let place = "bounded (the loop at model/tests/harness/bounds.rs:";
    let advice =
        "whose turns change something): a loop that waits must change nothing while it waits";
    assert!(error.contains(place) && error.contains(advice), "{error}");
}

#[test]
fn the_environment_can_leave_loom_out() {
    for (value, says) in [
        ("0", "loom not run: not asked for"),
        ("1", "loom agrees on the first 1 interleaving,"),
        ("x", "SELVEDGE_LOOM must be an integer, 0 or more (interleavings), got \"x\""),
        ("99999999999999999999", "0 or more (interleavings), at most 18446744073709551615, got"),
    ] {
        let text = text(&rerun("an_exact_table_passes", &[("SELVEDGE_LOOM", value)]));
        assert!(text.contains(says), "{value}: {text}");
    }
}

#[test]
fn a_bound_of_executions_is_reported() {
    let report = sound().executions(1).acceptable("total=2", "both count").check();
    assert!(!report.is_complete(), "a bounded result must not be called complete");
    let text = report.to_string();
    assert!(text.contains("bounded (1 execution)") && !text.contains("complete"), "{text}");
}

#[test]
fn a_patient_check_says_so() {
    let report = sound().patient().acceptable("total=2", "both count").check();
    assert!(report.is_complete(), "patience is no bound: {report}");
    let says = ", explored completely, waits with a limit end only when nothing else can run, loom not \
                run: its waits with a limit may end at any moment, ";
    assert!(report.to_string().contains(says), "{report}");
}

#[test]
fn a_check_that_leaves_out_idle_turns_says_so() {
    let report = spin_lock().acceptable("()", "all end").check();
    let says = ", explored completely but for idle turns, loom";
    assert!(report.is_complete() && report.to_string().contains(says), "{report}");
}

#[test]
fn a_thread_that_blocks_has_no_idle_turns() {
    let waits = Model::new(AtomicBool::default)
        .thread("waits", |set| hint::wait_until(|| set.load(Acquire)))
        .thread("sets", |set| set.store(true, Release));
    let report = waits.acceptable("()", "both end").check();
    assert!(report.to_string().contains(", explored completely, loom"), "{report}");
}

#[test]
fn a_bound_of_executions_is_obeyed() {
    let executions = |bound: Option<u64>| {
        let add = |count: &AtomicU64| (0..2).for_each(|_| increment(count));
        let model = Model::new(counter).thread("alice", add).thread("bob", add);
        let model = bound.into_iter().fold(model, Model::executions);
        let report = model.acceptable("()", "both end").check();
        (report.executions(), report.is_complete())
    };
    assert_eq!(executions(Some(5)), (5, false));
    assert_eq!(executions(Some(6)), (6, true), "there are no more");
    assert_eq!(executions(None), (6, true));
}

/// Three threads of which two may spin: there are runs that show nothing, and they do not count.
fn spin_lock() -> Model<AtomicBool> {
    let locks = |taken: &AtomicBool| {
        while taken.swap(true, Acquire) {
            hint::spin_loop();
        }
        taken.store(false, Release);
    };
    let model = Model::new(|| AtomicBool::new(false));
    ["alice", "bob", "carol"].iter().fold(model, |model, name| model.thread(name, locks))
}

#[test]
fn a_limit_from_the_environment_is_no_bound() {
    let all = spin_lock().acceptable("()", "all end").check();
    assert!(all.is_complete(), "{all}");
    let explores = |limit: u64| {
        let variables = [("SPIN", "1"), ("SELVEDGE_LIMIT", &*limit.to_string())];
        let output = rerun("bounds::spins_if_asked_to", &variables);
        (output.status.success(), text(&output))
    };
    for limit in [1, 2, 3, 4, 5, 20, all.executions() - 1] {
        let (passes, printed) = explores(limit);
        let expected = format!("limit exceeded: SELVEDGE_LIMIT={limit} allows fewer executions");
        assert!(!passes && printed.contains(&expected), "{limit}: {printed}");
    }
    let (passes, printed) = explores(all.executions());
    assert!(passes, "{printed}");
}

#[test]
fn a_bound_of_executions_counts_those_of_the_report() {
    let all = spin_lock().acceptable("()", "all end").check().executions();
    for bound in [1, 2, 20, all - 1, all, all + 1] {
        let report = spin_lock().executions(bound).acceptable("()", "all end").check();
        assert_eq!(report.executions(), bound.min(all));
        assert_eq!(report.seen("()"), bound.min(all));
        assert_eq!(report.is_complete(), bound >= all, "{report}");
    }
}

/// The graphs reach the lost update; loom does not without a preemption, and the engines agree.
#[test]
fn a_bound_of_preemptions_is_a_bound_of_loom_alone() {
    let check = |preemptions: Option<u8>| {
        let add = |count: &AtomicU64| {
            let seen = count.load(SeqCst);
            count.store(seen + 1, SeqCst);
        };
        let model = Model::new(counter).thread("alice", add).thread("bob", add);
        let model = preemptions.into_iter().fold(model, Model::preemptions);
        let report = model
            .finally("total", |count| count.load(SeqCst))
            .acceptable("total=2", "one after the other")
            .acceptable("total=1", "the update of one is lost")
            .check();
        assert!(report.is_complete(), "{report}");
        report
    };
    let all = check(None);
    let mut before = 0;
    for (most, says) in [(0, "0 preemptions"), (1, "1 preemption,"), (2, "2 preemptions,")] {
        let report = check(Some(most));
        assert_eq!(report.executions(), all.executions());
        let interleavings = report.interleavings();
        assert!((before + 1..=all.interleavings()).contains(&interleavings), "{report}");
        let s = if interleavings == 1 { "" } else { "s" };
        let says = format!("loom agrees on {interleavings} interleaving{s} with at most {says}");
        assert!(report.to_string().contains(&says), "{report}");
        before = interleavings;
    }
}

/// Spins only when run by the test above.
#[test]
fn spins_if_asked_to() {
    if std::env::var_os("SPIN").is_some() {
        spin_lock().acceptable("()", "all end").check();
    }
}

#[test]
fn a_result_is_written_with_what_is_left_out() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("results");
    // It may be there from the last run.
    let _ = std::fs::remove_dir_all(&folder);
    let name = folder.to_string_lossy();
    let expected = [
        (
            "a_bound_of_executions_is_reported",
            "harness",
            r#""1 execution","idle_turns":false,"patient":false"#,
        ),
        ("a_patient_check_says_so", "harness", r#"null,"idle_turns":false,"patient":true"#),
        (
            "a_check_that_leaves_out_idle_turns_says_so",
            "bounds",
            r#"null,"idle_turns":true,"patient":false"#,
        ),
    ];
    for (test, file, expected) in expected {
        let output = rerun(&format!("bounds::{test}"), &[("SELVEDGE_RESULTS", &name)]);
        assert!(output.status.success(), "{}", text(&output));
        let lines = folder.join(file).with_extension("jsonl");
        let lines = std::fs::read_to_string(lines).expect("it was written");
        let of_test = lines.lines().filter(|line| line.contains(test));
        assert_eq!(of_test.count(), 1, "a line a model: {lines}");
        let line = lines.lines().last().expect("it was written");
        assert!(line.contains(&format!(r#""bound":{expected}"#)), "{line}");
        assert!(line.contains(r#""verdict":"passed""#), "{line}");
    }
}

/// Its steps as data, only if they are asked for.
#[test]
fn a_result_has_its_interleavings_if_asked_to() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("traces");
    let written = |more: &[(&str, &str)]| {
        // It may be there from the last run.
        let _ = std::fs::remove_dir_all(&folder);
        let name = folder.to_string_lossy();
        let test = "on_loom::an_outcome_that_takes_weak_memory_says_so";
        let output = rerun(test, &[&[("SELVEDGE_RESULTS", &*name)], more].concat());
        assert!(output.status.success(), "{}", text(&output));
        std::fs::read_to_string(folder.join("on_loom.jsonl")).expect("it was written")
    };
    let lines = written(&[]);
    assert!(!lines.contains("\"trace\""), "{lines}");
    let lines = written(&[("SELVEDGE_TRACES", "1")]);
    let stale = r#""order":"rlx","reads":{"value":"0","newest":"1","from":"initial","stale":true}"#;
    assert!(lines.contains(stale), "{lines}");
}

#[test]
fn one_execution_can_be_replayed() {
    let replay = |value| {
        let output = rerun("an_exact_table_passes", &[("SELVEDGE_REPLAY", value)]);
        assert!(!output.status.success(), "a replay is no verdict");
        text(&output)
    };
    let second = replay("1/2");
    assert!(second.contains("replayed one execution") && second.contains("total=2"), "{second}");
    assert!(second.contains("-- finally --"), "a replay shows every step: {second}");
    assert!(!second.contains("explore.rs"), "the checker spawns the threads: {second}");
    let end = "  Execution 2, replayed. Unset SELVEDGE_REPLAY to check the model again.\n";
    assert!(second.contains(end) && !second.contains("replay it with every step"), "{second}");
    let expected =
        text(&rerun("on_loom::a_data_race_is_a_data_race", &[("SELVEDGE_REPLAY", "1/1")]));
    assert!(expected.contains("no verdict: it reached data race: c1: alice writes"), "{expected}");
    assert!(expected.contains("  Execution 1, replayed. Unset"), "{expected}");
    let second = replay("2/1");
    let nothing =
        "SELVEDGE_REPLAY=2/1: nothing was replayed, harness::an_exact_table_passes has 1 model\n";
    assert!(second.contains(nothing), "{second}");
    let fails = "\nSELVEDGE_REPLAY is set, and no execution was replayed: the process fails\n";
    assert!(second.contains(fails), "{second}");
    let third = replay("1/3");
    let none = "there is no execution 3: the model has executions 1 to 2, of which a check that stops at a failure";
    assert!(third.contains(none) && !third.contains("the process fails"), "{third}");
    for malformed in ["1/sideways", "1/interleaving/2", "0/2", "1/0", "1.0/2", "2", ""] {
        let printed = replay(malformed);
        let expected = format!(
            "SELVEDGE_REPLAY must be MODEL/EXECUTION, such as 1/7 (models and executions are numbered from 1; \
             1.37/2 is execution 2 of scenario 37 of the test's first model), got {malformed:?}"
        );
        assert!(printed.contains(&expected), "{printed}");
    }
}
