//! Atomics and fences.

use crate::facade::explore;
use Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicI8, AtomicUsize, Ordering, fence};
use selvedge_model::sync::{Arc, hint, thread};

use super::{Shared, hands_over};

#[test]
fn release_and_acquire_hand_over() {
    for (store, load, races) in
        [(Release, Acquire, false), (Relaxed, Acquire, true), (Release, Relaxed, true)]
    {
        let found = hands_over(
            || AtomicBool::new(false),
            move |flag| flag.store(true, store),
            |flag| flag.load(load),
        );
        assert_eq!(found.races(), races, "{store:?} {load:?}");
    }
}

#[test]
fn fences_hand_over_in_their_own_thread_only() {
    for (release, acquire, races) in [(true, true, false), (false, true, true), (true, false, true)]
    {
        let found = hands_over(
            || AtomicBool::new(false),
            move |flag| {
                if release {
                    fence(Release);
                }
                flag.store(true, Relaxed);
            },
            move |flag| {
                let seen = flag.load(Relaxed);
                if acquire {
                    fence(Acquire);
                }
                seen
            },
        );
        assert_eq!(found.races(), races);
    }
    // A fence of the parent is not before what its child stores, in program order.
    let found = explore(|| {
        let (flag, memory) = (Arc::new(AtomicBool::new(false)), Shared::new());
        let (f, m) = (flag.clone(), memory.clone());
        let reader = thread::spawn(move || {
            if f.load(Acquire) {
                m.read();
            }
        });
        memory.write(1);
        fence(Release);
        let child = thread::spawn(move || flag.store(true, Relaxed));
        child.join().unwrap();
        reader.join().unwrap();
    });
    assert!(found.races());
}

#[test]
fn integers_of_all_widths_wrap_and_compare_as_in_std() {
    let found = explore(|| {
        let x = AtomicI8::new(127);
        let before = (x.fetch_add(1, Relaxed), x.fetch_max(-100, Relaxed), x.fetch_min(0, Relaxed));
        (before, x.swap(5, Relaxed), x.into_inner())
    });
    assert_eq!(found.all(), [((127, -128, -100), -100, 5)]);
}

#[test]
fn get_mut_of_an_atomic_is_a_plain_access() {
    let found = explore(|| {
        let mut x = AtomicUsize::new(1);
        x.store(2, Relaxed);
        *x.get_mut() += 1;
        let seen = x.load(Relaxed);
        *x.get_mut() = 9;
        (seen, x.into_inner())
    });
    assert_eq!(found.all(), [(3, 9)]);
}

#[test]
fn a_weak_compare_exchange_also_fails_without_a_cause() {
    let found = explore(|| {
        let x = AtomicUsize::new(0);
        x.compare_exchange_weak(0, 1, Relaxed, Relaxed)
    });
    assert_eq!(found.all(), [Ok(0), Err(0)]);
}

#[test]
fn a_test_and_set_lock_excludes() {
    let found = explore(|| {
        let (locked, memory) = (Arc::new(AtomicBool::new(false)), Shared::new());
        let section = |locked: Arc<AtomicBool>, memory: Arc<Shared>| {
            hint::wait_until(|| !locked.swap(true, Acquire));
            memory.write(memory.read() + 1);
            locked.store(false, Release);
        };
        let (l, m) = (locked.clone(), memory.clone());
        let child = thread::spawn(move || section(l, m));
        section(locked, memory.clone());
        child.join().unwrap();
        memory.read()
    });
    assert_eq!(found.all(), [2]);
}
