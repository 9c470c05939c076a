//! A channel of an exploration: messages, and how many ends there are to send them.
//!
//! Without a bound a [`Queue`](object::Queue) numbers the messages, and each has a [`Message`](object::Message); with one a
//! [`Channel`](object::Channel) does both.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::arc::update;
use super::SendError;
use crate::kernel::object::{self, CLOSED, ChannelAct, EMPTY, FIRST_MESSAGE, MessageAct, QueueAct};
use crate::kernel::{self, Act, AtomicKind, Handle, LocationId, Made, Operation, Rmw, Site};

pub(super) struct Channel<T> {
    model: Option<Handle>,
    bound: Option<usize>,
    /// How many sending ends there are.
    senders: Option<Handle>,
    messages: Mutex<Messages<T>>,
}

struct Messages<T> {
    /// Those under way, by number: those that are left are dropped in this order.
    values: BTreeMap<u64, T>,
    /// Without a bound: the object of each message that was sent, and of the next.
    places: BTreeMap<u64, Option<Handle>>,
    received: u64,
}

impl<T> Channel<T> {
    /// An empty channel with one sending end.
    pub(super) fn new(bound: Option<usize>, site: Site) -> Self {
        let model = Handle::new(site, || {
            Made::Object(match bound {
                None => object::Queue::default().into(),
                Some(bound) => object::Channel::new(bound).into(),
            })
        });
        let kind = AtomicKind::Senders { channel: location(model) };
        let senders = Handle::new(site, || Made::Atomic { value: 1, kind });
        let places = bound.is_none().then(|| (0, new_place(model, site))).into_iter().collect();
        let messages = Mutex::new(Messages { values: BTreeMap::new(), places, received: 0 });
        Self { model, bound, senders, messages }
    }

    pub(super) fn location(&self) -> LocationId {
        location(self.model)
    }

    pub(super) fn add_sender(&self, site: Site) {
        Handle::with(self.senders, "a channel", |engine, count| {
            update(engine, count, Rmw::Add(1), Relaxed, Relaxed, site)
        });
    }

    /// The last one closes the channel.
    pub(super) fn drop_sender(&self, site: Site) {
        let mut is_last = false;
        Handle::at_end(self.senders, |engine, count| {
            is_last = update(engine, count, Rmw::Sub(1), AcqRel, Relaxed, site) == 1;
        });
        if !is_last {
            return;
        }
        if self.bound.is_some() {
            last_act(self.model, ChannelAct::Close, site);
            return;
        }
        let sent = last_act(self.model, QueueAct::Close, site);
        last_act(self.place(sent), MessageAct::Close, site);
    }

    pub(super) fn drop_receiver(&self, site: Site) {
        match self.bound {
            None => last_act(self.model, QueueAct::DropReceiver, site),
            Some(_) => last_act(self.model, ChannelAct::DropReceiver, site),
        };
        if !self.is_rendezvous() {
            // What is dropped may use the checker, so the lock is not held. If it panics, the rest leaks, as in `std`.
            let mut left = ManuallyDrop::new(std::mem::take(&mut self.messages().values));
            while let Some((_, message)) = left.pop_first() {
                drop(message);
            }
        }
    }

    pub(super) fn send(&self, value: T, site: Site) -> Result<(), SendError<T>> {
        let sent = match self.bound {
            None => self.put(QueueAct::Send, value, site),
            Some(_) => self.put(ChannelAct::Send, value, site),
        };
        let message = sent.map_err(|(_, value)| SendError(value))?;
        if self.bound.is_none() {
            act(self.place(message), MessageAct::Put { message }, site);
        } else if self.is_rendezvous()
            && act(self.model, ChannelAct::Delivered { message }, site) == 0
        {
            // The receiver is gone.
            let value = self.messages().values.remove(&message);
            return value.map_or(Ok(()), |value| Err(SendError(value)));
        }
        Ok(())
    }

    /// With a bound. Otherwise `CLOSED` or `FULL`, and `value`.
    pub(super) fn try_send(&self, value: T, site: Site) -> Result<(), (u64, T)> {
        self.put(ChannelAct::TrySend, value, site).map(|_| ())
    }

