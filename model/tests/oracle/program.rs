//! Small random programs over a few atomics and one mutex.

use std::fmt;
use std::sync::atomic::Ordering;

use proptest::prelude::*;

/// One step of a thread. Every step that reads adds what it read to the thread's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    Load(usize, Ordering),
    Store(usize, u64, Ordering),
    Swap(usize, u64, Ordering),
    Add(usize, u64, Ordering),
    /// Variable, expected, new; orderings of success and failure.
    Cas(usize, u64, u64, Ordering, Ordering),
    Fence(Ordering),
    /// Waits until the variable holds the value.
    Await(usize, u64, Ordering),
    /// Steps under the mutex. Not nested.
    Locked(Vec<Op>),
}

/// What threads do, at once, to variables that start at 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) variables: usize,
    pub(crate) threads: Vec<Vec<Op>>,
}

impl Program {
    /// All programs with one step less, or with a section under the mutex opened. No thread loses its
    /// last step.
    pub(crate) fn shorter(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for (thread, ops) in self.threads.iter().enumerate() {
            for (at, op) in ops.iter().enumerate() {
                let instead = match op {
                    Op::Locked(inside) => inside.clone(),
                    _ => Vec::new(),
                };
                let mut shorter = self.clone();
                shorter.threads[thread].splice(at..=at, instead);
                if !shorter.threads[thread].is_empty() {
                    all.push(shorter);
                }
            }
        }
        all
    }
}

/// What each thread read, and what the variables hold in the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Outcome {
    pub(crate) reads: Vec<Vec<u64>>,
    pub(crate) finals: Vec<u64>,
}

impl fmt::Display for Outcome {
    /// As the harness writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (thread, reads) in self.reads.iter().enumerate() {
            write!(f, "t{thread}={reads:?} ")?;
        }
        write!(f, "finals={:?}", self.finals)
    }
}

/// Which orderings a family of programs uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// `SeqCst` everywhere.
    SeqCst,
    /// `Relaxed` everywhere.
    Relaxed,
    /// Relaxed, acquire, release; fences of every kind.
    Mixed,
}

/// Which steps a family of programs takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five kinds of steps, each there or not")]
pub(crate) struct Alphabet {
    pub(crate) strength: Strength,
    pub(crate) loads_and_stores: bool,
    pub(crate) updates: bool,
    pub(crate) mutex: bool,
    pub(crate) fences: bool,
    pub(crate) waits: bool,
}

/// Programs of `threads` threads with `steps` steps each.
pub(crate) fn programs(threads: usize, steps: usize, alphabet: Alphabet) -> BoxedStrategy<Program> {
    (1..=3_usize)
        .prop_flat_map(move |variables| {
            let thread = thread(steps, variables, alphabet);
            prop::collection::vec(thread, threads)
                .prop_map(move |threads| Program { variables, threads })
        })
        .boxed()
}

/// A thread of exactly `steps` steps; a section under the mutex counts what is inside.
fn thread(steps: usize, variables: usize, alphabet: Alphabet) -> BoxedStrategy<Vec<Op>> {
    let steps = prop::collection::vec(step(variables, alphabet), steps);
    if !alphabet.mutex {
        return steps.boxed();
    }
    (steps, any::<prop::sample::Index>(), 0..3_usize)
        .prop_map(|(mut ops, at, length)| {
            let at = at.index(ops.len());
            let length = length.min(ops.len() - at);
            if length > 0 {
                let inside = ops.drain(at..at + length).collect();
                ops.insert(at, Op::Locked(inside));
            }
            ops
        })
        .boxed()
}

