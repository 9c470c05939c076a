//! The threads of a scenario: they call operations, and note what came of them.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::declared::{AnyLocal, Operation, Shared};
use super::engine::{Moment, now};
use super::history::History;
use crate::check::plan::AnyState;

/// What the threads of an execution share.
pub(super) struct State {
    /// By thread; empty while the thread runs.
    locals: Vec<Mutex<Option<Box<AnyLocal>>>>,
    shared: AnyState,
    calls: Mutex<Vec<Called>>,
}

/// What came of an operation: its result, and where it began and ended.
#[derive(Default)]
struct Called {
    result: String,
    span: Option<(Moment, Moment)>,
}

/// What came of an execution.
#[derive(Default)]
pub(super) struct Record {
    pub(super) history: History,
    /// By operation.
    #[cfg_attr(not(loom), expect(dead_code, reason = "real threads have no moments"))]
    pub(super) spans: Vec<(Moment, Moment)>,
}

/// An operation as a thread of a scenario calls it.
pub(super) struct Call {
    /// Among the operations of the scenario.
    pub(super) number: usize,
    pub(super) operation: Arc<Operation>,
    /// Set once an execution has shown that it takes a step that the checker can see.
    pub(super) seen: Arc<AtomicBool>,
}

impl State {
    pub(super) fn new(
        shared: AnyState,
        locals: Vec<Option<Box<AnyLocal>>>,
        operations: usize,
    ) -> Self {
        Self {
            locals: locals.into_iter().map(Mutex::new).collect(),
            shared,
            calls: Mutex::new((0..operations).map(|_| Called::default()).collect()),
        }
    }

    /// What thread `me` does.
    pub(super) fn run(&self, me: usize, calls: &[Call]) {
        let mut local = lock(&self.locals[me]).take();
        for call in calls {
            let called = call.run(&self.shared, local.as_deref_mut());
            lock(&self.calls)[call.number] = called;
        }
        *lock(&self.locals[me]) = local;
    }

    /// The end, with what `observe` makes of the state.
    pub(super) fn end(&self, observe: Option<&Shared>) -> Record {
        let last = observe.map(|observe| observe(&self.shared));
        let calls = std::mem::take(&mut *lock(&self.calls));
        let spans = calls.iter().filter_map(|call| call.span).collect();
        let results = calls.into_iter().map(|call| call.result).collect();
        Record { history: History { results, last }, spans }
    }
}

impl Call {
    fn run(&self, shared: &AnyState, local: Option<&mut AnyLocal>) -> Called {
        let operation = &self.operation;
        operation.note(|| format!("{} begins", operation.name));
        let begin = now();
        let result = (operation.run)(shared, local);
        let end = now();
        if begin != end {
            self.seen.store(true, Relaxed);
        }
        operation.note(|| match result.as_str() {
            "()" => format!("{} returns", operation.name),
            result => format!("{} = {result}", operation.name),
        });
        Called { result, span: Some((begin, end)) }
    }
}

impl Operation {
    /// Adds a line to the picture.
    #[cfg_attr(not(loom), expect(unused_variables, clippy::unused_self, reason = "no picture"))]
    fn note(&self, text: impl FnOnce() -> String) {
        #[cfg(loom)]
        crate::kernel::with(|engine| engine.note(text(), self.at));
    }
}

/// One thread at a time has access, so a poisoned mutex is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
