//! The checker.

use std::fmt;
use std::marker::PhantomData;
use std::num::IntErrorKind;
use std::panic::Location;
use std::sync::Arc;

mod error;
mod from_debug;
mod identity;
mod linearizable;
mod panics;
mod plan;
mod progress;
mod relation;
mod report;

#[cfg(loom)]
mod explore;
#[cfg(loom)]
mod results;
#[cfg(not(loom))]
mod rounds;
#[cfg(loom)]
mod unreplayed;
#[cfg(loom)]
mod verdict;
#[cfg(loom)]
mod watchdog;

pub use error::{CheckError, Evidence};
pub use from_debug::FromDebug;
pub use linearizable::{Linearizable, Promise, SAMPLE, ScenariosReport, linearizable};
pub use relation::{OneOrMore, Returned};
pub use report::{Engine, ExpectedFailure, Interleavings, Outcome, Report, Witness};

use identity::Identity;
use plan::{First, Part, Plan};
use relation::Relation;

/// The maximum number of threads that a model declares and spawns.
pub const MAX_THREADS: usize = 15;

/// The maximum of [`Model::steps`].
pub const MAX_STEPS: usize = 60_000;

/// The default of [`Model::steps`].
pub const DEFAULT_STEPS: usize = 2_000;

/// The minimum of [`Model::stack`]: 64 KiB.
pub const MIN_STACK: usize = 64 << 10;

/// The maximum of [`Model::stack`]: 1 GiB.
pub const MAX_STACK: usize = 1 << 30;

/// How long an execution or a round may take, in seconds, before it is a timeout.
const PATIENCE: u64 = 60;

/// The value of `SELVEDGE_PATIENCE`, or `default` seconds.
fn patience(default: u64) -> Result<std::time::Duration, CheckError> {
    let seconds = positive("SELVEDGE_PATIENCE", "seconds")?.unwrap_or(default);
    Ok(std::time::Duration::from_secs(seconds))
}

/// The environment variable `name`, which must be a positive integer; `None` if it is not set.
fn positive(name: &str, unit: &str) -> Result<Option<u64>, CheckError> {
    number(name, 1, &format!("a positive integer ({unit})"))
}

/// The environment variable `name`, which must be `valid`: an integer of at least `least`; `None` if it is not set.
fn number(name: &str, least: u64, valid: &str) -> Result<Option<u64>, CheckError> {
    let Some(value) = std::env::var_os(name) else { return Ok(None) };
    let value = value.to_string_lossy();
    let most = match value.parse() {
        Ok(number) if number >= least => return Ok(Some(number)),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => {
            format!(", at most {}", u64::MAX)
        }
        _ => String::new(),
    };
    Err(CheckError::wrong_model(format!("{name} must be {valid}{most}, got {value:?}")))
}

/// A way in which an execution can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// Two accesses to plain memory, one of them a write, without a happens-before edge between them. Making and
    /// dropping a shared object count as writes of it. The execution ends there.
    DataRace,
    /// An object is used by a thread that knows of its drop: the drop happens before the use. A use that is not
    /// ordered with the drop is a [`DataRace`](Self::DataRace).
    UseAfterFree,
    /// Every thread that has not ended is blocked, in an operation or in `hint::wait_until`. That may be a thread
    /// that no thread joins: an execution ends with its last thread, where a process exits with its main thread.
    Deadlock,
    /// A panic, such as a failed assertion, in `init`, a thread, `finally`, or the drop of the state.
    Panic,
    /// An `Arc` is not dropped by the end of the execution. Other memory is not tracked.
    Leak,
    /// Every thread that has not ended is blocked, and at least one of them spins in a loop that waits.
    Livelock,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DataRace => "data race",
            Self::UseAfterFree => "use after free",
            Self::Deadlock => "deadlock",
            Self::Panic => "panic",
            Self::Leak => "leak",
            Self::Livelock => "livelock",
        })
    }
}

/// The grade of an outcome in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grade {
    /// Correct. An exploration must reach it.
    Acceptable,
    /// Surprising: the outcome that the test demonstrates. An exploration must reach it, and an execution that
    /// does is printed.
    Interesting,
    /// Wrong. It must not be reached.
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

/// A concurrent program and its expected outcomes.
///
/// Declare threads, observations and outcomes, then [`check`](Self::check). `S` is the state that
/// the threads share; each execution makes a new one.
#[must_use = "a model does nothing until it is checked"]
pub struct Model<S> {
    identity: Identity,
    plan: Plan,
    /// The type of the state, which `plan` does not show: each part was declared with this one.
    state: PhantomData<fn() -> S>,
}

