//! What else an execution could have been: the same steps in another order.
//!
//! Two steps of an execution can change places unless one thread takes both, or both are on one
//! object and one of them changes it. Of all executions that come of each other in this way the
//! interleaving pass makes one, whichever it comes to first; the results are the same in all. So
//! what it has made tells of all the others whether in one of them certain operations end before
//! certain others begin: unless some chain of steps that cannot change places leads the other way.
//!
//! # Limits
//!
//! Of steps on other objects than atomics and locks, and of those that only try a lock, nothing is
//! said: they count as if they could always change places. An execution may then be taken for
//! possible that is not; none that is possible is left out.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use super::clients::{Client, Shape};
use super::history::{History, Judge};
use super::threads::lock;
use crate::sync::checked::event::{Action, Event, Pass};
use crate::sync::checked::record;

/// Which clients could catch something in the interleaving pass: some execution of the client that makes
/// sure of nothing could also have been one of theirs, and has results that they would not take.
pub(super) struct Suspects {
    judge: Arc<Judge>,
    clients: Vec<Arc<Client>>,
    /// By client.
    found: Vec<AtomicBool>,
}

impl Suspects {
    pub(super) fn new(judge: &Arc<Judge>, clients: &[Arc<Client>]) -> Self {
        Self {
            judge: Arc::clone(judge),
            clients: clients.to_vec(),
            found: clients.iter().map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// An execution of the client that makes sure of nothing ends with this history.
    pub(super) fn look_at(&self, history: &History, spans: &Spans) {
        if !record::holds(|recorder| recorder.pass == Pass::Interleaving) {
            return;
        }
        let mut order = None;
        for (client, found) in self.clients.iter().zip(&self.found) {
            if !found.load(Relaxed) && !self.judge.explains(history, client) {
                let order = order.get_or_insert_with(|| spans.order(&self.judge.shape));
                found.store(order.allows(client), Relaxed);
            }
        }
    }

    /// Whether the client at this position is one.
    pub(super) fn include(&self, position: usize) -> bool {
        self.found[position].load(Relaxed)
    }
}

/// Where in the record each operation begins and ends, by its number.
#[derive(Debug)]
pub(super) struct Spans(Mutex<Vec<(usize, usize)>>);

/// Of each operation, a bit for each other with a step that some step of it comes before in all
/// executions that are the same but for the order.
#[derive(Debug)]
pub(super) struct Order(Vec<u16>);

impl Spans {
    pub(super) fn new(operations: usize) -> Self {
        Self(Mutex::new(vec![(0, 0); operations]))
    }

    /// The operation with this number begins.
    pub(super) fn begin(&self, operation: usize) {
        lock(&self.0)[operation].0 = recorded();
    }

    /// It has ended.
    pub(super) fn end(&self, operation: usize) {
        lock(&self.0)[operation].1 = recorded();
    }

    /// What the execution that ends now cannot do otherwise.
    pub(super) fn order(&self, shape: &Shape) -> Order {
        let spans = lock(&self.0);
        let order = record::with(|recorder| Order::of(recorder.events(), shape, &spans));
        order.unwrap_or_else(|| Order(vec![0; shape.operations()]))
    }
}

/// How many lines the record of this execution has.
fn recorded() -> usize {
    record::with(|recorder| recorder.events().len()).unwrap_or_default()
}

/// Which operations have a step before the newest one of something.
type Past = u16;

/// Those before the newest steps on an object: those that change it, and the others.
#[derive(Debug, Clone, Copy, Default)]
struct Steps {
    changes: Past,
    looks: Past,
}

impl Order {
    fn of(events: &[Event], shape: &Shape, spans: &[(usize, usize)]) -> Self {
        let mut order = Self(vec![0; shape.operations()]);
        let mut threads = vec![Past::default(); shape.threads()];
        let mut objects: Vec<Steps> = Vec::new();
        for (position, event) in events.iter().enumerate() {
            let is_at = |operation: &usize| {
                let (begin, end) = spans[*operation];
                shape.thread(*operation) == event.thread && (begin..end).contains(&position)
            };
            let Some(operation) = (0..shape.operations()).find(is_at) else { continue };
            let past = &mut threads[event.thread];
            *past |= 1 << operation;
            if let (Some(object), Some(changes)) = (event.object, changes(&event.action)) {
                if objects.len() <= object {
                    objects.resize(object + 1, Steps::default());
                }
                let steps = &mut objects[object];
                *past |= steps.changes;
                if changes {
                    *past |= steps.looks;
                    steps.changes = *past;
                } else {
                    steps.looks |= *past;
                }
            }
            for (first, later) in order.0.iter_mut().enumerate() {
                if *past & (1 << first) != 0 {
                    *later |= 1 << operation;
                }
            }
        }
        order
    }

    /// Whether the same steps, in some order, are an execution of this client.
    pub(super) fn allows(&self, client: &Client) -> bool {
        // A demand puts all of one operation before all of another; from there on, what has a step
        // behind a step of that other.
        let follows = |(_, second): &(usize, usize), (first, _): &(usize, usize)| {
            second == first || self.0[*second] & (1 << first) != 0
        };
        let mut left: Vec<(usize, usize)> = client.waits.clone();
        // Whatever nothing leads to can be met first.
        while let Some(free) = left.iter().position(|wait| !left.iter().any(|on| follows(on, wait)))
        {
            left.swap_remove(free);
        }
        left.is_empty()
    }
}

/// Whether the step changes the object, which it then must not change places on; `None` where
/// nothing is said.
fn changes(action: &Action) -> Option<bool> {
    match action {
        Action::Load { .. } | Action::Read | Action::EndRead => Some(false),
        Action::Store { .. }
        | Action::Update { .. }
        | Action::CompareExchange { .. }
        | Action::Lock
        | Action::Unlock
        | Action::Write
        | Action::EndWrite => Some(true),
        _ => None,
    }
}
