//! A step in words.

use crate::sync::checked::event::{Action, Event, Object, Trace, Value};

/// `load` and ` = 0`: the operation, and what came of it.
pub(super) fn words(trace: &Trace, event: &Event, orders: bool) -> (&'static str, String) {
    let show = |value: Value| show(trace, value);
    let order = |order: &'static str| if orders { format!(" {order}") } else { String::new() };
    let (operation, rest) = match &event.action {
        Action::Load { what, order: o, value, newest } if value == newest => {
            return (what, format!("{} = {}", order(o), show(*value)));
        }
        Action::Load { what, order: o, value, newest } => {
            let (value, newest) = (show(*value), show(*newest));
            return (what, format!("{}\nreads {value}, newest is {newest}", order(o)));
        }
        Action::Store { order: o, value } => {
            return ("store", format!("{} {}", order(o), show(*value)));
        }
        Action::Update { name, order: o, operand, before, after } => {
            let (operand, before, after) = (show(*operand), show(*before), show(*after));
            return (name, format!("({operand}){}: {before} -> {after}", order(o)));
        }
        Action::CompareExchange { order: o, expected, new, found } => {
            let verdict =
                if expected == found { "ok".to_owned() } else { format!("found {}", show(*found)) };
            let (expected, new) = (show(*expected), show(*new));
            let rest = format!("({expected}, {new}){}: {verdict}", order(o));
            return ("compare_exchange", rest);
        }
        Action::Count(count) => return ("strong_count", format!(" = {count}")),
        Action::Fence { order } => ("fence", *order),
        Action::Spawn(child) => ("spawn", &*trace.threads[*child]),
        Action::Join(child) => ("join", &*trace.threads[*child]),
        Action::Unpark(target) => ("unpark", &*trace.threads[*target]),
        Action::Panic(message) => return ("panics", format!(": {message}")),
        Action::Lock => ("lock", ""),
        Action::TryLock(true) => ("try_lock", ": ok"),
        Action::TryLock(false) => ("try_lock", ": would block"),
        Action::Unlock => ("unlock", ""),
        Action::Read | Action::CellRead => ("read", ""),
        Action::TryRead(true) => ("try_read", ": ok"),
        Action::TryRead(false) => ("try_read", ": would block"),
        Action::EndRead => ("end read", ""),
        Action::Write | Action::CellWrite => ("write", ""),
        Action::TryWrite(true) => ("try_write", ": ok"),
        Action::TryWrite(false) => ("try_write", ": would block"),
        Action::EndWrite => ("end write", ""),
        Action::Wait { .. } => ("wait", ""),
        Action::Woken(true) => ("woken", ""),
        Action::Woken(false) => ("wakes spuriously", ""),
        Action::NotifyOne => ("notify_one", ""),
        Action::NotifyAll => ("notify_all", ""),
        Action::Send(true) => ("send", ""),
        Action::Send(false) => ("send", ": failed"),
        Action::Receive(true) => ("recv", ""),
        Action::Receive(false) => ("recv", ": no message"),
        Action::CloseSender => ("drop sender", ""),
        Action::CloseReceiver => ("drop receiver", ""),
        Action::Clone => ("clone", ""),
        Action::Drop { last: true } => ("drop", " (the last)"),
        Action::Drop { last: false } => ("drop", ""),
        Action::Unique(true) => ("get_mut", ": ok"),
        Action::Unique(false) => ("get_mut", ": shared"),
        Action::Park { woken: true } => ("park", ""),
        Action::Park { woken: false } => ("park", ": returns spuriously"),
        Action::Yield => ("yield", ""),
        Action::End => ("ends", ""),
        // These are no steps.
        Action::Note(_) | Action::Gives(_) | Action::Takes(_) => ("", ""),
    };
    // Names of threads and orderings stand apart.
    let gap = if rest.starts_with([':', ' ']) || rest.is_empty() { "" } else { " " };
    (operation, format!("{gap}{rest}"))
}

/// `a1`, `m2`, …
pub(super) fn label(object: &Object) -> String {
    format!("{}{}", object.letter, object.ordinal)
}

pub(super) fn show(trace: &Trace, value: Value) -> String {
    match value {
        Value::Unsigned(value) => value.to_string(),
        Value::Signed(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Pointer(0) => "null".to_owned(),
        Value::Pointer(address) => format!("p{}", 1 + ordinal(trace, address)),
    }
}

/// The position of `address` among the pointers of the trace: addresses say nothing.
fn ordinal(trace: &Trace, address: usize) -> usize {
    let mut seen = Vec::new();
    for event in &trace.events {
        let values = match &event.action {
            Action::Load { value, newest, .. } => vec![*value, *newest],
            Action::Store { value, .. } => vec![*value],
            Action::Update { operand, before, after, .. } => vec![*operand, *before, *after],
            Action::CompareExchange { expected, new, found, .. } => vec![*expected, *new, *found],
            _ => continue,
        };
        for value in values {
            if let Value::Pointer(other) = value {
                if other != 0 && !seen.contains(&other) {
                    seen.push(other);
                }
            }
        }
    }
    seen.iter().position(|&other| other == address).unwrap_or(0)
}