impl<S: Send + Sync + 'static> Model<S> {
    /// A model without threads, whose shared state is `init()`.
    #[track_caller]
    pub fn new(init: impl Fn() -> S + Send + Sync + 'static) -> Self {
        Self {
            identity: Identity::of_caller(Location::caller()),
            plan: Plan::new(init),
            state: PhantomData,
        }
    }

    /// Adds a thread. The result of `body`, unless it is `()`, is part of the outcome, as `name=…`. Names must
    /// be unique, and must not contain white space or `=`.
    pub fn thread<R, F>(mut self, name: &str, body: F) -> Self
    where
        R: fmt::Debug + 'static,
        F: Fn(&S) -> R + Send + Sync + 'static,
    {
        self.identity.hint(std::any::type_name::<F>());
        self.plan.threads.push(Part::new(name, body));
        self
    }

    /// Observes the state after all threads have ended. The result of `observe`, unless it is `()`, is part of
    /// the outcome, as `name=…`.
    pub fn finally<R, F>(mut self, name: &str, observe: F) -> Self
    where
        R: fmt::Debug + 'static,
        F: Fn(&S) -> R + Send + Sync + 'static,
    {
        self.plan.observations.push(Part::new(name, observe));
        self
    }

    /// Declares a correct outcome. An exploration must reach it; real threads need not.
    ///
    /// An outcome is the `Debug` text of what threads and observations return, in the order of
    /// declaration, as in `alice=1 total=2`; if all return `()`, it is `()`. Several outcomes may have one reason, and
    /// each of them must be reached:
    ///
    /// ```
    /// use selvedge_model::Model;
    /// use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
    ///
    /// Model::new(|| AtomicU64::new(0))
    ///     .thread("alice", |total| total.fetch_add(1, Relaxed))
    ///     .thread("bob", |total| total.fetch_add(1, Relaxed))
    ///     .acceptable(["alice=0 bob=1", "alice=1 bob=0"], "either order")
    ///     .check();
    /// ```
    pub fn acceptable(self, outcome: impl OneOrMore, reason: &str) -> Self {
        self.rows(outcome, Grade::Acceptable, reason)
    }

    /// Declares a surprising outcome, or several, which the test demonstrates. An exploration must reach it, and an
    /// execution that does is printed; real threads need not.
    pub fn interesting(self, outcome: impl OneOrMore, reason: &str) -> Self {
        self.rows(outcome, Grade::Interesting, reason)
    }

    /// Declares an outcome that must not be reached, or several, with the reason. Undeclared outcomes must not be
    /// reached either.
    pub fn forbidden(self, outcome: impl OneOrMore, reason: &str) -> Self {
        self.rows(outcome, Grade::Forbidden, reason)
    }

    fn rows(mut self, outcomes: impl OneOrMore, grade: Grade, reason: &str) -> Self {
        outcomes.each(&mut |outcome| self.plan.declare(outcome, grade, reason));
        self
    }

    /// Declares what must hold of each outcome that is reached: a relation between what threads and observations return.
    /// Names must be unique.
    ///
    /// It may stand beside a table, whose outcomes it checks too. Without a table, each outcome is accepted for which
    /// all relations hold. A relation for which an outcome does not hold is
    /// [`CheckError::BrokenRelation`]; it is called once for each outcome. Not
    /// together with [`fails`](Self::fails).
    ///
    /// ```
    /// use selvedge_model::Model;
    /// use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
    ///
    /// Model::new(|| AtomicU64::new(0))
    ///     .thread("alice", |total| total.fetch_add(1, Relaxed))
    ///     .thread("bob", |total| total.fetch_add(1, Relaxed))
    ///     .always("no two see the same", |returned| {
    ///         returned.get::<u64>("alice") != returned.get::<u64>("bob")
    ///     })
    ///     .check();
    /// ```
    pub fn always<F>(mut self, name: &str, holds: F) -> Self
    where
        F: Fn(&Returned<'_>) -> bool + Send + Sync + 'static,
    {
        self.plan.relations.push(Relation::new(name, holds));
        self
    }

    /// Expects an execution to fail in this way. Takes the place of a table of outcomes, and of relations.
    ///
    /// An exploration ends at the first failure that it finds, and that one must be of this kind. If the model can fail
    /// in several ways, the others are not seen. A failure of an interleaving comes before one that takes weak
    /// memory, and of these one without a spurious failure or wake-up before one with.
    pub fn fails(mut self, failure: Failure) -> Self {
        self.plan.fails = Some(failure);
        self
    }

    /// Stops after `n` executions, at least 1. If there are more, the result is reported as bounded. These are
    /// the executions of the report, and those that a bound cuts. Runs that are given up, because a waiting loop would
    /// have found something else in the end, do not count; but there are at most ten times as many, and a thousand. No
    /// effect on real threads.
    pub fn executions(mut self, n: u64) -> Self {
        self.plan.executions = Some(n);
        self
    }

    /// Leaves out spurious failures and wake-ups: `std` allows `compare_exchange_weak` to fail, and
    /// `Condvar::wait` and `park` to return, without a cause, and otherwise each of these steps is explored both
    /// ways. The result is reported as bounded. No effect on real threads.
    pub fn without_spurious(mut self) -> Self {
        self.plan.spurious = false;
        self
    }

    /// Lets a wait with a limit (`Condvar::wait_timeout`, `recv_timeout`, `park_timeout`) time out only when no
    /// other thread can move. Otherwise it may time out at any moment, and then a program that loses a wake-up
    /// has the same outcomes as one that does not.
    ///
    /// It is not a bound but another question: what happens if limits are long. The model must observe what the
    /// wait returns, `timed_out()` or [`RecvTimeoutError::Timeout`](std::sync::mpsc::RecvTimeoutError::Timeout);
    /// `park_timeout` does not say how it ended. The second engine is not run. No effect on real threads.
    ///
    /// ```
    /// use selvedge_model::Model;
    /// use selvedge_model::sync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// Model::new(<(Mutex<bool>, Condvar)>::default)
    ///     .patient()
    ///     .thread("waits", |(ready, changed)| {
    ///         let guard = ready.lock().unwrap();
    ///         let limit = Duration::from_secs(1);
    ///         !*guard && changed.wait_timeout(guard, limit).unwrap().1.timed_out()
    ///     })
    ///     .thread("sets", |(ready, changed)| {
    ///         *ready.lock().unwrap() = true;
    ///         changed.notify_one();
    ///     })
    ///     .acceptable("waits=false", "the notification is not lost")
    ///     .check();
    /// ```
    pub fn patient(mut self) -> Self {
        self.plan.patient = true;
        self
    }

    /// Sets how many interleavings the second engine explores at most; the default is 1,000, and
    /// `SELVEDGE_LOOM` sets another. With 0 it is not run; nor does it explore a model in which a loop may wait, and the
    /// report says so. No effect on real threads.
    pub fn loom(mut self, n: u64) -> Self {
        self.plan.loom = Some(n);
        self
    }

    /// Lets the second engine explore only interleavings with at most `n` preemptions: its outcomes must then be
    /// among those of the graphs, but not the other way round. The report says so. The graphs are explored
    /// completely, as without it. No effect on real threads.
    pub fn preemptions(mut self, n: u8) -> Self {
        self.plan.preemptions = Some(n);
        self
    }

    /// Sets the maximum number of steps of a thread in an execution, 1 to [`MAX_STEPS`]; the default is
    /// [`DEFAULT_STEPS`]. If a thread takes more, the result is reported as bounded. No effect on real
    /// threads.
    pub fn steps(mut self, n: usize) -> Self {
        self.plan.steps = n;
        self
    }

    /// Sets the size of a thread's stack in bytes, [`MIN_STACK`] to [`MAX_STACK`]. The default is 1 MiB, and
    /// what `std` does on real threads. `thread::Builder::stack_size` asks for more for one spawned thread. Under
    /// `--cfg loom` the state is made, observed and dropped on such a stack, too.
    pub fn stack(mut self, bytes: usize) -> Self {
        self.plan.stack = Some(bytes);
        self
    }

    /// Sets the number of rounds on real threads, at least 1; the default is 2,000, and `SELVEDGE_ROUNDS`
    /// overrides both. No effect under `--cfg loom`.
    pub fn rounds(mut self, n: u64) -> Self {
        self.plan.rounds = Some(n);
        self
    }

    /// Runs the model, prints the report and returns it.
    ///
    /// # Panics
    ///
    /// If the model does not pass. The message is that of the [`CheckError`]; it is printed without a stack trace, and the
    /// panic hook is not called.
    #[track_caller]
    pub fn check(self) -> Report {
        check(self.identity, self.plan)
    }

    /// Runs the model without a table, and without relations: every outcome that is reached is in the report, as acceptable.
    ///
    /// For writing a new table, and for tools. It asserts nothing about outcomes, and prints nothing:
    /// `println!("{}", model.explore().unwrap())` shows the outcomes.
    ///
    /// # Errors
    ///
    /// Failures that do not depend on a table: a deadlock, a data race, a panic, a wrong model.
    pub fn explore(mut self) -> Result<Report, CheckError> {
        self.plan.judges = false;
        self.plan.table.clear();
        self.plan.relations.clear();
        self.plan.fails = None;
        self.try_check()
    }

    /// Runs the model and returns the report, without printing it.
    ///
    /// # Errors
    ///
    /// If the model does not pass.
    pub fn try_check(self) -> Result<Report, CheckError> {
        try_check(self.identity, self.plan)
    }
}

