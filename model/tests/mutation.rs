//! Each change that the façade can make to an operation is noticed by a model that needs the
//! operation as it is; and the model passes without the change.
#![cfg(loom)]

use std::path::PathBuf;
use std::process::Command;

use crate::lossy::LossyCounter;
use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, fence};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, Condvar, Mutex, OnceLock, RwLock, thread};
use selvedge_model::{Model, linearizable};
use serde_json::Value;

/// A model of this file, a change to its only operation of that name, and what becomes of it.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    ("passes_a_message", "store", "relaxed", "data race"),
    ("passes_a_message", "load", "relaxed", "data race"),
    ("buffers_no_store", "fence", "acq_rel", "undeclared outcome"),
    ("buffers_no_store", "fence", "acquire", "undeclared outcome"),
    ("buffers_no_store", "fence", "release", "undeclared outcome"),
    ("buffers_no_store", "fence", "dropped", "undeclared outcome"),
    ("has_one_order", "store", "release", "undeclared outcome"),
    ("has_one_order", "store", "relaxed", "undeclared outcome"),
    ("has_one_order", "load", "acquire", "undeclared outcome"),
    ("has_one_order", "load", "relaxed", "undeclared outcome"),
    ("adds", "fetch_add", "split", "undeclared outcome"),
    ("hands_over", "swap", "acquire", "undeclared outcome"),
    ("hands_over", "swap", "release", "undeclared outcome"),
    ("hands_over", "swap", "relaxed", "undeclared outcome"),
    ("hands_over", "swap", "split", "undeclared outcome"),
    ("spins", "compare_exchange", "success=relaxed", "data race"),
    ("spins", "compare_exchange", "always", "data race"),
    ("spins", "compare_exchange", "split", "data race"),
    ("looks_and_fails", "compare_exchange", "failure=relaxed", "undeclared outcome"),
    ("locks", "lock", "skipped", "data race"),
    ("locks", "lock", "ended", "data race"),
    ("reads", "read", "skipped", "data race"),
    ("reads", "read", "ended", "data race"),
    ("writes", "write", "skipped", "data race"),
    ("writes", "write", "ended", "data race"),
    ("writes", "write", "read", "data race"),
    ("tries", "try_lock", "fails", "undeclared outcome"),
    ("tries", "try_lock", "skipped", "data race"),
    ("tries_to_read", "try_write", "fails", "missing outcome"),
    ("tries_to_read", "try_write", "skipped", "data race"),
    ("tries_to_read", "try_read", "fails", "missing outcome"),
    ("tries_to_read", "try_read", "skipped", "data race"),
    ("waits", "notify_all", "dropped", "deadlock"),
    ("waits", "notify_all", "one", "deadlock"),
    ("sleeps", "notify_one", "dropped", "deadlock"),
    ("sleeps", "wait", "wakes", "undeclared outcome"),
    ("parks", "unpark", "dropped", "deadlock"),
    ("parks", "park", "wakes", "undeclared outcome"),
];

#[test]
fn passes_a_message() {
    struct Message(UnsafeCell<u64>, AtomicBool);
    // SAFETY: the cell is read only after the flag, and written only before.
    unsafe impl Sync for Message {}
    Model::new(|| Message(UnsafeCell::new(0), AtomicBool::new(false)))
        .thread("writer", |Message(data, ready)| {
            // SAFETY: nobody reads before the flag.
            data.with_mut(|data| unsafe { *data = 1 });
            ready.store(true, Release);
        })
        .thread("reader", |Message(data, ready)| {
            // SAFETY: nobody writes after the flag.
            ready.load(Acquire).then(|| data.with(|data| unsafe { *data }))
        })
        .acceptable("reader=None", "nothing there yet")
        .acceptable("reader=Some(1)", "the flag brings the data")
        .check();
}

#[test]
fn buffers_no_store() {
    fn write_and_look(mine: &AtomicU64, other: &AtomicU64) -> u64 {
        mine.store(1, Relaxed);
        fence(SeqCst);
        other.load(Relaxed)
    }
    Model::new(|| [AtomicU64::new(0), AtomicU64::new(0)])
        .thread("alice", |[a, b]| write_and_look(a, b))
        .thread("bob", |[a, b]| write_and_look(b, a))
        .acceptable("alice=1 bob=1", "both wrote before either looked")
        .acceptable("alice=0 bob=1", "alice was first")
        .acceptable("alice=1 bob=0", "bob was first")
        .check();
}

