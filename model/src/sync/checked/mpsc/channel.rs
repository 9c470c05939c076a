//! A channel of an exploration: the values under way, and how many ends there are to send them.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::arc::update;
use super::SendError;
use super::bounded::Bounded;
use super::unbounded::Unbounded;
use crate::kernel::object::{CLOSED, EMPTY, FIRST_MESSAGE};
use crate::kernel::{self, Act, AtomicKind, Handle, LocationId, Made, Operation, Rmw, Site};

pub(super) struct Channel<T> {
    pub(super) transport: Box<dyn Transport>,
    /// How many sending ends there are.
    senders: Option<Handle>,
    /// Those under way, by number: those that are left are dropped in this order.
    values: Mutex<BTreeMap<u64, T>>,
}

/// How messages, known by their numbers, get from the senders to the receiver. A send or a receive returns `CLOSED`, or
/// `FIRST_MESSAGE` plus the number.
pub(super) trait Transport: Send + Sync + UnwindSafe + RefUnwindSafe {
    fn location(&self) -> LocationId;
    /// Or `FULL`, if it `tries`.
    fn send(&self, tries: bool, site: Site) -> u64;
    /// Completes a send, once the value is stored. Otherwise the receiver is gone.
    fn deliver(&self, message: u64, site: Site) -> bool;
    fn receive(&self, site: Site) -> u64;
    /// Or `EMPTY` if time was up. Under [`Policy::patient`](kernel::Policy::patient) it is only where no other thread can
    /// move.
    fn receive_in_time(&self, site: Site) -> u64;
    /// Or `EMPTY`.
    fn try_receive(&self, site: Site) -> u64;
    fn close(&self, site: Site);
    /// Whether it drops the values that are left.
    fn drop_receiver(&self, site: Site) -> bool;
}

impl<T> Channel<T> {
    /// An empty channel with one sending end.
    pub(super) fn new(bound: Option<usize>, site: Site) -> Self {
        let transport: Box<dyn Transport> = match bound {
            None => Box::new(Unbounded::new(site)),
            Some(bound) => Box::new(Bounded::new(bound, site)),
        };
        let kind = AtomicKind::Senders { channel: transport.location() };
        let senders = Handle::new(site, || Made::Atomic { value: 1, kind });
        Self { transport, senders, values: Mutex::default() }
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
        if is_last {
            self.transport.close(site);
        }
    }

    pub(super) fn drop_receiver(&self, site: Site) {
        if self.transport.drop_receiver(site) {
            // What is dropped may use the checker, so the lock is not held. If it panics, the rest leaks, as in `std`.
            let mut left = ManuallyDrop::new(std::mem::take(&mut *self.values()));
            while let Some((_, value)) = left.pop_first() {
                drop(value);
            }
        }
    }

    pub(super) fn send(&self, value: T, site: Site) -> Result<(), SendError<T>> {
        let message = self.put(value, false, site).map_err(|(_, value)| SendError(value))?;
        if self.transport.deliver(message, site) {
            return Ok(());
        }
        let value = self.values().remove(&message);
        value.map_or(Ok(()), |value| Err(SendError(value)))
    }

    /// With a bound. Otherwise `CLOSED` or `FULL`, and `value`.
    pub(super) fn try_send(&self, value: T, site: Site) -> Result<(), (u64, T)> {
        self.put(value, true, site).map(|_| ())
    }

    /// The value that was received with this result.
    pub(super) fn received(&self, result: u64) -> Option<T> {
        let message = result.checked_sub(FIRST_MESSAGE)?;
        self.values().remove(&message)
    }

    /// Sends `value`. Its number; or the result, and `value`.
    fn put(&self, value: T, tries: bool, site: Site) -> Result<u64, (u64, T)> {
        kernel::with(|engine| engine.hold());
        let result = self.transport.send(tries, site);
        let put = match result.checked_sub(FIRST_MESSAGE) {
            None => Err((result, value)),
            Some(message) => {
                self.values().insert(message, value);
                Ok(message)
            }
        };
        kernel::with(|engine| engine.settle());
        put
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<u64, T>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn location(object: Option<Handle>) -> LocationId {
    object.map(Handle::location).unwrap_or_default()
}

pub(super) fn act(object: Option<Handle>, act: impl Into<Act>, site: Site) -> u64 {
    Handle::with(object, "a channel", |engine, object| engine.act(object, act, site))
        .unwrap_or(CLOSED)
}

/// An act of a destructor.
pub(super) fn last_act(object: Option<Handle>, act: impl Into<Act>, site: Site) -> u64 {
    let mut result = 0;
    Handle::at_end(object, |engine, object| result = engine.act(object, act, site));
    result
}

/// An act that blocks; `EMPTY` if time was up. Only under [`Policy::patient`](kernel::Policy::patient).
pub(super) fn act_in_time(object: Option<Handle>, act: impl Into<Act>, site: Site) -> u64 {
    let result = Handle::with(object, "a channel", |engine, object| {
        engine.step_in_time(Operation::Act { object, act: act.into() }, site)
    });
    result.map_or(CLOSED, |result| result.unwrap_or(EMPTY))
}

pub(super) fn is_patient() -> bool {
    kernel::with(|engine| engine.policy().patient) == Some(true)
}
