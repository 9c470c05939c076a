//! Three crates of others, from `init` to `report`.

use std::fs;
use std::time::Instant;

use cargo_selvedge::model;
use cargo_selvedge::report::browser;
use selvedge_results::Record;

use crate::{Crate, aloud};

/// Looks at the report in a browser, if there is one.
fn look(krate: &Crate, pages: usize) {
    let folder = krate.left("report");
    let files: Vec<_> = fs::read_dir(folder)
        .expect("a report")
        .map(|entry| entry.expect("a page").path())
        .collect();
    assert_eq!(files.len(), pages, "{files:?}");
    match browser::check(&krate.target, &files).expect("the report is as it should be") {
        None => aloud("skipped: no Chromium: a report was not looked at in a browser"),
        Some(drawings) => assert!(drawings > 0, "nothing is drawn"),
    }
}

/// A single crate with an atomic ring buffer.
#[test]
fn a_ring_buffer() {
    let start = Instant::now();
    let krate = Crate::of("ring/before", "ring");
    let manifest = krate.read("Cargo.toml");

    // What would change, and what does.
    let shown = [
        "Cargo.toml (changed)",
        "+ [dev-dependencies]",
        "+ [profile.dev.package.\"*\"]",
        "tests/first_model.rs (new)",
        "Nothing was written.",
    ];
    krate.run("init --dry-run").with(0, &shown);
    assert_eq!(krate.read("Cargo.toml"), manifest);
    krate
        .run("init --ci")
        .with(0, &[".github/workflows/selvedge.yml (new)", "The first model fails, on purpose"]);
    let written = krate.read("Cargo.toml");
    assert!(
        written.starts_with(&manifest) && written.contains("check-cfg = [\"cfg(loom)\"]"),
        "{written}"
    );
    assert!(
        krate
            .read(".github/workflows/selvedge.yml")
            .contains("--shard ${{ matrix.shard }}/$SHARDS")
    );
    krate
        .run("init --ci")
        .with(0, &["tests/first_model.rs is there already", "Nothing to change: all is there."]);

    // The first model fails, and says how to look at it again.
    let failed = krate.run("prove");
    failed.with(
        1,
        &[
            "first_model::no_increment_is_lost          2 executions  FAILED (undeclared outcome)",
            "reached total=1, which the table does not declare; it declares total=2",
            "    cargo selvedge replay no_increment_is_lost/2\n",
            "problem: first_model::no_increment_is_lost (tests/first_model.rs:21) failed",
            "as above: 1 problem; `cargo selvedge report --open` draws what was found",
        ],
    );
    krate.run("report").with(0, &["2 pages"]);
    look(&krate, 2);
    let replayed = krate.run("replay no_increment_is_lost/2");
    replayed.with(0, &["the execution reached total=1", "-- finally --", "a1.store rlx 1"]);
    replayed.without("SELVEDGE_REPLAY");
    krate
        .run("replay no_increment_is_lost/9")
        .with(2, &["no_increment_is_lost/9 cannot be replayed: there is no execution 9: the model has executions 1 to 4"]);
    krate.run("replay no_increment_is_lost#2/1").with(2, &["no_increment_is_lost has 1 model"]);
    krate.run("replay nothing/1").with(2, &["no test is called nothing;"]);

    // Mended as its head says; and the crate's own code is put on the façade.
    mend_first_model(&krate);
    krate.add("ring/after");
    krate.run("prove").with(
        0,
        &[
            "first_model::no_increment_is_lost          2 executions  complete",
            "spsc::values_arrive_in_order               6 executions  complete",
            "; loom agrees on ",
            "2 models, 8 executions",
            "There is no list of models yet",
        ],
    );
    krate.run("prove spsc:: --no-nextest").with(0, &["1 model, 6 executions"]).without("\u{1b}[");
    krate.run("prove spsc:: --color always").with(0, &["\u{1b}[32mcomplete\u{1b}[0m"]);
    // For programs: a line of JSON a model, and nothing else.
    let json = krate.run("prove --message-format json").stdout;
    let mut records: Vec<Record> =
        json.lines().map(|line| Record::parse(line).expect("a record")).collect();
    records.sort_by_key(model::name);
    let names: Vec<String> = records.iter().map(model::name).collect();
    assert_eq!(names, ["first_model::no_increment_is_lost", "spsc::values_arrive_in_order"]);
    assert_eq!((records[1].executions, records[1].outcomes.len()), (6, 6));

    list(&krate);

    added(&krate);

    // Each kind of survivor; a method of the crate's own called `unpark` is no operation.
    let survivors = krate.run("mutants");
    survivors.with(
        1,
        &[
            "7 mutants, judged by 1 test; ",
            "no model executes it concurrently: 2",
            "src/lib.rs:55:19/load/none",
            "needed by nothing that the checker can see: 1",
            "src/lib.rs:49:19/store/release\n      self.head.store(head + 1, SeqCst);",
            "4 of 7 mutants killed",
            "3 mutants survived, as above",
        ],
    );
    survivors.without("unpark").without("more where those notice nothing");
    krate.run("report").with(0, &["3 pages"]);
    look(&krate, 3);
    let index = fs::read_to_string(krate.left("report/index.html")).expect("a page");
    for part in ["no model executes it concurrently", "needed by nothing that the checker can see"]
    {
        assert!(index.contains(part), "{part}");
    }

    mend(&krate);
    let seconds = start.elapsed().as_secs();
    aloud(&format!("the walk of a single crate: {seconds} s"));
}

