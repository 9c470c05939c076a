//! Each change that the façade can make to an operation is noticed by a program that needs the
//! operation as it is; and without the change there is nothing to notice.

mod programs;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::process::Command;

use programs::*;
use selvedge_model::engine::graph::{Config, Ending, explore_results};
use selvedge_model::kernel::Policy;
use selvedge_model::mutation::{Mutant, Probe, Site};
use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, fence};
use selvedge_model::sync::{Condvar, Mutex, OnceLock, RwLock, TryLockError, mpsc, thread};

/// How a change is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noticed {
    Race,
    Deadlock,
    /// By an outcome that there is not without the change.
    Undeclared,
    /// By an outcome that there is only without the change.
    Missing,
}
use Noticed::{Deadlock, Missing, Race, Undeclared};

/// A program, a change to its first operation of that name, and how it is noticed.
type Row = (fn() -> String, &'static str, &'static str, Noticed);

const CHANGES: &[Row] = &[
    (passes_a_message, "store", "relaxed", Race),
    (passes_a_message, "load", "relaxed", Race),
    (buffers_no_store, "fence", "acq_rel", Undeclared),
    (buffers_no_store, "fence", "acquire", Undeclared),
    (buffers_no_store, "fence", "release", Undeclared),
    (buffers_no_store, "fence", "dropped", Undeclared),
    (has_one_order, "store", "release", Undeclared),
    (has_one_order, "store", "relaxed", Undeclared),
    (has_one_order, "load", "acquire", Undeclared),
    (has_one_order, "load", "relaxed", Undeclared),
    (adds, "fetch_add", "split", Undeclared),
    (adds_in_order, "fetch_add", "acq_rel", Undeclared),
    (adds_in_order, "fetch_add", "acquire", Undeclared),
    (adds_in_order, "fetch_add", "release", Undeclared),
    (adds_in_order, "fetch_add", "relaxed", Undeclared),
    (hands_over, "swap", "acquire", Undeclared),
    (hands_over, "swap", "release", Undeclared),
    (hands_over, "swap", "relaxed", Undeclared),
    (hands_over, "swap", "split", Undeclared),
    (spins, "compare_exchange", "success=relaxed", Race),
    (spins, "compare_exchange", "always", Race),
    (spins, "compare_exchange", "split", Race),
    (spins_weakly, "compare_exchange", "success=relaxed", Race),
    (spins_weakly, "compare_exchange", "always", Race),
    (spins_weakly, "compare_exchange", "split", Race),
    (spins_by_update, "compare_exchange", "success=relaxed", Race),
    (spins_by_update, "compare_exchange", "always", Race),
    (spins_by_update, "compare_exchange", "split", Race),
    (looks_and_fails, "compare_exchange", "failure=relaxed", Undeclared),
    (fails_without_cause, "compare_exchange", "failure=relaxed", Undeclared),
    (locks, "lock", "skipped", Race),
    (locks, "lock", "ended", Race),
    (reads, "read", "skipped", Race),
    (reads, "read", "ended", Race),
    (writes, "write", "skipped", Race),
    (writes, "write", "ended", Race),
    (writes, "write", "read", Race),
    (tries, "try_lock", "fails", Undeclared),
    (tries, "try_lock", "skipped", Race),
    (tries_to_read, "try_write", "fails", Missing),
    (tries_to_read, "try_write", "skipped", Race),
    (tries_to_read, "try_read", "fails", Missing),
    (tries_to_read, "try_read", "skipped", Race),
    (waits, "notify_all", "dropped", Deadlock),
    (waits, "notify_all", "one", Deadlock),
    (waits, "lock", "skipped", Race),
    (waits, "lock", "ended", Race),
    (sleeps, "notify_one", "dropped", Deadlock),
    (sleeps, "wait", "wakes", Undeclared),
    (parks, "unpark", "dropped", Deadlock),
    (parks, "park", "wakes", Undeclared),
];

/// What an exploration of a program found.
struct Found {
    outcomes: BTreeSet<String>,
    endings: Vec<Ending>,
    applied: Option<u64>,
    executed: Vec<Site>,
}

