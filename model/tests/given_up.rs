//! Executions that are over before their threads are: code under test is not told what is not true, and
//! the failure is reported.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selvedge_model::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Mutex, hint, mpsc, thread};
use selvedge_model::{Failure, Model};

/// Joins its worker when it is dropped, and is told if that panicked.
struct Pool {
    jobs: Option<mpsc::Sender<u64>>,
    worker: Option<thread::JoinHandle<u64>>,
}

impl Pool {
    fn new() -> Self {
        let (jobs, queue) = mpsc::channel();
        Self { jobs: Some(jobs), worker: Some(thread::spawn(move || queue.iter().sum())) }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.jobs.take());
        self.worker.take().unwrap().join().unwrap();
    }
}

#[test]
fn a_race_is_reported_where_a_destructor_joins() {
    #[derive(Default)]
    struct Racy(UnsafeCell<u64>);
    // SAFETY: none; the race is what is to be found, and ends the execution.
    unsafe impl Sync for Racy {}
    // SAFETY: none either, as above.
    let write = |(_, cell): &(Pool, Racy)| cell.0.with_mut(|n| unsafe { *n += 1 });
    Model::new(|| (Pool::new(), Racy::default()))
        .thread("a", write)
        .thread("b", write)
        .fails(Failure::DataRace)
        .check();
}

#[test]
fn a_deadlock_is_reported_where_a_destructor_asserts() {
    struct Pair(Mutex<u64>, Mutex<u64>);
    impl Drop for Pair {
        fn drop(&mut self) {
            assert_eq!(*self.0.lock().unwrap(), 2, "both were done");
        }
    }
    Model::new(|| Pair(Mutex::new(0), Mutex::new(0)))
        .thread("a", |pair| {
            let mut first = pair.0.lock().unwrap();
            let _second = pair.1.lock().unwrap();
            *first += 1;
        })
        .thread("b", |pair| {
            let _second = pair.1.lock().unwrap();
            let mut first = pair.0.lock().unwrap();
            *first += 1;
        })
        .fails(Failure::Deadlock)
        .check();
}

/// Some of its turns would find something else, and are given up.
#[test]
fn a_waiting_loop_may_stand_beside_a_destructor_that_sends() {
    struct Sends(mpsc::Sender<u64>);
    impl Drop for Sends {
        fn drop(&mut self) {
            self.0.send(1).unwrap();
        }
    }
    Model::new(|| AtomicBool::new(false))
        .thread("a", |flag| {
            let (sender, receiver) = mpsc::channel();
            {
                let _sends = Sends(sender);
                while !flag.load(Acquire) {
                    hint::spin_loop();
                }
            }
            receiver.recv()
        })
        .thread("b", |flag| flag.store(true, Release))
        .acceptable("a=Ok(1)", "it is sent once")
        .check();
}

#[test]
fn a_waiting_loop_may_stand_beside_a_destructor_that_asserts() {
    struct Balanced<'a>(&'a AtomicU64, &'a AtomicU64);
    impl Drop for Balanced<'_> {
        fn drop(&mut self) {
            assert_eq!(self.0.load(SeqCst), self.1.load(SeqCst), "as many ends as beginnings");
        }
    }
    Model::new(|| (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false)))
        .thread("a", |(begun, ended, flag)| {
            let _balanced = Balanced(begun, ended);
            begun.fetch_add(1, SeqCst);
            while !flag.load(Acquire) {
                hint::spin_loop();
            }
            ended.fetch_add(1, SeqCst);
        })
        .thread("b", |(_, _, flag)| flag.store(true, Release))
        .acceptable("()", "it is balanced in the end")
        .check();
}

#[test]
fn a_waiting_loop_may_stand_beside_a_destructor_that_waits() {
    struct Waits(AtomicU64, AtomicBool);
    impl Drop for Waits {
        fn drop(&mut self) {
            while self.0.load(SeqCst) != 2 {
                hint::spin_loop();
            }
        }
    }
    Model::new(|| Waits(AtomicU64::new(0), AtomicBool::new(false)))
        .thread("a", |state| {
            while !state.1.load(Acquire) {
                hint::spin_loop();
            }
            state.0.fetch_add(1, SeqCst);
        })
        .thread("b", |state| {
            state.1.store(true, Release);
            state.0.fetch_add(1, SeqCst);
        })
        .acceptable("()", "both end")
        .check();
}

#[test]
fn a_thread_may_try_again_after_any_panic() {
    Model::new(|| AtomicBool::new(false))
        .thread("a", |flag| {
            let attempt = || {
                while !flag.load(Acquire) {
                    hint::spin_loop();
                }
            };
            while catch_unwind(AssertUnwindSafe(attempt)).is_err() {}
        })
        .thread("b", |flag| flag.store(true, Release))
        .acceptable("()", "both end")
        .check();
}

/// Each panic is counted by `std` for the OS thread, which the threads of a model share. A thread that is
/// given up in a destructor, while it unwinds, takes its panic with it.
#[test]
fn no_thread_seems_to_unwind_because_another_was_given_up() {
    struct Loads<'a>(&'a AtomicBool);
    impl Drop for Loads<'_> {
        fn drop(&mut self) {
            while !self.0.load(Acquire) {
                hint::spin_loop();
            }
        }
    }
    Model::new(|| {
        assert!(!std::thread::panicking());
        AtomicBool::new(false)
    })
    .thread("a", |flag| {
        let panics = || {
            let _loads = Loads(flag);
            panic!("its own");
        };
        catch_unwind(AssertUnwindSafe(panics)).is_err()
    })
    .thread("b", |flag| {
        flag.store(true, Release);
        thread::panicking() || std::thread::panicking()
    })
    .acceptable("a=true b=false", "only a unwinds")
    .check();
}

#[cfg(loom)]
mod on_loom {
    use super::*;
    use crate::harness::{rerun_of, text};

    /// `std` aborts where a destructor panics during unwinding: what panicked is printed before.
    #[test]
    fn a_destructor_that_panics_by_itself_is_named() {
        let output =
            rerun_of("panics_in_a_destructor_if_asked_to", module_path!(), &[("PANIC", "1")]);
        let printed = text(&output);
        assert!(!output.status.success(), "{printed}");
        let test = "given_up::on_loom::panics_in_a_destructor_if_asked_to";
        let line = printed.lines().find(|line| line.starts_with(test));
        let line = line.unwrap_or_else(|| panic!("{printed}"));
        assert!(line.contains("given_up.rs:") && line.contains("thread::panicking()"), "{line}");
        assert!(printed.contains("it is not empty"), "{printed}");
    }

    /// Aborts only when run by the test above.
    #[test]
    fn panics_in_a_destructor_if_asked_to() {
        struct Empty(std::cell::Cell<u64>);
        impl Drop for Empty {
            fn drop(&mut self) {
                assert_eq!(self.0.get(), 0, "it is not empty");
            }
        }
        if std::env::var_os("PANIC").is_none() {
            return;
        }
        Model::new(Mutex::<u64>::default)
            .thread("a", |lock| {
                let empty = Empty(std::cell::Cell::new(1));
                let _held = lock.lock();
                let _never = lock.lock();
                empty.0.set(0);
            })
            .fails(Failure::Deadlock)
            .check();
    }
}