impl Model<()> {
    /// A program whose first thread calls `f`, which spawns its threads itself: the shape of a test in loom. It has
    /// neither declared threads nor a table: any outcome is fine, and failures fail ([`fails`](Self::fails) expects one).
    ///
    /// Each execution ends when all threads have ended. `f` shares state by [`sync::Arc`](crate::sync::Arc).
    /// On real threads, `f` is called in many rounds, by a thread of its own.
    #[track_caller]
    pub fn program<F: Fn() + Send + Sync + 'static>(f: F) -> Self {
        let mut identity = Identity::of_caller(Location::caller());
        identity.hint(std::any::type_name::<F>());
        #[cfg(loom)]
        let mut plan = Plan::new(f);
        #[cfg(not(loom))]
        let mut plan = {
            let mut plan = Plan::new(|| ());
            plan.threads.push(Part::new("main", move |(): &()| f()));
            plan
        };
        (plan.first, plan.judges) = (First::Main, false);
        Self { identity, plan, state: PhantomData }
    }
}

/// Explores a program whose first thread calls `f`, prints and returns the report: loom's own shape, for a suite
/// that moves from loom by changing a line.
///
/// ```
/// use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use selvedge_model::sync::{Arc, thread};
///
/// selvedge_model::explore(|| {
///     let total = Arc::new(AtomicU64::new(0));
///     let adder = { let total = Arc::clone(&total); thread::spawn(move || total.fetch_add(1, Relaxed)) };
///     total.fetch_add(1, Relaxed);
///     adder.join().unwrap();
///     assert_eq!(total.load(Relaxed), 2);
/// });
/// ```
///
/// [`Model::program`] is the same with bounds, and with failures that are expected.
///
/// # Panics
///
/// If an execution fails: a panic, a data race, a deadlock, a leak. The message is that of the [`CheckError`].
#[track_caller]
pub fn explore(f: impl Fn() + Send + Sync + 'static) -> Report {
    Model::program(f).check()
}

