//! # basedrop #9: a linked queue without release and acquire
//!
//! **Source.** <https://github.com/micahrj/basedrop/pull/9>.
//!
//! **Kind.** Data race; weak memory (message passing).
//!
//! **What happened.** Objects that are no longer used are queued for a collector, in a linked queue with many producers. A
//! producer swaps its node into `tail`, and then links it behind the node before with a `Relaxed` store. The collector follows the
//! links and frees the nodes. It also puts a stub back into the queue, with a swap that releases and does not acquire, and
//! then writes into the node that the swap returned.
//!
//! **What the checker says.** Data race in execution 1: the collector writes into a node whose making does not happen before.
//! Each half of the fix is needed. With the release store alone it is the same race; with the acquiring swap alone, the store of
//! a link races with the freeing of the node that it is in. The fixed one is explored completely, in 8 executions.
//!
//! **Assumed.** A node has nothing but its link.

use selvedge_model::sync::atomic::AtomicPtr;
use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use selvedge_model::sync::cell::UnsafeCell;

/// The link is stored `Relaxed`, and the stub is swapped in with `Release`.
pub type Broken = Queue<false, false>;
/// The link is stored with `Release`, and the stub is swapped in with `AcqRel`.
pub type Fixed = Queue<true, true>;

#[derive(Default)]
struct Node {
    next: AtomicPtr<Node>,
}

/// Nodes to be freed, from `head` to `tail`.
pub struct Queue<const RELEASED: bool, const ACQUIRED: bool> {
    tail: AtomicPtr<Node>,
    head: UnsafeCell<*mut Node>,
    stub: *mut Node,
}

// SAFETY: one thread collects and uses `head`. Whether nodes are handed over soundly is what this file is about.
unsafe impl<const R: bool, const A: bool> Sync for Queue<R, A> {}
// SAFETY: as above.
unsafe impl<const R: bool, const A: bool> Send for Queue<R, A> {}

impl<const R: bool, const A: bool> Default for Queue<R, A> {
    fn default() -> Self {
        let stub = Box::into_raw(Box::default());
        Self { tail: AtomicPtr::new(stub), head: UnsafeCell::new(stub), stub }
    }
}

impl<const RELEASED: bool, const ACQUIRED: bool> Queue<RELEASED, ACQUIRED> {
    /// A producer: queues a node.
    pub fn queue(&self) {
        let new = Box::into_raw(Box::default());
        let before = self.tail.swap(new, AcqRel);
        // SAFETY: a node is freed after its link is set, and this thread sets it.
        unsafe { (*before).next.store(new, if RELEASED { Release } else { Relaxed }) };
    }

    /// The collector: frees the oldest node, and returns whether there was one.
    pub fn collect(&self) -> bool {
        // SAFETY: one thread collects; the collector has not freed `head`, and no node that is not linked.
        self.head.with_mut(|head| unsafe {
            loop {
                let first = *head;
                let next = (*first).next.load(Acquire);
                if next.is_null() {
                    return false;
                }
                *head = next;
                if first != self.stub {
                    drop(Box::from_raw(first));
                    return true;
                }
                (*first).next.store(std::ptr::null_mut(), Relaxed);
                let last = self.tail.swap(first, if ACQUIRED { AcqRel } else { Release });
                (*last).next.store(first, Relaxed);
            }
        })
    }
}

impl<const R: bool, const A: bool> Drop for Queue<R, A> {
    fn drop(&mut self) {
        while self.collect() {}
        // SAFETY: `collect` leaves the stub.
        drop(unsafe { Box::from_raw(self.stub) });
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::{Failure, Model};

    use super::Queue;
    use crate::expect;

    fn model<const R: bool, const A: bool>() -> Model<Queue<R, A>> {
        let model = Model::new(Queue::default).thread("alice", Queue::queue);
        model.thread("bob", Queue::queue).thread("freed", Queue::collect)
    }

    #[test]
    fn without_release_or_without_acquire_the_queue_races() {
        expect::fails(model::<false, false>, Failure::DataRace, 1, "the swap must acquire");
        expect::fails(model::<true, false>, Failure::DataRace, 1, "the swap must acquire");
        expect::fails(model::<false, true>, Failure::DataRace, 1, "the store must release");
    }

    #[test]
    fn with_both_the_nodes_are_handed_over() {
        let report =
            model::<true, true>().acceptable(["freed=false", "freed=true"], "none, or one").check();
        expect::complete(&report, 8);
    }
}
