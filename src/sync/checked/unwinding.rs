//! Locks and panics.
//!
//! All threads of a model are one OS thread, which unwinds or does not: to `std` they all panic, or
//! none. So who unwinds is kept here, and each lock knows itself whether it is poisoned.
//!
//! loom's guards are `std`'s beneath. One that is dropped while a panic unwinds poisons a lock that
//! loom then never takes again. So such a guard is put aside, and dropped when the panic has been
//! caught: until then others find the lock taken.

use std::rc::Rc;

use super::event::{Action, Site};
use super::finding::Fault;
use super::operation::Turnstile;
use super::record::{self, Bound};

/// A guard that is put aside, and the lock that it must not outlive.
#[expect(dead_code, reason = "held until they are dropped")]
enum Guard {
    Mutex(loom::sync::MutexGuard<'static, ()>, Rc<loom::sync::Mutex<()>>),
    Write(loom::sync::RwLockWriteGuard<'static, ()>, Rc<loom::sync::RwLock<()>>),
}

/// A lock to be given back when the panic has been caught.
pub(crate) struct Aside {
    object: usize,
    site: Site,
    guard: Guard,
    turnstile: Rc<Turnstile>,
}

/// Whether the active thread of the model unwinds.
pub(super) fn unwinds() -> bool {
    std::thread::panicking() && record::holds(|recorder| recorder.thread().unwinds)
}

/// Puts the guard of a mutex aside.
pub(super) fn put_aside_mutex(
    object: usize,
    site: Site,
    guard: loom::sync::MutexGuard<'_, ()>,
    lock: &Rc<loom::sync::Mutex<()>>,
    turnstile: &Rc<Turnstile>,
) {
    // SAFETY: the guard is kept together with an owner of the lock that it borrows.
    let guard = unsafe {
        std::mem::transmute::<loom::sync::MutexGuard<'_, ()>, loom::sync::MutexGuard<'static, ()>>(
            guard,
        )
    };
    put_aside(object, site, Guard::Mutex(guard, Rc::clone(lock)), turnstile);
}

/// Puts the writing guard of a read-write lock aside.
pub(super) fn put_aside_write(
    object: usize,
    site: Site,
    guard: loom::sync::RwLockWriteGuard<'_, ()>,
    lock: &Rc<loom::sync::RwLock<()>>,
    turnstile: &Rc<Turnstile>,
) {
    // SAFETY: the guard is kept together with an owner of the lock that it borrows.
    let guard = unsafe {
        std::mem::transmute::<
            loom::sync::RwLockWriteGuard<'_, ()>,
            loom::sync::RwLockWriteGuard<'static, ()>,
        >(guard)
    };
    put_aside(object, site, Guard::Write(guard, Rc::clone(lock)), turnstile);
}

fn put_aside(object: usize, site: Site, guard: Guard, turnstile: &Rc<Turnstile>) {
    let aside = Aside { object, site, guard, turnstile: Rc::clone(turnstile) };
    record::with(|recorder| recorder.thread().aside.push(aside));
}

/// The active thread is about to act at `site`. If it unwinds and has put a lock aside, the
/// result is bounded.
pub(super) fn note_late_release(site: Site) {
    if std::thread::panicking() {
        record::with(|recorder| {
            if !recorder.thread().aside.is_empty() {
                recorder.learned.bounds.insert(Bound::LateRelease(site));
            }
        });
    }
}

/// The guard of a mutex that the active thread has put aside.
pub(super) fn take_back_mutex(object: usize) -> Option<loom::sync::MutexGuard<'static, ()>> {
    match take_back(object)?.guard {
        Guard::Mutex(guard, _) => Some(guard),
        Guard::Write(..) => None,
    }
}

/// Ends the exploration if the active thread, which unwinds, has put the read-write lock aside and
/// would take it again.
pub(super) fn refuse_if_aside(object: usize) {
    if take_back(object).is_some() {
        record::fail(Fault::Unsupported {
            message: "a read-write lock that a panic releases is locked again before the panic has been \
                      caught: not modelled",
        });
    }
}

fn take_back(object: usize) -> Option<Aside> {
    record::with(|recorder| {
        let aside = &mut recorder.thread().aside;
        let at = aside.iter().position(|aside| aside.object == object)?;
        Some(aside.remove(at))
    })
    .flatten()
}

/// Gives back what the active thread has put aside, once it unwinds no more.
pub(crate) fn settle() {
    if std::thread::panicking() {
        return;
    }
    let aside = record::with(|recorder| {
        recorder.threads.iter_mut().for_each(|thread| thread.unwinds = false);
        std::mem::take(&mut recorder.thread().aside)
    });
    for Aside { object, site, guard, turnstile } in aside.into_iter().flatten() {
        turnstile.leave(site, object, false);
        record::with(|recorder| {
            let action = match guard {
                Guard::Mutex(..) => Action::Unlock,
                Guard::Write(..) => Action::EndWrite,
            };
            recorder.note(site, Some(object), action);
            recorder.objects[object].holders = 0;
            recorder.bequeath(object);
        });
        drop(guard);
    }
}
