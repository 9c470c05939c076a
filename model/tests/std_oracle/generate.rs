//! Random programs of a family.
//!
//! What std leaves undefined is not made, and nor is what the first edition of the checker was wrong about:
//!
//! - FACTS 6, freed too early: objects live as long as the program;
//! - FACTS 10, a waiting loop that updates: loops that spin only load;
//! - No fences beside cells.

mod steps;

use proptest::prelude::*;
use proptest::test_runner::TestRng;

use crate::program::{BOUNDS, Mode, Op, Place, Program};

/// A kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// A `SeqCst` update of a word: it shows who comes first.
    Mark,
    /// Any access of a word that updates it, of any ordering.
    Update,
    /// Updates of flags and pointers.
    Small,
    Exchange,
    Weak,
    FetchUpdate,
    Load,
    Store,
    Fence,
    Await,
    Spin,
    Idle,
    Refute,
    Lock,
    TryLock,
    /// A scope that is left by a panic, which is caught.
    Caught,
    /// Looks whether a lock is poisoned, or clears that.
    Poison,
    Read,
    Write,
    TryRead,
    TryWrite,
    Downgrade,
    Wait,
    WaitTimeout,
    WaitUntil,
    PollUntil,
    Notify,
    /// A wait that is announced, by the first thread, or the notification that waits for it.
    Announced,
    Park,
    ParkTimeout,
    ParkUntil,
    Unpark,
    /// Channel steps, by the channel's number.
    Channel(usize),
    Meet,
    Once,
    Make,
    Arc,
    ArcCell,
    /// A thread; joined or not, and what it does.
    Spawn,
    /// A thread that panics, and is joined or not.
    SpawnPanics,
    Local,
    Cell,
    /// A cell that is touched if the thread has just observed a value.
    IfCell,
}

/// Picks and their weights.
pub(crate) type Alphabet = &'static [(u32, Pick)];

/// Programs of `threads` threads with `steps` steps each.
pub(crate) fn programs(
    threads: usize,
    steps: usize,
    alphabets: Vec<Alphabet>,
) -> impl Strategy<Value = Program> {
    Just(()).prop_perturb(move |(), rng| {
        let mut source = Source::new(rng, threads);
        source.choose_picks(&alphabets);
        source.program(steps)
    })
}

/// Orders of declaration: all of two or three threads, one of more.
pub(crate) fn orders(program: &Program) -> Vec<Program> {
    let permutations: Vec<Vec<usize>> = match program.threads.len() {
        2 => vec![vec![0, 1], vec![1, 0]],
        3 => vec![
            vec![0, 1, 2],
            vec![0, 2, 1],
            vec![1, 0, 2],
            vec![1, 2, 0],
            vec![2, 0, 1],
            vec![2, 1, 0],
        ],
        _ => vec![program.order.clone()],
    };
    let with = |order| Program { order, ..program.clone() };
    permutations.into_iter().map(with).collect()
}

struct Source {
    rng: TestRng,
    threads: usize,
    /// How many threads there are, those that are spawned included.
    numbers: usize,
    picks: Vec<(u32, Pick)>,
    /// Which thread receives from each channel.
    receivers: [usize; BOUNDS.len()],
    /// How many atomics of a kind.
    places: usize,
    /// In the current thread.
    thread: usize,
    spawned: usize,
    mutexes: Vec<usize>,
    rwlocks: Vec<(usize, Mode)>,
    once: bool,
    /// The step before received from a channel.
    received: bool,
    local: bool,
    nested: usize,
}

/// loom's limit.
const MAX_THREADS: usize = 5;

impl Source {
    fn new(rng: TestRng, threads: usize) -> Self {
        let mut source = Self {
            rng,
            threads,
            numbers: threads,
            picks: Vec::new(),
            receivers: [0; BOUNDS.len()],
            places: 1,
            thread: 0,
            spawned: 0,
            mutexes: Vec::new(),
            rwlocks: Vec::new(),
            once: false,
            received: false,
            local: false,
            nested: 0,
        };
        source.receivers = std::array::from_fn(|_| source.below(threads));
        source.places = 1 + source.below(2);
        source
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// All of a single alphabet; of several, two or three and marks.
    fn choose_picks(&mut self, alphabets: &[Alphabet]) {
        if let [alphabet] = alphabets {
            self.picks = alphabet.to_vec();
            return;
        }
        for _ in 0..2 + self.below(2) {
            let alphabet = self.of(alphabets);
            self.picks.extend(alphabet);
        }
        // Fences beside cells hide races.
        let cells = [Pick::Cell, Pick::IfCell, Pick::ArcCell];
        if self.picks.iter().any(|(_, pick)| cells.contains(pick)) {
            self.picks.retain(|(_, pick)| *pick != Pick::Fence);
        }
    }

    fn program(mut self, steps: usize) -> Program {
        let mut order: Vec<usize> = (0..self.threads).collect();
        for at in 1..order.len() {
            let other = self.below(at + 1);
            order.swap(at, other);
        }
        let mut threads = Vec::new();
        for thread in 0..self.threads {
            self.thread = thread;
            self.local = false;
            let mut ops = self.ops(steps);
            while self.spawned > 0 {
                self.spawned -= 1;
                if !self.one_in(4) {
                    ops.push(Op::Join);
                }
            }
            let parks = |op: &Op| matches!(op, Op::Park | Op::ParkTimeout | Op::ParkUntil(..));
            if ops.iter().any(parks) && !self.one_in(8) {
                ops.insert(0, Op::Introduce);
            }
            threads.push(ops);
        }
        Program { threads, order }
    }

    fn ops(&mut self, steps: usize) -> Vec<Op> {
        let mut ops: Vec<Op> = Vec::new();
        let mut left = steps;
        while left > 0 {
            let pick = self.pick();
            // A thread that takes no step at all makes a wrong model.
            if pick == Pick::IfCell && ops.is_empty() {
                continue;
            }
            self.received = ops.last().is_some_and(|op| matches!(op.channel(), Some((_, true))));
            let Some(op) = self.op(pick, left) else { continue };
            left = left.saturating_sub(cost(&op));
            ops.push(op);
        }
        ops
    }

    fn pick(&mut self) -> Pick {
        let total: u32 = self.picks.iter().map(|(weight, _)| weight).sum();
        let mut at = self.rng.random_range(0..total);
        for &(weight, pick) in &self.picks {
            if at < weight {
                return pick;
            }
            at -= weight;
        }
        Pick::Mark
    }

    fn word(&mut self) -> Place {
        Place::Word(self.below(self.places))
    }

    fn value(&mut self) -> u64 {
        // What a step under `If` asks for, mostly.
        if self.picks.iter().any(|(_, pick)| *pick == Pick::IfCell) && !self.one_in(3) {
            return 1;
        }
        self.rng.random_range(1..4)
    }

    /// The inside of a scope: none to `left` steps.
    fn body(&mut self, left: usize) -> Vec<Op> {
        self.nested += 1;
        let steps = self.below(left.min(3));
        let ops = if self.nested > 2 { vec![self.mark()] } else { self.ops(steps) };
        self.nested -= 1;
        ops
    }
}

/// How many steps a step counts as.
fn cost(op: &Op) -> usize {
    match op {
        Op::Spawn(..) | Op::Local(_) => 1,
        op => 1 + op.body().map_or(0, |body| body.iter().map(cost).sum()),
    }
}
