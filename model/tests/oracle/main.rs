//! The harness against an independent enumerator, over random programs.
//!
//! `program` makes programs, `interleavings` lists by brute force what sequential consistency
//! allows, `views` what weak memory allows; neither knows the harness. `checked` runs a program on it. The
//! outcomes must be the same: those of interleavings, and all. Seeds are fixed: each run checks the same
//! programs.
//!
//! On real threads the same programs must stay within what weak memory allows.
//!
//! `ORACLE_SEED` makes other programs.

mod checked;
mod interleavings;
#[cfg(loom)]
#[rustfmt::skip]
mod pasted;
mod program;
mod text;
mod views;

use std::collections::BTreeSet;

use program::{Alphabet, Outcome, Program, Strength, programs};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

const STRENGTHS: [Strength; 3] = [Strength::SeqCst, Strength::Relaxed, Strength::Mixed];

const SEED: u8 = 7;

const LOADS_AND_STORES: Alphabet = Alphabet {
    strength: Strength::Relaxed,
    loads_and_stores: true,
    updates: false,
    mutex: false,
    fences: false,
    waits: false,
};
const UPDATES: Alphabet = Alphabet { loads_and_stores: false, updates: true, ..LOADS_AND_STORES };
const BOTH: Alphabet = Alphabet { updates: true, ..LOADS_AND_STORES };
const EVERYTHING: Alphabet = Alphabet { mutex: true, fences: true, ..BOTH };
const WAITS: Alphabet = Alphabet { waits: true, mutex: true, ..BOTH };

/// A family of programs: so many threads of so many steps.
struct Family {
    threads: usize,
    steps: usize,
    name: &'static str,
    alphabet: Alphabet,
    /// For each strength of orderings.
    programs: u32,
}

impl Family {
    /// Checks the programs of the family; a failing program is shrunk and printed as a model that
    /// can be pasted.
    fn check(&self) {
        let seed = match std::env::var("ORACLE_SEED") {
            Err(_) => SEED,
            Ok(value) => value
                .parse()
                .unwrap_or_else(|_| panic!("ORACLE_SEED must be 0 to 255, got {value:?}")),
        };
        for strength in STRENGTHS {
            let alphabet = Alphabet { strength, ..self.alphabet };
            let config =
                Config { cases: self.programs, failure_persistence: None, ..Config::default() };
            let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
            let mut runner = TestRunner::new_with_rng(config, random);
            let result = runner.run(&programs(self.threads, self.steps, alphabet), |program| {
                compare(&program).map_err(proptest::test_runner::TestCaseError::fail)
            });
            match result {
                Ok(()) => {}
                Err(TestError::Fail(_, program)) => {
                    let (program, reason) = shortened(program);
                    let expected = interleavings::outcomes(&program).as_ref().map(texts);
                    let test = program.as_test(expected.as_ref());
                    panic!("{}, {alphabet:?}\n\n{test}\n{reason}", self.name)
                }
                Err(TestError::Abort(reason)) => panic!("{alphabet:?}: {reason}"),
            }
        }
    }
}

fn texts(outcomes: &BTreeSet<Outcome>) -> BTreeSet<String> {
    outcomes.iter().map(ToString::to_string).collect()
}

/// Errs with what is in `part` and not in `whole`.
fn within(part: &BTreeSet<String>, whole: &BTreeSet<String>, what: &str) -> Result<(), String> {
    let rest: Vec<&String> = part.difference(whole).collect();
    if rest.is_empty() { Ok(()) } else { Err(format!("{what}: {rest:?}")) }
}

/// What the harness reaches must be what the enumerators say, in either configuration.
fn compare(program: &Program) -> Result<(), String> {
    let Some(sequential) = interleavings::outcomes(program).as_ref().map(texts) else {
        // Real threads would wait for ever.
        if cfg!(loom) && checked::reached(program).is_some() {
            return Err("a deadlock that was missed".to_owned());
        }
        return Ok(());
    };
    // Of programs with `SeqCst` accesses the views say nothing.
    let weak = views::outcomes(program).as_ref().map(texts);
    if let Some(weak) = &weak {
        within(&sequential, weak, "weak memory must allow what sequential consistency allows")?;
    }
    let Some(reached) = checked::reached(program) else {
        return Err("a deadlock where there is none".to_owned());
    };
    let all = reached.all();
    if cfg!(not(loom)) {
        let allowed = weak.unwrap_or(all.clone());
        return within(&all, &allowed, "seen on real threads, and not allowed by weak memory");
    }
    let orders = reached.by_interleavings();
    within(&sequential, &orders, "interleavings that were missed")?;
    within(&orders, &sequential, "reached by an interleaving that there is not")?;
    let Some(weak) = weak else { return Ok(()) };
    within(&weak, &all, "allowed by weak memory, and missed")?;
    within(&all, &weak, "reached, and not allowed by weak memory")
}

