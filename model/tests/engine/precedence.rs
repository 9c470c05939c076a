//! Precedence constraints on finished executions, against programs whose threads do wait for each
//! other: the same executions, as many, with the same outcomes.
//!
//! `SELVEDGE_PROGRAMS=n` sets how many random programs of each shape are tried.

#![allow(
    clippy::cast_possible_truncation,
    clippy::needless_for_each,
    reason = "small numbers; a line each"
)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use crate::support::{Atomic, Child, Thing, fence, spawn};
use selvedge_model::engine::graph::{
    Action, Config, Ending, Execution, Point, Precedence, Trace, explore_results,
};
use selvedge_model::kernel::object::{
    Channel, ChannelAct, Once, OnceAct, ReadEnd, ReadEndAct, RwLock, RwLockAct,
};
use selvedge_model::kernel::{self, Act, Rmw};

/// A step of an operation.
#[derive(Debug, Clone, Copy)]
enum Step {
    Load(usize, Ordering),
    Store(usize, u64, Ordering),
    Update(usize, Rmw, Ordering),
    Exchange(usize, u64, Ordering),
    Fence(Ordering),
    /// Under the mutex: reads what it protects, and writes this.
    Locked(u64),
    /// The same if it is free.
    TryLocked(u64),
    /// Under the reader-writer lock.
    Read,
    Write(u64),
    Send,
    TryReceive,
    /// Does it once.
    Once,
}

/// By thread, the operations.
type Program = Vec<Vec<Vec<Step>>>;

/// The first operation ends before the second begins. Operations are numbered thread by thread.
type Constraint = (usize, usize);

type Outcome = (Vec<Vec<u64>>, Vec<u64>);

/// How often each outcome was reached, and by how many sequentially consistent executions.
type Found = BTreeMap<Outcome, (u64, u64)>;

/// A pseudo-random number generator (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// What random programs are made of.
#[derive(Debug, Clone, Copy)]
struct Shape {
    threads: usize,
    operations: u64,
    steps: u64,
    locations: u64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Atomics with all orderings, and fences.
    Atomics,
    SeqCst,
    /// Relaxed accesses, and more fences.
    Fences,
    /// Atomics, and locks and other objects.
    Objects,
}

impl Shape {
    fn program(self, random: &mut Random) -> Program {
        let operation = |random: &mut Random| {
            // Seldom one without a step.
            let steps = if random.below(20) == 0 { 0 } else { 1 + random.below(self.steps) };
            (0..steps).map(|_| self.step(random)).collect()
        };
        let thread = |random: &mut Random| {
            (0..=random.below(self.operations)).map(|_| operation(random)).collect()
        };
        (0..self.threads).map(|_| thread(random)).collect()
    }

    fn step(self, random: &mut Random) -> Step {
        let location = random.below(self.locations) as usize;
        let value = 1 + random.below(2);
        let of = |random: &mut Random, all: &[Ordering]| match self.kind {
            Kind::SeqCst => SeqCst,
            Kind::Fences => Relaxed,
            Kind::Atomics | Kind::Objects => random.of(all),
        };
        let choices = match self.kind {
            Kind::Objects => 16,
            Kind::Fences => 10,
            Kind::Atomics | Kind::SeqCst => 8,
        };
        match random.below(choices) {
            0..3 => Step::Load(location, of(random, &[Relaxed, Acquire, SeqCst])),
            3..5 => Step::Store(location, value, of(random, &[Relaxed, Release, SeqCst])),
            5 => Step::Update(
                location,
                random.of(&[Rmw::Add(1), Rmw::Swap(value)]),
                of(random, &[Relaxed, Acquire, Release, AcqRel, SeqCst]),
            ),
            6 => Step::Exchange(location, random.below(2), of(random, &[Relaxed, AcqRel, SeqCst])),
            7 => Step::Fence(random.of(&[Acquire, Release, AcqRel, SeqCst, SeqCst])),
            8 | 9 if self.kind == Kind::Fences => Step::Fence(random.of(&[Acquire, Release])),
            8 => Step::Locked(value),
            9 => Step::TryLocked(value),
            10 | 11 => Step::Read,
            12 => Step::Write(value),
            13 => Step::Send,
            14 => Step::TryReceive,
            _ => Step::Once,
        }
    }
}

