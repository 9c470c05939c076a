//! `sync`.

use std::time::Duration;

use loom::sync::atomic::Ordering::Relaxed;
use loom::sync::atomic::{AtomicBool, AtomicUsize};
use loom::sync::{Arc, Condvar, Mutex, MutexGuard, Notify, RwLock, mpsc};
use loom::thread;

use super::{fails, fails_without_panic, passes};

#[test]
fn arc_counts_its_owners() {
    passes(|| {
        let mut value = Arc::new(1);
        *Arc::get_mut(&mut value).unwrap() += 1;
        let other = value.clone();
        assert!(Arc::ptr_eq(&value, &other) && Arc::get_mut(&mut value).is_none());
        assert_eq!(Arc::strong_count(&value), 2);
        let value = Arc::try_unwrap(value).unwrap_err();
        let pointer = Arc::into_raw(other);
        assert_eq!(pointer, Arc::as_ptr(&value));
        // SAFETY: each owner that is dropped was there before.
        unsafe {
            Arc::increment_strong_count(pointer);
            assert_eq!(Arc::strong_count(&value), 3);
            Arc::decrement_strong_count(pointer);
            drop(Arc::from_raw(pointer));
        }
        assert_eq!(Arc::try_unwrap(value).unwrap(), 2);
        let text: Arc<str> = Arc::from_std(std::sync::Arc::from("text"));
        let borrowed: &str = std::borrow::Borrow::borrow(&text);
        assert_eq!((borrowed, text.as_ref().len()), ("text", 4));
        assert_eq!((*Arc::pin(3), *Arc::<u8>::default(), *Arc::from(4)), (3, 0, 4));
    });
}

#[test]
fn an_arc_that_is_never_dropped_leaks() {
    fails_without_panic(|| std::mem::forget(Arc::new(1)));
    fails_without_panic(|| assert!(!Arc::into_raw(Arc::new(1)).is_null()));
}

#[test]
fn from_std_needs_the_only_owner() {
    fails(|| {
        let value = std::sync::Arc::new(1);
        let _other = std::sync::Arc::clone(&value);
        drop(Arc::from_std(value));
    });
}

#[test]
fn a_mutex_keeps_every_update() {
    passes(|| {
        let total = Arc::new(Mutex::new(0));
        let other = Arc::clone(&total);
        let thread = thread::spawn(move || *other.lock().unwrap() += 1);
        match total.try_lock() {
            Ok(mut guard) => *guard += 1,
            Err(_) => *total.lock().unwrap() += 1,
        }
        thread.join().unwrap();
        let mut total = Arc::try_unwrap(total).unwrap();
        *total.get_mut().unwrap() += 1;
        assert_eq!(total.into_inner().unwrap(), 3);
        assert_eq!(*Mutex::<u8>::default().lock().unwrap() + *Mutex::from(1).lock().unwrap(), 1);
    });
    fails(|| {
        let total = Arc::new(Mutex::new(0));
        let other = Arc::clone(&total);
        let thread = thread::spawn(move || {
            let read = *other.lock().unwrap();
            *other.lock().unwrap() = read + 1;
        });
        *total.lock().unwrap() += 1;
        thread.join().unwrap();
        assert_eq!(*total.lock().unwrap(), 2);
    });
}

#[test]
fn two_mutexes_in_two_orders_deadlock() {
    fails_without_panic(|| {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        let other = Arc::clone(&locks);
        let thread = thread::spawn(move || {
            let _first = other.1.lock().unwrap();
            let _second: MutexGuard<'_, ()> = other.0.lock().unwrap();
        });
        {
            let _first = locks.0.lock().unwrap();
            let _second = locks.1.lock().unwrap();
        }
        thread.join().unwrap();
    });
}

#[test]
fn readers_share_and_writers_exclude() {
    passes(|| {
        let value = Arc::new(RwLock::new((0, 0)));
        let other = Arc::clone(&value);
        let thread = thread::spawn(move || {
            let mut pair = other.write().unwrap();
            pair.0 += 1;
            pair.1 += 1;
        });
        let pair = *value.read().unwrap();
        assert_eq!(pair.0, pair.1);
        let _ = value.try_read().map(|pair| *pair);
        if let Ok(mut pair) = value.try_write() {
            pair.0 += 1;
        }
        thread.join().unwrap();
        let mut value = Arc::try_unwrap(value).unwrap();
        let one = value.get_mut().unwrap().1;
        assert_eq!((one, value.into_inner().unwrap().1), (1, 1));
        assert_eq!(*RwLock::<u8>::default().read().unwrap(), *RwLock::from(0).read().unwrap());
    });
}