fn step(variables: usize, alphabet: Alphabet) -> BoxedStrategy<Op> {
    let x = 0..variables;
    let value = 1..4_u64;
    let load = order(alphabet.strength, &[Ordering::Relaxed, Ordering::Acquire]);
    let store = order(alphabet.strength, &[Ordering::Relaxed, Ordering::Release]);
    let rmw = order(
        alphabet.strength,
        &[Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel],
    );
    let fence = prop::sample::select(match alphabet.strength {
        Strength::SeqCst => vec![Ordering::SeqCst],
        _ => vec![Ordering::Acquire, Ordering::Release, Ordering::AcqRel, Ordering::SeqCst],
    });
    let mut choices: Vec<(u32, BoxedStrategy<Op>)> = Vec::new();
    if alphabet.waits {
        let wait = (x.clone(), 0..3_u64, load.clone()).prop_map(|(x, v, o)| Op::Await(x, v, o));
        choices.push((1, wait.boxed()));
    }
    if alphabet.loads_and_stores {
        choices.push((3, (x.clone(), load.clone()).prop_map(|(x, o)| Op::Load(x, o)).boxed()));
        let store = (x.clone(), value.clone(), store).prop_map(|(x, v, o)| Op::Store(x, v, o));
        choices.push((3, store.boxed()));
    }
    if alphabet.updates {
        let swap = (x.clone(), value.clone(), rmw.clone()).prop_map(|(x, v, o)| Op::Swap(x, v, o));
        choices.push((1, swap.boxed()));
        let add = (x.clone(), value.clone(), rmw.clone()).prop_map(|(x, v, o)| Op::Add(x, v, o));
        choices.push((1, add.boxed()));
        let cas = (x, 0..4_u64, value, rmw, load)
            .prop_map(|(x, expected, new, ok, err)| Op::Cas(x, expected, new, ok, err));
        choices.push((1, cas.boxed()));
    }
    if alphabet.fences {
        choices.push((1, fence.prop_map(Op::Fence).boxed()));
    }
    prop::strategy::Union::new_weighted(choices).boxed()
}

fn order(strength: Strength, mixed: &[Ordering]) -> BoxedStrategy<Ordering> {
    match strength {
        Strength::SeqCst => Just(Ordering::SeqCst).boxed(),
        Strength::Relaxed => Just(Ordering::Relaxed).boxed(),
        Strength::Mixed => prop::sample::select(mixed.to_vec()).boxed(),
    }
}

/// What the threads of a program share, and how a thread carries out its steps: on whichever types
/// are in scope.
macro_rules! interpreter {
    ($wait_until:expr) => {
        /// What the threads of a program share.
        pub(crate) struct Shared {
            variables: Vec<AtomicU64>,
            mutex: Mutex<()>,
        }

        impl Shared {
            fn new(variables: usize) -> Self {
                let variables = (0..variables).map(|_| AtomicU64::new(0)).collect();
                Self { variables, mutex: Mutex::new(()) }
            }

            /// What the variables hold in the end.
            fn finals(&self) -> Vec<u64> {
                self.variables.iter().map(|x| x.load(SeqCst)).collect()
            }
        }

        fn run(ops: &[Op], shared: &Shared, reads: &mut Vec<u64>) {
            for op in ops {
                let x = |x: usize| &shared.variables[x];
                match *op {
                    Op::Load(v, order) => reads.push(x(v).load(order)),
                    Op::Store(v, value, order) => x(v).store(value, order),
                    Op::Swap(v, value, order) => reads.push(x(v).swap(value, order)),
                    Op::Add(v, value, order) => reads.push(x(v).fetch_add(value, order)),
                    Op::Cas(v, expected, new, ok, err) => {
                        let (Ok(found) | Err(found)) =
                            x(v).compare_exchange(expected, new, ok, err);
                        reads.push(found);
                    }
                    Op::Fence(order) => fence(order),
                    Op::Await(v, value, order) => $wait_until(|| x(v).load(order) == value),
                    Op::Locked(ref inside) => {
                        let guard = shared.mutex.lock().unwrap_or_else(PoisonError::into_inner);
                        run(inside, shared, reads);
                        drop(guard);
                    }
                }
            }
        }
    };
}
pub(crate) use interpreter;
