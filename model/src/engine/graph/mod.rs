//! Every execution that C++20 allows, as execution graphs, each once.
//!
//! The memory model is that of C++20, which Rust's atomics have: coherence, atomicity, release sequences, the
//! order of `SeqCst` operations (`sc_order`). It is without load buffering, as RC11 is (program order ∪ reads-from is
//! acyclic; Lahav, Vafeiadis, Kang, Hur, Dreyer: *Repairing Sequential Consistency in C/C++11*, PLDI 2017), which
//! rules out values out of thin air. The method is that of `TruSt`
//! (Kokologiannakis, Marmanis, Gladstein, Vafeiadis: *Truly Stateless, Optimal Dynamic Partial Order
//! Reduction*, POPL 2022), with three differences that [`argument`] explains.
//!
//! # Decisions
//!
//! - The operations on an object are totally ordered, and that order takes part in what must be
//!   acyclic: no load buffering through locks. It adds no happens-before; the object does. Nor is there
//!   store buffering through acts that only look, such as `OnceLock::get` or a `try_lock` that fails:
//!   what is before in the order is a cause. `Arc` has no object; its counts are atomics.
//! - Plain accesses are no events. They race or they do not.
//! - A location is readable from its making on; whether the reader knows of it is the race detector's
//!   question.
//!
//! # Parts
//!
//! `event`, `relations` and `sc_order` are the memory model; `extend` and `revisit` the exploration;
//! `canonical` what makes it optimal; `run`, `schedule`, `coroutine` one execution; `again` what
//! it depends on that the engine does not see; `waiting` loops that wait, by what
//! `turns` keeps of each thread; `plain` data races; `precedence` constraints
//! on finished executions; `panics` whose panics count; `signature` graphs as numbers.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "ids, positions and threads are small: `Config::steps` and `MAX_THREADS` bound them"
)]

mod again;
pub mod argument;
mod bridge;
mod call_stack;
mod canonical;
mod coroutine;
mod event;
mod execution;
mod extend;
mod order;
mod outcome;
mod plain;
mod precedence;
mod relations;
mod revisit;
mod run;
mod sc_order;
mod schedule;
mod search;
mod sequential;
mod signature;
mod turns;
mod waiting;

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::Arc;

pub use execution::Execution;
pub use outcome::{
    Action, Blocked, Bound, Ending, Line, Party, Source, Text, Trace, Unsynchronised,
};
pub use precedence::{Point, Precedence};

use super::stacks::{self, Stacks};
use super::watch::Watch;
use super::{overflow, panics};
use crate::kernel::{self, Policy};
use crate::mutation::Probe;
use coroutine::Engine;
use run::Run;
use search::Search;

/// How to explore.
#[derive(Debug, Clone)]
pub struct Config {
    /// Stops before it shows another execution than so many. Runs that are given up do not count, but for those that
    /// a bound cuts, and for duplicates, if graphs are hashed. Of the others there may be ten times as many, and
    /// a thousand.
    pub executions: u64,
    /// How many steps a thread may take; 60,000 at most.
    pub steps: usize,
    /// How many turns a waiting loop may take that have an effect, while it finds nothing new in others.
    pub turns: u32,
    /// How many turns without an effect a loop may take before it leaves; one that takes more counts
    /// as waiting for ever.
    pub idle_turns: u32,
    /// The size of a thread's stack in bytes, unless it asks for more.
    pub stack_bytes: usize,
    /// What the standard leaves open, and is not explored.
    pub policy: Policy,
    /// A value with counted owners that is never dropped is an error, and so is memory that is never freed. What
    /// the program returns, or keeps in a thread-local of its first thread, counts as not dropped. What was made
    /// outside the exploration does not count.
    pub leaks: bool,
    /// The scheduler prefers the last thread, not the first. The same executions are found.
    pub reversed: bool,
    /// Takes every revisit, and drops graphs that it has met before, by a hash. The same executions
    /// are found, in more time and memory, without the condition that makes the search optimal.
    pub hashes: bool,
    /// What is changed about an operation, and which are executed.
    pub probe: Option<Arc<Probe>>,
    /// Where the exploration is.
    pub watch: Watch,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            executions: u64::MAX,
            steps: 2_000,
            turns: 16,
            idle_turns: 1_000,
            stack_bytes: stacks::DEFAULT_BYTES,
            policy: Policy { spurious: true, patient: false },
            leaks: false,
            reversed: false,
            hashes: false,
            probe: None,
            watch: Watch::default(),
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
    /// Runs given up because a waiting loop, or an attempt to receive, would have read something else in the end.
    pub stutters: u64,
    /// Runs given up because the SC axiom did not hold for an update that succeeded.
    pub inconsistent: u64,
    /// Runs given up at a limit of the threads.
    pub bounded: u64,
    /// Runs whose graph had been met before: none, unless graphs are hashed.
    pub duplicates: u64,
    /// Events of all runs.
    pub events: u64,
    /// What cut the exploration short, each once.
    pub bounds: Vec<Bound>,
    /// A loop that waits had turns that repeat another, other than one that blocks: how many there are, and whether a
    /// turn without a cause was one of them, is not explored.
    pub idle_turns: bool,
    /// The threads that did something which others may notice: a bit for each that took a step other
    /// than to spawn and to join, or read or wrote plain memory, or from which such a thread descends.
    pub stepped: u64,
    /// The caller ended it.
    pub stopped: bool,
}

