//! Random programs whose threads own one `Arc` of `std`, against all interleavings in which its drops are steps.
//!
//! A program is to be refused if its last drop takes a step, and two interleavings that do not differ in what the checker
//! sees have their last drops in different threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc as StdArc;
use std::sync::Mutex as StdMutex;

use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use selvedge_model::sync::{Arc, Mutex, hint};
use selvedge_model::{CheckError, Model, Report};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Op {
    /// Reads what no thread writes.
    Look,
    Set(usize),
    Wait(usize),
    /// An update; those of all threads are in one order.
    Add,
    Lock,
    Unlock,
    /// Drops an `Arc` of the façade, of which each thread has one.
    Give,
    /// Gives up an owner.
    Drop,
}

type Program = Vec<Vec<Op>>;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n).unwrap()
    }

    fn program(&mut self) -> Program {
        let threads = 2 + self.below(2);
        (0..threads).map(|_| self.thread()).collect()
    }

    fn thread(&mut self) -> Vec<Op> {
        let mut ops: Vec<_> = (0..=self.below(3))
            .map(|_| match self.below(8) {
                0 => Op::Look,
                1 | 2 => Op::Set(self.below(2)),
                3 | 4 => Op::Wait(self.below(2)),
                5 | 6 => Op::Add,
                _ => Op::Give,
            })
            .collect();
        if let Some(first) = ops.iter().position(|&op| op == Op::Give) {
            let mut at = 0..;
            ops.retain(|&op| at.next() == Some(first) || op != Op::Give);
        }
        let at = self.below(ops.len() as u64 + 1);
        ops.insert(at, Op::Drop);
        if self.below(3) == 0 {
            let begin = self.below(ops.len() as u64);
            let end = begin + 1 + self.below((ops.len() - begin) as u64);
            ops.insert(end, Op::Unlock);
            ops.insert(begin, Op::Lock);
        }
        ops
    }
}

/// How far each thread has come, which flags are set, and which thread holds the lock.
#[derive(Debug, Clone, Default)]
struct State {
    at: Vec<usize>,
    set: [bool; 2],
    holder: Option<usize>,
    /// The order of what the checker orders.
    seen: Vec<(usize, Op)>,
    last: usize,
}

/// The last owners, by what is seen. `None` if a program may deadlock.
fn last_owners(
    program: &Program,
    state: &State,
    found: &mut BTreeMap<Vec<(usize, Op)>, BTreeSet<usize>>,
) -> Option<()> {
    let mut moved = false;
    for (thread, ops) in program.iter().enumerate() {
        let Some(&op) = ops.get(state.at[thread]) else { continue };
        let mut next = state.clone();
        match op {
            Op::Wait(flag) if !state.set[flag] => continue,
            Op::Lock if state.holder.is_some() => continue,
            Op::Look | Op::Wait(_) => {}
            Op::Set(flag) => next.set[flag] = true,
            Op::Add | Op::Give => next.seen.push((thread, op)),
            Op::Lock => {
                next.holder = Some(thread);
                next.seen.push((thread, op));
            }
            Op::Unlock => next.holder = None,
            Op::Drop => next.last = thread,
        }
        moved = true;
        next.at[thread] += 1;
        last_owners(program, &next, found)?;
    }
    if !moved {
        let ended = program.iter().zip(&state.at).all(|(ops, &at)| at == ops.len());
        ended.then_some(())?;
        // Each object has an order of its own.
        let mut seen = state.seen.clone();
        seen.sort_by_key(|&(_, op)| op);
        found.entry(seen).or_default().insert(state.last);
    }
    Some(())
}

#[derive(Default)]
struct Shared {
    flags: [AtomicBool; 2],
    unwritten: AtomicU64,
    total: AtomicU64,
    lock: Mutex<()>,
    of_the_facade: StdMutex<Vec<Arc<()>>>,
    owners: StdMutex<Vec<StdArc<Payload>>>,
}

/// What the last owner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    TakesAStep,
    IsReturned,
}

