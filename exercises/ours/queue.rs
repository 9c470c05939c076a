//! `08_queue.rs`.

use std::collections::VecDeque;

use exercises::checks::queue::{Queue, check};
use selvedge_model::Failure;
use selvedge_model::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire},
};
use selvedge_model::sync::{Condvar, Mutex};

use crate::marked::Expected::{Fails, Reaches};
use crate::marked::{is_wrong, solves};

/// A queue, and two places to wait.
struct Parts {
    capacity: usize,
    items: Mutex<VecDeque<u64>>,
    not_full: Condvar,
    not_empty: Condvar,
}

impl Parts {
    fn new(capacity: usize) -> Self {
        let (not_full, not_empty) = (Condvar::new(), Condvar::new());
        Self { capacity, items: Mutex::default(), not_full, not_empty }
    }

    fn push(&self, item: u64) {
        let items = self.items.lock().unwrap();
        let full = |items: &mut VecDeque<u64>| items.len() == self.capacity;
        let mut items = self.not_full.wait_while(items, full).unwrap();
        items.push_back(item);
        self.not_empty.notify_one();
    }

    fn pop(&self) -> u64 {
        let items = self.items.lock().unwrap();
        let mut items = self.not_empty.wait_while(items, |items| items.is_empty()).unwrap();
        let item = items.pop_front().expect("it is not empty");
        self.not_full.notify_one();
        item
    }
}

/// A queue, and its two calls.
macro_rules! queue {
    ($(#[$doc:meta])* $name:ident, $push:expr, $pop:expr) => {
        $(#[$doc])*
        struct $name(Parts);

        impl Queue for $name {
            fn new(capacity: usize) -> Self {
                Self(Parts::new(capacity))
            }

            fn push(&self, item: u64) {
                $push(&self.0, item);
            }

            fn pop(&self) -> u64 {
                $pop(&self.0)
            }
        }
    };
}

queue!(TwoConditions, Parts::push, Parts::pop);

#[test]
fn two_condition_variables_solve_it() {
    solves(check::<TwoConditions>());
}

queue!(
    /// Defect: looks once.
    WaitsOnce,
    |parts: &Parts, item| {
        let mut items = parts.items.lock().unwrap();
        if items.len() == parts.capacity {
            items = parts.not_full.wait(items).unwrap();
        }
        items.push_back(item);
        parts.not_empty.notify_one();
    },
    |parts: &Parts| {
        let mut items = parts.items.lock().unwrap();
        if items.is_empty() {
            items = parts.not_empty.wait(items).unwrap();
        }
        let item = items.pop_front().expect("the queue is empty");
        parts.not_full.notify_one();
        item
    }
);

#[test]
fn a_spurious_wake_up_finds_the_queue_empty() {
    let lines = ["v2.wait", "spurious", "the queue is empty"];
    is_wrong(check::<WaitsOnce>(), Fails(Failure::Panic), &lines);
}

queue!(
    /// Defect: one condition variable for both, and one thread is woken.
    OneCondition,
    |parts: &Parts, item| {
        let items = parts.items.lock().unwrap();
        let full = |items: &mut VecDeque<u64>| items.len() == parts.capacity;
        let mut items = parts.not_full.wait_while(items, full).unwrap();
        items.push_back(item);
        parts.not_full.notify_one();
    },
    |parts: &Parts| {
        let items = parts.items.lock().unwrap();
        let mut items = parts.not_full.wait_while(items, |items| items.is_empty()).unwrap();
        let item = items.pop_front().expect("it is not empty");
        parts.not_full.notify_one();
        item
    }
);

#[test]
fn the_wrong_thread_wakes_up() {
    let lines = ["v1.notify_one", "v1.wait", "deadlock"];
    is_wrong(check::<OneCondition>(), Fails(Failure::Deadlock), &lines);
}

queue!(
    /// Defect: notifies only if the queue was empty.
    OnlyIfEmpty,
    |parts: &Parts, item| {
        let items = parts.items.lock().unwrap();
        let full = |items: &mut VecDeque<u64>| items.len() == parts.capacity;
        let mut items = parts.not_full.wait_while(items, full).unwrap();
        items.push_back(item);
        if items.len() == 1 {
            parts.not_empty.notify_one();
        }
    },
    Parts::pop
);

#[test]
fn a_notification_for_the_first_item_alone_leaves_a_thread_asleep() {
    is_wrong(check::<OnlyIfEmpty>(), Fails(Failure::Deadlock), &["v2.wait", "deadlock"]);
}

queue!(
    /// Defect: looks whether there is room in one critical section, and pushes in another.
    LookThenPush,
    |parts: &Parts, item| {
        let items = parts.items.lock().unwrap();
        let full = |items: &mut VecDeque<u64>| items.len() == parts.capacity;
        drop(parts.not_full.wait_while(items, full).unwrap());
        parts.items.lock().unwrap().push_back(item);
        parts.not_empty.notify_one();
    },
    Parts::pop
);

#[test]
fn a_look_before_the_push_exceeds_the_capacity() {
    is_wrong(check::<LookThenPush>(), Reaches("alice=false bob=false"), &["~~ preempted ~~"]);
}

/// Defect: what threads wait for is changed without the lock.
struct CountOutside {
    parts: Parts,
    len: AtomicUsize,
}

impl Queue for CountOutside {
    fn new(capacity: usize) -> Self {
        Self { parts: Parts::new(capacity), len: AtomicUsize::new(0) }
    }

    fn push(&self, item: u64) {
        let mut items = self.parts.items.lock().unwrap();
        while self.len.load(Acquire) == self.parts.capacity {
            items = self.parts.not_full.wait(items).unwrap();
        }
        items.push_back(item);
        self.len.fetch_add(1, AcqRel);
        self.parts.not_empty.notify_one();
    }

    fn pop(&self) -> u64 {
        let mut items = self.parts.items.lock().unwrap();
        let item = loop {
            match items.pop_front() {
                Some(item) => break item,
                None => items = self.parts.not_empty.wait(items).unwrap(),
            }
        };
        drop(items);
        self.len.fetch_sub(1, AcqRel);
        self.parts.not_full.notify_one();
        item
    }
}

#[test]
fn a_count_without_the_lock_loses_a_wake_up() {
    let lines = ["v1.notify_one", "v1.wait", "deadlock"];
    is_wrong(check::<CountOutside>(), Fails(Failure::Deadlock), &lines);
}
