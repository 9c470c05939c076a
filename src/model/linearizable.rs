//! All small scenarios of a type: every thread does every sequence of its operations up to a size, and
//! some sequential order has to explain what each execution shows.
//!
//! # What is checked
//!
//! An execution is explained by an *order* of its operations if one thread alone, calling them in that
//! order on a fresh state, gets the same results, and sees the same at the end. Which orders count is
//! the [`Promise`].
//!
//! [`Promise::Linearizable`] and [`Promise::QuiescentlyConsistent`] ask which operations had ended
//! before others began. Only a client can tell, and it has no clock: a thread can know of another's
//! operation that it has ended only if it has been told. So a scenario has *clients*. One makes sure of
//! nothing: each thread does one operation after the other. Each of the others makes sure that certain
//! operations have ended before certain others begin: a thread waits, and then knows (in terms of
//! happens-before) all that those it waited for had done. What a client has made sure of, an order
//! must keep. All clients that could catch the type are tried, see `clients.rs`; in the interleaving
//! pass without exploring those for which no execution of the first client speaks, see `reorder.rs`.
//!
//! - In the *interleaving* pass memory is sequentially consistent, and every execution in which one
//!   operation ends before another begins is one of the client that makes sure of it. So this is
//!   linearizability as Herlihy and Wing define it.
//! - In the *weak memory* pass the client that makes sure of nothing also lets no thread learn
//!   anything but through the type itself, and of its results only an order is asked that keeps each
//!   thread's own. Where a client has made sure, happens-before is on the side of who waited, and
//!   what it did not wait for it need not see. What no client can tell is no failure: on no machine is
//!   the end of an operation that nobody has heard of a moment of its own.
//!
//! # Limits
//!
//! What one thread alone does is taken for right, unless there is a [reference](Linearizable::reference).
//! Results are compared by their `Debug` text. The sequential orders are run outside the model, by one
//! thread, for all: a type that keeps state in `thread_local!` has to have a reference. On real
//! threads, scenarios are run for a few rounds each, with the client that makes sure of nothing: there a
//! failure says something, and a pass says little.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use super::CheckError;
use super::identity::Identity;

mod check;
mod clients;
#[cfg(loom)]
#[path = "linearizable/on_loom.rs"]
mod engine;
#[cfg(not(loom))]
#[path = "linearizable/on_threads.rs"]
mod engine;
mod history;
mod promise;
#[cfg(loom)]
mod reorder;
mod report;
mod scenario;
mod specification;
mod threads;
mod validate;

pub use promise::Promise;
pub use report::ScenariosReport;

use scenario::Size;

/// Calls code under test with the state, and returns its result in words.
type Shared<S> = dyn Fn(&S) -> String + Send + Sync;

/// Calls an operation with the state and, where the thread has one, with what the thread owns.
type Run<S, L> = dyn Fn(&S, Option<&mut L>) -> String + Send + Sync;

/// What the reference does in place of something.
type Against<M> = Box<dyn Fn(&mut M) -> String>;

/// An operation of the alphabet.
struct Operation<S, L> {
    name: String,
    #[cfg_attr(not(loom), expect(dead_code, reason = "there is no picture to show it in"))]
    at: &'static Location<'static>,
    /// Whether it needs what the thread owns.
    owns: bool,
    run: Box<Run<S, L>>,
}

/// Something that is declared under a name, and what the reference does in its place.
struct Named<T, M> {
    name: String,
    what: T,
    against: Option<Against<M>>,
}

/// Makes what a thread owns.
type Local<S, L> = dyn Fn(&S) -> L + Send + Sync;

/// A check of all small scenarios of a type: see [`linearizable`].
#[must_use = "scenarios do nothing until they are checked"]
pub struct Linearizable<S, L = (), M = ()> {
    identity: Identity,
    init: Arc<dyn Fn() -> S + Send + Sync>,
    local: Arc<Local<S, L>>,
    reference: Option<Box<dyn Fn() -> M>>,
    operations: Vec<Named<Arc<Operation<S, L>>, M>>,
    starts: Vec<Named<Arc<Shared<S>>, M>>,
    last: Option<Named<Arc<Shared<S>>, M>>,
    /// What `against` speaks of.
    newest: Option<Piece>,
    promise: Promise,
    sizes: Vec<Size>,
    symmetric: bool,
    preemptions: Option<usize>,
    rounds: Option<u64>,
    fails: Option<String>,
    only: Option<String>,
    /// A declaration that came too late or for nothing.
    mistake: Option<String>,
    marker: PhantomData<fn() -> M>,
}

/// Something that a reference can stand in for.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Operation,
    Start,
    Last,
}

