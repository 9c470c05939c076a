//! Owners of memory: `Arc`, and what is freed.

use crate::facade::explore;
use Ordering::{AcqRel, Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, thread};

use super::Shared;

#[test]
fn a_count_that_is_released_too_weakly_frees_too_early() {
    for (order, fails) in [(Relaxed, true), (AcqRel, false)] {
        let found = explore(move || {
            let count = Box::into_raw(Box::new((AtomicUsize::new(2), UnsafeCell::new(0)))) as usize;
            // SAFETY: the box is freed by the last of the two, which is what is tested; the checker
            // ends an execution in which that is not so before the memory is accessed.
            let give_up = move || unsafe {
                let it = count as *mut (AtomicUsize, UnsafeCell<u32>);
                (*it).1.with(|value| *value);
                if (*it).0.fetch_sub(1, order) == 1 {
                    drop(Box::from_raw(it));
                }
            };
            let child = thread::spawn(give_up);
            give_up();
            child.join().unwrap();
        });
        assert_eq!(found.races(), fails, "{order:?}");
    }
}

#[test]
fn a_use_after_free_is_found() {
    let found = explore(|| {
        let x = Box::into_raw(Box::new(AtomicUsize::new(0)));
        // SAFETY: it was a box.
        drop(unsafe { Box::from_raw(x) });
        // SAFETY: not sound, and to be reported; the memory is kept until the execution is over.
        unsafe { &*x }.load(Relaxed);
    });
    assert!(found.uses_after_free());
}

/// The other thread is through with the value, but nothing says so.
#[test]
fn a_drop_that_does_not_know_of_earlier_uses_is_a_race() {
    for (order, races) in [(Relaxed, true), (Release, false)] {
        let found = explore(move || {
            let x = Box::into_raw(Box::new(AtomicUsize::new(0))) as usize;
            let done = Arc::new(AtomicBool::new(false));
            let there = done.clone();
            let child = thread::spawn(move || {
                // SAFETY: the value is dropped below, once this thread is through with it.
                unsafe { &*(x as *const AtomicUsize) }.store(1, Relaxed);
                there.store(true, order);
            });
            let early = done.load(Acquire);
            if !early {
                child.join().unwrap();
            }
            // SAFETY: the other thread has stored, and nothing else owns the value.
            drop(unsafe { Box::from_raw(x as *mut AtomicUsize) });
            early
        });
        assert_eq!(found.races(), races);
        if !races {
            assert_eq!(found.all(), [false, true]);
        }
    }
}

#[test]
fn publication_without_synchronisation_is_a_race() {
    for (order, races) in [(Relaxed, true), (Release, false)] {
        let found = explore(move || {
            let slot = Arc::new(AtomicPtr::new(std::ptr::null_mut::<AtomicUsize>()));
            let there = slot.clone();
            let child = thread::spawn(move || {
                there.store(Box::into_raw(Box::new(AtomicUsize::new(7))), order);
            });
            let pointer = slot.load(Acquire);
            // SAFETY: the pointer is null or comes from a box that is dropped only below.
            let seen = unsafe { pointer.as_ref() }.map(|x| x.load(Relaxed));
            child.join().unwrap();
            // SAFETY: the child has stored it, and nothing else owns it.
            drop(unsafe { Box::from_raw(slot.load(Relaxed)) });
            seen
        });
        assert_eq!(found.races(), races);
        if !races {
            assert_eq!(found.all(), [None, Some(7)]);
        }
    }
}

#[test]
fn an_arc_drops_its_value_once_and_after_all_uses() {
    let found = explore(|| {
        let memory = Shared::new();
        let weak = Arc::downgrade(&memory);
        let there = memory.clone();
        let child = thread::spawn(move || there.read());
        let upgraded = weak.upgrade().is_some();
        drop(memory);
        child.join().unwrap();
        assert!(weak.upgrade().is_none());
        upgraded
    });
    assert_eq!(found.all(), [true]);
}

#[test]
fn get_mut_of_an_arc_acquires_what_other_owners_did() {
    let found = explore(|| {
        let mut memory = Shared::new();
        let there = memory.clone();
        let child = thread::spawn(move || there.write(1));
        let seen = Arc::get_mut(&mut memory).map(|memory| *memory.0.get_mut());
        child.join().unwrap();
        seen
    });
    assert_eq!(found.all(), [None, Some(1)]);
}
