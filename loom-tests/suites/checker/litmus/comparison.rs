//! A litmus test compared with the axioms of C++20, and explored.

use std::collections::BTreeSet;

use selvedge_model::Report;
use selvedge_model::sync::atomic::Ordering;

use super::axioms;
use super::shape::Class::{Never, Order, Unseen, Weak};
use super::shape::{RELAXED, SEQ_CST, Shape, Style};

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
}