/// What the threads share.
struct State {
    atomics: Vec<Atomic>,
    mutex: Thing,
    rwlock: Thing,
    channel: Thing,
    once: Thing,
    /// What the locks protect.
    locked: Cell<u64>,
    written: Cell<u64>,
    /// One for each constraint.
    waits: Vec<Thing>,
    /// What each operation has seen, and where it began and ended.
    operations: RefCell<Vec<(Vec<u64>, Point, Point)>>,
}

impl State {
    fn new(operations: usize, locations: u64, waits: usize) -> Self {
        let nowhere = Point { thread: 0, steps: 0 };
        Self {
            atomics: (0..locations).map(|_| Atomic::new(0)).collect(),
            mutex: Thing::mutex(),
            rwlock: Thing::new(RwLock::default()),
            channel: Thing::new(Channel::new(9)),
            once: Thing::new(Once::default()),
            locked: Cell::new(0),
            written: Cell::new(0),
            waits: (0..waits).map(|_| Thing::new(Channel::new(9))).collect(),
            operations: RefCell::new(vec![(Vec::new(), nowhere, nowhere); operations]),
        }
    }

    fn step(&self, step: Step) -> u64 {
        match step {
            Step::Load(x, order) => self.atomics[x].load(order),
            Step::Store(x, value, order) => {
                self.atomics[x].store(value, order);
                0
            }
            Step::Update(x, rmw, order) => self.atomics[x].update(rmw, order, Relaxed),
            Step::Exchange(x, current, order) => {
                let failure = if order == SeqCst { SeqCst } else { Relaxed };
                let (Ok(seen) | Err(seen)) =
                    self.atomics[x].compare_exchange(current, 2, order, failure);
                seen
            }
            Step::Fence(order) => {
                fence(order);
                0
            }
            Step::Locked(value) => {
                self.mutex.lock();
                let seen = self.locked.replace(value);
                self.mutex.unlock();
                seen
            }
            Step::TryLocked(value) => {
                if !self.mutex.try_lock() {
                    return u64::MAX;
                }
                let seen = self.locked.replace(value);
                self.mutex.unlock();
                seen
            }
            Step::Read => {
                let end = Thing::new(ReadEnd::default());
                self.rwlock.act(Act::RwLock(RwLockAct::Read { end: end.0 }));
                let seen = self.written.get();
                end.act(Act::ReadEnd(ReadEndAct::End));
                seen
            }
            Step::Write(value) => {
                self.rwlock.act(Act::RwLock(RwLockAct::Write));
                let state = kernel::with(|engine| engine.state(self.rwlock.0));
                let Some(kernel::Object::RwLock(state)) = state else { panic!("a lock") };
                for &end in state.reads() {
                    Thing(end).act(Act::ReadEnd(ReadEndAct::Await));
                }
                let seen = self.written.replace(value);
                self.rwlock.act(Act::RwLock(RwLockAct::EndWrite { poisons: false }));
                seen
            }
            // A message is a number.
            Step::Send => self.channel.act(Act::Channel(ChannelAct::Send)),
            Step::TryReceive => self.channel.act(Act::Channel(ChannelAct::TryReceive)),
            Step::Once => {
                let begun = self.once.act(Act::Once(OnceAct::Begin { force: false }));
                if begun == kernel::object::CLAIMED {
                    self.once.act(Act::Once(OnceAct::Finish { done: true, poisons: false }));
                }
                begun
            }
        }
    }

