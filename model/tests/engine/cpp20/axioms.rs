//! C++20 without load buffering, from the axioms: every assignment of reads-from and modification order, checked by relation
//! algebra. Nothing of the engine is used, and nothing is clever.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Release, SeqCst};

use super::program::{Instruction, Outcome, Program, SPURIOUSLY, apply, is_of_object, location};

/// Row `a` holds a bit for each `b` that `a` is related to.
#[derive(Clone, PartialEq)]
struct Relation(Vec<u32>);

impl Relation {
    fn from(n: usize, holds: impl Fn(usize, usize) -> bool) -> Self {
        let row = |a| (0..n).filter(|&b| holds(a, b)).fold(0, |row, b| row | 1 << b);
        Self((0..n).map(row).collect())
    }
    fn has(&self, a: usize, b: usize) -> bool {
        self.0[a] >> b & 1 == 1
    }
    fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }
    /// Relational composition.
    fn then(&self, other: &Self) -> Self {
        let n = self.0.len();
        let row = |a: u32| (0..n).filter(|&b| a >> b & 1 == 1).fold(0, |row, b| row | other.0[b]);
        Self(self.0.iter().map(|&a| row(a)).collect())
    }
    fn plus(&self) -> Self {
        let mut all = self.clone();
        loop {
            let more = all.or(&all.then(&all));
            if more == all {
                return all;
            }
            all = more;
        }
    }
    fn inverse(&self) -> Self {
        Self::from(self.0.len(), |a, b| self.has(b, a))
    }
    fn only(&self, from: u32, to: u32) -> Self {
        let row = |(at, row): (usize, &u32)| if from >> at & 1 == 1 { row & to } else { 0 };
        Self(self.0.iter().enumerate().map(row).collect())
    }
    fn is_irreflexive(&self) -> bool {
        (0..self.0.len()).all(|at| !self.has(at, at))
    }
    fn is_acyclic(&self) -> bool {
        self.plus().is_irreflexive()
    }
}

#[derive(Clone, Copy)]
struct Event {
    thread: usize,
    location: Option<usize>,
    order: Ordering,
    reads: bool,
    writes: Option<u64>,
    plain: bool,
}

/// What the axioms say of a program.
#[derive(Debug, Default)]
pub struct Allowed {
    pub graphs: u64,
    pub outcomes: BTreeSet<Outcome>,
    pub races: bool,
}

const INIT: usize = usize::MAX;

#[derive(Clone, Copy)]
struct Size {
    threads: usize,
    /// How many locations there are.
    locations: usize,
    /// And how many of them belong to no object.
    observed: u64,
}

/// All consistent graphs of a program.
pub fn enumerate(program: &Program, observed: u64) -> Allowed {
    let steps: Vec<(usize, Instruction)> = program
        .iter()
        .enumerate()
        .flat_map(|(thread, body)| body.iter().map(move |&step| (thread, step)))
        .collect();
    let last = steps.iter().filter_map(|&(_, step)| location(step)).max();
    let locations = last.map_or(0, |last| last + 1).max(observed as usize);
    let size = Size { threads: program.len(), locations, observed };
    let mut allowed = Allowed::default();
    let weak: Vec<usize> =
        (0..steps.len()).filter(|&at| matches!(steps[at].1, Instruction::Weak(..))).collect();
    for failing in 0..1_u32 << weak.len() {
        let mut steps = steps.clone();
        for (bit, &at) in weak.iter().enumerate() {
            // Those that stay fail without a cause.
            if let Instruction::Weak(x, rmw, success, failure) = steps[at].1
                && failing >> bit & 1 == 0
            {
                steps[at].1 = Instruction::Update(x, rmw, success, failure);
            }
        }
        let mut sources = vec![INIT; steps.len()];
        assign(size, &steps, 0, &mut sources, &mut allowed);
    }
    allowed
}

