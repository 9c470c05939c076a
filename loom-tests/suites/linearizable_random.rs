//! # Larger scenarios, at random
//!
//! Scenarios of a size at which there are too many to explore all. A failure is shrunk to a smallest scenario.
//!
//! Up to seven operations, in two threads with up to four or three with up to three. Each scenario is explored up
//! to 10,000 executions. `LINEARIZABLE_SCENARIOS` is the number of scenarios of each alphabet (`cargo ci
//! linearizable N`); without it there are three.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use selvedge::Stats;
use selvedge_model::{CheckError, Linearizable, Promise, linearizable};
use specimens::racy::LossyCounter;

use crate::support::alphabets::{counter, map, stats};

/// How many scenarios of each alphabet the ordinary suite explores.
const FEW: u32 = 3;
/// The most that can be asked for.
const MOST: u32 = 100_000;
/// The most operations of a scenario.
const OPERATIONS: usize = 7;

fn scenarios_to_explore() -> u32 {
    let Ok(value) = std::env::var("LINEARIZABLE_SCENARIOS") else { return FEW };
    match value.parse() {
        Ok(scenarios) if (1..=MOST).contains(&scenarios) => scenarios,
        _ => panic!("LINEARIZABLE_SCENARIOS must be 1 to {MOST} (scenarios), got {value:?}"),
    }
}

/// An initial state, and the operations of each thread: by number.
fn scenarios(starts: usize, operations: usize) -> impl Strategy<Value = (usize, Vec<Vec<usize>>)> {
    let threads =
        prop_oneof![vec(vec(0..operations, 1..=4), 2), vec(vec(0..operations, 1..=3), 2..=3)]
            .prop_filter("few enough orders", |threads: &Vec<Vec<usize>>| {
                threads.iter().map(Vec::len).sum::<usize>() <= OPERATIONS
            });
    (0..starts.max(1), threads)
}

/// Explores random scenarios; the error is that of the smallest failing one that shrinking comes to.
fn explore<S: Send + Sync + 'static, L: Send + 'static, M: 'static>(
    alphabet: impl Fn() -> Linearizable<S, L, M>,
) -> Result<(), CheckError> {
    let (names, starts) = (alphabet().operations(), alphabet().starts());
    let config =
        Config { cases: scenarios_to_explore(), failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let executions = RefCell::new(0);
    let newest = RefCell::new(None);
    let result = runner.run(&scenarios(starts.len(), names.len()), |(start, threads)| {
        let thread = |thread: &Vec<usize>| {
            thread.iter().map(|n| names[*n].as_str()).collect::<Vec<_>>().join(", ")
        };
        let threads = threads.iter().map(thread).collect::<Vec<_>>().join(" || ");
        let text = match starts.get(start) {
            Some(start) => format!("{start}: {threads}"),
            None => threads,
        };
        match alphabet().only(&text).executions(10_000).try_check() {
            Ok(report) => {
                *executions.borrow_mut() += report.executions();
                Ok(())
            }
            Err(error) => {
                let reason = error.to_string();
                *newest.borrow_mut() = Some(error);
                Err(TestCaseError::fail(reason))
            }
        }
    });
    println!(
        "{} scenarios of {}, {} executions",
        scenarios_to_explore(),
        names.join(", "),
        executions.borrow()
    );
    match result {
        Ok(()) => Ok(()),
        // The newest failure is the smallest: shrinking goes on from failures alone.
        Err(TestError::Fail(..)) => Err(newest.take().expect("a failure has been noted")),
        Err(abort) => panic!("{abort}"),
    }
}

#[test]
fn larger_scenarios_of_counter_are_quiescently_consistent() {
    let counter = || {
        counter::counter()
            .owned("own 4", |_, handle| handle.add(4))
            .promises(Promise::QuiescentlyConsistent)
    };
    explore(counter).expect("it keeps its promise");
}

#[test]
fn larger_scenarios_of_stats_are_linearizable() {
    explore(|| stats::stats(Stats::handle)).expect("they keep their promise");
}

#[test]
fn larger_scenarios_of_map_are_linearizable() {
    let map = || {
        map::map_with_each_key()
            .start("empty", |_| ())
            .start("one", map::one_entry)
            .start("both", map::both)
            .start("full", map::full)
    };
    explore(map).expect("it keeps its promise");
}

/// Whichever scenario fails first, shrinking ends at the smallest. On real threads there may be no failure.
#[test]
fn failing_scenario_is_shrunk_to_a_smallest() {
    let lossy = || {
        linearizable(LossyCounter::new)
            .operation("add", LossyCounter::increment)
            .operation("get", LossyCounter::get)
            .finally("total", LossyCounter::get)
    };
    let result = explore(lossy);
    if cfg!(loom) {
        let error = result.expect_err("it loses updates");
        assert_eq!(error.scenario(), Some("add || add"));
        assert!(error.to_string().contains("alice: add; bob: add; total = 1"), "{error}");
    }
}