/// As `buffers_no_store`, by the one order of all `SeqCst` accesses.
#[test]
fn has_one_order() {
    fn write_and_look(mine: &AtomicU64, other: &AtomicU64) -> u64 {
        mine.store(1, SeqCst);
        other.load(SeqCst)
    }
    Model::new(|| [AtomicU64::new(0), AtomicU64::new(0)])
        .thread("alice", |[a, b]| write_and_look(a, b))
        .thread("bob", |[a, b]| write_and_look(b, a))
        .acceptable("alice=1 bob=1", "both wrote before either looked")
        .acceptable("alice=0 bob=1", "alice was first")
        .acceptable("alice=1 bob=0", "bob was first")
        .check();
}

#[test]
fn adds() {
    let add = |n: &AtomicU64| {
        n.fetch_add(1, Relaxed);
    };
    Model::new(|| AtomicU64::new(0))
        .thread("alice", add)
        .thread("bob", add)
        .finally("total", |n| n.load(Relaxed))
        .acceptable("total=2", "nothing is lost")
        .check();
}

/// The second thread to swap sees what the first did before.
#[test]
fn adds_in_every_scenario() {
    linearizable(|| AtomicU64::new(0))
        .operation("add", |total| total.fetch_add(1, Relaxed))
        .size(2, 2)
        .check();
}

#[test]
fn initialises_once() {
    let get = |once: &OnceLock<u64>| *once.get_or_init(|| 1);
    Model::new(OnceLock::new)
        .thread("alice", get)
        .thread("bob", get)
        .acceptable("alice=1 bob=1", "one of the two made it")
        .check();
}

#[test]
fn loses_an_add() {
    linearizable(LossyCounter::new)
        .operation("add", LossyCounter::increment)
        .finally("total", LossyCounter::get)
        .fails("add || add")
        .check();
}

#[test]
fn hands_over() {
    fn swap(mine: &AtomicU64, theirs: &AtomicU64, turn: &AtomicBool) -> Option<u64> {
        mine.store(1, Relaxed);
        turn.swap(true, AcqRel).then(|| theirs.load(Relaxed))
    }
    Model::new(|| (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false)))
        .thread("alice", |(a, b, turn)| swap(a, b, turn))
        .thread("bob", |(a, b, turn)| swap(b, a, turn))
        .acceptable("alice=None bob=Some(1)", "alice was first")
        .acceptable("alice=Some(1) bob=None", "bob was first")
        .check();
}

#[test]
fn spins() {
    struct Spin(AtomicBool, UnsafeCell<u64>);
    // SAFETY: the cell is touched only between the exchange and the release.
    unsafe impl Sync for Spin {}
    let add = |Spin(taken, cell): &Spin| {
        if taken.compare_exchange(false, true, Acquire, Relaxed).is_ok() {
            // SAFETY: `taken` was false, so nobody else is here.
            cell.with_mut(|n| unsafe { *n += 1 });
            taken.store(false, Release);
        }
    };
    Model::new(|| Spin(AtomicBool::new(false), UnsafeCell::new(0)))
        .thread("alice", add)
        .thread("bob", add)
        .acceptable("()", "nobody meets anybody")
        .check();
}

#[test]
fn looks_and_fails() {
    Model::new(|| [AtomicU64::new(0), AtomicU64::new(0)])
        .thread("writer", |[data, state]| {
            data.store(1, Relaxed);
            state.store(2, Release);
        })
        .thread("reader", |[data, state]| match state.compare_exchange(0, 1, Relaxed, Acquire) {
            Ok(_) => None,
            Err(_) => Some(data.load(Relaxed)),
        })
        .acceptable("reader=None", "the reader was first")
        .acceptable("reader=Some(1)", "the state brings the data")
        .check();
}

#[test]
fn locks() {
    let add = |n: &Mutex<u64>| *n.lock().expect("no thread panics") += 1;
    Model::new(|| Mutex::new(0))
        .thread("alice", add)
        .thread("bob", add)
        .finally("total", |n| *n.try_lock().expect("nobody holds it"))
        .acceptable("total=2", "nothing is lost")
        .check();
}

#[test]
fn reads() {
    Model::new(|| RwLock::new(0))
        .thread("writer", |n| *n.write().expect("no thread panics") += 1)
        .thread("reader", |n| *n.read().expect("no thread panics"))
        .acceptable("reader=0", "before")
        .acceptable("reader=1", "after")
        .check();
}

#[test]
fn writes() {
    let add = |n: &RwLock<u64>| *n.write().expect("no thread panics") += 1;
    Model::new(|| RwLock::new(0))
        .thread("alice", add)
        .thread("bob", add)
        .finally("total", |n| *n.read().expect("no thread panics"))
        .acceptable("total=2", "nothing is lost")
        .check();
}

