//! # basedrop #10: a reference is counted after the last one was released
//!
//! **Source.** <https://github.com/micahrj/basedrop/issues/10> (open).
//!
//! **Kind.** Double free (a node is queued for the collector twice); weak memory (store buffering).
//!
//! **What happened.** A cell holds a counted node. A reader announces itself in `readers`, loads the node, increments its
//! count and withdraws. A writer swaps the node, waits until there are no readers, and releases its reference. The writer's
//! swap is `AcqRel` and its load of `readers` is `Relaxed`: it may overlook the reader, which has loaded the old node.
//! The count goes to zero, up to one and to zero again, and the node is queued twice. The report names a second path: the reader
//! withdraws `Relaxed`, and the writer need not see its increment.
//!
//! **What the checker says.** `queued=2`, first in execution 5. It takes weak memory: no interleaving reaches it. The fixed one
//! is explored completely, in 4 executions.
//!
//! **Assumed.** Nodes are counters in an array; queueing one is counted, and none is freed. The fix is the one that the
//! report proposes, two `SeqCst` fences and a `Release` decrement; the crate has none yet.

use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use selvedge_model::sync::atomic::{AtomicUsize, fence};
use selvedge_model::sync::hint;

/// As released.
pub type Broken = SharedCell<false>;
/// With fences, and a decrement that releases.
pub type Fixed = SharedCell<true>;

#[derive(Default)]
struct Node {
    count: AtomicUsize,
    queued: AtomicUsize,
}

impl Node {
    fn release(&self) {
        if self.count.fetch_sub(1, Release) == 1 {
            fence(Acquire);
            self.queued.fetch_add(1, Relaxed);
        }
    }
}

/// A cell that holds the number of a node: 0, and after [`set`](Self::set) 1.
pub struct SharedCell<const FIXED: bool> {
    readers: AtomicUsize,
    current: AtomicUsize,
    nodes: [Node; 2],
}

impl<const FIXED: bool> Default for SharedCell<FIXED> {
    fn default() -> Self {
        let nodes = [(); 2].map(|()| Node { count: AtomicUsize::new(1), ..Node::default() });
        Self { readers: AtomicUsize::new(0), current: AtomicUsize::new(0), nodes }
    }
}

impl<const FIXED: bool> SharedCell<FIXED> {
    /// The reader: takes a reference, and releases it.
    pub fn get(&self) {
        self.readers.fetch_add(1, SeqCst);
        if FIXED {
            // SeqCst: pairs with the fence of `set`. The writer sees the reader, or the reader the new node.
            fence(SeqCst);
        }
        let node = &self.nodes[self.current.load(SeqCst)];
        node.count.fetch_add(1, Relaxed);
        // Release: pairs with the fence of `set`, which then has seen the increment.
        self.readers.fetch_sub(1, if FIXED { Release } else { Relaxed });
        node.release();
    }

    /// The writer: replaces the node, and releases the old one.
    pub fn set(&self) {
        let old = self.current.swap(1, AcqRel);
        if FIXED {
            // SeqCst: pairs with the fence of `get`.
            fence(SeqCst);
        }
        hint::wait_until(|| self.readers.load(Relaxed) == 0);
        fence(Acquire);
        self.nodes[old].release();
    }

    /// How often the old node was queued for the collector.
    pub fn queued(&self) -> usize {
        self.nodes[0].queued.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::Model;

    use super::{Broken, Fixed, SharedCell};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<SharedCell<FIXED>> {
        let model = Model::new(SharedCell::default).thread("reader", SharedCell::get);
        let model = model.thread("writer", SharedCell::set).finally("queued", SharedCell::queued);
        model.acceptable("queued=1", "the last reference queues the node")
    }

    #[test]
    fn without_fences_a_node_is_queued_twice() {
        let model: Model<Broken> = model();
        let report = model.interesting("queued=2", "the count went to zero twice").check();
        expect::reached(&report, "queued=2", 5, false);
    }

    #[test]
    fn with_fences_it_is_queued_once() {
        let model: Model<Fixed> = model();
        expect::complete(&model.check(), 4);
    }
}
