//! What threads return, and threads of a scope: who drops it, and when.

use selvedge_model::Model;
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Arc, mpsc, thread};

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn is_one_execution(model: Model<()>) {
    let report = model.acceptable("()", "it ends").check();
    assert!(!cfg!(loom) || report.is_complete() && report.executions() == 1, "{report}");
}

/// In which order the threads are noted by the scope is no part of an execution.
#[test]
fn a_thread_of_a_scope_may_spawn_another() {
    is_one_execution(Model::program(|| {
        let total = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                total.load(SeqCst);
                scope.spawn(|| total.load(SeqCst));
            });
        });
    }));
}

#[test]
fn a_handle_may_be_dropped_by_another_thread_of_the_scope() {
    is_one_execution(Model::program(|| {
        let total = AtomicU64::new(0);
        thread::scope(|scope| {
            let first = scope.spawn(|| total.load(SeqCst));
            scope.spawn(|| {
                total.load(SeqCst);
                drop(first);
            });
        });
    }));
}

/// Memory that begins with two small numbers looks like an `Arc` of `std`. That the first thread frees it last, after
/// its last step, changes nothing.
#[test]
fn memory_that_looks_like_an_arc_of_std_may_be_freed_last() {
    is_one_execution(Model::program(|| {
        let total = AtomicU64::new(0);
        let pairs = std::sync::Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    pairs.lock().unwrap().push([1_usize, 1]);
                    total.load(SeqCst)
                });
            }
        });
    }));
}

/// The handle is dropped at once, so the thread drops what it returns.
#[test]
fn a_result_without_a_handle_is_dropped_when_its_thread_ends() {
    Model::program(|| {
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                sender.send(1_u8).unwrap();
                sender
            });
            assert_eq!(receiver.iter().count(), 1);
        });
    })
    .acceptable("()", "the sender is gone, and the receiver is told")
    .check();
}

/// What is dropped last may be dropped by either, before the first thread looks or after it.
#[test]
fn a_result_is_dropped_by_its_thread_or_with_its_handle() {
    let outcomes = |model: Model<()>| {
        let model = model.acceptable("main=0", "the thread drops it later");
        model.acceptable("main=1", "it has been dropped").check();
    };
    outcomes(Model::new(|| ()).thread("main", |()| {
        let dropped = AtomicU64::new(0);
        thread::scope(|scope| {
            drop(scope.spawn(|| OnDrop(|| dropped.store(1, SeqCst))));
            dropped.load(SeqCst)
        })
    }));
    outcomes(Model::new(|| ()).thread("main", |()| {
        let dropped = Arc::new(AtomicU64::new(0));
        let to = Arc::clone(&dropped);
        drop(thread::spawn(move || OnDrop(move || to.store(1, SeqCst))));
        dropped.load(SeqCst)
    }));
}

/// In `std` that aborts the process, in the thread and in its handle: no `catch_unwind` sees it.
#[test]
#[cfg(loom)]
fn a_result_that_panics_when_dropped_is_no_secret() {
    Model::program(|| {
        let thread = thread::spawn(|| OnDrop(|| panic!("on purpose")));
        if thread.is_finished() {
            // It is this thread that drops it.
            let dropped = std::panic::AssertUnwindSafe(|| drop(thread));
            drop(std::panic::catch_unwind(dropped));
        } else {
            std::mem::forget(thread.join());
        }
    })
    .fails(selvedge_model::Failure::Panic)
    .check();
}

/// A panic that a join has returned is not one of the scope.
#[test]
fn a_scope_panics_if_a_thread_has_that_was_not_joined() {
    for joins in [true, false] {
        Model::new(|| ())
            .thread("main", move |()| {
                let scope = || {
                    thread::scope(|scope| {
                        let panics = scope.spawn(|| panic!("on purpose"));
                        if joins {
                            assert!(panics.join().is_err());
                        }
                    });
                };
                std::panic::catch_unwind(scope).is_err()
            })
            .acceptable(&format!("main={}", !joins), "as in std")
            .check();
    }
}
