//! Which operation of `std` a line of a trace is.
//!
//! One call can be several steps of the kernel. They are told as one where no other thread comes in
//! between, and only those are told that a user of `std` knows of.

use super::acts::{acted, once_name};
use super::arc;
use super::names::short_order;
use super::state::State;
use super::view::View;
use super::words::{Words, access_name, reads, update_name};
use crate::engine::graph::Action;
use crate::kernel::object::OnceKind;
use crate::kernel::{Access, AtomicKind, Choice, LocationId, Made, Operation, Rmw};

/// Line `at`, before whose step the objects are in `state`; `None` if it is not shown.
pub(super) fn words(view: &View<'_>, state: &State, at: usize, orders: bool) -> Option<Words> {
    let line = view.line(at);
    let mut words = match line.action {
        Action::Make(_) | Action::Turn => return None,
        Action::Access(location, access) => {
            if !view.is_shown(at, location, access) {
                return None;
            }
            let name = match (view.execution.location(location)?, access) {
                (Made::Atomic { kind: AtomicKind::Strong, .. }, Access::Free) => "drop value",
                (Made::Atomic { kind: AtomicKind::Weak { .. }, .. }, Access::Free) => "free",
                _ => access_name(access),
            };
            Words::on(location, name, "")
        }
        Action::Panic(number) | Action::Note(number) => {
            let text = view.execution.text(number)?;
            let (file, at) = &text.at;
            let words = match line.action {
                Action::Panic(_) => Words::plain("panics", format!(": {}", text.text)),
                _ => Words::plain("", text.text.clone()),
            };
            return Some(Words { at: crate::place::in_program(file, *at), ..words });
        }
        Action::Step(operation) => step(view, state, at, operation, orders)?,
    };
    if words.at.is_none() {
        let site = view.site(line.action, line.site);
        words.at = site.and_then(|site| crate::place::in_program(site.file(), site.line()));
    }
    Some(words)
}

fn step(
    view: &View<'_>,
    state: &State,
    at: usize,
    operation: Operation,
    orders: bool,
) -> Option<Words> {
    let line = view.line(at);
    match operation {
        Operation::Load { location, .. }
        | Operation::Store { location, .. }
        | Operation::Update { location, .. } => match view.names.kind(location) {
            AtomicKind::Strong => arc::strong(view, state, at, location),
            AtomicKind::Weak { strong } => arc::weak(view, at, strong),
            AtomicKind::Left => None,
            AtomicKind::Senders { channel } => Some(senders(operation, channel)),
            AtomicKind::Poison { lock } => Some(poison(view, state, at, lock)),
            AtomicKind::Done { once, kind } => Some(done(view, state, at, once, kind)),
            _ => Some(atomic(view, state, at, operation, location, orders)),
        },
        Operation::Fence { order } => {
            let order = short_order(order);
            let words = Words::plain("fence", format!(" {order}"));
            (!arc::is_last_drop(view, view.before_in_call(at)))
                .then_some(Words { order: Some(order), ..words })
        }
        Operation::Spawn { child } => {
            Some(Words::plain("spawn", format!(" {}", view.names.thread(child))))
        }
        Operation::Join { child } => {
            Some(Words::plain("join", format!(" {}", view.names.thread(child))))
        }
        Operation::Choose { what: Choice::Program, .. } => {
            Some(Words::plain("choose", format!(" = {}", line.result)))
        }
        Operation::Choose { .. } => None,
        Operation::Act { object, act } => acted(view, state, at, object, act),
    }
}

fn operand(rmw: Rmw) -> u64 {
    match rmw {
        Rmw::CompareExchange { new, .. } | Rmw::CompareExchangeWeak { new, .. } => new,
        Rmw::Lock => u64::MAX,
        Rmw::Unlock => 1,
        Rmw::Swap(value)
        | Rmw::Add(value)
        | Rmw::Sub(value)
        | Rmw::And(value)
        | Rmw::Nand(value)
        | Rmw::Or(value)
        | Rmw::Xor(value)
        | Rmw::Max(value)
        | Rmw::Min(value) => value,
    }
}

/// The count of the senders of a channel.
fn senders(operation: Operation, channel: LocationId) -> Words {
    let adds = operation.rmw().is_some_and(|rmw| matches!(rmw, Rmw::Add(_)));
    Words::on(channel, if adds { "clone sender" } else { "drop sender" }, "")
}

/// The flag that says whether a lock is poisoned.
fn poison(view: &View<'_>, state: &State, at: usize, lock: LocationId) -> Words {
    match view.step(at) {
        Some(Operation::Store { value: 0, .. }) => Words::on(lock, "clear_poison", ""),
        Some(Operation::Store { .. }) => Words::on(lock, "poison", ""),
        _ => {
            let reads = reads(view, state, view.line(at));
            Words { reads, is_load: true, ..Words::on(lock, "is_poisoned", "") }
        }
    }
}

/// A look whether something has been done once, or that it has been.
fn done(view: &View<'_>, state: &State, at: usize, once: LocationId, kind: OnceKind) -> Words {
    if let Some(Operation::Store { .. }) = view.step(at) {
        return Words::on(once, once_name(kind), ": done");
    }
    let name = if kind == OnceKind::Once { "is_completed" } else { "get" };
    let reads = reads(view, state, view.line(at));
    Words { reads, is_load: true, ..Words::on(once, name, "") }
}

/// An operation on an atomic.
fn atomic(
    view: &View<'_>,
    state: &State,
    at: usize,
    operation: Operation,
    location: LocationId,
    orders: bool,
) -> Words {
    let line = view.line(at);
    let show = |word| view.names.value(location, word);
    let short = line.order.map(short_order);
    let order = short.filter(|_| orders).map(|order| format!(" {order}")).unwrap_or_default();
    let exchanged = |current| match line.result {
        result if result != current => format!("found {}", show(result)),
        _ if line.written.is_none() => "fails spuriously".to_owned(),
        _ => "ok".to_owned(),
    };
    let (name, rest) = match operation {
        Operation::Store { value, .. } => {
            let overtaken = line.place.is_some_and(|place| state.is_overtaken(location, place));
            let newest = state.newest(location).filter(|_| overtaken);
            let before = newest
                .map(|newest| format!("\nbefore {} in modification order", show(newest.value)));
            ("store", format!("{order} {}{}", show(value), before.unwrap_or_default()))
        }
        Operation::Update { update, .. } => match update.rmw {
            Rmw::CompareExchange { current, new } | Rmw::CompareExchangeWeak { current, new } => {
                let operands = format!("({}, {})", show(current), show(new));
                (update_name(update), format!("{operands}{order}: {}", exchanged(current)))
            }
            rmw => {
                let written = line.written.map(show).unwrap_or_default();
                let operand = show(operand(rmw));
                let change = format!("{} -> {written}", show(line.result));
                (update_name(update), format!("({operand}){order}: {change}"))
            }
        },
        _ => ("load", order),
    };
    Words {
        order: short,
        reads: reads(view, state, line),
        is_load: matches!(operation, Operation::Load { .. }),
        ..Words::on(location, name, rest)
    }
}
