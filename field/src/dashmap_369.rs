//! # dashmap #369: a guard of one shard is held while another shard is locked
//!
//! **Source.** <https://github.com/xacrimon/dashmap/issues/369> (open).
//!
//! **Kind.** Deadlock (lock order).
//!
//! **What happened.** A map has a read-write lock for each shard. `get` returns a guard, which holds the read lock of its
//! shard for as long as the caller keeps it. One thread keeps the guard of a key and inserts under a key of another
//! shard, which takes that shard's write lock; a second thread does the same the other way round. Each waits for the shard that
//! the other one reads.
//!
//! **What the checker says.** Deadlock in execution 2, an interleaving. The fixed one is explored completely, in 3 executions.
//!
//! **Assumed.** Two shards with one entry each. The crate has no fix; what is fixed here is the caller, which copies the
//! value and drops the guard before it inserts.

use selvedge_model::sync::RwLock;

/// The guard lives until after the insertion.
pub type Broken = Map<false>;
/// The guard is dropped before the insertion.
pub type Fixed = Map<true>;

/// Two shards.
#[derive(Default)]
pub struct Map<const FIXED: bool> {
    shards: [RwLock<u64>; 2],
}

impl<const FIXED: bool> Map<FIXED> {
    fn copy(&self, from: usize, to: usize) {
        let guard = self.shards[from].read().unwrap();
        let value = *guard;
        if FIXED {
            drop(guard);
            *self.shards[to].write().unwrap() = value + 1;
        } else {
            *self.shards[to].write().unwrap() = value + 1;
            drop(guard);
        }
    }

    /// Reads from the first shard, and inserts into the second.
    pub fn there(&self) {
        self.copy(0, 1);
    }

    /// Reads from the second shard, and inserts into the first.
    pub fn back(&self) {
        self.copy(1, 0);
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::{Failure, Model};

    use super::{Broken, Fixed, Map};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<Map<FIXED>> {
        Model::new(Map::default).thread("alice", Map::there).thread("bob", Map::back)
    }

    #[test]
    fn guards_of_two_shards_block_each_other() {
        let broken: fn() -> Model<Broken> = model;
        expect::fails(broken, Failure::Deadlock, 2, "alice is blocked");
    }

    #[test]
    fn without_the_guard_each_insertion_ends() {
        let model: Model<Fixed> = model();
        let report = model.acceptable("()", "both have inserted").check();
        expect::complete(&report, 3);
    }
}
