//! # crossbeam-channel #1187: a block is freed twice
//!
//! **Source.** <https://github.com/crossbeam-rs/crossbeam/pull/1187>, RUSTSEC-2025-0024.
//!
//! **Kind.** Double free.
//!
//! **What happened.** The first sender to an unbounded channel puts a block into `tail.block`, and then into `head.block`.
//! Between the two, another sender can already send. A receiver that disconnects takes `head.block` by a swap with null;
//! if there are messages and the block is not there yet, it waits for it with a loop of loads. The block that it finds so
//! stays in `head.block`: the receiver frees it, and the drop of the channel frees it again.
//!
//! **What the checker says.** `frees=2`, first in execution 18, an interleaving of two senders and the receiver. The fixed one is
//! explored completely, in 31 executions.
//!
//! **Assumed.** Blocks and messages are reduced to numbers: freeing is counted, not done.

use selvedge_model::sync::atomic::AtomicUsize;
use selvedge_model::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use selvedge_model::sync::hint;

/// The receiver waits with a load.
pub type Broken = Channel<false>;
/// The receiver waits with a swap.
pub type Fixed = Channel<true>;

const NULL: usize = 0;
const BLOCK: usize = 1;
/// The receiver has disconnected.
const MARK: usize = 1;
const MESSAGE: usize = 2;

/// A channel whose first block is not allocated yet.
#[derive(Default)]
pub struct Channel<const FIXED: bool> {
    tail: AtomicUsize,
    tail_block: AtomicUsize,
    head_block: AtomicUsize,
    frees: AtomicUsize,
}

impl<const FIXED: bool> Channel<FIXED> {
    /// A sender: allocates the block if there is none, and sends a message unless the receiver is gone.
    pub fn send(&self) {
        let mut tail = self.tail.load(Acquire);
        while tail & MARK == 0 {
            if self.tail_block.compare_exchange(NULL, BLOCK, AcqRel, Acquire).is_ok() {
                self.head_block.store(BLOCK, Release);
            }
            match self.tail.compare_exchange(tail, tail + MESSAGE, AcqRel, Acquire) {
                Ok(_) => return,
                Err(newer) => tail = newer,
            }
        }
    }

    /// The receiver: disconnects, and frees what was sent.
    pub fn disconnect(&self) {
        let tail = self.tail.fetch_or(MARK, AcqRel);
        let mut block = self.head_block.swap(NULL, AcqRel);
        if tail >= MESSAGE {
            hint::wait_until(|| {
                if block == NULL {
                    block = if FIXED {
                        self.head_block.swap(NULL, AcqRel)
                    } else {
                        self.head_block.load(Acquire)
                    };
                }
                block != NULL
            });
        }
        self.free(block);
    }

    /// The drop of the channel. Returns how many blocks were freed: at most one was allocated.
    pub fn frees(&self) -> usize {
        self.free(self.head_block.load(Relaxed));
        self.frees.load(Relaxed)
    }

    fn free(&self, block: usize) {
        self.frees.fetch_add(block, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use selvedge_model::Model;

    use super::{Broken, Channel, Fixed};
    use crate::expect;

    fn model<const FIXED: bool>() -> Model<Channel<FIXED>> {
        Model::new(Channel::default)
            .thread("alice", Channel::send)
            .thread("bob", Channel::send)
            .thread("receiver", Channel::disconnect)
            .finally("frees", Channel::frees)
            .acceptable("frees=0", "the senders found the channel disconnected")
            .acceptable("frees=1", "the receiver or the channel freed the block")
    }

    #[test]
    fn a_block_that_was_waited_for_is_freed_twice() {
        let model: Model<Broken> = model();
        let report = model.interesting("frees=2", "by the receiver and by the channel").check();
        expect::reached(&report, "frees=2", 18, true);
    }

    #[test]
    fn a_swap_takes_the_block_away() {
        let model: Model<Fixed> = model();
        expect::complete(&model.check(), 31);
    }
}
