//! The counts of the owners of an `Arc`.
//!
//! They are atomics of the kernel, with the steps and orderings of `std`: clones are Relaxed, a drop is a
//! Release, the last drop acquires all of them by a fence, `get_mut` and `upgrade` are Acquire. All strong owners
//! together are one weak owner, which the last of them gives up. An owner that is added or given up after the last one,
//! through a pointer, is a use after free.

use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

use crate::kernel::{
    self, Access, AtomicKind, Engine, Handle, LocationId, Made, Operation, Rmw, Shape, Site, Update,
};

/// The numbers of owners of one value; the memory is that of `std`.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub(super) strong: Option<Handle>,
    pub(super) weak: Option<Handle>,
}

const COUNT: Shape = Shape { bits: 64, signed: false };
/// The count of weak owners while `get_mut` looks at the other.
pub(super) const LOCKED: u64 = u64::MAX;

/// # Panics
///
/// If there are more owners than memory holds.
pub(super) fn number(count: u64) -> usize {
    usize::try_from(count).expect("as many owners as memory holds")
}

/// A step that counts.
pub(in super::super) fn update(
    engine: &dyn Engine,
    location: LocationId,
    rmw: Rmw,
    success: Ordering,
    failure: Ordering,
    site: Site,
) -> u64 {
    let update = Update { rmw, shape: COUNT };
    engine.step(Operation::Update { location, update, success, failure }, site)
}

/// `std` has counted as the steps have.
pub(super) fn settle() {
    kernel::with(|engine| engine.settle());
}

impl Counts {
    pub(super) fn starting_with(strong: u64, site: Site) -> Self {
        let count = |value, kind| Handle::new(site, || Made::Atomic { value, kind });
        let strong = count(strong, AtomicKind::Strong);
        let weak =
            strong.and_then(|strong| count(1, AtomicKind::Weak { strong: strong.location() }));
        Self { strong, weak }
    }

    pub(super) fn load(handle: Option<Handle>, order: Ordering, site: Site) -> Option<u64> {
        Handle::with(handle, "an Arc", |engine, location| {
            engine.step(Operation::Load { location, order }, site)
        })
    }

    pub(super) fn update(
        handle: Option<Handle>,
        rmw: Rmw,
        order: Ordering,
        site: Site,
    ) -> Option<u64> {
        Handle::with(handle, "an Arc", |engine, location| {
            update(engine, location, rmw, order, Relaxed, site)
        })
    }

    /// Adds one, by `compare_exchange` from `seen` on, unless `stop`.
    pub(super) fn add_unless(
        handle: Option<Handle>,
        stop: u64,
        success: Ordering,
        site: Site,
    ) -> Option<bool> {
        let mut seen = Self::load(handle, Relaxed, site)?;
        while seen != stop {
            let rmw = Rmw::CompareExchange { current: seen, new: seen + 1 };
            let found = Self::update(handle, rmw, success, site)?;
            if found == seen {
                return Some(true);
            }
            seen = found;
        }
        Some(false)
    }

    /// One strong owner less. The last one acquires what all others released. Another one is dropped by `std` too before
    /// `settle`.
    pub(super) fn release(&self, site: Site) -> Option<AllStrong> {
        let mut last = None;
        Handle::at_end(self.strong, |engine, location| {
            engine.hold();
            if update(engine, location, Rmw::Sub(1), Release, Relaxed, site) == 1 {
                engine.settle();
                last = Some(self.acquire_all(engine, site));
            }
        });
        last
    }

    /// There is no strong owner any more.
    pub(super) fn acquire_all(&self, engine: &dyn Engine, site: Site) -> AllStrong {
        engine.step(Operation::Fence { order: Acquire }, site);
        self.end_strong(engine, site)
    }

    /// No strong owner may be added any more.
    pub(super) fn end_strong(&self, engine: &dyn Engine, site: Site) -> AllStrong {
        if let Some(strong) = self.strong {
            engine.access(strong.location(), Access::Free, site);
        }
        AllStrong { weak: self.weak, site }
    }
}

/// One weak owner less. The last one frees the memory, after a fence.
pub(super) fn release_weak(engine: &dyn Engine, location: LocationId, site: Site) {
    if update(engine, location, Rmw::Sub(1), Release, Relaxed, site) == 1 {
        engine.step(Operation::Fence { order: Acquire }, site);
        engine.access(location, Access::Free, site);
    }
}

/// The weak owner that all strong owners are together, after the last of them.
pub(super) struct AllStrong {
    pub(super) weak: Option<Handle>,
    pub(super) site: Site,
}

impl Drop for AllStrong {
    fn drop(&mut self) {
        Handle::at_end(self.weak, |engine, location| release_weak(engine, location, self.site));
    }
}
