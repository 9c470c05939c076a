//! The engine against C++20 as its axioms say it, without load buffering: the same outcomes, and each consistent graph once.
//!
//! `SELVEDGE_PROGRAMS=n` sets how many random programs of each shape are tried.

#![allow(
    clippy::cast_possible_truncation,
    clippy::needless_for_each,
    reason = "small numbers; a line each"
)]
#![allow(unreachable_pub, reason = "a test is no library")]

mod axioms;
mod genmc;
mod litmus;
pub mod program;

use std::collections::BTreeSet;

use crate::support::{Found, explore_with};
use program::{Instruction, Program, Random, Shape};
use selvedge_model::engine::graph::{Config, Ending};

fn explore(
    program: &Program,
    order: &[usize],
    locations: u64,
    config: &Config,
) -> Found<program::Outcome> {
    explore_with(config, || program::run(program, order, locations))
}

/// Holds the engine against the axioms on one program.
fn compare(program: &Program, locations: u64, ways: usize) {
    let allowed = axioms::enumerate(program, locations as usize);
    let updates =
        |step: &Instruction| matches!(step, Instruction::Update(..) | Instruction::Weak(..));
    let has_updates = program.iter().flatten().any(updates);
    let forwards: Vec<usize> = (0..program.len()).collect();
    let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
    let configs = [
        (&forwards, Config::default()),
        (&backwards, Config::default()),
        (&forwards, Config { reversed: true, ..Config::default() }),
        (&forwards, Config { hashes: true, ..Config::default() }),
    ];
    for (order, config) in configs.into_iter().take(ways) {
        let found = explore(program, order, locations, &config);
        let races = found.endings.iter().any(|ending| matches!(ending, Ending::Race { .. }));
        assert_eq!(races, allowed.races, "a race: {program:?} {config:?}");
        if races {
            continue;
        }
        let deadlocks = |ending: &Ending| matches!(ending, Ending::Deadlock(_));
        assert!(found.endings.iter().all(deadlocks), "{:?}: {program:?}", found.endings);
        let missed: Vec<_> = allowed.outcomes.difference(&found.results).collect();
        let wrong: Vec<_> = found.results.difference(&allowed.outcomes).collect();
        assert!(
            missed.is_empty() && wrong.is_empty(),
            "missed {missed:?}, wrong {wrong:?}: {program:?} {config:?}"
        );
        // Only of an update is it not known before whether the SC axiom will hold.
        assert!(has_updates || found.report.inconsistent == 0, "wasted runs: {program:?}");
        assert_eq!(found.complete(), allowed.graphs, "graphs: {program:?} {config:?}");
    }
}

fn programs() -> u64 {
    std::env::var("SELVEDGE_PROGRAMS").ok().map_or(200, |text| text.parse().expect("a number"))
}

fn sweep(seed: u64, count: u64, shape: Shape) {
    let mut random = Random(seed);
    let mut different = BTreeSet::new();
    for _ in 0..count {
        let program = program::random(shape, &mut random);
        compare(&program, shape.locations, 4);
        different.insert(format!("{program:?}"));
    }
    println!("{} different programs of {shape:?}", different.len());
}

const SHAPE: Shape =
    Shape { threads: 2, steps: 2, locations: 2, cells: false, strong: false, waits: false };

#[test]
fn two_threads_of_two() {
    sweep(1, 5 * programs(), SHAPE);
}

#[test]
fn two_threads_of_two_with_cells() {
    sweep(2, 5 * programs(), Shape { cells: true, locations: 1, ..SHAPE });
}

#[test]
fn two_threads_of_three() {
    sweep(3, 2 * programs(), Shape { steps: 3, ..SHAPE });
}

#[test]
fn two_threads_of_three_strong() {
    sweep(4, 2 * programs(), Shape { steps: 3, strong: true, ..SHAPE });
}

#[test]
fn two_threads_of_three_with_cells() {
    sweep(5, 2 * programs(), Shape { steps: 3, cells: true, ..SHAPE });
}

/// Of the graphs in which each wait ends. Which deadlocks there are is asked elsewhere.
#[test]
fn two_threads_of_three_that_wait() {
    sweep(11, 2 * programs(), Shape { steps: 3, waits: true, ..SHAPE });
}

#[test]
fn three_threads_of_two_that_wait() {
    sweep(12, programs() / 2, Shape { threads: 3, waits: true, ..SHAPE });
}

#[test]
fn three_threads_of_two() {
    sweep(6, programs() / 2, Shape { threads: 3, ..SHAPE });
}

#[test]
fn three_threads_of_two_strong() {
    sweep(7, programs() / 2, Shape { threads: 3, strong: true, ..SHAPE });
}

#[test]
fn three_threads_of_two_on_one_location() {
    sweep(8, programs() / 4, Shape { threads: 3, locations: 1, ..SHAPE });
}

#[test]
fn four_threads_of_one() {
    sweep(9, programs(), Shape { threads: 4, steps: 1, ..SHAPE });
}

#[test]
fn two_threads_of_four() {
    sweep(10, programs() / 4, Shape { steps: 4, ..SHAPE });
}
