//! The operations on locks, condition variables, channels and other objects, in words.

use super::state::State;
use super::view::View;
use super::words::Words;
use crate::kernel::object::{
    BarrierAct, CLAIMED, CLAIMED_AGAIN, CLOSED, ChannelAct, CondvarAct, DONE, DeliveryAct, EMPTY,
    FULL, MAY_TAKE, MessageAct, MutexAct, OnceAct, OnceKind, POISONED_ONCE, QueueAct, ReadEndAct,
    RwLockAct, TokenAct, acquired,
};
use crate::kernel::{Act, Choice, LocationId, Made, Object, Operation};

/// The method that takes an act.
pub(super) fn act_name(view: &View<'_>, object: LocationId, act: Act) -> &'static str {
    match act {
        Act::Mutex(act) => match act {
            MutexAct::Lock => "lock",
            MutexAct::TryLock => "try_lock",
            MutexAct::Unlock { .. } => "unlock",
        },
        Act::RwLock(act) => match act {
            RwLockAct::Read { .. } => "read",
            RwLockAct::TryRead { .. } => "try_read",
            RwLockAct::Write => "write",
            RwLockAct::TryWrite | RwLockAct::TryWriteAfter { .. } => "try_write",
            RwLockAct::EndWrite { .. } => "end write",
            RwLockAct::Downgrade { .. } => "downgrade",
        },
        Act::ReadEnd(ReadEndAct::End) => "end read",
        Act::ReadEnd(ReadEndAct::Await) => "write",
        Act::ReadEnd(ReadEndAct::HasEnded) => "try_write",
        Act::Condvar(CondvarAct::NotifyOne) => "notify_one",
        Act::Condvar(CondvarAct::NotifyAll) => "notify_all",
        Act::Condvar(_) | Act::Barrier(_) | Act::Once(OnceAct::Wait { .. }) => "wait",
        Act::Channel(act) => match act {
            ChannelAct::Send | ChannelAct::Delivered { .. } => "send",
            ChannelAct::TrySend => "try_send",
            ChannelAct::BeginReceive | ChannelAct::Receive => "recv",
            ChannelAct::TryReceive => "try_recv",
            ChannelAct::ReceiveInTime => "recv_timeout",
            ChannelAct::Close => "close",
            ChannelAct::DropReceiver => "drop receiver",
        },
        Act::Queue(act) => match act {
            QueueAct::Send => "send",
            QueueAct::TryReceive { .. } => "try_recv",
            QueueAct::ReceiveInTime { .. } => "recv_timeout",
            QueueAct::Close => "close",
            QueueAct::DropReceiver => "drop receiver",
        },
        Act::Message(act) => match act {
            MessageAct::Put { .. } => "send",
            MessageAct::Close => "close",
            MessageAct::Receive => "recv",
            MessageAct::TryReceive => "try_recv",
            MessageAct::ReceiveInTime => "recv_timeout",
        },
        Act::Once(_) => once_name(once_kind(view, object)),
        Act::Token(act) => match (act, view.names.of_token(object)) {
            (TokenAct::Unpark, None) => "notify",
            (_, None) => "wait",
            (TokenAct::Unpark, Some(_)) => "unpark",
            (TokenAct::Park, Some(_)) => "park",
            (TokenAct::TakeIfThere, Some(_)) => "park_timeout",
        },
        Act::Delivery(DeliveryAct::Look { .. }) => "is_finished",
        Act::Delivery(_) => "join",
    }
}

/// An act on an object.
pub(super) fn acted(
    view: &View<'_>,
    state: &State,
    at: usize,
    object: LocationId,
    act: Act,
) -> Option<Words> {
    let line = view.line(at);
    let result = match act {
        Act::Mutex(act) => match act {
            MutexAct::Lock => "",
            MutexAct::TryLock => tried(line.result),
            MutexAct::Unlock { .. } => return Some(unlock(view, at, object)),
        },
        Act::RwLock(act) => match act {
            RwLockAct::Write if state.is_read(object) => ": waits for readers",
            RwLockAct::TryWrite if line.result == acquired::HAS_READS => return None,
            RwLockAct::TryWriteAfter { .. } if line.result == acquired::WOULD_BLOCK => return None,
            RwLockAct::TryRead { .. } | RwLockAct::TryWrite | RwLockAct::TryWriteAfter { .. } => {
                tried(line.result)
            }
            RwLockAct::Read { .. }
            | RwLockAct::Write
            | RwLockAct::EndWrite { .. }
            | RwLockAct::Downgrade { .. } => "",
        },
        Act::ReadEnd(end) => {
            let (lock, _) = state.read(object)?;
            let result = match end {
                ReadEndAct::End => "",
                ReadEndAct::Await
                    if state.is_waiting_writer(lock, line.thread) && !awaits_more(view, at) =>
                {
                    ""
                }
                ReadEndAct::HasEnded if line.result == 0 => ": would block",
                _ => return None,
            };
            return Some(Words::on(lock, act_name(view, lock, act), result));
        }
        Act::Condvar(act) => return condvar(view, state, at, object, act),
        Act::Channel(act) => match (act, line.result) {
            // The drop of the last sender.
            (ChannelAct::BeginReceive | ChannelAct::Close, _) => return None,
            (ChannelAct::DropReceiver, _) => "",
            (ChannelAct::Delivered { .. }, 0) | (_, CLOSED) => ": disconnected",
            (ChannelAct::Delivered { .. }, _) => ": received",
            (ChannelAct::TrySend, FULL) => ": full",
            (ChannelAct::TryReceive, EMPTY) => ": empty",
            (ChannelAct::ReceiveInTime, EMPTY) => ": times out",
            (ChannelAct::TrySend | ChannelAct::TryReceive, _) => ": ok",
            (ChannelAct::Send | ChannelAct::Receive | ChannelAct::ReceiveInTime, _) => "",
        },
        Act::Queue(act) => match (act, line.result) {
            (QueueAct::Close, _) => return None,
            (QueueAct::DropReceiver, _) => "",
            (_, CLOSED) => ": disconnected",
            (QueueAct::TryReceive { .. }, EMPTY) => ": empty",
            (QueueAct::ReceiveInTime { .. }, EMPTY) => ": times out",
            _ => "",
        },
        Act::Message(act) => match (act, line.result) {
            // The queue says so.
            (MessageAct::Put { .. } | MessageAct::Close, _) | (_, EMPTY) => return None,
            (_, CLOSED) => ": disconnected",
            (MessageAct::TryReceive, _) => ": ok",
            (MessageAct::Receive | MessageAct::ReceiveInTime, _) => "",
        },
        Act::Once(act) => match act {
            OnceAct::Wait { .. } if line.result == POISONED_ONCE => ": poisoned",
            OnceAct::Wait { .. } => "",
            OnceAct::Begin { .. } => match line.result {
                CLAIMED | CLAIMED_AGAIN => ": begins",
                DONE => ": done before",
                _ => ": poisoned",
            },
            // The atomic says so.
            OnceAct::Finish { done: true, .. } => return None,
            OnceAct::Finish { done: false, .. } => ": fails",
        },
        Act::Barrier(BarrierAct::Arrive) if line.result % 2 == 1 => ": leader",
        Act::Barrier(BarrierAct::Arrive) => ": arrives",
        Act::Barrier(BarrierAct::Leave { .. }) => ": released",
        Act::Token(act) => return Some(token(view, at, object, act)),
        Act::Delivery(DeliveryAct::Deliver) => return None,
        Act::Delivery(DeliveryAct::Await { child }) => {
            return Some(Words::plain("join", format!(" {}", view.names.thread(child))));
        }
        Act::Delivery(DeliveryAct::Look { child }) => {
            let found = format!(" {}{}", view.names.thread(child), truth(line.result));
            return Some(Words::plain("is_finished", found));
        }
    };
    Some(Words::on(object, act_name(view, object, act), result))
}

fn tried(result: u64) -> &'static str {
    if result == acquired::WOULD_BLOCK { ": would block" } else { ": ok" }
}

