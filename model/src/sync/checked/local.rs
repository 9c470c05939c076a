//! Thread-local values: of the thread of the model in a model, of the OS thread outside.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::{ManuallyDrop, needs_drop};

use super::record;

/// A thread-local value, declared by [`thread_local!`](crate::sync::thread_local).
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
}

/// The error of accessing a thread-local value that is already destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl std::error::Error for AccessError {}

pub(crate) type Locals = Vec<(usize, Option<Local>)>;

/// A value, and whether its thread must drop it before it ends.
pub(crate) struct Local {
    value: Box<dyn Any>,
    needs_drop: bool,
}

std::thread_local! {
    static OF_THE_OS_THREAD: RefCell<Locals> = const { RefCell::new(Vec::new()) };
    /// Those without a destructor: of use as long as the thread is, as in `std`. Their memory is
    /// not given back.
    static TO_ITS_END: ManuallyDrop<RefCell<Locals>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> Self {
        Self { init }
    }

    /// Calls `f` with this thread's value, which is initialised by the first call.
    ///
    /// # Panics
    ///
    /// If the value is already destroyed.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => panic!("cannot access a thread-local value: {error}"),
        }
    }

    /// Calls `f` with this thread's value, which is initialised by the first call.
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

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    fn find(&'static self) -> Result<Option<*const T>, AccessError> {
        let key = self.key();
        locals(needs_drop::<T>(), |locals| match locals.iter().find(|(other, _)| *other == key) {
            None => Ok(None),
            Some((_, None)) => Err(AccessError),
            Some((_, Some(local))) => Ok(local.value.downcast_ref::<T>().map(std::ptr::from_ref)),
        })
        .unwrap_or(Err(AccessError))
    }

    fn insert(&'static self, value: Box<T>) -> *const T {
        let pointer = std::ptr::from_ref(&*value);
        let key = self.key();
        let needs_drop = needs_drop::<T>();
        locals(needs_drop, |locals| locals.push((key, Some(Local { value, needs_drop }))));
        pointer
    }
}

/// Calls `f` with the values of the thread that runs, in a model all of them and elsewhere those of
/// this kind; `None` once an OS thread has lost them.
fn locals<R>(needs_drop: bool, f: impl FnOnce(&mut Locals) -> R) -> Option<R> {
    let mut f = Some(f);
    let in_model = record::with(|recorder| {
        let f = f.take()?;
        Some(f(&mut recorder.thread().locals))
    });
    in_model.flatten().or_else(|| {
        let f = f?;
        if needs_drop {
            OF_THE_OS_THREAD.try_with(|locals| f(&mut locals.borrow_mut())).ok()
        } else {
            TO_ITS_END.with(|locals| Some(f(&mut locals.borrow_mut())))
        }
    })
}

/// Destroys the values of the model's thread that runs, newest first.
pub(crate) fn drop_locals() {
    loop {
        let next = record::with(|recorder| {
            let locals = &mut recorder.thread().locals;
            // Those without a destructor stay as long as the thread, as in `std`.
            locals.iter_mut().rev().find_map(|(_, value)| value.take_if(|local| local.needs_drop))
        });
        // Dropped here, with the recorder free again: a destructor may run operations.
        match next.flatten() {
            Some(value) => drop(value),
            None => return,
        }
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Replaces this thread's value.
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
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

    /// Replaces this thread's value.
    pub fn set(&'static self, value: T) {
        self.with(|cell| *cell.borrow_mut() = value);
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
