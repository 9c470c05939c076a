//! Every interleaving of the threads, on the crate `loom`: the independent second engine.
//!
//! Memory is sequentially consistent here, and nothing that `std` leaves open is explored: each
//! [`Choose`](crate::kernel::Operation::Choose) takes branch 0. Data races are not looked for.
//!
//! # Why it misses nothing
//!
//! Of loom it uses read-modify-writes of one atomic for each location, `park`, `unpark` and `spawn`;
//! values and states are ordinary data, read and written after the location's atomic has been
//! updated, while no other thread can run. loom's search is that of Flanagan and Godefroid (*Dynamic
//! Partial-Order Reduction for Model Checking Software*, POPL 2005) without sleep sets. It keeps one last access for
//! each atomic, which is exact if any two accesses depend on each other, as two read-modify-writes
//! do: those of one atomic are ordered, so what is ordered after the last one is ordered after all of them.
//! A load, in loom, is not; a load here is a read-modify-write. Where it wants to run a thread that
//! was parked, loom runs all others instead, as the paper says.
//!
//! An operation on an object that is not enabled has been announced to loom by an update of the
//! object's atomic; only then does its thread park, until another thread has enabled it. Then it is
//! carried out without another update. Such an execution need not lead to all others of its kind:
//! the attempt in vain has changed nothing, so it is also an execution in which the thread came to the
//! object later and found the operation enabled. loom looks for that one, because the attempt in vain
//! and the operation that enabled it have updated the same atomic in an order that nothing forces.
//!
//! A spawned thread can run from the next scheduling point on. What its parent does until then touches
//! no location. The same holds for the end of a thread, which enables those that join it.
//!
//! A thread that is ordered after the ends of all others updates no atomic: nothing can come in between.
//!
//! # How an execution ends early
//!
//! Deadlock is noticed here, by the last thread to park. The threads are then unwound, one at a time and
//! the newest first, since a scoped thread borrows from an older one. One that asks for a step meanwhile is
//! suspended for good: its coroutine is reset, and for loom its thread ends. After that loom goes on with the
//! next execution. An exploration ends by a panic at the beginning of an execution, where loom has one
//! thread and nothing on its stack.
//!
//! # Limits
//!
//! Five threads in all. A program with a loop that may wait is not explored: see [`End::Unable`]. The stacks are this engine's
//! own, so loom's 32 KiB do not matter.

mod run;
mod step;
mod thread;

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::graph::{Ending, Trace};
use super::memory::Memory;
use super::names::Names;
use super::overflow;
use super::panics;
use super::stacks::{self, Stacks};
use super::watch::Watch;
use crate::kernel::{self, ThreadId};
use crate::mutation::Probe;
use run::Run;

/// How to explore.
#[derive(Debug, Clone)]
pub struct Config {
    /// Stops after so many executions.
    pub executions: u64,
    /// How many steps a thread may take.
    pub steps: usize,
    /// How often a thread may be preempted; `None`: as often as there is a difference. A bound makes
    /// the exploration [`End::Capped`].
    pub preemptions: Option<usize>,
    /// The size of a thread's stack in bytes, unless it asks for more.
    pub stack_bytes: usize,
    /// What is changed about an operation, and which are executed.
    pub probe: Option<Arc<Probe>>,
    /// Where the exploration is.
    pub watch: Watch,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            executions: 1_000,
            steps: 2_000,
            preemptions: None,
            stack_bytes: stacks::DEFAULT_BYTES,
            probe: None,
            watch: Watch::default(),
        }
    }
}

/// How an exploration ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum End {
    /// Every interleaving has been explored, up to the order of independent steps.
    #[default]
    Complete,
    /// A limit of the [`Config`] was reached.
    Capped,
    /// The caller ended it.
    Stopped,
    /// The program cannot be explored by this engine, for this reason.
    Unable(String),
    /// loom has panicked with this: an error of it, or of this engine.
    Broken(String),
}

/// What an exploration has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Executions in which all threads ended.
    pub complete: u64,
    /// Executions in which some threads wait for ever.
    pub deadlocks: u64,
    /// How the exploration ended.
    pub end: End,
}

impl Report {
    /// Executions that the caller was shown.
    pub fn executions(&self) -> u64 {
        self.complete + self.deadlocks
    }
}

/// One execution of the program.
pub struct Execution<'a> {
    run: &'a Run,
    names: &'a Names,
    number: u64,
}

impl Execution<'_> {
    /// Its number, from 1 on.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How it ended.
    pub fn ending(&self) -> &Ending {
        self.run.over.as_ref().unwrap_or(&Ending::Complete)
    }

    /// The way to a thread from the first one: which child of its parent it is.
    pub fn path(&self, thread: ThreadId) -> &[u32] {
        self.names.path(thread)
    }

    /// The steps, in their order, with their results.
    pub fn trace(&self) -> Trace {
        Trace { lines: self.run.log.clone(), is_interleaving: true }
    }
}

/// Ends an exploration.
struct Stop;

type Each<'a> = dyn FnMut(&Execution<'_>) -> ControlFlow<()> + 'a;