#[test]
fn tries() {
    let add = |n: &Mutex<u64>| n.try_lock().map(|mut n| *n += 1).is_ok();
    Model::new(|| Mutex::new(0))
        .thread("alice", add)
        .thread("bob", add)
        .acceptable("alice=true bob=true", "one after the other")
        .acceptable("alice=true bob=false", "bob came while alice was there")
        .acceptable("alice=false bob=true", "alice came while bob was there")
        .check();
}

#[test]
fn tries_to_read() {
    Model::new(|| RwLock::new(0))
        .thread("writer", |n| n.try_write().map(|mut n| *n += 1).is_ok())
        .thread("reader", |n| n.try_read().ok().map(|n| *n))
        .acceptable("writer=true reader=Some(0)", "read before")
        .acceptable("writer=true reader=Some(1)", "read after")
        .acceptable("writer=true reader=None", "the reader came while the writer was there")
        .acceptable("writer=false reader=Some(0)", "the writer came while the reader was there")
        .check();
}

#[test]
fn sleeps() {
    Model::new(|| (Mutex::new(false), Condvar::new()))
        .thread("sleeper", |(open, opened)| {
            let mut open = open.lock().expect("no thread panics");
            if !*open {
                open = opened.wait(open).expect("no thread panics");
            }
            *open
        })
        .thread("waker", |(open, opened)| {
            *open.lock().expect("no thread panics") = true;
            opened.notify_one();
        })
        .without_spurious()
        .acceptable("sleeper=true", "whoever sleeps is woken")
        .check();
}

#[test]
fn waits() {
    let wait = |(open, opened): &(Mutex<bool>, Condvar)| {
        let mut open = open.lock().expect("no thread panics");
        while !*open {
            open = opened.wait(open).expect("no thread panics");
        }
    };
    Model::new(|| (Mutex::new(false), Condvar::new()))
        .thread("alice", wait)
        .thread("bob", wait)
        .thread("opens", |(open, opened)| {
            *open.lock().expect("no thread panics") = true;
            opened.notify_all();
            true
        })
        .acceptable("opens=true", "all go on")
        .check();
}

#[test]
fn parks() {
    Model::new(|| Arc::new(AtomicU64::new(0)))
        .thread("parent", |n| {
            let (parent, theirs) = (thread::current(), Arc::clone(n));
            let child = thread::spawn(move || {
                theirs.store(1, Relaxed);
                parent.unpark();
            });
            thread::park();
            let found = n.load(Relaxed);
            child.join().expect("no thread panics");
            found
        })
        .thread("other", |n| n.load(Relaxed))
        .without_spurious()
        .acceptable("parent=1 other=0", "before")
        .acceptable("parent=1 other=1", "after")
        .check();
}

/// The command that runs one model of this file.
fn command(test: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test has a binary"));
    command
        .args(["--exact", &crate::name_of(test, module_path!())])
        .envs(variables.iter().copied());
    command
}

