//! The location of a value: it is made when the value is first touched, and comes to its end with it.
//!
//! A value is of the execution in whose memory it lies (see [`crate::engine::memory`]), or is a static.
//! The memory of a static never changes in an exploration, since tests run at the same time: each execution
//! uses a copy of what it was declared with, made when it is first touched there, and dropped when the
//! execution is over.

use std::alloc::{Layout, alloc, handle_alloc_error};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::kernel::{
    self, Access, Act, Engine, Handle, LocationId, Made, Memory, Owned, Site, Slot, StaticCopy,
    USED_OUTSIDE, statics,
};

/// What a value is, to the checker.
pub(super) trait Kind {
    /// For messages: `a mutex`.
    const WHAT: &'static str;
    /// What its location is made as.
    fn made(&self) -> Made;
    /// What the next locations are made as, if it has more than one.
    fn beside(&self, _own: LocationId) -> [Option<Made>; 2] {
        [None, None]
    }
}

/// A value of the façade, as the checker knows it.
#[derive(Debug)]
pub(super) struct Place<K: Kind> {
    pub(super) kind: K,
    /// Where the value was made.
    site: Site,
    /// Its location in the execution that it is of, once it has been touched.
    slot: Slot,
    /// Whether an `Arc` of `std` owned it when it was first touched.
    in_std_arc: AtomicBool,
}

/// The counts of the owners of `Arc`s of `std`, strong and weak, if `memory` is of the block of one.
///
/// The checker does not see what is done to these counts. So which thread drops the last owner is no part of an
/// execution, and nor is it known what has happened before: that is no race.
fn owners_in_std(address: usize, memory: Owned) -> Option<[usize; 2]> {
    const COUNTS: usize = size_of::<[usize; 2]>();
    // More are no counts.
    const MOST: usize = 1 << 20;

    let offset = memory.offset_in_block().filter(|&offset| offset >= COUNTS)?;
    let start = address - offset;
    if super::arc::known::is_in_one(start, address) {
        return None;
    }
    let counts = std::ptr::with_exposed_provenance::<[[u8; size_of::<usize>()]; 2]>(start);
    // SAFETY: the block is at least so large, and is not freed while an execution runs. The compiler cannot know what
    // the bytes are.
    let counts = unsafe { counts.read_volatile() }.map(usize::from_ne_bytes);
    (counts[0] < MOST && (1..MOST).contains(&counts[1])).then_some(counts)
}

impl<K: Kind> Place<K> {
    pub(super) const fn new(kind: K, site: Site) -> Self {
        Self { kind, site, slot: Slot::new(), in_std_arc: AtomicBool::new(false) }
    }

    /// Where the value was made.
    pub(super) fn site(&self) -> Site {
        self.site
    }

    /// Calls `f` with the engine and the location; `None` outside an exploration.
    ///
    /// # Panics
    ///
    /// If the value is not of the execution that runs, or was made in one and none runs.
    #[inline]
    pub(super) fn with<R>(&self, f: impl FnOnce(&dyn Engine, LocationId) -> R) -> Option<R> {
        let result = kernel::with(|engine| f(engine, self.location(engine)));
        assert!(result.is_some() || self.slot.get().is_none(), "{} {USED_OUTSIDE}", K::WHAT);
        result
    }

    #[inline]
    fn location(&self, engine: &dyn Engine) -> LocationId {
        match self.slot.get() {
            Some(handle) => handle.expect_own(engine, K::WHAT),
            None => self.register(engine).unwrap_or_else(|| kernel::foreign(engine, K::WHAT)),
        }
    }

    /// Makes the location of a value that has not been touched; `None` if it is not of the execution.
    #[cold]
    fn register(&self, engine: &dyn Engine) -> Option<LocationId> {
        let address = std::ptr::from_ref(self).addr();
        let Memory::Owned(memory) = engine.memory(address) else { return None };
        if owners_in_std(address, memory).is_some_and(|[strong, _]| strong > 0) {
            // Relaxed: threads of an exploration share an OS thread.
            self.in_std_arc.store(true, Relaxed);
        }
        let make = |made| engine.make_in(memory, made, self.site);
        let location = make(self.kind.made());
        for made in self.kind.beside(location).into_iter().flatten() {
            make(made);
        }
        self.slot.set(Handle::of(engine, location));
        Some(location)
    }

    /// Makes a new location in place of the old one, now.
    pub(super) fn renew(&mut self, engine: &dyn Engine, site: Site) {
        self.free(engine);
        self.site = site;
        self.slot.set(Handle::of(engine, engine.make(self.kind.made(), site)));
    }

    /// Calls `f` with the engine and the location, of a value that has been touched in the execution
    /// that runs: for destructors.
    #[inline]
    pub(super) fn at_end(&self, f: impl FnOnce(&dyn Engine, LocationId)) {
        Handle::at_end(self.slot.get(), f);
    }

    /// Acts on the object in an exploration.
    #[inline]
    pub(super) fn act(&self, act: impl Into<Act>, site: Site) -> Option<u64> {
        self.with(|engine, object| engine.act(object, act, site))
    }