impl Report {
    fn bound(&mut self, bound: Bound) {
        if !self.bounds.contains(&bound) {
            self.bounds.push(bound);
        }
    }

    /// Executions that the caller was shown.
    pub fn executions(&self) -> u64 {
        self.complete + self.deadlocks + self.errors
    }

    /// Those that count for [`Config::executions`].
    fn counted(&self) -> u64 {
        self.executions() + self.bounded + self.duplicates
    }

    /// How often the program was run.
    pub fn runs(&self) -> u64 {
        self.executions() + self.stutters + self.inconsistent + self.bounded + self.duplicates
    }
}

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
    // First: a thread that panics cannot set a hook.
    let _hidden = panics::Hidden::new();
    panics::install_hook();
    overflow::install();
    // SAFETY: only the lifetime is widened. The program is called by coroutines that `Engine::run`
    // brings to their end, or resets, before it returns.
    let program = unsafe { std::mem::transmute::<&dyn Fn(), &'static dyn Fn()>(program) };
    let engine = Engine {
        search: RefCell::new(Search::new(config)),
        in_thread: Cell::new(false),
        stacks: Stacks::new(config.stack_bytes),
        probe: config.probe.clone(),
        watch: config.watch.clone(),
        memory: RefCell::default(),
    };
    let mut report = Report::default();
    let most_runs = config.executions.saturating_mul(11).saturating_add(1_000);
    for run in 0.. {
        {
            let mut search = engine.search.borrow_mut();
            let Some(graph) = search.next() else { break };
            if run == most_runs {
                report.bound(Bound::Executions);
                break;
            }
            let (events, threads) = (graph.events.len(), search.names.preference.len());
            search.explore(graph);
            let before = std::mem::take(&mut search.run);
            search.run = Run::after(before, super::next_number(), events, threads);
            // Of those without last owners, a few are run again for other state that the engine does not see.
            search.is_sample = (report.complete + 1).is_power_of_two();
        }
        kernel::enter(&engine, || engine.run(Box::new(program)));
        engine.memory.borrow_mut().release();
        let mut search = engine.search.borrow_mut();
        search.last_owners |= search.run.last_owners;
        report.idle_turns |= search.run.threads.iter().any(|state| state.waiting.ran_on);
        if let Some(causes) = search.decides {
            // A thread that did not come to the end of its turn does not stutter.
            search.for_ever.entry(causes).or_insert(false);
            continue;
        }
        let Some(mut ending) = search.run.over.clone() else { continue };
        if search.again.is_some() {
            let Some(other) = search.other_ending(&ending) else { continue };
            search.run.over = Some(other.clone());
            ending = other;
        } else if ending == Ending::Complete && search.looks_before_shown() {
            continue;
        }
        report.stepped |= search.run.stepped;
        report.events += search.graph.events.len() as u64;
        if ending != Ending::Again {
            search.explored += search.graph.share;
        }
        match &ending {
            Ending::Stutter => report.stutters += 1,
            Ending::Inconsistent => report.inconsistent += 1,
            Ending::Again => {}
            Ending::Bounded(bound) => {
                report.bounded += 1;
                report.bound(*bound);
                if report.counted() == config.executions {
                    report.bound(Bound::Executions);
                    break;
                }
            }
            shown => {
                if report.counted() == config.executions {
                    report.bound(Bound::Executions);
                    break;
                }
                if !search.is_new() {
                    report.duplicates += 1;
                    continue;
                }
                match shown {
                    Ending::Complete | Ending::Panic { .. } => report.complete += 1,
                    Ending::Deadlock(_) => report.deadlocks += 1,
                    _ => report.errors += 1,
                }
                let is_sample = search.run.last_owners == 0 && search.is_sample;
                if *shown == Ending::Complete && is_sample {
                    // The one that comes first otherwise.
                    let first = search.names.preference.iter().copied().find(|&thread| thread != 0);
                    search.look_again(first.unwrap_or_default());
                }
                let execution = Execution::new(&search, report.executions());
                let fatal =
                    matches!(shown, Ending::Nondeterministic { .. } | Ending::OtherOutcome { .. });
                if each(&execution).is_break() || fatal {
                    report.stopped = true;
                    break;
                }
            }
        }
    }
    report.stepped = engine.search.borrow().names.with_ancestors(report.stepped);
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
