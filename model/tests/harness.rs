//! The harness itself: whatever is wrong with a model is reported as what it is.
//!
//! Under `--cfg loom` these run on the checker; otherwise on real threads, which can show less:
//! what only the checker can tell is in `on_loom`, `bounds` and `refused`.

#[cfg(loom)]
mod bounds;
#[cfg(loom)]
mod on_loom;
#[cfg(not(loom))]
mod on_threads;
#[cfg(loom)]
mod refused;

use std::process::{Command, Output};

use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Mutex, PoisonError};
use selvedge_model::{CheckError, Failure, Model};

fn counter() -> AtomicU64 {
    AtomicU64::new(0)
}

fn increment(count: &AtomicU64) {
    count.fetch_add(1, SeqCst);
}

/// Two increments that cannot be lost.
fn sound() -> Model<AtomicU64> {
    Model::new(counter)
        .thread("alice", increment)
        .thread("bob", increment)
        .finally("total", |count| count.load(SeqCst))
}

#[test]
fn an_exact_table_passes() {
    let report = sound().acceptable("total=2", "both count").check();
    assert_eq!(report.outcomes.len(), 1);
    assert_eq!(report.seen("total=2"), report.executions());
    assert!(report.executions() > 0, "a check that ran nothing must not pass");
    assert_eq!(report.is_complete(), cfg!(loom), "only the checker explores completely");
}

#[test]
fn an_undeclared_outcome_is_named() {
    let error = sound().acceptable("total=3", "wrong on purpose").try_check().unwrap_err();
    assert!(
        matches!(&error, CheckError::UnexpectedOutcome { outcome, reason: None, .. } if outcome == "total=2"),
        "{error}"
    );
}

#[test]
fn a_forbidden_outcome_gives_its_reason() {
    let error = sound()
        .acceptable("total=1", "never")
        .forbidden("total=2", "forbidden on purpose")
        .try_check()
        .unwrap_err();
    assert!(
        matches!(&error, CheckError::UnexpectedOutcome { reason: Some(reason), .. } if reason == "forbidden on purpose"),
        "{error}"
    );
}

#[test]
fn a_panic_in_a_thread_is_reported_as_a_panic() {
    let model = || {
        Model::new(counter).thread("alice", increment).thread("bob", |count| {
            increment(count);
            assert_eq!(count.load(SeqCst), 0, "the count is never 0 here");
        })
    };
    let error = model().acceptable("()", "never").try_check().unwrap_err();
    assert_eq!(error.failure(), Some(Failure::Panic), "{error}");
    let text = error.to_string();
    assert!(text.contains("bob panicked") && text.contains("never 0 here"), "{text}");
    assert!(text.contains("model/tests/harness.rs:"), "the place of the panic is named: {text}");

    let report = model().fails(Failure::Panic).try_check().expect("it fails that way");
    assert!(report.failure.is_some_and(|found| found.seen > 0), "a panic was seen");
}

#[test]
fn a_panic_in_finally_is_reported_as_a_panic() {
    Model::new(counter)
        .thread("alice", increment)
        .finally("check", |count| assert_eq!(count.load(SeqCst), 2, "there was one increment"))
        .fails(Failure::Panic)
        .check();
}

#[test]
fn a_panic_in_init_is_reported_as_a_panic() {
    let init = || -> AtomicU64 { panic!("no state today") };
    let error = Model::new(init).thread("alice", increment).acceptable("()", "never").try_check();
    let error = error.unwrap_err();
    assert_eq!(error.failure(), Some(Failure::Panic), "{error}");
    assert!(error.to_string().contains("no state today"), "{error}");
}

#[test]
fn a_panic_in_the_states_drop_is_reported_as_a_panic() {
    struct Fragile(AtomicU64);
    impl Drop for Fragile {
        fn drop(&mut self) {
            assert_eq!(self.0.load(SeqCst), 0, "nobody has touched it");
        }
    }
    let error = Model::new(|| Fragile(counter()))
        .thread("alice", |state| increment(&state.0))
        .acceptable("()", "never")
        .try_check()
        .unwrap_err();
    assert_eq!(error.failure(), Some(Failure::Panic), "{error}");
    assert!(error.to_string().contains("nobody has touched it"), "{error}");
}

