//! Threads, scopes and thread-locals.

use crate::facade::explore;
use Ordering::{Acquire, Relaxed, Release};
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use selvedge_model::sync::{Arc, Mutex, mpsc, thread};

use super::Shared;

#[test]
fn a_join_hands_over_all_that_the_thread_did_and_knew() {
    let found = explore(|| {
        let (flag, mine, other) = (Arc::new(AtomicBool::new(false)), Shared::new(), Shared::new());
        let (f, o) = (flag.clone(), other.clone());
        let first = thread::spawn(move || {
            o.write(1);
            f.store(true, Release);
            std::mem::forget((f, o));
        });
        let (f, m) = (flag.clone(), mine.clone());
        let second = thread::spawn(move || {
            let knows = f.load(Acquire);
            std::mem::forget((f, m.clone()));
            // No step of this thread comes after.
            m.write(1);
            std::mem::forget(m);
            knows
        });
        let knows = second.join().unwrap();
        let seen = (mine.read(), knows.then(|| other.read()));
        first.join().unwrap();
        seen
    });
    assert_eq!(found.all(), [(1, None), (1, Some(1))]);
}

/// The child has not begun when the execution ends: dropping its body takes steps, which do nothing.
#[test]
fn a_thread_that_has_not_begun_is_dropped_with_what_it_owns() {
    let found = explore(|| {
        let (memory, mutex) = (Shared::new(), Arc::new(Mutex::new(0)));
        let (there, (tx, rx)) = (memory.clone(), mpsc::channel::<()>());
        let writer = thread::spawn(move || there.write(1));
        thread::yield_now();
        let guard = mutex.lock();
        drop(guard);
        let there = mutex.clone();
        let child = thread::spawn(move || drop((there, rx)));
        memory.write(2);
        drop(tx);
        child.join().unwrap();
        writer.join().unwrap();
    });
    assert!(found.races());
    assert!(!std::thread::panicking());
}

#[test]
fn a_thread_may_ask_for_a_larger_stack() {
    fn deep(n: u32) -> u32 {
        let on_the_stack = std::hint::black_box([n; 1024]);
        if n == 0 { on_the_stack[0] } else { deep(n - 1) + on_the_stack[1] }
    }
    let found = explore(|| {
        let builder = thread::Builder::new().stack_size(8 << 20).name("deep".to_owned());
        let child = builder.spawn(|| (thread::current().name() == Some("deep"), deep(1_000)));
        child.unwrap().join().unwrap()
    });
    assert_eq!(found.all(), [(true, 500_500)]);
}

#[test]
fn scoped_threads_borrow_and_are_joined() {
    let found = explore(|| {
        let (x, mut y) = (AtomicUsize::new(0), 0);
        thread::scope(|scope| {
            scope.spawn(|| x.fetch_add(1, Relaxed));
            scope.spawn(|| y = x.fetch_add(1, Relaxed));
        });
        (x.into_inner(), y)
    });
    assert_eq!(found.all(), [(2, 0), (2, 1)]);
}

selvedge_model::sync::thread_local! {
    static LOCAL: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    static AT_END: std::cell::RefCell<Option<Publish>> = const { std::cell::RefCell::new(None) };
}

struct Publish(Arc<AtomicUsize>);

impl Drop for Publish {
    fn drop(&mut self) {
        self.0.store(LOCAL.get(), Release);
    }
}

#[test]
fn thread_locals_are_those_of_the_thread_and_are_dropped_before_it_ends() {
    let found = explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let there = x.clone();
        let child = thread::spawn(move || {
            AT_END.set(Some(Publish(there)));
            LOCAL.set(5);
        });
        let early = x.load(Acquire);
        child.join().unwrap();
        assert_eq!((x.load(Relaxed), LOCAL.get()), (5, 0));
        early
    });
    assert_eq!(found.all(), [0, 5]);
}
