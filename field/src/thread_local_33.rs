//! # `thread_local` #33: a bucket is reached through a relaxed load
//!
//! **Source.** <https://github.com/Amanieu/thread_local-rs/issues/33>, mended in
//! <https://github.com/Amanieu/thread_local-rs/pull/34>.
//!
//! **Kind.** Data race; weak memory (message passing without acquire).
//!
//! **What happened.** Values of threads lie in buckets, which are allocated when a thread needs them and published by a
//! compare-and-swap. An iterator in another thread loaded the pointer to the bucket with `Relaxed`, and then loaded the flag
//! of an entry in it. The pointer could so be seen before the entry was initialised. Miri reported a data race between that load
//! and the initialisation.
//!
//! **What the checker says.** Data race in execution 1: the iterator uses the flag, whose making does not happen before. The
//! fixed one is explored completely, in 3 executions.
//!
//! **Assumed.** One bucket with one entry.

use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr};
use selvedge_model::sync::cell::UnsafeCell;

/// The iterator loads the pointer with `Relaxed`.
pub type Broken = ThreadLocal<false>;
/// The iterator loads the pointer with `Acquire`.
pub type Fixed = ThreadLocal<true>;

struct Entry {
    is_present: AtomicBool,
    value: UnsafeCell<u64>,
}

/// A value for each thread; here for one.
#[derive(Default)]
pub struct ThreadLocal<const FIXED: bool> {
    bucket: AtomicPtr<Entry>,
}

// SAFETY: one thread writes the value, before it sets the flag; others read it after they have seen the flag.
unsafe impl<const FIXED: bool> Sync for ThreadLocal<FIXED> {}
// SAFETY: as above.
unsafe impl<const FIXED: bool> Send for ThreadLocal<FIXED> {}

impl<const FIXED: bool> ThreadLocal<FIXED> {
    /// The owner: allocates the bucket, and inserts its value. One thread calls it.
    pub fn insert(&self) {
        let entry = Entry { is_present: AtomicBool::new(false), value: UnsafeCell::new(0) };
        let entry = Box::into_raw(Box::new(entry));
        // AcqRel: publishes the bucket.
        let _ = self.bucket.compare_exchange(std::ptr::null_mut(), entry, AcqRel, Acquire);
        // SAFETY: it is freed with `self`. The flag is not set: no other thread uses the value.
        unsafe {
            (*entry).value.with_mut(|value| *value = 7);
            // Release: publishes the value.
            (*entry).is_present.store(true, Release);
        }
    }

    /// The iterator: the value, or 0 if there is none.
    pub fn first(&self) -> u64 {
        // Acquire: pairs with the compare-and-swap of `insert`, and makes the bucket visible.
        let entry = self.bucket.load(if FIXED { Acquire } else { Relaxed });
        if entry.is_null() {
            return 0;
        }
        // SAFETY: it is freed with `self`, and a value that is present is not written.
        unsafe {
            // Acquire: pairs with the Release of `insert`.
            let is_present = (*entry).is_present.load(Acquire);
            if is_present { (*entry).value.with(|value| *value) } else { 0 }
        }
    }
}

impl<const FIXED: bool> Drop for ThreadLocal<FIXED> {
    fn drop(&mut self) {
        // Relaxed: no other thread uses it.
        let entry = self.bucket.load(Relaxed);
        if !entry.is_null() {
            // SAFETY: `insert` has leaked it.
            drop(unsafe { Box::from_raw(entry) });
        }
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::{Failure, Model};

    use super::{Broken, Fixed, ThreadLocal};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<ThreadLocal<FIXED>> {
        let model = Model::new(ThreadLocal::default).thread("owner", ThreadLocal::insert);
        model.thread("first", ThreadLocal::first)
    }

    #[test]
    fn a_relaxed_load_of_the_bucket_races_with_its_making() {
        let broken: fn() -> Model<Broken> = model;
        expect::fails(broken, Failure::DataRace, 1, "the load must acquire");
    }

    #[test]
    fn an_acquire_load_finds_the_bucket_made() {
        let model: Model<Fixed> = model();
        let report = model.acceptable(["first=0", "first=7"], "before it, or after").check();
        expect::complete(&report, 3);
    }
}
