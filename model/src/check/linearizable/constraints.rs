//! Sets of precedence constraints: which operations have to end before others begin.
//!
//! A program that uses the type can make one thread wait until operations of others have ended. An order
//! that is to explain what the operations then return has to agree. It is enough to look at the least sets
//! with which no order explains some results: every execution with more constraints is one with fewer.

use std::collections::BTreeSet;

use super::Promise;

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

    /// The first pair that stands the other way round in `order`.
    pub(super) fn broken_by(&self, order: &[usize]) -> Option<(usize, usize)> {
        let mut pairs = order.iter().enumerate().flat_map(|(position, &second)| {
            order[position + 1..].iter().map(move |&first| (first, second))
        });
        pairs.find(|(first, second)| self.holds(*first, *second))
    }
}

/// A set of constraints.
#[derive(Debug, Clone)]
pub(super) struct Constraints {
    /// What an order has to keep.
    pub(super) before: Before,
    /// Of each pair the first operation ends before the second begins. Pairs that follow from others of
    /// the same two threads are left out.
    pub(super) waits: Vec<(usize, usize)>,
}

impl Constraints {
    fn of(before: Before, shape: &Shape) -> Self {
        Self { waits: waits(&before, shape), before }
    }

    /// None.
    pub(super) fn none(promise: Promise, shape: &Shape) -> Self {
        let before = match promise {
            Promise::QuiescentlyConsistent => Before::nothing(shape.operations()),
            _ => Before::in_threads(shape),
        };
        Self::of(before, shape)
    }
}

/// The least sets of constraints with which none of `orders` is allowed, although each is without.
pub(super) fn against(promise: Promise, shape: &Shape, orders: &[&[usize]]) -> Vec<Constraints> {
    let demands = match promise {
        Promise::Linearizable => single(shape),
        Promise::QuiescentlyConsistent => cuts(shape),
        Promise::SequentiallyConsistent | Promise::ThreadOrder => return Vec::new(),
    };
    let none = Constraints::none(promise, shape);
    let mut found = BTreeSet::new();
    exclude(&none.before, &demands, orders, &mut BTreeSet::new(), &mut found);
    let least =
        |before: &&Before| !found.iter().any(|other| other != *before && before.includes(other));
    let least = found.iter().filter(least).map(|before| Constraints::of(before.clone(), shape));
    let mut least: Vec<Constraints> = least.collect();
    least.sort_by_key(|constraints| constraints.waits.len());
    least
}

/// Adds to `found` what may be demanded, beyond `before`, so that none of `orders` meets it.
fn exclude(
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
            exclude(&more, demands, orders, seen, found);
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

/// What has to be waited for.
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