/// The list of models, and a model that vanishes.
fn list(krate: &Crate) {
    krate
        .run("prove --complete --bless")
        .with(0, &["selvedge-models.txt is written; 2 lines changed"]);
    let list = krate.read("selvedge-models.txt");
    assert!(list.ends_with(
        "first_model::no_increment_is_lost  complete\nspsc::values_arrive_in_order  complete\n"
    ));
    fs::remove_file(krate.path("tests/first_model.rs")).expect("it was there");
    let vanished = [
        "missing: first_model::no_increment_is_lost  complete",
        "the models are not as the committed list",
    ];
    krate.run("prove").with(1, &vanished);
    krate.run("prove --bless").with(0, &["1 line changed"]);
    krate.run("prove").with(0, &["1 model, 6 executions"]).without("There is no list");
}

/// A model that was just added: it is not listed yet, and judges.
fn added(krate: &Crate) {
    let model = "\
        #![cfg(loom)]\n\
        #[test]\n\
        fn a_value_is_counted() {\n    \
            selvedge_model::Model::new(ring::Ring::<1>::new)\n        \
                .thread(\"producer\", |ring| ring.push(1))\n        \
                .thread(\"observer\", |ring| ring.len())\n        \
                .acceptable([\"producer=true observer=0\", \"producer=true observer=1\"], \"before or after\")\n        \
                .check();\n\
        }\n";
    krate.write("tests/length.rs", model);
    krate.run("mutants").with(1, &["judged by 2 tests; "]).without("no model executes it");
    krate.run("mutants --judge length::").with(1, &["judged by 1 test; "]);
    krate.run("mutants --judge nothing").with(2, &["no test's name contains \"nothing\""]);

    // A target is a part of the list, as a filter is.
    krate.run("prove").with(1, &["not listed: length::a_value_is_counted  complete"]);
    krate.run("prove --test spsc").with(0, &["1 model, 6 executions"]).without("missing: ");
    krate.run("prove --test length").with(1, &["not listed: "]).without("missing: ");
    krate.run("prove --test length --bless").with(2, &["cannot be used with"]);
    for command in ["prove", "mutants"] {
        krate.run(&format!("{command} --test length --merge x")).with(2, &["cannot be used with"]);
    }
    // So does a report, and so do shards that are put together.
    krate.run("prove --test spsc").with(0, &[]);
    krate.run("report").with(0, &[]);
    let page = fs::read_to_string(krate.left("report").join("index.html")).expect("a report");
    assert!(page.contains("Only the test targets <code>spsc</code>"), "{page}");
    for shard in ["1/2", "2/2"] {
        krate.run(&format!("prove --test spsc --shard {shard}")).with(0, &[]);
    }
    let [first, second] = ["prove-1-of-2.json", "prove-2-of-2.json"].map(|file| krate.left(file));
    let merge = format!("prove --merge {} {}", first.display(), second.display());
    krate.run(&merge).with(0, &["1 model, 6 executions"]).without("missing: ");
    krate.run(&format!("{merge} --bless")).with(2, &["with a filter or with --test"]);
    fs::remove_file(krate.path("tests/length.rs")).expect("it was written");
}

