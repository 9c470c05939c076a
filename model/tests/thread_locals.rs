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
