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

/// A handle to join a thread.
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
    inner: Inner,
}

#[derive(Clone)]
enum Inner {
    Std(std::thread::Thread),
    Model { number: usize, name: Option<String> },
}

/// The identifier of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(Id);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Id {
    Std(std::thread::ThreadId),
    Model(usize),
}

/// A builder of threads, with a name and a stack size.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A builder without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the thread, which traces show.
    #[must_use]
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the size of the stack, in bytes. Ignored in a model, where each thread has 32 KiB.
    #[must_use]
    pub fn stack_size(mut self, size: usize) -> Self {
        self.stack_size = Some(size);
        self
    }

    /// Spawns the thread. In a model, a panic in a thread that is not joined fails the model.
    ///
    /// # Errors
    ///
    /// Outside a model, if the operating system fails to spawn a thread.
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

/// Spawns a thread. In a model, this is a scheduling point, and a panic in a thread that is not joined fails
/// the model.
///
/// # Panics
///
/// Outside a model, if the operating system fails to spawn a thread.
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
        let label = name.clone().unwrap_or_else(|| format!("thread{}", recorder.threads.len()));
        let number = recorder.add_thread(label);
        recorder.threads[number].unnamed = name.is_none();
        number
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
            record::with(|recorder| {
                recorder.thread().ended = true;
                recorder.note(site, None, Action::End);
            });
            result
        })
    });
    step.end(Action::Spawn(number), number as u64);
    let thread = Thread { inner: Inner::Model { number, name } };
    JoinHandle { inner: Join::Model { number, handle, thread } }
}

impl<T> JoinHandle<T> {
    /// Blocks until the thread has ended, and returns its result.
    ///
    /// # Errors
    ///
    /// The payload of the panic, if the thread panicked.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        match self.inner {
            Join::Std { handle, .. } => handle.join(),
            Join::Model { number, handle, .. } => {
                let step = Step::begin(Location::caller(), "join", None, number as u64);
                record::with(|recorder| recorder.thread().joins = Some(number));
                let result = step.run(|| handle.join());
                record::with(|recorder| {
                    recorder.join(number);
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
        let thread = Thread { inner: Inner::Std(handle.thread().clone()) };
        Self { inner: Join::Std { handle, thread } }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

impl Thread {
    /// The identifier of the thread.
    pub fn id(&self) -> ThreadId {
        ThreadId(match &self.inner {
            Inner::Std(thread) => Id::Std(thread.id()),
            Inner::Model { number, .. } => Id::Model(*number),
        })
    }

    /// The name of the thread, if it has one.
    pub fn name(&self) -> Option<&str> {
        match &self.inner {
            Inner::Std(thread) => thread.name(),
            Inner::Model { name, .. } => name.as_deref(),
        }
    }

    /// Makes the token of the thread available: wakes it from [`park`], now or the next time that it parks.
    #[track_caller]
    pub fn unpark(&self) {
        match &self.inner {
            Inner::Std(thread) => thread.unpark(),
            Inner::Model { number, .. } => waiting::unpark(*number, Location::caller()),
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

/// A handle to the calling thread.
pub fn current() -> Thread {
    let inner = record::with(|recorder| {
        let number = recorder.current();
        let thread = recorder.thread();
        (number, (!thread.unnamed).then(|| thread.name.clone()))
    })
    .map_or_else(
        || Inner::Std(std::thread::current()),
        |(number, name)| Inner::Model { number, name },
    );
    Thread { inner }
}

/// Blocks until the token of the calling thread is available, and consumes it: see [`Thread::unpark`]. May
/// also return spuriously; a model explores both, up to the bound of `Model::spurious`.
#[track_caller]
pub fn park() {
    if !record::active() {
        return std::thread::park();
    }
    waiting::park(Location::caller(), "park", Or::Nothing);
}

/// Like [`park`], with a timeout. In a model, which has no time, it may time out at any point.
#[track_caller]
pub fn park_timeout(duration: Duration) {
    if record::active() {
        waiting::park(Location::caller(), "park_timeout", Or::TimeIsUp);
    } else {
        std::thread::park_timeout(duration);
    }
}

/// Whether the calling thread is unwinding.
pub fn panicking() -> bool {
    if record::active() { unwinding::unwinds() } else { std::thread::panicking() }
}

/// Yields to another thread.
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

/// Sleeps. In a model, which has no time, this is [`yield_now`].
#[track_caller]
pub fn sleep(duration: Duration) {
    if record::active() {
        yield_now();
    } else {
        std::thread::sleep(duration);
    }
}

/// The number of threads that can run in parallel; in a model, 2.
///
/// # Errors
///
/// Outside a model, if the operating system does not tell.
pub fn available_parallelism() -> io::Result<NonZeroUsize> {
    if record::active() {
        return Ok(const { NonZeroUsize::new(2).unwrap() });
    }
    std::thread::available_parallelism()
}