/// Every reads-from.
fn assign(
    size: Size,
    steps: &[(usize, Instruction)],
    at: usize,
    sources: &mut Vec<usize>,
    allowed: &mut Allowed,
) {
    if at == steps.len() {
        return with_sources(size, steps, sources, allowed);
    }
    let reads = matches!(
        steps[at].1,
        Instruction::Load(..)
            | Instruction::Update(..)
            | Instruction::Weak(..)
            | Instruction::Await(..)
            | Instruction::Take(..)
    );
    if !reads {
        return assign(size, steps, at + 1, sources, allowed);
    }
    sources[at] = INIT;
    assign(size, steps, at + 1, sources, allowed);
    for source in (0..steps.len()).filter(|&source| source != at) {
        let writes = matches!(
            steps[source].1,
            Instruction::Store(..) | Instruction::Update(..) | Instruction::Take(..)
        );
        if writes && location(steps[source].1) == location(steps[at].1) {
            sources[at] = source;
            assign(size, steps, at + 1, sources, allowed);
        }
    }
}

/// What step `at` reads, and what it writes, if the sources lead to no circle.
fn values(
    steps: &[(usize, Instruction)],
    sources: &[usize],
    at: usize,
    depth: usize,
) -> Option<(u64, Option<u64>)> {
    if depth > steps.len() {
        return None;
    }
    let read = || match sources[at] {
        INIT => Some(0),
        source => values(steps, sources, source, depth + 1)?.1,
    };
    Some(match steps[at].1 {
        Instruction::Load(..) => (read()?, None),
        Instruction::Await(_, value, _) => (read().filter(|&read| read == value)?, None),
        Instruction::Take(_, from, to) => (read().filter(|&read| read == from)?, Some(to)),
        Instruction::Store(_, value, _) => (u64::MAX, Some(value)),
        Instruction::Update(_, rmw, ..) => {
            let old = read()?;
            (old, apply(rmw, old))
        }
        Instruction::Weak(_, rmw, ..) => {
            let old = read()?;
            apply(rmw, old)?;
            (old | SPURIOUSLY, None)
        }
        _ => (u64::MAX, None),
    })
}

fn with_sources(
    Size { threads, locations, observed }: Size,
    steps: &[(usize, Instruction)],
    sources: &[usize],
    allowed: &mut Allowed,
) {
    let Some(values) =
        (0..steps.len()).map(|at| values(steps, sources, at, 0)).collect::<Option<Vec<_>>>()
    else {
        return;
    };
    // The initial stores are the first events, one for each location.
    let mut events: Vec<Event> = (0..locations)
        .map(|x| Event {
            thread: usize::MAX,
            location: Some(x),
            order: Ordering::Relaxed,
            reads: false,
            writes: Some(0),
            plain: false,
        })
        .collect();
    for (&(thread, step), &(_, writes)) in steps.iter().zip(&values) {
        let (order, reads) = match step {
            Instruction::Load(_, order) | Instruction::Await(_, _, order) => (order, true),
            Instruction::Take(..) => (Acquire, true),
            Instruction::Store(_, _, order) | Instruction::Fence(order) => (order, false),
            Instruction::Update(_, _, success, failure)
            | Instruction::Weak(_, _, success, failure) => {
                (if writes.is_some() { success } else { failure }, true)
            }
            _ => (Ordering::Relaxed, false),
        };
        let plain = matches!(step, Instruction::CellRead | Instruction::CellWrite);
        events.push(Event { thread, location: location(step), order, reads, writes, plain });
    }
    let n = events.len();
    let sb =
        Relation::from(n, |a, b| a < b && events[a].thread == events[b].thread && a >= locations);
    let source_of = |at: usize| match sources[at - locations] {
        INIT => events[at].location.expect("a read"),
        source => source + locations,
    };
    let rf = Relation::from(n, |a, b| events[b].reads && source_of(b) == a);
    if !sb.or(&rf).is_acyclic() {
        return;
    }
    let mut order: Vec<Vec<usize>> = Vec::new();
    for x in 0..locations {
        order.push(
            (locations..n)
                .filter(|&at| events[at].location == Some(x) && events[at].writes.is_some())
                .collect(),
        );
    }
    let outcome = || {
        let mut outcome = vec![Vec::new(); threads];
        for (&(thread, step), &(read, _)) in steps.iter().zip(&values) {
            if !is_of_object(step, observed) {
                outcome[thread].push(read);
            }
        }
        outcome
    };
    for_each_order(&mut order, 0, 0, &mut |order| {
        let mo = Relation::from(n, |a, b| {
            let Some(x) = events[a].location.filter(|_| events[a].location == events[b].location)
            else {
                return false;
            };
            let at = |event| order[x].iter().position(|&other| other == event);
            at(b).is_some_and(|b| a == x || at(a).is_some_and(|a| a < b))
        });
        if let Some(races) = consistent(&events, steps, locations, &sb, &rf, &mo) {
            allowed.graphs += 1;
            allowed.races |= races;
            allowed.outcomes.insert(outcome());
        }
    });
}

