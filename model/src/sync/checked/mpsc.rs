//! Channels.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::{Arc, PoisonError, mpsc as std_mpsc};
use std::time::Duration;

pub use std_mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use super::arc::update;
use crate::kernel::object::{self, CLOSED, ChannelAct, EMPTY, FIRST_MESSAGE};
use crate::kernel::{self, Access, AtomicKind, CellKind, Handle, Made, Operation, Rmw, Site, Turn};

/// A channel of an exploration.
struct Channel<T> {
    model: Option<Handle>,
    /// How many sending ends there are.
    senders: Option<Handle>,
    rendezvous: bool,
    /// Messages under way, by number: those that are left are dropped in this order.
    messages: std::sync::Mutex<BTreeMap<u64, T>>,
}

impl<T> Channel<T> {
    fn act(&self, act: ChannelAct, site: Site) -> u64 {
        let result =
            Handle::with(self.model, "a channel", |engine, object| engine.act(object, act, site));
        result.unwrap_or(CLOSED)
    }

    /// An act of a destructor.
    fn last_act(&self, act: ChannelAct, site: Site) {
        Handle::at_end(self.model, |engine, object| _ = engine.act(object, act, site));
    }

    /// Sends `value` by `act`. Its number; or what the act returned, and `value`.
    fn put(&self, act: ChannelAct, value: T, site: Site) -> Result<u64, (u64, T)> {
        kernel::with(|engine| engine.hold());
        let result = self.act(act, site);
        let put = match result.checked_sub(FIRST_MESSAGE) {
            None => Err((result, value)),
            Some(message) => {
                let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
                messages.insert(message, value);
                Ok(message)
            }
        };
        kernel::with(|engine| engine.settle());
        put
    }

    fn take(&self, message: u64) -> Option<T> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.remove(&message)
    }

    fn send(&self, value: T, site: Site) -> Result<(), SendError<T>> {
        let message = match self.put(ChannelAct::Send, value, site) {
            Ok(message) => message,
            Err((_, value)) => return Err(SendError(value)),
        };
        if self.rendezvous && self.act(ChannelAct::Delivered { message }, site) == 0 {
            // The receiver is gone.
            return self.take(message).map_or(Ok(()), |value| Err(SendError(value)));
        }
        Ok(())
    }

    /// `EMPTY` if time was up.
    fn receive_in_time(&self, site: Site) -> u64 {
        let received = Handle::with(self.model, "a channel", |engine, object| {
            let act = ChannelAct::Receive.into();
            engine.step_in_time(Operation::Act { object, act }, site)
        });
        match received {
            Some(Some(result)) => result,
            // A `try_send` must not meet it any more.
            Some(None) if self.rendezvous => self.act(ChannelAct::TryReceive, site),
            Some(None) => EMPTY,
            None => CLOSED,
        }
    }

    fn received(&self, result: u64) -> Option<T> {
        result.checked_sub(FIRST_MESSAGE).and_then(|message| self.take(message))
    }
}

/// One sending end. They are counted as `std` counts them, and the last one closes the channel.
struct SendingEnd<T>(Arc<Channel<T>>, Site);

impl<T> SendingEnd<T> {
    fn another(&self, site: Site) -> Self {
        Handle::with(self.0.senders, "a channel", |engine, count| {
            update(engine, count, Rmw::Add(1), Relaxed, Relaxed, site)
        });
        Self(Arc::clone(&self.0), site)
    }
}

impl<T> Drop for SendingEnd<T> {
    fn drop(&mut self) {
        let Self(channel, site) = self;
        let mut is_last = false;
        Handle::at_end(channel.senders, |engine, count| {
            is_last = update(engine, count, Rmw::Sub(1), AcqRel, Relaxed, site) == 1;
        });
        if is_last {
            channel.last_act(ChannelAct::Close, site);
        }
    }
}

/// The receiving end. Its drop is an operation. Only one thread at a time may use it: two that do race on the
/// place.
struct ReceivingEnd<T>(Arc<Channel<T>>, Site, Option<Handle>);

impl<T> ReceivingEnd<T> {
    fn used(&self, access: Access, site: Site) {
        Handle::at_end(self.2, |engine, location| engine.access(location, access, site));
    }
}

impl<T> Drop for ReceivingEnd<T> {
    fn drop(&mut self) {
        self.0.last_act(ChannelAct::DropReceiver, self.1);
        if !self.0.rendezvous {
            // What is dropped may use the checker, so the lock is not held.
            let mut messages = self.0.messages.lock().unwrap_or_else(PoisonError::into_inner);
            let left = std::mem::take(&mut *messages);
            drop(messages);
            drop(left);
        }
        self.used(Access::Free, self.1);
    }
}

enum Ends<S, M> {
    Std(S),
    Model(M),
}

/// `std::sync::mpsc::Sender`.
pub struct Sender<T>(Ends<std_mpsc::Sender<T>, SendingEnd<T>>);
/// `std::sync::mpsc::SyncSender`.
pub struct SyncSender<T>(Ends<std_mpsc::SyncSender<T>, SendingEnd<T>>);
/// `std::sync::mpsc::Receiver`.
pub struct Receiver<T>(Ends<std_mpsc::Receiver<T>, ReceivingEnd<T>>);