/// A thread that ends while it waits for itself.
fn waits_for_itself() -> Model<Mutex<u64>> {
    Model::new(|| Mutex::new(0)).thread("alice", |mutex| {
        let first = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let second = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        *first + *second
    })
}

#[test]
fn a_deadlock_is_a_deadlock() {
    let report = waits_for_itself().fails(Failure::Deadlock).try_check().expect("it deadlocks");
    assert_eq!(report.failure.map(|found| found.failure), Some(Failure::Deadlock));
}

#[test]
fn another_failure_than_the_expected_one_does_not_pass() {
    let error = Model::new(counter)
        .thread("alice", |_| panic!("not a deadlock"))
        .fails(Failure::Deadlock)
        .try_check()
        .unwrap_err();
    assert!(
        matches!(&error, CheckError::FailedDifferently { expected: Failure::Deadlock, .. }),
        "{error}"
    );
    assert_eq!(error.failure(), Some(Failure::Panic));
}

#[test]
fn after_a_failing_model_the_next_one_works() {
    for _ in 0..3 {
        waits_for_itself().fails(Failure::Deadlock).check();
        sound().acceptable("total=2", "both count").check();
    }
}

fn message<S: Send + Sync + 'static>(model: Model<S>) -> String {
    let error = model.try_check().unwrap_err();
    assert!(matches!(error, CheckError::WrongModel { .. }), "{error}");
    error.to_string()
}

#[test]
fn a_model_without_threads_is_refused() {
    let text = message(Model::new(counter).acceptable("()", "nothing to do"));
    assert!(text.contains("no threads") && text.contains(".thread(name, body)"), "{text}");
}

#[test]
fn a_model_without_expectations_is_refused() {
    const NO_OUTCOME: &str = "declares no outcome that may be reached";
    let text = message(sound());
    assert!(text.contains(NO_OUTCOME) && text.contains(".acceptable("), "{text}");
    let text = message(sound().forbidden("total=1", "a table of forbidden rows allows nothing"));
    assert!(text.contains(NO_OUTCOME), "{text}");
}

#[test]
fn a_table_and_an_expected_failure_exclude_each_other() {
    let text = message(sound().acceptable("total=2", "x").fails(Failure::Deadlock));
    assert!(text.contains("\"total=2\"") && text.contains("must have either a table or"), "{text}");
}

#[test]
fn two_threads_of_one_name_are_refused() {
    let model = Model::new(counter).thread("alice", increment).thread("alice", increment);
    let text = message(model.acceptable("()", "x"));
    assert!(text.contains("must be unique, got \"alice\" twice"), "{text}");
}

#[test]
fn names_that_would_make_outcomes_ambiguous_are_refused() {
    for name in ["a b", "a=b", "", "tab\there"] {
        let text = message(Model::new(counter).thread(name, increment).acceptable("()", "x"));
        assert!(text.contains("must not be empty and must not contain"), "{text}");
        assert!(text.contains(&format!("got {name:?}")), "{text}");
        let text = message(sound().finally(name, |_| 1).acceptable("()", "x"));
        assert!(text.contains(&format!("{name:?}")), "{text}");
    }
}

#[test]
fn an_outcome_declared_twice_is_refused() {
    let text = message(sound().acceptable("total=2", "once").forbidden("total=2", "twice"));
    assert!(text.contains("\"total=2\"") && text.contains("declared twice"), "{text}");
}

/// A model of `n` threads that each load.
fn loads(n: usize) -> Model<AtomicU64> {
    let names = (1..=n).map(|number| format!("t{number}"));
    names.fold(Model::new(counter), |model, name| {
        model.thread(&name, |count| {
            count.load(SeqCst);
        })
    })
}

#[test]
fn more_than_fifteen_threads_are_refused() {
    loads(15).rounds(10).acceptable("()", "they only load").check();
    let text = message(loads(16).acceptable("()", "x"));
    assert!(text.contains("at most 15 threads, got 16"), "{text}");
}

