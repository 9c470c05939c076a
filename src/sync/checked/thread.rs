//! Threads.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::time::Duration;

use super::event::{Action, Site};
use super::finding::Fault;
use super::local::drop_locals;
use super::operation::{Step, text_of};
use super::record;
use super::unwinding;
use super::waiting::{self, Or};

pub use super::local::{AccessError, LocalKey};
pub use std::thread::Result;

/// The most threads that a model can have, main included (loom's limit).
pub(crate) const MAX_THREADS: usize = loom::MAX_THREADS;

/// The right to wait for a thread and to have what it returned.
pub struct JoinHandle<T> {
    inner: Join<T>,
}

enum Join<T> {
    Std { handle: std::thread::JoinHandle<T>, thread: Thread },
    Model { number: usize, handle: loom::thread::JoinHandle<Result<T>>, thread: Thread },
}

/// A handle to a thread.
#[derive(Clone)]
pub struct Thread {
    inner: Which,
}

#[derive(Clone)]
enum Which {
    Std(std::thread::Thread),
    Model { number: usize, name: Option<String> },
}

/// Tells threads apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(Id);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Id {
    Std(std::thread::ThreadId),
    Model(usize),
}

/// How a thread is to be spawned.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A thread without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the thread; traces show it under that name.
    #[must_use]
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the size of the stack, in bytes. A model ignores it.
    #[must_use]
    pub fn stack_size(mut self, size: usize) -> Self {
        self.stack_size = Some(size);
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Outside a model, what the operating system says.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let Self { name, stack_size } = self;
        if record::active() {
            return Ok(spawn_in_model(name, f, Location::caller()));
        }
        let mut builder = std::thread::Builder::new();
        if let Some(name) = name {
            builder = builder.name(name);
        }
        if let Some(size) = stack_size {
            builder = builder.stack_size(size);
        }
        Ok(JoinHandle::from_std(builder.spawn(f)?))
    }
}

/// Starts a thread. In a model, a panic in a thread that nobody joins fails the model.
///
/// # Panics
///
/// Outside a model, if the operating system cannot start a thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    if record::active() {
        spawn_in_model(None, f, Location::caller())
    } else {
        JoinHandle::from_std(std::thread::spawn(f))
    }
}

fn spawn_in_model<F, T>(name: Option<String>, f: F, site: Site) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let step = Step::begin(site, "spawn", None, 0);
    let number = record::with(|recorder| {
        recorder.spawned += 1;
        let name = name.clone().unwrap_or_else(|| format!("thread{}", recorder.threads.len()));
        recorder.add_thread(name)
    })
    .unwrap_or_default();
    if number >= MAX_THREADS {
        record::fail(Fault::TooManyThreads { site: Some(site.to_string()) });
    }
    // A step: the child may run before whatever the parent does next.
    let handle = step.run(|| {
        loom::thread::spawn(move || {
            record::with(|recorder| recorder.resume(number));
            let result = catch_unwind(AssertUnwindSafe(f));
            record::with(|recorder| recorder.resume(number));
            unwinding::settle();
            if let Err(payload) = &result {
                let text = text_of(&**payload);
                record::with(|recorder| {
                    recorder.thread().panic.get_or_insert(text);
                });
            }
            if catch_unwind(AssertUnwindSafe(drop_locals)).is_err() {
                record::with(|recorder| {
                    recorder.thread().panic =
                        Some("a thread-local value panicked when dropped".to_owned());
                });
            }
            waiting::leave_loop(None);
            record::with(|recorder| {
                recorder.thread().ended = true;
                recorder.note(site, None, Action::End);
            });
            result
        })
    });
    step.end(Action::Spawn(number), number as u64);
    let thread = Thread { inner: Which::Model { number, name } };
    JoinHandle { inner: Join::Model { number, handle, thread } }
}

impl<T> JoinHandle<T> {
    /// Waits for the thread to end and returns what it returned.
    ///
    /// # Errors
    ///
    /// What the thread panicked with.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        match self.inner {
            Join::Std { handle, .. } => handle.join(),
            Join::Model { number, handle, .. } => {
                let step = Step::begin(Location::caller(), "join", None, number as u64);
                record::with(|recorder| recorder.thread().joins = Some(number));
                let result = step.run(|| handle.join());
                record::with(|recorder| {
                    recorder.learn_from(number);
                    // Whoever joins is told what the body panicked with, and of nothing else.
                    if matches!(result, Ok(Err(_))) {
                        recorder.threads[number].panic = None;
                    }
                });
                step.end(Action::Join(number), 0);
                result.and_then(|inner| inner)
            }
        }
    }

    /// A handle to the thread.
    pub fn thread(&self) -> &Thread {
        match &self.inner {
            Join::Std { thread, .. } | Join::Model { thread, .. } => thread,
        }
    }

    fn from_std(handle: std::thread::JoinHandle<T>) -> Self {
        let thread = Thread { inner: Which::Std(handle.thread().clone()) };
        Self { inner: Join::Std { handle, thread } }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

impl Thread {
    /// Tells this thread from others.
    pub fn id(&self) -> ThreadId {
        ThreadId(match &self.inner {
            Which::Std(thread) => Id::Std(thread.id()),
            Which::Model { number, .. } => Id::Model(*number),
        })
    }

    /// The thread's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        match &self.inner {
            Which::Std(thread) => thread.name(),
            Which::Model { name, .. } => name.as_deref(),
        }
    }

    /// Wakes the thread from [`park`], now or the next time it parks.
    #[track_caller]
    pub fn unpark(&self) {
        match &self.inner {
            Which::Std(thread) => thread.unpark(),
            Which::Model { number, .. } => waiting::unpark(*number, Location::caller()),
        }
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// A handle to the thread that calls.
pub fn current() -> Thread {
    let inner = record::with(|recorder| {
        let number = recorder.current();
        (number, Some(recorder.thread().name.clone()))
    })
    .map_or_else(
        || Which::Std(std::thread::current()),
        |(number, name)| Which::Model { number, name },
    );
    Thread { inner }
}

/// Blocks until somebody calls [`Thread::unpark`] on this thread, or has done so already.
#[track_caller]
pub fn park() {
    if !record::active() {
        return std::thread::park();
    }
    waiting::park(Location::caller(), "park", Or::Nothing);
}

/// Like [`park`], but for no longer than `duration`. In a model there is no time: this may be over
/// at any moment, with somebody's `unpark` or without.
#[track_caller]
pub fn park_timeout(duration: Duration) {
    if record::active() {
        waiting::park(Location::caller(), "park_timeout", Or::TimeIsUp);
    } else {
        std::thread::park_timeout(duration);
    }
}

/// Whether the calling thread unwinds.
pub fn panicking() -> bool {
    if record::active() { unwinding::unwinds() } else { std::thread::panicking() }
}

/// Lets another thread run.
#[track_caller]
pub fn yield_now() {
    if !record::active() {
        return std::thread::yield_now();
    }
    let site = Location::caller();
    let step = Step::begin(site, "yield", None, 0);
    step.yield_if_spinning(site);
    step.end(Action::Yield, 0);
}

/// Sleeps; in a model there is no time, and this is [`yield_now`].
#[track_caller]
pub fn sleep(duration: Duration) {
    if record::active() {
        yield_now();
    } else {
        std::thread::sleep(duration);
    }
}

/// How many threads can run at once; in a model, 2.
///
/// # Errors
///
/// Outside a model, what the operating system says.
pub fn available_parallelism() -> io::Result<NonZeroUsize> {
    if record::active() {
        return Ok(const { NonZeroUsize::new(2).unwrap() });
    }
    std::thread::available_parallelism()
}
