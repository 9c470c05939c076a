//! `alloc`.

use loom::alloc::{Layout, Track, alloc, alloc_zeroed, dealloc};
use loom::sync::Arc;
use loom::thread;

use super::{fails, fails_without_panic, passes};

#[test]
fn memory_that_is_freed_once_is_fine() {
    passes(|| {
        let layout = Layout::new::<u64>();
        // SAFETY: the memory is used as long as it is there, as what it is for.
        unsafe {
            let zero = alloc_zeroed(layout);
            assert_eq!(*zero.cast::<u64>(), 0);
            let memory = alloc(layout);
            memory.cast::<u64>().write(7);
            dealloc(zero, layout);
            assert_eq!(memory.cast::<u64>().read(), 7);
            dealloc(memory, layout);
        }
    });
}

#[test]
fn memory_that_is_never_freed_leaks() {
    fails_without_panic(|| {
        // SAFETY: the layout is not empty.
        let _ = unsafe { alloc(Layout::new::<u64>()) };
    });
}

#[test]
fn a_tracked_value_that_is_never_dropped_leaks() {
    fails_without_panic(|| std::mem::forget(Track::new(1)));
}

#[test]
fn memory_must_not_be_freed_twice() {
    fails(|| {
        let layout = Layout::new::<u64>();
        // SAFETY: that it is freed twice is what the model is about.
        unsafe {
            let memory = alloc(layout);
            dealloc(memory, layout);
            dealloc(memory, layout);
        }
    });
}

#[test]
fn memory_from_elsewhere_must_not_be_freed() {
    fails(|| {
        let layout = Layout::new::<u64>();
        // SAFETY: the layout is not empty.
        let memory = unsafe { std::alloc::alloc(layout) };
        // SAFETY: that it is not from `alloc` is what the model is about.
        unsafe { dealloc(memory, layout) };
    });
}

#[test]
fn a_tracked_value_is_used_and_dropped() {
    passes(|| {
        let mut value = Track::new(1);
        *value.get_mut() += 1;
        assert_eq!(*value.get_ref(), 2);
        assert_eq!(value.into_inner(), 2);
        let shared = Arc::new(Track::new(3));
        let other = Arc::clone(&shared);
        thread::spawn(move || assert_eq!(*other.get_ref(), 3));
        assert_eq!(*shared.get_ref(), 3);
    });
}