#[test]
fn bounds_out_of_range_are_refused() {
    for steps in [0, 60_001, usize::MAX] {
        let text = message(sound().steps(steps).acceptable("total=2", "x"));
        let expected = format!(".steps(n) must be 1 to 60000, got {steps}");
        assert!(text.contains(&expected), "{text}");
    }
    let text = message(sound().rounds(0).acceptable("total=2", "x"));
    assert!(text.contains(".rounds(n) must be at least 1, got 0"), "{text}");
    let text = message(sound().executions(0).acceptable("total=2", "x"));
    assert!(text.contains(".executions(n) must be at least 1, got 0"), "{text}");
}

/// Runs one test of this very binary with an environment of its own.
fn rerun(test: &str, variables: &[(&str, &str)]) -> Output {
    rerun_of(test, module_path!(), variables)
}

pub(crate) fn rerun_of(test: &str, module: &str, variables: &[(&str, &str)]) -> Output {
    let this = std::env::current_exe().expect("a test has a binary");
    Command::new(this)
        .args(["--exact", &crate::name_of(test, module), "--nocapture"])
        // The gate sets these for the whole run.
        .env_remove("SELVEDGE_RESULTS")
        .env_remove("SELVEDGE_TRACES")
        .env_remove("SELVEDGE_SITES")
        .env_remove("SELVEDGE_OPTIONS")
        .envs(variables.iter().copied())
        .output()
        .expect("a test binary can be run")
}

pub(crate) fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams.map(|stream| String::from_utf8_lossy(stream).into_owned()).concat()
}

/// What `check` panics with reaches the terminal, and so does whatever the test itself says next.
#[test]
fn a_failing_check_prints_its_error() {
    let output = rerun("prints_a_failure_if_asked_to", &[("PRINT_A_FAILURE", "check")]);
    let printed = text(&output);
    assert!(!output.status.success(), "{printed}");
    assert!(printed.contains("reached total=2, which the table does not declare"), "{printed}");
    assert!(printed.contains("it declares total=3"), "{printed}");
    let output = rerun("prints_a_failure_if_asked_to", &[("PRINT_A_FAILURE", "later")]);
    let printed = text(&output);
    assert!(!output.status.success() && printed.contains("said by the test"), "{printed}");
}

/// Fails only when run by the test above.
/// The interleaving says what led to the failure; the stack of the thread that calls `check` does not.
#[test]
fn a_failing_check_prints_no_stack_trace() {
    for (how, error) in [("check", "reached total=2"), ("scenarios", "is not linearizable")] {
        for backtrace in ["1", "full"] {
            let variables = [("PRINT_A_FAILURE", how), ("RUST_BACKTRACE", backtrace)];
            let printed = text(&rerun("prints_a_failure_if_asked_to", &variables));
            assert!(printed.contains(error) || !cfg!(loom), "{printed}");
            assert!(
                !printed.contains("stack backtrace") && !printed.contains("  at "),
                "{printed}"
            );
        }
    }
    let variables = [("PRINT_A_FAILURE", "later"), ("RUST_BACKTRACE", "1")];
    let printed = text(&rerun("prints_a_failure_if_asked_to", &variables));
    assert!(printed.contains("stack backtrace"), "that of other panics is: {printed}");
}

#[test]
fn prints_a_failure_if_asked_to() {
    match std::env::var("PRINT_A_FAILURE").as_deref() {
        Ok("check") => drop(sound().acceptable("total=3", "wrong on purpose").check()),
        Ok("scenarios") => {
            let split = |count: &AtomicU64| count.swap(count.load(SeqCst) + 1, SeqCst);
            selvedge_model::linearizable(counter).operation("add", split).check();
        }
        Ok(_) => {
            sound().acceptable("total=2", "both count").check();
            panic!("said by the test");
        }
        Err(_) => {}
    }
}

#[test]
fn an_outcome_of_the_wrong_form_is_refused() {
    for outcome in ["totl=2", "2", "()", " total=2", "alice=1 total=2 "] {
        let text = message(sound().acceptable(outcome, "misspelt"));
        assert!(text.contains(&format!("{outcome:?}")) && text.contains("\"total=…\""), "{text}");
    }
    let text = message(sound().acceptable("total=2", "both").forbidden("totl=1", "misspelt"));
    assert!(text.contains("\"totl=1\""), "{text}");
    let silent = Model::new(counter).thread("alice", increment);
    assert!(message(silent.acceptable("alice=()", "unit is not shown")).contains("\"()\""));
}

