//! Messages without a bound: a queue that numbers them, and an object for each, which its sender puts there and its
//! receiver waits for. So a `send` and a `recv` are ordered only if the one waits for the other.
//!
//! A `recv` happens after the `send` of its message, and the drop of the receiver, which drops the messages that are
//! left, after their sends. An error happens after nothing: see [`Channel`](super::Channel).

use super::channel::{CLOSED, EMPTY, FIRST_MESSAGE};
use super::{Clock, Edges, LocationId, ThreadId};

/// Which messages have been sent.
///
/// An attempt to receive looks at the message first. If it is there it is taken, whatever was sent meanwhile. Otherwise the
/// queue must say that it was not sent either. Between the two steps of a `send` it was sent and is not there: in `std` the
/// attempt waits until it is. Here it goes no further, and the execution is infeasible: in another one, of the same outcome, the
/// attempt comes after the second step, for nothing lies between the two, and nothing depends on the attempt before it returns.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    sent: u64,
    /// What happened before the sends.
    sends: Clock,
    /// Every sender was dropped.
    closed: bool,
    has_no_receiver: bool,
}

/// An operation on a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueAct {
    /// Returns [`CLOSED`], or the number of the message that the sender is to put there.
    Send,
    /// Returns [`EMPTY`], after [`MessageAct::TryReceive`] did. It is enabled until the message is sent, or every
    /// sender was dropped.
    TryReceive {
        /// How many messages were received before.
        message: u64,
    },
    /// The same, after [`MessageAct::ReceiveInTime`].
    ReceiveInTime {
        /// How many messages were received before.
        message: u64,
    },
    /// No sender any more. Returns how many messages were sent.
    Close,
    /// No receiver any more.
    DropReceiver,
}

impl QueueAct {
    /// A message that was sent; not an attempt that failed.
    pub(super) fn has_lasting_effect(self, result: u64) -> bool {
        match self {
            Self::Send => result >= FIRST_MESSAGE,
            Self::TryReceive { .. } | Self::ReceiveInTime { .. } => false,
            Self::Close | Self::DropReceiver => true,
        }
    }
}

impl Queue {
    pub(super) fn enabled(&self, act: QueueAct, _: ThreadId) -> bool {
        match act {
            QueueAct::TryReceive { message } | QueueAct::ReceiveInTime { message } => {
                message == self.sent && !self.closed
            }
            _ => true,
        }
    }

    pub(super) fn apply(&mut self, act: QueueAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match act {
            QueueAct::Send if self.has_no_receiver => CLOSED,
            QueueAct::Send => {
                self.sent += 1;
                self.sends.join(&edges.release());
                FIRST_MESSAGE + self.sent - 1
            }
            QueueAct::TryReceive { .. } | QueueAct::ReceiveInTime { .. } => EMPTY,
            QueueAct::Close => {
                self.closed = true;
                self.sent
            }
            QueueAct::DropReceiver => {
                self.has_no_receiver = true;
                edges.acquire(&self.sends);
                0
            }
        }
    }
}

/// One message of a queue, or that there is none, nor will be.
#[derive(Debug, Clone)]
pub struct Message {
    queue: LocationId,
    /// What a receiver is told, and what it acquires.
    put: Option<(u64, Clock)>,
}

/// An operation on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageAct {
    /// The sender puts it there.
    Put {
        /// Its number.
        message: u64,
    },
    /// There will be none: every sender was dropped.
    Close,
    /// Blocks until it is there, and returns it; or [`CLOSED`], if there will be none.
    Receive,
    /// The same, or [`EMPTY`] if it is not there.
    TryReceive,
    /// The same, of a `recv` with a limit.
    ReceiveInTime,
}

impl MessageAct {
    /// Not the error of a `recv`.
    pub(super) fn has_lasting_effect(self, result: u64) -> bool {
        matches!(self, Self::Put { .. } | Self::Close) || result >= FIRST_MESSAGE
    }
}

impl Message {
    /// A message that is not there yet.
    pub fn of(queue: LocationId) -> Self {
        Self { queue, put: None }
    }

    /// The queue that it is a message of.
    pub fn queue(&self) -> LocationId {
        self.queue
    }

    pub(super) fn enabled(&self, act: MessageAct, _: ThreadId) -> bool {
        act != MessageAct::Receive || self.put.is_some()
    }

    pub(super) fn apply(&mut self, act: MessageAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match (act, &self.put) {
            (MessageAct::Put { message }, _) => {
                self.put = Some((FIRST_MESSAGE + message, edges.release()));
            }
            (MessageAct::Close, _) => self.put = Some((CLOSED, Clock::default())),
            (_, Some((result, put))) => {
                edges.acquire(put);
                return *result;
            }
            (_, None) => return EMPTY,
        }
        0
    }
}
