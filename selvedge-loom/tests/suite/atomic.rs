//! `sync::atomic`.

use loom::sync::Arc;
use loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use loom::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
    AtomicU16, AtomicU32, AtomicU64, AtomicUsize, fence, spin_loop_hint,
};
use loom::thread;

use super::{fails, passes};

macro_rules! integers {
    ($($test:ident: $atomic:ident, $int:ty;)*) => {$(
        #[test]
        fn $test() {
            passes(|| {
                let mut cell = $atomic::new(5);
                assert_eq!(cell.load(SeqCst), 5);
                cell.store(<$int>::MAX, Release);
                assert_eq!(cell.fetch_add(2, AcqRel), <$int>::MAX);
                assert_eq!(cell.fetch_sub(2, Relaxed), <$int>::MIN + 1);
                assert_eq!(cell.swap(12, SeqCst), <$int>::MAX);
                assert_eq!(cell.fetch_and(10, SeqCst), 12);
                assert_eq!(cell.fetch_or(3, SeqCst), 8);
                assert_eq!(cell.fetch_xor(1, SeqCst), 11);
                assert_eq!(cell.fetch_nand(6, SeqCst), 10);
                assert_eq!(cell.swap(7, SeqCst), !2);
                assert_eq!(cell.fetch_max(9, SeqCst), 7);
                assert_eq!(cell.fetch_min(4, SeqCst), 9);
                assert_eq!(cell.compare_exchange(4, 6, SeqCst, Relaxed), Ok(4));
                assert_eq!(cell.compare_exchange(4, 8, SeqCst, Relaxed), Err(6));
                while cell.compare_exchange_weak(6, 2, AcqRel, Acquire).is_err() {
                    thread::yield_now();
                }
                assert_eq!(cell.compare_and_swap(2, 1, SeqCst), 2);
                assert_eq!(cell.fetch_update(SeqCst, Relaxed, |n| n.checked_add(1)), Ok(1));
                assert_eq!(cell.try_update(SeqCst, Relaxed, |_| None), Err(2));
                assert_eq!(cell.update(SeqCst, Relaxed, |n| n + 1), 2);
                cell.with_mut(|value| *value += 1);
                // SAFETY: there is no other thread.
                assert_eq!(unsafe { cell.unsync_load() }, 4);
                assert_eq!(cell.into_inner(), 4);
                assert_eq!($atomic::default().load(Relaxed), 0);
                assert_eq!($atomic::from(3).load(Relaxed), 3);
            });
        }
    )*};
}

integers! {
    u8_is_whole: AtomicU8, u8;
    u16_is_whole: AtomicU16, u16;
    u32_is_whole: AtomicU32, u32;
    u64_is_whole: AtomicU64, u64;
    usize_is_whole: AtomicUsize, usize;
    i8_is_whole: AtomicI8, i8;
    i16_is_whole: AtomicI16, i16;
    i32_is_whole: AtomicI32, i32;
    i64_is_whole: AtomicI64, i64;
    isize_is_whole: AtomicIsize, isize;
}

#[test]
fn bool_and_pointer_are_whole() {
    passes(|| {
        let flag = AtomicBool::new(true);
        assert!(flag.fetch_and(false, SeqCst));
        assert!(!flag.fetch_or(true, SeqCst));
        assert!(flag.fetch_xor(true, SeqCst));
        assert!(!flag.fetch_nand(true, SeqCst));
        assert_eq!(flag.try_update(SeqCst, Relaxed, |flag| Some(!flag)), Ok(true));
        assert!(!flag.update(SeqCst, Relaxed, |flag| flag));
        // SAFETY: there is no other thread.
        assert!(!unsafe { flag.unsync_load() });
        let mut value = 5;
        let mut pointer = AtomicPtr::new(&raw mut value);
        let old = pointer.swap(std::ptr::null_mut(), SeqCst);
        assert_eq!(old, &raw mut value);
        pointer.with_mut(|pointer| *pointer = old);
        assert_eq!(pointer.into_inner(), old);
        assert!(AtomicPtr::<u8>::default().load(Relaxed).is_null());
    });
}

/// Message passing; `send` and `receive` are the orderings of the flag.
fn message_passing(send: loom::sync::atomic::Ordering, receive: loom::sync::atomic::Ordering) {
    let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
    let sender = {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            shared.0.store(1, Relaxed);
            shared.1.store(true, send);
        })
    };
    if shared.1.load(receive) {
        assert_eq!(shared.0.load(Relaxed), 1);
    }
    sender.join().unwrap();
}

#[test]
fn message_passing_needs_release_and_acquire() {
    passes(|| message_passing(Release, Acquire));
    fails(|| message_passing(Relaxed, Acquire));
    fails(|| message_passing(Release, Relaxed));
}

#[test]
fn fences_order_relaxed_accesses() {
    let model = |with_fences: bool| {
        let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        thread::spawn(move || {
            other.0.store(1, Relaxed);
            if with_fences {
                fence(Release);
            }
            other.1.store(true, Relaxed);
        });
        if shared.1.load(Relaxed) {
            if with_fences {
                fence(Acquire);
            }
            assert_eq!(shared.0.load(Relaxed), 1);
        }
    };
    passes(move || model(true));
    fails(move || model(false));
}

#[test]
fn a_split_increment_loses_an_update() {
    let model = |increment: fn(&AtomicUsize)| {
        let total = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&total);
        let thread = thread::spawn(move || increment(&other));
        increment(&total);
        thread.join().unwrap();
        assert_eq!(total.load(Relaxed), 2);
    };
    passes(move || model(|total| assert!(total.fetch_add(1, Relaxed) < 2)));
    fails(move || model(|total| total.store(total.load(Relaxed) + 1, Relaxed)));
}

#[test]
fn a_loop_that_waits_is_explored() {
    fn waits(pause: fn()) {
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        thread::spawn(move || other.store(true, Release));
        while !flag.load(Acquire) {
            pause();
        }
    }
    passes(|| waits(thread::yield_now));
    passes(|| waits(loom::hint::spin_loop));
    passes(|| waits(spin_loop_hint));
}

#[test]
fn unsync_load_races_with_a_store() {
    let model = |joins: bool| {
        let value = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&value);
        let thread = thread::spawn(move || other.store(1, Release));
        if joins {
            thread.join().unwrap();
        }
        // SAFETY: only where the thread has ended, which is what the models are about.
        unsafe { value.unsync_load() };
    };
    passes(move || model(true));
    super::fails_without_panic(move || model(false));
}

#[test]
fn unsync_load_before_a_store_in_happens_before_is_no_race() {
    passes(|| {
        let shared =
            Arc::new((AtomicUsize::new(7), AtomicBool::new(false), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            if other.1.load(Acquire) {
                other.0.store(8, Relaxed);
                // A choice that is made when the store is there.
                other.2.load(Relaxed);
            }
        });
        // SAFETY: the other thread stores only after it has acquired the flag.
        assert_eq!(unsafe { shared.0.unsync_load() }, 7);
        shared.1.store(true, Release);
        shared.2.store(true, Relaxed);
        thread.join().unwrap();
    });
}

/// What a `static` or a function pointer can call.
#[test]
fn the_pause_of_a_backoff_is_a_function() {
    passes(|| {
        let pauses: [fn(); 2] = [loom::hint::spin_loop, thread::yield_now];
        assert_eq!(pauses.len(), 2);
    });
}
