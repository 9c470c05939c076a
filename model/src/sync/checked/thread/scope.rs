//! Threads that may borrow.

use std::any::Any;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Builder, JoinHandle, Result, Thread};
use crate::kernel::object::Delivery;
use crate::kernel::{Handle, Made, Site};

/// Where threads can be spawned that borrow what outlives the scope.
pub struct Scope<'scope, 'env: 'scope> {
    /// Waits for the threads, and says whether one panicked that has not been joined.
    threads: ManuallyDrop<Mutex<Vec<Join<'scope>>>>,
    _borrows: PhantomData<&'scope mut &'scope ()>,
    _outlives: PhantomData<&'env mut &'env ()>,
}

type Join<'scope> = Box<dyn FnOnce() -> bool + Send + 'scope>;

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
    let scope =
        Scope { threads: ManuallyDrop::default(), _borrows: PhantomData, _outlives: PhantomData };
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    let mut panicked = false;
    loop {
        // A thread may have spawned more of them meanwhile.
        let lock = || scope.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = std::mem::take(&mut *lock());
        if threads.is_empty() {
            break;
        }
        for join in threads {
            panicked |= join();
        }
    }
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
        let delivery = Handle::new(site, || Made::Object(Delivery::default().into()));
        // SAFETY: what `f` borrows outlives `'scope`, and `scope` returns only when the thread has ended, in
        // an exploration when its result is delivered. If the execution is over before that, the engine
        // unwinds a thread before the one that spawned it.
        let handle = unsafe { builder.spawn_unbounded(f, delivery, site) }?;
        let thread = handle.thread().clone();
        let handle = Arc::new(Mutex::new(Some(handle)));
        let own = Arc::clone(&handle);
        let join = move || take(&own).is_some_and(|handle| handle.await_delivery(delivery, site));
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(join));
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
