//! Executions that are over before their threads are, on both engines: what threads are unwound, which of
//! them are suspended for good, and that neither shows in another execution.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use selvedge_model::engine::graph::{self, Ending};
use selvedge_model::engine::loom;
use selvedge_model::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use selvedge_model::sync::{Arc, Mutex, hint, mpsc, thread};

/// Explores on each engine. Every execution is a deadlock, after which `check` is called.
fn deadlocks(program: impl Fn(), check: impl Fn()) {
    let at_deadlock = |ending: &Ending| {
        assert!(matches!(ending, Ending::Deadlock(_)), "{ending:?}");
        assert!(!std::thread::panicking());
        check();
        ControlFlow::Continue(())
    };
    let config = graph::Config::default();
    let graphs =
        graph::explore(&config, &program, &mut |execution| at_deadlock(execution.ending()));
    assert!(graphs.deadlocks > 0 && graphs.complete == 0, "{graphs:?}");
    let config = loom::Config::default();
    let found = loom::explore(&config, &program, &mut |execution| at_deadlock(execution.ending()));
    assert_eq!((found.complete, found.end), (0, loom::End::Complete));
    assert!(found.deadlocks > 0);
}

/// Blocks for ever.
fn blocks() {
    let mutex = Mutex::new(());
    let _held = mutex.lock();
    let _never = mutex.lock();
}

/// Calls a closure when it is dropped.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// How often something was done: the threads of an exploration share an OS thread.
#[derive(Clone, Default)]
struct Count(Rc<Cell<u32>>);

// SAFETY: the threads of an exploration share an OS thread.
unsafe impl Send for Count {}

impl Count {
    fn add(&self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn destructors_without_a_step_are_run_and_guards_are_dropped() {
    let dropped = Count::default();
    let program = {
        let dropped = dropped.clone();
        move || {
            let there = dropped.clone();
            let _outer = AtEnd(move || there.add());
            let there = dropped.clone();
            let owned = Arc::new(AtEnd(move || there.add()));
            let (lock, _owner) = (Mutex::new(Arc::clone(&owned)), owned);
            let _guard = lock.lock();
            blocks();
        }
    };
    deadlocks(program, || assert_eq!(dropped.0.take(), 2));
}

/// What it would be told is not true, and what it made of that would be a panic while it unwinds.
#[test]
fn a_destructor_that_asks_for_a_step_is_not_answered() {
    let (asked, answered) = (Count::default(), Count::default());
    let ask: [fn(); 6] = [
        || assert!(thread::spawn(|| ()).join().is_err()),
        || mpsc::channel().0.send(1).unwrap(),
        || assert_eq!(AtomicUsize::new(1).load(SeqCst), 2),
        || assert_eq!(AtomicUsize::new(1).into_inner(), 2),
        || hint::wait_until(|| false),
        || drop(Mutex::new(()).lock()),
    ];
    for ask in ask {
        let program = {
            let (asked, answered) = (asked.clone(), answered.clone());
            move || {
                let (asked, answered) = (asked.clone(), answered.clone());
                let _asks = AtEnd(move || {
                    asked.add();
                    ask();
                    answered.add();
                });
                blocks();
            }
        };
        deadlocks(program, || assert_eq!((asked.0.take(), answered.0.take()), (1, 0)));
    }
}

#[test]
fn a_thread_that_catches_its_end_is_not_answered_either() {
    let caught = Count::default();
    let program = {
        let caught = caught.clone();
        move || {
            let mutex = Mutex::new(());
            let _held = mutex.lock();
            thread::scope(|scope| {
                let (caught, mutex) = (caught.clone(), &mutex);
                scope.spawn(move || {
                    let caught = caught;
                    while catch_unwind(AssertUnwindSafe(|| drop(mutex.lock()))).is_err() {
                        caught.add();
                    }
                });
            });
        }
    };
    deadlocks(program, || assert_eq!(caught.0.take(), 1));
}

/// A thread that waits for ever in a destructor, while it unwinds from a panic of its own.
#[test]
fn a_thread_that_unwinds_already_is_suspended_for_good() {
    let program = || {
        let _blocks = AtEnd(blocks);
        panic!("its own");
    };
    deadlocks(program, || ());
}

/// Its body is dropped where a destructor can be suspended.
#[test]
fn a_thread_that_has_not_begun_is_dropped_unrun() {
    let (dropped, answered) = (Count::default(), Count::default());
    let foreign = AtomicUsize::new(0);
    let program = || {
        let (here, there, loads) = (dropped.clone(), dropped.clone(), answered.clone());
        let captured = (
            AtEnd(move || here.add()),
            AtEnd(move || {
                there.add();
                AtomicUsize::new(0).load(SeqCst);
                loads.add();
            }),
        );
        thread::scope(|scope| {
            scope.spawn(move || {
                let _captured = captured;
                unreachable!("the execution is over");
            });
            // A misuse, before the thread has begun.
            foreign.load(SeqCst);
        });
    };
    let config = graph::Config::default();
    let found = graph::explore(&config, &program, &mut |execution| {
        assert!(matches!(execution.ending(), Ending::Misuse(_)), "{:?}", execution.ending());
        ControlFlow::Continue(())
    });
    assert_eq!((found.errors, dropped.0.take(), answered.0.take()), (1, 2, 0));
    let found = loom::explore(&loom::Config::default(), &program, &mut |_| unreachable!("misused"));
    assert!(matches!(found.end, loom::End::Unable(_)), "{found:?}");
    assert_eq!((dropped.0.take(), answered.0.take()), (2, 0));
}

selvedge_model::sync::thread_local! {
    static KEPT: Kept = const { Kept(Cell::new(None)) };
}

/// Loads an atomic of the execution when it is dropped.
struct Kept(Cell<Option<AtomicUsize>>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(atomic) = self.0.take() {
            atomic.load(SeqCst);
        }
    }
}

/// Those of the first thread are otherwise dropped after the execution, where nothing can be asked.
#[test]
fn thread_locals_are_dropped_in_the_execution() {
    let keep = || KEPT.with(|kept| kept.0.set(Some(AtomicUsize::new(0))));
    deadlocks(
        move || {
            keep();
            thread::scope(|scope| {
                scope.spawn(move || {
                    keep();
                    blocks();
                });
            });
        },
        || (),
    );
}

selvedge_model::sync::thread_local! {
    static FIRST: Makes = const { Makes(Cell::new(false)) };
    static SECOND: Waits = const { Waits(Cell::new(false)) };
}

/// Makes another thread-local value when it is dropped.
struct Makes(Cell<bool>);

impl Drop for Makes {
    fn drop(&mut self) {
        if self.0.get() {
            SECOND.with(|second| second.0.set(true));
        }
    }
}

/// Waits for ever when it is dropped.
struct Waits(Cell<bool>);

impl Drop for Waits {
    fn drop(&mut self) {
        static NEVER: AtomicUsize = AtomicUsize::new(0);
        while self.0.get() && NEVER.load(SeqCst) == 0 {
            hint::spin_loop();
        }
    }
}

#[test]
fn a_thread_local_that_is_made_by_a_destructor_is_dropped_in_the_execution_too() {
    deadlocks(
        || {
            let child = thread::spawn(|| {
                FIRST.with(|first| first.0.set(true));
                blocks();
            });
            child.join().unwrap();
        },
        || (),
    );
}
