//! Asks for the change of a mutant. The types of this folder make it: they take another step than they
//! were asked for, or none.

use std::sync::atomic::Ordering;

use crate::kernel::{self, Site};
use crate::mutation::Change;

/// What is changed about the operation that is about to be executed; `None` outside an exploration.
#[inline]
pub(super) fn change(site: Site, operation: &'static str, orders: &[Ordering]) -> Option<Change> {
    kernel::with(|engine| engine.change(site, operation, orders)).flatten()
}

/// The ordering of an operation that is about to be executed.
#[inline]
pub(super) fn ordering(site: Site, operation: &'static str, order: Ordering) -> Ordering {
    match change(site, operation, &[order]) {
        Some(Change::Weaker(weaker)) => weaker,
        _ => order,
    }
}
