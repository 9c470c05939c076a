//! All small scenarios of a type: every thread runs every sequence of its operations up to a size, and a
//! sequential order of the operations must explain the results of each execution.
//!
//! # What is checked
//!
//! A sequential *order* of the operations explains an execution if a single thread that calls them in that
//! order on a new state gets the same results and the same final observation. The [`Promise`] says which
//! orders are allowed.
//!
//! [`Promise::Linearizable`] and [`Promise::QuiescentlyConsistent`] depend on which operations end before
//! others begin. A *precedence constraint* says so: a thread blocks before an operation until one of another
//! thread has ended, with a happens-before edge. An execution breaks the promise if constraints can be added
//! to it consistently, and no order that keeps them explains its results. Each scenario is explored once,
//! without constraints: a constraint is an edge that is added to a finished execution graph, which must stay
//! consistent.
//!
//! - Of an interleaving of the threads: an execution in which one operation ends before another begins is
//!   one to which that constraint can be added. So this is linearizability as defined by Herlihy and Wing.
//! - Of weak memory: without constraints an execution needs only an order that keeps each thread's program
//!   order. A constraint adds a happens-before edge to the thread that waits, so that it must observe the
//!   operation that it waited for. Precedence in time without a happens-before edge is not checked: no
//!   program can observe it.
//!
//! # Limits
//!
//! - Without a [reference](Linearizable::reference), the sequential behaviour of the type is assumed to be
//!   correct.
//! - Results are compared by their `Debug` text.
//! - The sequential orders are run by one thread: a type that keeps state in `thread_local!` needs a reference, and so
//!   does one with an operation that blocks in some order. On real threads an operation that blocks there is not
//!   noticed, and a `static` keeps its value from order to order.
//! - On real threads each scenario is run for a few rounds, without constraints: a failure is real, a pass
//!   means little.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use super::CheckError;
use super::plan::AnyState;

mod check;
mod constraints;
mod declared;
#[cfg(loom)]
#[path = "linearizable/on_graphs.rs"]
mod engine;
#[cfg(not(loom))]
#[path = "linearizable/on_threads.rs"]
mod engine;
mod history;
mod judge;
mod promise;
mod report;
mod scenario;
mod specification;
mod threads;
mod validate;

pub use promise::Promise;
pub use report::{SAMPLE, ScenariosReport};

use declared::{AnyLocal, AnyReference, Declared, Run, cast, words};
use scenario::Size;

/// A check of all small scenarios of a type: see [`linearizable`].
#[must_use = "scenarios do nothing until they are checked"]
pub struct Linearizable<S, L = (), M = ()> {
    declared: Declared,
    /// The types of the state, of what a thread owns, and of the reference, which `declared` does not
    /// show: each piece was declared with these.
    types: PhantomData<fn(S, L) -> M>,
}

/// A check of all small scenarios of the type that `init` returns, against sequential orders of the same
/// operations.
///
/// ```
/// use selvedge_model::linearizable;
/// use selvedge_model::sync::atomic::{AtomicU64, Ordering::Relaxed};
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
    let init = Arc::new(move || AnyState::new(init()));
    Linearizable { declared: Declared::new(Location::caller(), init), types: PhantomData }
}

impl<S, L, M> Linearizable<S, L, M> {
    /// The same with other types.
    fn retype<L2, M2>(mut self, method: &str) -> Linearizable<S, L2, M2> {
        self.declared.forget(method);
        Linearizable { declared: self.declared, types: PhantomData }
    }
}

impl<S: Send + Sync + 'static, M: 'static> Linearizable<S, (), M> {
    /// Gives each thread a value of its own, such as a handle, for [`owned`](Linearizable::owned) operations.
    /// It is made before the threads start, only for threads with such an operation, and dropped after all
    /// threads have ended.
    pub fn local<L: Send + 'static>(
        mut self,
        local: impl Fn(&S) -> L + Send + Sync + 'static,
    ) -> Linearizable<S, L, M> {
        self.declared.local = Arc::new(move |state| Box::new(local(state.get())));
        self.retype("local(…)")
    }
}

impl<S: Send + Sync + 'static, L: Send + 'static> Linearizable<S, L> {
    /// Sets a sequential specification other than the type itself: `reference` makes its state, and each
    /// operation needs an [`against`](Linearizable::against), which runs on that state.
    pub fn reference<M: 'static>(
        mut self,
        reference: impl Fn() -> M + 'static,
    ) -> Linearizable<S, L, M> {
        self.declared.reference = Some(Box::new(move || Box::new(reference())));
        self.retype("reference(…)")
    }
}

