//! A location as the types of the façade keep it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::{Engine, LocationId, Made, Site, with};

/// What a program may use.
const OWN: &str = "an execution can use only what it made itself; make it in Model::new's closure";

/// A location of one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    execution: u64,
    location: LocationId,
}

impl Handle {
    /// Makes a location, if an engine runs.
    pub fn new(site: Site, made: impl FnOnce() -> Made) -> Option<Self> {
        with(|engine| Self::of(engine, engine.make(made(), site)))
    }

    /// A location of the execution that `engine` carries out.
    pub fn of(engine: &dyn Engine, location: LocationId) -> Self {
        Self { execution: engine.execution(), location }
    }

    /// The location.
    pub fn location(self) -> LocationId {
        self.location
    }

    /// The location, if it is one of the execution that `engine` carries out.
    #[inline]
    pub fn in_execution(self, engine: &dyn Engine) -> Option<LocationId> {
        (self.execution == engine.execution()).then_some(self.location)
    }

    /// Calls `f` with the engine and the location of `handle`; returns `None` if neither is there: a
    /// value made outside an exploration and used outside it.
    ///
    /// # Panics
    ///
    /// If only one of them is there, or the handle is that of another execution.
    #[inline]
    pub fn with<R>(
        handle: Option<Self>,
        what: &str,
        f: impl FnOnce(&dyn Engine, LocationId) -> R,
    ) -> Option<R> {
        let result = with(|engine| match handle {
            Some(handle) => f(engine, handle.expect_own(engine, what)),
            None => foreign(engine, what),
        });
        assert!(result.is_some() || handle.is_none(), "{what} {USED_OUTSIDE}");
        result
    }

    /// The location, which must be one of the execution that `engine` carries out.
    pub fn expect_own(self, engine: &dyn Engine, what: &str) -> LocationId {
        self.in_execution(engine).unwrap_or_else(|| {
            engine.misuse(format!("{what} made in an earlier execution is used: {OWN}"))
        })
    }

    /// Like [`with`](Self::with), for destructors: nothing happens if the execution is over.
    #[inline]
    pub fn at_end(handle: Option<Self>, f: impl FnOnce(&dyn Engine, LocationId)) {
        if let Some(handle) = handle {
            with(|engine| {
                if let Some(location) = handle.in_execution(engine)
                    && !engine.over()
                {
                    f(engine, location);
                }
            });
        }
    }
}

/// Of a value.
pub const USED_OUTSIDE: &str = "that was made in an exploration is used outside of it";

/// Refuses a value that is not of the execution.
pub fn foreign(engine: &dyn Engine, what: &str) -> ! {
    engine.misuse(format!("{what} made outside any model is used: {OWN}"))
}

/// A [`Handle`] that may be there or not.
///
/// Relaxed: it is written by the OS thread that explores, in memory of its execution.
#[derive(Debug)]
pub struct Slot {
    /// 0 if there is none.
    execution: AtomicU64,
    location: AtomicU32,
}

impl Slot {
    /// No handle.
    pub const fn new() -> Self {
        Self { execution: AtomicU64::new(0), location: AtomicU32::new(0) }
    }

    /// The handle.
    #[inline]
    pub fn get(&self) -> Option<Handle> {
        let execution = self.execution.load(Relaxed);
        let location = LocationId::from_number(self.location.load(Relaxed));
        (execution != 0).then_some(Handle { execution, location })
    }

    /// Puts a handle there.
    pub fn set(&self, handle: Handle) {
        self.location.store(handle.location.number(), Relaxed);
        self.execution.store(handle.execution, Relaxed);
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self::new()
    }
}
