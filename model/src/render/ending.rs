//! What the ending of an execution means.

use std::fmt::Write as _;

use super::acts::act_name;
use super::names::{letter_and_kind, short_order};
use super::view::View;
use super::words::update_name;
use crate::engine::graph::{Action, Blocked, Bound, Ending, Execution, Line, Party, Text};
use crate::kernel::object::{CondvarAct, DeliveryAct, TokenAct};
use crate::kernel::{Access, Act, CellKind, LocationId, Made, Object, Operation, Site, ThreadId};
use crate::place::{file_and_line, in_program};

/// What the ending of `execution` means, in one sentence or two, without a word for its kind, such as
/// "data race".
pub fn describe(execution: &Execution<'_>) -> String {
    describe_where(execution, None)
}

/// The same. If the first thread is blocked, it is in `place`.
pub(crate) fn describe_where(execution: &Execution<'_>, place: Option<&str>) -> String {
    let view = View::of(execution);
    let name = |thread| view.names.thread(thread);
    match execution.ending() {
        Ending::Complete => "all threads ended".to_owned(),
        Ending::Panic { thread, message } => format!("{} panicked: {message}", name(*thread)),
        Ending::Deadlock(blocked) => deadlock(&view, blocked, place),
        Ending::Race { location, first, second, under_way: false } => {
            race(&view, *location, first, second)
        }
        Ending::Race { location, first, second, under_way: true } => {
            let label = view.names.label(*location);
            let (a, b) = (party(&view, first), party(&view, second));
            format!(
                "{label}: {a}, {b}, and the first access has not ended when the second takes place"
            )
        }
        Ending::UseAfterFree { location, freed, used } => {
            let label = view.names.label(*location);
            let (freed, used) = (party(&view, freed), party(&view, used));
            format!("{label}: {freed}, and {used} afterwards")
        }
        Ending::Nondeterministic { thread, before, now } => {
            let thread = name(*thread);
            let at = |&(site, location): &(Site, Option<LocationId>)| {
                let on = location.and_then(|location| named(&view, location));
                let on = on.map(|object| format!(" on {object}")).unwrap_or_default();
                format!("at {}{on}", file_and_line(site))
            };
            let does = match (before, now) {
                (Some(before), Some(now)) => {
                    format!(
                        "the step of {thread} was {} before, and is {} now",
                        at(before),
                        at(now)
                    )
                }
                (Some(before), None) => {
                    format!("{thread} took a step {} before, and ends without it now", at(before))
                }
                (None, now) => {
                    let now = now.as_ref().map(at).unwrap_or_default();
                    format!("{thread} ended before, and takes a step {now} now")
                }
            };
            format!("with the same choices, {does}{}", last_owner(execution))
        }
        Ending::OtherOutcome { before, now } => {
            let before = if before.is_empty() { "all threads ended" } else { before };
            let owner = last_owner(execution);
            format!("with the same steps, {before} came of it before, and {now} now{owner}")
        }
        Ending::Leak(made) => {
            let (memory, arcs): (Vec<_>, Vec<_>) = made.iter().partition(|maker| {
                let Action::Make(location) = maker.action else { return false };
                let made = view.execution.location(location);
                matches!(made, Some(Made::Cell(CellKind::Allocation | CellKind::InStdArc)))
            });
            let told = |what: &str, made: Vec<&Party>| {
                let sites = made.iter().map(|maker| file_and_line(maker.site));
                let sites: Vec<String> = sites.collect();
                (!sites.is_empty()).then(|| format!("{what} at {}", sites.join(" and ")))
            };
            let arcs = told("an Arc is never dropped: made", arcs).map(|told| {
                told + " (an owner may be forgotten, in a cycle, or with a thread of `std`, which the checker does not see)"
            });
            let memory = told("memory is never freed: allocated", memory);
            arcs.into_iter().chain(memory).collect::<Vec<_>>().join("; ")
        }
        Ending::Misuse(message) => message.clone(),
        Ending::Bounded(bound) => bounded(&view, bound),
        Ending::Stutter | Ending::Inconsistent | Ending::Again => "not an execution".to_owned(),
    }
}

