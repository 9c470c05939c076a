//! What C++20 allows, by its axioms: each choice of reads-from and modification order of a shape is tested against
//! them. Shares no code with the checker.
//!
//! The axioms are those of C++20, which Rust's atomics follow: coherence (\[intro.races\]) and the single order of
//! `SeqCst` operations (\[atomics.order\], as revised by P0668 after Lahav et al., "Repairing sequential
//! consistency in C/C++11", PLDI 2017). They do not forbid load buffering, and neither does C++20. Modelled is what
//! a shape can have: writes, reads, and fences that both release and acquire; no read-modify-writes, no plain
//! memory.
//!
//! The checker explores these executions without load buffering: program order and reads-from together have no
//! cycle. The number of execution graphs without such a cycle is counted.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::shape::Step::{R, W};
use super::shape::{Reads, Shape, Style, X, Y, reads_anything};

/// An event. Initial values are writes without a thread.
struct Event {
    thread: Option<usize>,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Write(usize, u64),
    Read(usize),
    Fence,
}

/// Pairs of events, by their numbers.
#[derive(Clone)]
struct Relation(Vec<Vec<bool>>);

impl Relation {
    fn new(events: usize, holds: impl Fn(usize, usize) -> bool) -> Self {
        Self((0..events).map(|a| (0..events).map(|b| holds(a, b)).collect()).collect())
    }

    fn has(&self, a: usize, b: usize) -> bool {
        self.0[a][b]
    }

    /// The transitive closure.
    fn closed(mut self) -> Self {
        let events = 0..self.0.len();
        for through in events.clone() {
            for a in events.clone() {
                for b in events.clone() {
                    self.0[a][b] |= self.0[a][through] && self.0[through][b];
                }
            }
        }
        self
    }

    fn is_irreflexive(&self) -> bool {
        (0..self.0.len()).all(|event| !self.has(event, event))
    }
}

/// What a shape allows.
pub(crate) struct Allowed {
    /// All outcomes that C++20 allows.
    pub(crate) outcomes: BTreeSet<String>,
    /// How many execution graphs are consistent and without load buffering.
    pub(crate) graphs: u64,
}

/// All that `shape` allows.
pub(crate) fn allowed(shape: &Shape, style: Style) -> Allowed {
    let events = events(shape, style);
    let writes = |variable| {
        let is_one =
            move |event: &Event| matches!(event.what, What::Write(of, _) if of == variable);
        numbers(&events, is_one)
    };
    let reads = numbers(&events, |event| matches!(event.what, What::Read(_)));

    // Initial values come first, and then the writes in any order.
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for variable in [X, Y] {
        let all = writes(variable);
        let later = permutations(&all[1..]);
        orders = product(&orders, &later, |before, later| [&before[..], &all[..1], later].concat());
    }
    let mut sources: Vec<Vec<usize>> = vec![Vec::new()];
    for &read in &reads {
        let What::Read(variable) = events[read].what else { unreachable!("it is a read") };
        let one: Vec<Vec<usize>> = writes(variable).iter().map(|&write| vec![write]).collect();
        sources = product(&sources, &one, |before, one| [&before[..], one].concat());
    }

    let mut found = Allowed { outcomes: BTreeSet::new(), graphs: 0 };
    for order in &orders {
        for source in &sources {
            let candidate = Candidate { events: &events, style, order, reads: &reads, source };
            if candidate.is_consistent() {
                found.outcomes.insert(candidate.outcome(shape));
                found.graphs += u64::from(!candidate.buffers_loads());
            }
        }
    }
    found
}

/// The initial values, and then each thread's steps.
fn events(shape: &Shape, style: Style) -> Vec<Event> {
    let initial = [X, Y];
    let mut events: Vec<Event> =
        initial.map(|variable| Event { thread: None, what: What::Write(variable, 0) }).into();
    for (number, (_, steps)) in shape.threads.iter().enumerate() {
        for (position, step) in steps.iter().enumerate() {
            let thread = Some(number);
            if style.fence.is_some() && position > 0 {
                events.push(Event { thread, what: What::Fence });
            }
            let what = match *step {
                W(variable, value) => What::Write(variable, value),
                R(variable) => What::Read(variable),
            };
            events.push(Event { thread, what });
        }
    }
    events
}

fn numbers(events: &[Event], is_one: impl Fn(&Event) -> bool) -> Vec<usize> {
    (0..events.len()).filter(|&number| is_one(&events[number])).collect()
}

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    let Some((&first, rest)) = of.split_first() else { return vec![Vec::new()] };
    let mut found = Vec::new();
    for rest in permutations(rest) {
        for at in 0..=rest.len() {
            let mut one = rest.clone();
            one.insert(at, first);
            found.push(one);
        }
    }
    found
}

fn product<A, B, C>(left: &[A], right: &[B], join: impl Fn(&A, &B) -> C) -> Vec<C> {
    left.iter().flat_map(|a| right.iter().map(|b| join(a, b)).collect::<Vec<C>>()).collect()
}

/// One way in which it could have gone.
struct Candidate<'a> {
    events: &'a [Event],
    style: Style,
    /// All writes; those of one variable in modification order.
    order: &'a [usize],
    reads: &'a [usize],
    /// For each read, the write that it reads.
    source: &'a [usize],
}