/// Takes a step when it is dropped, or none.
struct Payload(Option<AtomicU64>);

impl Drop for Payload {
    fn drop(&mut self) {
        if let Some(drops) = &self.0 {
            drops.fetch_add(1, Relaxed);
        }
    }
}

/// Whether the last owner was here, if that is returned.
fn run(ops: &[Op], shared: &Shared, last: Last) -> bool {
    let mut owner = shared.owners.lock().unwrap().pop();
    let mut given = shared.of_the_facade.lock().unwrap().pop();
    let mut guard = None;
    let mut was_last = false;
    for op in ops {
        match *op {
            Op::Look => _ = shared.unwritten.load(Relaxed),
            Op::Set(flag) => shared.flags[flag].store(true, Release),
            Op::Wait(flag) => hint::wait_until(|| shared.flags[flag].load(Acquire)),
            Op::Add => _ = shared.total.fetch_add(1, Relaxed),
            Op::Lock => guard = Some(shared.lock.lock().unwrap()),
            Op::Unlock => guard = None,
            Op::Give => given = None,
            Op::Drop if last == Last::IsReturned => {
                was_last = StdArc::into_inner(owner.take().unwrap()).is_some();
            }
            Op::Drop => owner = None,
        }
    }
    drop((guard, owner));
    // The main thread drops the others.
    shared.of_the_facade.lock().unwrap().extend(given);
    was_last
}

#[test]
fn random_programs_are_refused_exactly_where_the_last_owner_is_not_determined() {
    const EACH: u32 = 150;

    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut refused, mut accepted) = (0, 0);
    while refused < EACH || accepted < EACH {
        let program = random.program();
        let start = State { at: vec![0; program.len()], ..State::default() };
        let mut found = BTreeMap::new();
        if last_owners(&program, &start, &mut found).is_none() {
            continue;
        }
        let open = found.values().any(|owners| owners.len() > 1);
        if (if open { refused } else { accepted }) == EACH {
            continue;
        }
        for last in [Last::Nothing, Last::TakesAStep, Last::IsReturned] {
            let said = check(&program, last, &found);
            let is_wrong = open && last != Last::Nothing;
            match said {
                Ok(report) => {
                    assert!(!is_wrong, "{program:?}, {last:?}: {found:?}");
                    assert_eq!(report.bound(), None, "{program:?}");
                }
                Err(error) => {
                    let said = error.to_string();
                    assert!(is_wrong, "{program:?}, {last:?}: {found:?}: {said}");
                    assert!(said.contains("dropped the last owner of an Arc of std"), "{said}");
                }
            }
        }
        if open {
            refused += 1;
        } else {
            accepted += 1;
        }
    }
}

fn check(
    program: &Program,
    last: Last,
    found: &BTreeMap<Vec<(usize, Op)>, BTreeSet<usize>>,
) -> Result<Report, CheckError> {
    let owners = program.len();
    let mut model = Model::new(move || {
        let steps = last == Last::TakesAStep;
        let payload = StdArc::new(Payload(steps.then(AtomicU64::default)));
        Shared {
            owners: StdMutex::new(vec![payload; owners]),
            of_the_facade: StdMutex::new(vec![Arc::new(()); owners + 1]),
            ..Shared::default()
        }
    });
    for (thread, ops) in program.iter().cloned().enumerate() {
        model = model.thread(&format!("t{thread}"), move |shared| run(&ops, shared, last));
    }
    let lasts: BTreeSet<_> = found.values().flatten().copied().map(Some).collect();
    let lasts = if last == Last::IsReturned { lasts } else { BTreeSet::from([None]) };
    let outcomes = lasts.iter().map(|&last| {
        let threads = (0..owners).map(|thread| format!("t{thread}={}", last == Some(thread)));
        threads.collect::<Vec<_>>().join(" ")
    });
    let outcomes: Vec<_> = outcomes.collect();
    model.loom(0).acceptable(&outcomes[..], "whether it was the last owner").try_check()
}
