//! Channels.

mod bounded;
mod channel;
mod unbounded;

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;

pub use std_mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use crate::kernel::object::{CLOSED, EMPTY};
use crate::kernel::{self, Access, CellKind, Handle, Made, Site, Turn};
use channel::Channel;

/// One sending end. They are counted as `std` counts them, and the last one closes the channel.
struct SendingEnd<T>(Arc<Channel<T>>, Site);

impl<T> SendingEnd<T> {
    fn another(&self, site: Site) -> Self {
        self.0.add_sender(site);
        Self(Arc::clone(&self.0), site)
    }
}

impl<T> Drop for SendingEnd<T> {
    fn drop(&mut self) {
        self.0.drop_sender(self.1);
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
        self.0.drop_receiver(self.1);
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
    let channel = Channel::new(bound, site);
    let used = Made::Cell(CellKind::Contents { lock: channel.transport.location() });
    let used = Handle::new(site, || used);
    let channel = super::own(Arc::new(channel));
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
                end.0.try_send(value, Location::caller()).map_err(|(why, value)| match why {
                    CLOSED => TrySendError::Disconnected(value),
                    _ => TrySendError::Full(value),
                })
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
    /// If there is none, and all senders are gone. That does not synchronise with what they did: `std` does not promise it.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        match &self.0 {
            Ends::Std(receiver) => receiver.recv(),
            Ends::Model(end) => {
                let site = Location::caller();
                end.used(Access::Use, site);
                end.0.received(end.0.transport.receive(site)).ok_or(RecvError)
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
                match end.0.transport.try_receive(site) {
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
                match end.0.transport.receive_in_time(site) {
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
