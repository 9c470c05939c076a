//! # internment #11: an interned value is freed while a new handle refers to it
//!
//! **Source.** <https://github.com/droundy/internment/issues/11>, RUSTSEC-2020-0017.
//!
//! **Kind.** Use after free: the reference count is decremented outside the lock that finds the value.
//!
//! **What happened.** `ArcIntern` keeps one copy of each value in a table under a mutex, with a reference count. The drop of
//! the last handle decremented the count to 0, and then took the mutex to remove the value. In between `new` could find the
//! value in the table and increment the count again; then the first thread freed it. The reporter attributes a crash to it.
//!
//! **What the checker says.** `broken`: a data race between one thread, which releases its handle, and the free by
//! another, in execution 6, an interleaving. A use after free that no happens-before edge orders with the free is
//! reported as a data race. `fixed` is explored completely, in 6 executions.
//!
//! **Assumed.** One value. The repair is the one that the reporter proposed: a drop always takes the mutex. The crate lets
//! `new` retry while the count is 0.

use selvedge_model::sync::Mutex;
use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicUsize, fence};

/// The reference count of an interned value.
type Entry = AtomicUsize;

/// A handle to the entry of a table.
struct Handle(*const Entry);

impl Handle {
    fn count(&self) -> &Entry {
        // SAFETY: the entry is in the table while a handle counts. With `release_broken` that is wrong: the bug.
        unsafe { &*self.0 }
    }
}

/// The table of one value.
#[derive(Default)]
pub struct Table(Mutex<Option<Box<Entry>>>);

impl Table {
    fn intern(&self) -> Handle {
        let mut entry = self.0.lock().unwrap();
        let entry = entry.get_or_insert_with(Box::default);
        entry.fetch_add(1, Relaxed);
        Handle(&raw const **entry)
    }
}

fn release_broken(table: &Table, handle: &Handle) {
    // Release, and an acquire fence, as in `Arc`: the uses of the value happen before the free.
    if handle.count().fetch_sub(1, Release) == 1 {
        fence(Acquire);
        let removed = table.0.lock().unwrap().take();
        drop(removed);
    }
}

fn release_fixed(table: &Table, handle: &Handle) {
    let mut entry = table.0.lock().unwrap();
    // Relaxed: the mutex orders all accesses to the count.
    if handle.count().fetch_sub(1, Relaxed) == 1 {
        *entry = None;
    }
}

/// Interns the value, and drops the handle. Undefined behaviour beside another thread.
pub fn broken(table: &Table) {
    release_broken(table, &table.intern());
}

/// Interns the value, and drops the handle.
pub fn fixed(table: &Table) {
    release_fixed(table, &table.intern());
}

#[cfg(test)]
mod tests {
    use super::{Table, broken, fixed};
    use crate::expect;
    use selvedge_model::{Failure, Model};

    #[test]
    fn a_value_is_freed_while_a_new_handle_refers_to_it() {
        expect::fails(
            || Model::new(Table::default).thread("a", broken).thread("b", broken),
            Failure::DataRace,
            6,
            "b drops it, and no happens-before edge",
        );
    }

    #[test]
    fn a_release_under_the_lock_is_sound() {
        let report = Model::new(Table::default)
            .thread("a", fixed)
            .thread("b", fixed)
            .acceptable("()", "each entry is freed when no handle is left")
            .check();
        expect::complete(&report, 6);
    }
}