    /// One operation, with the constraints that are part of the program.
    fn operation(&self, number: usize, steps: &[Step], waits: &[Constraint]) {
        let here = || {
            kernel::with(|engine| Point { thread: engine.thread(), steps: engine.steps() })
                .expect("an exploration")
        };
        let waits = || waits.iter().zip(&self.waits);
        for (_, wait) in waits().filter(|((_, then), _)| *then == number) {
            wait.act(Act::Channel(ChannelAct::Receive));
        }
        let begin = here();
        let seen = steps.iter().map(|&step| self.step(step)).collect();
        self.operations.borrow_mut()[number] = (seen, begin, here());
        for (_, wait) in waits().filter(|((first, _), _)| *first == number) {
            wait.act(Act::Channel(ChannelAct::Send));
        }
    }
}

/// Runs the program; returns what was seen, what is left, and where the operations began and ended.
fn run(program: &Program, locations: u64, waits: &[Constraint]) -> (Outcome, Vec<(Point, Point)>) {
    let count = program.iter().map(Vec::len).sum();
    let state = Rc::new(State::new(count, locations, waits.len()));
    let mut number = 0;
    let children: Vec<Child<()>> = program
        .iter()
        .map(|thread| {
            let (state, thread, first) = (state.clone(), thread.clone(), number);
            let waits = waits.to_vec();
            number += thread.len();
            spawn(move || {
                for (at, steps) in thread.iter().enumerate() {
                    state.operation(first + at, steps, &waits);
                }
            })
        })
        .collect();
    children.into_iter().for_each(Child::join);
    let left = state.atomics.iter().map(|x| x.load(Relaxed));
    let left = left.chain([state.locked.get(), state.written.get()]).collect();
    let operations = state.operations.take();
    let points = operations.iter().map(|(_, begin, end)| (*begin, *end)).collect();
    ((operations.into_iter().map(|(seen, ..)| seen).collect(), left), points)
}

fn note(found: &mut Found, outcome: Outcome, sequential: bool) {
    let counts = found.entry(outcome).or_default();
    counts.0 += 1;
    counts.1 += u64::from(sequential);
}

/// All complete executions in which the threads wait.
fn with_waits(program: &Program, locations: u64, waits: &[Constraint]) -> Found {
    let mut found = Found::new();
    explore_results(
        &Config::default(),
        || run(program, locations, waits),
        |execution: &Execution<'_>, result| {
            match execution.ending() {
                Ending::Complete => {
                    let (outcome, _) = result.expect("the first thread has ended");
                    note(&mut found, outcome, execution.is_sequentially_consistent());
                }
                Ending::Deadlock(_) => {}
                other => panic!("{other:?}: {program:?}"),
            }
            ControlFlow::Continue(())
        },
    );
    found
}

/// Whether the steps of a trace stand in the order that a constraint asks for.
fn respects(trace: &Trace, Precedence { first, then }: &Precedence) -> bool {
    let steps = |thread| {
        let lines = trace.lines.iter().enumerate();
        lines.filter(move |(_, line)| {
            line.thread == thread && matches!(line.action, Action::Step(_))
        })
    };
    let last = steps(first.thread).take(usize::from(first.steps)).last();
    let next = steps(then.thread).nth(usize::from(then.steps));
    !matches!((last, next), (Some((last, _)), Some((next, _))) if last > next)
}

/// For each set of constraints, the executions in which no thread waits that are consistent with it.
fn with_edges(program: &Program, locations: u64, sets: &[Vec<Constraint>]) -> Vec<Found> {
    let mut found = vec![Found::new(); sets.len()];
    explore_results(
        &Config::default(),
        || run(program, locations, &[]),
        |execution: &Execution<'_>, result| {
            assert_eq!(*execution.ending(), Ending::Complete, "{program:?}");
            let (outcome, points) = result.expect("the first thread has ended");
            for (set, found) in sets.iter().zip(&mut found) {
                let edges: Vec<Precedence> = set
                    .iter()
                    .map(|&(first, then)| Precedence {
                        first: points[first].1,
                        then: points[then].0,
                    })
                    .collect();
                if let Some(constrained) = execution.constrained(&edges) {
                    let sequential = constrained.is_sequentially_consistent();
                    note(found, outcome.clone(), sequential);
                    let trace = constrained.trace();
                    assert_eq!(trace.is_interleaving, sequential);
                    edges.iter().for_each(|edge| assert!(respects(&trace, edge), "{trace:?}"));
                }
            }
            ControlFlow::Continue(())
        },
    );
    found
}

