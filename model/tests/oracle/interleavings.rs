//! Sequential consistency by brute force: every interleaving, one step at a time.

use std::collections::{BTreeSet, HashSet};

use crate::program::{Op, Outcome, Program};

/// A moment in an interleaving.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    /// For each thread, what it has still to do.
    left: Vec<Vec<Step>>,
    memory: Vec<u64>,
    holder: Option<usize>,
    reads: Vec<Vec<u64>>,
}

/// A step that nothing interrupts.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Step {
    Op(Simple),
    Lock,
    Unlock,
}

/// An operation without its orderings: under sequential consistency they mean nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Simple {
    Load(usize),
    Store(usize, u64),
    Swap(usize, u64),
    Add(usize, u64),
    Cas(usize, u64, u64),
    Await(usize, u64),
    Nothing,
}

/// All outcomes of `program` under sequential consistency; `None` if it may come to a point from
/// which nobody can go on.
pub(crate) fn outcomes(program: &Program) -> Option<BTreeSet<Outcome>> {
    let mut todo = vec![State {
        // Reversed, so that the next step is the last.
        left: program
            .threads
            .iter()
            .map(|ops| {
                let mut steps = Vec::new();
                flatten(ops, &mut steps);
                steps.reverse();
                steps
            })
            .collect(),
        memory: vec![0; program.variables],
        holder: None,
        reads: vec![Vec::new(); program.threads.len()],
    }];
    let mut seen = HashSet::new();
    let mut outcomes = BTreeSet::new();
    while let Some(state) = todo.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        let (mut ended, mut stuck) = (true, true);
        for thread in 0..state.left.len() {
            let mut next = state.clone();
            let Some(step) = next.left[thread].pop() else { continue };
            ended = false;
            match step {
                Step::Lock if state.holder.is_some() => continue,
                Step::Op(Simple::Await(x, value)) if state.memory[x] != value => continue,
                Step::Lock => next.holder = Some(thread),
                Step::Unlock => next.holder = None,
                Step::Op(op) => {
                    let read = take(&op, &mut next.memory);
                    next.reads[thread].extend(read);
                }
            }
            stuck = false;
            todo.push(next);
        }
        if ended {
            outcomes.insert(Outcome { reads: state.reads, finals: state.memory });
        } else if stuck {
            return None;
        }
    }
    Some(outcomes)
}

fn flatten(ops: &[Op], steps: &mut Vec<Step>) {
    for op in ops {
        steps.push(Step::Op(match *op {
            Op::Load(x, _) => Simple::Load(x),
            Op::Store(x, v, _) => Simple::Store(x, v),
            Op::Swap(x, v, _) => Simple::Swap(x, v),
            Op::Add(x, v, _) => Simple::Add(x, v),
            Op::Cas(x, expected, new, ..) => Simple::Cas(x, expected, new),
            Op::Fence(_) => Simple::Nothing,
            Op::Await(x, value, _) => Simple::Await(x, value),
            Op::Locked(ref inside) => {
                steps.push(Step::Lock);
                flatten(inside, steps);
                steps.push(Step::Unlock);
                continue;
            }
        }));
    }
}

/// Takes one step, and returns what it read.
fn take(op: &Simple, memory: &mut [u64]) -> Option<u64> {
    match *op {
        Simple::Load(x) => Some(memory[x]),
        Simple::Store(x, v) => {
            memory[x] = v;
            None
        }
        Simple::Swap(x, v) => Some(std::mem::replace(&mut memory[x], v)),
        Simple::Add(x, v) => {
            memory[x] += v;
            Some(memory[x] - v)
        }
        Simple::Cas(x, expected, new) => {
            let found = memory[x];
            if found == expected {
                memory[x] = new;
            }
            Some(found)
        }
        Simple::Await(..) | Simple::Nothing => None,
    }
}
