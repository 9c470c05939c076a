//! The counts of an `Arc`, in the words of its methods.

use super::state::State;
use super::view::View;
use super::words::{Words, reads};
use crate::kernel::{AtomicKind, LocationId, Operation, Rmw};

/// A step on the strong count.
pub(super) fn strong(
    view: &View<'_>,
    state: &State,
    at: usize,
    object: LocationId,
) -> Option<Words> {
    let line = view.line(at);
    let on = |operation, rest: &str| Some(Words::on(object, operation, rest));
    match view.step(at)? {
        Operation::Update { update, .. } => match update.rmw {
            Rmw::Add(_) => on("clone", ""),
            Rmw::Sub(_) => on("drop", if line.result == 1 { " (the last)" } else { "" }),
            Rmw::CompareExchange { current: 1, new: 0 } => {
                on("try_unwrap", if line.written.is_some() { ": ok" } else { ": shared" })
            }
            Rmw::CompareExchange { .. } if line.written.is_some() => on("upgrade", ": ok"),
            // It tries again.
            _ => None,
        },
        Operation::Load { .. } if locks_weak(view, view.before_in_call(at)) => {
            on("get_mut", if line.result == 1 { ": ok" } else { ": shared" })
        }
        Operation::Load { .. } if is_first_of_two(view, at) => None,
        Operation::Load { .. } => {
            let reads = reads(view, state, line);
            Some(Words { reads, is_load: true, ..Words::on(object, "strong_count", "") })
        }
        Operation::Store { value, .. } => on("store", &format!(" {value}")),
        _ => None,
    }
}

/// A step on the weak count.
pub(super) fn weak(view: &View<'_>, at: usize, object: LocationId) -> Option<Words> {
    let line = view.line(at);
    let on = |operation, rest: &str| Some(Words::on(object, operation, rest));
    match view.step(at)? {
        Operation::Update { update, .. } => match (update.rmw, line.written) {
            (Rmw::Add(_), _) => on("clone weak", ""),
            (Rmw::Sub(_), _) if is_of_all_strong(view, at, object) => None,
            (Rmw::Sub(_), _) => on("drop weak", ""),
            (Rmw::Lock, None) => on("get_mut", ": shared"),
            (Rmw::CompareExchange { .. }, Some(_)) => on("downgrade", ""),
            _ => None,
        },
        Operation::Load { .. } if !is_first_of_two(view, at) => {
            let count = line.result.checked_add(1).map_or(0, |next| next.saturating_sub(2));
            on("weak_count", &format!(" = {count}"))
        }
        _ => None,
    }
}

/// Whether line `at` keeps weak owners from being made, for `get_mut`.
fn locks_weak(view: &View<'_>, at: Option<usize>) -> bool {
    let Some(Operation::Update { location, update, .. }) = at.and_then(|at| view.step(at)) else {
        return false;
    };
    matches!(view.names.kind(location), AtomicKind::Weak { .. }) && update.rmw == Rmw::Lock
}

/// Whether line `at` only looks up what a `compare_exchange` of the same call expects.
fn is_first_of_two(view: &View<'_>, at: usize) -> bool {
    let next = view.after_in_call(at).and_then(|next| view.step(next));
    matches!(next, Some(Operation::Update { location, .. })
        if view.step(at).and_then(|step| step.location()) == Some(location))
}

/// Whether line `at` gives up the weak owner that all strong owners are together: the first that its thread gives up
/// after the last of them.
fn is_of_all_strong(view: &View<'_>, at: usize, strong: LocationId) -> bool {
    let mut before = view.before(at);
    while let Some(line) = before {
        match view.step(line) {
            Some(Operation::Store { location, .. } | Operation::Update { location, .. })
                if location == strong =>
            {
                return is_last_drop(view, before);
            }
            Some(Operation::Update { location, update, .. })
                if view.names.kind(location) == (AtomicKind::Weak { strong })
                    && matches!(update.rmw, Rmw::Sub(_)) =>
            {
                return false;
            }
            _ => before = view.before(line),
        }
    }
    false
}

/// Whether line `at` gives up the last strong owner, or the last weak one; a fence follows then.
pub(super) fn is_last_drop(view: &View<'_>, at: Option<usize>) -> bool {
    let Some(at) = at else { return false };
    let Some(Operation::Update { location, update, .. }) = view.step(at) else { return false };
    matches!(view.names.kind(location), AtomicKind::Strong | AtomicKind::Weak { .. })
        && view.line(at).result == 1
        && matches!(update.rmw, Rmw::Sub(_) | Rmw::CompareExchange { current: 1, new: 0 })
}
