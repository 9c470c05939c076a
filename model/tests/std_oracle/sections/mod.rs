//! Critical sections, and loops that wait for what is done in them.
//!
//! Locks within locks, released in any order; values that change behind a `&`, which the engines cannot see; and loops
//! that log what they saw, which shows whether a turn of theirs has been left out that found something new. The
//! machine and the programs are other ones than in the rest of the oracle.

mod machine;
mod program;
mod shared;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as Proptest, RngAlgorithm, TestRng, TestRunner};

use crate::agreement;
use crate::family::seed;
use machine::answer;
use program::{About, Program};
use selvedge_model::engine::agreement::{Extent, explore as explore_both};
use selvedge_model::engine::graph::{Config, Ending, explore_results};
use selvedge_model::engine::loom;

/// Of each family, counted with their orders of declaration.
const PROGRAMS: usize = 1_000;

const LIMIT: u64 = 5_000;

#[derive(Debug, Default)]
struct Tally {
    programs: u64,
    deadlocks: u64,
    bounded: u64,
    too_large: u64,
}

fn programs(about: About, count: usize) -> Vec<Program> {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed(); 32]);
    let mut runner = TestRunner::new_with_rng(Proptest::default(), random);
    let mut all = Vec::new();
    for threads in [2, 2, 3].into_iter().cycle() {
        if all.len() >= count {
            break;
        }
        let tree = program::programs(about, threads).new_tree(&mut runner).expect("a program");
        all.extend(tree.current().orders());
    }
    all
}

enum Verdict {
    Explored(BTreeSet<String>),
    Deadlock,
    Bounded,
    TooLarge,
}

fn explore(program: &Program) -> Verdict {
    let program = Arc::new(program.clone());
    let (outcomes, deadlock) = (RefCell::new(BTreeSet::new()), Cell::new(false));
    let config = Config { executions: LIMIT, ..Config::default() };
    let report = explore_results(
        &config,
        || shared::run(&program),
        |execution, outcome| {
            match execution.ending() {
                Ending::Complete => {
                    if execution.is_sequentially_consistent() {
                        outcomes.borrow_mut().extend(outcome);
                    }
                }
                Ending::Deadlock(_) if execution.is_sequentially_consistent() => deadlock.set(true),
                Ending::Deadlock(_) => {}
                ending => panic!("{ending:?} of {program:?}"),
            }
            if deadlock.get() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    if deadlock.get() {
        Verdict::Deadlock
    } else if report.runs() >= LIMIT {
        Verdict::TooLarge
    } else if !report.bounds.is_empty() {
        Verdict::Bounded
    } else {
        Verdict::Explored(outcomes.into_inner())
    }
}

/// How the engine differs from the machine.
fn compare(program: &Program, tally: &mut Tally) -> Option<String> {
    tally.programs += 1;
    let Some(answer) = answer(program) else {
        tally.too_large += 1;
        return None;
    };
    match explore(program) {
        Verdict::TooLarge => tally.too_large += 1,
        Verdict::Bounded => tally.bounded += 1,
        Verdict::Deadlock if answer.deadlock => tally.deadlocks += 1,
        Verdict::Deadlock => return Some("a false deadlock".to_owned()),
        Verdict::Explored(_) if answer.deadlock => return Some("a missed deadlock".to_owned()),
        Verdict::Explored(outcomes) => {
            let missed: Vec<_> = answer.outcomes.difference(&outcomes).collect();
            let more: Vec<_> = outcomes.difference(&answer.outcomes).collect();
            if !missed.is_empty() || !more.is_empty() {
                return Some(format!("missed {missed:?}, false {more:?}"));
            }
        }
    }
    None
}

/// Holds the graph engine against the machine.
fn check(about: About) {
    let mut tally = Tally::default();
    for program in programs(about, PROGRAMS) {
        if std::env::var_os("ORACLE_TRACE").is_some() {
            eprintln!("{program:?}");
        }
        if let Some(difference) = compare(&program, &mut tally) {
            let differs = |program: &Program| compare(program, &mut Tally::default());
            let (program, difference) = shortened(program, difference, differs);
            panic!("{about:?}, {tally:?}: {difference}\n{program:#?}");
        }
    }
    println!("| sections | {about:?} | {tally:?} |");
}

/// Holds the loom engine against the graph engine.
fn agree(about: About) {
    let disagree = |program: &Program| {
        let program = Arc::new(program.clone());
        let graphs = Config { executions: 20_000, ..Config::default() };
        let both = explore_both(&graphs, &loom::Config::default(), || shared::run(&program));
        assert!(!matches!(both.loom.end, loom::End::Broken(_)), "{:?}\n{program:?}", both.loom);
        both.agreement
    };
    let (mut complete, mut part) = (0, 0);
    for program in
        programs(about, usize::try_from(agreement::programs()).expect("a number of programs"))
    {
        match disagree(&program) {
            Ok(Extent::Complete) => complete += 1,
            Ok(_) => part += 1,
            Err(difference) => {
                let differs = |program: &Program| Some(format!("{:?}", disagree(program).err()?));
                let (program, difference) = shortened(program, format!("{difference:?}"), differs);
                panic!("{about:?}: {difference}\n{program:#?}");
            }
        }
    }
    println!("| agree | {about:?} | {complete} complete | {part} in part |");
}

/// Without the steps that the difference can do without.
fn shortened(
    mut program: Program,
    mut difference: String,
    differs: impl Fn(&Program) -> Option<String>,
) -> (Program, String) {
    let shorter = |program: &Program| {
        program.shorter().into_iter().find_map(|shorter| Some((differs(&shorter)?, shorter)))
    };
    while let Some((found, shorter)) = shorter(&program) {
        (program, difference) = (shorter, found);
    }
    (program, difference)
}

macro_rules! families {
    ($($test:ident: $about:ident;)*) => {
        $(
            #[test]
            fn $test() {
                check(About::$about);
            }
        )*

        /// The other engine finds the same.
        mod agree {
            use super::*;

            $(
                #[test]
                fn $test() {
                    agree(About::$about);
                }
            )*
        }
    };
}

families! {
    nested_locks: Nested;
    hidden_changes: Hidden;
    tries: Tries;
    several_loops: Loops;
}