/// As its head says. Then it passes on real threads, too.
fn mend_first_model(krate: &Crate) {
    let model = krate.read("tests/first_model.rs");
    let step = "total.fetch_add(1, Relaxed);";
    assert!(model.contains(step), "{model}");
    let split = "let seen = total.load(Relaxed);\n    total.store(seen + 1, Relaxed);";
    krate.write("tests/first_model.rs", &model.replace(split, step));
    let threads = krate.cargo("test --test first_model");
    assert!(threads.contains("test no_increment_is_lost ... ok"), "on real threads: {threads}");
}

/// What the survivors say is done: the ordering is weakened, and what nothing needs is left out.
fn mend(krate: &Crate) {
    let source = krate.read("src/lib.rs").replace("(head + 1, SeqCst)", "(head + 1, Release)");
    let source = source.replace(", SeqCst};", "};");
    let (before, rest) =
        source.split_once("    /// How many values there are").expect("it is there");
    let (_, after) = rest.split_once("    }\n\n").expect("it ends");
    krate.write("src/lib.rs", &format!("{before}{after}"));
    krate.run("mutants --only src/lib.rs:49").with(0, &["1 of 1 mutant killed"]);
    krate.run("mutants --only src/lib.rs:1").with(2, &["there is no mutant at src/lib.rs:1"]);
    krate.run("mutants").with(0, &["4 of 4 mutants killed"]);
    krate.run("report").with(0, &["3 pages"]);
    look(krate, 3);
}

/// A workspace with features.
#[test]
fn a_workspace_with_features() {
    let start = Instant::now();
    let krate = Crate::of("tasks/before", "tasks");
    krate.run("init").with(2, &["`init` works on one package: select it with -p, of pool, queue"]);
    // The lint is where the packages have theirs, and the profile where the workspace has its own.
    krate.run("init -p queue").with(0, &["queue/Cargo.toml (changed)", "\nCargo.toml (changed)"]);
    krate
        .run("init -p pool")
        .with(0, &["pool/Cargo.toml (changed)"])
        .without("\nCargo.toml (changed)");
    let root = krate.read("Cargo.toml");
    assert!(
        root.contains("unexpected_cfgs") && root.contains("[profile.dev.package.\"*\"]"),
        "{root}"
    );
    for package in ["queue", "pool"] {
        fs::remove_file(krate.path(&format!("{package}/tests/first_model.rs")))
            .expect("it was written");
    }
    krate.add("tasks/after");

    krate.run("prove --all-features --bless").with(
        0,
        &[
            "pool/pool::two_workers_do_all_of_it",
            "queue/queue::each_consumer_that_waits_gets_an_item",
            "pool/selvedge-models.txt is written; 1 line changed",
            "queue/selvedge-models.txt is written; 3 lines changed",
        ],
    );
    // Without the feature a model is gone, and in its own package nothing else is looked at.
    let gone = "queue: missing: queue::each_consumer_that_waits_gets_an_item  complete";
    krate.run("prove").with(1, &[gone]);
    krate.run("prove -p pool").with(0, &["1 model, "]);
    krate.run("prove -p queue --features wait").with(0, &["3 models, "]);
    // A failure prints the command with these options, and it works as it is printed.
    let model = krate.read("queue/tests/queue.rs");
    krate.write("queue/tests/queue.rs", &model.replace("alice=1 bob=2", "alice=1 bob=3"));
    let failed = krate.run("prove -p queue --features wait");
    failed.with(1, &["reached alice=1 bob=2, which the table does not declare"]);
    let command =
        failed.text.lines().find_map(|line| line.trim().strip_prefix("cargo selvedge replay "));
    let command = command.expect("a command");
    assert!(
        command.starts_with("--package queue --features wait each_consumer_that_waits_"),
        "{command}"
    );
    krate
        .run(&format!("replay {command}"))
        .with(0, &["the execution reached alice=1 bob=2", "-- threads --"]);
    krate.write("queue/tests/queue.rs", &model);

    // On several machines.
    krate.run("prove -p queue -F wait --shard 1/2").with(0, &["2 models, ", "prove-1-of-2.json"]);
    let (one, two) = (krate.left("prove-1-of-2.json"), krate.left("prove-2-of-2.json"));
    let (one, two) = (one.display(), two.display());
    krate
        .run(&format!("prove -p queue --merge {one}"))
        .with(2, &["these files are of 1/2; each from 1/2 to 2/2"]);
    krate.run("prove -p queue -F wait --shard 2/2").with(0, &["1 model, "]);
    krate.run(&format!("prove -p queue --merge {one} {two}")).with(0, &["3 models, "]);

    // One mutant survives for a reason.
    let survived = [
        "queue/src/lib.rs:33:37/wait/wakes",
        "executed, and no model needs it: 1",
        "7 of 8 mutants killed",
    ];
    krate.run("mutants --workspace --all-features").with(1, &survived);
    let source = krate.read("queue/src/lib.rs");
    let line = source.lines().nth(32).expect("the wait").trim();
    let entry = |reason: &str| {
        format!(
            "[[mutant]]\nfile = \"queue/src/lib.rs\"\nsource = \"{line}\"\noperation = \"wait\"\nchange = \"wakes\"\n\
             reason = \"{reason}\"\n"
        )
    };
    krate.write("queue/selvedge-accepted.toml", &entry(""));
    krate
        .run("mutants -p queue --all-features")
        .with(2, &["queue/selvedge-accepted.toml", "has no reason"]);
    krate.write(
        "queue/selvedge-accepted.toml",
        &entry("a loop that spins instead of sleeping is as correct"),
    );
    krate.run("mutants --workspace --all-features").with(0, &["7 of 8 mutants killed"]);
    // The models of a package judge those of its own sources that they execute.
    krate.run("mutants -p pool").with(1, &["no mutant was tried"]);

    krate.run("prove --all-features").with(0, &["4 models, "]);
    krate.run("report").with(0, &["4 pages"]);
    look(&krate, 4);
    let seconds = start.elapsed().as_secs();
    aloud(&format!("the walk of a workspace: {seconds} s"));
}