/// What may be why a program does not do the same again.
fn last_owner(execution: &Execution<'_>) -> String {
    let owner = execution.last_owner();
    let says = |thread| {
        format!("; {} dropped the last owner of an Arc of std in one run", execution.name(thread))
    };
    owner.map(says).unwrap_or_default()
}

/// Of a thread that panicked because another one had, as it was told by a join or a scope: the name of that one, what
/// its panic says, and where it began.
pub(crate) fn cause_of(execution: &Execution<'_>, thread: ThreadId) -> Option<String> {
    let view = View::of(execution);
    let lines = &view.trace.lines;
    let panic_of = |thread| {
        let panics = |action| matches!(action, Action::Panic(_));
        let at = lines.iter().rposition(|line| line.thread == thread && panics(line.action))?;
        let Action::Panic(number) = lines[at].action else { return None };
        Some((at, execution.text(number)?))
    };
    let (at, own) = panic_of(thread)?;
    if !(own.text == "a scoped thread panicked" || own.text.ends_with("value: Any { .. }")) {
        return None;
    }
    let joined = lines[..at].iter().rev().find_map(|line| match line.action {
        Action::Step(
            Operation::Join { child }
            | Operation::Act { act: Act::Delivery(DeliveryAct::Await { child }), .. },
        ) if line.thread == thread => Some(child),
        _ => None,
    })?;
    let (_, Text { text, at: (file, line) }) = panic_of(joined)?;
    Some(format!("{} panicked: {text} (at {file}:{line})", view.names.thread(joined)))
}

/// `m1 (Mutex made at src/counter.rs:12)`; a lock in place of its contents.
fn named(view: &View<'_>, location: LocationId) -> Option<String> {
    let owner = view.owner(location);
    let (_, kind) = view.execution.location(owner).and_then(letter_and_kind)?;
    let (_, site) = view.execution.made(owner)?;
    Some(format!("{} ({kind} made{})", view.names.label(location), at(site)))
}

/// ` at src/counter.rs:120`, unless that is in the standard library.
fn at(site: Site) -> String {
    in_program(site.file(), site.line()).map(|place| format!(" at {place}")).unwrap_or_default()
}

fn bounded(view: &View<'_>, bound: &Bound) -> String {
    match *bound {
        Bound::Executions => "the limit of executions was reached".to_owned(),
        Bound::Steps { thread, site } => {
            let thread = view.names.thread(thread);
            format!("{thread} took as many steps as it may{}", at(site))
        }
        Bound::Turns { thread, site } => {
            let thread = view.names.thread(thread);
            format!("{thread} was stopped in a loop that has an effect{}", at(site))
        }
    }
}

fn race(view: &View<'_>, location: LocationId, first: &Party, second: &Party) -> String {
    let label = view.names.label(location);
    let (a, b) = (party(view, first), party(view, second));
    let mut text = format!("{label}: {a}, {b}, and no happens-before edge orders the two");
    let Some(missing) = view.execution.unsynchronised(&view.trace, first, second) else {
        return text;
    };
    let told = |number: usize| {
        let line = view.line(number);
        let order = line.order.map(short_order).unwrap_or_default();
        let (name, object) = match line.action {
            Action::Step(Operation::Update { location, update, .. }) => {
                (update_name(update), location)
            }
            Action::Step(Operation::Store { location, .. }) => ("store", location),
            Action::Step(Operation::Load { location, .. }) => ("load", location),
            _ => ("", location),
        };
        let thread = view.names.thread(line.thread);
        let step = view.names.on(Some(object), name);
        (name, format!("{thread}'s {step} {order}{}", at(line.site)))
    };
    let ((load, read), (store, write)) = (told(missing.read), told(missing.write));
    let release = format!("the {store} must release");
    let acquire = format!("the {load} must acquire");
    let needed = match (missing.releases, missing.acquires) {
        (false, false) => format!("{release} and {acquire}"),
        (false, true) => release,
        _ => acquire,
    };
    // Writing to a string cannot fail.
    let _ = write!(text, "; {read} reads from {write}, but they do not synchronise: {needed}");
    text
}

