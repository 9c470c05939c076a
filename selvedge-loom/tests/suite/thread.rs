//! `thread`.

use std::rc::Rc;

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use loom::thread;

use super::{fails, fails_without_panic, passes};

#[test]
fn threads_have_ids_names_and_results() {
    passes(|| {
        let main = thread::current();
        let builder = thread::Builder::new().name("worker".to_owned()).stack_size(1 << 17);
        let worker = builder.spawn(|| thread::current().id()).unwrap();
        assert_eq!(worker.thread().name(), Some("worker"));
        let id: thread::ThreadId = worker.thread().id();
        assert!(id == worker.join().unwrap() && id != main.id());
        assert!(!thread::panicking());
    });
}

/// What a thread takes and returns need not be `Send`.
#[test]
fn spawn_needs_no_send() {
    passes(|| {
        let own = Rc::new(5);
        let other = Rc::clone(&own);
        let thread: thread::JoinHandle<Rc<i32>> = thread::spawn(move || other);
        assert_eq!(*thread.join().unwrap(), 5);
    });
}

#[test]
fn join_happens_after_the_thread() {
    passes(|| {
        let value = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&value);
        thread::spawn(move || other.store(1, Relaxed)).join().unwrap();
        assert_eq!(value.load(Relaxed), 1);
    });
    fails(|| {
        let value = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&value);
        thread::spawn(move || other.store(1, Relaxed));
        assert_eq!(value.load(Relaxed), 1);
    });
}

#[test]
fn a_panic_in_a_thread_fails() {
    fails(|| drop(thread::spawn(|| panic!("on purpose"))));
}

#[test]
fn park_waits_for_unpark() {
    passes(|| {
        let value = Arc::new(AtomicUsize::new(0));
        let (other, main) = (Arc::clone(&value), thread::current());
        thread::spawn(move || {
            other.store(1, Release);
            main.unpark();
        });
        while value.load(Acquire) == 0 {
            thread::park();
        }
    });
    // The other thread may unpark before it stores.
    fails_without_panic(|| {
        let value = Arc::new(AtomicUsize::new(0));
        let (other, main) = (Arc::clone(&value), thread::current());
        thread::spawn(move || {
            main.unpark();
            other.store(1, Release);
        });
        while value.load(Acquire) == 0 {
            thread::park();
        }
    });
}

#[test]
fn a_thread_goes_on_when_the_main_one_has_ended() {
    fails(|| {
        let value = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&value);
        thread::spawn(move || {
            if other.fetch_add(1, AcqRel) == 1 {
                panic!("the main thread was first");
            }
        });
        value.fetch_add(1, AcqRel);
    });
}
