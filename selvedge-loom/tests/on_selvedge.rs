//! The suite on `selvedge-loom`, by the line of a manifest that makes it `loom`.
#![cfg(loom)]

extern crate selvedge_loom as loom;

mod suite;

/// Whether the suite runs on loom itself.
const ON_LOOM: bool = false;

/// A model of a loop that waits.
fn waits(loom: Option<u64>) {
    use loom::sync::atomic::AtomicBool;
    use loom::sync::atomic::Ordering::{Acquire, Release};

    let mut builder = loom::model::Builder::new();
    builder.loom = loom;
    builder.check(|| {
        let ready = loom::sync::Arc::new(AtomicBool::new(false));
        let sets = ready.clone();
        loom::thread::spawn(move || sets.store(true, Release));
        while !ready.load(Acquire) {
            loom::thread::yield_now();
        }
    });
}

#[test]
fn loom_is_left_out() {
    waits(Some(0));
}

#[test]
fn loom_does_not_explore_loops_that_may_wait() {
    waits(None);
}

#[test]
fn the_report_says_what_loom_has_compared() {
    for (test, says) in [
        ("loom_is_left_out", "explored completely but for idle turns, loom not run: not asked for"),
        ("loom_does_not_explore_loops_that_may_wait", "loom not run: a loop may wait at "),
    ] {
        let mut process = std::process::Command::new(std::env::current_exe().unwrap());
        let output = process.args(["--exact", test, "--nocapture"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains(says), "{test}: {text}");
    }
}

/// loom obeys these variables silently.
#[test]
fn bounds_from_the_environment_are_refused() {
    for (name, value, instead) in [
        ("LOOM_MAX_PREEMPTIONS", "2", "of one model is `builder.preemption_bound = Some(2);`"),
        ("LOOM_MAX_BRANCHES", "10", "of one model is `builder.max_branches = 10;`"),
        ("LOOM_MAX_PERMUTATIONS", "3", "of one model is `builder.max_permutations = Some(3);`"),
        ("LOOM_MAX_DURATION", "1", "of one model is `builder.max_permutations = Some(n);`"),
        ("LOOM_CHECKPOINT_FILE", "x.json", "SELVEDGE_REPLAY"),
    ] {
        let mut process = std::process::Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "suite::cell::cells_hold_a_value"]).env(name, value);
        let output = process.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && text.contains("unset it, in CI too"), "{name}: {text}");
        assert!(text.contains(instead), "{name}: {text}");
    }
}
