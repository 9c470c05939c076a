//! The harness: a test is a table of outcomes, and every execution is held against it.
//!
//! ```
//! use selvedge::model::Model;
//! use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};
//!
//! Model::new(|| AtomicU64::new(0))
//!     .thread("alice", |total| { total.fetch_add(1, Relaxed); })
//!     .thread("bob", |total| { total.fetch_add(1, Relaxed); })
//!     .finally("total", |total| total.load(Relaxed))
//!     .acceptable("total=2", "no update is lost")
//!     .check();
//! ```
//!
//! Under `--cfg loom` every execution is explored that loom has, in two passes: one over all
//! interleavings, one over what it knows of weak memory besides (see *Limits*). Otherwise the same model runs on real threads, many
//! rounds started together, and counts how often each outcome was seen: that count is the answer
//! to "would a stress test have found it?".
//!
//! # What a pass means
//!
//! A table is exact. On loom every outcome declared [`acceptable`](Model::acceptable) or
//! [`interesting`](Model::interesting) must be reached, and no other may be. A model that fails on
//! purpose says how, with [`fails`](Model::fails), and passes only if it fails in that way. A
//! bound is written in the model and printed with the result; being cut short by anything else is
//! a failure, and so are bounds from the environment (`LOOM_MAX_*`, `LOOM_CHECKPOINT_*`).
//!
//! # All small scenarios
//!
//! A table says what may come of one program, and somebody has to think of the program.
//! [`linearizable`] makes them all: every sequence of a type's operations in every thread, up to a
//! size. Instead of a table, a sequential order of the same operations has to explain what each execution
//! shows. What such an order must keep is the type's [`Promise`].
//!
//! # Environment
//!
//! `SELVEDGE_REPLAY` replays one execution (a failure prints the command), `SELVEDGE_ROUNDS` sets
//! the number of rounds on real threads, `SELVEDGE_PATIENCE` how many seconds an execution or a
//! round may take before it counts as stuck (60), `SELVEDGE_RESULTS` names a directory to which each check
//! on loom appends its result as a line of JSON, and `SELVEDGE_TRACES=1` adds to each line what is drawn
//! of its interleavings, as data.
//!
//! Three more put a suite to the proof, on loom. `SELVEDGE_SITES=1` lists in each result the operations
//! that were executed and what can be changed about each. `SELVEDGE_MUTANT` makes one such change, as in
//! `src/spin.rs:24:22/store/relaxed`: a suite that needs the operation as it is turns red.
//! `SELVEDGE_LIMIT` is the most executions that a pass may take, or all scenarios together; one more is
//! an error, never a pass.
//! `cargo ci mutants` makes all changes, one at a time.
//!
//! # Limits
//!
//! At most five threads. A thread must do the same whenever it has seen the same: no clocks, no
//! random hashers, no shared state behind the checker's back. What makes a thread act differently on
//! the same history is found and reported, and so is a model in which two threads share nothing
//! visible; one `std::sync` object among visible ones is not always. loom 0.7.3 explores no load
//! buffering, no store more than seven writes old, and no relaxed updates that overtake each other. A
//! result says "explored completely" although it lacks these. The pages `limits.rs`, `limits_of_locks.rs`
//! and `missed_races.rs` in `loom-tests/` list what else is overlooked, and `false_alarms.rs` what is
//! called wrong and is right; each with a test, and with what to do instead.
//!
//! A check that takes longer than two seconds says on stderr how far it has come.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

mod error;
mod identity;
mod linearizable;
mod panics;
pub(crate) mod place;
mod plan;
mod progress;
mod report;

#[cfg(loom)]
pub(crate) mod coherence;
#[cfg(loom)]
mod explore;
#[cfg(loom)]
mod picture;
#[cfg(loom)]
mod results;
#[cfg(not(loom))]
mod rounds;
#[cfg(loom)]
mod verdict;

pub use error::{CheckError, Evidence};
pub use linearizable::{Linearizable, Promise, ScenariosReport, linearizable};
pub use report::{Engine, Found, Outcome, Pass, Report, Witness};

use identity::Identity;
use plan::{Part, Plan};

/// The most threads that a model can have.
pub const MAX_THREADS: usize = 5;

