//! Channels.
//!
//! Sends conflict with each other, and with a receive that finds nothing; a receive that finds a message
//! conflicts with no send, unless there is a bound. A message carries what its sender knew, and only
//! that: who receives it learns nothing of other senders.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use super::contents::Contents;
use super::event::{Action, Site};
use super::finding::Fault;
use super::operation::{Gate, Handle, Step};
use super::record;
use super::waiting::Or;

/// The sending end of a [`channel`].
pub struct Sender<T> {
    end: SendingEnd<T>,
}

/// The sending end of a [`sync_channel`].
pub struct SyncSender<T> {
    end: SendingEnd<T>,
}

/// The receiving end.
pub struct Receiver<T> {
    queue: std::sync::Arc<Queue<T>>,
    std: std::sync::mpsc::Receiver<T>,
}

/// An iterator over messages that blocks for each, and ends when all senders are dropped.
#[derive(Debug)]
pub struct Iter<'a, T>(&'a Receiver<T>);

/// An iterator over the messages in the channel. Does not block.
#[derive(Debug)]
pub struct TryIter<'a, T>(&'a Receiver<T>);

/// Like [`Iter`], but owns the receiver.
#[derive(Debug)]
pub struct IntoIter<T>(Receiver<T>);

/// A sending end, and its `std` half.
struct SendingEnd<T> {
    queue: std::sync::Arc<Queue<T>>,
    std: StdSender<T>,
}

enum StdSender<T> {
    Unbounded(std::sync::mpsc::Sender<T>),
    Bounded(std::sync::mpsc::SyncSender<T>),
}

/// What both ends share in a model.
struct Queue<T> {
    model: Option<(Handle, Rc<Gate>, RefCell<State<T>>)>,
    bound: Option<usize>,
    /// A receiver is one thread's at a time.
    receiver: Contents,
}

// SAFETY: all threads of a model are coroutines of one OS thread; outside a model there is only the
// bound here.
unsafe impl<T: Send> Send for Queue<T> {}
// SAFETY: as above; and no borrow is held while another coroutine can run.
unsafe impl<T: Send> Sync for Queue<T> {}

struct State<T> {
    messages: VecDeque<Message<T>>,
    senders: usize,
    receiver: bool,
    /// What the senders knew that have gone.
    dropped_senders: Rc<loom::sync::Mutex<()>>,
}

struct Message<T> {
    value: T,
    /// Passes on what the sender knew.
    knowledge: Rc<loom::sync::Mutex<()>>,
}

/// Leaves in `knowledge` what the thread knows, or learns what is there. Nobody else holds it.
fn pass_on(step: &Step, knowledge: &loom::sync::Mutex<()>) {
    step.merged(|| drop(knowledge.lock()));
}

/// An unbounded channel.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let queue = Queue::new(None, Location::caller());
    let end = SendingEnd { queue: queue.clone(), std: StdSender::Unbounded(sender) };
    (Sender { end }, Receiver { queue, std: receiver })
}

/// A bounded channel: sending blocks while it holds `bound` messages.
///
/// In a model, `bound` must be at least 1: a rendezvous channel is not modelled, and is a wrong model.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    if bound == 0 && record::active() {
        record::fail(Fault::Unsupported {
            message: "the bound of a sync_channel must be at least 1 in a model, got 0: a rendezvous channel is \
                      not modelled",
        });
    }
    let (sender, receiver) = std::sync::mpsc::sync_channel(bound);
    let queue = Queue::new(Some(bound), Location::caller());
    let end = SendingEnd { queue: queue.clone(), std: StdSender::Bounded(sender) };
    (SyncSender { end }, Receiver { queue, std: receiver })
}

impl<T> Queue<T> {
    fn new(bound: Option<usize>, site: Site) -> std::sync::Arc<Self> {
        let model = Handle::new('q', "channel", site).map(|handle| {
            let state = State {
                messages: VecDeque::new(),
                senders: 1,
                receiver: true,
                dropped_senders: Rc::new(loom::sync::Mutex::new(())),
            };
            (handle, Gate::new(), RefCell::new(state))
        });
        std::sync::Arc::new(Self { model, bound, receiver: Contents::new() })
    }

