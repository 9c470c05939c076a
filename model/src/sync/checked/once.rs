//! What is done, or made, once.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::atomic::Ordering::{Acquire, Release};

use super::place::{Item, Kind, Place, here};
use crate::kernel::object::{self, CLAIMED, CLAIMED_AGAIN, DONE, OnceAct, OnceKind, POISONED_ONCE};
use crate::kernel::{AtomicKind, LocationId, Made, Operation, Site};

/// What the types of this module have in common: `std::sync::Once`, and how it looks from inside.
struct Gate {
    model: Place<State>,
    std: std::sync::Once,
}

pub(super) struct State {
    kind: OnceKind,
    /// It is made with its value.
    done: bool,
}

impl Kind for State {
    const WHAT: &'static str = "a once cell";
    fn made(&self) -> Made {
        let state = if self.done { object::Once::done } else { object::Once::new };
        Made::Object(state(self.kind).into())
    }
    fn beside(&self, once: LocationId) -> [Option<Made>; 2] {
        let kind = AtomicKind::Done { once, kind: self.kind };
        [Some(Made::Atomic { value: self.done.into(), kind }), None]
    }
}

impl Gate {
    const fn new(kind: OnceKind, done: bool, site: Site) -> Self {
        Self { model: Place::new(State { kind, done }, site), std: std::sync::Once::new() }
    }

    fn act(&self, act: OnceAct, site: Site) -> Option<u64> {
        self.model.act(act, site)
    }

    fn is_done(&self, site: Site) -> bool {
        let done = self.model.with(|engine, once| {
            let location = once.next();
            engine.step(Operation::Load { location, order: Acquire }, site)
        });
        done.map_or_else(|| self.std.is_completed(), |done| done == 1)
    }

    /// Blocks until it has been done.
    fn wait_force(&self, site: Site) {
        if self.act(OnceAct::Wait { force: true }, site).is_none() {
            self.std.wait_force();
        }
    }

    /// Runs `f` unless that has been done. Whether it has been now: not, if an earlier attempt panicked
    /// and `force` is not set.
    fn run(&self, force: bool, poisons: bool, site: Site, f: impl FnOnce(&OnceState)) -> bool {
        /// Ends the attempt, by a panic too.
        struct Attempt<'a> {
            gate: &'a Gate,
            done: bool,
            poisons: bool,
            site: Site,
        }
        impl Drop for Attempt<'_> {
            fn drop(&mut self) {
                self.gate.model.at_end(|engine, object| {
                    if self.done {
                        let location = object.next();
                        let stores = Operation::Store { location, value: 1, order: Release };
                        engine.step(stores, self.site);
                    }
                });
                let act = OnceAct::Finish { done: self.done, poisons: self.poisons };
                self.gate.model.act_at_end(act, self.site);
            }
        }
        match self.act(OnceAct::Begin { force }, site) {
            Some(result @ (CLAIMED | CLAIMED_AGAIN)) => {
                let mut attempt = Attempt { gate: self, done: false, poisons, site };
                f(&OnceState::new(result == CLAIMED_AGAIN));
                attempt.done = true;
                true
            }
            Some(result) => result == DONE,
            None => {
                if force {
                    self.std.call_once_force(|state| f(&OnceState::new(state.is_poisoned())));
                } else {
                    self.std.call_once(|| f(&OnceState::new(false)));
                }
                true
            }
        }
    }
}

const POISONED: &str = "Once instance has previously been poisoned";

/// What a closure is told that [`Once::call_once_force`] calls.
pub struct OnceState {
    poisoned: bool,
    /// It is not `Sync`, as in `std`.
    _thread: PhantomData<Cell<()>>,
}

impl OnceState {
    fn new(poisoned: bool) -> Self {
        Self { poisoned, _thread: PhantomData }
    }

    /// Whether an earlier closure panicked.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl fmt::Debug for OnceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceState").field("poisoned", &self.poisoned).finish()
    }
}

/// `std::sync::Once`.
pub struct Once(Gate);

impl Item for Once {
    type Kind = State;
    fn place(&self) -> &Place<State> {
        &self.0.model
    }
}

impl Once {
    /// Nothing has been done.
    #[track_caller]
    pub const fn new() -> Self {
        Self(Gate::new(OnceKind::Once, false, Location::caller()))
    }

    /// Runs `f` unless that, or another, has been run here before. Blocks while another one runs.
    ///
    /// # Panics
    ///
    /// If an earlier `f` panicked.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        let done = here(self).0.run(false, true, Location::caller(), |_| f());
        assert!(done, "{POISONED}");
    }

    /// Like [`call_once`](Self::call_once), but after an `f` that panicked too.
    #[track_caller]
    pub fn call_once_force(&self, f: impl FnOnce(&OnceState)) {
        here(self).0.run(true, true, Location::caller(), f);
    }

    /// Whether it has been done.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        here(self).0.is_done(Location::caller())
    }

    /// Blocks until it has been done.
    ///
    /// # Panics
    ///
    /// If the last attempt panicked.
    #[track_caller]
    pub fn wait(&self) {
        match here(self).0.act(OnceAct::Wait { force: false }, Location::caller()) {
            Some(result) => assert!(result != POISONED_ONCE, "{POISONED}"),
            None => self.0.std.wait(),
        }
    }

    /// Blocks until it has been done, whatever attempts have panicked.
    #[track_caller]
    pub fn wait_force(&self) {
        here(self).0.wait_force(Location::caller());
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

/// A value that is made once.
struct Slot<T> {
    gate: Gate,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written once, by the thread that the gate lets in, and read by those that the
// gate tells that it is done. `Send`, because a thread that shares the slot may drop the value.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

impl<T> Slot<T> {
    const fn new(kind: OnceKind, site: Site) -> Self {
        Self { gate: Gate::new(kind, false, site), value: UnsafeCell::new(None) }
    }

    /// The value, if it has been made.
    fn get(&self, site: Site) -> Option<&T> {
        // SAFETY: the gate says that the value has been made.
        self.gate.is_done(site).then(|| unsafe { self.made() })
    }

    /// The value, made by `f` if there is none yet; `None` if an earlier `f` panicked and `force` is not set.
    fn make(&self, force: bool, site: Site, f: impl FnOnce() -> Option<T>) -> Option<&T> {
        let done = self.gate.run(force, !force, site, |_| {
            let value = f();
            // SAFETY: the gate lets one thread in, and no thread reads before it is done.
            unsafe { *self.value.get() = value };
        });
        // SAFETY: the gate says that the value has been made.
        done.then(|| unsafe { self.made() })
    }

    /// # Safety
    ///
    /// The gate has said that the value has been made: it is written no more.
    unsafe fn made(&self) -> &T {
        // SAFETY: the caller answers for it.
        match unsafe { &*self.value.get() } {
            Some(value) => value,
            None => unreachable!("the value has been made"),
        }
    }

    fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }
}

/// `std::sync::OnceLock`: a value that is made once.
pub struct OnceLock<T>(Slot<T>);

impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}

