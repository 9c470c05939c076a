//! Messages with a bound, first in first out.
//!
//! A message is a number here; what it stands for lies outside the state. A `recv` happens after the
//! `send` of its message; a `send` that reuses a slot of a bounded channel after the `recv` that
//! emptied it; a `try_send` with bound 0 after the beginning of the `recv` that it meets, as in `std`,
//! where both hold one mutex; and the drop of the receiver, which drops the messages that are left, after
//! their sends. An error happens after nothing: `std` does not promise that who is told that the other side is gone
//! knows what was done before, and finds most of it out by relaxed loads.

use std::collections::VecDeque;

use super::{Clock, Edges, ThreadId};

/// The other end is gone.
pub const CLOSED: u64 = 0;
/// There is no message, but there may be one later.
pub const EMPTY: u64 = 1;
/// There is no room.
pub const FULL: u64 = 1;
/// The result of an operation on message 0; on message `n` it is greater by `n`.
pub const FIRST_MESSAGE: u64 = 2;

/// The state of a channel.
#[derive(Debug, Clone)]
pub struct Channel {
    /// How many messages it holds at most; 0: a sender waits until its message is received.
    bound: usize,
    queue: VecDeque<(u64, Clock)>,
    sent: u64,
    /// The messages received, and their receives, of which no sender has been told.
    emptied: VecDeque<(u64, Clock)>,
    /// Every sender was dropped.
    closed: bool,
    has_receiver: bool,
    /// Bound 0: a thread blocks in `recv`, and what happened before.
    receiving: Option<Clock>,
}

/// An operation on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelAct {
    /// Blocks while the channel is full; returns [`CLOSED`] or the message. With bound 0 the message
    /// is only offered.
    Send,
    /// Bound 0, after `Send`: blocks until the message is received (1) or the receiver gone (0).
    Delivered {
        /// The message.
        message: u64,
    },
    /// Returns [`CLOSED`], [`FULL`] or the message.
    TrySend,
    /// Bound 0: a `recv` begins, which a `try_send` can meet.
    BeginReceive,
    /// Blocks until there is a message; returns it or [`CLOSED`].
    Receive,
    /// Returns [`CLOSED`], [`EMPTY`] or a message.
    TryReceive,
    /// The same, of a `recv` with a limit: time is up if there is no message.
    ReceiveInTime,
    /// No sender any more.
    Close,
    /// No receiver any more.
    DropReceiver,
}

impl ChannelAct {
    /// A message that was sent or received; not an attempt that failed.
    pub(super) fn has_lasting_effect(self, result: u64) -> bool {
        match self {
            Self::Send | Self::TrySend | Self::Receive | Self::TryReceive | Self::ReceiveInTime => {
                result >= FIRST_MESSAGE
            }
            Self::BeginReceive => false,
            Self::Delivered { .. } | Self::Close | Self::DropReceiver => true,
        }
    }
}

impl Channel {
    /// An empty channel with both ends.
    pub fn new(bound: usize) -> Self {
        Self {
            bound,
            queue: VecDeque::new(),
            sent: 0,
            emptied: VecDeque::new(),
            closed: false,
            has_receiver: true,
            receiving: None,
        }
    }

    fn full(&self) -> bool {
        self.bound > 0 && self.queue.len() >= self.bound
    }

    fn offered(&self, message: u64) -> bool {
        self.queue.iter().any(|&(other, _)| other == message)
    }

    pub(super) fn enabled(&self, act: ChannelAct, _: ThreadId) -> bool {
        match act {
            ChannelAct::Send => !self.has_receiver || !self.full(),
            ChannelAct::Delivered { message } => !self.has_receiver || !self.offered(message),
            ChannelAct::Receive => !self.queue.is_empty() || self.closed,
            _ => true,
        }
    }

    pub(super) fn apply(&mut self, act: ChannelAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match act {
            ChannelAct::Send | ChannelAct::TrySend if !self.has_receiver => return CLOSED,
            ChannelAct::TrySend if self.full() => return FULL,
            ChannelAct::TrySend
                if self.bound == 0 && (self.receiving.is_none() || !self.queue.is_empty()) =>
            {
                return FULL;
            }
            ChannelAct::Send | ChannelAct::TrySend => {
                if let Some(began) = self.receiving.as_ref().filter(|_| act == ChannelAct::TrySend)
                {
                    edges.acquire(began);
                }
                let message = self.sent;
                self.sent += 1;
                if self.bound > 0
                    && message >= self.bound as u64
                    && let Some((_, emptied)) = self.emptied.pop_front()
                {
                    edges.acquire(&emptied);
                }
                self.queue.push_back((message, edges.release()));
                return FIRST_MESSAGE + message;
            }
            ChannelAct::Delivered { message } => {
                let delivered = !self.offered(message);
                self.queue.retain(|&(other, _)| other != message);
                if delivered {
                    let received = self.emptied.iter().find(|&&(other, _)| other == message);
                    if let Some((_, received)) = received {
                        edges.acquire(received);
                    }
                }
                return u64::from(delivered);
            }
            ChannelAct::BeginReceive => self.receiving = Some(edges.release()),
            ChannelAct::Receive | ChannelAct::TryReceive | ChannelAct::ReceiveInTime => {
                self.receiving = None;
                if let Some((message, sent)) = self.queue.pop_front() {
                    edges.acquire(&sent);
                    self.emptied.push_back((message, edges.release()));
                    return FIRST_MESSAGE + message;
                }
                return if self.closed { CLOSED } else { EMPTY };
            }
            ChannelAct::Close => self.closed = true,
            ChannelAct::DropReceiver => {
                self.has_receiver = false;
                if self.bound != 0 {
                    self.queue.iter().for_each(|(_, sent)| edges.acquire(sent));
                }
            }
        }
        0
    }
}
