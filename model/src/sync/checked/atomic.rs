//! Atomic types and fences.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{self as std_atomic, AtomicBool as Flag};

pub use std::sync::atomic::Ordering;

use super::mutant;
use super::place::{Item, Kind, Place, here};
use crate::kernel::{self, Access, Engine, LocationId, Made, Operation, Rmw, Site, Turn, Update};
use crate::mutation::{Change, of_load, of_store};

mod word;

pub use word::Word;

/// A value of type `T` that threads may share and change; `AtomicU64` is `Atomic<u64>`.
pub struct Atomic<T: Word> {
    model: Place<Value<T>>,
    /// The value may have been changed through [`get_mut`](Self::get_mut), and is what the location, on
    /// which there has been no operation, starts with.
    renewed: Flag,
}

/// The value outside an exploration; inside, what the location starts with.
pub(super) struct Value<T: Word>(T::Std);

impl<T: Word> Value<T> {
    fn get(&self) -> T {
        T::std_load(&self.0, Ordering::Relaxed)
    }
}

impl<T: Word> Kind for Value<T> {
    const WHAT: &'static str = "an atomic";
    fn made(&self) -> Made {
        Made::Atomic { value: self.get().to_word(), kind: T::KIND }
    }
}

/// The name that `compare_exchange` and `compare_exchange_weak` have for mutants.
const EXCHANGE: &str = "compare_exchange";

/// An [`Atomic`] boolean.
pub type AtomicBool = Atomic<bool>;
/// An [`Atomic`] raw pointer.
pub type AtomicPtr<T> = Atomic<*mut T>;
/// An [`Atomic`] `u8`.
pub type AtomicU8 = Atomic<u8>;
/// An [`Atomic`] `u16`.
pub type AtomicU16 = Atomic<u16>;
/// An [`Atomic`] `u32`.
pub type AtomicU32 = Atomic<u32>;
/// An [`Atomic`] `u64`.
pub type AtomicU64 = Atomic<u64>;
/// An [`Atomic`] `usize`.
pub type AtomicUsize = Atomic<usize>;
/// An [`Atomic`] `i8`.
pub type AtomicI8 = Atomic<i8>;
/// An [`Atomic`] `i16`.
pub type AtomicI16 = Atomic<i16>;
/// An [`Atomic`] `i32`.
pub type AtomicI32 = Atomic<i32>;
/// An [`Atomic`] `i64`.
pub type AtomicI64 = Atomic<i64>;
/// An [`Atomic`] `isize`.
pub type AtomicIsize = Atomic<isize>;

impl<T: Word> Item for Atomic<T> {
    type Kind = Value<T>;

    fn place(&self) -> &Place<Value<T>> {
        &self.model
    }
}

impl<T: Word> Atomic<T> {
    const fn at(value: T::Std, site: Site) -> Self {
        Self { model: Place::new(Value(value), site), renewed: Flag::new(false) }
    }

    fn std(&self) -> &T::Std {
        &self.model.kind.0
    }

    /// Calls `f` with the engine and the location; `None` outside an exploration.
    fn in_model<R>(&self, f: impl FnOnce(&dyn Engine, LocationId) -> R) -> Option<R> {
        let this = here(self);
        this.model.with(|engine, location| {
            // Relaxed: threads of an exploration share an OS thread.
            if this.renewed.load(Ordering::Relaxed) {
                this.renewed.store(false, Ordering::Relaxed);
                engine.start_with(location, this.model.kind.get().to_word());
            }
            f(engine, location)
        })
    }

    /// A pointer to the value, outside an exploration.
    ///
    /// # Panics
    ///
    /// In an exploration the model is wrong: accesses through the pointer would be invisible.
    pub fn as_ptr(&self) -> *mut T {
        self.in_model(|engine, _| {
            engine.misuse("as_ptr of an atomic is used in a model: accesses through the pointer are invisible to it".into())
        });
        T::std_as_ptr(self.std())
    }

    /// Takes the value out; no other thread can have access any more.
    #[track_caller]
    pub fn into_inner(self) -> T {
        let value = self.in_model(|engine, location| T::from_word(engine.newest(location)));
        value.unwrap_or_else(|| self.model.kind.get())
    }

