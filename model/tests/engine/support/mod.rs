//! Programs written directly on the kernel, and what an exploration of them found.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::panic::Location;
use std::sync::atomic::Ordering::{self, Relaxed};

use selvedge_model::engine::graph::{Bound, Config, Ending, Execution, Report, explore_results};
use selvedge_model::kernel::object::{Mutex, MutexAct};
use selvedge_model::kernel::{
    self, Access, Act, AtomicKind, CellKind, Choice, LocationId, Made, NewThread, Object,
    Operation, Rmw, Shape, ThreadId, Turn, Update,
};

pub const WORD: Shape = Shape { bits: 64, signed: false };
const KIND: AtomicKind = AtomicKind::Integer { name: "AtomicU64", shape: WORD };

fn with<R>(f: impl FnOnce(&dyn kernel::Engine) -> R) -> R {
    kernel::with(f).expect("inside an exploration")
}

/// An atomic `u64`.
#[derive(Clone, Copy)]
pub struct Atomic(pub LocationId);

impl Atomic {
    #[track_caller]
    pub fn new(value: u64) -> Self {
        let site = Location::caller();
        Self(with(|engine| engine.make(Made::Atomic { value, kind: KIND }, site)))
    }
    #[track_caller]
    pub fn load(self, order: Ordering) -> u64 {
        let operation = Operation::Load { location: self.0, order };
        let site = Location::caller();
        with(|engine| engine.step(operation, site))
    }
    #[track_caller]
    pub fn store(self, value: u64, order: Ordering) {
        let operation = Operation::Store { location: self.0, value, order };
        let site = Location::caller();
        with(|engine| engine.step(operation, site));
    }
    #[track_caller]
    pub fn update(self, rmw: Rmw, success: Ordering, failure: Ordering) -> u64 {
        let update = Update { rmw, shape: WORD };
        let operation = Operation::Update { location: self.0, update, success, failure };
        let site = Location::caller();
        with(|engine| engine.step(operation, site))
    }
    #[track_caller]
    pub fn fetch_add(self, value: u64, order: Ordering) -> u64 {
        self.update(Rmw::Add(value), order, Relaxed)
    }
    #[track_caller]
    pub fn swap(self, value: u64, order: Ordering) -> u64 {
        self.update(Rmw::Swap(value), order, Relaxed)
    }
    #[track_caller]
    pub fn compare_exchange(
        self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let seen = self.update(Rmw::CompareExchange { current, new }, success, failure);
        if seen == current { Ok(seen) } else { Err(seen) }
    }
}

/// Whether the weak exchange that the thread has just made has failed without a cause.
pub fn fails_spuriously() -> bool {
    with(|engine| engine.fails_spuriously())
}

#[track_caller]
pub fn fence(order: Ordering) {
    let site = Location::caller();
    with(|engine| engine.step(Operation::Fence { order }, site));
}

/// Plain memory.
#[derive(Clone, Copy)]
pub struct Cell(LocationId);

impl Cell {
    #[track_caller]
    pub fn new() -> Self {
        let site = Location::caller();
        Self(with(|engine| engine.make(Made::Cell(CellKind::Plain), site)))
    }
    #[track_caller]
    pub fn read(self) {
        let site = Location::caller();
        with(|engine| engine.access(self.0, Access::Read, site));
    }
    #[track_caller]
    pub fn write(self) {
        let site = Location::caller();
        with(|engine| engine.access(self.0, Access::Write, site));
    }
}

#[track_caller]
pub fn free(location: LocationId) {
    let site = Location::caller();
    with(|engine| engine.access(location, Access::Free, site));
}

/// Any object.
#[derive(Clone, Copy)]
pub struct Thing(pub LocationId);

impl Thing {
    #[track_caller]
    pub fn new(state: impl Into<Object>) -> Self {
        let site = Location::caller();
        Self(with(|engine| engine.make(Made::Object(state.into()), site)))
    }
    #[track_caller]
    pub fn act(self, act: Act) -> u64 {
        let site = Location::caller();
        with(|engine| engine.step(Operation::Act { object: self.0, act }, site))
    }
    #[track_caller]
    pub fn mutex() -> Self {
        Self::new(Mutex::default())
    }
    #[track_caller]
    pub fn lock(self) {
        self.act(Act::Mutex(MutexAct::Lock));
    }
    /// Whether it was free.
    #[track_caller]
    pub fn try_lock(self) -> bool {
        self.act(Act::Mutex(MutexAct::TryLock)) != 2
    }
    #[track_caller]
    pub fn unlock(self) {
        self.act(Act::Mutex(MutexAct::Unlock { poisons: false }));
    }
}

#[track_caller]
pub fn choose(options: u32) -> u64 {
    let operation = Operation::Choose { what: Choice::Program, options };
    let site = Location::caller();
    with(|engine| engine.step(operation, site))
}

