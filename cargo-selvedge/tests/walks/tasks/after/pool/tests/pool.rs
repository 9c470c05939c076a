//! # Is every task done once?
#![cfg(loom)]

use queue::Queue;
use selvedge_model::Model;

/// Two workers share what there is.
#[test]
fn two_workers_do_all_of_it() {
    Model::new(|| {
        let queue = Queue::default();
        queue.push(1);
        queue.push(2);
        queue
    })
    .thread("alice", pool::work)
    .thread("bob", pool::work)
    .acceptable("alice=3 bob=0", "alice did all")
    .acceptable("alice=2 bob=1", "each did one")
    .acceptable("alice=1 bob=2", "each did one")
    .acceptable("alice=0 bob=3", "bob did all")
    .check();
}