    fn handle(&self) -> Option<Handle> {
        self.model.as_ref().map(|(handle, ..)| *handle)
    }

    /// The queue of an operation at `site`; `None` outside a model.
    fn locate(&self, site: Site) -> Option<(usize, &Gate, &RefCell<State<T>>)> {
        let object = Handle::check(self.handle(), "channel", site)?;
        self.model.as_ref().map(|(_, gate, state)| (object, &**gate, state))
    }

    /// The same, for what is dropped: `None` also once the execution is over.
    fn still(&self) -> Option<(usize, &Gate, &RefCell<State<T>>)> {
        let (handle, gate, state) = self.model.as_ref()?;
        handle.is_current().then_some((handle.object, &**gate, state))
    }

    fn is_full(&self, state: &State<T>) -> bool {
        self.bound.is_some_and(|bound| state.messages.len() >= bound) && state.receiver
    }
}

impl<T> SendingEnd<T> {
    fn send(&self, value: T, waits: bool, site: Site) -> Result<(), TrySendError<T>> {
        let Some((object, gate, state)) = self.queue.locate(site) else {
            return match (&self.std, waits) {
                (StdSender::Unbounded(std), _) => std.send(value).map_err(TrySendError::from),
                (StdSender::Bounded(std), true) => std.send(value).map_err(TrySendError::from),
                (StdSender::Bounded(std), false) => std.try_send(value),
            };
        };
        let step = Step::begin(site, "send", Some(object), 0);
        step.first(|| gate.touch());
        while waits && self.queue.is_full(&state.borrow()) {
            step.wait(|_| !self.queue.is_full(&state.borrow()));
            // Of several that wait, who comes first is a choice.
            step.run(|| gate.touch());
        }
        if !state.borrow().receiver {
            step.end(Action::Send(false), 1);
            return Err(TrySendError::Disconnected(value));
        }
        if self.queue.is_full(&state.borrow()) {
            step.end(Action::Send(false), 2);
            return Err(TrySendError::Full(value));
        }
        let knowledge = Rc::new(loom::sync::Mutex::new(()));
        pass_on(&step, &knowledge);
        state.borrow_mut().messages.push_back(Message { value, knowledge });
        record::with(|recorder| {
            recorder.acquire_from(object);
            recorder.release_to(object);
        });
        step.end(Action::Send(true), 0);
        Ok(())
    }

    fn another(&self) -> Self {
        if let Some((_, _, state)) = self.queue.still() {
            state.borrow_mut().senders += 1;
        }
        let std = match &self.std {
            StdSender::Unbounded(std) => StdSender::Unbounded(std.clone()),
            StdSender::Bounded(std) => StdSender::Bounded(std.clone()),
        };
        Self { queue: self.queue.clone(), std }
    }
}

impl<T> Drop for SendingEnd<T> {
    #[track_caller]
    fn drop(&mut self) {
        let Some((object, gate, state)) = self.queue.still() else { return };
        let step = Step::begin(Location::caller(), "drop sender", Some(object), 0);
        step.first(|| gate.touch());
        let dropped_senders = Rc::clone(&state.borrow().dropped_senders);
        pass_on(&step, &dropped_senders);
        state.borrow_mut().senders -= 1;
        record::with(|recorder| {
            recorder.acquire_from(object);
            recorder.release_to(object);
        });
        step.end(Action::CloseSender, 0);
    }
}

impl<T> Sender<T> {
    /// Sends `value`. Never blocks.
    ///
    /// # Errors
    ///
    /// `value`, if the receiver is dropped.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.end.send(value, true, Location::caller()).map_err(unsent)
    }
}

