//! Where the verdicts differ, and why.

use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use loom::sync::atomic::{AtomicBool, AtomicUsize};
use loom::sync::{Arc, Barrier, Condvar, Mutex, mpsc};
use loom::thread;

use super::{failure, loom_alarms, loom_misses};

type Two = (AtomicUsize, AtomicUsize);

/// What two threads find on two atomics.
fn two(one: fn(&Two) -> usize, other: fn(&Two) -> usize) -> (usize, usize) {
    let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let second = Arc::clone(&shared);
    let thread = thread::spawn(move || other(&second));
    (one(&shared), thread.join().unwrap())
}

#[test]
fn the_last_owner_of_a_std_arc_must_be_known_where_its_drop_takes_steps() {
    loom_misses("who drops it last is invisible, and one of the two ways is run", || {
        let shared = std::sync::Arc::new((AtomicUsize::new(0), Arc::new(1)));
        let other = std::sync::Arc::clone(&shared);
        let thread = thread::spawn(move || other.0.fetch_add(1, Relaxed));
        shared.0.fetch_add(1, Relaxed);
        drop(shared);
        thread.join().unwrap();
    });
}

#[test]
fn relaxed_updates_are_reordered() {
    loom_misses("an update reads the newest value in loom", || {
        let seen = two(
            |(a, b)| {
                a.store(1, Relaxed);
                b.fetch_add(0, Relaxed)
            },
            |(a, b)| {
                b.store(1, Relaxed);
                a.fetch_add(0, Relaxed)
            },
        );
        assert_ne!(seen, (0, 0));
    });
}

#[test]
fn a_compare_exchange_fails_on_an_old_value() {
    loom_misses("a compare_exchange that fails reads the newest value in loom", || {
        let seen = two(
            |(a, b)| {
                a.store(1, Relaxed);
                b.store(1, Relaxed);
                0
            },
            |(a, b)| {
                let seen = b.load(Relaxed);
                let (Ok(old) | Err(old)) = a.compare_exchange(7, 8, Relaxed, Relaxed);
                usize::from(seen == 1 && old == 0)
            },
        );
        assert_eq!(seen.1, 0);
    });
}

#[test]
fn a_load_hides_no_other() {
    loom_misses("loom remembers one last access of an atomic, so a load hides another", || {
        let value = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&value);
        let writer = thread::spawn(move || {
            let read = other.load(SeqCst);
            other.store(read + 1, SeqCst);
        });
        assert_eq!(value.load(SeqCst), 0, "the reader comes first");
        writer.join().unwrap();
    });
}

#[test]
fn an_access_lasts_until_its_pointer_is_dropped() {
    loom_misses("loom looks no more once the thread takes no further step", || {
        struct Shared(UnsafeCell<usize>, AtomicBool);
        // SAFETY: that it is not sound is what the model is about.
        unsafe impl Sync for Shared {}
        let shared = Arc::new(Shared(UnsafeCell::new(0), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            if other.1.load(Acquire) {
                other.0.with_mut(|_| ());
            }
        });
        let pointer = shared.0.get();
        shared.1.store(true, Release);
        drop(pointer);
        thread.join().unwrap();
    });
}

#[test]
fn seq_cst_stores_are_in_one_order() {
    loom_alarms("SeqCst counts as AcqRel in loom", || {
        let seen = two(
            |(a, b)| {
                a.store(1, SeqCst);
                b.load(SeqCst)
            },
            |(a, b)| {
                b.store(1, SeqCst);
                a.load(SeqCst)
            },
        );
        assert_ne!(seen, (0, 0));
    });
}

#[test]
fn a_weak_exchange_fails_without_a_cause() {
    loom_misses("loom has no spurious failures", || {
        let value = AtomicUsize::new(0);
        assert_eq!(value.compare_exchange_weak(0, 1, Relaxed, Relaxed), Ok(0));
    });
}

