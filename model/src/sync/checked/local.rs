//! Thread-local values: of a thread of an exploration inside one, of the OS thread outside.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::{ManuallyDrop, needs_drop};

use crate::kernel::{self, Local, Locals};

/// A thread-local value, declared by [`thread_local!`](crate::sync::thread_local).
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
}

/// The value is gone: its thread is about to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessError(());

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl std::error::Error for AccessError {}

std::thread_local! {
    /// Never dropped: values without a destructor can be used as long as their thread runs, as in `std`.
    static OF_THE_OS_THREAD: ManuallyDrop<RefCell<Locals>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
    /// Drops the others.
    static AT_THE_END: AtTheEnd = const { AtTheEnd };
}

/// Destroys the values of an OS thread that ends.
struct AtTheEnd;

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        drop_locals();
    }
}

/// Calls `f` with the values of the thread that runs.
fn locals<R>(f: impl FnOnce(&mut Locals) -> R) -> Option<R> {
    let (mut f, mut result) = (Some(f), None);
    let in_model = kernel::with(|engine| {
        engine.locals(&mut |locals| result = f.take().map(|f| f(locals)));
    });
    if in_model.is_some() {
        return result;
    }
    let f = f?;
    OF_THE_OS_THREAD.try_with(|locals| f(&mut locals.borrow_mut())).ok()
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> Self {
        Self { init }
    }

    /// Calls `f` with this thread's value, which is made on the first call.
    ///
    /// # Panics
    ///
    /// If the value is already destroyed.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.try_with(f).unwrap_or_else(|error| destroyed(error))
    }

    /// Calls `f` with this thread's value, which is made on the first call.
    ///
    /// # Errors
    ///
    /// [`AccessError`] if the value is already destroyed.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let value = match self.find()? {
            Some(value) => value,
            None => self.insert(Box::new((self.init)())),
        };
        // SAFETY: the box is this thread's and stays where it is until the thread ends, which it
        // cannot do before `f` has returned.
        Ok(f(unsafe { &*value }))
    }

    /// Puts `value` there by `replace`, or makes `first` of it the value if there is none.
    fn put<V>(&'static self, value: V, first: impl FnOnce(V) -> T, replace: impl FnOnce(&T, V)) {
        match self.find() {
            // SAFETY: as in `try_with`.
            Ok(Some(there)) => replace(unsafe { &*there }, value),
            Ok(None) => {
                self.insert(Box::new(first(value)));
            }
            Err(error) => destroyed(error),
        }
    }

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn find(&'static self) -> Result<Option<*const T>, AccessError> {
        let key = self.key();
        let found = locals(|locals| match locals.iter().find(|local| local.key == key) {
            None => Ok(None),
            Some(Local { value: None, .. }) => Err(AccessError(())),
            Some(Local { value: Some(value), .. }) => {
                Ok(value.downcast_ref::<T>().map(std::ptr::from_ref))
            }
        });
        found.unwrap_or(Err(AccessError(())))
    }

    fn insert(&'static self, value: Box<T>) -> *const T {
        let pointer = std::ptr::from_ref(&*value);
        let (key, needs_drop) = (self.key(), needs_drop::<T>());
        if needs_drop && kernel::with(|_| ()).is_none() {
            // Once it has begun, `drop_locals` meets this value too.
            let _ = AT_THE_END.try_with(|_| ());
        }
        locals(|locals| locals.push(Local { key, value: Some(value), needs_drop }));
        pointer
    }
}

/// Destroys the values of the thread that runs, of an exploration, newest first. Those without a
/// destructor stay as long as the thread, as in `std`.
pub fn drop_locals() {
    loop {
        let next = locals(|locals| {
            let mut with_drop = locals.iter_mut().rev().filter(|local| local.needs_drop);
            with_drop.find_map(|local| local.value.take())
        });
        // Dropped here: a destructor may take steps, and use other values.
        match next.flatten() {
            Some(value) => drop(value),
            None => return,
        }
    }
}

/// # Panics
///
/// Always.
fn destroyed(error: AccessError) -> ! {
    panic!("cannot access a thread-local value: {error}");
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Replaces this thread's value. If there is none yet, it is not made first.
    pub fn set(&'static self, value: T) {
        self.put(value, Cell::new, Cell::set);
    }

    /// A copy of this thread's value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes this thread's value and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Replaces this thread's value and returns the old one.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with this thread's value, borrowed.
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with this thread's value, borrowed mutably.
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Replaces this thread's value. If there is none yet, it is not made first.
    ///
    /// # Panics
    ///
    /// If the value is borrowed.
    pub fn set(&'static self, value: T) {
        self.put(value, RefCell::new, |cell, value| *cell.borrow_mut() = value);
    }

    /// Replaces this thread's value and returns the old one.
    ///
    /// # Panics
    ///
    /// If the value is borrowed.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }

    /// Takes this thread's value and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// Declares thread-local values, like `std::thread_local!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_local {
    () => {};
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = const $init:block $(; $($rest:tt)*)?) => {
        $(#[$attr])* $vis static $name: $crate::sync::thread::LocalKey<$t> =
            $crate::sync::thread::LocalKey::new(|| $init);
        $($crate::__thread_local! { $($rest)* })?
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$attr])* $vis static $name: $crate::sync::thread::LocalKey<$t> =
            $crate::sync::thread::LocalKey::new(|| $init);
        $($crate::__thread_local! { $($rest)* })?
    };
}
