//! The same types as in `ours`, on loom 0.6, checked by lincheck: random scenarios of two threads with up to
//! two operations each, and of three with one, before, beside and after which others may run in one thread.

use std::cell::{Cell, RefCell};
use std::sync::atomic::AtomicU64 as Count;
use std::time::Instant;

use lincheck::scenario::{Scenario, check_scenario_with_loom};
use lincheck::{ConcurrentSpec, SequentialSpec};
use loom::sync::Mutex;
use loom::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use proptest::collection::vec;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

#[path = "../row.rs"]
mod row;

use row::Found;

/// Name, and what finds the failure with the random numbers of a seed.
type Row = (&'static str, fn(u8) -> Found);

const ALL: [Row; 10] = [
    ("lost update", check::<Lossy>),
    ("torn statistics", check::<Torn>),
    ("late reset", check::<Late>),
    ("look, then insert", check::<Insert>),
    ("sum of cells", check::<Cells>),
    ("store buffering", check::<Flags>),
    ("buffered write", check::<Buffered>),
    ("sound: one word, updates only", check::<Updates>),
    ("sound: one relaxed word", check::<Word>),
    ("sound: two `SeqCst` flags", check::<SoundFlags>),
];

fn main() {
    for (name, find) in ALL {
        for seed in 0..3 {
            find(seed).print(name, &format!("lincheck, seed {seed}"));
        }
    }
}

/// As many as proptest, and so lincheck, tries by itself.
const CASES: u32 = 256;

/// States that were made: one an execution, and one for each order that was tried is not counted.
static EXECUTIONS: Count = Count::new(0);

/// A type under test, whose operations are numbers.
trait UnderTest: ConcurrentSpec + Send + Sync + 'static {
    const NAMES: &'static [&'static str];
}

fn check<C: UnderTest>(seed: u8) -> Found
where
    C::Seq: SequentialSpec<Op = usize, Ret = Vec<u64>> + Send + Sync + 'static,
{
    let start = Instant::now();
    EXECUTIONS.store(0, Relaxed);
    // Shrinking is left out: the question is what it takes to the first failure.
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, random);
    let scenarios = Cell::new(0);
    let first = RefCell::new(None);
    let operation = || 0..C::NAMES.len();
    let threads =
        proptest::prop_oneof![vec(vec(operation(), 1..=2), 2), vec(vec(operation(), 1..=1), 3)];
    let strategy = (vec(operation(), 0..=2), threads, vec(operation(), 0..=2)).prop_map(
        |(init_part, parallel_part, post_part)| Scenario { init_part, parallel_part, post_part },
    );
    let result = runner.run(&strategy, |scenario| {
        if first.borrow().is_none() {
            scenarios.set(scenarios.get() + 1);
        }
        check_scenario_with_loom::<C>(scenario.clone()).map_err(|_| {
            first.borrow_mut().get_or_insert((scenario, start.elapsed()));
            TestCaseError::fail("not linearizable")
        })
    });
    if let Err(TestError::Abort(reason)) = result {
        panic!("{reason}");
    }
    let names = |operations: &Vec<usize>| {
        operations.iter().map(|n| C::NAMES[*n]).collect::<Vec<_>>().join(", ")
    };
    let first = first.into_inner();
    let elapsed = first.as_ref().map_or_else(|| start.elapsed(), |(_, elapsed)| *elapsed);
    let scenario = first.map(|(Scenario { init_part, parallel_part, post_part }, _)| {
        let threads: Vec<String> = parallel_part.iter().map(names).collect();
        let parts = [names(&init_part), threads.join(" || "), names(&post_part)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("; ")
    });
    let executions = EXECUTIONS.load(Relaxed);
    Found { scenario, scenarios: scenarios.get(), executions, elapsed }
}

/// One more execution.
fn count<T>(state: T) -> T {
    EXECUTIONS.fetch_add(1, Relaxed);
    state
}

/// A type, what one thread makes of it, and its operations. Results are lists of numbers.
macro_rules! under_test {
    (
        $name:ident($state:ty = $new:expr), $alone:ident($plain:ty),
        $($operation:literal => $run:expr, $instead:expr;)*
    ) => {
        struct $name($state);

        impl Default for $name {
            fn default() -> Self {
                count(Self($new))
            }
        }

        #[derive(Default)]
        struct $alone($plain);

        impl SequentialSpec for $alone {
            type Op = usize;
            type Ret = Vec<u64>;

            fn exec(&mut self, operation: usize) -> Vec<u64> {
                let all: &[fn(&mut $plain) -> Vec<u64>] = &[$($instead),*];
                all[operation](&mut self.0)
            }
        }

        impl ConcurrentSpec for $name {
            type Seq = $alone;

            fn exec(&self, operation: usize) -> Vec<u64> {
                let all: &[fn(&$state) -> Vec<u64>] = &[$($run),*];
                all[operation](&self.0)
            }
        }

        impl UnderTest for $name {
            const NAMES: &'static [&'static str] = &[$($operation),*];
        }
    };
}

fn add(count: &AtomicU64) -> Vec<u64> {
    count.store(count.load(Relaxed) + 1, Relaxed);
    Vec::new()
}