/// By operation, its thread.
fn threads(program: &Program) -> Vec<usize> {
    let all = program.iter().enumerate();
    all.flat_map(|(thread, operations)| operations.iter().map(move |_| thread)).collect()
}

/// What follows from the constraints and the order in threads; `None` if they contradict each other.
fn closure(threads: &[usize], waits: &[Constraint]) -> Option<Vec<Constraint>> {
    let n = threads.len();
    let mut before = vec![vec![false; n]; n];
    for first in 0..n {
        for then in 0..n {
            before[first][then] =
                first < then && threads[first] == threads[then] || waits.contains(&(first, then));
        }
    }
    for via in 0..n {
        for first in 0..n {
            for then in 0..n {
                before[first][then] |= before[first][via] && before[via][then];
            }
        }
    }
    let pairs = (0..n).flat_map(|first| (0..n).map(move |then| (first, then)));
    let holds =
        |&(first, then): &Constraint| before[first][then] && threads[first] != threads[then];
    (0..n).all(|at| !before[at][at]).then(|| pairs.filter(holds).collect())
}

/// Holds the edges against the waits in one program, with random constraints. Returns how many
/// executions the constraints left, and excluded.
fn compare(program: &Program, locations: u64, random: &mut Random) -> (u64, u64) {
    let threads = threads(program);
    let count = threads.len() as u64;
    let waits: Vec<Vec<Constraint>> = (0..4)
        .map(|_| {
            let pairs = (0..=random.below(3))
                .map(|_| (random.below(count) as usize, random.below(count) as usize));
            pairs.filter(|&(first, then)| threads[first] != threads[then]).collect()
        })
        .collect();
    let (waits, sets): (Vec<_>, Vec<_>) = waits
        .into_iter()
        .filter_map(|waits| closure(&threads, &waits).map(|closure| (waits, closure)))
        .unzip();
    let all = with_edges(program, locations, &[vec![]]).remove(0);
    let total: u64 = all.values().map(|(count, _)| count).sum();
    let (mut left, mut excluded) = (0, 0);
    for (waits, found) in waits.iter().zip(with_edges(program, locations, &sets)) {
        let expected = with_waits(program, locations, waits);
        assert_eq!(found, expected, "{program:?} with {waits:?}");
        let these: u64 = found.values().map(|(count, _)| count).sum();
        left += these;
        excluded += total - these;
    }
    (left, excluded)
}

fn programs() -> u64 {
    std::env::var("SELVEDGE_PROGRAMS").ok().map_or(200, |text| text.parse().expect("a number"))
}

fn sweep(seed: u64, count: u64, shape: Shape) {
    let mut random = Random(seed);
    let (mut left, mut excluded) = (0, 0);
    for _ in 0..count {
        let program = shape.program(&mut random);
        let (more_left, more_excluded) = compare(&program, shape.locations, &mut random);
        left += more_left;
        excluded += more_excluded;
    }
    println!("{count} programs of {shape:?}: {left} executions left, {excluded} excluded");
    assert!(left > count && excluded > count, "the constraints say nothing");
}

const SHAPE: Shape =
    Shape { threads: 2, operations: 2, steps: 2, locations: 2, kind: Kind::Atomics };
const THREE: Shape = Shape { threads: 3, operations: 1, ..SHAPE };
const FOUR: Shape = Shape { threads: 4, operations: 1, steps: 1, ..SHAPE };

#[test]
fn two_threads() {
    sweep(1, 5 * programs(), SHAPE);
}

#[test]
fn two_threads_with_objects() {
    sweep(2, 5 * programs(), Shape { kind: Kind::Objects, ..SHAPE });
}

#[test]
fn two_threads_sequentially_consistent() {
    sweep(3, 5 * programs(), Shape { kind: Kind::SeqCst, ..SHAPE });
}