/// A crate with a suite on loom, in loom's own names.
#[test]
fn a_suite_on_loom() {
    let start = Instant::now();
    let krate = Crate::of("cell/before", "cell");
    krate
        .run("prove")
        .with(2, &["there is no dependency on selvedge-model", "`cargo selvedge init` adds it"]);
    krate
        .run("init --dry-run")
        .with(0, &["`cargo selvedge init --loom` moves its suite by that one line"]);
    let moved = krate.run("init --loom");
    moved.with(
        0,
        &[
            "  - loom = {",
            "  + loom = { package = \"selvedge-loom\", version = \"0.1\", path = \"",
            "`cargo package` does not accept the crate until the packages are on crates.io",
            "remove the variables LOOM_MAX_… and LOOM_CHECKPOINT_…",
        ],
    );
    assert_eq!(moved.text.matches("\n  + ").count(), 1, "one line: {}", moved.text);
    let already = ["`loom` is selvedge-loom already", "Nothing to change: all is there."];
    krate.run("init --loom").with(0, &already);

    krate.run("prove --bless").with(
        0,
        &[
            "loom::a_value_is_seen_whole",
            "loom::the_first_writes",
            "complete",
            "selvedge-models.txt is written",
        ],
    );
    krate.run("prove --complete").with(0, &["2 models, "]);
    krate.run("replay loom::the_first_writes/3").with(0, &["compare_exchange"]);
    krate.run("mutants").with(0, &["4 of 4 mutants killed"]);
    krate.run("report").with(0, &["3 pages"]);
    look(&krate, 3);

    // The suite is worth what it was: without the ordering it fails.
    let source = krate.read("src/lib.rs");
    krate.write("src/lib.rs", &source.replace("Ordering::Release", "Ordering::Relaxed"));
    krate
        .run("prove")
        .with(1, &["FAILED (data race)", "cargo selvedge replay a_value_is_seen_whole/"]);
    let seconds = start.elapsed().as_secs();
    aloud(&format!("the walk of a suite on loom: {seconds} s"));
}