fn party(view: &View<'_>, party: &Party) -> String {
    let place = view.site(party.action, party.site).map_or_else(
        // A destructor does not know where it is called.
        || Some(at(party.site)).filter(|at| !at.is_empty()).map(|at| format!(" (made{at})")),
        |site| Some(at(site)),
    );
    let verb = match party.action {
        Action::Make(_) => "makes it".to_owned(),
        Action::Access(_, Access::Read) => "reads".to_owned(),
        Action::Access(_, Access::Write) => "writes".to_owned(),
        Action::Access(_, Access::Free) => "drops it".to_owned(),
        Action::Step(Operation::Load { order, .. }) => format!("loads {}", short_order(order)),
        Action::Step(Operation::Store { order, .. }) => format!("stores {}", short_order(order)),
        Action::Step(Operation::Update { update, success, .. }) => {
            format!("calls {} {}", update_name(update), short_order(success))
        }
        Action::Step(operation) => match operation_name(view, &operation) {
            (_, name) if name.is_empty() => "uses it".to_owned(),
            (_, name) => format!("calls {name}"),
        },
        Action::Access(_, Access::Use) | Action::Turn | Action::Panic(_) | Action::Note(_) => {
            "uses it".to_owned()
        }
    };
    format!("{} {verb}{}", view.names.thread(party.thread), place.unwrap_or_default())
}