fn truth(result: u64) -> &'static str {
    if result == 1 { " = true" } else { " = false" }
}

/// Whether the thread awaits the end of another read after line `at`.
pub(super) fn awaits_more(view: &View<'_>, at: usize) -> bool {
    let next = view.after_in_call(at).and_then(|next| view.step(next));
    matches!(next, Some(Operation::Act { act: Act::ReadEnd(ReadEndAct::Await), .. }))
}

/// The condition variable on which the thread begins to wait in line `at`.
fn enters(view: &View<'_>, at: usize) -> Option<LocationId> {
    match view.step(at)? {
        Operation::Act { object, act: Act::Condvar(CondvarAct::Enter) } => Some(object),
        _ => None,
    }
}

fn unlock(view: &View<'_>, at: usize, mutex: LocationId) -> Words {
    // A wait is told as one step if it is one in this order.
    let waits = at.checked_sub(1).filter(|&before| view.before(at) == Some(before));
    let condvar = waits.and_then(|before| Some((before, enters(view, before)?)));
    match condvar {
        Some((before, condvar)) => {
            let rest = format!(": releases {}", view.names.label(mutex));
            let site = view.line(before).site;
            let at = crate::place::in_program(site.file(), site.line());
            Words { at, ..Words::on(condvar, "wait", rest) }
        }
        None => Words::on(mutex, "unlock", ""),
    }
}

