//! The operations on locks, condition variables, channels and other objects, in words.

use super::state::State;
use super::view::View;
use super::words::Words;
use crate::kernel::object::{
    BarrierAct, CLAIMED, CLAIMED_AGAIN, CLOSED, ChannelAct, CondvarAct, DONE, DeliveryAct, EMPTY,
    FULL, MAY_TAKE, MutexAct, OnceAct, OnceKind, POISONED_ONCE, ReadEndAct, RwLockAct, TokenAct,
    acquired,
};
use crate::kernel::{Act, Choice, LocationId, Made, Object, Operation};

/// An act on an object.
pub(super) fn acted(
    view: &View<'_>,
    state: &State,
    at: usize,
    object: LocationId,
    act: Act,
) -> Option<Words> {
    let line = view.line(at);
    let on = |operation, rest: &str| Some(Words::on(object, operation, rest));
    let (operation, rest) = match act {
        Act::Mutex(act) => match act {
            MutexAct::Lock => ("lock", ""),
            MutexAct::TryLock => ("try_lock", tried(line.result)),
            MutexAct::Unlock { .. } => return Some(unlock(view, at, object)),
        },
        Act::RwLock(act) => match act {
            RwLockAct::Read { .. } => ("read", ""),
            RwLockAct::TryRead { .. } => ("try_read", tried(line.result)),
            RwLockAct::Write if state.is_read(object) => ("write", ": waits for readers"),
            RwLockAct::Write => ("write", ""),
            RwLockAct::TryWrite if line.result == acquired::HAS_READS => return None,
            RwLockAct::TryWriteAfter { .. } if line.result == acquired::WOULD_BLOCK => return None,
            RwLockAct::TryWrite | RwLockAct::TryWriteAfter { .. } => {
                ("try_write", tried(line.result))
            }
            RwLockAct::EndWrite { .. } => ("end write", ""),
            RwLockAct::Downgrade { .. } => ("downgrade", ""),
        },
        Act::ReadEnd(act) => {
            let (lock, _) = state.read(object)?;
            let operation = match act {
                ReadEndAct::End => "end read",
                ReadEndAct::Await
                    if state.is_waiting_writer(lock, line.thread) && !awaits_more(view, at) =>
                {
                    "write"
                }
                ReadEndAct::HasEnded if line.result == 0 => {
                    return Some(Words::on(lock, "try_write", ": would block"));
                }
                _ => return None,
            };
            return Some(Words::on(lock, operation, ""));
        }
        Act::Condvar(act) => return condvar(view, state, at, object, act),
        Act::Channel(act) => match act {
            ChannelAct::Send if line.result == CLOSED => ("send", ": disconnected"),
            ChannelAct::Send => ("send", ""),
            ChannelAct::Delivered { .. } if line.result == 0 => ("send", ": disconnected"),
            ChannelAct::Delivered { .. } => ("send", ": received"),
            ChannelAct::TrySend => match line.result {
                CLOSED => ("try_send", ": disconnected"),
                FULL => ("try_send", ": full"),
                _ => ("try_send", ": ok"),
            },
            ChannelAct::BeginReceive => return None,
            ChannelAct::Receive if line.result == CLOSED => ("recv", ": disconnected"),
            ChannelAct::Receive => ("recv", ""),
            ChannelAct::TryReceive => match line.result {
                CLOSED => ("try_recv", ": disconnected"),
                EMPTY => ("try_recv", ": empty"),
                _ => ("try_recv", ": ok"),
            },
            ChannelAct::ReceiveInTime => match line.result {
                CLOSED => ("recv_timeout", ": disconnected"),
                EMPTY => ("recv_timeout", ": times out"),
                _ => ("recv_timeout", ""),
            },
            ChannelAct::AddSender => ("clone sender", ""),
            ChannelAct::DropSender => ("drop sender", ""),
            ChannelAct::DropReceiver => ("drop receiver", ""),
        },
        Act::Once(act) => return once(view, object, act, line.result),
        Act::Barrier(BarrierAct::Arrive) if line.result % 2 == 1 => ("wait", ": leader"),
        Act::Barrier(BarrierAct::Arrive) => ("wait", ": arrives"),
        Act::Barrier(BarrierAct::Leave { .. }) => ("wait", ": released"),
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
    on(operation, rest)
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

pub(super) fn once_kind(view: &View<'_>, object: LocationId) -> OnceKind {
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

/// That it has been done is said by the atomic.
fn once(view: &View<'_>, object: LocationId, act: OnceAct, result: u64) -> Option<Words> {
    let name = once_name(once_kind(view, object));
    Some(match act {
        OnceAct::Wait { .. } if result == POISONED_ONCE => Words::on(object, "wait", ": poisoned"),
        OnceAct::Wait { .. } => Words::on(object, "wait", ""),
        OnceAct::Begin { .. } => match result {
            CLAIMED | CLAIMED_AGAIN => Words::on(object, name, ": begins"),
            DONE => Words::on(object, name, ": done before"),
            _ => Words::on(object, name, ": poisoned"),
        },
        OnceAct::Finish { done: true, .. } => return None,
        OnceAct::Finish { done: false, .. } => Words::on(object, name, ": fails"),
    })
}

fn token(view: &View<'_>, at: usize, object: LocationId, act: TokenAct) -> Words {
    let taken = view.line(at).result == 1;
    let spurious = view.choice(view.before_in_call(at)) == Some((Choice::SpuriousWakeUp, 1));
    let Some(thread) = view.names.of_token(object) else {
        return match act {
            TokenAct::Unpark => Words::on(object, "notify", ""),
            TokenAct::TakeIfThere if !taken && spurious => {
                Words::on(object, "wait", ": returns spuriously")
            }
            TokenAct::TakeIfThere if !taken => Words::on(object, "wait", ": notified by itself"),
            _ => Words::on(object, "wait", ": notified"),
        };
    };
    let (operation, rest) = match act {
        TokenAct::Unpark => return Words::plain("unpark", format!(" {thread}")),
        TokenAct::Park => ("park", ""),
        TokenAct::TakeIfThere if spurious => {
            ("park", if taken { "" } else { ": returns spuriously" })
        }
        TokenAct::TakeIfThere => ("park_timeout", if taken { "" } else { ": times out" }),
    };
    Words::plain(operation, rest)
}
