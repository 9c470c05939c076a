//! A litmus test, as a model.

use std::fmt;

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering, fence};

use Class::{Never, Order, Unseen, Weak};
use Step::{R, W};

/// A step of a thread. There are two variables, both 0 initially.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// Writes to a variable.
    W(usize, u64),
    /// Reads a variable.
    R(usize),
}

pub(crate) const X: usize = 0;
pub(crate) const Y: usize = 1;

/// A small program and its outcomes.
pub(crate) struct Shape {
    /// Each thread with its steps. What it reads is its part of the outcome.
    pub(crate) threads: &'static [(&'static str, &'static [Step])],
    /// The variables whose last value is part of the outcome.
    pub(crate) last: &'static [(&'static str, usize)],
    pub(crate) rows: &'static [(&'static str, [Class; 5], &'static str)],
}

/// The class of an outcome in C++20 and in this checker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// An interleaving reaches it.
    Order,
    /// No interleaving reaches it; C++20 allows it, and an execution under weak memory reaches it.
    Weak,
    /// C++20 allows it, and it is not explored: load buffering.
    Unseen,
    /// C++20 forbids it, and it is not reached.
    Never,
}

/// How the steps of a shape are carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) write: Ordering,
    pub(crate) read: Ordering,
    /// The fence between two steps of a thread.
    pub(crate) fence: Option<Ordering>,
}

pub(crate) const RELAXED: Style =
    Style { write: Ordering::Relaxed, read: Ordering::Relaxed, fence: None };
pub(crate) const SEQ_CST: Style =
    Style { write: Ordering::SeqCst, read: Ordering::SeqCst, fence: None };

impl Shape {
    /// The model of this program.
    #[track_caller]
    pub(crate) fn model(&self, style: Style) -> Model<[AtomicU64; 2]> {
        let mut model = Model::new(Default::default).rounds(500);
        for &(name, steps) in self.threads {
            model = if reads_anything(steps) {
                model.thread(name, move |memory| run(memory, steps, style))
            } else {
                model.thread(name, move |memory| drop(run(memory, steps, style)))
            };
        }
        for &(name, variable) in self.last {
            model = model.finally(name, move |memory: &[AtomicU64; 2]| {
                memory[variable].load(Ordering::Relaxed)
            });
        }
        model
    }
}

impl Class {
    /// Declares `outcome`. Real threads may reach what C++20 allows.
    pub(crate) fn declare<S: Send + Sync + 'static>(
        self,
        to: Model<S>,
        outcome: &str,
        how: &str,
    ) -> Model<S> {
        match self {
            Order => to.acceptable(outcome, how),
            Unseen if cfg!(loom) => {
                to.forbidden(outcome, &format!("{how}: C++20 allows it, and it is not explored"))
            }
            Weak | Unseen => to.interesting(outcome, how),
            Never => to.forbidden(outcome, &format!("{how}: C++20 forbids it")),
        }
    }
}

/// Carries out the steps of one thread.
fn run(memory: &[AtomicU64; 2], steps: &[Step], style: Style) -> Reads {
    let mut reads = Vec::new();
    for (position, step) in steps.iter().enumerate() {
        if let (Some(order), true) = (style.fence, position > 0) {
            fence(order);
        }
        match *step {
            W(variable, value) => memory[variable].store(value, style.write),
            R(variable) => reads.push(memory[variable].load(style.read)),
        }
    }
    Reads(reads)
}

pub(crate) fn reads_anything(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, R(_)))
}

/// What a thread has read, in order: `1`, or `(1, 0)`.
pub(crate) struct Reads(pub(crate) Vec<u64>);

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0[..] {
            [one] => write!(f, "{one}"),
            [first, second] => write!(f, "({first}, {second})"),
            _ => f.debug_list().entries(&self.0).finish(),
        }
    }
}
