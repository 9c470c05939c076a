//! Release, acquire and relaxed accesses, and fences, by brute force.
//!
//! An operational model in the tradition of view-based semantics (Kang et al., "A promising
//! semantics for relaxed-memory concurrency", POPL 2017, without promises, so without load
//! buffering). Memory is, for each variable, a list of messages in modification order. A message
//! carries the view that its writer released with it. A view says, for each variable, the oldest
//! message that may still be read.
//!
//! `SeqCst` fences share one global view; `SeqCst` accesses are not modelled here, and programs
//! that have them are refused.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::Ordering;

use crate::program::{Op, Outcome, Program};

/// For each variable the number of a message; the mutex is the last "variable".
type View = Vec<u32>;

/// A write.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Message {
    /// Unique among the messages of its variable, in the order of execution.
    number: u32,
    value: u64,
    view: View,
    /// Written by a read-modify-write: nothing may come between it and the one before.
    attached: bool,
}

/// What a thread knows.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Thread {
    left: Vec<Step>,
    reads: Vec<u64>,
    /// What it has to respect.
    current: View,
    /// What an acquire fence would add.
    acquired: View,
    /// What its relaxed writes release: the current view at its last release fence.
    released: View,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Step {
    Op(Op2),
    Lock,
    Unlock,
}

/// An operation with what its orderings amount to.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Op2 {
    Load {
        x: usize,
        acquire: bool,
    },
    /// A load that reads this value and is no part of the result.
    Await {
        x: usize,
        value: u64,
        acquire: bool,
    },
    Store {
        x: usize,
        value: u64,
        release: bool,
    },
    Update {
        x: usize,
        change: Change,
        acquire: bool,
        release: bool,
        failure_acquires: bool,
    },
    Fence {
        acquire: bool,
        release: bool,
        global: bool,
    },
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Change {
    Swap(u64),
    Add(u64),
    Cas(u64, u64),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    memory: Vec<Vec<Message>>,
    threads: Vec<Thread>,
    holder: Option<usize>,
    /// What the last owner of the mutex knew.
    handed_on: View,
    /// What `SeqCst` fences share.
    global: View,
}

/// All outcomes of `program`; `None` if it has `SeqCst` accesses.
pub(crate) fn outcomes(program: &Program) -> Option<BTreeSet<Outcome>> {
    let zero: View = vec![0; program.variables];
    let mut threads = Vec::new();
    for ops in &program.threads {
        let mut left = Vec::new();
        flatten(ops, &mut left)?;
        left.reverse();
        threads.push(Thread {
            left,
            reads: Vec::new(),
            current: zero.clone(),
            acquired: zero.clone(),
            released: zero.clone(),
        });
    }
    let first = Message { number: 0, value: 0, view: zero.clone(), attached: false };
    let mut stack = vec![State {
        memory: vec![vec![first]; program.variables],
        threads,
        holder: None,
        handed_on: zero.clone(),
        global: zero,
    }];
    let mut seen = HashSet::new();
    let mut outcomes = BTreeSet::new();
    while let Some(state) = stack.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        if state.threads.iter().all(|thread| thread.left.is_empty()) {
            let newest = |list: &Vec<Message>| list.last().map_or(0, |message| message.value);
            outcomes.insert(Outcome {
                reads: state.threads.iter().map(|thread| thread.reads.clone()).collect(),
                finals: state.memory.iter().map(newest).collect(),
            });
            continue;
        }
        for thread in 0..state.threads.len() {
            step(&state, thread, &mut stack);
        }
    }
    Some(outcomes)
}

fn flatten(ops: &[Op], steps: &mut Vec<Step>) -> Option<()> {
    use Ordering::{AcqRel, Acquire, Release, SeqCst};
    let acquires = |order| matches!(order, Acquire | AcqRel);
    let releases = |order| matches!(order, Release | AcqRel);
    for op in ops {
        let update = |x, change, ok, err: Ordering| {
            (ok != SeqCst && err != SeqCst).then(|| Op2::Update {
                x,
                change,
                acquire: acquires(ok),
                release: releases(ok),
                failure_acquires: acquires(err),
            })
        };
        steps.push(Step::Op(match *op {
            Op::Load(_, SeqCst) | Op::Store(_, _, SeqCst) | Op::Await(_, _, SeqCst) => return None,
            Op::Await(x, value, order) => Op2::Await { x, value, acquire: acquires(order) },
            Op::Load(x, order) => Op2::Load { x, acquire: acquires(order) },
            Op::Store(x, value, order) => Op2::Store { x, value, release: releases(order) },
            Op::Swap(x, value, order) => update(x, Change::Swap(value), order, order)?,
            Op::Add(x, value, order) => update(x, Change::Add(value), order, order)?,
            Op::Cas(x, expected, new, ok, err) => update(x, Change::Cas(expected, new), ok, err)?,
            Op::Fence(order) => Op2::Fence {
                acquire: order != Release,
                release: order != Acquire,
                global: order == SeqCst,
            },
            Op::Locked(ref inside) => {
                steps.push(Step::Lock);
                flatten(inside, steps)?;
                steps.push(Step::Unlock);
                continue;
            }
        }));
    }
    Some(())
}

