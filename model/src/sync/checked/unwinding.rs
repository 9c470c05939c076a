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
    Read(loom::sync::RwLockReadGuard<'static, ()>, Rc<loom::sync::RwLock<()>>),
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
    note_resumed();
    std::thread::panicking() && record::holds(|recorder| recorder.thread().unwinds)
}

/// `std::panic::resume_unwind` calls no hook. Where the OS thread panics and no thread of the model is
/// known to unwind, it is the active one: before another can run, each step comes by here.
fn note_resumed() {
    if std::thread::panicking() {
        record::with(|recorder| {
            if !recorder.threads.iter().any(|thread| thread.unwinds) {
                recorder.thread().unwinds = true;
            }
        });
    }
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

/// Puts the reading guard of a read-write lock aside: to release it is a step, and so another thread would
/// run while this one unwinds.
pub(super) fn put_aside_read(
    object: usize,
    site: Site,
    guard: loom::sync::RwLockReadGuard<'_, ()>,
    lock: &Rc<loom::sync::RwLock<()>>,
    turnstile: &Rc<Turnstile>,
) {
    // SAFETY: the guard is kept together with an owner of the lock that it borrows.
    let guard = unsafe {
        std::mem::transmute::<
            loom::sync::RwLockReadGuard<'_, ()>,
            loom::sync::RwLockReadGuard<'static, ()>,
        >(guard)
    };
    put_aside(object, site, Guard::Read(guard, Rc::clone(lock)), turnstile);
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
    if !unwinds() {
        record::fail(Fault::Unsupported {
            message: "a thread releases a lock while a destructor of another thread acts during a panic: not \
                      modelled; let the destructor act before the panic, or after it has been caught",
        });
    }
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
        Guard::Read(..) | Guard::Write(..) => None,
    }
}

/// Ends the exploration if the active thread, which unwinds, has put the read-write lock aside and
/// would take it again.
pub(super) fn refuse_if_aside(object: usize) {
    if take_back(object).is_some() {
        record::fail(Fault::Unsupported {
            message: "locking a RwLock that a panic releases, before that panic has been caught, is not \
                      modelled",
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
        note_resumed();
        return;
    }
    let aside = record::with(|recorder| {
        recorder.threads.iter_mut().for_each(|thread| thread.unwinds = false);
        std::mem::take(&mut recorder.thread().aside)
    });
    for Aside { object, site, guard, turnstile } in aside.into_iter().flatten() {
        turnstile.leave(site, object, matches!(guard, Guard::Read(..)));
        record::with(|recorder| {
            let action = match guard {
                Guard::Mutex(..) => Action::Unlock,
                Guard::Read(..) => Action::EndRead,
                Guard::Write(..) => Action::EndWrite,
            };
            recorder.note(site, Some(object), action);
            if let Guard::Read(..) = guard {
                recorder.ends_to_read(object);
            } else {
                recorder.objects[object].holders = 0;
                recorder.release_to(object);
            }
        });
        drop(guard);
    }
}
