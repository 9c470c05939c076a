//! What `std` accepts and the checker refuses, as a wrong model: no expectation accepts that, so it has no
//! page. The pages `loom-tests/7_checker/limits_of_locks.rs` and `loom-tests/7_checker/false_alarms.rs` say what to do instead.

use selvedge_model::Model;
use selvedge_model::sync::{Mutex, MutexGuard, PoisonError, thread};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `f` when it is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The guard is dropped first, and the destructor then locks the mutex once more. loom's own mutex is
/// poisoned by that, which nothing can undo.
#[test]
fn a_mutex_locked_again_while_a_panic_unwinds_is_called_a_wrong_model() {
    let model = |catches_before: bool| {
        Model::new(|| Mutex::new(0))
            .thread("panics", move |sum| {
                let panics = || {
                    let _held = lock(sum);
                    panic!("on purpose");
                };
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let _adds = OnDrop(|| *lock(sum) += 1);
                    if catches_before {
                        catch_unwind(AssertUnwindSafe(panics)).is_err()
                    } else {
                        panics()
                    }
                }));
                assert_eq!(caught.is_ok(), catches_before, "it panics on purpose");
            })
            .thread("adds", |sum| *lock(sum) += 1)
            .finally("sum", |sum| *lock(sum))
    };
    if cfg!(loom) {
        let error = model(false).explore().expect_err("it is refused").to_string();
        assert!(
            error.contains("wrong model: loom failed: ") && error.contains("PoisonError"),
            "{error}"
        );
    } else {
        model(false).acceptable("sum=2", "the destructor counts, and so does the other").check();
    }
    model(true).acceptable("sum=2", "the destructor counts, and so does the other").check();
}

/// 64 KiB on the stack of a thread that asks for a megabyte.
#[test]
#[expect(clippy::large_stack_arrays, reason = "that is what is refused")]
fn a_thread_has_a_stack_of_32_kib() {
    let spawns = |(): &()| {
        let sums = || {
            let array = std::hint::black_box([1_u8; 1 << 16]);
            array.iter().map(|one| u64::from(*one)).sum::<u64>()
        };
        let child = thread::Builder::new().stack_size(1 << 20).spawn(sums);
        child.expect("it starts").join().expect("it does not panic")
    };
    let model = Model::new(|| ()).thread("parent", spawns).rounds(10);
    if cfg!(loom) {
        let error = model.explore().expect_err("the stack is too small").to_string();
        assert!(error.contains("stack overflow: in a model each thread has 32 KiB"), "{error}");
    } else {
        model.acceptable("parent=65536", "all of it was there").check();
    }
}