/// All small scenarios of what `init` makes, held against a sequential order of the same operations.
///
/// ```
/// use selvedge::model::linearizable;
/// use selvedge::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// let report = linearizable(|| AtomicU64::new(0))
///     .operation("add", |count| count.fetch_add(1, Relaxed))
///     .operation("take", |count| count.swap(0, Relaxed))
///     .finally("left", |count| count.load(Relaxed))
///     .check();
/// assert_eq!(report.scenarios, 21 + 4); // two threads with up to two operations; three with one
/// ```
#[track_caller]
pub fn linearizable<S: Send + Sync + 'static>(
    init: impl Fn() -> S + Send + Sync + 'static,
) -> Linearizable<S> {
    Linearizable {
        identity: Identity::of_caller(Location::caller()),
        init: Arc::new(init),
        local: Arc::new(|_| ()),
        reference: None,
        operations: Vec::new(),
        starts: Vec::new(),
        last: None,
        newest: None,
        promise: Promise::default(),
        sizes: Vec::new(),
        symmetric: true,
        preemptions: None,
        rounds: None,
        fails: None,
        only: None,
        mistake: None,
        marker: PhantomData,
    }
}

impl<S, L, M> Linearizable<S, L, M> {
    /// The same with other types: what has been declared with the old ones is a mistake.
    fn retype<L2, M2>(
        self,
        method: &str,
        local: Arc<Local<S, L2>>,
        reference: Option<Box<dyn Fn() -> M2>>,
    ) -> Linearizable<S, L2, M2> {
        let late = self.newest.is_some().then(|| {
            format!(".{method} comes after what it concerns: declare it first, behind linearizable")
        });
        Linearizable {
            identity: self.identity,
            init: self.init,
            local,
            reference,
            operations: Vec::new(),
            starts: Vec::new(),
            last: None,
            newest: None,
            promise: self.promise,
            sizes: self.sizes,
            symmetric: self.symmetric,
            preemptions: self.preemptions,
            rounds: self.rounds,
            fails: self.fails,
            only: self.only,
            mistake: self.mistake.or(late),
            marker: PhantomData,
        }
    }
}

impl<S: Send + Sync + 'static, M: 'static> Linearizable<S, (), M> {
    /// Gives each thread something of its own, such as a handle: made before the threads start, for
    /// those that have an operation which [owns](Linearizable::owned) it, and dropped after all.
    pub fn local<L: Send + 'static>(
        self,
        local: impl Fn(&S) -> L + Send + Sync + 'static,
    ) -> Linearizable<S, L, M> {
        let mut this = self;
        let reference = this.reference.take();
        this.retype("local(…)", Arc::new(local), reference)
    }
}

impl<S: Send + Sync + 'static, L: Send + 'static> Linearizable<S, L> {
    /// Sets a specification apart from the type: what is [`against`](Linearizable::against) each
    /// operation is done to what `reference` makes, in place of the operation itself.
    pub fn reference<M: 'static>(
        self,
        reference: impl Fn() -> M + 'static,
    ) -> Linearizable<S, L, M> {
        let local = Arc::clone(&self.local);
        self.retype("reference(…)", local, Some(Box::new(reference)))
    }
}