/// A thread waits for a flag under a mutex; `notifies` sets it.
fn waits(notifies: fn(&(Mutex<bool>, Condvar))) {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&shared);
    let thread = thread::spawn(move || notifies(&other));
    let mut flag = shared.0.lock().unwrap();
    while !*flag {
        flag = shared.1.wait(flag).unwrap();
    }
    drop(flag);
    thread.join().unwrap();
}

#[test]
fn a_notification_must_come_after_the_change() {
    passes(|| {
        waits(|(flag, changed)| {
            *flag.lock().unwrap() = true;
            changed.notify_one();
        });
    });
    passes(|| {
        waits(|(flag, changed)| {
            let mut flag = flag.lock().unwrap();
            changed.notify_all();
            *flag = true;
        });
    });
    fails_without_panic(|| {
        waits(|(flag, changed)| {
            changed.notify_all();
            *flag.lock().unwrap() = true;
        });
    });
}

#[test]
fn a_wait_with_a_limit_ends() {
    passes(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::default()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let mut flag = shared.0.lock().unwrap();
        let mut timed_out = false;
        while !*flag && !timed_out {
            let result;
            (flag, result) = shared.1.wait_timeout(flag, Duration::from_secs(1)).unwrap();
            timed_out = result.timed_out();
        }
        drop(flag);
        thread.join().unwrap();
    });
}

#[test]
fn messages_are_received_in_order() {
    passes(|| {
        let (sender, receiver) = mpsc::channel();
        let other = sender.clone();
        thread::spawn(move || {
            sender.send(1).unwrap();
            other.send(2).unwrap();
        });
        let first = receiver.try_recv().or_else(|_| receiver.recv()).unwrap();
        assert_eq!((first, receiver.recv().unwrap()), (1, 2));
    });
}

#[test]
fn a_notify_is_waited_for() {
    fn model(notify_first: bool) {
        let shared = Arc::new((Notify::new(), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            if notify_first {
                other.0.notify();
            }
            other.1.store(true, Relaxed);
            if !notify_first {
                other.0.notify();
            }
        });
        // In loom a wait may end without a notification.
        while !shared.1.load(Relaxed) {
            shared.0.wait();
        }
        thread.join().unwrap();
    }
    passes(|| model(false));
    fails_without_panic(|| model(true));
}

#[test]
fn a_notification_hands_over() {
    passes(|| {
        let shared = Arc::new((Notify::default(), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.1.store(true, Relaxed);
            other.0.notify();
        });
        // Twice: in loom the first may end without a notification.
        shared.0.wait();
        if !shared.1.load(Relaxed) {
            shared.0.wait();
            assert!(shared.1.load(Relaxed), "the notification was acquired");
        }
        thread.join().unwrap();
    });
}

/// What is in a `std::sync::Arc` may be dropped by any of its owners.
#[test]
fn objects_may_be_in_a_std_arc() {
    passes(|| {
        let shared = std::sync::Arc::new((Mutex::new(0), AtomicBool::new(false)));
        let other = std::sync::Arc::clone(&shared);
        thread::spawn(move || {
            *other.0.lock().unwrap() += 1;
            other.1.store(true, Relaxed);
        });
        *shared.0.lock().unwrap() += 1;
        shared.1.load(Relaxed);
    });
    fails(|| {
        let shared = std::sync::Arc::new(AtomicBool::new(false));
        let other = std::sync::Arc::clone(&shared);
        thread::spawn(move || other.store(true, Relaxed));
        assert!(!shared.load(Relaxed));
    });
}

/// The drop of what is in it may take steps, where it is known which thread drops it.
#[test]
fn owners_may_be_in_a_std_arc() {
    passes(|| {
        let shared = std::sync::Arc::new((AtomicUsize::new(0), Arc::new(1)));
        let other = std::sync::Arc::clone(&shared);
        let thread = thread::spawn(move || other.0.fetch_add(1, Relaxed));
        shared.0.fetch_add(1, Relaxed);
        thread.join().unwrap();
        drop(shared);
    });
}