/// Runs one model of this file and returns its result.
fn run(test: &str, variables: &[(&str, &str)]) -> Value {
    static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let run = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder: PathBuf =
        std::env::temp_dir().join(format!("selvedge-mutation-{}-{run}", std::process::id()));
    let output = command(test, variables)
        .env("SELVEDGE_RESULTS", &folder)
        .output()
        .expect("a test binary can be run");
    let file = folder.join("mutation.jsonl");
    let line = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{test} left no result: {error}\n{output:?}"));
    std::fs::remove_dir_all(&folder).expect("its own folder");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn each_change_is_noticed() {
    let listed = |operation: &Value, change: &Value| {
        CHANGES.iter().any(|row| (row.1, row.2) == (as_str(operation), as_str(change)))
    };
    for &(test, operation, change, failure) in CHANGES {
        let clean = run(test, &[("SELVEDGE_SITES", "1")]);
        assert_eq!(clean["verdict"], "passed", "{test}: {clean}");
        let sites = clean["sites"].as_array().expect("they were asked for");
        for site in sites.iter().filter(|site| site["contended"] == true) {
            for change in site["changes"].as_array().expect("a list") {
                assert!(listed(&site["operation"], change), "{change} of {site} is in no row");
            }
        }
        let here = sites.iter().find(|site| site["operation"] == operation);
        let site = here.unwrap_or_else(|| panic!("{test} executes no {operation}: {clean}"));
        let offered = site["changes"].as_array().expect("a list");
        assert!(offered.contains(&change.into()), "{change} is not among {offered:?}");
        let (file, line, column) = (as_str(&site["file"]), &site["line"], &site["column"]);
        let mutant = format!("{file}:{line}:{column}/{operation}/{change}");
        let found = run(test, &[("SELVEDGE_MUTANT", &mutant)]);
        assert_eq!(found["failure"], failure, "{mutant} in {test}: {found}");
        assert!(found["applied"].as_u64() > Some(0), "{mutant}: {found}");
    }
}

fn as_str(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Its orderings and its lock are those of the standard library.
#[test]
fn a_once_lock_is_no_place_for_a_mutation() {
    let found = run("initialises_once", &[("SELVEDGE_SITES", "1")]);
    assert_eq!(found["verdict"], "passed", "{found}");
    assert_eq!(found["sites"].as_array().map(Vec::len), Some(0), "{found}");
}

#[test]
fn a_change_of_another_place_changes_nothing() {
    let found = run("adds", &[("SELVEDGE_MUTANT", "src/nowhere.rs:1:1/fetch_add/split")]);
    assert_eq!((&found["verdict"], &found["applied"]), (&"passed".into(), &0.into()), "{found}");
}

/// A place that is not there, and changes that an operation which is there has not.
#[test]
fn a_change_that_is_not_made_is_told_and_what_there_is() {
    let clean = run("adds", &[("SELVEDGE_SITES", "1")]);
    let site = clean["sites"].as_array().and_then(|sites| sites.first()).expect("one fetch_add");
    let (file, line, column) = (as_str(&site["file"]), &site["line"], &site["column"]);
    let nowhere = "src/nowhere.rs:1:1/fetch_add/split".to_owned();
    for (mutant, there) in [
        (nowhere, "no operation at src/nowhere.rs:1".to_owned()),
        (
            format!("{file}:{line}:1/fetch_add/split"),
            format!("{file}:{line}:{column}/fetch_add/{{split}}"),
        ),
        (
            format!("{file}:{line}:{column}/fetch_add/relaxed"),
            format!("{file}:{line}:{column}/fetch_add/{{split}}"),
        ),
    ] {
        for test in ["adds", "adds_in_every_scenario"] {
            // Not what is captured and shown only if the test fails.
            let output = command(test, &[("SELVEDGE_MUTANT", &mutant)]).output().expect("it runs");
            let said = String::from_utf8_lossy(&output.stderr);
            let says = format!(
                "mutation::{test}: SELVEDGE_MUTANT={mutant} changes nothing here: this model executes "
            );
            assert!(output.status.success() && said.contains(&says), "{said}");
            assert!(test != "adds" || said.contains(&there), "{said}");
        }
    }
    let made = format!("{file}:{line}:{column}/fetch_add/split");
    let output = command("adds", &[("SELVEDGE_MUTANT", &made)]).output().expect("it runs");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("changes nothing"), "{output:?}");
}

#[test]
fn a_change_or_a_limit_that_cannot_be_understood_fails_each_model() {
    for (name, value) in [("SELVEDGE_MUTANT", "somewhere"), ("SELVEDGE_LIMIT", "0")] {
        let output = command("adds", &[(name, value)]).output().expect("a test binary can be run");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "{text}");
        assert!(text.contains(&format!("wrong model: {name} must be ")), "{text}");
        assert!(text.contains(&format!("got {value:?}")), "{text}");
    }
}

#[test]
fn a_limit_cuts_a_model_short_and_fails_it() {
    let clean = run("adds", &[("SELVEDGE_LIMIT", "2")]);
    assert_eq!(clean["verdict"], "passed", "two executions are within the limit: {clean}");
    let found = run("adds", &[("SELVEDGE_LIMIT", "1")]);
    assert_eq!(found["failure"], "limit exceeded", "{found}");
}

#[test]
fn a_limit_is_for_all_scenarios_together() {
    let clean = run("adds_in_every_scenario", &[]);
    let executions = clean["executions"].as_u64().expect("a number");
    let limited =
        |limit: u64| run("adds_in_every_scenario", &[("SELVEDGE_LIMIT", &limit.to_string())]);
    assert_eq!(limited(executions)["verdict"], "passed", "{clean}");
    for limit in [1, executions - 1] {
        let found = limited(limit);
        assert_eq!(
            (&found["verdict"], &found["failure"]),
            (&"failed".into(), &"limit exceeded".into())
        );
    }
}

#[test]
fn a_scenario_that_is_cut_short_is_not_one_that_fails_differently() {
    assert_eq!(run("loses_an_add", &[])["verdict"], "passed");
    let found = run("loses_an_add", &[("SELVEDGE_LIMIT", "1")]);
    assert_eq!(found["failure"], "limit exceeded", "{found}");
}
