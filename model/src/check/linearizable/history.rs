//! What an execution showed, and what one thread alone would show.

use super::constraints::Shape;

/// What the operations of a scenario returned, by their number, and what was observed at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct History {
    pub(super) results: Vec<String>,
    pub(super) last: Option<String>,
}

/// The operations of a scenario, one after the other, on a fresh state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) operations: Vec<usize>,
    pub(super) history: History,
}

/// All orders of a scenario's operations: those that keep each thread's own order, or all.
pub(super) fn orders(shape: &Shape, keep: bool) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    extend(shape, &mut Vec::new(), keep, &mut found);
    found
}

fn extend(shape: &Shape, order: &mut Vec<usize>, keep: bool, found: &mut Vec<Vec<usize>>) {
    if order.len() == shape.operations() {
        found.push(order.clone());
    }
    for next in 0..shape.operations() {
        let too_early =
            keep && shape.previous(next).is_some_and(|earlier| !order.contains(&earlier));
        if !order.contains(&next) && !too_early {
            order.push(next);
            extend(shape, order, keep, found);
            order.pop();
        }
    }
}
