//! Values with counted owners that are never dropped.

use crate::facade::{Found, explore_with};
use selvedge_model::engine::graph::{Action, Config, Ending};
use selvedge_model::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use selvedge_model::sync::mpsc::channel;
use selvedge_model::sync::{Arc, Mutex, Weak, thread};

fn explore<R: Ord + Clone>(program: impl Fn() -> R) -> Found<R> {
    explore_with(&Config { leaks: true, ..Config::default() }, program)
}

/// The lines where the leaked values were made, of each execution that leaks.
fn leaks<R>(found: &Found<R>) -> Vec<Vec<u32>> {
    let lines = found.endings.iter().map(|ending| {
        let Ending::Leak(leaked) = ending else { panic!("{ending:?}") };
        assert!(leaked.iter().all(|party| matches!(party.action, Action::Make(_))));
        leaked.iter().map(|party| party.site.line()).collect()
    });
    lines.collect()
}

#[test]
fn a_cycle_of_owners_leaks() {
    struct Node {
        next: Mutex<Option<Arc<Node>>>,
    }
    let line = line!() + 2;
    let found = explore(|| {
        let one = Arc::new(Node { next: Mutex::new(None) });
        let other = Arc::new(Node { next: Mutex::new(Some(one.clone())) });
        *one.next.lock().unwrap() = Some(other);
    });
    assert_eq!(leaks(&found), [[line, line + 1]]);
    assert_eq!((found.report.complete, found.report.errors), (0, 1));
}

#[test]
fn what_is_forgotten_leaks_and_what_is_dropped_or_taken_out_does_not() {
    let found = explore(|| std::mem::forget(Arc::new(0)));
    assert_eq!(leaks(&found).len(), 1);
    let found = explore(|| {
        let (one, two, three) = (Arc::new(1), Arc::new(2), Arc::new(3));
        // A weak owner keeps the memory, but not the value.
        std::mem::forget(Arc::downgrade(&one));
        let again: Weak<i32> = Arc::downgrade(&two);
        drop((one, again.upgrade()));
        (Arc::try_unwrap(two).unwrap(), Arc::into_inner(three).unwrap())
    });
    assert_eq!(found.all(), [(2, 3)]);
}

/// Only where the flag is read before it is set.
#[test]
fn a_leak_in_one_execution_is_found_among_those_without() {
    let found = explore(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let there = flag.clone();
        let child = thread::spawn(move || there.store(true, Relaxed));
        let value = Arc::new(AtomicUsize::new(0));
        if !flag.load(Relaxed) {
            std::mem::forget(value.clone());
        }
        child.join().unwrap();
    });
    assert!(found.report.complete > 0 && found.report.errors > 0);
    assert_eq!(leaks(&found).len() as u64, found.report.errors);
}

/// It is dropped by the receiver, and that happens after the send.
#[test]
fn a_message_that_is_not_received_does_not_leak() {
    let found = explore(|| {
        let (sender, receiver) = channel();
        let child = thread::spawn(move || drop(sender.send(Arc::new(0))));
        drop(receiver.try_recv());
        drop(receiver);
        child.join().unwrap();
    });
    assert_eq!(found.all(), [()]);
}

#[test]
fn a_thread_local_owner_and_one_from_outside_do_not_leak() {
    selvedge_model::sync::thread_local! {
        static OWNER: std::cell::RefCell<Option<Arc<usize>>> = const { std::cell::RefCell::new(None) };
    }
    let outside = std::sync::Arc::new(0);
    let found = explore(|| {
        std::mem::forget(outside.clone());
        let child = thread::spawn(|| OWNER.set(Some(Arc::new(1))));
        child.join().unwrap();
    });
    assert_eq!(found.all(), [()]);
}

#[test]
fn leaks_are_not_asked_for_by_default() {
    let found = explore_with(&Config::default(), || std::mem::forget(Arc::new(0)));
    assert_eq!(found.all(), [()]);
}