fn for_each_order(
    order: &mut Vec<Vec<usize>>,
    x: usize,
    from: usize,
    f: &mut impl FnMut(&Vec<Vec<usize>>),
) {
    if x == order.len() {
        return f(order);
    }
    if from >= order[x].len() {
        return for_each_order(order, x + 1, 0, f);
    }
    for at in from..order[x].len() {
        order[x].swap(from, at);
        for_each_order(order, x, from + 1, f);
        order[x].swap(from, at);
    }
}

/// Whether the graph is consistent; if so, whether plain accesses race.
fn consistent(
    events: &[Event],
    steps: &[(usize, Instruction)],
    locations: usize,
    sb: &Relation,
    rf: &Relation,
    mo: &Relation,
) -> Option<bool> {
    let n = events.len();
    let set = |holds: &dyn Fn(&Event) -> bool| {
        (0..n).filter(|&at| holds(&events[at])).fold(0_u32, |set, at| set | 1 << at)
    };
    let all = u32::MAX;
    let identity = Relation::from(n, |a, b| a == b);
    let fences = set(&|event| event.location.is_none() && !event.plain);
    let writes = set(&|event| event.writes.is_some());
    let updates = set(&|event| event.reads && event.writes.is_some());
    let releases = set(&|event| matches!(event.order, Release | AcqRel | SeqCst));
    let acquires = set(&|event| matches!(event.order, Acquire | AcqRel | SeqCst));
    let sc = set(&|event| event.order == SeqCst);
    // fr = rf⁻¹ ; mo, without the event itself
    let fr = rf.inverse().then(mo);
    let fr = Relation::from(n, |a, b| a != b && fr.has(a, b));
    let eco = rf.or(mo).or(&fr).plus();
    // Atomicity: no write between an update and what it reads.
    let between = fr.then(mo);
    if (0..n).any(|at| updates >> at & 1 == 1 && between.has(at, at)) {
        return None;
    }
    // Release sequences of C++20: a write, and updates that follow.
    let sequence = rf.only(all, updates).plus().or(&identity).only(writes, all);
    let before = identity.only(releases, all).or(&sb.only(releases & fences, all));
    let after = identity.only(all, acquires).or(&sb.only(all, acquires & fences));
    let sw = before.then(&sequence).then(rf).then(&after).only(releases, acquires);
    let init = Relation::from(n, |a, b| a < locations && b >= locations);
    let hb = sb.or(&sw).or(&init).plus();
    // Coherence. An update is a read and then a write in the paper, and one event here: so `eco` must
    // not lead from it to itself either.
    if !eco.is_irreflexive() || !hb.is_irreflexive() || !hb.then(&eco).is_irreflexive() {
        return None;
    }
    // The order of SeqCst operations, as C++20 has it.
    let fsc = fences & sc;
    let strongly = sb.or(&sb.then(&hb).then(sb)).or(&sw.only(sc, sc)).plus();
    let start = identity.only(sc, all).or(&hb.only(fsc, all));
    let end = identity.only(all, sc).or(&hb.only(all, fsc));
    let coherent = start.then(&eco).then(&end);
    if !strongly.or(&coherent).only(sc, sc).is_acyclic() {
        return None;
    }
    let racing = |a: usize, b: usize| {
        let writes = |at: usize| steps[at - locations].1 == Instruction::CellWrite;
        events[a].plain && events[b].plain && (writes(a) || writes(b))
    };
    Some((locations..n).any(|a| (a + 1..n).any(|b| racing(a, b) && !hb.has(a, b) && !hb.has(b, a))))
}
