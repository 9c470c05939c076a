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
use program::{Instruction, OnQueue, Program, Random, Run, Shape, with_atomics};
use selvedge_model::engine::graph::{Config, Ending};

fn explore(
    program: &Program,
    order: &[usize],
    locations: u64,
    config: &Config,
    run: Run,
) -> Found<program::Outcome> {
    explore_with(config, || program::run(program, order, locations, run))
}

fn races(found: &Found<program::Outcome>) -> bool {
    found.endings.iter().any(|ending| matches!(ending, Ending::Race { .. }))
}

/// A thread that has the mutex comes to its end, if nothing else blocks it.
fn may_block(step: &Instruction) -> bool {
    matches!(step, Instruction::Await(..) | Instruction::Take(_, 1, _))
}

/// Holds the engine against the axioms on one program.
fn compare(program: &Program, locations: u64, bound: Option<usize>) {
    let lowered = with_atomics(program, locations, bound);
    let allowed = axioms::enumerate(&lowered, locations);
    let updates =
        |step: &Instruction| matches!(step, Instruction::Update(..) | Instruction::Weak(..));
    let has_updates = program.iter().flatten().any(updates);
    let forwards: Vec<usize> = (0..program.len()).collect();
    let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
    let waits = program.iter().flatten().any(|step| matches!(step, Instruction::Await(..)));
    let blocks = lowered.iter().flatten().any(may_block);
    let configs = [
        (&forwards, Config::default(), false),
        (&backwards, Config::default(), false),
        (&forwards, Config { reversed: true, ..Config::default() }, false),
        (&forwards, Config { hashes: true, ..Config::default() }, false),
        (&forwards, Config::default(), true),
        (&backwards, Config { reversed: true, ..Config::default() }, true),
    ];
    for (order, config, spins) in configs {
        if spins && !waits {
            continue;
        }
        let found = explore(program, order, locations, &config, Run { spins, bound });
        let races = races(&found);
        // The axioms are asked about graphs in which all threads end.
        let known = races == allowed.races || races && blocks;
        assert!(known, "a race: {races} {program:?} {config:?}");
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
        // A loop that spins may find several values before that it waits for.
        if !spins {
            assert_eq!(found.complete(), allowed.graphs, "graphs: {program:?} {config:?}");
        }
    }
}

/// Holds what the engine finds of a program with objects against what it finds with atomics in place of them. Returns
/// whether it came to the end of both.
fn compare_with_atomics(program: &Program, locations: u64, bound: Option<usize>) -> bool {
    let order: Vec<usize> = (0..program.len()).collect();
    let config = Config { executions: 20_000, ..Config::default() };
    let run = Run { spins: false, bound };
    let found = |program: &Program| explore(program, &order, locations, &config, run);
    let atomics = with_atomics(program, locations, bound);
    let without_late_looks = without_late_looks(&atomics);
    let [here, there] = [program, &atomics].map(found);
    let counts = (without_late_looks != atomics).then(|| found(&without_late_looks));
    let counts = counts.as_ref().unwrap_or(&there);
    if [&here, &there, counts].iter().any(|found| !found.report.bounds.is_empty()) {
        return false;
    }
    assert_eq!(races(&here), races(&there), "a race: {program:?}");
    if !races(&here) {
        assert_eq!(here.results, there.results, "{program:?}");
        let deadlocks = [&here, &there].map(|found| found.report.deadlocks > 0);
        assert_eq!(deadlocks[0], deadlocks[1], "deadlocks: {program:?}");
        // Which of two comes first to a rendezvous are two executions; so is which of two begins to read first.
        let reads = program.iter().flatten().any(|step| *step == Instruction::Read);
        let as_many = here.complete() == counts.complete();
        assert!(bound == Some(0) || reads || as_many, "graphs: {program:?}");
    }
    true
}

/// The same program, with no execution in which an attempt to receive reads how many messages were sent and then finds one.
fn without_late_looks(program: &Program) -> Program {
    let mut program = program.clone();
    for step in program.iter_mut().flatten() {
        if let Instruction::Queue(on_queue @ OnQueue::TryReceive, _) = step {
            *on_queue = OnQueue::TakeOrFindNone;
        }
    }
    program
}

fn programs() -> u64 {
    std::env::var("SELVEDGE_PROGRAMS").ok().map_or(200, |text| text.parse().expect("a number"))
}

fn sweep(seed: u64, count: u64, shape: Shape) {
    let mut random = Random(seed);
    let mut different = BTreeSet::new();
    for _ in 0..count {
        let program = program::random(shape, &mut random);
        compare(&program, shape.locations, shape.bound);
        different.insert(format!("{program:?}"));
    }
    println!("{} different programs of {shape:?}", different.len());
}

const SHAPE: Shape = Shape {
    threads: 2,
    steps: 2,
    locations: 2,
    cells: false,
    strong: false,
    waits: false,
    locks: false,
    reads: false,
    messages: false,
    bound: Some(1),
    queue: false,
};

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
fn two_threads_of_two_that_lock() {
    sweep(13, 5 * programs(), Shape { locks: true, ..SHAPE });
}

#[test]
fn two_threads_of_three_that_lock() {
    sweep(14, programs(), Shape { steps: 3, locks: true, cells: true, ..SHAPE });
}

#[test]
fn two_threads_of_two_that_lock_and_wait() {
    sweep(15, 2 * programs(), Shape { locks: true, waits: true, ..SHAPE });
}

#[test]
fn two_threads_of_two_that_read_and_write_under_a_lock() {
    sweep(28, programs(), Shape { reads: true, cells: true, ..SHAPE });
}

#[test]
fn two_threads_that_send_messages() {
    sweep(16, programs(), Shape { steps: 1, messages: true, cells: true, ..SHAPE });
}

#[test]
fn two_threads_of_two_that_send_messages() {
    sweep(17, programs() / 2, Shape { messages: true, ..SHAPE });
}

/// More threads than the axioms can be asked about.
#[test]
fn objects_are_like_atomics() {
    let shape = Shape { threads: 3, steps: 1, messages: true, ..SHAPE };
    let shapes = [
        shape,
        Shape { locks: true, ..shape },
        Shape { steps: 2, cells: true, ..shape },
        Shape { steps: 2, messages: false, locks: true, cells: true, ..shape },
        Shape { threads: 4, ..shape },
        Shape { bound: Some(0), ..shape },
        Shape { bound: Some(0), locks: true, ..shape },
        Shape { bound: None, ..shape },
        Shape { bound: None, cells: true, locks: true, ..shape },
        Shape { messages: false, queue: true, ..shape },
        Shape { messages: false, queue: true, steps: 2, cells: true, ..shape },
        Shape { messages: false, queue: true, locks: true, ..shape },
        Shape { messages: false, reads: true, steps: 2, cells: true, ..shape },
        Shape { messages: false, reads: true, locks: true, ..shape },
        Shape { messages: false, reads: true, threads: 4, ..shape },
    ];
    for (shape, seed) in shapes.into_iter().zip(18..) {
        let mut random = Random(seed);
        let compared = (0..programs()).filter(|_| {
            let program = program::random(shape, &mut random);
            compare_with_atomics(&program, shape.locations, shape.bound)
        });
        let compared = compared.count() as u64;
        println!("{compared} of {} programs of {shape:?}", programs());
        assert!(compared > programs() / 2, "{compared} of {} came to their ends", programs());
    }
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