/// The most that [`Model::steps`] accepts: loom counts a thread's steps in 16 bits.
pub const MAX_STEPS: usize = 10_000;

/// The most that [`Model::preemptions`] accepts.
pub const MAX_PREEMPTIONS: usize = 250;

/// The most that [`Model::spurious`] accepts.
pub const MAX_SPURIOUS: usize = 4;

/// The default of [`Model::spurious`].
pub const DEFAULT_SPURIOUS: usize = 1;

/// The default of [`Model::steps`].
pub const DEFAULT_STEPS: usize = 1_000;

/// How long an execution or a round may take, in seconds. One that has not ended by then has got
/// stuck: on loom, where it takes a few thousand steps at most, surely.
const PATIENCE: u64 = 60;

/// `default` seconds, unless `SELVEDGE_PATIENCE` says otherwise.
fn patience(default: u64) -> Result<std::time::Duration, CheckError> {
    let Ok(value) = std::env::var("SELVEDGE_PATIENCE") else {
        return Ok(std::time::Duration::from_secs(default));
    };
    match value.parse() {
        Ok(seconds) if seconds > 0 => Ok(std::time::Duration::from_secs(seconds)),
        _ => Err(CheckError::wrong_model(format!(
            "SELVEDGE_PATIENCE={value} is no number of seconds: a whole number from 1 is accepted"
        ))),
    }
}

/// A way in which an execution can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// Two accesses to a cell that nothing orders, one of them a write.
    DataRace,
    /// Threads wait and nobody is left to wake them.
    Deadlock,
    /// A panic in `init`, a thread, `finally`, or the drop of the state: an assertion, usually.
    Invariant,
    /// An `Arc` outlives the execution.
    Leak,
    /// An execution takes more steps than its limit: also a loop that spins without
    /// `hint::spin_loop()`, and three threads that spin on one lock.
    Livelock,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DataRace => "data race",
            Self::Deadlock => "deadlock",
            Self::Invariant => "broken invariant",
            Self::Leak => "leak",
            Self::Livelock => "livelock",
        })
    }
}

/// How a table grades an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grade {
    /// Right, and must be reached.
    Acceptable,
    /// Surprising, and must be reached: the outcome the page is about.
    Interesting,
    /// Wrong, and must not be reached.
    Forbidden,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Acceptable => "acceptable",
            Self::Interesting => "interesting",
            Self::Forbidden => "forbidden",
        })
    }
}

/// A concurrent program, and what may come of it.
///
/// Declare threads, observations and outcomes, then [`check`](Self::check). `S` is the state that
/// the threads share; it is made afresh for each execution.
#[must_use = "a model does nothing until it is checked"]
pub struct Model<S> {
    identity: Identity,
    plan: Plan,
    /// The type of the state, which `plan` does not show: each part was declared with this one.
    state: PhantomData<fn() -> S>,
}