    /// The number of the message, or `CLOSED`.
    pub(super) fn receive(&self, site: Site) -> u64 {
        let (object, receive) = self.begin_receive(site);
        act(object, receive, site)
    }

    /// The same, or `EMPTY` if time was up. Under [`Policy::patient`](kernel::Policy::patient) it is only where no other
    /// thread can move.
    pub(super) fn receive_in_time(&self, site: Site) -> u64 {
        let (object, receive) = self.begin_receive(site);
        if kernel::with(|engine| engine.policy().patient) != Some(true) {
            return self.look(
                |message| QueueAct::ReceiveInTime { message },
                ChannelAct::ReceiveInTime,
                site,
            );
        }
        let received = Handle::with(object, "a channel", |engine, object| {
            engine.step_in_time(Operation::Act { object, act: receive }, site)
        });
        match received {
            Some(Some(result)) => result,
            // A `try_send` must not meet it any more.
            Some(None) if self.is_rendezvous() => act(self.model, ChannelAct::TryReceive, site),
            Some(None) => EMPTY,
            None => CLOSED,
        }
    }

    /// The number of the message, `EMPTY` or `CLOSED`.
    pub(super) fn try_receive(&self, site: Site) -> u64 {
        self.look(|message| QueueAct::TryReceive { message }, ChannelAct::TryReceive, site)
    }

    /// The message that was received with this result.
    pub(super) fn received(&self, result: u64) -> Option<T> {
        let message = result.checked_sub(FIRST_MESSAGE)?;
        let mut messages = self.messages();
        messages.received += 1;
        messages.values.remove(&message)
    }

    /// Sends `value` by `sends`. Its number; or what the act returned, and `value`.
    fn put(&self, sends: impl Into<Act>, value: T, site: Site) -> Result<u64, (u64, T)> {
        let next = self.bound.is_none().then(|| new_place(self.model, site));
        kernel::with(|engine| engine.hold());
        let result = act(self.model, sends, site);
        let put = match result.checked_sub(FIRST_MESSAGE) {
            None => Err((result, value)),
            Some(message) => {
                let mut messages = self.messages();
                messages.values.insert(message, value);
                messages.places.extend(next.map(|next| (message + 1, next)));
                Ok(message)
            }
        };
        kernel::with(|engine| engine.settle());
        put
    }

    /// What a `recv` does, and on what. With bound 0 the beginning of it is done.
    fn begin_receive(&self, site: Site) -> (Option<Handle>, Act) {
        if self.bound.is_none() {
            let next = self.messages().received;
            return (self.place(next), MessageAct::Receive.into());
        }
        if self.is_rendezvous() {
            act(self.model, ChannelAct::BeginReceive, site);
        }
        (self.model, ChannelAct::Receive.into())
    }

    fn look(&self, in_queue: impl Fn(u64) -> QueueAct, in_channel: ChannelAct, site: Site) -> u64 {
        if self.bound.is_some() {
            return act(self.model, in_channel, site);
        }
        let message = self.messages().received;
        let found = act(self.model, in_queue(message), site);
        if found >= FIRST_MESSAGE {
            act(self.place(message), MessageAct::Take, site);
        }
        found
    }

    fn is_rendezvous(&self) -> bool {
        self.bound == Some(0)
    }

    /// Where the message of this number is put. It is known once the message before it was sent.
    fn place(&self, message: u64) -> Option<Handle> {
        self.messages().places[&message]
    }

    fn messages(&self) -> MutexGuard<'_, Messages<T>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn location(model: Option<Handle>) -> LocationId {
    model.map(Handle::location).unwrap_or_default()
}

/// Where a message of a queue is put.
fn new_place(queue: Option<Handle>, site: Site) -> Option<Handle> {
    Handle::new(site, || Made::Object(object::Message::of(location(queue)).into()))
}

fn act(object: Option<Handle>, act: impl Into<Act>, site: Site) -> u64 {
    Handle::with(object, "a channel", |engine, object| engine.act(object, act, site))
        .unwrap_or(CLOSED)
}

/// An act of a destructor.
fn last_act(object: Option<Handle>, act: impl Into<Act>, site: Site) -> u64 {
    let mut result = 0;
    Handle::at_end(object, |engine, object| result = engine.act(object, act, site));
    result
}
