//! Messages without a bound: a [`Queue`] numbers them, and each has a [`Message`].

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::channel::{Transport, act, act_in_time, is_patient, last_act, location};
use crate::kernel::object::{EMPTY, FIRST_MESSAGE, Message, MessageAct, Queue, QueueAct};
use crate::kernel::{Handle, LocationId, Made, Site};

pub(super) struct Unbounded {
    queue: Option<Handle>,
    messages: Mutex<Messages>,
}

struct Messages {
    /// By number: the object of each message that was sent, and of the next.
    places: BTreeMap<u64, Option<Handle>>,
    received: u64,
}

impl Unbounded {
    pub(super) fn new(site: Site) -> Self {
        let queue = Handle::new(site, || Made::Object(Queue::default().into()));
        let messages = Messages { places: [(0, new_place(queue, site))].into(), received: 0 };
        Self { queue, messages: Mutex::new(messages) }
    }

    /// Where the message of this number is put.
    fn place(&self, message: u64) -> Option<Handle> {
        self.messages().places[&message]
    }

    /// The number of the message that is to be received next, and where it is put.
    fn next(&self) -> (u64, Option<Handle>) {
        let next = self.messages().received;
        (next, self.place(next))
    }

    /// Counts the message, if the result is one.
    fn received(&self, result: u64) -> u64 {
        self.messages().received += u64::from(result >= FIRST_MESSAGE);
        result
    }

    /// If the message is not there, it must not have been sent either.
    fn attempt(&self, looks: MessageAct, finds_none: impl Fn(u64) -> QueueAct, site: Site) -> u64 {
        let (message, place) = self.next();
        match act(place, looks, site) {
            EMPTY => act(self.queue, finds_none(message), site),
            result => self.received(result),
        }
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Unbounded {
    fn location(&self) -> LocationId {
        location(self.queue)
    }

    fn send(&self, _: bool, site: Site) -> u64 {
        let next = new_place(self.queue, site);
        let result = act(self.queue, QueueAct::Send, site);
        if let Some(message) = result.checked_sub(FIRST_MESSAGE) {
            self.messages().places.insert(message + 1, next);
        }
        result
    }

    fn deliver(&self, message: u64, site: Site) -> bool {
        act(self.place(message), MessageAct::Put { message }, site);
        true
    }

    fn receive(&self, site: Site) -> u64 {
        self.received(act(self.next().1, MessageAct::Receive, site))
    }

    fn receive_in_time(&self, site: Site) -> u64 {
        if !is_patient() {
            return self.attempt(
                MessageAct::ReceiveInTime,
                |message| QueueAct::ReceiveInTime { message },
                site,
            );
        }
        self.received(act_in_time(self.next().1, MessageAct::Receive, site))
    }

    fn try_receive(&self, site: Site) -> u64 {
        self.attempt(MessageAct::TryReceive, |message| QueueAct::TryReceive { message }, site)
    }

    fn close(&self, site: Site) {
        let sent = last_act(self.queue, QueueAct::Close, site);
        last_act(self.place(sent), MessageAct::Close, site);
    }

    fn drop_receiver(&self, site: Site) -> bool {
        last_act(self.queue, QueueAct::DropReceiver, site);
        true
    }
}

/// Where a message of `queue` is put.
fn new_place(queue: Option<Handle>, site: Site) -> Option<Handle> {
    Handle::new(site, || Made::Object(Message::of(location(queue)).into()))
}
