//! # Is an item taken once?
#![cfg(loom)]

use queue::Queue;
use selvedge_model::Model;

/// Two consumers, one item.
#[test]
fn an_item_is_taken_once() {
    Model::new(|| {
        let queue = Queue::default();
        queue.push(1);
        queue
    })
    .thread("alice", Queue::pop)
    .thread("bob", Queue::pop)
    .acceptable("alice=Some(1) bob=None", "alice came first")
    .acceptable("alice=None bob=Some(1)", "bob came first")
    .check();
}

/// One item after the other, in their order.
#[test]
fn items_keep_their_order() {
    Model::new(Queue::default)
        .thread("producer", |queue| {
            queue.push(1);
            queue.push(2);
        })
        .thread("consumer", |queue| (queue.pop(), queue.pop()))
        .acceptable("consumer=(None, None)", "too early")
        .acceptable("consumer=(None, Some(1))", "just in time")
        .acceptable("consumer=(Some(1), None)", "too early for the second")
        .acceptable("consumer=(Some(1), Some(2))", "late enough")
        .check();
}

/// Two consumers wait, and each gets an item.
#[test]
#[cfg(feature = "wait")]
fn each_consumer_that_waits_gets_an_item() {
    Model::new(Queue::default)
        .thread("producer", |queue| {
            queue.push(1);
            queue.push(2);
        })
        .thread("alice", Queue::pop_wait)
        .thread("bob", Queue::pop_wait)
        .acceptable("alice=1 bob=2", "alice came first")
        .acceptable("alice=2 bob=1", "bob came first")
        .check();
}