/// A lock from `std::sync`, held across a step by two threads: on loom, the checker's one OS thread
/// waits for itself. On real threads, a thread that waits for nobody.
#[test]
fn what_gets_stuck_is_given_up() {
    let output = rerun("gets_stuck_if_asked_to", &[("GET_STUCK", "1"), ("SELVEDGE_PATIENCE", "1")]);
    let printed = text(&output);
    let verdict =
        if cfg!(loom) { "no execution has ended for 1 s" } else { "did not end within 1 s" };
    assert!(!output.status.success() && printed.contains(verdict), "{printed}");
    if cfg!(loom) {
        // Where the thread stands that waits for the other's lock.
        let stands = "; b runs, and has taken no operation. After that it blocks on something that the checker";
        assert!(printed.contains(stands), "{printed}");
    }
    for nonsense in ["long", "0"] {
        let output = rerun("an_exact_table_passes", &[("SELVEDGE_PATIENCE", nonsense)]);
        let printed = text(&output);
        let expected =
            format!("SELVEDGE_PATIENCE must be a positive integer (seconds), got {nonsense:?}");
        assert!(printed.contains(&expected), "{printed}");
    }
}

/// Blocks only when run by the test above.
#[test]
fn gets_stuck_if_asked_to() {
    if std::env::var_os("GET_STUCK").is_none() {
        return;
    }
    let hold = |(lock, count): &(std::sync::Mutex<()>, AtomicU64)| {
        let _held = lock.lock();
        increment(count);
        if cfg!(loom) {
            increment(count);
        } else {
            std::thread::park();
        }
    };
    let model = Model::new(|| (std::sync::Mutex::new(()), counter()));
    model.thread("a", hold).thread("b", hold).acceptable("()", "never").check();
}

/// `SELVEDGE_PATIENCE` limits one execution or one round, not all of them together. On the checker,
/// progress is printed from two seconds on.
#[test]
fn a_long_check_reports_its_progress() {
    let variables = [("TAKE_TIME", "1"), ("SELVEDGE_PATIENCE", "1"), ("SELVEDGE_ROUNDS", "20")];
    let output = rerun("takes_its_time_if_asked_to", &variables);
    let printed = text(&output);
    assert!(output.status.success(), "{printed}");
    let progress = "harness::takes_its_time_if_asked_to: ";
    let line = printed
        .lines()
        .find(|line| line.ends_with(" s") && line.contains(" executions so far, about "));
    assert_eq!(line.is_some_and(|line| line.starts_with(progress)), cfg!(loom), "{printed}");
    let place = "% of all; init, or an observation, runs, and has taken no operation, ";
    assert_eq!(printed.contains(place), cfg!(loom), "{printed}");
    // A short one prints nothing of it.
    assert!(!text(&rerun("an_exact_table_passes", &[])).contains("so far"));
}

/// Takes three seconds, only when run by the test above.
#[test]
fn takes_its_time_if_asked_to() {
    if std::env::var_os("TAKE_TIME").is_none() {
        return;
    }
    let init = || {
        std::thread::sleep(std::time::Duration::from_millis(150));
        counter()
    };
    let add = |count: &AtomicU64| (0..3).for_each(|_| increment(count));
    let model = Model::new(init).thread("alice", add).thread("bob", add);
    model.acceptable("()", "both end").check();
}

/// A thread that sleeps in a loop that waits, or after a wait with a limit: the progress and the timeout name its last
/// operation.
#[test]
#[cfg(loom)]
fn a_thread_that_sleeps_is_named_with_its_place() {
    for (model, line) in [("sleeps_if_asked_to", SLEEPS), ("sleeps_after_a_wait", AFTER_A_WAIT)] {
        let printed = text(&rerun(model, &[("TAKE_TIME", "1"), ("SELVEDGE_PATIENCE", "3")]));
        let stands =
            format!("; waits runs, its last operation is at model/tests/harness.rs:{line}");
        let progress = format!("{stands}, 2 s\n");
        let timeout =
            format!("timeout: no execution has ended for 3 s{stands}. After that it blocks");
        assert!(printed.contains(&progress) && printed.contains(&timeout), "{printed}");
    }
}