fn explore(program: fn() -> String, mutant: Option<Mutant>, reversed: bool) -> Found {
    let mut found = Found {
        outcomes: BTreeSet::new(),
        endings: Vec::new(),
        applied: None,
        executed: Vec::new(),
    };
    let spurious = ![sleeps as fn() -> String, parks]
        .iter()
        .any(|&other| std::ptr::fn_addr_eq(other, program));
    let probe = std::sync::Arc::new(Probe::new(mutant, true));
    let config = Config {
        probe: Some(probe.clone()),
        policy: Policy { spurious, patient: false },
        reversed,
        ..Config::default()
    };
    let report = explore_results(&config, program, |execution, outcome| {
        match execution.ending() {
            Ending::Complete => found.outcomes.extend(outcome),
            other => found.endings.push(other.clone()),
        }
        ControlFlow::Continue(())
    });
    assert_eq!(report.bounds, []);
    (found.applied, found.executed) = (probe.applied(), probe.executed().expect("asked for"));
    found
}

fn mutant(site: &Site, change: &str) -> Mutant {
    let Site { file, line, column, operation, .. } = site;
    format!("{file}:{line}:{column}/{operation}/{change}").parse().expect("well formed")
}

#[test]
fn each_change_is_noticed() {
    for &(program, operation, change, noticed) in CHANGES {
        let clean = explore(program, None, false);
        assert_eq!(clean.endings, [], "without {operation}/{change}");
        let site = clean.executed.iter().find(|site| site.operation == operation);
        let site = site.unwrap_or_else(|| panic!("no {operation} for {change}"));
        assert!(site.contended, "{site:?}");
        assert!(site.changes.iter().any(|offered| offered == change), "no {change}: {site:?}");
        for reversed in [false, true] {
            let found = explore(program, Some(mutant(site, change)), reversed);
            assert!(found.applied > Some(0), "{change} of {site:?}");
            let (is, of) = (&found.outcomes, &clean.outcomes);
            let how = match found.endings[..] {
                [Ending::Race { .. }, ..] => Some(Race),
                [Ending::Deadlock(_), ..] => Some(Deadlock),
                [] if !is.is_subset(of) => Some(Undeclared),
                [] if is != of => Some(Missing),
                _ => None,
            };
            let (endings, of) = (&found.endings, &clean.outcomes);
            assert_eq!(how, Some(noticed), "{change} of {site:?}: {of:?}, {is:?}, {endings:?}");
        }
    }
}

/// The rows are all that can be asked of their programs, and no change confuses the engine: it ends with
/// an outcome, a race or a deadlock, and both preferences of the scheduler agree.
#[test]
fn no_change_of_a_program_is_without_a_row_or_an_error_of_the_engine() {
    for rows in CHANGES.chunk_by(|a, b| std::ptr::fn_addr_eq(a.0, b.0)) {
        let program = rows[0].0;
        let clean = explore(program, None, false);
        for site in clean.executed.iter().filter(|site| site.contended) {
            for change in &site.changes {
                let listed = CHANGES.iter().any(|row| (row.1, row.2) == (&*site.operation, change));
                assert!(listed, "{change} of {site:?} is in no row");
                let [found, other] =
                    [false, true].map(|way| explore(program, Some(mutant(site, change)), way));
                let known =
                    |ending: &Ending| matches!(ending, Ending::Race { .. } | Ending::Deadlock(_));
                let races = |found: &Found| {
                    found.endings.iter().any(|ending| matches!(ending, Ending::Race { .. }))
                };
                assert!(found.endings.iter().all(known), "{change} of {site:?}");
                assert_eq!(races(&found), races(&other), "{change} of {site:?}");
                if !races(&found) {
                    assert_eq!(found.outcomes, other.outcomes, "{change} of {site:?}");
                    assert_eq!(found.endings.len(), other.endings.len(), "{change} of {site:?}");
                }
            }
        }
    }
}

#[test]
fn a_change_of_another_place_changes_nothing() {
    for place in ["src/nowhere.rs:1:1/fetch_add/split", "src/nowhere.rs:1:1/fetch_add/relaxed"] {
        let found = explore(adds, Some(place.parse().expect("well formed")), false);
        assert_eq!(found.applied, Some(0));
        assert_eq!(found.outcomes.into_iter().collect::<Vec<_>>(), ["2"]);
    }
}

