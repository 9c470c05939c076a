//! Futures: [`block_on`], [`AtomicWaker`], [`may_drop`] for a future that is dropped at any `await`, and [`join`] for two
//! that are polled in any order.
//!
//! # In a model
//!
//! [`block_on`] polls again when a waker was called, and sometimes without: each wait ends without a wake as well, but
//! no two waits in a row. A waker that is called while its future is polled does not make the check bounded. A task of
//! which no waker will be called any more is a deadlock. Cloning and dropping a waker are no steps, since no other
//! thread can observe them; one that is never dropped is a leak.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::Mutex;
use super::backend::{Task, either};

struct Wakes(Task);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake();
    }
}

/// Polls `future` until it is ready, and blocks in between.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let task = Arc::new(Wakes(Task::new(Location::caller())));
    let waker = Waker::from(Arc::clone(&task));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        task.0.wait();
    }
}

/// A place for the waker of one task.
///
/// A task that calls [`register`](Self::register), and then looks for what it waits for, misses no
/// [`wake`](Self::wake) that comes after a change to that: it sees the change, or its waker is called. What happens
/// before `wake` happens before whatever follows a `register` that comes later.
///
/// It is a mutex around a waker. The types of that name in other crates do not block.
#[derive(Default)]
pub struct AtomicWaker {
    waker: Mutex<Option<Waker>>,
}

impl AtomicWaker {
    /// No waker.
    #[track_caller]
    pub const fn new() -> Self {
        Self { waker: Mutex::new(None) }
    }

    /// Makes `waker` the one that is called, in place of an earlier one.
    #[track_caller]
    pub fn register(&self, waker: Waker) {
        let mut registered = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        // Written only if it changes something: a task that polls in a loop can be seen to wait.
        if !registered.as_ref().is_some_and(|registered| registered.will_wake(&waker)) {
            let old = registered.replace(waker);
            // Its drop may be code under test.
            drop(registered);
            drop(old);
        }
    }

    /// Makes a clone of `waker` the one that is called.
    #[track_caller]
    pub fn register_by_ref(&self, waker: &Waker) {
        self.register(waker.clone());
    }

    /// Calls the waker, if one is registered, and takes it away.
    #[track_caller]
    pub fn wake(&self) {
        if let Some(waker) = self.take_waker() {
            waker.wake();
        }
    }

    /// Takes the waker away without calling it.
    #[track_caller]
    pub fn take_waker(&self) -> Option<Waker> {
        let mut registered = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if registered.is_none() { None } else { registered.take() }
    }
}

impl fmt::Debug for AtomicWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtomicWaker").finish_non_exhaustive()
    }
}

/// Drops `future` at any `await`: in a model, each poll may drop it instead, before the first one too, and
/// returns `None`. Outside a model it is never dropped before it is ready.
pub fn may_drop<F: Future>(future: F) -> MayDrop<F> {
    MayDrop(Some(Box::pin(future)))
}

/// A future that may end before it is ready; see [`may_drop`].
pub struct MayDrop<F>(Option<Pin<Box<F>>>);

impl<F: Future> Future for MayDrop<F> {
    type Output = Option<F::Output>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let site = Location::caller();
        let output = match &mut self.0 {
            Some(future) if !either(site) => match future.as_mut().poll(context) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => return Poll::Pending,
            },
            _ => None,
        };
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<F> fmt::Debug for MayDrop<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MayDrop").finish_non_exhaustive()
    }
}

/// Polls both futures until both are ready. Which one is polled first is left open, each time: in a model both orders
/// are explored. Outside a model it is `a`.
pub fn join<A: Future, B: Future>(a: A, b: B) -> Join<A, B> {
    Join(Part::Pending(Box::pin(a)), Part::Pending(Box::pin(b)))
}

/// Two futures; see [`join`].
pub struct Join<A: Future, B: Future>(Part<A>, Part<B>);

enum Part<F: Future> {
    Pending(Pin<Box<F>>),
    Ready(F::Output),
    Taken,
}

impl<F: Future> Part<F> {
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Self::Pending(future) = self
            && let Poll::Ready(output) = future.as_mut().poll(context)
        {
            *self = Self::Ready(output);
        }
    }

    fn take(&mut self) -> F::Output {
        match std::mem::replace(self, Self::Taken) {
            Self::Ready(output) => output,
            _ => panic!("`join` is polled after it was ready"),
        }
    }
}

// What is pinned is in boxes.
impl<A: Future, B: Future> Unpin for Join<A, B> {}

impl<A: Future, B: Future> Future for Join<A, B> {
    type Output = (A::Output, B::Output);

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let site = Location::caller();
        let Self(a, b) = &mut *self;
        let both = matches!((&*a, &*b), (Part::Pending(_), Part::Pending(_)));
        if both && either(site) {
            b.poll(context);
            a.poll(context);
        } else {
            a.poll(context);
            b.poll(context);
        }
        match (&*a, &*b) {
            (Part::Pending(_), _) | (_, Part::Pending(_)) => Poll::Pending,
            _ => Poll::Ready((a.take(), b.take())),
        }
    }
}

impl<A: Future, B: Future> fmt::Debug for Join<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").finish_non_exhaustive()
    }
}
