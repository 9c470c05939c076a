//! A notification that one thread waits for.

use std::fmt;
use std::panic::Location;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::alloc::Ends;
use super::place::{Kind, Place};
use crate::kernel::object::{Token, TokenAct};
use crate::kernel::{self, CellKind, Made, Site, Turn};

/// A flag that [`notify`](Self::notify) sets, and that one thread at a time waits for and takes. The thread that
/// waits acquires what all that notified since the last wait have released.
#[doc(hidden)]
pub struct Notify {
    model: Place<Flag>,
    /// The flag outside an exploration.
    std: (std::sync::Mutex<bool>, std::sync::Condvar),
    waits: AtomicBool,
}

impl Notify {
    /// Not notified.
    #[track_caller]
    pub fn new() -> Self {
        Self::at(Location::caller())
    }

    fn at(site: Site) -> Self {
        let model = Place::new(Flag, site);
        Self { model, std: Default::default(), waits: AtomicBool::new(false) }
    }

    /// Notifies the thread that waits, or the next one that will.
    #[track_caller]
    pub fn notify(&self) {
        self.notify_at(Location::caller());
    }

    fn notify_at(&self, site: Site) {
        if self.model.act(TokenAct::Unpark, site).is_none() {
            *self.std.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.std.1.notify_one();
        }
    }

    /// Blocks until notified. It does not return without that.
    ///
    /// # Panics
    ///
    /// If another thread waits.
    #[track_caller]
    pub fn wait(&self) {
        // Relaxed, both: it is only a check.
        let waits = self.waits.swap(true, Relaxed);
        assert!(!waits, "only one thread at a time may wait on a Notify");
        self.wait_at(Location::caller());
        self.waits.store(false, Relaxed);
    }

    fn wait_at(&self, site: Site) {
        if self.model.act(TokenAct::Park, site).is_none() {
            let mut notified = self.std.0.lock().unwrap_or_else(PoisonError::into_inner);
            while !std::mem::take(&mut *notified) {
                notified = self.std.1.wait(notified).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

pub(super) struct Flag;

impl Kind for Flag {
    const WHAT: &'static str = "a Notify";
    fn made(&self) -> Made {
        Made::Object(Token::of_notify().into())
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}

/// What `block_on` waits for, and its wakers are for.
pub(crate) struct Task {
    notify: Notify,
    /// The thread that polls.
    thread: usize,
    /// It has called a waker itself, of which no other thread can know.
    by_itself: AtomicBool,
    /// The last wait ended without a wake: the next one does not.
    spurious: AtomicBool,
    /// The call of `block_on`: a waker is called through a table of function pointers, which has no place in the
    /// program.
    site: Site,
    /// Wakers that are never dropped leak.
    _ends: Ends,
}

impl Task {
    pub(crate) fn new(site: Site) -> Self {
        Self {
            notify: Notify::at(site),
            thread: super::thread_number(),
            by_itself: AtomicBool::new(false),
            spurious: AtomicBool::new(false),
            site,
            _ends: Ends::new(CellKind::InStdArc, site),
        }
    }

    pub(crate) fn wait(&self) {
        let site = self.site;
        let wakes = self.notify.model.with(|engine, object| {
            // Relaxed, all of them: threads of an exploration share an OS thread.
            let by_itself = self.by_itself.swap(false, Relaxed);
            if by_itself {
                engine.turn(Turn::Spin, site);
            }
            let may = !by_itself && !self.spurious.load(Relaxed);
            let spurious = may && engine.wakes_spuriously(site);
            self.spurious.store(spurious, Relaxed);
            if by_itself || spurious {
                engine.act(object, TokenAct::TakeIfThere, site);
            }
            by_itself || spurious
        });
        if wakes != Some(true) {
            self.notify.wait_at(site);
        }
    }

    pub(crate) fn wake(&self) {
        if kernel::with(|engine| engine.thread()) == Some(self.thread) {
            self.by_itself.store(true, Relaxed);
        } else {
            self.notify.notify_at(self.site);
        }
    }
}