impl<S: Send + Sync + 'static, L: Send + 'static, M: 'static> Linearizable<S, L, M> {
    /// Adds an operation. Its result must be explained by a sequential order.
    #[track_caller]
    pub fn operation<R, F>(mut self, name: &str, operation: F) -> Self
    where
        R: fmt::Debug,
        F: Fn(&S) -> R + Send + Sync + 'static,
    {
        let run: Box<Run> = Box::new(move |state, _| words(&operation(state.get())));
        self.declared.operation(name, type_name::<F>(), false, run);
        self
    }

    /// Adds an operation that also uses the [`local`](Linearizable::local) value of its thread.
    #[track_caller]
    pub fn owned<R, F>(mut self, name: &str, operation: F) -> Self
    where
        R: fmt::Debug,
        F: Fn(&S, &mut L) -> R + Send + Sync + 'static,
    {
        let run: Box<Run> = Box::new(move |state, local| {
            let local = cast(local.and_then(<AnyLocal>::downcast_mut));
            words(&operation(state.get(), local))
        });
        self.declared.operation(name, type_name::<F>(), true, run);
        self
    }

    /// Adds an initial state: a new state on which `prepare` is called. All scenarios are explored from each
    /// initial state. Without any, the initial state is a new one.
    pub fn start<R: fmt::Debug>(
        mut self,
        name: &str,
        prepare: impl Fn(&S) -> R + Send + Sync + 'static,
    ) -> Self {
        let prepare = Arc::new(move |state: &AnyState| words(&prepare(state.get())));
        self.declared.start(name, prepare);
        self
    }

    /// Observes the state after all threads have ended. The result must be explained too.
    pub fn finally<R: fmt::Debug>(
        mut self,
        name: &str,
        observe: impl Fn(&S) -> R + Send + Sync + 'static,
    ) -> Self {
        let observe = Arc::new(move |state: &AnyState| words(&observe(state.get())));
        self.declared.finally(name, observe);
        self
    }

    /// The counterpart, on the [reference](Linearizable::reference), of the operation, initial state or
    /// observation that was declared last.
    pub fn against<R: fmt::Debug>(mut self, instead: impl Fn(&mut M) -> R + 'static) -> Self {
        let instead =
            Box::new(move |state: &mut AnyReference| words(&instead(cast(state.downcast_mut()))));
        self.declared.against(instead);
        self
    }

    /// Sets the promise to check; the default is [`Promise::Linearizable`].
    pub fn promises(mut self, promise: Promise) -> Self {
        self.declared.promise = promise;
        self
    }

    /// Adds all scenarios of `threads` threads, 2 to [`MAX_THREADS`](super::MAX_THREADS), each with 1 to
    /// `operations` operations. Without any, the sizes are (2, 2) and (3, 1).
    pub fn size(mut self, threads: usize, operations: usize) -> Self {
        self.declared.sizes.push(Size { threads, operations });
        self
    }

    /// Declares that the type distinguishes threads, such as one with memory for each thread. Scenarios that
    /// are equal up to a permutation of threads are then all explored.
    pub fn threads_differ(mut self) -> Self {
        self.declared.symmetric = false;
        self
    }

    /// Bounds the exploration of each scenario: see [`Model::executions`](super::Model::executions).
    pub fn executions(mut self, n: u64) -> Self {
        self.declared.executions = Some(n);
        self
    }

    /// Sets the number of rounds of each scenario on real threads. No effect on the checker.
    pub fn rounds(mut self, n: u64) -> Self {
        self.declared.rounds = Some(n);
        self
    }

    /// Checks only this scenario, of any size, such as `add, get || take`, or `empty: add, get || take` if
    /// there are initial states.
    pub fn only(mut self, scenario: &str) -> Self {
        self.declared.only = Some(scenario.to_owned());
        self
    }

    /// The names of the operations, in the order of declaration, as used by [`only`](Self::only).
    pub fn operations(&self) -> Vec<String> {
        self.declared.operations()
    }

    /// The names of the initial states; empty if none is declared.
    pub fn starts(&self) -> Vec<String> {
        self.declared.starts()
    }

    /// Expects this scenario to be the first that breaks the promise, and so a smallest one. On real threads
    /// any scenario, or none, may break it.
    pub fn fails(mut self, scenario: &str) -> Self {
        self.declared.fails = Some(scenario.to_owned());
        self
    }

    /// Explores all scenarios, the smallest first, prints the report and returns it.
    ///
    /// # Panics
    ///
    /// If a scenario breaks the promise or fails otherwise. The message is that of the [`CheckError`].
    #[track_caller]
    pub fn check(self) -> ScenariosReport {
        self.declared.check()
    }

    /// Explores all scenarios and returns the report, without printing it.
    ///
    /// # Errors
    ///
    /// If a scenario breaks the promise or fails otherwise.
    #[track_caller]
    pub fn try_check(self) -> Result<ScenariosReport, CheckError> {
        self.declared.try_check()
    }
}
