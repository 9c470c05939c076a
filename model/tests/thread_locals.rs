//! Thread-local values of the façade: what is left of them at the end of a thread.

use std::cell::{Cell, RefCell};

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Arc, thread};

/// What a thread's values do when they are dropped, at its end.
struct Farewell(RefCell<Option<Box<dyn FnOnce()>>>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}

selvedge_model::sync::thread_local! {
    static FAREWELL: Farewell = const { Farewell(RefCell::new(None)) };
    static NUMBER: Cell<u64> = const { Cell::new(7) };
}

fn says_farewell(last: impl FnOnce() + 'static) {
    FAREWELL.with(|farewell| *farewell.0.borrow_mut() = Some(Box::new(last)));
}

/// Younger than the farewell or not: it has no destructor, so it is there to the end, as in `std`.
#[test]
fn a_thread_local_value_without_a_destructor_outlives_all_others() {
    Model::new(|| ())
        .thread("main", |()| {
            let seen = Arc::new(AtomicU64::new(0));
            let theirs = Arc::clone(&seen);
            let child = thread::spawn(move || {
                says_farewell(move || theirs.store(NUMBER.get(), SeqCst));
                NUMBER.set(8);
            });
            child.join().expect("it does not panic");
            seen.load(SeqCst)
        })
        .acceptable("main=8", "the farewell could ask for it")
        .check();
}

/// Whoever joins a thread is told what its body panicked with, and so it is seen to; nobody is told
/// of a destructor (in `std` that ends the process).
#[test]
#[cfg(loom)]
fn a_thread_local_value_that_panics_when_dropped_is_no_secret() {
    Model::new(|| ())
        .thread("main", |()| {
            let child = thread::spawn(|| says_farewell(|| panic!("on purpose")));
            child.join().is_ok()
        })
        .fails(selvedge_model::Failure::Panic)
        .check();
}

/// A scope waits for what its threads return, `join` for their ends.
#[test]
fn a_scope_does_not_wait_for_thread_local_values() {
    let adds = |total: &Arc<AtomicU64>| {
        let total = Arc::clone(total);
        move || {
            says_farewell(move || {
                total.fetch_add(1, SeqCst);
            });
        }
    };
    Model::new(|| Arc::new(AtomicU64::new(0)))
        .thread("main", move |total| {
            thread::scope(|scope| drop(scope.spawn(adds(total))));
            total.load(SeqCst)
        })
        .acceptable("main=0", "the farewell comes after the scope")
        .acceptable("main=1", "it comes before its end")
        .check();
    Model::new(|| Arc::new(AtomicU64::new(0)))
        .thread("main", move |total| {
            thread::scope(|scope| scope.spawn(adds(total)).join().expect("it does not panic"));
            total.load(SeqCst)
        })
        .acceptable("main=1", "the farewell comes before the end of the thread")
        .check();
}

/// The panic is reported when the result is delivered, before the thread has ended.
#[test]
fn a_scope_reports_a_panic_before_thread_local_values_are_dropped() {
    Model::new(|| Arc::new(AtomicU64::new(0)))
        .thread("main", |total| {
            let panics = || {
                let there = Arc::clone(total);
                says_farewell(move || {
                    there.fetch_add(1, SeqCst);
                });
                panic!("on purpose");
            };
            let scope = || thread::scope(|scope| drop(scope.spawn(panics)));
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(scope)).is_err();
            (panicked, total.load(SeqCst))
        })
        .acceptable("main=(true, 0)", "the farewell comes after the scope")
        .acceptable("main=(true, 1)", "it comes before its end")
        .check();
}

/// Outside a model, on a real thread: a destructor may use a value that has none.
#[test]
fn a_destructor_uses_a_thread_local_value_without_one() {
    use std::cell::Cell;
    use std::sync::mpsc::{Sender, channel};

    use selvedge_model::sync::thread_local;

    struct Tells(Sender<u64>);

    impl Drop for Tells {
        fn drop(&mut self) {
            PLAIN.with(|plain| self.0.send(plain.get()).expect("the test waits for it"));
        }
    }

    thread_local! {
        static PLAIN: Cell<u64> = const { Cell::new(0) };
        static TELLS: Cell<Option<Tells>> = const { Cell::new(None) };
    }

    let (sender, receiver) = channel();
    let thread = std::thread::spawn(move || {
        TELLS.with(|tells| tells.set(Some(Tells(sender))));
        PLAIN.with(|plain| plain.set(7));
    });
    thread.join().expect("it does not panic");
    assert_eq!(receiver.recv(), Ok(7));
}
