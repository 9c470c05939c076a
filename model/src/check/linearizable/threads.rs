//! The threads of a scenario: they wait where the client has it so, call operations, and note what
//! came of them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clients::Client;
use super::declared::{AnyLocal, Operation, Shared};
use super::engine::{Handover, Spans, history};
use super::history::History;
use crate::check::plan::AnyState;

/// What the threads of an execution share.
pub(super) struct State {
    /// By thread; empty while the thread runs.
    locals: Vec<Mutex<Option<Box<AnyLocal>>>>,
    shared: AnyState,
    /// One for each wait of the client.
    handovers: Vec<Handover>,
    results: Mutex<Vec<String>>,
    pub(super) spans: Spans,
}

/// Where the newest execution leaves its history.
pub(super) type Slot = Arc<Mutex<History>>;

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
        client: &Client,
    ) -> Self {
        Self {
            locals: locals.into_iter().map(Mutex::new).collect(),
            shared,
            handovers: (0..client.waits.len()).map(Handover::new).collect(),
            results: Mutex::new(vec![String::new(); operations]),
            spans: Spans::new(operations),
        }
    }

    /// What thread `me` does.
    pub(super) fn run(&self, me: usize, calls: &[Call], client: &Client) {
        let mut local = lock(&self.locals[me]).take();
        for call in calls {
            self.each_wait(client, |(_, second)| second == call.number, Handover::take);
            self.spans.begin(call.number);
            let result =
                catch_unwind(AssertUnwindSafe(|| call.run(&self.shared, local.as_deref_mut())));
            self.spans.end(call.number);
            let result = result.unwrap_or_else(|payload| {
                // Nobody shall wait for it for ever.
                let mine = |first| calls.iter().any(|call| call.number == first);
                self.each_wait(client, |(first, _)| mine(first), Handover::give);
                resume_unwind(payload)
            });
            lock(&self.results)[call.number] = result;
            self.each_wait(client, |(first, _)| first == call.number, Handover::give);
        }
        *lock(&self.locals[me]) = local;
    }

    /// Does `what` at the waits that are meant.
    fn each_wait(
        &self,
        client: &Client,
        is_meant: impl Fn((usize, usize)) -> bool,
        what: impl Fn(&Handover),
    ) {
        let waits = client.waits.iter().zip(&self.handovers);
        waits.filter(|(wait, _)| is_meant(**wait)).for_each(|(_, handover)| what(handover));
    }

    /// The end: leaves the history in `slot`, with what `observe` makes of the state.
    pub(super) fn end(&self, observe: Option<&Shared>, slot: &Slot) -> History {
        let last = observe.map(|observe| observe(&self.shared));
        let history = History { results: std::mem::take(&mut *lock(&self.results)), last };
        lock(slot).clone_from(&history);
        history
    }
}

impl Call {
    fn run(&self, shared: &AnyState, local: Option<&mut AnyLocal>) -> String {
        let operation = &self.operation;
        operation.note(|| format!("{} begins", operation.name));
        let before = history();
        let result = (operation.run)(shared, local);
        if history() != before {
            self.seen.store(true, Relaxed);
        }
        operation.note(|| match result.as_str() {
            "()" => format!("{} returns", operation.name),
            result => format!("{} = {result}", operation.name),
        });
        result
    }
}

impl Operation {
    /// Adds a line to the picture.
    #[cfg_attr(not(loom), expect(unused_variables, clippy::unused_self, reason = "no picture"))]
    fn note(&self, text: impl FnOnce() -> String) {
        #[cfg(loom)]
        crate::sync::checked::record::with(|recorder| {
            recorder.note(self.at, None, crate::sync::checked::event::Action::Note(text()));
        });
    }
}

/// Whether an execution's history was explained: the whole outcome.
pub(super) struct Verdict(pub(super) bool);

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "explained" } else { "unexplained" })
    }
}

/// One thread at a time has access, so a poisoned mutex is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