impl<S: Send + Sync + 'static, L: Send + 'static, M: 'static> Linearizable<S, L, M> {
    /// Adds an operation. What it returns, unless `()`, is a result to be explained.
    #[track_caller]
    pub fn operation<R, F>(mut self, name: &str, operation: F) -> Self
    where
        R: fmt::Debug,
        F: Fn(&S) -> R + Send + Sync + 'static,
    {
        self.identity.hint(type_name::<F>());
        self.add(name, false, Box::new(move |state, _| format!("{:?}", operation(state))))
    }

    /// Adds an operation that also uses what its thread [owns](Linearizable::local).
    #[track_caller]
    pub fn owned<R, F>(mut self, name: &str, operation: F) -> Self
    where
        R: fmt::Debug,
        F: Fn(&S, &mut L) -> R + Send + Sync + 'static,
    {
        self.identity.hint(type_name::<F>());
        let run = move |state: &S, local: Option<&mut L>| match local {
            Some(local) => format!("{:?}", operation(state, local)),
            None => unreachable!("each thread that needs it has it"),
        };
        self.add(name, true, Box::new(run))
    }

    #[track_caller]
    fn add(mut self, name: &str, owns: bool, run: Box<Run<S, L>>) -> Self {
        let operation = Operation { name: name.to_owned(), at: Location::caller(), owns, run };
        self.operations.push(Named::new(name, Arc::new(operation)));
        self.newest = Some(Piece::Operation);
        self
    }

    /// Adds an initial state: what `prepare` makes of a fresh one. All scenarios are explored from
    /// each. Without any, they are explored from the fresh one; with some, only if that is one of
    /// them.
    pub fn start<R: fmt::Debug>(
        mut self,
        name: &str,
        prepare: impl Fn(&S) -> R + Send + Sync + 'static,
    ) -> Self {
        let prepare = move |state: &S| format!("{:?}", prepare(state));
        self.starts.push(Named::new(name, Arc::new(prepare)));
        self.newest = Some(Piece::Start);
        self
    }

    /// Observes the state once all threads have ended: one more result to be explained.
    pub fn finally<R: fmt::Debug>(
        mut self,
        name: &str,
        observe: impl Fn(&S) -> R + Send + Sync + 'static,
    ) -> Self {
        if self.last.is_some() {
            self.mistake.get_or_insert_with(|| {
                format!("{name:?} is a second observation at the end: one .finally(…) is accepted")
            });
        }
        let observe = move |state: &S| format!("{:?}", observe(state));
        self.last = Some(Named::new(name, Arc::new(observe)));
        self.newest = Some(Piece::Last);
        self
    }

    /// What the [reference](Linearizable::reference) does in place of the operation, the initial
    /// state or the observation that was declared last.
    pub fn against<R: fmt::Debug>(mut self, instead: impl Fn(&mut M) -> R + 'static) -> Self {
        let instead = Box::new(move |state: &mut M| format!("{:?}", instead(state)));
        let against = match self.newest {
            Some(Piece::Operation) => self.operations.last_mut().map(|last| &mut last.against),
            Some(Piece::Start) => self.starts.last_mut().map(|last| &mut last.against),
            Some(Piece::Last) => self.last.as_mut().map(|last| &mut last.against),
            None => None,
        };
        if let Some(against) = against {
            *against = Some(instead);
        } else {
            let nothing = ".against(…) stands for nothing: behind an operation, an initial state or \
                           an observation it is accepted";
            self.mistake.get_or_insert_with(|| nothing.to_owned());
        }
        self
    }

    /// Sets what is promised; [`Promise::Linearizable`] otherwise.
    pub fn promises(mut self, promise: Promise) -> Self {
        self.promise = promise;
        self
    }

    /// Adds all scenarios of so many threads, each with so many operations or fewer, but one at least.
    /// Without any, the sizes are (2, 2) and (3, 1).
    pub fn size(mut self, threads: usize, operations: usize) -> Self {
        self.sizes.push(Size { threads, operations });
        self
    }

    /// Declares that the type tells threads apart, as one that gives each thread memory of its own
    /// does. Scenarios that differ only in which thread does what are then explored all the same.
    pub fn threads_differ(mut self) -> Self {
        self.symmetric = false;
        self
    }

    /// Bounds each exploration: see [`Model::preemptions`](super::Model::preemptions).
    pub fn preemptions(mut self, n: usize) -> Self {
        self.preemptions = Some(n);
        self
    }

    /// Sets how many rounds of each scenario to run on real threads. loom knows no rounds.
    pub fn rounds(mut self, n: u64) -> Self {
        self.rounds = Some(n);
        self
    }

    /// Checks one scenario alone, of whatever size: `add, get || take`, behind the name of an initial
    /// state and a colon if there are such.
    pub fn only(mut self, scenario: &str) -> Self {
        self.only = Some(scenario.to_owned());
        self
    }

    /// The names of the operations, in the order of declaration: what [`only`](Self::only) is written in.
    pub fn operations(&self) -> Vec<String> {
        self.operations.iter().map(|operation| operation.name.clone()).collect()
    }

    /// The names of the initial states; empty if there is one, without a name.
    pub fn starts(&self) -> Vec<String> {
        self.starts.iter().map(|start| start.name.clone()).collect()
    }

    /// Expects this scenario to be the first, and so a smallest, whose results no order explains. On
    /// real threads any or none may be.
    pub fn fails(mut self, scenario: &str) -> Self {
        self.fails = Some(scenario.to_owned());
        self
    }

    /// Explores all scenarios, the smallest first, prints and returns what was found.
    ///
    /// # Panics
    ///
    /// If a scenario breaks the promise or fails otherwise, with the whole story: see
    /// [`CheckError`].
    #[track_caller]
    pub fn check(mut self) -> ScenariosReport {
        self.identity.at = Location::caller();
        let name = self.identity.name();
        match self.judge_all() {
            Ok(report) => {
                println!("{report}");
                report
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }

    /// Explores all scenarios and returns what was found, without printing.
    ///
    /// # Errors
    ///
    /// Whatever kept a scenario from passing.
    #[track_caller]
    pub fn try_check(mut self) -> Result<ScenariosReport, CheckError> {
        // The alphabet may stand in a file of its own.
        self.identity.at = Location::caller();
        self.judge_all()
    }

    fn judge_all(mut self) -> Result<ScenariosReport, CheckError> {
        self.identity.count();
        if self.sizes.is_empty() {
            self.sizes =
                [(2, 2), (3, 1)].map(|(threads, operations)| Size { threads, operations }).to_vec();
        }
        self.validate()?;
        super::refuse_environment_bounds()?;
        self.explore()
    }
}

impl<T, M> Named<T, M> {
    fn new(name: &str, what: T) -> Self {
        Self { name: name.to_owned(), what, against: None }
    }
}