impl Candidate<'_> {
    fn relation(&self, holds: impl Fn(usize, usize) -> bool) -> Relation {
        Relation::new(self.events.len(), holds)
    }

    fn what(&self, event: usize) -> What {
        self.events[event].what
    }

    fn is_fence(&self, event: usize) -> bool {
        self.what(event) == What::Fence
    }

    /// Sequenced before: earlier in the same thread.
    fn sequenced(&self, a: usize, b: usize) -> bool {
        self.events[a].thread.is_some() && self.events[a].thread == self.events[b].thread && a < b
    }

    /// Whether the read `b` reads what `a` wrote.
    fn reads_from(&self, a: usize, b: usize) -> bool {
        self.reads.iter().zip(self.source).any(|(&read, &write)| (write, read) == (a, b))
    }

    /// Whether `a` comes before `b` in the modification order of their variable.
    fn modified_before(&self, a: usize, b: usize) -> bool {
        let place = |event| self.order.iter().position(|&write| write == event);
        match (self.what(a), self.what(b)) {
            (What::Write(x, _), What::Write(y, _)) => x == y && place(a) < place(b),
            _ => false,
        }
    }

    /// Whether `a` synchronizes with `b`: a releasing write, or a fence before a write, with an
    /// acquiring read of it, or a fence after such a read.
    fn synchronizes(&self, a: usize, b: usize) -> bool {
        let all = 0..self.events.len();
        let releases = |write| {
            let releasing = matches!(self.style.write, Ordering::Release | Ordering::SeqCst);
            (write == a && releasing) || (self.is_fence(a) && self.sequenced(a, write))
        };
        let acquires = |read| {
            let acquiring = matches!(self.style.read, Ordering::Acquire | Ordering::SeqCst);
            (read == b && acquiring) || (self.is_fence(b) && self.sequenced(read, b))
        };
        all.clone()
            .filter(|&write| releases(write))
            .any(|write| all.clone().any(|read| acquires(read) && self.reads_from(write, read)))
    }

    fn is_consistent(&self) -> bool {
        // Initial values happen before everything else.
        let first =
            |a: usize, b: usize| self.events[a].thread.is_none() && self.events[b].thread.is_some();
        let happens_before = self
            .relation(|a, b| first(a, b) || self.sequenced(a, b) || self.synchronizes(a, b))
            .closed();
        // A read comes before the writes that follow the one that it reads.
        let read_before = |a: usize, b: usize| {
            let source = self.reads.iter().zip(self.source).find(|(read, _)| **read == a);
            source.is_some_and(|(_, &write)| self.modified_before(write, b))
        };
        let coherence = self
            .relation(|a, b| {
                self.modified_before(a, b) || self.reads_from(a, b) || read_before(a, b)
            })
            .closed();
        let all = 0..self.events.len();
        let coherent = all
            .clone()
            .all(|a| all.clone().all(|b| !(happens_before.has(a, b) && coherence.has(b, a))));
        happens_before.is_irreflexive()
            && coherent
            && self.seq_cst_order(&happens_before, &coherence).closed().is_irreflexive()
    }

    /// Whether a read depends on itself: load buffering.
    fn buffers_loads(&self) -> bool {
        let depends = self.relation(|a, b| self.sequenced(a, b) || self.reads_from(a, b));
        !depends.closed().is_irreflexive()
    }

    /// What the single order of `SeqCst` operations has to respect.
    fn seq_cst_order(&self, happens_before: &Relation, coherence: &Relation) -> Relation {
        let is_seq_cst = |event: usize| match self.what(event) {
            What::Fence => self.style.fence == Some(Ordering::SeqCst),
            What::Write(..) => {
                self.style.write == Ordering::SeqCst && self.events[event].thread.is_some()
            }
            What::Read(_) => self.style.read == Ordering::SeqCst,
        };
        let all = 0..self.events.len();
        let strongly = self
            .relation(|a, b| {
                let between_seq_cst = is_seq_cst(a) && is_seq_cst(b) && self.synchronizes(a, b);
                let around = all.clone().any(|c| {
                    let to = |d| happens_before.has(c, d) && self.sequenced(d, b);
                    self.sequenced(a, c) && all.clone().any(to)
                });
                self.sequenced(a, b) || between_seq_cst || around
            })
            .closed();
        // `a` itself, or what happens after it if it is a fence; and the same with before.
        let begins = |a: usize, c: usize| a == c || self.is_fence(a) && happens_before.has(a, c);
        let ends = |d: usize, b: usize| d == b || self.is_fence(b) && happens_before.has(d, b);
        self.relation(|a, b| {
            let coherent = || {
                let from = |c: usize| all.clone().any(|d| coherence.has(c, d) && ends(d, b));
                all.clone().any(|c| begins(a, c) && from(c))
            };
            is_seq_cst(a) && is_seq_cst(b) && (strongly.has(a, b) || coherent())
        })
    }

    fn value(&self, write: usize) -> u64 {
        match self.what(write) {
            What::Write(_, value) => value,
            What::Read(_) | What::Fence => unreachable!("only a write has a value"),
        }
    }

    fn outcome(&self, shape: &Shape) -> String {
        let mut parts = Vec::new();
        for (number, (name, steps)) in shape.threads.iter().enumerate() {
            if reads_anything(steps) {
                let mine = self.reads.iter().zip(self.source);
                let mine = mine.filter(|(read, _)| self.events[**read].thread == Some(number));
                let values = mine.map(|(_, &write)| self.value(write)).collect();
                parts.push(format!("{name}={:?}", Reads(values)));
            }
        }
        for &(name, variable) in shape.last {
            let is_one =
                |write: &&usize| matches!(self.what(**write), What::Write(of, _) if of == variable);
            let last = self.order.iter().rfind(is_one);
            let last = last.map_or(0, |&write| self.value(write));
            parts.push(format!("{name}={last}"));
        }
        parts.join(" ")
    }
}