    /// The same in a destructor.
    pub(super) fn act_at_end(&self, act: impl Into<Act>, site: Site) {
        self.at_end(|engine, object| _ = engine.act(object, act, site));
    }

    /// The location; `None` if the value is not of the execution, or the execution is over.
    #[inline]
    fn own_location(&self, engine: &dyn Engine) -> Option<LocationId> {
        match self.slot.get() {
            Some(handle) => handle.in_execution(engine),
            None if engine.over() => None,
            None => self.register(engine),
        }
    }

    /// A plain access by the thread that owns the value. It is not refused to a value of another
    /// execution.
    pub(super) fn access(&self, access: Access, site: Site) {
        kernel::with(|engine| {
            if let Some(location) = self.own_location(engine) {
                engine.access(location, access, site);
            }
        });
    }

    /// The same to what the value protects, by the thread that holds it.
    #[inline]
    pub(super) fn access_contents(&self, access: Access, site: Site) {
        kernel::with(|engine| {
            if let Some(location) = self.own_location(engine) {
                engine.access(location.next(), access, site);
            }
        });
    }

    /// Whether the last owner among `Arc`s of `std` is being dropped.
    fn is_dropped_by_std(&self, engine: &dyn Engine) -> bool {
        let address = std::ptr::from_ref(self).addr();
        self.in_std_arc.load(Relaxed)
            && matches!(engine.memory(address), Memory::Owned(memory)
                if owners_in_std(address, memory).is_some_and(|[strong, _]| strong == 0))
    }

    fn free(&self, engine: &dyn Engine) {
        if self.is_dropped_by_std(engine) {
            return;
        }
        if let Some(location) = self.own_location(engine) {
            engine.access(location, Access::Free, self.site);
            let mut beside = location;
            for _ in self.kind.beside(location).iter().flatten() {
                beside = beside.next();
                engine.access(beside, Access::Free, self.site);
            }
        }
    }
}

/// A value of the façade, which may be a static.
pub(super) trait Item {
    /// What it is.
    type Kind: Kind;

    /// As the checker knows it.
    fn place(&self) -> &Place<Self::Kind>;
}

/// The value itself. In an exploration, what stands for it in this execution if it is a static: that is
/// made anew for each, and the static does not change.
#[inline]
pub(super) fn here<V: Item + ?Sized>(value: &V) -> &V {
    if value.place().slot.get().is_some() {
        return value;
    }
    kernel::with(|engine| of_static(engine, value)).flatten().unwrap_or(value)
}

/// The bytes of the value that a static was declared with. `None` if that is no value of this type: the static
/// is one that something was put into, such as a `LazyLock` of `std`.
fn declared<V: Item + ?Sized>(value: &V) -> Option<Vec<u8>> {
    let place = value.place();
    let start = std::ptr::from_ref(value).addr();
    let bytes = statics::declared(start, size_of_val(value))?;
    let at = std::ptr::from_ref(&place.site).addr() - start;
    let site = std::ptr::from_ref(place.site).addr().to_ne_bytes();
    (bytes[at..].starts_with(&site)).then_some(bytes)
}

#[cold]
fn of_static<'a, V: Item + ?Sized>(engine: &dyn Engine, value: &'a V) -> Option<&'a V> {
    let of = std::ptr::from_ref(value);
    let Memory::Static(copy) = engine.memory(of.addr()) else { return None };
    let at = |memory: *mut u8| {
        let mut pointer = of.cast_mut();
        // SAFETY: a pointer begins with its address, followed by the length or the vtable if there is one.
        unsafe { (&raw mut pointer).cast::<*mut u8>().write(memory) };
        pointer
    };
    let pointer = copy.map_or_else(
        || {
            let declared =
                declared(value).unwrap_or_else(|| kernel::foreign(engine, V::Kind::WHAT));
            let layout = Layout::for_value(value);
            // SAFETY: a value of the façade has a place, so its size is not 0.
            let memory = unsafe { alloc(layout) };
            if memory.is_null() {
                handle_alloc_error(layout);
            }
            // SAFETY: the block is as large, and nothing else uses it.
            unsafe { memory.copy_from_nonoverlapping(declared.as_ptr(), declared.len()) };
            let pointer = at(memory);
            // SAFETY: the bytes are those of the value of a constant expression, of which there may be any number.
            // This one is dropped once, when the execution is over.
            let drop: Box<dyn FnOnce() + 'a> = Box::new(move || unsafe { pointer.drop_in_place() });
            // SAFETY: only the lifetime is widened: what a static holds lives for ever.
            let drop = unsafe {
                std::mem::transmute::<Box<dyn FnOnce() + 'a>, Box<dyn FnOnce() + 'static>>(drop)
            };
            engine.add_copy(StaticCopy { of: of.addr(), pointer: memory, layout, drop });
            pointer
        },
        at,
    );
    // SAFETY: the copy is a value of this type, and stays there until the execution is over.
    Some(unsafe { &*pointer })
}

impl<K: Kind> Drop for Place<K> {
    fn drop(&mut self) {
        kernel::with(|engine| self.free(engine));
    }
}