/// The load of a read-modify-write that is split acquires what the whole did, and the store releases it.
#[test]
fn a_split_keeps_the_ordering() {
    fn program() -> String {
        let message = Shared::new(AtomicU64::new(0));
        both(
            || {
                message.add();
                message.1.swap(1, AcqRel);
            },
            || match message.1.fetch_or(0, AcqRel) {
                0 => message.1.compare_exchange(1, 2, AcqRel, Relaxed).map(|_| message.get()),
                _ => Ok(message.get()),
            },
        )
    }
    let clean = explore(program, None, false);
    assert_eq!((clean.endings, clean.executed.len()), (vec![], 3));
    for site in &clean.executed {
        let found = explore(program, Some(mutant(site, "split")), false);
        assert!(found.applied > Some(0), "{site:?}");
        assert_eq!(found.endings, [], "{site:?}");
    }
}

/// An operation is contended if it could be executed at the same time as one of another thread: not
/// before others are spawned, and not once all have been joined.
#[test]
fn an_operation_is_contended_while_another_thread_could_run() {
    fn program() -> String {
        let n = AtomicU64::new(0);
        n.store(0, Relaxed);
        thread::scope(|scope| {
            let child = scope.spawn(|| n.fetch_or(2, Relaxed));
            n.fetch_add(1, Relaxed);
            child.join().expect("no panic");
            n.fetch_sub(1, Relaxed);
        });
        n.load(Relaxed).to_string()
    }
    for reversed in [false, true] {
        let executed = explore(program, None, reversed).executed;
        let seen: Vec<_> = executed.iter().map(|site| (&*site.operation, site.contended)).collect();
        let expected = [
            ("store", false),
            ("fetch_or", true),
            ("fetch_add", true),
            ("fetch_sub", false),
            ("load", false),
        ];
        assert_eq!(seen, expected);
    }
}

/// The names are an interface: lists of mutants and of exceptions are written in them.
#[test]
fn operations_have_the_names_of_their_methods() {
    fn program() -> String {
        use std::time::Duration;
        let (n, b) = (AtomicU64::new(0), AtomicBool::new(false));
        n.store(n.load(Relaxed), Relaxed);
        let fetched = [
            n.swap(0, Relaxed),
            n.fetch_add(0, Relaxed),
            n.fetch_sub(0, Relaxed),
            n.fetch_max(0, Relaxed),
            n.fetch_min(0, Relaxed),
            n.fetch_and(0, Relaxed),
            n.fetch_nand(0, Relaxed),
            n.fetch_or(0, Relaxed),
            u64::from(b.fetch_xor(false, Relaxed)),
        ];
        let exchanged = n.compare_exchange(1, 0, Release, Relaxed);
        let weakly = n.compare_exchange_weak(1, 0, AcqRel, Acquire);
        let updated = n.fetch_update(SeqCst, Acquire, Some);
        fence(Release);
        let (mutex, lock, condvar) = (Mutex::new(0), RwLock::new(0), Condvar::new());
        drop(mutex.lock());
        drop(mutex.try_lock());
        drop(lock.read());
        drop(lock.try_read());
        drop(lock.write());
        drop(lock.try_write());
        condvar.notify_one();
        condvar.notify_all();
        // Those with a limit may end at any moment anyway.
        drop(condvar.wait_timeout(mutex.lock().expect("no panic"), Duration::ZERO));
        thread::park_timeout(Duration::ZERO);
        thread::current().unpark();
        thread::park();
        // Their orderings and locks are those of the standard library.
        let (once, (sender, receiver)) = (OnceLock::new(), mpsc::channel());
        sender.send(*once.get_or_init(|| 1)).expect("there is a receiver");
        format!("{fetched:?} {exchanged:?} {weakly:?} {updated:?} {:?}", receiver.recv())
    }
    let executed = explore(program, None, false).executed;
    let seen: Vec<String> = executed
        .iter()
        .map(|site| format!("{} ({}): {}", site.operation, site.ordering, site.changes.join(" ")))
        .collect();
    let expected = [
        "store (relaxed): ",
        "load (relaxed): ",
        "swap (relaxed): split",
        "fetch_add (relaxed): split",
        "fetch_sub (relaxed): split",
        "fetch_max (relaxed): split",
        "fetch_min (relaxed): split",
        "fetch_and (relaxed): split",
        "fetch_nand (relaxed): split",
        "fetch_or (relaxed): split",
        "fetch_xor (relaxed): split",
        "compare_exchange (release, relaxed): success=relaxed split always",
        "compare_exchange (acq_rel, acquire): success=acquire success=release success=relaxed \
         failure=relaxed split always",
        "compare_exchange (seq_cst, acquire): success=acq_rel success=acquire success=release \
         success=relaxed failure=relaxed split always",
        "load (acquire): relaxed",
        "fence (release): dropped",
        "lock (): skipped ended",
        "try_lock (): fails skipped",
        "read (): skipped ended",
        "try_read (): fails skipped",
        "write (): skipped ended read",
        "try_write (): fails skipped",
        "notify_one (): dropped",
        "notify_all (): dropped one",
        "lock (): skipped ended",
        "unpark (): dropped",
        "park (): wakes",
    ];
    assert_eq!(seen, expected);
}