/// Where message `number` stands in the modification order.
fn position(list: &[Message], number: u32) -> usize {
    list.iter().position(|message| message.number == number).unwrap_or(0)
}

/// The later of two views, variable by variable.
fn join(memory: &[Vec<Message>], view: &mut View, other: &View) {
    for x in 0..view.len() {
        if position(&memory[x], other[x]) > position(&memory[x], view[x]) {
            view[x] = other[x];
        }
    }
}

/// Pushes every state that a step of `thread` can lead to.
fn step(state: &State, thread: usize, stack: &mut Vec<State>) {
    let mut next = state.clone();
    let Some(step) = next.threads[thread].left.pop() else { return };
    match step {
        Step::Lock if state.holder.is_some() => {}
        Step::Lock => {
            next.holder = Some(thread);
            let me = &mut next.threads[thread];
            join(&next.memory, &mut me.current, &next.handed_on);
            join(&next.memory, &mut me.acquired, &next.handed_on);
            stack.push(next);
        }
        Step::Unlock => {
            next.holder = None;
            next.handed_on.clone_from(&next.threads[thread].current);
            stack.push(next);
        }
        Step::Op(Op2::Fence { acquire, release, global }) => {
            let State { memory, threads, global: shared, .. } = &mut next;
            let me = &mut threads[thread];
            if acquire {
                let acquired = me.acquired.clone();
                join(memory, &mut me.current, &acquired);
            }
            if global {
                join(memory, &mut me.current, shared);
                shared.clone_from(&me.current);
                let current = me.current.clone();
                join(memory, &mut me.acquired, &current);
            }
            if release {
                me.released.clone_from(&me.current);
            }
            stack.push(next);
        }
        Step::Op(Op2::Load { x, acquire }) => {
            for at in
                position(&next.memory[x], next.threads[thread].current[x])..next.memory[x].len()
            {
                let mut next = next.clone();
                read(&mut next, thread, x, at, acquire);
                stack.push(next);
            }
        }
        Step::Op(Op2::Await { x, value, acquire }) => {
            for at in
                position(&next.memory[x], next.threads[thread].current[x])..next.memory[x].len()
            {
                if next.memory[x][at].value == value {
                    let mut next = next.clone();
                    read(&mut next, thread, x, at, acquire);
                    next.threads[thread].reads.pop();
                    stack.push(next);
                }
            }
        }
        Step::Op(Op2::Store { x, value, release }) => {
            let list = &next.memory[x];
            for at in position(list, next.threads[thread].current[x]) + 1..=list.len() {
                if list.get(at).is_some_and(|message| message.attached) {
                    continue;
                }
                let mut next = next.clone();
                let inherited = vec![0; next.memory.len()];
                write(&mut next, thread, x, at, value, release, inherited, false);
                stack.push(next);
            }
        }
        Step::Op(Op2::Update { x, change, acquire, release, failure_acquires }) => {
            let list = &next.memory[x];
            for at in position(list, next.threads[thread].current[x])..list.len() {
                let found = list[at].value;
                let mut next = next.clone();
                let value = match change {
                    Change::Swap(value) => value,
                    Change::Add(value) => found + value,
                    Change::Cas(expected, new) if found == expected => new,
                    Change::Cas(..) => {
                        read(&mut next, thread, x, at, failure_acquires);
                        stack.push(next);
                        continue;
                    }
                };
                // Two read-modify-writes cannot both come right after one write.
                if list.get(at + 1).is_some_and(|message| message.attached) {
                    continue;
                }
                read(&mut next, thread, x, at, acquire);
                let inherited = next.memory[x][at].view.clone();
                write(&mut next, thread, x, at + 1, value, release, inherited, true);
                stack.push(next);
            }
        }
    }
}

/// Reads the message at position `at`.
fn read(state: &mut State, thread: usize, x: usize, at: usize, acquire: bool) {
    let State { memory, threads, .. } = state;
    let me = &mut threads[thread];
    let message = &memory[x][at];
    me.reads.push(message.value);
    me.current[x] = message.number;
    if acquire {
        join(memory, &mut me.current, &message.view);
    }
    let current = me.current.clone();
    join(memory, &mut me.acquired, &current);
    join(memory, &mut me.acquired, &message.view);
}

/// Writes a message at position `at`; `inherited` is what a release sequence hands on.
#[expect(clippy::too_many_arguments, reason = "each is a part of the message")]
fn write(
    state: &mut State,
    thread: usize,
    x: usize,
    at: usize,
    value: u64,
    release: bool,
    inherited: View,
    attached: bool,
) {
    let State { memory, threads, .. } = state;
    let me = &mut threads[thread];
    let number = u32::try_from(memory[x].len()).expect("programs are small");
    memory[x].insert(at, Message { number, value, view: Vec::new(), attached });
    me.current[x] = number;
    me.acquired[x] = number;
    let mut view = inherited;
    let own = if release { me.current.clone() } else { me.released.clone() };
    join(memory, &mut view, &own);
    if position(&memory[x], number) > position(&memory[x], view[x]) {
        view[x] = number;
    }
    memory[x][at].view = view;
}