fn deadlock(view: &View<'_>, blocked: &[Blocked], place: Option<&str>) -> String {
    let others = blocked.iter().any(|waiting| waiting.thread != 0);
    // The first thread joins the others, and is blocked because they are.
    let told = blocked.iter().filter(|waiting| {
        !(others && waiting.thread == 0 && matches!(waiting.operation, Operation::Join { .. }))
    });
    let told = told.map(|waiting| {
        let thread = view.names.thread(waiting.thread);
        let thread = place.filter(|_| waiting.thread == 0).unwrap_or(thread);
        let (object, operation) = waits_in(view, waiting);
        let step = view.names.on(object, &operation);
        let verb = match waiting {
            Blocked { spins: true, .. } => "waits in a loop, in",
            Blocked { until: true, .. } => "is blocked in wait_until, in",
            _ => "is blocked in",
        };
        let why = object
            .filter(|_| !waiting.spins && !waiting.until)
            .and_then(|object| held_by(view, object, waiting.thread));
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{thread} {verb} {step}{}{why}", at(waiting.site))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// What keeps a thread from going on.
fn held_by(view: &View<'_>, object: LocationId, thread: ThreadId) -> Option<String> {
    let name = |thread| view.names.thread(thread);
    let holder = |holder: ThreadId| match holder {
        own if own == thread => "held by itself".to_owned(),
        other => format!("held by {}", name(other)),
    };
    match view.execution.state(object)? {
        Object::Mutex(mutex) => mutex.holder().map(holder),
        Object::RwLock(lock) => {
            let reader = || -> Option<ThreadId> {
                let open = |end: &&LocationId| matches!(view.execution.state(**end), Some(Object::ReadEnd(end)) if !end.has_ended());
                lock.reads().iter().find(open).and_then(|&end| reader_of(view, end))
            };
            match (lock.writer().filter(|&writer| writer != thread), reader()) {
                (Some(writer), Some(_)) => Some(format!("{} waits to write", name(writer))),
                (writer, reader) => writer.or(reader).map(holder),
            }
        }
        Object::Condvar(_) => Some(match notified_too_early(view, object, thread) {
            Some(notify) => format!("not notified: {notify} came before the wait"),
            None => "not notified".to_owned(),
        }),
        _ => None,
    }
}

/// Of a thread that waits on a condition variable: the last notification, if it came before the wait.
fn notified_too_early(view: &View<'_>, condvar: LocationId, thread: ThreadId) -> Option<String> {
    let (notifies, _) = notification_and_wait(view, condvar, thread)?;
    let line = &view.trace.lines[notifies];
    let act = act_on(condvar, line)?;
    let step = view.names.on(Some(condvar), act_name(view, condvar, Act::Condvar(act)));
    Some(format!("{}'s {step}{}", view.names.thread(line.thread), at(line.site)))
}

/// The same: the lines of the notification and of the wait.
pub(super) fn notification_and_wait(
    view: &View<'_>,
    condvar: LocationId,
    thread: ThreadId,
) -> Option<(usize, usize)> {
    let mut waits = None;
    for (at, line) in view.trace.lines.iter().enumerate().rev() {
        match act_on(condvar, line) {
            Some(CondvarAct::NotifyOne | CondvarAct::NotifyAll) => return Some((at, waits?)),
            Some(CondvarAct::Enter) if line.thread == thread => waits = waits.or(Some(at)),
            _ => {}
        }
    }
    None
}

pub(super) fn act_on(condvar: LocationId, line: &Line) -> Option<CondvarAct> {
    match line.action {
        Action::Step(Operation::Act { object, act: Act::Condvar(act) }) if object == condvar => {
            Some(act)
        }
        _ => None,
    }
}

/// The thread that began the read which ends on `end`.
pub(super) fn reader_of(view: &View<'_>, end: LocationId) -> Option<ThreadId> {
    let begins = |operation| match operation {
        Operation::Act { act: Act::RwLock(act), .. } => act.begins_read() == Some(end),
        _ => false,
    };
    let mut lines = view.trace.lines.iter();
    let line = lines.find(|line| matches!(line.action, Action::Step(step) if begins(step)))?;
    Some(line.thread)
}

/// The object and the operation in which a thread is blocked.
pub(super) fn waits_in(view: &View<'_>, waiting: &Blocked) -> (Option<LocationId>, String) {
    let (object, name) = operation_name(view, &waiting.operation);
    let object = match waiting.operation {
        Operation::Act { object: end, act: Act::ReadEnd(_) } => lock_of(view, end),
        _ => object,
    };
    (object, name)
}

/// The lock of which a read ends on `end`.
fn lock_of(view: &View<'_>, end: LocationId) -> Option<LocationId> {
    view.trace.lines.iter().find_map(|line| match line.action {
        Action::Step(Operation::Act { object, act: Act::RwLock(act) })
            if act.begins_read() == Some(end) =>
        {
            Some(object)
        }
        _ => None,
    })
}

/// An operation that has not been completed, by the name of the method.
fn operation_name(view: &View<'_>, operation: &Operation) -> (Option<LocationId>, String) {
    let names = &view.names;
    let name = match *operation {
        Operation::Load { .. } => "load",
        Operation::Store { .. } => "store",
        Operation::Update { update, .. } => update_name(update),
        Operation::Fence { .. } => "fence",
        Operation::Spawn { child } => return (None, format!("spawn {}", names.thread(child))),
        Operation::Join { child }
        | Operation::Act { act: Act::Delivery(DeliveryAct::Await { child }), .. } => {
            return (None, format!("join {}", names.thread(child)));
        }
        Operation::Act { act: Act::Delivery(DeliveryAct::Look { child }), .. } => {
            return (None, format!("is_finished {}", names.thread(child)));
        }
        Operation::Choose { .. } => "choose",
        Operation::Act { act: act @ Act::Token(token), object } => {
            let name = act_name(view, object, act);
            let Some(thread) = names.of_token(object) else {
                return (Some(object), name.to_owned());
            };
            let unparks = token == TokenAct::Unpark;
            return (None, if unparks { format!("{name} {thread}") } else { name.to_owned() });
        }
        Operation::Act { act, object } => act_name(view, object, act),
    };
    (operation.location(), name.to_owned())
}