/// A lock that a mutant does not hold still says whether it is poisoned, and releases nothing: the
/// next one to acquire it does not block.
#[test]
fn a_lock_that_is_not_held_reports_poison_and_releases_nothing() {
    fn program() -> String {
        let (mutex, lock) = (Mutex::new(0), RwLock::new(0));
        let panics = || -> () {
            let _guards = (mutex.lock(), lock.write());
            panic!("the guards poison");
        };
        assert!(thread::scope(|scope| scope.spawn(panics).join()).is_err());
        // One statement each: a guard is dropped at its end.
        let mut found = Vec::new();
        found.push(mutex.lock().is_err());
        found.push(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
        found.push(lock.read().is_err());
        found.push(lock.write().is_err());
        found.push(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
        found.push(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
        format!("{found:?}")
    }
    let clean = explore(program, None, false);
    assert_eq!(clean.endings, []);
    let poisoned = format!("{:?}", [true; 6]);
    assert_eq!(clean.outcomes, BTreeSet::from([poisoned]));
    for site in clean.executed.iter().filter(|site| !site.contended) {
        for change in site.changes.iter().filter(|change| *change != "fails") {
            let found = explore(program, Some(mutant(site, change)), false);
            assert!(found.applied > Some(0), "{change} of {site:?}");
            assert_eq!(found.endings, [], "{change} of {site:?}");
            assert_eq!(found.outcomes, clean.outcomes, "{change} of {site:?}");
        }
    }
}

/// Of a lock that another guard holds.
#[test]
fn a_guard_that_holds_nothing_does_not_release_what_another_holds() {
    fn mutex() -> String {
        let mutex = Mutex::new(0);
        let first = mutex.lock();
        let second = mutex.try_lock();
        drop(first);
        let third = mutex.try_lock();
        drop(second);
        let held = (third.is_ok(), mutex.try_lock().is_err());
        format!("{held:?}")
    }
    fn lock() -> String {
        let lock = RwLock::new(0);
        let first = lock.write();
        let second = lock.try_write();
        drop(first);
        let third = lock.try_write();
        drop(second);
        let held = (third.is_ok(), lock.try_read().is_err());
        format!("{held:?}")
    }
    for (program, operation) in [(mutex as fn() -> String, "try_lock"), (lock, "try_write")] {
        let clean = explore(program, None, false);
        let held = BTreeSet::from([format!("{:?}", (true, true))]);
        assert_eq!(clean.outcomes, held);
        let site = clean.executed.iter().find(|site| site.operation == operation);
        let skipped = mutant(site.expect("it is executed"), "skipped");
        let found = explore(program, Some(skipped), false);
        assert!(found.applied > Some(0));
        assert_eq!((found.endings, found.outcomes), (vec![], held));
    }
}

/// Run by `the_environment_asks_for_a_probe`, with variables and without.
#[test]
fn nothing_is_asked_for() {
    match Probe::from_environment() {
        Ok(None) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_environment_asks_for_a_probe() {
    for (variables, expected) in [
        (&[][..], None),
        (&[("SELVEDGE_SITES", "1")], Some("mutant: None")),
        (&[("SELVEDGE_MUTANT", "src/a.rs:1:2/load/relaxed")], Some("Weaker(Relaxed)")),
        (&[("SELVEDGE_MUTANT", "somewhere")], Some("SELVEDGE_MUTANT must be ")),
    ] {
        let output = Command::new(std::env::current_exe().expect("a test has a binary"))
            .args(["--exact", "mutation::nothing_is_asked_for"])
            .env_remove("SELVEDGE_SITES")
            .env_remove("SELVEDGE_MUTANT")
            .envs(variables.iter().copied())
            .output()
            .expect("a test binary can be run");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("running 1 test"), "{text}");
        assert_eq!(output.status.success(), expected.is_none(), "{text}");
        assert!(expected.is_none_or(|expected| text.contains(expected)), "{text}");
    }
}