#[test]
fn a_wait_ends_without_a_notification() {
    loom_misses("loom has no spurious wake-ups of condition variables", || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let mut flag = shared.0.lock().unwrap();
        if !*flag {
            flag = shared.1.wait(flag).unwrap();
        }
        assert!(*flag);
        drop(flag);
        thread.join().unwrap();
    });
}

#[test]
fn a_wait_times_out() {
    loom_misses("loom's wait_timeout never times out", || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let flag = shared.0.lock().unwrap();
        if !*flag {
            let (flag, result) = shared.1.wait_timeout(flag, Duration::from_secs(1)).unwrap();
            assert!(!result.timed_out());
            drop(flag);
        } else {
            drop(flag);
        }
        thread.join().unwrap();
    });
}

#[test]
fn a_panic_that_a_join_returns_is_handled() {
    loom_alarms("a panic of a thread ends the model in loom", || {
        let thread = thread::spawn(|| panic!("on purpose"));
        assert!(thread.join().is_err());
    });
}

#[test]
fn an_object_is_freed_too_early() {
    loom_misses("loom does not see the end of an atomic", || {
        let flag: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let thread = thread::spawn(move || {
            flag.store(true, Release);
            flag.load(Relaxed);
        });
        if !flag.load(Acquire) {
            thread.join().unwrap();
        }
        // SAFETY: the memory stays. That the atomic may still be used is what the model is about.
        unsafe { std::ptr::drop_in_place(std::ptr::from_ref(flag).cast_mut()) };
    });
}

#[test]
fn memory_is_used_after_its_end() {
    loom_misses("loom sees memory that is freed twice or never, not its use", || {
        use loom::alloc::{Layout, alloc, dealloc};
        let layout = Layout::new::<AtomicUsize>();
        // SAFETY: that the atomic is used after the end of its memory is what the model is about; the memory is kept
        // back by the checker. Under loom nothing uses it.
        unsafe {
            let atomic = alloc(layout).cast::<AtomicUsize>();
            atomic.write(AtomicUsize::new(0));
            dealloc(atomic.cast(), layout);
            if !crate::ON_LOOM {
                (*atomic).load(Relaxed);
            }
        }
    });
}

#[test]
fn more_threads_than_loom_has() {
    loom_alarms("loom has five threads at most", || {
        let threads: Vec<_> = (0..6).map(|_| thread::spawn(|| ())).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn what_loom_does_not_have_yet() {
    loom_alarms("Barrier is not implemented in loom", || {
        let barrier = Arc::new(Barrier::new(2));
        let other = Arc::clone(&barrier);
        let thread = thread::spawn(move || other.wait().is_leader());
        assert_ne!(barrier.wait().is_leader(), thread.join().unwrap());
    });
    loom_alarms("recv_timeout is not implemented in loom", || {
        let (sender, receiver) = mpsc::channel();
        sender.send(1).unwrap();
        assert_eq!(receiver.recv_timeout(Duration::from_secs(1)), Ok(1));
    });
}

#[test]
fn bounds_that_are_refused() {
    let mut too_many = Builder::new();
    too_many.max_threads = 17;
    let mut in_time = Builder::new();
    in_time.max_duration = Some(Duration::from_secs(60));
    let mut resumed = Builder::new();
    resumed.checkpoint_file("target/never-written.json");
    for (builder, says) in [
        (too_many, "must be at most 16"),
        (in_time, "write `builder.max_permutations = Some(n);`"),
        (resumed, "SELVEDGE_REPLAY"),
    ] {
        if !crate::ON_LOOM {
            let failure = failure(|| builder.check(|| ()));
            assert!(failure.is_some_and(|failure| failure.contains(says)));
        }
    }
}

/// A race, not of data.
fn races() {
    let value = Arc::new(AtomicUsize::new(0));
    let other = Arc::clone(&value);
    thread::spawn(move || other.store(1, SeqCst));
    assert_eq!(value.load(SeqCst), 0);
}

#[test]
fn everything_is_explored() {
    loom_misses("stop_exploring leaves out what follows", || {
        loom::stop_exploring();
        races();
    });
    loom_misses("skip_branch leaves out what follows", || {
        loom::skip_branch();
        races();
    });
}
