//! The clients of a scenario: what each makes sure has ended before something else begins.
//!
//! That an operation had ended before another began counts for a promise that asks for it. Only a
//! client can tell, so a scenario is explored once with a client that makes sure of nothing, and then
//! held against each client that could catch the type: whose demands no order with certain results
//! meets, although some order explains those results without them. Of two such clients that catch the
//! same results the one that demands less is enough: every execution of the other is one of its own.
//! What is left is explored as well: with weak memory and, where `reorder.rs` suspects it, without.

use std::collections::{BTreeMap, BTreeSet};

use super::Promise;
use super::history::{History, Order};

/// The most operations that a scenario can have.
pub(super) const MAX_OPERATIONS: usize = 16;

/// How many operations each thread has. They are numbered through, thread after thread.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// By operation.
    threads: Vec<usize>,
}

impl Shape {
    pub(super) fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let lengths = lengths.into_iter().enumerate();
        Self { threads: lengths.flat_map(|(thread, n)| (0..n).map(move |_| thread)).collect() }
    }

    pub(super) fn operations(&self) -> usize {
        self.threads.len()
    }

    pub(super) fn threads(&self) -> usize {
        self.threads.last().map_or(0, |last| last + 1)
    }

    pub(super) fn thread(&self, operation: usize) -> usize {
        self.threads[operation]
    }

    /// The numbers of a thread's operations.
    pub(super) fn of_thread(&self, thread: usize) -> impl Iterator<Item = usize> {
        (0..self.operations()).filter(move |operation| self.threads[*operation] == thread)
    }

    /// The operation before it in its thread.
    pub(super) fn previous(&self, operation: usize) -> Option<usize> {
        operation
            .checked_sub(1)
            .filter(|previous| self.threads[*previous] == self.threads[operation])
    }
}

/// Which operations come before which: of each operation, a bit for each later one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Before(Vec<u16>);

impl Before {
    fn nothing(operations: usize) -> Self {
        Self(vec![0; operations])
    }

    /// Each thread's own order.
    fn in_threads(shape: &Shape) -> Self {
        let mut before = Self::nothing(shape.operations());
        for second in 0..shape.operations() {
            for first in 0..second {
                if shape.thread(first) == shape.thread(second) {
                    before.add(first, second);
                }
            }
        }
        before
    }

    fn add(&mut self, first: usize, second: usize) {
        self.0[first] |= 1 << second;
    }

    fn holds(&self, first: usize, second: usize) -> bool {
        self.0[first] & (1 << second) != 0
    }

    /// Both, and what follows from them; `None` if they contradict each other.
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = Self(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect());
        for via in 0..both.0.len() {
            for first in 0..both.0.len() {
                if both.holds(first, via) {
                    both.0[first] |= both.0[via];
                }
            }
        }
        (0..both.0.len()).all(|operation| !both.holds(operation, operation)).then_some(both)
    }

    fn includes(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(all, some)| all & some == *some)
    }

    fn len(&self) -> u32 {
        self.0.iter().map(|later| later.count_ones()).sum()
    }

    /// The first pair that stands the other way round in `order`.
    pub(super) fn broken_by(&self, order: &[usize]) -> Option<(usize, usize)> {
        let mut pairs = order.iter().enumerate().flat_map(|(position, &second)| {
            order[position + 1..].iter().map(move |&first| (first, second))
        });
        pairs.find(|(first, second)| self.holds(*first, *second))
    }
}

/// What a client makes sure of.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// What an order has to keep for it.
    pub(super) before: Before,
    /// Of each pair the first operation ends before the second begins; what follows from other pairs
    /// of the same threads is left out.
    pub(super) waits: Vec<(usize, usize)>,
}

/// All clients that a promise takes, the one that makes sure of nothing first. `orders` are all
/// orders that may explain something.
pub(super) fn clients(promise: Promise, shape: &Shape, orders: &[Order]) -> Vec<Client> {
    let nothing = Before::nothing(shape.operations());
    let (base, demands) = match promise {
        Promise::Linearizable => (Before::in_threads(shape), single(shape)),
        Promise::QuiescentlyConsistent => (nothing, cuts(shape)),
        Promise::SequentiallyConsistent | Promise::ThreadOrder => {
            (Before::in_threads(shape), Vec::new())
        }
    };
    let mut by_history: BTreeMap<&History, Vec<&[usize]>> = BTreeMap::new();
    for order in orders {
        by_history.entry(&order.history).or_default().push(&order.operations);
    }
    let mut all = BTreeSet::new();
    for orders in by_history.values() {
        let mut seen = BTreeSet::new();
        let mut found = BTreeSet::new();
        catch(&base, &demands, orders, &mut seen, &mut found);
        let least = |before: &&Before| {
            !found.iter().any(|other| other != *before && before.includes(other))
        };
        all.extend(found.iter().filter(least).cloned());
    }
    let mut all: Vec<Before> = [base].into_iter().chain(all).collect();
    all.sort_by_key(Before::len);
    all.into_iter().map(|before| Client { waits: waits(&before, shape), before }).collect()
}

/// Adds to `found` what a client may demand, beyond `before`, so that none of `orders` meets it.
fn catch(
    before: &Before,
    demands: &[Before],
    orders: &[&[usize]],
    seen: &mut BTreeSet<Before>,
    found: &mut BTreeSet<Before>,
) {
    let Some(met) = orders.iter().find(|order| before.broken_by(order).is_none()) else {
        found.insert(before.clone());
        return;
    };
    for demand in demands.iter().filter(|demand| demand.broken_by(met).is_some()) {
        if let Some(more) = before.and(demand).filter(|more| seen.insert(more.clone())) {
            catch(&more, demands, orders, seen, found);
        }
    }
}

/// That one operation has ended before one of another thread begins.
fn single(shape: &Shape) -> Vec<Before> {
    let mut all = Vec::new();
    for first in 0..shape.operations() {
        for second in 0..shape.operations() {
            if shape.thread(first) != shape.thread(second) {
                let mut demand = Before::nothing(shape.operations());
                demand.add(first, second);
                all.push(demand);
            }
        }
    }
    all
}

/// That some operations, the first few of each thread, have ended before all others begin.
fn cuts(shape: &Shape) -> Vec<Before> {
    let mut all = Vec::new();
    for moment in 1..(1_usize << shape.operations()) - 1 {
        let ended = |operation: usize| moment & (1 << operation) != 0;
        let is_prefix = (0..shape.operations())
            .all(|operation| !ended(operation) || shape.previous(operation).is_none_or(ended));
        if is_prefix {
            let mut demand = Before::nothing(shape.operations());
            for first in (0..shape.operations()).filter(|operation| ended(*operation)) {
                for second in (0..shape.operations()).filter(|operation| !ended(*operation)) {
                    demand.add(first, second);
                }
            }
            all.push(demand);
        }
    }
    all
}

/// For what a client has to wait.
fn waits(before: &Before, shape: &Shape) -> Vec<(usize, usize)> {
    let mut waits = Vec::new();
    for second in 0..shape.operations() {
        for thread in (0..shape.threads()).filter(|thread| *thread != shape.thread(second)) {
            let last = shape.of_thread(thread).filter(|first| before.holds(*first, second)).last();
            let known = |first| {
                shape.previous(second).is_some_and(|previous| before.holds(first, previous))
            };
            waits.extend(last.filter(|first| !known(*first)).map(|first| (first, second)));
        }
    }
    waits
}