impl<T> Item for OnceLock<T> {
    type Kind = State;
    fn place(&self) -> &Place<State> {
        &self.0.gate.model
    }
}

impl<T> OnceLock<T> {
    /// No value yet.
    #[track_caller]
    pub const fn new() -> Self {
        Self(Slot::new(OnceKind::OnceLock, Location::caller()))
    }

    /// The value, if it has been made.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        here(self).0.get(Location::caller())
    }

    /// The value, reached without synchronisation: no other thread can have access.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.get_mut()
    }

    /// Makes `value` the value.
    ///
    /// # Errors
    ///
    /// `value`, if there is one already.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        here(self).0.make(true, Location::caller(), || value.take());
        value.map_or(Ok(()), Err)
    }

    /// The value, made by `f` if there is none yet. Other threads that ask meanwhile block.
    ///
    /// # Panics
    ///
    /// If `f` does. Then there is no value, and the next `f` may make it.
    #[track_caller]
    pub fn get_or_init(&self, f: impl FnOnce() -> T) -> &T {
        match here(self).0.make(true, Location::caller(), || Some(f())) {
            Some(value) => value,
            None => unreachable!("an f that panics leaves no poison"),
        }
    }

    /// Blocks until the value has been made.
    #[track_caller]
    pub fn wait(&self) -> &T {
        let this = here(self);
        this.0.gate.wait_force(Location::caller());
        // SAFETY: the gate says that the value has been made.
        unsafe { this.0.made() }
    }

    /// Takes the value out, if it has been made.
    pub fn into_inner(self) -> Option<T> {
        self.0.value.into_inner()
    }

    /// Takes the value out, and leaves none.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        let gate = Gate::new(OnceKind::OnceLock, true, Location::caller());
        gate.std.call_once(|| ());
        Self(Slot { gate, value: UnsafeCell::new(Some(value)) })
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.get().map_or_else(Self::new, |value| Self::from(value.clone()))
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    #[track_caller]
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

/// Shows the value if there is one, as in `std`: by a `get`, shown where the cell was made, since the formatter
/// calls from inside `std`.
impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "OnceLock", here(self).0.get(self.place().site()))
    }
}

fn show(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&impl fmt::Debug>) -> fmt::Result {
    let mut shown = f.debug_tuple(name);
    match value {
        Some(value) => shown.field(value),
        None => shown.field(&format_args!("<uninit>")),
    };
    shown.finish()
}

/// `std::sync::LazyLock`: a value that is made when it is first needed.
pub struct LazyLock<T, F = fn() -> T> {
    slot: Slot<T>,
    make: Cell<Option<F>>,
}

// SAFETY: `make` is taken by the one thread that the gate lets in.
unsafe impl<T: Send + Sync, F: Send> Sync for LazyLock<T, F> {}
impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}

impl<T, F> Item for LazyLock<T, F> {
    type Kind = State;
    fn place(&self) -> &Place<State> {
        &self.slot.gate.model
    }
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `make` makes.
    #[track_caller]
    pub const fn new(make: F) -> Self {
        let slot = Slot::new(OnceKind::LazyLock, Location::caller());
        Self { slot, make: Cell::new(Some(make)) }
    }

    /// The value, made now if it was not needed before.
    ///
    /// # Panics
    ///
    /// If making it does, or did.
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        let this = here(this);
        let make = || this.make.take().map(|make| make());
        let value = this.slot.make(false, Location::caller(), make);
        value.expect("LazyLock instance has previously been poisoned")
    }

    /// The value, made now if it was not needed before.
    ///
    /// # Panics
    ///
    /// If making it does, or did.
    #[track_caller]
    pub fn force_mut(this: &mut Self) -> &mut T {
        Self::force(this);
        match this.slot.get_mut() {
            Some(value) => value,
            None => unreachable!("the value has been made"),
        }
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made.
    #[track_caller]
    pub fn get(this: &Self) -> Option<&T> {
        here(this).slot.get(Location::caller())
    }

    /// The value, if it has been made; reached without synchronisation: no other thread can have access.
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        this.slot.get_mut()
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default)
    }
}

/// Shows the value if it has been made, as in `std`: shown where the cell was made, since the formatter calls from
/// inside `std`.
impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "LazyLock", here(self).slot.get(self.place().site()))
    }
}