impl<T> SyncSender<T> {
    /// Sends `value`. Blocks while the channel is full.
    ///
    /// # Errors
    ///
    /// `value`, if the receiver is dropped.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.end.send(value, true, Location::caller()).map_err(unsent)
    }

    /// Sends `value` unless the channel is full.
    ///
    /// # Errors
    ///
    /// `Full` or `Disconnected`, with `value`, if the channel is full or the receiver is dropped.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.end.send(value, false, Location::caller())
    }
}

fn unsent<T>(error: TrySendError<T>) -> SendError<T> {
    let (TrySendError::Full(value) | TrySendError::Disconnected(value)) = error;
    SendError(value)
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { end: self.end.another() }
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        Self { end: self.end.another() }
    }
}

impl<T> Receiver<T> {
    /// Blocks until there is a message.
    ///
    /// # Errors
    ///
    /// If the channel is empty and all senders are dropped.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        match self.take(Some(Or::Nothing), Location::caller()) {
            None => self.std.recv(),
            Some(result) => result.map_err(|_| RecvError),
        }
    }

    /// The next message. Never blocks.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none; `Disconnected` if there is none and all senders are dropped.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.take(None, Location::caller()).unwrap_or_else(|| self.std.try_recv())
    }

    /// Blocks until there is a message, with a timeout. In a model, which has no time, it may time out at any
    /// point.
    ///
    /// # Errors
    ///
    /// `Timeout` if there was no message in time; `Disconnected` if there is none and all senders are
    /// dropped.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match self.take(Some(Or::TimeIsUp), Location::caller()) {
            None => self.std.recv_timeout(timeout),
            Some(result) => result.map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            }),
        }
    }

    /// An iterator over messages that blocks for each, and ends when all senders are dropped.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// An iterator over the messages in the channel. Does not block.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }

    /// Takes a message: at once, or when there is one, or when time is up. `None` outside a model.
    fn take(&self, waits: Option<Or>, site: Site) -> Option<Result<T, TryRecvError>> {
        let (object, gate, state) = self.queue.locate(site)?;
        self.queue.receiver.write(self.queue.handle(), site);
        let step = Step::begin(site, "recv", Some(object), 0);
        if waits == Some(Or::TimeIsUp) {
            step.yield_if_spinning(site);
        }
        let nothing = || state.borrow().messages.is_empty();
        let ready = || !nothing() || state.borrow().senders == 0;
        let waited = waits == Some(Or::Nothing) && !ready();
        if waited {
            // To find nothing is a step that conflicts with a send, and so is what comes after it.
            step.first(|| gate.touch());
            step.wait(|_| ready());
        }
        if waited || nothing() || self.queue.bound.is_some() {
            step.first(|| gate.touch());
        }
        let message = state.borrow_mut().messages.pop_front();
        if let Some(Message { value, knowledge }) = message {
            pass_on(&step, &knowledge);
            record::with(|recorder| recorder.acquire_from(object));
            step.end(Action::Receive(true), 1);
            return Some(Ok(value));
        }
        if state.borrow().senders > 0 {
            step.end(Action::Receive(false), 0);
            return Some(Err(TryRecvError::Empty));
        }
        let dropped_senders = Rc::clone(&state.borrow().dropped_senders);
        pass_on(&step, &dropped_senders);
        record::with(|recorder| recorder.acquire_from(object));
        step.end(Action::Receive(false), 2);
        Some(Err(TryRecvError::Disconnected))
    }
}

impl<T> Drop for Receiver<T> {
    #[track_caller]
    fn drop(&mut self) {
        let Some((object, gate, state)) = self.queue.still() else { return };
        let step = Step::begin(Location::caller(), "drop receiver", Some(object), 0);
        step.first(|| gate.touch());
        state.borrow_mut().receiver = false;
        step.end(Action::CloseReceiver, 0);
        // Dropped here, with the queue free again: a destructor may run operations.
        let messages = std::mem::take(&mut state.borrow_mut().messages);
        drop(messages);
    }
}

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
    ($($name:ident),*) => {
        $(impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

debug!(Sender, SyncSender, Receiver);
