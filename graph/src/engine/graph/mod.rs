//! Every execution that C++20 allows, as execution graphs, each once.
//!
//! The memory model is RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer: *Repairing Sequential Consistency
//! in C/C++11*, PLDI 2017) with the release sequences of C++20: coherence, atomicity, the SC axiom,
//! and no load buffering (program order ∪ reads-from is acyclic). The method is that of `TruSt`
//! (Kokologiannakis, Marmanis, Gladstein, Vafeiadis: *Truly Stateless, Optimal Dynamic Partial Order
//! Reduction*, POPL 2022), with three differences that [`argument`] explains.
//!
//! # Decisions
//!
//! - The operations on an object are totally ordered, and that order takes part in what must be
//!   acyclic: no load buffering through locks. It adds no happens-before; the object does. Nor is there
//!   store buffering through acts that only look, such as `OnceLock::get` or a `try_lock` that fails:
//!   what is before in the order is a cause. `Arc` has no object; its counts are atomics.
//! - Plain accesses are no events. They race or they do not; in the SC axiom they do not count, for an
//!   optimiser may remove them.
//! - A location is readable from its making on; whether the reader knows of it is the race detector's
//!   question.
//!
//! # Parts
//!
//! `event`, `relations` and `psc` are the memory model; `extend` and `revisit` the exploration;
//! `canonical` what makes it optimal; `run`, `schedule`, `coroutine` one execution; `waiting` loops
//! that wait; `plain` data races; `panics` whose panics count; `signature` graphs as numbers.

#![expect(
    clippy::cast_possible_truncation,
    reason = "ids, positions and threads are small: `Config::steps` and `MAX_THREADS` bound them"
)]

pub mod argument;
mod bridge;
mod canonical;
mod coroutine;
mod event;
mod execution;
mod extend;
mod names;
mod outcome;
mod panics;
mod plain;
mod psc;
mod relations;
mod revisit;
mod run;
mod schedule;
mod search;
mod sequential;
mod signature;
mod waiting;

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(crate) use coroutine::message_of;
pub use execution::Execution;
pub use outcome::{Action, Blocked, Bound, Ending, Line, Party, Source};

use crate::kernel::{self, Policy};
use coroutine::Engine;
use search::Search;

/// How to explore.
#[derive(Debug, Clone)]
pub struct Config {
    /// Stops after so many executions.
    pub executions: u64,
    /// How many steps a thread may take; 60,000 at most.
    pub steps: usize,
    /// How many turns in a row a waiting loop may take that have an effect.
    pub turns: u32,
    /// How many turns without an effect a loop may take before it leaves; one that takes more counts
    /// as waiting for ever.
    pub idle_turns: u32,
    /// The size of a thread's stack in bytes, unless it asks for more.
    pub stack_bytes: usize,
    /// What the standard leaves open, and is not explored.
    pub policy: Policy,
    /// The scheduler prefers the last thread, not the first. The same executions are found.
    pub reversed: bool,
    /// Takes every revisit, and drops graphs that it has met before, by a hash. The same executions
    /// are found, in more time and memory, without the condition that makes the search optimal.
    pub hashes: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            executions: u64::MAX,
            steps: 2_000,
            turns: 16,
            idle_turns: 200,
            stack_bytes: 256 << 10,
            policy: Policy { spurious: true },
            reversed: false,
            hashes: false,
        }
    }
}

/// What an exploration has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Executions in which all threads ended, each another consistent graph.
    pub complete: u64,
    /// Executions in which some threads wait for ever.
    pub deadlocks: u64,
    /// Executions that ended with an error.
    pub errors: u64,
    /// Runs given up because a waiting loop would have read something else in the end.
    pub stutters: u64,
    /// Runs given up because the SC axiom did not hold for an update that succeeded.
    pub inconsistent: u64,
    /// Runs given up at a limit of the threads.
    pub bounded: u64,
    /// Runs whose graph had been met before: none, unless graphs are hashed.
    pub duplicates: u64,
    /// Events of all runs.
    pub events: u64,
    /// What cut the exploration short, if anything did.
    pub bound: Option<Bound>,
    /// The caller ended it.
    pub stopped: bool,
}

impl Report {
    /// Executions that the caller was shown.
    pub fn executions(&self) -> u64 {
        self.complete + self.deadlocks + self.errors
    }

    /// How often the program was run.
    pub fn runs(&self) -> u64 {
        self.executions() + self.stutters + self.inconsistent + self.bounded + self.duplicates
    }
}

/// No two executions have the same number.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Explores every execution of `program`, and shows each to `each` until that breaks.
///
/// # Panics
///
/// If called from a program under test.
pub fn explore(
    config: &Config,
    program: &dyn Fn(),
    each: &mut dyn FnMut(&Execution<'_>) -> ControlFlow<()>,
) -> Report {
    bridge::install_hook();
    let _hidden = panics::Hidden::new();
    // SAFETY: only the lifetime is widened. The program is called by coroutines that `Engine::run`
    // brings to their end before it returns.
    let program = unsafe { std::mem::transmute::<&dyn Fn(), &'static dyn Fn()>(program) };
    let engine = Engine { search: RefCell::new(Search::new(config)), in_thread: Cell::new(false) };
    let mut report = Report::default();
    loop {
        {
            let mut search = engine.search.borrow_mut();
            let Some(graph) = search.next() else { break };
            let old = std::mem::replace(&mut search.graph, graph);
            search.spare.push(old);
            // Relaxed: numbers only have to differ.
            let events = search.graph.events.len();
            search.run.renew(NUMBER.fetch_add(1, Relaxed), events);
        }
        kernel::enter(&engine, || engine.run(Box::new(program)));
        let mut search = engine.search.borrow_mut();
        let Some(ending) = search.run.over.clone() else { continue };
        report.events += search.graph.events.len() as u64;
        match &ending {
            Ending::Stutter => report.stutters += 1,
            Ending::Inconsistent => report.inconsistent += 1,
            Ending::Again => {}
            Ending::Bounded(bound) => {
                report.bounded += 1;
                report.bound.get_or_insert(*bound);
            }
            shown => {
                if !search.is_new() {
                    report.duplicates += 1;
                    continue;
                }
                match shown {
                    Ending::Complete | Ending::Panic { .. } => report.complete += 1,
                    Ending::Deadlock(_) => report.deadlocks += 1,
                    _ => report.errors += 1,
                }
                let execution = Execution::new(&search, report.executions());
                let fatal = matches!(shown, Ending::Nondeterministic { .. });
                if each(&execution).is_break() || fatal {
                    report.stopped = true;
                    break;
                }
            }
        }
        if report.runs() >= config.executions && search.has_more() {
            report.bound.get_or_insert(Bound::Executions);
            break;
        }
    }
    report
}

/// [`explore`] for a program that returns something: `each` is given it where all threads ended.
pub fn explore_results<R>(
    config: &Config,
    program: impl Fn() -> R,
    mut each: impl FnMut(&Execution<'_>, Option<R>) -> ControlFlow<()>,
) -> Report {
    let result = RefCell::new(None);
    explore(
        config,
        &|| {
            let value = program();
            result.replace(Some(value));
        },
        &mut |execution| each(execution, result.take()),
    )
}
