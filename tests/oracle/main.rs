//! The harness against an independent enumerator, over random programs.
//!
//! `program` makes programs, `interleavings` lists by brute force what sequential consistency
//! allows, `views` what weak memory allows; neither knows the harness. `checked` and `plain` run a
//! program on the harness and on loom alone. Seeds are fixed: each run checks the same programs.
//!
//! On real threads the same programs must stay within what weak memory allows.
//!
//! `ORACLE_PROGRAMS` sets how many programs each family has.

mod checked;
mod interleavings;
#[cfg(loom)]
mod plain;
mod program;
mod views;

use std::collections::BTreeSet;

use program::{Alphabet, Outcome, Program, Strength, programs};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// Programs of a family, unless `ORACLE_PROGRAMS` says otherwise.
const PROGRAMS: u32 = 10;

const STRENGTHS: [Strength; 3] = [Strength::SeqCst, Strength::Relaxed, Strength::Mixed];

const LOADS_AND_STORES: Alphabet = Alphabet {
    strength: Strength::Relaxed,
    loads_and_stores: true,
    updates: false,
    mutex: false,
    fences: false,
};
const UPDATES: Alphabet = Alphabet { loads_and_stores: false, updates: true, ..LOADS_AND_STORES };
const BOTH: Alphabet = Alphabet { updates: true, ..LOADS_AND_STORES };
const EVERYTHING: Alphabet = Alphabet { mutex: true, fences: true, ..BOTH };

/// Calls `check` with the programs of every family of this shape; a failing program is shrunk and
/// printed as a model that can be pasted.
fn for_all(threads: usize, steps: usize, check: impl Fn(&Program) -> Result<(), String>) {
    let cases = match std::env::var("ORACLE_PROGRAMS") {
        Err(_) => PROGRAMS,
        Ok(value) => value.parse().unwrap_or_else(|_| {
            panic!("ORACLE_PROGRAMS={value} is no number of programs: a whole number is accepted")
        }),
    };
    for alphabet in [LOADS_AND_STORES, UPDATES, BOTH, EVERYTHING] {
        for strength in STRENGTHS {
            let alphabet = Alphabet { strength, ..alphabet };
            let config = Config { cases, failure_persistence: None, ..Config::default() };
            let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
            let mut runner = TestRunner::new_with_rng(config, seed);
            let result = runner.run(&programs(threads, steps, alphabet), |program| {
                check(&program).map_err(proptest::test_runner::TestCaseError::fail)
            });
            match result {
                Ok(()) => {}
                Err(TestError::Fail(reason, program)) => {
                    panic!("{alphabet:?}\n\n{program}\n\n{reason}")
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

/// What `checked` must be, in either configuration.
fn agrees(program: &Program) -> Result<(), String> {
    let sequential = texts(&interleavings::outcomes(program));
    let weak = views::outcomes(program).as_ref().map(texts);
    if let Some(weak) = &weak {
        within(&sequential, weak, "weak memory must allow what sequential consistency allows")?;
    }
    let reached = checked::reached(program);
    if cfg!(loom) {
        within(&sequential, &reached.all, "sequentially consistent outcomes that were missed")?;
        let pass = &reached.interleaving;
        within(&sequential, pass, "interleavings that the interleaving pass missed")?;
        within(pass, &sequential, "no interleaving, and reached by the interleaving pass")?;
    } else if let Some(weak) = &weak {
        within(&reached.all, weak, "seen on real threads, and not allowed by weak memory")?;
    }
    Ok(())
}

#[test]
fn two_threads_of_three_steps_miss_nothing() {
    for_all(2, 3, agrees);
}

#[test]
fn two_threads_of_four_steps_miss_nothing() {
    for_all(2, 4, agrees);
}

#[test]
fn three_threads_of_two_steps_miss_nothing() {
    for_all(3, 2, agrees);
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
        let sequential = interleavings::outcomes(program).contains(outcome);
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

/// Plain loom, on the two-line program that it explores once, and the harness on the same.
#[cfg(loom)]
#[test]
fn plain_loom_explores_one_of_two_interleavings() {
    use program::Op::{Load, Store};
    use std::sync::atomic::Ordering::SeqCst;

    let program = Program {
        variables: 1,
        threads: vec![vec![Load(0, SeqCst)], vec![Load(0, SeqCst), Store(0, 1, SeqCst)]],
    };
    let both = texts(&interleavings::outcomes(&program));
    assert_eq!(both.len(), 2, "the first thread reads 0 or 1");
    let (plain, executions) = plain::reached(&program);
    assert_eq!((plain.len(), executions), (1, 1), "loom alone explores one and is content");
    assert_eq!(checked::reached(&program).all, both);
}

/// How many programs loom alone gets wrong, and what the harness costs beside it.
#[cfg(loom)]
#[test]
fn plain_loom_misses_outcomes_and_is_hardly_cheaper() {
    use std::cell::Cell;

    let (programs, missed) = (Cell::new(0_u64), Cell::new(0_u64));
    let (ours, plain) = (Cell::new(0_u64), Cell::new(0_u64));
    for_all(2, 3, |program| {
        let sequential = texts(&interleavings::outcomes(program));
        let (reached, executions) = plain::reached(program);
        programs.set(programs.get() + 1);
        plain.set(plain.get() + executions);
        ours.set(ours.get() + checked::reached(program).executions);
        if !sequential.is_subset(&reached) {
            missed.set(missed.get() + 1);
        }
        Ok(())
    });
    println!(
        "{} programs; loom alone misses a sequentially consistent outcome of {}; executions: {} \
         (both passes) against {} (loom alone, in the same shape)",
        programs.get(),
        missed.get(),
        ours.get(),
        plain.get()
    );
    assert!(missed.get() > 0, "if loom misses nothing any more, the two passes can go");
    assert!(ours.get() <= 2 * plain.get(), "both passes together cost at most twice as much");
}