    /// The value, reached without synchronisation: no other thread can have access.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        let site = Location::caller();
        let newest = self.in_model(|engine, location| engine.newest(location));
        if let Some(newest) = newest {
            *T::std_get_mut(&mut self.model.kind.0) = T::from_word(newest);
            // The end of the old location is the access.
            kernel::with(|engine| self.model.renew(engine, site));
            *self.renewed.get_mut() = true;
        }
        T::std_get_mut(&mut self.model.kind.0)
    }

    /// Calls `f` with the value, reached without synchronisation: no other thread can have access.
    #[track_caller]
    pub fn with_mut<R>(&mut self, f: impl FnOnce(&mut T) -> R) -> R {
        f(self.get_mut())
    }

    /// Reads the value without synchronisation, as plain memory. In an exploration it is a data race with any
    /// write that does not happen before it.
    ///
    /// # Safety
    ///
    /// No thread may write at the same time.
    #[track_caller]
    pub unsafe fn unsync_load(&self) -> T {
        let site = Location::caller();
        let value = self.load_at(Ordering::Relaxed, site);
        self.in_model(|engine, location| engine.access(location, Access::Read, site));
        value
    }

    /// Reads the value.
    ///
    /// # Panics
    ///
    /// If `order` is `Release` or `AcqRel`, as in `std`.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> T {
        assert!(
            !matches!(order, Ordering::Release | Ordering::AcqRel),
            "a load cannot have the ordering {order:?}: use Relaxed, Acquire or SeqCst"
        );
        let site = Location::caller();
        self.load_at(mutant::ordering(site, "load", order), site)
    }

    /// Reads the value; no mutant changes it.
    fn load_at(&self, order: Ordering, site: Site) -> T {
        let word = self
            .in_model(|engine, location| engine.step(Operation::Load { location, order }, site));
        word.map_or_else(|| T::std_load(self.std(), order), T::from_word)
    }

    /// Writes `value`.
    ///
    /// # Panics
    ///
    /// If `order` is `Acquire` or `AcqRel`, as in `std`.
    #[track_caller]
    pub fn store(&self, value: T, order: Ordering) {
        assert!(
            !matches!(order, Ordering::Acquire | Ordering::AcqRel),
            "a store cannot have the ordering {order:?}: use Relaxed, Release or SeqCst"
        );
        let site = Location::caller();
        self.store_at(value, mutant::ordering(site, "store", order), site);
    }

    /// The value for the formatter, which calls from inside `std`: so the load is shown where the atomic was made.
    fn shown(&self) -> T {
        self.load_at(Ordering::Relaxed, self.model.site())
    }

    /// Writes `value`; no mutant changes it.
    fn store_at(&self, value: T, order: Ordering, site: Site) {
        let in_model = self.in_model(|engine, location| {
            engine.step(Operation::Store { location, value: value.to_word(), order }, site)
        });
        if in_model.is_none() {
            T::std_store(self.std(), value, order);
        }
    }

    /// A read-modify-write; returns the value before, as `Err` if nothing was written.
    fn update_at(
        &self,
        rmw: Rmw,
        success: Ordering,
        failure: Ordering,
        site: Site,
    ) -> Result<T, T> {
        let update = Update { rmw, shape: T::SHAPE };
        let old = self.in_model(|engine, location| {
            let operation = Operation::Update { location, update, success, failure };
            let old = engine.step(operation, site);
            let fails = operation.is_weak_exchange() && engine.fails_spuriously();
            (old, update.apply(old).is_some() && !fails)
        });
        let Some((old, writes)) = old else { return self.update_std(update, success, failure) };
        let old = T::from_word(old);
        if writes { Ok(old) } else { Err(old) }
    }

    /// A mutant: a read-modify-write as a load and a store.
    fn split(&self, rmw: Rmw, order: Ordering, site: Site) -> Result<T, T> {
        let old = self.load_at(of_load(order), site);
        match (Update { rmw, shape: T::SHAPE }).apply(old.to_word()) {
            Some(new) => {
                self.store_at(T::from_word(new), of_store(order), site);
                Ok(old)
            }
            None => Err(old),
        }
    }

    /// A `compare_exchange` or `compare_exchange_weak`.
    #[track_caller]
    fn exchange(&self, rmw: Rmw, new: u64, success: Ordering, failure: Ordering) -> Result<T, T> {
        assert!(
            !matches!(failure, Ordering::Release | Ordering::AcqRel),
            "a compare_exchange cannot fail with {failure:?}: use Relaxed, Acquire or SeqCst"
        );
        let site = Location::caller();
        match mutant::change(site, EXCHANGE, &[success, failure]) {
            Some(Change::Success(success)) => self.update_at(rmw, success, failure, site),
            Some(Change::Failure(failure)) => self.update_at(rmw, success, failure, site),
            Some(Change::Split) => self.split(rmw, success, site),
            Some(Change::Always) => self.update_at(Rmw::Swap(new), success, failure, site),
            _ => self.update_at(rmw, success, failure, site),
        }
    }

    /// Outside an exploration.
    fn update_std(&self, update: Update, success: Ordering, failure: Ordering) -> Result<T, T> {
        let mut old = T::std_load(self.std(), failure);
        loop {
            let Some(new) = update.apply(old.to_word()) else { return Err(old) };
            match T::std_exchange(self.std(), old, T::from_word(new), success, failure) {
                Ok(old) => return Ok(old),
                Err(found) => old = found,
            }
        }
    }

    /// One that cannot fail.
    fn fetch(&self, name: &'static str, rmw: Rmw, order: Ordering, site: Site) -> T {
        let order = match mutant::change(site, name, &[order]) {
            Some(Change::Split) => {
                let (Ok(old) | Err(old)) = self.split(rmw, order, site);
                return old;
            }
            Some(Change::Weaker(weaker)) => weaker,
            _ => order,
        };
        let (Ok(old) | Err(old)) = self.update_at(rmw, order, Ordering::Relaxed, site);
        old
    }

    /// Writes `value` and returns the value before it.
    #[track_caller]
    pub fn swap(&self, value: T, order: Ordering) -> T {
        self.fetch("swap", Rmw::Swap(value.to_word()), order, Location::caller())
    }

    /// Writes `new` if the value is `current`.
    ///
    /// # Errors
    ///
    /// The value found, if it is not `current`.
    ///
    /// # Panics
    ///
    /// If `failure` is `Release` or `AcqRel`, as in `std`.
    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: T,
        new: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T> {
        let (current, new) = (current.to_word(), new.to_word());
        let rmw = Rmw::CompareExchange { current, new };
        self.exchange(rmw, new, success, failure)
    }

    /// Like [`compare_exchange`](Self::compare_exchange), but it may also fail without a cause. In an
    /// exploration it does both.
    ///
    /// # Errors
    ///
    /// The value found, which may be `current`.
    ///
    /// # Panics
    ///
    /// If `failure` is `Release` or `AcqRel`, as in `std`.
    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        current: T,
        new: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T> {
        let site = Location::caller();
        let (current, new) = (current.to_word(), new.to_word());
        let may_fail = self.in_model(|engine, _| {
            let may_fail = engine.policy().spurious;
            if may_fail {
                engine.turn(Turn::Again, site);
            }
            may_fail
        });
        let rmw = match may_fail {
            Some(true) => Rmw::CompareExchangeWeak { current, new },
            _ => Rmw::CompareExchange { current, new },
        };
        self.exchange(rmw, new, success, failure)
    }

    /// Writes `new` if the value is `current`; returns the value before.
    #[doc(hidden)]
    #[track_caller]
    pub fn compare_and_swap(&self, current: T, new: T, order: Ordering) -> T {
        let (Ok(value) | Err(value)) = self.compare_exchange(current, new, order, of_load(order));
        value
    }

    /// Applies `f` until it returns `None` or its result could be written over the value it was
    /// computed from. Returns the value before.
    ///
    /// # Errors
    ///
    /// The value for which `f` returned `None`.
    #[track_caller]
    pub fn fetch_update(
        &self,
        set_order: Ordering,
        fetch_order: Ordering,
        mut f: impl FnMut(T) -> Option<T>,
    ) -> Result<T, T> {
        let mut before = self.load(fetch_order);
        while let Some(after) = f(before) {
            // One that fails without a cause would only be tried again.
            match self.compare_exchange(before, after, set_order, fetch_order) {
                Ok(value) => return Ok(value),
                Err(found) => before = found,
            }
        }
        Err(before)
    }

    /// The same as [`fetch_update`](Self::fetch_update).
    ///
    /// # Errors
    ///
    /// The value for which `f` returned `None`.
    #[track_caller]
    pub fn try_update(
        &self,
        set_order: Ordering,
        fetch_order: Ordering,
        f: impl FnMut(T) -> Option<T>,
    ) -> Result<T, T> {
        self.fetch_update(set_order, fetch_order, f)
    }

    /// Applies `f` until its result could be written over the value it was computed from. Returns the
    /// value before.
    #[track_caller]
    pub fn update(
        &self,
        set_order: Ordering,
        fetch_order: Ordering,
        mut f: impl FnMut(T) -> T,
    ) -> T {
        let (Ok(old) | Err(old)) =
            self.fetch_update(set_order, fetch_order, |value| Some(f(value)));
        old
    }
}

