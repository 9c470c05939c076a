//! Who has made a value is known from the memory that it lies in.

use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::facade::{Found, explore, explore_with};
use selvedge_model::engine::graph::{Action, Config, Ending, Party};
use selvedge_model::kernel::Access;
use selvedge_model::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, thread};

struct Node {
    next: AtomicPtr<Node>,
    value: UnsafeCell<u32>,
}

impl Node {
    fn boxed() -> *mut Self {
        Box::into_raw(Box::new(Self {
            next: AtomicPtr::new(null_mut()),
            value: UnsafeCell::new(7),
        }))
    }
}

/// The first access to the node of a Treiber stack is by the thread that pops it.
fn published(order: Ordering, first: fn(&Node)) -> Found<bool> {
    explore(move || {
        let head = Arc::new(AtomicPtr::new(null_mut()));
        let there = head.clone();
        let child = thread::spawn(move || there.store(Node::boxed(), order));
        let node = head.load(Acquire);
        if !node.is_null() {
            // SAFETY: the node is freed below.
            first(unsafe { &*node });
        }
        child.join().unwrap();
        // SAFETY: it was a box, and the other thread has ended.
        drop(unsafe { Box::from_raw(head.load(Relaxed)) });
        node.is_null()
    })
}

#[test]
fn a_node_that_is_published_without_release_is_a_race_with_its_making() {
    let uses: [fn(&Node); 2] = [
        |node| {
            node.next.load(Relaxed);
        },
        // SAFETY: not sound if the node is not known, which is reported before.
        |node| node.value.with(|value| assert_eq!(unsafe { *value }, 7)),
    ];
    for first in uses {
        let found = published(Relaxed, first);
        let Some(Ending::Race { first, second, .. }) = found.endings.first() else { panic!() };
        assert!(matches!(first, Party { thread: 1, action: Action::Make(_), .. }), "{first:?}");
        assert_eq!(first.site.file(), file!());
        assert_eq!(second.thread, 0);
        assert_eq!(published(Release, first_of(second)).all(), [false, true]);
    }
}

/// The same use again.
fn first_of(party: &Party) -> fn(&Node) {
    match party.action {
        Action::Step(_) => |node| {
            node.next.load(Relaxed);
        },
        // SAFETY: the node is known, and no thread writes.
        _ => |node| node.value.with(|value| assert_eq!(unsafe { *value }, 7)),
    }
}

/// Also where no thread touches it but by its drop.
#[test]
fn a_drop_that_does_not_know_of_the_making_is_a_race() {
    for (order, races) in [(Relaxed, true), (Release, false)] {
        let found = explore(move || {
            let head = Arc::new(AtomicPtr::new(null_mut()));
            let there = head.clone();
            let child = thread::spawn(move || there.store(Node::boxed(), order));
            let node = head.load(Acquire);
            if !node.is_null() {
                // SAFETY: it was a box; whether it may be dropped here is the question.
                drop(unsafe { Box::from_raw(node) });
            }
            child.join().unwrap();
            node.is_null()
        });
        assert_eq!(found.races(), races);
    }
}

/// The block is freed, and no destructor has run.
#[test]
fn use_of_a_block_that_was_freed_is_found_though_nothing_touched_it_before() {
    let found = explore(|| {
        let block = Box::new(std::mem::ManuallyDrop::new(AtomicUsize::new(1)));
        // The compiler may leave out what is written to a block that is freed unread.
        let block = std::hint::black_box(Box::into_raw(block));
        // SAFETY: it was a box.
        drop(unsafe { Box::from_raw(block) });
        // SAFETY: not sound, and to be reported; the memory is kept until the execution is over.
        unsafe { &*block }.load(Relaxed)
    });
    let [Ending::UseAfterFree { freed, used, .. }] = &*found.endings else {
        panic!("{:?}", found.endings)
    };
    assert!(matches!(freed.action, Action::Access(_, Access::Free)));
    assert!(matches!(used.action, Action::Step(_)));
}

/// A block that was freed is not given out again, so that two values cannot be taken for one.
#[test]
fn a_stack_that_frees_a_node_while_another_thread_reads_it() {
    let found = explore(|| {
        let head = Arc::new(AtomicPtr::new(Node::boxed()));
        let pop = |head: &AtomicPtr<Node>| {
            let node = head.load(Acquire);
            // SAFETY: not sound if the other thread has freed it, which is to be reported.
            let next = unsafe { &*node }.next.load(Relaxed);
            if head.compare_exchange(node, next, Acquire, Relaxed).is_ok() {
                // SAFETY: it was a box, and is out of the stack.
                drop(unsafe { Box::from_raw(node) });
            }
        };
        // SAFETY: no other thread has the nodes yet.
        unsafe { &*head.load(Relaxed) }.next.store(Node::boxed(), Relaxed);
        let other = head.clone();
        let child = thread::spawn(move || pop(&other));
        pop(&head);
        child.join().unwrap();
    });
    assert!(found.races() || found.uses_after_free());
}

/// A value on the stack of a thread, which those that it starts use first.
#[test]
fn a_value_on_a_stack_is_its_threads() {
    let found = explore(|| {
        let count = AtomicUsize::new(0);
        count.fetch_add(1, Relaxed);
        thread::scope(|scope| {
            scope.spawn(|| count.fetch_add(1, Relaxed));
            scope.spawn(|| {
                let own = AtomicUsize::new(0);
                thread::scope(|scope| scope.spawn(|| own.fetch_add(1, Relaxed)).join().unwrap());
                count.fetch_add(own.into_inner(), Relaxed)
            });
        });
        count.into_inner()
    });
    assert_eq!(found.all(), [3]);
}

/// Which thread touches first depends on the schedule: names, and so executions, do not.
#[test]
fn the_thread_that_touches_first_does_not_matter() {
    let program = |reversed, hashes| {
        let config = Config { reversed, hashes, ..Config::default() };
        explore_with(&config, || {
            let all: [_; 3] = std::array::from_fn(|_| AtomicUsize::new(0));
            thread::scope(|scope| {
                for first in 0..3 {
                    let all = &all;
                    scope.spawn(move || {
                        all[first].store(1, Relaxed);
                        all[(first + 1) % 3].load(Relaxed)
                    });
                }
                // This thread comes first, or last.
                all[2].load(Relaxed);
            });
            all.map(AtomicUsize::into_inner)
        })
    };
    let found = program(false, false);
    assert_eq!(found.report.complete, 16);
    for (reversed, hashes) in [(true, false), (false, true), (true, true)] {
        let other = program(reversed, hashes);
        assert_eq!(other.report.complete, 16);
        assert_eq!(found.signatures, other.signatures);
    }
}