#[test]
fn two_threads_of_three_operations() {
    sweep(4, programs(), Shape { operations: 3, steps: 1, ..SHAPE });
}

#[test]
fn three_threads() {
    sweep(5, 10 * programs(), THREE);
}

#[test]
fn three_threads_with_objects() {
    sweep(6, 5 * programs(), Shape { kind: Kind::Objects, ..THREE });
}

#[test]
fn three_threads_with_fences() {
    sweep(7, programs(), Shape { kind: Kind::Fences, steps: 3, ..THREE });
}

#[test]
fn three_threads_sequentially_consistent() {
    sweep(8, 5 * programs(), Shape { kind: Kind::SeqCst, ..THREE });
}

#[test]
fn three_threads_of_two_operations() {
    sweep(9, programs() / 4, Shape { operations: 2, ..THREE });
}

#[test]
fn three_threads_of_two_operations_on_one_location() {
    sweep(10, programs() / 4, Shape { operations: 2, steps: 1, locations: 1, ..THREE });
}

#[test]
fn four_threads() {
    sweep(11, programs(), FOUR);
}

#[test]
fn four_threads_sequentially_consistent() {
    sweep(12, programs(), Shape { kind: Kind::SeqCst, ..FOUR });
}

#[test]
fn four_threads_with_objects() {
    sweep(13, programs(), Shape { kind: Kind::Objects, steps: 2, locations: 1, ..FOUR });
}

/// Whether the outcome is allowed in which each operation sees this, given the constraints.
fn allows(program: &[&[Step]], waits: &[Constraint], seen: &[&[u64]]) -> bool {
    let program: Program = program.iter().map(|steps| vec![steps.to_vec()]).collect();
    let found = with_edges(&program, 2, &[waits.to_vec()]).remove(0);
    assert_eq!(found, with_waits(&program, 2, waits));
    found.keys().any(|(outcome, _)| outcome == seen)
}

#[test]
fn what_a_thread_waited_for_is_passed_on() {
    use Step::{Fence, Load, Locked, Store};
    let (x, y) = (0, 1);
    let stale = |second: &[Step], third: &[Step], seen: &[&[u64]]| {
        let program = [&[Store(x, 1, Relaxed)], second, third];
        assert!(allows(&program, &[], seen));
        allows(&program, &[(0, 1)], seen)
    };
    let reads = |order, last: Step| [Load(y, order), last];
    let last = Load(x, Relaxed);
    // By a store with release,
    assert!(stale(&[Store(y, 1, Relaxed)], &reads(Acquire, last), &[&[0], &[0], &[1, 0]]));
    assert!(stale(&[Store(y, 1, Release)], &reads(Relaxed, last), &[&[0], &[0], &[1, 0]]));
    assert!(!stale(&[Store(y, 1, Release)], &reads(Acquire, last), &[&[0], &[0], &[1, 0]]));
    // by fences,
    let released = [Fence(Release), Store(y, 1, Relaxed)];
    let acquired = [Load(y, Relaxed), Fence(Acquire), last];
    assert!(stale(&released, &reads(Relaxed, last), &[&[0], &[0, 0], &[1, 0]]));
    assert!(!stale(&released, &acquired, &[&[0], &[0, 0], &[1, 0, 0]]));
    // and by a lock.
    assert!(!stale(&[Locked(1)], &[Locked(2), last], &[&[0], &[0], &[1, 0]]));
}

/// Store buffering, with constraints in place of program order.
#[test]
fn the_sc_axiom_leads_through_constraints() {
    use Step::{Load, Store};
    let outcome: &[&[u64]] = &[&[0], &[0], &[0], &[0]];
    let allowed = |order, load| {
        let program: [&[Step]; 4] =
            [&[Store(0, 1, order)], &[Load(1, load)], &[Store(1, 1, order)], &[Load(0, load)]];
        allows(&program, &[(0, 1), (2, 3)], outcome)
    };
    assert!(allowed(Release, Acquire));
    assert!(!allowed(SeqCst, SeqCst));
}