fn in_model<T>(bound: Option<usize>, site: Site) -> Option<(SendingEnd<T>, ReceivingEnd<T>)> {
    kernel::with(|_| ())?;
    let model = Handle::new(site, || Made::Object(object::Channel::new(bound).into()));
    let object = model.map(Handle::location).unwrap_or_default();
    let kind = AtomicKind::Senders { channel: object };
    let senders = Handle::new(site, || Made::Atomic { value: 1, kind });
    let used = Handle::new(site, || Made::Cell(CellKind::Contents { lock: object }));
    let messages = std::sync::Mutex::default();
    let rendezvous = bound == Some(0);
    let channel = super::own(Arc::new(Channel { model, senders, rendezvous, messages }));
    Some((SendingEnd(Arc::clone(&channel), site), ReceivingEnd(channel, site, used)))
}

/// A channel without a bound.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    if let Some((sender, receiver)) = in_model(None, Location::caller()) {
        return (Sender(Ends::Model(sender)), Receiver(Ends::Model(receiver)));
    }
    let (sender, receiver) = std_mpsc::channel();
    (Sender(Ends::Std(sender)), Receiver(Ends::Std(receiver)))
}

/// A channel that holds `bound` messages. With 0, a send waits until its message is received.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    if let Some((sender, receiver)) = in_model(Some(bound), Location::caller()) {
        return (SyncSender(Ends::Model(sender)), Receiver(Ends::Model(receiver)));
    }
    let (sender, receiver) = std_mpsc::sync_channel(bound);
    (SyncSender(Ends::Std(sender)), Receiver(Ends::Std(receiver)))
}

impl<T> Sender<T> {
    /// Sends `value`.
    ///
    /// # Errors
    ///
    /// `value`, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        match &self.0 {
            Ends::Std(sender) => sender.send(value),
            Ends::Model(end) => end.0.send(value, Location::caller()),
        }
    }
}

impl<T> SyncSender<T> {
    /// Sends `value`; blocks while the channel is full.
    ///
    /// # Errors
    ///
    /// `value`, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        match &self.0 {
            Ends::Std(sender) => sender.send(value),
            Ends::Model(end) => end.0.send(value, Location::caller()),
        }
    }

    /// Sends `value` if the channel is not full.
    ///
    /// # Errors
    ///
    /// `value`, if the channel is full or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        match &self.0 {
            Ends::Std(sender) => sender.try_send(value),
            Ends::Model(end) => {
                end.0.put(ChannelAct::TrySend, value, Location::caller()).map(|_| ()).map_err(
                    |(why, value)| match why {
                        CLOSED => TrySendError::Disconnected(value),
                        _ => TrySendError::Full(value),
                    },
                )
            }
        }
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Ends::Std(sender) => Ends::Std(sender.clone()),
            Ends::Model(end) => Ends::Model(end.another(Location::caller())),
        })
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Ends::Std(sender) => Ends::Std(sender.clone()),
            Ends::Model(end) => Ends::Model(end.another(Location::caller())),
        })
    }
}

impl<T> Receiver<T> {
    /// Receives the next message; blocks until there is one.
    ///
    /// # Errors
    ///
    /// If there is none, and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        match &self.0 {
            Ends::Std(receiver) => receiver.recv(),
            Ends::Model(end) => {
                let site = Location::caller();
                end.used(Access::Use, site);
                if end.0.rendezvous {
                    end.0.act(ChannelAct::BeginReceive, site);
                }
                let result = end.0.act(ChannelAct::Receive, site);
                end.0.received(result).ok_or(RecvError)
            }
        }
    }

    /// Receives the next message, if there is one.
    ///
    /// # Errors
    ///
    /// If there is none; whether all senders are gone.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match &self.0 {
            Ends::Std(receiver) => receiver.try_recv(),
            Ends::Model(end) => {
                let site = Location::caller();
                end.used(Access::Use, site);
                match end.0.act(ChannelAct::TryReceive, site) {
                    EMPTY => Err(TryRecvError::Empty),
                    result => end.0.received(result).ok_or(TryRecvError::Disconnected),
                }
            }
        }
    }

    /// Like [`recv`](Self::recv), but for no longer than `timeout`. In an exploration, time may be up
    /// at any moment; under [`Policy::patient`](crate::kernel::Policy::patient), only where no other
    /// thread can move.
    ///
    /// # Errors
    ///
    /// If time was up, or all senders are gone.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match &self.0 {
            Ends::Std(receiver) => receiver.recv_timeout(timeout),
            Ends::Model(end) => {
                let site = Location::caller();
                end.used(Access::Use, site);
                if end.0.rendezvous {
                    end.0.act(ChannelAct::BeginReceive, site);
                }
                let received = if kernel::with(|engine| engine.policy().patient) == Some(true) {
                    end.0.receive_in_time(site)
                } else {
                    end.0.act(ChannelAct::ReceiveInTime, site)
                };
                match received {
                    EMPTY => {
                        // The call may be a turn of a loop.
                        kernel::with(|engine| engine.turn(Turn::Spin, site));
                        Err(RecvTimeoutError::Timeout)
                    }
                    result => end.0.received(result).ok_or(RecvTimeoutError::Disconnected),
                }
            }
        }
    }

    /// The messages, until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// The messages that are there.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

/// See [`Receiver::iter`].
pub struct Iter<'a, T>(&'a Receiver<T>);
/// See [`Receiver::try_iter`].
pub struct TryIter<'a, T>(&'a Receiver<T>);
/// The messages, until all senders are gone.
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}

macro_rules! debug {
    ($($name:ident),*) => {$(
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(Sender, SyncSender, Receiver);

macro_rules! debug_iterators {
    ($([$($generics:tt)*] $name:ident;)*) => {$(
        impl<$($generics)* T: fmt::Debug> fmt::Debug for $name<$($generics)* T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("rx", &self.0).finish()
            }
        }
    )*};
}

debug_iterators! {
    ['a,] Iter;
    ['a,] TryIter;
    [] IntoIter;
}