impl<S: Send + Sync + 'static> Model<S> {
    /// A model whose shared state is `init()`.
    #[track_caller]
    pub fn new(init: impl Fn() -> S + Send + Sync + 'static) -> Self {
        Self {
            identity: Identity::of_caller(Location::caller()),
            plan: Plan::new(init),
            state: PhantomData,
        }
    }

    /// Adds a thread. What `body` returns, unless `()`, enters the outcome as `name=…`.
    pub fn thread<R, F>(mut self, name: &str, body: F) -> Self
    where
        R: fmt::Debug + 'static,
        F: Fn(&S) -> R + Send + Sync + 'static,
    {
        self.identity.hint(std::any::type_name::<F>());
        self.plan.threads.push(Part::new(name, body));
        self
    }

    /// Observes the state once all threads have ended. What `observe` returns, unless `()`, enters
    /// the outcome as `name=…`.
    pub fn finally<R, F>(mut self, name: &str, observe: F) -> Self
    where
        R: fmt::Debug + 'static,
        F: Fn(&S) -> R + Send + Sync + 'static,
    {
        self.plan.observations.push(Part::new(name, observe));
        self
    }

    /// Declares an outcome that is right. On loom it must be reached.
    ///
    /// An outcome is what threads and observations returned, in the order of declaration, as in
    /// `alice=1 total=2`; where none returns anything, it is `()`.
    pub fn acceptable(self, outcome: &str, reason: &str) -> Self {
        self.row(outcome, Grade::Acceptable, reason)
    }

    /// Declares the outcome that the page is about: surprising, and on loom it must be reached.
    pub fn interesting(self, outcome: &str, reason: &str) -> Self {
        self.row(outcome, Grade::Interesting, reason)
    }

    /// Declares an outcome that must not be reached. Undeclared ones must not be either; this
    /// says why.
    pub fn forbidden(self, outcome: &str, reason: &str) -> Self {
        self.row(outcome, Grade::Forbidden, reason)
    }

    fn row(mut self, outcome: &str, grade: Grade, reason: &str) -> Self {
        self.plan.declare(outcome, grade, reason);
        self
    }

    /// Expects an execution to fail in this way, instead of a table.
    pub fn fails(mut self, failure: Failure) -> Self {
        self.plan.fails = Some(failure);
        self
    }

    /// Bounds the exploration by `n` preemptions an execution. The result is then called bounded
    /// wherever it is printed. It is a sample: loom 0.7.3 leaves out some executions with `n`
    /// preemptions or fewer. Real threads know no such bound.
    pub fn preemptions(mut self, n: usize) -> Self {
        self.plan.preemptions = Some(n);
        self
    }

    /// Sets how many steps of an execution may do nothing for no reason ([`DEFAULT_SPURIOUS`]
    /// otherwise): a `compare_exchange_weak` that fails, a `Condvar::wait` or a `park` that returns.
    /// `std` promises as little. Each such step is a branch, explored by itself; where more of them
    /// were possible, the result is called bounded. Real threads fail when they please.
    pub fn spurious(mut self, n: usize) -> Self {
        self.plan.spurious = n;
        self
    }

    /// Sets how many operations an execution may take ([`DEFAULT_STEPS`] otherwise); one more is a
    /// [`Failure::Livelock`]. Real threads know no such limit.
    pub fn steps(mut self, n: usize) -> Self {
        self.plan.steps = n;
        self
    }

    /// Sets how many rounds to run on real threads. loom knows no rounds.
    pub fn rounds(mut self, n: u64) -> Self {
        self.plan.rounds = Some(n);
        self
    }

    /// Runs the model, prints and returns what was found.
    ///
    /// # Panics
    ///
    /// If the model does not pass, with the whole story: see [`CheckError`].
    #[track_caller]
    pub fn check(self) -> Report {
        check(self.identity, self.plan)
    }

    /// Explores without judging: every outcome that is reached is in the report, as acceptable.
    ///
    /// For finding out what a table should say, and for tools. It asserts nothing: a test that
    /// only explores is no test.
    ///
    /// # Errors
    ///
    /// Whatever fails all the same: a deadlock, a data race, a panic, a wrong model.
    pub fn explore(mut self) -> Result<Report, CheckError> {
        self.plan.judges = false;
        self.plan.table.clear();
        self.plan.fails = None;
        self.try_check()
    }

    /// Runs the model and returns what was found, without printing.
    ///
    /// # Errors
    ///
    /// Whatever kept the model from passing.
    pub fn try_check(self) -> Result<Report, CheckError> {
        try_check(self.identity, self.plan)
    }
}

/// Runs a model, prints and returns what was found.
#[track_caller]
fn check(identity: Identity, plan: Plan) -> Report {
    let name = identity.name();
    match try_check(identity, plan) {
        Ok(report) => {
            println!("{report}");
            report
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Runs a model.
fn try_check(mut identity: Identity, plan: Plan) -> Result<Report, CheckError> {
    identity.count();
    plan.validate()?;
    refuse_environment_bounds()?;
    #[cfg(loom)]
    return verdict::check(&identity, &Arc::new(plan));
    #[cfg(not(loom))]
    return rounds::check(&identity, &Arc::new(plan));
}

/// loom would obey these without a word.
fn refuse_environment_bounds() -> Result<(), CheckError> {
    let bound = std::env::vars_os().find_map(|(name, value)| {
        let name = name.to_string_lossy().into_owned();
        (name.starts_with("LOOM_MAX_") || name.starts_with("LOOM_CHECKPOINT_"))
            .then(|| (name, value.to_string_lossy().into_owned()))
    });
    match bound {
        Some((name, value)) => Err(CheckError::EnvironmentBound { name, value }),
        None => Ok(()),
    }
}
