//! The location of a value: it is made with the value, and comes to its end with it.

use crate::kernel::{Access, CellKind, Engine, Handle, LocationId, Made, Site};

/// A location, if the value was made in an exploration.
#[derive(Debug)]
pub(super) struct Place {
    handle: Option<Handle>,
    site: Site,
    /// Whether its end is an access. Not where `std` itself sees to it that nothing comes after.
    ends: bool,
}

impl Place {
    pub(super) fn new(site: Site, made: impl FnOnce() -> Made) -> Self {
        Self { handle: Handle::new(site, made), site, ends: true }
    }

    /// The plain memory that `lock` protects.
    pub(super) fn contents(site: Site, lock: &Self) -> Self {
        Self::new(site, || Made::Cell(CellKind::Contents { lock: lock.location() }))
    }

    /// A location that several own, as `std` counts its owners.
    pub(super) fn counted(site: Site, made: impl FnOnce() -> Made) -> Self {
        Self { handle: Handle::new(site, made), site, ends: false }
    }

    /// Calls `f` with the engine and the location; `None` outside an exploration.
    #[inline]
    pub(super) fn with<R>(
        &self,
        what: &str,
        f: impl FnOnce(&dyn Engine, LocationId) -> R,
    ) -> Option<R> {
        Handle::with(self.handle, what, f)
    }

    /// Calls `f` with the engine and the location, if they belong together: for destructors.
    #[inline]
    pub(super) fn at_end(&self, f: impl FnOnce(&dyn Engine, LocationId)) {
        Handle::at_end(self.handle, f);
    }

    /// The location, of a value made in an exploration.
    pub(super) fn location(&self) -> LocationId {
        self.handle.map(Handle::location).unwrap_or_default()
    }

    /// Whether the value was made in an exploration.
    pub(super) fn is_in_model(&self) -> bool {
        self.handle.is_some()
    }

    /// A plain access. It is not refused to a value of another execution.
    #[inline]
    pub(super) fn access(&self, access: Access, site: Site) {
        self.at_end(|engine, location| engine.access(location, access, site));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.ends {
            self.access(Access::Free, self.site);
        }
    }
}
