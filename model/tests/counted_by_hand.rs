//! Owners of an `Arc` that are counted by hand, through a pointer, and one is used that is none any more.

use selvedge_model::sync::atomic::{AtomicPtr, Ordering::*};
use selvedge_model::sync::{Arc, Weak, thread};
use selvedge_model::{Failure, Model};

/// A pointer to a value whose owners are counted by hand.
struct Raw<T>(*const T);

// SAFETY: it is only an address; the tests answer for what they do with it.
unsafe impl<T> Send for Raw<T> {}

/// The value has nothing in it that the checker follows; in `std` it would be dropped twice.
#[test]
fn an_owner_is_not_added_after_the_last_one() {
    let swaps = |keeps_weak: bool| {
        Model::program(move || {
            let value = Arc::new(String::from("value"));
            let weak: Option<Weak<String>> = keeps_weak.then(|| Arc::downgrade(&value));
            let current = Arc::new(AtomicPtr::new(Arc::into_raw(value).cast_mut()));
            let reads = Arc::clone(&current);
            let reader = thread::spawn(move || {
                let value = reads.load(Acquire);
                if !value.is_null() {
                    // SAFETY: none: the writer may have dropped it since.
                    drop(unsafe {
                        Arc::increment_strong_count(value);
                        Arc::from_raw(value)
                    });
                }
            });
            // SAFETY: the owner that the pointer stood for.
            drop(unsafe { Arc::from_raw(current.swap(std::ptr::null_mut(), AcqRel)) });
            reader.join().unwrap();
            assert!(weak.is_none_or(|weak| weak.upgrade().is_none()));
        })
    };
    for keeps_weak in [false, true] {
        let found = swaps(keeps_weak).fails(Failure::DataRace).check();
        assert!(found.to_string().contains("r1.drop value"), "{found}");
        let message = found.failure.map(|failure| failure.message).unwrap_or_default();
        assert!(message.contains("r1: main drops it"), "{message}");
    }
}

#[test]
fn an_owner_is_not_given_up_twice() {
    let twice = |gives_up: fn(Arc<u64>)| {
        Model::program(move || gives_up(Arc::new(1))).fails(Failure::UseAfterFree).check();
    };
    twice(|value| {
        let value = Arc::into_raw(value);
        // SAFETY: the first; none of the second.
        unsafe {
            Arc::decrement_strong_count(value);
            Arc::decrement_strong_count(value);
        }
    });
    twice(|value| {
        let weak = Arc::downgrade(&value).into_raw();
        drop(value);
        // SAFETY: the first; none of the second.
        unsafe {
            drop(Weak::from_raw(weak));
            drop(Weak::from_raw(weak));
        }
    });
    twice(|value| {
        let weak = Arc::downgrade(&value);
        let value = Arc::into_raw(value);
        // SAFETY: the first; none of the second, which finds the value gone and its memory there.
        unsafe {
            Arc::decrement_strong_count(value);
            Arc::decrement_strong_count(value);
        }
        drop(weak);
    });
    twice(|value| {
        let raw = Arc::into_raw(value);
        // SAFETY: the first; none of the second, after the value was taken out.
        unsafe {
            assert_eq!(Arc::try_unwrap(Arc::from_raw(raw)), Ok(1));
            Arc::decrement_strong_count(raw);
        }
    });
    twice(|mut value| {
        let weak = Arc::downgrade(&value);
        let raw = Arc::as_ptr(&value);
        *Arc::make_mut(&mut value) += 1;
        // SAFETY: none: the value has moved.
        unsafe { Arc::increment_strong_count(raw) };
        drop(weak);
    });
    Model::program(|| {
        let value = Raw(Arc::into_raw(Arc::new(1_u64)));
        let other = Raw(value.0);
        let gives_up = thread::spawn(move || {
            let other = other;
            // SAFETY: none: one of the two comes too late.
            unsafe { Arc::decrement_strong_count(other.0) };
        });
        // SAFETY: as above.
        unsafe { Arc::decrement_strong_count(value.0) };
        gives_up.join().unwrap();
    })
    .fails(Failure::DataRace)
    .check();
}
