//! `sync::alloc`: memory that is freed too early, twice, or never.

use std::ptr;

use selvedge_model::sync::alloc::{Layout, Track, alloc, dealloc};
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use selvedge_model::sync::{Arc, Mutex, thread};
use selvedge_model::{Failure, Model};

/// A value in memory of its own.
pub(crate) fn place<T>(value: T) -> &'static T {
    // SAFETY: the layout is not empty, and the memory is as large as the value and aligned.
    unsafe {
        let memory = alloc(Layout::new::<T>()).cast::<T>();
        memory.write(value);
        &*memory
    }
}

/// Frees that, without dropping the value.
pub(crate) fn free<T>(value: &'static T) {
    // SAFETY: not sound if the value is still used, which is to be reported; the memory is kept until the execution is
    // over.
    unsafe { dealloc(ptr::from_ref(value).cast_mut().cast(), Layout::new::<T>()) };
}

#[test]
fn memory_is_freed_after_its_last_use() {
    let report = selvedge_model::explore(|| {
        let value = place(AtomicUsize::new(0));
        let other = thread::spawn(|| value.fetch_add(1, Relaxed));
        value.fetch_add(1, Relaxed);
        other.join().unwrap();
        free(value);
    });
    assert!(report.is_complete());
}

#[test]
fn memory_is_freed_while_another_thread_uses_it() {
    Model::program(|| {
        let value = place(AtomicUsize::new(0));
        let other = thread::spawn(|| value.fetch_add(1, Relaxed));
        free(value);
        other.join().unwrap();
    })
    .fails(Failure::DataRace)
    .check();
}

/// That the use comes first is known, and not synchronised.
#[test]
fn memory_is_freed_without_synchronisation_after_its_last_use() {
    Model::program(|| {
        let (value, done) = (place(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let sets = Arc::clone(&done);
        let other = thread::spawn(move || {
            value.fetch_add(1, Relaxed);
            sets.store(true, Relaxed);
        });
        let mut other = Some(other);
        if !done.load(Relaxed) {
            other.take().unwrap().join().unwrap();
        }
        free(value);
        if let Some(other) = other {
            other.join().unwrap();
        }
    })
    .fails(Failure::DataRace)
    .check();
}

/// Whatever it is, and whether it was used before.
#[test]
fn a_lock_is_used_after_its_memory_is_freed() {
    for used_before in [false, true] {
        Model::program(move || {
            let lock = place(Mutex::new(0));
            if used_before {
                *lock.lock().unwrap() += 1;
            }
            free(lock);
            *lock.lock().unwrap() += 1;
        })
        .fails(Failure::UseAfterFree)
        .check();
    }
}

#[test]
fn memory_is_freed_twice() {
    Model::program(|| {
        let value = place(AtomicUsize::new(0));
        free(value);
        free(value);
    })
    .fails(Failure::UseAfterFree)
    .check();
}

#[test]
fn memory_is_never_freed() {
    Model::program(|| {
        let value = place(AtomicUsize::new(0));
        assert_eq!(value.load(Relaxed), 0);
    })
    .fails(Failure::Leak)
    .check();
}

/// Its objects have come to their end before.
#[test]
fn a_value_is_dropped_before_its_memory_is_freed() {
    selvedge_model::explore(|| {
        let value = place(Arc::new(AtomicUsize::new(0)));
        value.store(1, Relaxed);
        // SAFETY: it is used no more.
        unsafe { ptr::from_ref(value).cast_mut().drop_in_place() };
        free(value);
    });
}

#[test]
fn a_tracked_value_is_dropped_while_another_thread_reads_it() {
    Model::program(|| {
        let pointer = Box::into_raw(Box::new(Track::new(1)));
        // SAFETY: it was a box.
        let value: &'static Track<i32> = unsafe { &*pointer };
        let other = thread::spawn(|| *value.get_ref());
        // SAFETY: it was a box. That it is still used is to be reported; the memory is kept.
        drop(unsafe { Box::from_raw(pointer) });
        other.join().unwrap();
    })
    .fails(Failure::DataRace)
    .check();
}
