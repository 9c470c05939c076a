//! Whatever is wrong, the command says in a sentence what to do.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Crate;

/// The fixture whose tests go wrong if they are asked to, with the checker.
fn rough(name: &str, what: &'static str) -> Crate {
    let mut krate = Crate::of("rough", name);
    krate.run("init").with(0, &[]);
    fs::remove_file(krate.path("tests/first_model.rs")).expect("it was written");
    krate.variables.push(("ROUGH", what));
    krate
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_built() {
    let krate = Crate::of("rough", "refused");
    krate
        .run("prove")
        .with(2, &["rough does not use the checker", "`cargo selvedge init` adds it"]);
    krate
        .run("prove -p nobody")
        .with(2, &["there is no package `nobody` in this workspace; there are: rough"]);
    krate.run("prove --shard 3/2").with(2, &["must be I/N with I from 1 to N, such as 1/3"]);
    krate.run("replay push_pop").with(2, &["must be TEST/EXECUTION, such as ring::push_pop/7"]);
    krate.run("prove --bless ring").with(2, &["cannot be used with"]);
    let part = r#"{"version":1,"by":"","filter":"ring","targets":[],"shard":[1,1],"tests":1,"finished":true,"seconds":0.0,"problems":[],"models":[]}"#;
    krate.write("part.json", part);
    krate
        .run("prove --bless --merge part.json")
        .with(2, &["--bless writes the list of all models", "with a filter or with --test"]);
    assert!(!krate.left("prove.json").exists(), "nothing is written");
    krate
        .run("init --path /")
        .with(2, &["/ is no checkout of selvedge: it has no model/Cargo.toml"]);
    krate
        .run("report")
        .with(2, &["there is nothing to report", "`cargo selvedge prove` writes it"]);
    krate.run("prove --manifest-path nowhere/Cargo.toml").with(2, &["cargo finds no crate here: "]);
    krate.run("init").with(0, &[]);
    krate
        .run("prove --test nothing")
        .with(2, &["there is no test target `nothing`; there are: first_model, lib, rough"]);

    let manifest = krate.read("Cargo.toml");
    krate.write(
        "Cargo.toml",
        &format!("{manifest}\n[package.metadata.selvedge]\ntest = [\"rough\"]\n"),
    );
    krate
        .run("prove")
        .with(2, &["[package.metadata.selvedge] is not understood: unknown field `test`"]);
    krate.write("Cargo.toml", &manifest.replace(", features = [\"check\"]", ""));
    krate.run("prove").with(2, &["without its feature `check`", "[dev-dependencies]"]);
    krate
        .run("init")
        .with(2, &["Cargo.toml is not changed: ", "add `features = [\"check\"]` to it"]);
    krate.write("Cargo.toml", &manifest);
    krate.write("selvedge-models.txt", "a line of something else\n");
    krate.run("prove").with(
        2,
        &["line 1, \"a line of something else\"", "`cargo selvedge prove --bless` writes it anew"],
    );
}

#[test]
fn a_crate_that_does_not_build_and_one_without_models() {
    let krate = rough("empty", "");
    let tests = krate.read("tests/rough.rs");
    krate.write("tests/rough.rs", &format!("{tests}\nfn broken() -> u8 {{ \"\" }}\n"));
    krate.run("prove").with(3, &["mismatched types", "does not build under --cfg loom"]);
    krate.run("mutants").with(3, &["does not build under --cfg loom"]);
    krate.write("tests/rough.rs", "#[test]\nfn plain() {}\n");
    krate
        .run("prove")
        .with(1, &["no model was run, and at least one has to be", "`cargo selvedge init`"]);
    krate.run("mutants").with(1, &["no mutant was tried"]);
    krate.write("tests/rough.rs", &tests);
    krate
        .run("prove nothing_has_this_name")
        .with(1, &["no test's name contains \"nothing_has_this_name\""]);
    krate.run("prove").with(0, &["1 model, 2 executions"]);
    // The library has no operation that could be changed.
    krate.run("mutants").with(
        1,
        &["no mutant was tried: no model executes an operation of this package's own sources"],
    );
    krate.run("mutants --changed-since nowhere").with(2, &["--changed-since nowhere: git diff"]);
}

#[test]
fn variables_reach_the_models_or_are_said_to_be_ignored() {
    let mut krate = rough("variables", "");
    krate.run("prove").with(0, &["1 model, 2 executions"]).without("have no effect");
    krate.variables.extend([("LOOM_MAX_PREEMPTIONS", "1"), ("SELVEDGE_MUTANT", "x")]);
    let said = "have no effect on `cargo selvedge`: LOOM_MAX_PREEMPTIONS, SELVEDGE_MUTANT\n";
    krate.run("prove").with(0, &[said, "1 model, 2 executions"]);
    krate.variables.push(("SELVEDGE_LIMIT", "1"));
    krate.run("prove").with(1, &["limit exceeded: SELVEDGE_LIMIT=1 allows fewer executions", said]);
    krate.variables.clear();
    krate.run("prove --bless").with(0, &["1 line changed"]);
    // A model that is refused has no result. It is not missing.
    krate.variables.push(("SELVEDGE_LOOM", "x"));
    let refused = krate.run("prove");
    refused
        .with(1, &["SELVEDGE_LOOM must be", "problem: rough::passes failed"])
        .without("missing: ");
}

#[test]
fn a_test_that_crashes_hangs_or_asserts() {
    for options in ["", " --no-nextest"] {
        let krate = rough("crash", "crash");
        krate
            .run(&format!("prove{options}"))
            .with(1, &["problem: rough::crashes ", "1 model, 2 executions"]);
        drop(krate);
        let krate = rough("hang", "hang");
        let hung = krate.run(&format!("prove --timeout 5{options}"));
        hung.with(
            1,
            &[
                "problem: rough::hangs hangs: it showed no progress",
                "--timeout",
                "1 model, 2 executions",
            ],
        );
        drop(krate);
        let krate = rough("assert", "assert");
        let failed = krate.run(&format!("prove{options}"));
        failed.with(1, &["an assertion of the test's own", "problem: rough::asserts failed"]);
        krate
            .run(&format!("mutants{options}").replace(" --no-nextest", ""))
            .with(1, &["rough::asserts fails without a change"]);
    }
}

#[test]
fn a_bound_is_no_proof_with_complete() {
    let krate = rough("bound", "bound");
    krate.run("prove --bless").with(0, &["bounded (1 execution)"]);
    krate.run("prove --complete").with(
        1,
        &["rough::is_bounded", "is bounded (1 execution), and --complete allows no bound"],
    );
    let one = krate.run("prove is_bounded");
    one.with(0, &["1 model, 1 execution, 1 bounded, which is no proof"]).without("must call");
    drop(krate);
    let krate = rough("spin", "spin");
    let hint = "bounded: a loop that waits must call `selvedge_model::sync::hint::spin_loop` or";
    krate
        .run("prove")
        .with(0, &["bounded (the limit of steps of a thread, at ", hint])
        .without("idle");
    drop(krate);
    let krate = rough("idle", "idle");
    let idle = "\nbut for idle turns: one turn of a waiting loop in which nothing changes stands for any number";
    krate.run("prove").with(0, &["complete but for idle turns", idle]);
}

#[test]
fn a_lock_of_std_in_a_model_is_warned_of() {
    let krate = rough("std", "");
    let model = "
#[test]
fn is_wrong_and_passes() {
    let add = |(n, _): &(std::sync::Mutex<u64>, AtomicU64)| {
        let seen = *n.lock().unwrap();
        *n.lock().unwrap() = seen + 1;
    };
    Model::new(Default::default)
        .thread(\"alice\", add)
        .thread(\"bob\", move |state| { state.1.load(Relaxed); add(state); })
        .finally(\"total\", |(n, _)| *n.lock().unwrap())
        .acceptable(\"total=2\", \"one is lost, and the checker does not see it\")
        .check();
}
";
    let text = krate.read("tests/rough.rs") + model;
    krate.write("tests/rough.rs", &text);
    let line =
        text.lines().position(|line| line.contains("std::sync::Mutex")).expect("it is there");
    let warning = format!(
        "warning: tests/rough.rs:{}: the checker does not see std::sync::Mutex: use selvedge_model::sync::Mutex\n",
        line + 1
    );
    krate.run("prove").with(0, &[&warning, "2 models"]);
}

#[test]
fn results_of_another_release_are_refused() {
    let krate = rough("version", "");
    krate.run("prove").with(0, &[]);
    let file = krate.left("prove.json");
    let text = fs::read_to_string(&file).expect("it was written");
    assert!(text.starts_with("{\"version\":1,\"by\":\"cargo-selvedge 0.1.0\""), "{text}");
    let other = text.replacen("\"version\":1", "\"version\":9", 1).replacen("0.1.0", "9.0.0", 1);
    fs::write(&file, other).expect("it can be written");
    krate
        .run("report")
        .with(2, &["version 9 of the schema", "cargo-selvedge 9.0.0", "version 1 is read"]);
    fs::write(&file, "{").expect("it can be written");
    krate.run("report").with(2, &["prove.json cannot be used: it is not the result of a model"]);
}

/// `/dev/full` is a disk without room.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let krate = rough("full", "");
    krate.run("prove").with(0, &[]);
    let file = krate.left("prove.json");
    fs::remove_file(&file).expect("it was written");
    std::os::unix::fs::symlink("/dev/full", &file).expect("a link");
    krate
        .run("prove")
        .with(4, &["prove.json cannot be written", "No space left on device", "--target-dir"]);
}

/// What was found so far is kept and said.
#[test]
#[cfg(unix)]
fn an_interrupt_keeps_what_was_found() {
    for options in ["", " --no-nextest"] {
        let krate = rough("interrupt", "long");
        // Built before, so that the interrupt meets the tests.
        krate.run("prove passes").with(0, &[]);
        let mut command = krate.command(&format!("prove{options}"));
        let child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
        let id = child.id().to_string();
        let waited = Instant::now();
        let begun = || {
            let folders = fs::read_dir(krate.left("")).into_iter().flatten().flatten();
            let results =
                folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten();
            results.map(|file| file.path()).any(|path| path.ends_with("progress.txt"))
        };
        // The long model tells of itself after two seconds.
        while !begun() {
            assert!(waited.elapsed() < Duration::from_secs(120), "the long model does not begin");
            std::thread::sleep(Duration::from_millis(50));
        }
        let kill =
            std::process::Command::new("kill").args(["-INT", &id]).status().expect("there is kill");
        assert!(kill.success());
        let output = child.wait_with_output().expect("it ends");
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        assert_eq!(output.status.code(), Some(130), "{text}");
        for part in [
            "interrupted: what was found so far is kept",
            "interrupted: 1 model, 2 executions were explored, and are kept in",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
        let left = fs::read_to_string(krate.left("prove.json")).expect("it is kept");
        assert!(
            left.contains("\"finished\":false") && left.contains("\"test\":\"passes\""),
            "{left}"
        );
        krate.run("report").with(0, &[]);
    }
}
