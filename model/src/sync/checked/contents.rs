//! What a lock protects, watched while a lock is changed on purpose: what is in it, and what only one
//! thread at a time may use.
//!
//! A lock that is skipped shows in what it does not protect any more. While the lock holds nothing
//! but its own accesses do, so they are only watched where [`mutation`](super::mutation) changes a
//! lock.

use super::event::Site;
use super::operation::{Handle, access_memory, touch_cell};
use super::record::{self, Recorder};

/// Stands for a lock's contents.
pub(super) struct Contents(Option<loom::cell::UnsafeCell<()>>);

impl Contents {
    /// Those of a new lock.
    pub(super) fn new() -> Self {
        let watched = record::holds(|recorder| recorder.probe.changes_a_lock());
        Self(watched.then(|| loom::cell::UnsafeCell::new(())))
    }

    /// They are read by whoever took `lock` at `site`.
    pub(super) fn read(&self, lock: Option<Handle>, site: Site) {
        self.access(lock, site, "cell read", |cell| drop(cell.get()), Recorder::acquire_from);
    }

    /// They are written.
    pub(super) fn write(&self, lock: Option<Handle>, site: Site) {
        self.access(lock, site, "cell write", |cell| drop(cell.get_mut()), Recorder::release_to);
    }

    /// `learn`: who takes the lock does not give it back in the usual way, where it was changed.
    fn access(
        &self,
        lock: Option<Handle>,
        site: Site,
        what: &'static str,
        access: impl FnOnce(&loom::cell::UnsafeCell<()>),
        learn: fn(&mut Recorder, usize),
    ) {
        let (Some(cell), Some(lock)) = (self.0.as_ref().filter(|_| record::active()), lock) else {
            return;
        };
        touch_cell();
        record::with(|recorder| recorder.thread().pending = Some((site, what, None)));
        access_memory(|| access(cell));
        record::with(|recorder| {
            recorder.thread().pending = None;
            learn(recorder, lock.object);
        });
    }
}
