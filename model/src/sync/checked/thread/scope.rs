//! Threads that may borrow.

use std::any::Any;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::{Builder, Delivers, JoinHandle, Result, Thread};
use crate::kernel::Site;

/// Where threads can be spawned that borrow what outlives the scope.
pub struct Scope<'scope, 'env: 'scope> {
    threads: ManuallyDrop<Mutex<Vec<Spawned<'scope>>>>,
    /// Outside an exploration: how many closures have not returned.
    running: Arc<Running>,
    _borrows: PhantomData<&'scope mut &'scope ()>,
    _outlives: PhantomData<&'env mut &'env ()>,
}

/// A thread of the scope.
struct Spawned<'scope> {
    /// In an exploration.
    thread: Option<(Delivers, Site)>,
    /// Whether it panicked and has not been joined. The closure has returned before.
    panicked: Box<dyn FnOnce() -> bool + Send + 'scope>,
}

#[derive(Default)]
struct Running {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Running {
    fn begin(this: &Arc<Self>) -> Ends {
        *this.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ends(Arc::clone(this))
    }

    fn wait(&self) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let none = self.changed.wait_while(count, |count| *count > 0);
        drop(none.unwrap_or_else(PoisonError::into_inner));
    }
}

/// A closure that has not returned.
struct Ends(Arc<Running>);

impl Drop for Ends {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.changed.notify_all();
    }
}

/// The right to wait for a thread of a [`Scope`].
pub struct ScopedJoinHandle<'scope, T> {
    handle: Shared<T>,
    thread: Thread,
    _borrows: PhantomData<&'scope ()>,
    /// It is not `UnwindSafe` nor `RefUnwindSafe`, as in `std`.
    _any: PhantomData<Box<dyn Any + Send + Sync>>,
}

/// A handle that the scope has too; taken by what joins first.
type Shared<T> = Arc<Mutex<Option<JoinHandle<T>>>>;

fn take<T>(handle: &Shared<T>) -> Option<JoinHandle<T>> {
    handle.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Runs `f`, and waits until the closures of all threads have returned that it spawned in the scope. As in `std`,
/// destructors of their thread-local values may run later; [`ScopedJoinHandle::join`] waits for these too.
///
/// # Panics
///
/// If `f` does, or a thread that `f` has not joined.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let scope = Scope {
        threads: ManuallyDrop::default(),
        running: Arc::default(),
        _borrows: PhantomData,
        _outlives: PhantomData,
    };
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    let threads = || scope.threads.lock().unwrap_or_else(PoisonError::into_inner);
    // A thread may spawn more of them, and join others: nothing is taken from their handles before all have ended.
    let mut awaited = 0;
    loop {
        let next = threads().get(awaited).map(|spawned| spawned.thread);
        let Some(thread) = next else { break };
        if let Some((thread, site)) = thread {
            thread.wait(site);
        }
        awaited += 1;
    }
    scope.running.wait();
    let threads = std::mem::take(&mut *threads());
    let panicked = threads.into_iter().fold(false, |any, spawned| (spawned.panicked)() | any);
    match result {
        Err(payload) => resume_unwind(payload),
        Ok(_) if panicked => panic!("a scoped thread panicked"),
        Ok(result) => result,
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread.
    ///
    /// # Panics
    ///
    /// Outside an exploration, if the operating system cannot start a thread.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let spawned = self.spawn_as(Builder::new(), f, Location::caller());
        spawned.expect("failed to spawn a thread")
    }

    pub(super) fn spawn_as<F, T>(
        &'scope self,
        builder: Builder,
        f: F,
        site: Site,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let ends = crate::kernel::with(|_| ()).is_none().then(|| Running::begin(&self.running));
        let f = || {
            let _ends = ends;
            f()
        };
        // SAFETY: what `f` borrows outlives `'scope`, and `scope` returns only when the closure has returned. If the
        // execution is over before that, the engine unwinds a thread before the one that spawned it.
        let handle = unsafe { builder.spawn_unbounded(f, site) }?;
        let (thread, delivers) = (handle.thread().clone(), handle.delivers().ok());
        let handle = Arc::new(Mutex::new(Some(handle)));
        let own = Arc::clone(&handle);
        let panicked = Box::new(move || take(&own).is_some_and(JoinHandle::has_panicked));
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(Spawned { thread: delivers.map(|thread| (thread, site)), panicked });
        drop(threads);
        Ok(ScopedJoinHandle { handle, thread, _borrows: PhantomData, _any: PhantomData })
    }
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the thread to end and returns what it returned.
    ///
    /// # Errors
    ///
    /// What the thread panicked with.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        match take(&self.handle) {
            Some(handle) => handle.join_at(Location::caller()),
            None => unreachable!("the scope joins only when it ends"),
        }
    }

    /// Whether the thread's closure has returned, or panicked: see [`JoinHandle::is_finished`].
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = handle
            .as_ref()
            .map(|handle| handle.delivers().map_err(std::thread::JoinHandle::is_finished));
        drop(handle);
        match thread {
            Some(Ok(thread)) => thread.is_finished(Location::caller()),
            Some(Err(finished)) => finished,
            None => unreachable!("the scope joins only when it ends"),
        }
    }

    /// A handle to the thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}