/// By a relaxed load, as in `std`.
impl<T: Word + fmt::Debug> fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

/// By a relaxed load, as in `std`.
impl<T> fmt::Pointer for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.shown(), f)
    }
}

/// 0, `false` or null.
impl<T: Word> Default for Atomic<T> {
    #[track_caller]
    fn default() -> Self {
        T::new(T::from_word(0), Location::caller())
    }
}

impl<T: Word> From<T> for Atomic<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        T::new(value, Location::caller())
    }
}

macro_rules! fetch {
    ($($type:ty),*: $($(#[$doc:meta])* $name:ident = $rmw:ident;)*) => {
        fetch! { @each [$($type),*] [$($(#[$doc])* $name = $rmw;)*] }
    };
    (@each [] $methods:tt) => {};
    (@each [$type:ty $(, $rest:ty)*] [$($(#[$doc:meta])* $name:ident = $rmw:ident;)*]) => {
        impl Atomic<$type> {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $name(&self, value: $type, order: Ordering) -> $type {
                    let rmw = Rmw::$rmw(value.to_word());
                    self.fetch(stringify!($name), rmw, order, Location::caller())
                }
            )*
        }
        fetch! { @each [$($rest),*] [$($(#[$doc])* $name = $rmw;)*] }
    };
}

fetch! { u8, u16, u32, u64, usize, i8, i16, i32, i64, isize:
    /// Adds `value`, wrapping around, and returns the value before.
    fetch_add = Add;
    /// Subtracts `value`, wrapping around, and returns the value before.
    fetch_sub = Sub;
    /// Writes the greater of the two; returns the value before.
    fetch_max = Max;
    /// Writes the lesser of the two; returns the value before.
    fetch_min = Min;
}

fetch! { u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool:
    /// Bitwise "and"; returns the value before.
    fetch_and = And;
    /// Bitwise "nand"; returns the value before.
    fetch_nand = Nand;
    /// Bitwise "or"; returns the value before.
    fetch_or = Or;
    /// Bitwise "xor"; returns the value before.
    fetch_xor = Xor;
}

impl AtomicBool {
    /// Writes the opposite; returns the value before.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.fetch("fetch_not", Rmw::Xor(1), order, Location::caller())
    }
}

macro_rules! fetch_pointer {
    ($($(#[$doc:meta])* $name:ident = $rmw:ident, $bytes:expr;)*) => {
        impl<T> AtomicPtr<T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, value: usize, order: Ordering) -> *mut T {
                let rmw = Rmw::$rmw(value.wrapping_mul($bytes).to_word());
                self.fetch(stringify!($name), rmw, order, Location::caller())
            }
        )*}
    };
}

fetch_pointer! {
    /// Adds so many values to the address, wrapping around; returns the pointer before.
    fetch_ptr_add = Add, size_of::<T>();
    /// Subtracts so many values from the address, wrapping around; returns the pointer before.
    fetch_ptr_sub = Sub, size_of::<T>();
    /// Adds so many bytes to the address, wrapping around; returns the pointer before.
    fetch_byte_add = Add, 1;
    /// Subtracts so many bytes from the address, wrapping around; returns the pointer before.
    fetch_byte_sub = Sub, 1;
    /// Bitwise "or" on the address; returns the pointer before.
    fetch_or = Or, 1;
    /// Bitwise "and" on the address; returns the pointer before.
    fetch_and = And, 1;
    /// Bitwise "xor" on the address; returns the pointer before.
    fetch_xor = Xor, 1;
}

/// Orders memory without touching it.
///
/// # Panics
///
/// If `order` is `Relaxed`, as in `std`.
#[track_caller]
pub fn fence(order: Ordering) {
    assert!(
        order != Ordering::Relaxed,
        "a fence cannot be Relaxed: use Acquire, Release, AcqRel or SeqCst"
    );
    let site = Location::caller();
    let order = match mutant::change(site, "fence", &[order]) {
        Some(Change::Dropped) => return,
        Some(Change::Weaker(weaker)) => weaker,
        _ => order,
    };
    if kernel::with(|engine| engine.step(Operation::Fence { order }, site)).is_none() {
        std_atomic::fence(order);
    }
}

/// A fence against the compiler only: in an exploration it does nothing.
pub fn compiler_fence(order: Ordering) {
    std_atomic::compiler_fence(order);
}