/// A program that fails, without the steps that it can do without, and why it fails: proptest makes
/// steps simpler, but not fewer.
fn shortened(mut program: Program) -> (Program, String) {
    let fails = |program: &Program| compare(program).err();
    while let Some(shorter) = program.shorter().into_iter().find(|shorter| fails(shorter).is_some())
    {
        program = shorter;
    }
    let why = fails(&program).unwrap_or_else(|| "but not when it was run again".to_owned());
    (program, why)
}

/// A test for each family: so that they share the cores.
macro_rules! families {
    ($($test:ident: $threads:literal x $steps:literal, $name:literal, $alphabet:expr, $programs:literal;)*) => {
        $(
            #[test]
            fn $test() {
                let (threads, steps, programs) = ($threads, $steps, $programs);
                Family { threads, steps, name: $name, alphabet: $alphabet, programs }.check();
            }
        )*
    };
}

families! {
    two_by_three_loads_and_stores: 2 x 3, "load, store", LOADS_AND_STORES, 300;
    two_by_three_updates: 2 x 3, "swap, add, compare_exchange", UPDATES, 300;
    two_by_three_both: 2 x 3, "both", BOTH, 300;
    two_by_three_everything: 2 x 3, "both, mutex, fence", EVERYTHING, 300;
    two_by_three_waits: 2 x 3, "both, mutex, wait", WAITS, 300;
    two_by_four_loads_and_stores: 2 x 4, "load, store", LOADS_AND_STORES, 40;
    two_by_four_updates: 2 x 4, "swap, add, compare_exchange", UPDATES, 40;
    two_by_four_both: 2 x 4, "both", BOTH, 40;
    two_by_four_everything: 2 x 4, "both, mutex, fence", EVERYTHING, 40;
    two_by_four_waits: 2 x 4, "both, mutex, wait", WAITS, 40;
    three_by_two_loads_and_stores: 3 x 2, "load, store", LOADS_AND_STORES, 20;
    three_by_two_updates: 3 x 2, "swap, add, compare_exchange", UPDATES, 20;
    three_by_two_both: 3 x 2, "both", BOTH, 20;
    three_by_two_everything: 3 x 2, "both, mutex, fence", EVERYTHING, 20;
    three_by_two_waits: 3 x 2, "both, mutex, wait", WAITS, 20;
}

/// The enumerators themselves, on the shapes that everybody knows.
#[test]
fn store_buffering_is_weak_and_message_passing_is_not() {
    use program::Op::{Load, Store};
    use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

    let both = |x: Vec<program::Op>, y| Program { variables: 2, threads: vec![x, y] };
    let outcome = |reads: [&[u64]; 2]| Outcome {
        reads: reads.map(<[u64]>::to_vec).to_vec(),
        finals: vec![1, 1],
    };
    let allowed = |program: &Program, outcome: &Outcome| {
        let sequential = interleavings::outcomes(program).expect("nobody waits").contains(outcome);
        let weak = views::outcomes(program).expect("no SeqCst accesses").contains(outcome);
        (sequential, weak)
    };
    let buffering = both(
        vec![Store(0, 1, Relaxed), Load(1, Relaxed)],
        vec![Store(1, 1, Relaxed), Load(0, Relaxed)],
    );
    assert_eq!(allowed(&buffering, &outcome([&[0], &[0]])), (false, true));
    let passing = |store, load| {
        both(vec![Store(0, 1, Relaxed), Store(1, 1, store)], vec![Load(1, load), Load(0, Relaxed)])
    };
    let stale = outcome([&[], &[1, 0]]);
    assert_eq!(allowed(&passing(Relaxed, Acquire), &stale), (false, true));
    assert_eq!(allowed(&passing(Release, Relaxed), &stale), (false, true));
    assert_eq!(allowed(&passing(Release, Acquire), &stale), (false, false));
}

/// What is printed of a program that fails is a test that compiles and runs: this one does
/// (`pasted`), and holds every kind of step.
#[test]
fn a_failing_program_is_printed_as_a_test() {
    use program::Op::{Add, Await, Cas, Fence, Load, Locked, Store, Swap};
    use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

    let inside = vec![Load(1, Acquire), Cas(0, 1, 3, AcqRel, Relaxed)];
    let program = Program {
        variables: 2,
        threads: vec![
            vec![Store(0, 1, Release), Fence(SeqCst), Locked(inside)],
            vec![Swap(0, 2, Relaxed), Add(1, 1, SeqCst)],
            vec![Await(1, 1, Acquire)],
        ],
    };
    let expected = interleavings::outcomes(&program).as_ref().map(texts);
    assert_eq!(program.as_test(expected.as_ref()), include_str!("pasted.rs"));
}
