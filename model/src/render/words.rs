//! What a line of a trace says: an operation, on what, and what came of it.

use super::state::State;
use super::view::View;
use crate::engine::graph::{Action, Line, Source};
use crate::kernel::{Access, LocationId, Made, Operation, Rmw, Update};

/// A line in words.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// The object that it is about.
    pub(super) object: Option<LocationId>,
    pub(super) operation: &'static str,
    /// Operands, the ordering, and the result: what follows the name.
    pub(super) rest: String,
    pub(super) order: Option<&'static str>,
    pub(super) reads: Option<Reads>,
    /// What was read is the result.
    pub(super) is_load: bool,
    /// Where, if that says anything.
    pub(super) at: Option<String>,
}

/// What was read from an atomic.
#[derive(Debug, Clone)]
pub(super) struct Reads {
    pub(super) value: String,
    /// What the newest write shown before wrote.
    pub(super) newest: String,
    pub(super) is_newest: bool,
    pub(super) from: Option<Source>,
}

impl Words {
    /// An operation on `object` that reads nothing.
    pub(super) fn on(object: LocationId, operation: &'static str, rest: impl Into<String>) -> Self {
        Self { object: Some(object), ..Self::plain(operation, rest) }
    }

    /// An operation on no object in particular.
    pub(super) fn plain(operation: &'static str, rest: impl Into<String>) -> Self {
        Self {
            object: None,
            operation,
            rest: rest.into(),
            order: None,
            reads: None,
            is_load: false,
            at: None,
        }
    }
}

pub(super) fn access_name(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Write => "write",
        Access::Use => "use",
        Access::Free => "drop",
    }
}

/// What a read finds; `None` if it is not one.
pub(super) fn reads(view: &View<'_>, state: &State, line: &Line) -> Option<Reads> {
    let Action::Step(operation) = line.action else { return None };
    if matches!(operation, Operation::Store { .. }) {
        return None;
    }
    let location = operation.location()?;
    let place = match line.source? {
        Source::Initial => None,
        Source::Line(source) => view.line(source).place,
    };
    let newest = state.newest(location).map_or_else(
        || match view.execution.location(location) {
            Some(Made::Atomic { value, .. }) => *value,
            _ => 0,
        },
        |newest| newest.value,
    );
    let show = |word| view.names.value(location, word);
    Some(Reads {
        value: show(line.result),
        newest: show(newest),
        is_newest: state.is_newest(location, place),
        from: line.source,
    })
}

pub(super) fn update_name(update: Update) -> &'static str {
    match update.rmw {
        Rmw::Swap(_) => "swap",
        Rmw::CompareExchange { .. } => "compare_exchange",
        Rmw::CompareExchangeWeak { .. } => "compare_exchange_weak",
        Rmw::Lock | Rmw::Unlock => "get_mut",
        Rmw::Add(_) => "fetch_add",
        Rmw::Sub(_) => "fetch_sub",
        Rmw::And(_) => "fetch_and",
        Rmw::Nand(_) => "fetch_nand",
        Rmw::Or(_) => "fetch_or",
        Rmw::Xor(_) => "fetch_xor",
        Rmw::Max(_) => "fetch_max",
        Rmw::Min(_) => "fetch_min",
    }
}