/// Runs a model, prints and returns what was found.
#[track_caller]
fn check(identity: Identity, plan: Plan) -> Report {
    let name = identity.name();
    match try_check(identity, plan) {
        Ok(report) => {
            println!("{report}");
            #[cfg(loom)]
            verdict::warn_of_bound(&name, report.bound());
            report
        }
        Err(error) => fail(&format!("{name}: {error}")),
    }
}

/// Panics with `message`, and prints it as `std` does, without the stack of this thread under it (`RUST_BACKTRACE`): that
/// of the failure is the interleaving. The panic hook is not called.
#[track_caller]
fn fail(message: &str) -> ! {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    eprintln!("\nthread '{name}' panicked at {}:\n{message}", Location::caller());
    std::panic::resume_unwind(Box::new(message.to_owned()))
}

/// Runs a model.
fn try_check(mut identity: Identity, plan: Plan) -> Result<Report, CheckError> {
    identity.count();
    plan.validate()?;
    check_environment()?;
    #[cfg(loom)]
    return verdict::check(&identity, &Arc::new(plan));
    #[cfg(not(loom))]
    return rounds::check(&identity, &Arc::new(plan));
}

/// Refuses variables of the environment that would have another effect than they seem to.
fn check_environment() -> Result<(), CheckError> {
    refuse_environment_bounds()?;
    refuse_unknown_variables()
}

/// loom obeys these variables silently.
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

/// The variables that the documentation of this crate lists.
const VARIABLES: [&str; 10] = [
    "SELVEDGE_REPLAY",
    "SELVEDGE_ROUNDS",
    "SELVEDGE_PATIENCE",
    "SELVEDGE_LIMIT",
    "SELVEDGE_LOOM",
    "SELVEDGE_RESULTS",
    "SELVEDGE_TRACES",
    "SELVEDGE_SITES",
    "SELVEDGE_MUTANT",
    "SELVEDGE_OPTIONS",
];

/// Those of the build and of the tests of this crate.
const OWN_VARIABLES: [&str; 3] = ["SELVEDGE_OPT_LEVEL", "SELVEDGE_PROGRAMS", "SELVEDGE_GENMC"];

/// A variable with a misspelt name would have no effect.
fn refuse_unknown_variables() -> Result<(), CheckError> {
    let mut names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let unknown = |name: &String| {
        let known = VARIABLES.iter().chain(&OWN_VARIABLES).any(|known| known == name);
        name.starts_with("SELVEDGE_") && !known
    };
    match names.find(unknown) {
        Some(name) => Err(CheckError::wrong_model(format!(
            "there is no environment variable {name}; there are: {}",
            VARIABLES.join(", ")
        ))),
        None => Ok(()),
    }
}
