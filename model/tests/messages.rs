//! What failures say.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use selvedge_model::sync::{Mutex, hint, thread};

/// What a model that fails says, without the picture.
fn failure<S: Send + Sync + 'static>(model: Model<S>) -> String {
    let error = model.explore().expect_err("the model fails").to_string();
    error.lines().next().unwrap_or_default().to_owned()
}

/// The other thread panics at another place, later, with the same text.
#[test]
fn a_panic_is_told_with_its_own_place() {
    struct Locks<'a>(&'a Mutex<()>);
    impl Drop for Locks<'_> {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    let line = line!() + 6;
    let model = Model::new(|| (Mutex::new(()), AtomicBool::new(false)))
        .thread("a", |(lock, go)| {
            let _locks = Locks(lock);
            hint::wait_until(|| go.load(Acquire));
            let nothing = black_box(None::<u64>);
            nothing.unwrap();
        })
        .thread("b", |(lock, go)| {
            let nothing = black_box(None::<u64>);
            let panics = || {
                let _guard = lock.lock();
                go.store(true, Release);
                go.load(Acquire);
                nothing.unwrap();
            };
            drop(catch_unwind(AssertUnwindSafe(panics)));
        });
    let said = failure(model);
    assert!(said.ends_with(&format!("messages.rs:{line})")), "{said}");
}

#[test]
fn a_panic_because_of_another_is_told_with_its_cause() {
    let panics = |total: &AtomicU64| {
        total.load(SeqCst);
        panic!("the cause");
    };
    let scope = Model::new(|| AtomicU64::new(0)).thread("a", move |total| {
        thread::scope(|scope| drop(scope.spawn(|| panics(total))));
    });
    let said = failure(scope);
    assert!(said.starts_with("panic: a panicked: a scoped thread panicked (at "), "{said}");
    assert!(said.contains("; thread2 panicked: the cause (at "), "{said}");
    let join = Model::new(|| AtomicU64::new(0)).thread("a", move |total| {
        thread::scope(|scope| scope.spawn(|| panics(total)).join().unwrap());
    });
    let said = failure(join);
    assert!(said.contains("value: Any { .. } (at "), "{said}");
    assert!(said.contains("; thread2 panicked: the cause (at "), "{said}");
}

#[test]
fn a_condition_that_is_never_true_is_told_by_what_it_looked_at() {
    let waits = Model::new(|| Mutex::new(0))
        .thread("a", |number| hint::wait_until(|| *number.lock().unwrap() == 1))
        .thread("b", |number| drop(number.lock()));
    let said = failure(waits);
    assert!(said.starts_with("deadlock: a is blocked in wait_until, in m1.lock at "), "{said}");
    let spins = Model::new(|| Mutex::new(0)).thread("a", |number| {
        while *number.lock().unwrap() == 0 {
            hint::spin_loop();
        }
    });
    let said = failure(spins);
    assert!(said.starts_with("livelock: a waits in a loop, in m1.lock at "), "{said}");
}

/// `init`, the observations and the drop of the state run on the first thread, which has no name of its own.
#[test]
fn a_deadlock_of_the_first_thread_says_what_it_calls() {
    struct LocksTwice(Mutex<u64>);
    impl Drop for LocksTwice {
        fn drop(&mut self) {
            twice(&self.0);
        }
    }
    fn twice(lock: &Mutex<u64>) {
        let _held = lock.lock();
        drop(lock.lock());
    }
    let init = Model::new(|| twice(&Mutex::new(0))).thread("a", |()| ());
    assert!(failure(init).starts_with("deadlock: init is blocked in m1.lock"));
    let observes = Model::new(|| Mutex::new(0)).thread("a", |_| ()).finally("seen", twice);
    assert!(failure(observes).starts_with("deadlock: seen is blocked in m1.lock"));
    let drops = Model::new(|| LocksTwice(Mutex::new(0))).thread("a", |_| ());
    assert!(failure(drops).starts_with("deadlock: the state's drop is blocked in m1.lock"));
}

/// As an order of two locks by their addresses may be, which the allocator chooses anew for each execution.
#[test]
fn an_order_that_is_not_the_same_in_each_execution_is_told_with_both_places() {
    static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let line = line!() + 4;
    let model = Model::new(|| (AtomicU64::new(0), AtomicU64::new(0), RUNS.fetch_add(1, Relaxed)))
        .thread("a", |(one, other, runs)| {
            if runs % 2 == 0 {
                (one.fetch_add(1, SeqCst), other.fetch_add(1, SeqCst))
            } else {
                let second = other.fetch_add(1, SeqCst);
                (one.fetch_add(1, SeqCst), second)
            }
        })
        .thread("b", |(one, other, _)| one.fetch_add(1, SeqCst) + other.fetch_add(1, SeqCst));
    let said = failure(model);
    let expected =
        "wrong model: the model is not deterministic: with the same choices, the step of a was at ";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains(&format!("messages.rs:{line} before, and is at")), "{said}");
    assert!(said.contains("it must not depend on addresses, a clock"), "{said}");
}

#[test]
fn white_space_at_the_end_of_an_outcome_is_shown() {
    let model = Model::new(|| AtomicU64::new(0)).thread("a", |total| total.load(SeqCst));
    let said = model.acceptable("a=0 ", "with a space").try_check().unwrap_err().to_string();
    assert!(
        said.starts_with("reached a=0, which the table does not declare; it declares \"a=0 \"\n"),
        "{said}"
    );
}
