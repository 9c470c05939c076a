//! A litmus test, and its comparison with the axioms of C++20 and with the checker.

use std::collections::BTreeSet;
use std::fmt;

use selvedge_model::sync::atomic::{AtomicU64, Ordering, fence};
use selvedge_model::{Model, Report};

use Class::{Never, Order, Unseen, Weak};
use Step::{R, W};

use super::axioms;

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

const RELAXED: Style = Style { write: Ordering::Relaxed, read: Ordering::Relaxed, fence: None };
pub(crate) const SEQ_CST: Style =
    Style { write: Ordering::SeqCst, read: Ordering::SeqCst, fence: None };

/// The columns of the table: the first to the fifth model of each test.
const STYLES: [Style; 5] = [
    RELAXED,
    Style { write: Ordering::Release, read: Ordering::Acquire, fence: None },
    SEQ_CST,
    Style { fence: Some(Ordering::AcqRel), ..RELAXED },
    Style { fence: Some(Ordering::SeqCst), ..RELAXED },
];

impl Shape {
    /// Five models, one for each column: compared with the axioms, then explored.
    #[track_caller]
    pub(crate) fn check(&self) {
        let ordered = axioms::allowed(self, SEQ_CST).outcomes;
        for (column, style) in STYLES.into_iter().enumerate() {
            let allowed = axioms::allowed(self, style);
            self.agrees_with_the_axioms(column, &ordered, &allowed.outcomes);
            let mut model = self.model(style);
            for &(outcome, classes, how) in self.rows {
                model = classes[column].declare(model, outcome, how);
            }
            let report = model.check();
            if cfg!(loom) {
                assert!(report.is_complete(), "{style:?} is explored completely");
                assert_eq!(report.executions(), allowed.graphs, "{style:?}: each graph once");
                self.is_reached_as_its_class_says(column, &report);
            }
        }
    }

    /// `allowed` is what C++20 allows in this column, `ordered` what an order of the steps leads to.
    fn agrees_with_the_axioms(
        &self,
        column: usize,
        ordered: &BTreeSet<String>,
        allowed: &BTreeSet<String>,
    ) {
        for (outcome, classes, _) in self.rows {
            let class = classes[column];
            let (in_order, is_allowed) = (ordered.contains(*outcome), allowed.contains(*outcome));
            let agrees = match class {
                Order => in_order && is_allowed,
                Weak | Unseen => !in_order && is_allowed,
                Never => !is_allowed,
            };
            assert!(
                agrees,
                "{:?}: {outcome} is called {class:?}, but by the axioms of C++20 an order leads to \
                 it: {in_order}; it is allowed: {is_allowed}",
                STYLES[column]
            );
        }
        for outcome in allowed {
            let has_a_row = self.rows.iter().any(|(row, ..)| row == outcome);
            assert!(has_a_row, "{:?}: C++20 allows {outcome} too", STYLES[column]);
        }
    }

    /// Interleavings reach the outcomes of class `Order`, and no others.
    fn is_reached_as_its_class_says(&self, column: usize, report: &Report) {
        for (outcome, classes, _) in self.rows {
            let class = classes[column];
            let row = report.outcomes.iter().find(|row| row.text == *outcome);
            let witness = row.and_then(|row| row.witness.as_ref());
            let style = STYLES[column];
            let found = witness.map(|witness| witness.sequential);
            let expected = match class {
                Order => Some(true),
                Weak => Some(false),
                Unseen | Never => None,
            };
            assert_eq!(found, expected, "{style:?}: {outcome}, by an interleaving of the steps");
        }
    }

    #[track_caller]
    fn model(&self, style: Style) -> Model<[AtomicU64; 2]> {
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
    fn declare<S: Send + Sync + 'static>(self, to: Model<S>, outcome: &str, how: &str) -> Model<S> {
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
