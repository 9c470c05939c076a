//! Atomic types and fences.

use std::fmt;
use std::panic::Location;
use std::sync::atomic as std_atomic;

pub use std::sync::atomic::Ordering;

use super::event::{Action, Pass, Site, Value};
use super::mutation::{self, Change};
use super::operation::{Handle, Step};
use super::record::{self, Recorder};

mod access;
mod word;

use access::{Access, Companions};
use word::{Twin, Word};

/// An atomic value of type `T`; `AtomicU64` is `Atomic<u64>`.
pub struct Atomic<T: Word> {
    newest: T::Std,
    model: Option<(Handle, T::Twin, Companions)>,
}

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

impl<T: Word> Atomic<T> {
    /// A new atomic holding `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let site = Location::caller();
        let model = Handle::new('a', "atomic", site).map(|handle| {
            record::with(|recorder| recorder.objects[handle.object].initial = Some(value.show()));
            (handle, T::Twin::new(value), Companions::default())
        });
        Self { newest: T::std(value), model }
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        let value = self.peek();
        if self.model.as_ref().is_some_and(|(handle, ..)| handle.is_current()) {
            let saw = Access::learn(value);
            record::with(|recorder| recorder.absorb(saw));
        }
        value
    }

    /// Loads the value. In a model it may be that of an older store, as far as the memory model allows;
    /// the trace then shows the newest value too.
    ///
    /// # Panics
    ///
    /// If `order` is `Release` or `AcqRel`, as in `std`.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> T {
        assert!(
            !matches!(order, Ordering::Release | Ordering::AcqRel),
            "the ordering of a load must be Relaxed, Acquire or SeqCst, got {order:?}"
        );
        let site = Location::caller();
        self.read("load", mutation::ordering(site, "load", order), site)
    }

    /// A load by the name of `what`, as it stands: no mutation changes it.
    pub(super) fn read(&self, what: &'static str, order: Ordering, site: Site) -> T {
        let Some(at) = self.locate(site) else {
            return T::std_load(&self.newest, order);
        };
        at.mark_read(true);
        let step = Step::begin(site, what, Some(at.object), 0);
        let value = match at.pass {
            None if at.settled => self.peek(),
            None => step.run(|| at.twin.load(order)),
            Some(pass) => {
                let fresh = record::holds(|recorder| recorder.thread().fresh);
                if pass == Pass::WeakMemory && !fresh {
                    at.load(&step, order)
                } else {
                    // Only the acquiring half: a load must not release what its thread knows.
                    let order = if order == Ordering::Relaxed { order } else { Ordering::Acquire };
                    let value = step.first(|| at.twin.refresh(self.peek(), order));
                    // Of stores that nothing orders loom may still prefer another.
                    if fresh { self.peek() } else { value }
                }
            }
        };
        let saw = Access::learn(value);
        let newest = self.peek().show();
        step.end(Action::Load { what, order: short(order), value: value.show(), newest }, saw);
        value
    }

    /// Stores `value`.
    ///
    /// # Panics
    ///
    /// If `order` is `Acquire` or `AcqRel`, as in `std`.
    #[track_caller]
    pub fn store(&self, value: T, order: Ordering) {
        assert!(
            !matches!(order, Ordering::Acquire | Ordering::AcqRel),
            "the ordering of a store must be Relaxed, Release or SeqCst, got {order:?}"
        );
        let site = Location::caller();
        self.write(value, mutation::ordering(site, "store", order), site);
    }

    /// A store as it stands: no mutation changes it.
    pub(super) fn write(&self, value: T, order: Ordering, site: Site) {
        let Some(at) = self.locate(site) else {
            return T::std_store(&self.newest, value, order);
        };
        at.mark_store();
        let step = Step::begin(site, "store", Some(at.object), Access::operand(value));
        match at.pass {
            None => step.run(|| at.twin.store(value, order)),
            Some(Pass::Interleaving) => {
                let order = if order == Ordering::Relaxed { order } else { Ordering::Release };
                step.first(|| at.twin.swap(value, order));
            }
            Some(Pass::WeakMemory) => at.store(&step, value, order),
        }
        Access::teach(value);
        T::std_store(&self.newest, value, Ordering::Relaxed);
        step.end(Action::Store { order: short(order), value: value.show() }, 0);
    }

    /// Stores `value` and returns the previous value.
    #[track_caller]
    pub fn swap(&self, value: T, order: Ordering) -> T {
        self.update(
            "swap",
            value,
            order,
            |twin, order| twin.swap(value, order),
            |std| T::std_swap(std, value, order),
            |_| value,
        )
    }

    /// Stores `new` if the value is `current`, and returns the previous value.
    ///
    /// # Errors
    ///
    /// The value, if it is not `current`.
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
        assert!(
            !matches!(failure, Ordering::Release | Ordering::AcqRel),
            "the failure ordering of compare_exchange must be Relaxed, Acquire or SeqCst, got {failure:?}"
        );
        let site = Location::caller();
        let Some(at) = self.locate(site) else {
            return T::std_compare_exchange(&self.newest, current, new, success, failure);
        };
        let (change, success, failure) = exchange_change(site, success, failure);
        match change {
            Some(Change::Split) => {
                let found = self.read("load", mutation::of_load(success), site);
                if found != current {
                    return Err(found);
                }
                self.write(new, mutation::of_store(success), site);
                return Ok(found);
            }
            Some(Change::Always) => return Ok(self.swap(new, success)),
            _ => {}
        }
        let step = Step::begin(site, "compare_exchange", Some(at.object), Access::operand(new));
        let result = at
            .read_modify_write(&step, |twin| twin.compare_exchange(current, new, success, failure));
        let (Ok(found) | Err(found)) = result;
        let saw = Access::learn(found);
        if result.is_ok() {
            Access::teach(new);
            T::std_store(&self.newest, new, Ordering::Relaxed);
        }
        let action = Action::CompareExchange {
            order: short(if result.is_ok() { success } else { failure }),
            expected: current.show(),
            new: new.show(),
            found: found.show(),
        };
        step.end(action, saw);
        result
    }

    /// Like [`compare_exchange`](Self::compare_exchange), but it may also fail spuriously. A model explores
    /// both, up to the bound of `Model::spurious`.
    ///
    /// # Errors
    ///
    /// The value, which may be `current`.
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
        let may_fail = self.model.is_some() && record::active();
        if may_fail && record::holds(Recorder::fails_spuriously) {
            let site = Location::caller();
            let (_, _, failure) = exchange_change(site, success, failure);
            return Err(self.read("compare_exchange_weak gives up", failure, site));
        }
        self.compare_exchange(current, new, success, failure)
    }

    /// Replaces the value by the result of `f`, in a loop of `compare_exchange_weak`, and returns the previous
    /// value.
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
            // One that fails for no reason would only be tried again.
            match self.compare_exchange(before, after, set_order, fetch_order) {
                Ok(value) => return Ok(value),
                Err(found) => before = found,
            }
        }
        Err(before)
    }

    /// One read-modify-write that cannot fail: on loom, on `std`, and as a plain function.
    #[track_caller]
    fn update(
        &self,
        name: &'static str,
        operand: T,
        order: Ordering,
        on_loom: impl FnOnce(&T::Twin, Ordering) -> T,
        on_std: impl FnOnce(&T::Std) -> T,
        apply: impl FnOnce(T) -> T,
    ) -> T {
        let site = Location::caller();
        let Some(at) = self.locate(site) else {
            return on_std(&self.newest);
        };
        let order = match mutation::at(site, name, &[order]) {
            Some(Change::Weaker(weaker)) => weaker,
            Some(Change::Split) => {
                let before = self.read("load", mutation::of_load(order), site);
                self.write(apply(before), mutation::of_store(order), site);
                return before;
            }
            _ => order,
        };
        let step = Step::begin(site, name, Some(at.object), Access::operand(operand));
        let before = at.read_modify_write(&step, |twin| on_loom(twin, order));
        let after = apply(before);
        let saw = Access::learn(before);
        Access::teach(after);
        T::std_store(&self.newest, after, Ordering::Relaxed);
        let action = Action::Update {
            name,
            order: short(order),
            operand: operand.show(),
            before: before.show(),
            after: after.show(),
        };
        step.end(action, saw);
        before
    }

    /// The newest value, without an operation.
    fn peek(&self) -> T {
        T::std_load(&self.newest, Ordering::Relaxed)
    }

    /// Where an operation at `site` takes place; `None` outside a model.
    fn locate(&self, site: Site) -> Option<Access<'_, T>> {
        let handle = self.model.as_ref().map(|(handle, ..)| *handle);
        let object = Handle::check(handle, "atomic", site)?;
        let (_, twin, companions) = self.model.as_ref()?;
        let (pass, settled) = record::with(|recorder| {
            let settled = recorder.alone() && recorder.pass == Pass::Interleaving;
            (recorder.contended().then_some(recorder.pass), settled)
        })?;
        Some(Access { object, twin, companions, pass, settled })
    }
}

