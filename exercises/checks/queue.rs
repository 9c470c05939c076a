//! The check of `08_queue.rs`.

use selvedge_model::sync::atomic::{AtomicBool, Ordering::Relaxed};
use selvedge_model::{CheckError, Model, Report};

use super::Question;

/// A queue that holds so many items.
pub trait Queue: Send + Sync + 'static {
    /// An empty queue for `capacity` items.
    fn new(capacity: usize) -> Self;

    /// Adds an item at the end. Waits while the queue is full.
    fn push(&self, item: u64);

    /// Removes the first item. Waits while the queue is empty.
    fn pop(&self) -> u64;
}

/// What a bounded queue must keep.
pub fn check<Q: Queue>() -> Vec<Question> {
    vec![
        ("items come out in their order, each once", order::<Q>),
        ("a full queue makes the next push wait", full::<Q>),
        ("two items reach two threads that wait", two_wait::<Q>),
        ("two that push and two that pop all come to an end", two_and_two::<Q>),
    ]
}

fn order<Q: Queue>() -> Result<Report, CheckError> {
    Model::new(|| Q::new(1))
        .thread("pushes", |queue| {
            queue.push(1);
            queue.push(2);
        })
        .thread("pops", |queue| [queue.pop(), queue.pop()])
        .acceptable("pops=[1, 2]", "first in, first out")
        .try_check()
}

/// Each push says whether the pop had begun. Of two in a queue for one, the second needs it.
fn full<Q: Queue>() -> Result<Report, CheckError> {
    let push = |item| {
        move |(queue, popping): &(Q, AtomicBool)| {
            queue.push(item);
            popping.load(Relaxed)
        }
    };
    Model::new(|| (Q::new(1), AtomicBool::new(false)))
        .thread("alice", push(1))
        .thread("bob", push(2))
        .thread("pops", |(queue, popping)| {
            popping.store(true, Relaxed);
            queue.pop();
        })
        .acceptable(["alice=true bob=false", "alice=false bob=true"], "the second waited for it")
        .acceptable("alice=true bob=true", "it had begun before")
        .forbidden("alice=false bob=false", "two items in a queue for one")
        .try_check()
}

fn two_wait<Q: Queue>() -> Result<Report, CheckError> {
    Model::new(|| Q::new(2))
        .thread("alice", Q::pop)
        .thread("bob", Q::pop)
        .thread("pushes", |queue| {
            queue.push(1);
            queue.push(2);
        })
        .acceptable(["alice=1 bob=2", "alice=2 bob=1"], "one each")
        .try_check()
}

fn two_and_two<Q: Queue>() -> Result<Report, CheckError> {
    Model::new(|| Q::new(1))
        .thread("alice", Q::pop)
        .thread("bob", Q::pop)
        .thread("carol", |queue| queue.push(1))
        .thread("dave", |queue| queue.push(2))
        .acceptable(["alice=1 bob=2", "alice=2 bob=1"], "one each")
        .try_check()
}
