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
use super::plan::AnyState;

mod check;
mod clients;
mod declared;
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
    /// Gives each thread something of its own, such as a handle: made before the threads start, for
    /// those that have an operation which [owns](Linearizable::owned) it, and dropped after all.
    pub fn local<L: Send + 'static>(
        mut self,
        local: impl Fn(&S) -> L + Send + Sync + 'static,
    ) -> Linearizable<S, L, M> {
        self.declared.local = Arc::new(move |state| Box::new(local(state.get())));
        self.retype("local(…)")
    }
}

impl<S: Send + Sync + 'static, L: Send + 'static> Linearizable<S, L> {
    /// Sets a specification apart from the type: what is [`against`](Linearizable::against) each
    /// operation is done to what `reference` makes, in place of the operation itself.
    pub fn reference<M: 'static>(
        mut self,
        reference: impl Fn() -> M + 'static,
    ) -> Linearizable<S, L, M> {
        self.declared.reference = Some(Box::new(move || Box::new(reference())));
        self.retype("reference(…)")
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
        let run: Box<Run> = Box::new(move |state, _| words(&operation(state.get())));
        self.declared.operation(name, type_name::<F>(), false, run);
        self
    }

    /// Adds an operation that also uses what its thread [owns](Linearizable::local).
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

    /// Adds an initial state: what `prepare` makes of a fresh one. All scenarios are explored from
    /// each. Without any, they are explored from the fresh one; with some, only if that is one of
    /// them.
    pub fn start<R: fmt::Debug>(
        mut self,
        name: &str,
        prepare: impl Fn(&S) -> R + Send + Sync + 'static,
    ) -> Self {
        let prepare = Arc::new(move |state: &AnyState| words(&prepare(state.get())));
        self.declared.start(name, prepare);
        self
    }

    /// Observes the state once all threads have ended: one more result to be explained.
    pub fn finally<R: fmt::Debug>(
        mut self,
        name: &str,
        observe: impl Fn(&S) -> R + Send + Sync + 'static,
    ) -> Self {
        let observe = Arc::new(move |state: &AnyState| words(&observe(state.get())));
        self.declared.finally(name, observe);
        self
    }

    /// What the [reference](Linearizable::reference) does in place of the operation, the initial
    /// state or the observation that was declared last.
    pub fn against<R: fmt::Debug>(mut self, instead: impl Fn(&mut M) -> R + 'static) -> Self {
        let instead =
            Box::new(move |state: &mut AnyReference| words(&instead(cast(state.downcast_mut()))));
        self.declared.against(instead);
        self
    }

    /// Sets what is promised; [`Promise::Linearizable`] otherwise.
    pub fn promises(mut self, promise: Promise) -> Self {
        self.declared.promise = promise;
        self
    }

    /// Adds all scenarios of so many threads, each with so many operations or fewer, but one at least.
    /// Without any, the sizes are (2, 2) and (3, 1).
    pub fn size(mut self, threads: usize, operations: usize) -> Self {
        self.declared.sizes.push(Size { threads, operations });
        self
    }

    /// Declares that the type tells threads apart, as one that gives each thread memory of its own
    /// does. Scenarios that differ only in which thread does what are then explored all the same.
    pub fn threads_differ(mut self) -> Self {
        self.declared.symmetric = false;
        self
    }

    /// Bounds each exploration: see [`Model::preemptions`](super::Model::preemptions).
    pub fn preemptions(mut self, n: usize) -> Self {
        self.declared.preemptions = Some(n);
        self
    }

    /// Sets how many rounds of each scenario to run on real threads. loom knows no rounds.
    pub fn rounds(mut self, n: u64) -> Self {
        self.declared.rounds = Some(n);
        self
    }

    /// Checks one scenario alone, of whatever size: `add, get || take`, behind the name of an initial
    /// state and a colon if there are such.
    pub fn only(mut self, scenario: &str) -> Self {
        self.declared.only = Some(scenario.to_owned());
        self
    }

    /// The names of the operations, in the order of declaration: what [`only`](Self::only) is written in.
    pub fn operations(&self) -> Vec<String> {
        self.declared.operations()
    }

    /// The names of the initial states; empty if there is one, without a name.
    pub fn starts(&self) -> Vec<String> {
        self.declared.starts()
    }

    /// Expects this scenario to be the first, and so a smallest, whose results no order explains. On
    /// real threads any or none may be.
    pub fn fails(mut self, scenario: &str) -> Self {
        self.declared.fails = Some(scenario.to_owned());
        self
    }

    /// Explores all scenarios, the smallest first, prints and returns what was found.
    ///
    /// # Panics
    ///
    /// If a scenario breaks the promise or fails otherwise, with the whole story: see
    /// [`CheckError`].
    #[track_caller]
    pub fn check(self) -> ScenariosReport {
        self.declared.check()
    }

    /// Explores all scenarios and returns what was found, without printing.
    ///
    /// # Errors
    ///
    /// Whatever kept a scenario from passing.
    #[track_caller]
    pub fn try_check(self) -> Result<ScenariosReport, CheckError> {
        self.declared.try_check()
    }
}
