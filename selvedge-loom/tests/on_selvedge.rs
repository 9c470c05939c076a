//! The suite on `selvedge-loom`, by the line of a manifest that makes it `loom`.
#![cfg(loom)]

extern crate selvedge_loom as loom;

mod suite;

/// Whether the suite runs on loom itself.
const ON_LOOM: bool = false;

/// loom obeys these variables silently.
#[test]
fn bounds_from_the_environment_are_refused() {
    for (name, value, instead) in [
        ("LOOM_MAX_PREEMPTIONS", "2", "write `builder.preemption_bound = Some(2);`"),
        ("LOOM_MAX_BRANCHES", "10", "write `builder.max_branches = 10;`"),
        ("LOOM_MAX_PERMUTATIONS", "3", "write `builder.max_permutations = Some(3);`"),
        ("LOOM_MAX_DURATION", "1", "write `builder.max_permutations = Some(n);`"),
        ("LOOM_CHECKPOINT_FILE", "x.json", "SELVEDGE_REPLAY"),
    ] {
        let mut process = std::process::Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "suite::cell::cells_hold_a_value"]).env(name, value);
        let output = process.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && text.contains(instead), "{name}: {text}");
    }
}