fn condvar(
    view: &View<'_>,
    state: &State,
    at: usize,
    object: LocationId,
    act: CondvarAct,
) -> Option<Words> {
    let result = view.line(at).result;
    let spurious = |at| view.choice(at) == Some((Choice::SpuriousWakeUp, 1));
    let (operation, rest) = match act {
        // The unlock that follows tells of both.
        CondvarAct::Enter if view.after(at) == Some(at + 1) => return None,
        CondvarAct::Enter => ("wait", ""),
        CondvarAct::Wake => ("wait", ": woken"),
        CondvarAct::Leave if result == MAY_TAKE => return None,
        _ if matches!(act, CondvarAct::NotifyOne | CondvarAct::NotifyAll) => {
            let one = act == CondvarAct::NotifyOne;
            let waits = state.is_waited_on(object);
            let rest = if waits { "" } else { ": no thread waits" };
            (if one { "notify_one" } else { "notify_all" }, rest)
        }
        _ if result == 1 => ("wait", ": woken"),
        _ if spurious(view.before_in_call(at)) || spurious(view.after_in_call(at)) => {
            ("wait", ": wakes spuriously")
        }
        _ => ("wait", ": times out"),
    };
    Some(Words::on(object, operation, rest))
}

fn once_kind(view: &View<'_>, object: LocationId) -> OnceKind {
    match view.execution.location(object) {
        Some(Made::Object(Object::Once(once))) => once.kind(),
        _ => OnceKind::Once,
    }
}

/// What does it.
pub(super) fn once_name(kind: OnceKind) -> &'static str {
    match kind {
        OnceKind::Once => "call_once",
        OnceKind::OnceLock => "init",
        OnceKind::LazyLock => "force",
    }
}

fn token(view: &View<'_>, at: usize, object: LocationId, act: TokenAct) -> Words {
    let taken = view.line(at).result == 1;
    let spurious = view.choice(view.before_in_call(at)) == Some((Choice::SpuriousWakeUp, 1));
    let name = act_name(view, object, act.into());
    let Some(thread) = view.names.of_token(object) else {
        let result = match act {
            TokenAct::Unpark => "",
            TokenAct::TakeIfThere if !taken && spurious => ": returns spuriously",
            TokenAct::TakeIfThere if !taken => ": notified by itself",
            _ => ": notified",
        };
        return Words::on(object, name, result);
    };
    match act {
        TokenAct::Unpark => Words::plain(name, format!(" {thread}")),
        TokenAct::TakeIfThere if spurious => {
            Words::plain("park", if taken { "" } else { ": returns spuriously" })
        }
        TokenAct::TakeIfThere if !taken => Words::plain(name, ": times out"),
        TokenAct::Park | TokenAct::TakeIfThere => Words::plain(name, ""),
    }
}