impl<T: Word + fmt::Debug> fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peek().fmt(f)
    }
}

impl<T: Word + Default> Default for Atomic<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Word> From<T> for Atomic<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

macro_rules! fetch {
    ($int:ty: $($(#[$doc:meta])* $name:ident = $apply:expr;)*) => {
        impl Atomic<$int> {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $name(&self, value: $int, order: Ordering) -> $int {
                    self.update(
                        stringify!($name),
                        value,
                        order,
                        |twin, order| twin.$name(value, order),
                        |std| std.$name(value, order),
                        |before| ($apply)(before, value),
                    )
                }
            )*
        }
    };
}

macro_rules! fetch_int {
    ($($int:ty),*) => {
        $(fetch! { $int:
            /// Adds `value`, wrapping around, and returns the previous value.
            fetch_add = <$int>::wrapping_add;
            /// Subtracts `value`, wrapping around, and returns the previous value.
            fetch_sub = <$int>::wrapping_sub;
            /// Bitwise "and"; returns the previous value.
            fetch_and = |a, b| a & b;
            /// Bitwise "nand"; returns the previous value.
            fetch_nand = |a: $int, b: $int| !(a & b);
            /// Bitwise "or"; returns the previous value.
            fetch_or = |a, b| a | b;
            /// Bitwise "xor"; returns the previous value.
            fetch_xor = |a, b| a ^ b;
            /// Stores the maximum of the value and `value`; returns the previous value.
            fetch_max = |a: $int, b: $int| a.max(b);
            /// Stores the minimum of the value and `value`; returns the previous value.
            fetch_min = |a: $int, b: $int| a.min(b);
        })*
    };
}

fetch_int!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

fetch! { bool:
    /// Logical "and"; returns the previous value.
    fetch_and = |a, b| a & b;
    /// Logical "nand"; returns the previous value.
    fetch_nand = |a: bool, b: bool| !(a & b);
    /// Logical "or"; returns the previous value.
    fetch_or = |a, b| a | b;
    /// Logical "xor"; returns the previous value.
    fetch_xor = |a, b| a ^ b;
}

/// An atomic fence.
///
/// # Panics
///
/// If `order` is `Relaxed`, as in `std`.
#[track_caller]
pub fn fence(order: Ordering) {
    assert!(
        order != Ordering::Relaxed,
        "the ordering of a fence must be Acquire, Release, AcqRel or SeqCst, got Relaxed"
    );
    if !record::active() {
        return std_atomic::fence(order);
    }
    let site = Location::caller();
    let order = match mutation::at(site, "fence", &[order]) {
        Some(Change::Weaker(weaker)) => weaker,
        Some(Change::Dropped) => return,
        _ => order,
    };
    let step = Step::begin(site, "fence", None, 0);
    if order == Ordering::SeqCst {
        access::offer_fence(&step);
    }
    step.unordered(|| loom::sync::atomic::fence(order));
    step.end(Action::Fence { order: short(order) }, 0);
}

/// What is changed about a `compare_exchange`, and its orderings then.
fn exchange_change(
    site: Site,
    success: Ordering,
    failure: Ordering,
) -> (Option<Change>, Ordering, Ordering) {
    match mutation::at(site, "compare_exchange", &[success, failure]) {
        Some(Change::Success(success)) => (None, success, failure),
        Some(Change::Failure(failure)) => (None, success, failure),
        change => (change, success, failure),
    }
}

/// The usual three letters of an ordering.
fn short(order: Ordering) -> &'static str {
    match order {
        Ordering::Relaxed => "rlx",
        Ordering::Acquire => "acq",
        Ordering::Release => "rel",
        Ordering::AcqRel => "acq_rel",
        _ => "sc",
    }
}
