//! The kind of bug that an execution surely shows, where the failure alone does not name it.

use super::ending::{act_on, notification_and_wait, reader_of, waits_in};
use super::view::View;
use crate::engine::graph::{Action, Blocked, Ending, Execution, Party, Source};
use crate::kernel::object::ReadEndAct;
use crate::kernel::{Access, Act, CellKind, LocationId, Made, Object, Operation, ThreadId};

/// The kind of bug that `execution` shows, in a sentence with its term in the glossary; `None` if it is not certain.
pub(crate) fn kind(execution: &Execution<'_>) -> Option<&'static str> {
    match execution.ending() {
        Ending::Race { location, first: a, second: b, .. }
        | Ending::UseAfterFree { location, freed: a, used: b } => {
            let memory = matches!(execution.location(*location)?, Made::Cell(CellKind::Allocation));
            let frees = |party: &Party| matches!(party.action, Action::Access(_, Access::Free));
            (memory && frees(a) && frees(b)).then_some("It is a double free.")
        }
        // A panic is the failure, and the others wait for the thread.
        Ending::Deadlock(blocked) if execution.panic().is_none() => {
            let view = View::of(execution);
            let of = |waiting| cycle(&view, blocked, waiting).or_else(|| lost(&view, waiting));
            blocked.iter().find_map(of)
        }
        _ => None,
    }
}

/// Whether `waiting` waits for itself, by locks.
fn cycle(view: &View<'_>, blocked: &[Blocked], waiting: &Blocked) -> Option<&'static str> {
    let reads = |waits: &Blocked| match waits.operation {
        Operation::Act { act: Act::RwLock(act), .. } => act.begins_read().is_some(),
        _ => false,
    };
    let (first, mut next) = lock_awaited(view, waiting)?;
    let (mut locks, mut one_reads) = (vec![first], reads(waiting));
    while next != waiting.thread {
        let waits = blocked.iter().find(|waiting| waiting.thread == next)?;
        let (lock, holder) = lock_awaited(view, waits)?;
        if locks.len() == blocked.len() {
            // The cycle is of others.
            return None;
        }
        locks.push(lock);
        one_reads |= reads(waits);
        next = holder;
    }
    Some(if !locks.iter().all(|lock| *lock == first) {
        "It is a lock-order inversion: the threads take these locks in different orders, and wait in a cycle."
    } else if one_reads && locks.len() > 1 {
        "It is a recursive read: a thread takes a read lock again that it holds, and a writer waits in between."
    } else {
        // With others in the cycle, one that wants to write what it reads.
        "It is a self-deadlock: a thread waits for a lock that it holds."
    })
}

/// The lock that a thread is blocked in, and the thread that it waits for there.
fn lock_awaited(view: &View<'_>, waiting: &Blocked) -> Option<(LocationId, ThreadId)> {
    let (object, _) = waits_in(view, waiting);
    let lock = object?;
    let thread = match (waiting.operation, view.execution.state(lock)?) {
        (Operation::Act { act: Act::Mutex(_), .. }, Object::Mutex(mutex)) => mutex.holder()?,
        (Operation::Act { act: Act::RwLock(_), .. }, Object::RwLock(lock)) => lock.writer()?,
        (Operation::Act { object: end, act: Act::ReadEnd(ReadEndAct::Await) }, _) => {
            reader_of(view, end)?
        }
        _ => return None,
    };
    Some((lock, thread))
}

/// Whether `waiting` is blocked in a condition variable that another thread notified after it had changed what
/// `waiting` checked last, and before `waiting` waited.
fn lost(view: &View<'_>, waiting: &Blocked) -> Option<&'static str> {
    let (Some(condvar), false, false) = (waits_in(view, waiting).0, waiting.spins, waiting.until)
    else {
        return None;
    };
    // The last one: no other thread was notified in place of this one.
    let (notifies, enters) = notification_and_wait(view, condvar, waiting.thread)?;
    let lines = &view.trace.lines;
    let own = lines[..enters].iter().rev().filter(|line| line.thread == waiting.thread);
    let since = own.take_while(|line| act_on(condvar, line).is_none());
    let mut reads = since.filter_map(|line| match (line.action, line.source?) {
        (Action::Step(Operation::Load { location, .. }), source) => Some((location, source)),
        _ => None,
    });
    let (location, source) = reads.next()?;
    let read = match source {
        Source::Initial => None,
        Source::Line(write) => lines[write].place,
    };
    // Whether it changed that, by a write that comes later in modification order.
    let changes = |at: usize| {
        let Action::Step(step) = lines[at].action else { return false };
        step.location() == Some(location) && lines[at].written.is_some() && lines[at].place > read
    };
    let by = lines[notifies].thread;
    let is_lost = (0..notifies).any(|at| lines[at].thread == by && changes(at));
    is_lost.then_some(
        "It is a lost wake-up: the notification comes after the check, and before the wait.",
    )
}
