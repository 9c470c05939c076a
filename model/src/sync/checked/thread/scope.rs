//! Threads that may borrow.

use std::any::Any;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::{Builder, Delivers, JoinHandle, Result, Thread};
use crate::kernel::Site;

/// Where threads can be spawned that borrow what outlives the scope.
pub struct Scope<'scope, 'env: 'scope> {
    /// In an exploration: the threads.
    threads: Mutex<Vec<Spawned>>,
    /// How many closures have panicked of which no join has been told.
    panicked: AtomicUsize,
    /// Outside an exploration: how many closures have not returned.
    running: Arc<Running>,
    _borrows: PhantomData<&'scope mut &'scope ()>,
    _outlives: PhantomData<&'env mut &'env ()>,
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

/// A thread of the scope. First a pointer: two small numbers are taken for the counts of an `Arc` of `std`.
#[repr(C)]
struct Spawned {
    site: Site,
    thread: Delivers,
}

/// Counts a panic of the closure in which it is dropped.
struct CountsPanic<'scope>(&'scope AtomicUsize);

impl Drop for CountsPanic<'_> {
    fn drop(&mut self) {
        // Relaxed: the scope reads it when the closure has returned.
        self.0.fetch_add(usize::from(std::thread::panicking()), Relaxed);
    }
}

/// The right to wait for a thread of a [`Scope`].
pub struct ScopedJoinHandle<'scope, T> {
    handle: JoinHandle<T>,
    /// That of the scope.
    panicked: &'scope AtomicUsize,
    /// It is not `UnwindSafe` nor `RefUnwindSafe`, as in `std`.
    _any: PhantomData<Box<dyn Any + Send + Sync>>,
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
        threads: Mutex::default(),
        panicked: AtomicUsize::new(0),
        running: super::super::own(Arc::default()),
        _borrows: PhantomData,
        _outlives: PhantomData,
    };
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    // A thread may spawn more of them, of higher numbers, until its closure has returned. In which order they are noted is
    // no part of an execution, so the lowest number comes first.
    let next = || {
        let mut threads = scope.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let lowest = (0..threads.len()).min_by_key(|&at| threads[at].thread.child)?;
        Some(threads.swap_remove(lowest))
    };
    while let Some(Spawned { site, thread }) = next() {
        thread.wait(site);
    }
    scope.running.wait();
    let panicked = scope.panicked.load(Relaxed) > 0;
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
        let f = move || {
            let _ends = ends;
            let _counts_panic = CountsPanic(&self.panicked);
            f()
        };
        // SAFETY: what `f` borrows outlives `'scope`, and `scope` returns only when the closure has returned. If the
        // execution is over before that, the engine unwinds a thread before the one that spawned it.
        let handle = unsafe { builder.spawn_unbounded(f, site) }?;
        if let Ok(thread) = handle.delivers() {
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            threads.push(Spawned { site, thread });
        }
        Ok(ScopedJoinHandle { handle, panicked: &self.panicked, _any: PhantomData })
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
        let result = self.handle.join_at(Location::caller());
        // Relaxed: the scope reads it when its closures have returned, of which one has joined.
        self.panicked.fetch_sub(usize::from(result.is_err()), Relaxed);
        result
    }

    /// Whether the thread's closure has returned, or panicked: see [`JoinHandle::is_finished`].
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// A handle to the thread.
    pub fn thread(&self) -> &Thread {
        self.handle.thread()
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