/// The engine, as [`crate::kernel`] sees it.
struct Engine<'a> {
    config: &'a Config,
    program: &'a dyn Fn(),
    each: RefCell<&'a mut Each<'a>>,
    names: RefCell<Names>,
    run: RefCell<Run>,
    report: RefCell<Report>,
    /// How many atomics of loom are made for an execution. Made before all threads, they are known to each.
    gates: usize,
    /// The thread that runs.
    current: Cell<ThreadId>,
    /// A thread under test runs, and not loom or this engine.
    in_thread: Cell<bool>,
    /// What loom has panicked with.
    broken: RefCell<Option<String>>,
    stacks: Stacks,
    /// Of the execution that runs.
    memory: RefCell<Memory>,
}

/// What loom calls: it asks for a closure that could be shared between OS threads and live for ever.
struct Program(*const ());

// SAFETY: loom calls it on the OS thread that explores, as long as `check` has not returned.
unsafe impl Send for Program {}
// SAFETY: as for `Send`.
unsafe impl Sync for Program {}

/// Explores the interleavings of `program`, and shows each to `each` until that breaks. Where
/// interleavings differ in the order of independent steps, at least one of them is shown.
///
/// # Panics
///
/// If called from a program under test.
pub fn explore(config: &Config, program: &dyn Fn(), each: &mut Each<'_>) -> Report {
    // First: a thread that panics cannot set a hook.
    let _hidden = panics::Hidden::new();
    panics::install_hook();
    overflow::install();
    let mut gates = 16;
    loop {
        let engine = Engine {
            config,
            program,
            each: RefCell::new(&mut *each),
            names: RefCell::new(Names::new(false)),
            run: RefCell::new(Run::default()),
            report: RefCell::default(),
            gates,
            current: Cell::new(0),
            in_thread: Cell::new(false),
            broken: RefCell::default(),
            stacks: Stacks::new(config.stack_bytes),
            memory: RefCell::default(),
        };
        engine.explore();
        if !engine.run.borrow().lacks_gates {
            return engine.report.take();
        }
        // The program makes more locations than were expected: from the start, as a rule in the first
        // execution.
        gates *= 4;
    }
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

impl Engine<'_> {
    fn explore(&self) {
        let mut builder = ::loom::model::Builder::new();
        builder.max_threads = thread::MAX_THREADS;
        // An update is two branches of loom, and a parked thread one; `Engine::touch` counts them.
        builder.max_branches = self.most_touches() * 3 + 1_000;
        builder.preemption_bound = self.config.preemptions;
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.checkpoint_file = None;
        builder.checkpoint_interval = usize::MAX;
        builder.expect_explicit_explore = false;
        builder.location = false;
        builder.log = false;
        let program = Program(std::ptr::from_ref(self).cast());
        let checked = kernel::enter(self, || {
            catch_unwind(AssertUnwindSafe(|| {
                builder.check(move || {
                    let program = &program;
                    // SAFETY: the pointer is to `self`, which is borrowed until `check` has returned.
                    unsafe { &*program.0.cast::<Engine<'_>>() }.execution();
                });
            }))
        });
        let broken = self.broken.take();
        let mut report = self.report.borrow_mut();
        match checked {
            Err(payload) if broken.is_some() || !payload.is::<Stop>() => {
                let message = broken.unwrap_or_else(|| panics::said(&*payload));
                report.end = End::Broken(message);
            }
            Ok(()) if self.config.preemptions.is_some() && report.end == End::Complete => {
                report.end = End::Capped;
            }
            _ => {}
        }
    }

    fn most_touches(&self) -> usize {
        self.config.steps.saturating_mul(thread::MAX_THREADS)
    }

    /// One execution, as the first thread of loom.
    fn execution(&self) {
        let report = self.report.borrow();
        let ends = report.end != End::Complete;
        let capped = report.executions() >= self.config.executions;
        drop(report);
        if capped && !ends {
            self.report.borrow_mut().end = End::Capped;
        }
        if ends || capped {
            resume_unwind(Box::new(Stop));
        }
        self.memory.borrow_mut().release();
        self.run.replace(Run::new(self.gates));
        self.main();
        self.finish();
    }

    /// All threads have ended.
    fn finish(&self) {
        let names = &*self.names.borrow();
        {
            let mut run = self.run.borrow_mut();
            let ending = run.ending(names);
            run.over.get_or_insert(ending);
        }
        Memory::drop_copies(&self.memory);
        let run = &mut *self.run.borrow_mut();
        run.left.drain(..).for_each(|stack| self.stacks.keep(stack));
        let locals: Vec<_> =
            run.threads.iter_mut().map(|thread| std::mem::take(&mut thread.locals)).collect();
        kernel::outside(|| drop(locals));
        let mut report = self.report.borrow_mut();
        if let Some(reason) = run.unable.take() {
            report.end = End::Unable(reason);
            return;
        }
        match run.over {
            Some(Ending::Stutter) => return,
            Some(Ending::Deadlock(_)) => report.deadlocks += 1,
            _ => report.complete += 1,
        }
        let execution = Execution { run, names, number: report.executions() };
        drop(report);
        let stops = kernel::outside(|| (self.each.borrow_mut())(&execution)).is_break();
        if stops {
            self.report.borrow_mut().end = End::Stopped;
        }
    }
}