under_test! { Lossy(AtomicU64 = AtomicU64::new(0)), Number(u64),
    "add" => add, |count| { *count += 1; Vec::new() };
    "get" => |count| vec![count.load(Relaxed)], |count| vec![*count];
}

type Pair = (AtomicU64, AtomicU64);

fn pair() -> Pair {
    (AtomicU64::new(0), AtomicU64::new(0))
}

fn record(stats: &Pair) -> Vec<u64> {
    stats.0.fetch_add(1, Relaxed);
    stats.1.fetch_add(5, Relaxed);
    Vec::new()
}

under_test! { Torn(Pair = pair()), Both((u64, u64)),
    "record" => record, |stats| { *stats = (stats.0 + 1, stats.1 + 5); Vec::new() };
    "snapshot" => |stats| vec![stats.0.load(Relaxed), stats.1.load(Relaxed)],
        |stats| vec![stats.0, stats.1];
}

/// Nothing panics while it is locked.
fn change<T>(state: &Mutex<T>, f: impl FnOnce(&mut T) -> Vec<u64>) -> Vec<u64> {
    f(&mut state.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn take(stats: &Mutex<u64>) -> Vec<u64> {
    let taken = change(stats, |sum| vec![*sum]);
    change(stats, |sum| {
        *sum = 0;
        taken
    })
}

under_test! { Late(Mutex<u64> = Mutex::new(0)), Sum(u64),
    "record" => |stats| change(stats, |sum| { *sum += 5; Vec::new() }),
        |sum| { *sum += 5; Vec::new() };
    "take" => take, |sum| vec![std::mem::take(sum)];
}

fn get_or_insert(map: &Mutex<Option<u64>>, new: u64) -> Vec<u64> {
    let found = change(map, |value| value.iter().copied().collect());
    if found.is_empty() {
        return change(map, |value| {
            *value = Some(new);
            vec![new]
        });
    }
    found
}

under_test! { Insert(Mutex<Option<u64>> = Mutex::new(None)), Entry(Option<u64>),
    "first" => |map| get_or_insert(map, 10), |value| vec![*value.get_or_insert(10)];
    "second" => |map| get_or_insert(map, 20), |value| vec![*value.get_or_insert(20)];
}

fn increase(cell: &AtomicU64, by: u64) -> Vec<u64> {
    cell.fetch_add(by, Relaxed);
    Vec::new()
}

under_test! { Cells(Pair = pair()), Total(u64),
    "left" => |cells| increase(&cells.0, 1), |sum| { *sum += 1; Vec::new() };
    "right" => |cells| increase(&cells.1, 2), |sum| { *sum += 2; Vec::new() };
    "sum" => |cells| vec![cells.0.load(Relaxed) + cells.1.load(Relaxed)], |sum| vec![*sum];
}

fn raise(flag: &AtomicU64) -> Vec<u64> {
    flag.store(1, Release);
    Vec::new()
}

under_test! { Flags(Pair = pair()), Raised((u64, u64)),
    "raise left" => |flags| raise(&flags.0), |flags| { flags.0 = 1; Vec::new() };
    "raise right" => |flags| raise(&flags.1), |flags| { flags.1 = 1; Vec::new() };
    "left" => |flags| vec![flags.0.load(Acquire)], |flags| vec![flags.0];
    "right" => |flags| vec![flags.1.load(Acquire)], |flags| vec![flags.1];
}

loom::thread_local! {
    static BUFFER: Cell<Option<u64>> = Cell::new(None);
}

fn flush(register: &AtomicU64, buffer: Option<u64>) {
    if let Some(value) = BUFFER.with(|mine| mine.replace(buffer)) {
        register.swap(value, SeqCst);
    }
}

under_test! { Buffered(AtomicU64 = AtomicU64::new(0)), Register(u64),
    "write" => |register| { flush(register, Some(1)); Vec::new() },
        |register| { *register = 1; Vec::new() };
    "read" => |register| { flush(register, None); vec![register.load(SeqCst)] },
        |register| vec![*register];
}

under_test! { Updates(AtomicU64 = AtomicU64::new(0)), Updated(u64),
    "add" => |word| increase(word, 1), |word| { *word += 1; Vec::new() };
    "get" => |word| vec![word.fetch_add(0, Relaxed)], |word| vec![*word];
}

under_test! { Word(AtomicU64 = AtomicU64::new(0)), Plain(u64),
    "add" => |word| increase(word, 1), |word| { *word += 1; Vec::new() };
    "get" => |word| vec![word.load(Relaxed)], |word| vec![*word];
}

fn raise_sound(flag: &AtomicU64) -> Vec<u64> {
    flag.store(1, SeqCst);
    Vec::new()
}

under_test! { SoundFlags(Pair = pair()), SoundRaised((u64, u64)),
    "raise left" => |flags| raise_sound(&flags.0), |flags| { flags.0 = 1; Vec::new() };
    "raise right" => |flags| raise_sound(&flags.1), |flags| { flags.1 = 1; Vec::new() };
    "left" => |flags| vec![flags.0.load(SeqCst)], |flags| vec![flags.0];
    "right" => |flags| vec![flags.1.load(SeqCst)], |flags| vec![flags.1];
}