#[track_caller]
pub fn spin() {
    let site = Location::caller();
    with(|engine| engine.turn(Turn::Spin, site));
}

#[track_caller]
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let site = Location::caller();
    let turn = |turn| with(|engine| engine.turn(turn, site));
    turn(Turn::Begin);
    while !condition() {
        turn(Turn::Wait);
    }
}

pub struct Child<T>(ThreadId, std::rc::Rc<std::cell::Cell<Option<T>>>);

#[track_caller]
pub fn spawn<T: 'static>(body: impl FnOnce() -> T + 'static) -> Child<T> {
    let result = std::rc::Rc::new(std::cell::Cell::new(None));
    // Its counts, which are before it, are no part of the program under test.
    let counts = std::rc::Rc::as_ptr(&result).addr() - size_of::<[usize; 2]>();
    with(|engine| engine.know_owners(counts));
    let to = result.clone();
    let body = Box::new(move || to.set(Some(body())));
    let site = Location::caller();
    let child = with(|engine| engine.spawn(NewThread { body, name: None, stack: None }, site));
    Child(child, result)
}

impl<T> Child<T> {
    #[track_caller]
    pub fn join(self) -> T {
        let site = Location::caller();
        with(|engine| engine.step(Operation::Join { child: self.0 }, site));
        self.1.take().expect("the thread has ended")
    }
}

/// Runs `body` in `n` threads and joins them.
#[track_caller]
pub fn threads<T: 'static>(n: u64, body: impl Fn(u64) -> T + Clone + 'static) -> Vec<T> {
    let children: Vec<_> = (0..n)
        .map(|thread| {
            let body = body.clone();
            spawn(move || body(thread))
        })
        .collect();
    children.into_iter().map(Child::join).collect()
}

/// What an exploration found.
#[derive(Debug)]
pub struct Found<R> {
    pub report: Report,
    pub results: BTreeSet<R>,
    /// Those of sequentially consistent executions.
    pub sequential: BTreeSet<R>,
    pub signatures: BTreeSet<u128>,
    pub shown: u64,
    pub endings: Vec<Ending>,
}

impl<R> Found<R> {
    /// Complete executions.
    pub fn complete(&self) -> u64 {
        self.report.complete
    }
}

/// Explores in each way that must find the same, and returns what the usual way found. The ways that
/// keep hashes are left out where they take too long.
pub fn explore<R: Ord + Clone + Debug>(program: impl Fn() -> R) -> Found<R> {
    #[cfg(loom)]
    agrees(&program);
    let found = explore_with(&Config::default(), &program);
    let hashes = Config { hashes: true, executions: 3_000, ..Config::default() };
    for config in [
        Config { reversed: true, ..Config::default() },
        hashes.clone(),
        Config { reversed: true, ..hashes },
    ] {
        let other = explore_with(&config, &program);
        if config.hashes && other.report.bounds.contains(&Bound::Executions) {
            assert!(other.signatures.is_subset(&found.signatures), "{config:?}");
            continue;
        }
        assert_eq!(found.signatures, other.signatures, "{config:?}");
        assert_eq!(found.results, other.results);
        assert_eq!(found.report.complete, other.report.complete);
        assert_eq!(found.report.deadlocks, other.report.deadlocks);
    }
    found
}

/// The loom engine finds the same, as far as it gets.
#[cfg(loom)]
fn agrees<R: Debug>(program: impl Fn() -> R) {
    use selvedge_model::engine::{agreement, loom};
    let text = || format!("{:?}", program());
    let config = loom::Config { executions: 100, ..loom::Config::default() };
    let both = agreement::explore(&Config::default(), &config, text);
    assert!(!matches!(both.loom.end, loom::End::Broken(_)), "{:?}", both.loom);
    if let Err(difference) = both.agreement {
        panic!("the engines disagree: {difference:#?}");
    }
}

pub fn explore_with<R: Ord + Clone>(config: &Config, program: impl Fn() -> R) -> Found<R> {
    let mut found = Found {
        report: Report::default(),
        results: BTreeSet::new(),
        sequential: BTreeSet::new(),
        signatures: BTreeSet::new(),
        shown: 0,
        endings: Vec::new(),
    };
    let report = explore_results(config, program, |execution: &Execution<'_>, result| {
        found.shown += 1;
        found.signatures.insert(execution.signature());
        match execution.ending() {
            Ending::Complete => {
                let result = result.expect("the first thread has ended");
                if execution.is_sequentially_consistent() {
                    found.sequential.insert(result.clone());
                }
                found.results.insert(result);
            }
            other => found.endings.push(other.clone()),
        }
        ControlFlow::Continue(())
    });
    found.report = report;
    assert_eq!(found.signatures.len() as u64, found.shown, "an execution was shown twice");
    found
}