/// The line of the load below.
#[cfg(loom)]
const SLEEPS: u32 = line!() + 11;

/// Takes three seconds, only when run by the test above.
#[test]
#[cfg(loom)]
fn sleeps_if_asked_to() {
    if std::env::var_os("TAKE_TIME").is_none() {
        return;
    }
    let model = Model::new(counter).thread("sets", |ready| ready.store(1, SeqCst));
    let waits = |ready: &AtomicU64| {
        while ready.load(SeqCst) == 0 {
            std::thread::sleep(std::time::Duration::from_secs(10));
        }
    };
    model.thread("waits", waits).acceptable("()", "it is set").check();
}

/// The line of the wait below.
#[cfg(loom)]
const AFTER_A_WAIT: u32 = line!() + 12;

/// Takes three seconds, only when run by the test above.
#[test]
#[cfg(loom)]
fn sleeps_after_a_wait() {
    if std::env::var_os("TAKE_TIME").is_none() {
        return;
    }
    let model = Model::new(counter).thread("sets", |ready| ready.store(1, SeqCst));
    let waits = |ready: &AtomicU64| {
        ready.load(SeqCst);
        selvedge_model::sync::thread::park_timeout(std::time::Duration::from_secs(1));
        std::thread::sleep(std::time::Duration::from_secs(10));
    };
    model.thread("waits", waits).patient().without_spurious().acceptable("()", "it is set").check();
}

/// Each run of a model shows that it goes on, if it is not an execution too.
#[test]
#[cfg(loom)]
fn runs_that_are_given_up_are_a_sign_of_life() {
    let variables = [("TAKE_TIME", "1"), ("SELVEDGE_PATIENCE", "1")];
    let printed = text(&rerun("is_only_bounded_if_asked_to", &variables));
    assert!(
        printed.contains("1 passed") && printed.contains("no execution has ended in"),
        "{printed}"
    );
}

/// Takes three seconds, only when run by the test above.
#[test]
#[cfg(loom)]
fn is_only_bounded_if_asked_to() {
    if std::env::var_os("TAKE_TIME").is_none() {
        return;
    }
    let init = || {
        std::thread::sleep(std::time::Duration::from_millis(150));
        (counter(), counter())
    };
    let add = |(_, count): &(AtomicU64, AtomicU64)| (0..3).for_each(|_| increment(count));
    let report = Model::new(init)
        .thread("loops", |(turns, _)| {
            while turns.fetch_add(1, SeqCst) < 1_000 {
                selvedge_model::sync::hint::spin_loop();
            }
        })
        .thread("alice", add)
        .thread("bob", add)
        .explore();
    let report = report.expect("a bound is not a failure");
    assert!(report.executions() == 0 && report.bound().is_some(), "{report}");
}

#[test]
fn bounds_from_the_environment_are_refused() {
    for (name, value) in [
        ("LOOM_MAX_PERMUTATIONS", "1"),
        ("LOOM_MAX_BRANCHES", "5"),
        ("LOOM_MAX_DURATION", "1"),
        ("LOOM_MAX_PREEMPTIONS", "1"),
        ("LOOM_CHECKPOINT_INTERVAL", "1"),
        ("LOOM_CHECKPOINT_FILE", "somewhere.json"),
    ] {
        let output = rerun("an_exact_table_passes", &[(name, value)]);
        let text = text(&output);
        assert!(!output.status.success(), "{name} must not be obeyed: {text}");
        assert!(text.contains(&format!("{name}={value}")), "{text}");
    }
    let printed = text(&rerun("an_exact_table_passes", &[("SELVEDGE_LOMO", "3")]));
    let unknown = "there is no environment variable SELVEDGE_LOMO; there are: SELVEDGE_REPLAY, SELVEDGE_ROUNDS, ";
    assert!(printed.contains("1 failed") && printed.contains(unknown), "{printed}");
    let output = rerun("an_exact_table_passes", &[]);
    assert!(output.status.success(), "without them it passes: {}", text(&output));
}
