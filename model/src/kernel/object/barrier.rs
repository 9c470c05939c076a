//! Threads that wait for one another.

use super::{Clock, Edges, ThreadId};

/// The state of a barrier.
#[derive(Debug, Clone)]
pub struct Barrier {
    size: usize,
    arrived: usize,
    arriving: Clock,
    /// The arrivals of each generation that is complete.
    complete: Vec<Clock>,
}

/// An operation on a barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarrierAct {
    /// Arrives. Returns twice the generation, and 1 more to the thread that completes it.
    Arrive,
    /// Blocks until all of the generation have arrived.
    Leave {
        /// The generation.
        generation: usize,
    },
}

impl Barrier {
    /// A barrier for `size` threads. 0 is as good as 1, as in `std`.
    pub fn new(size: usize) -> Self {
        Self { size, arrived: 0, arriving: Clock::default(), complete: Vec::new() }
    }

    pub(super) fn enabled(&self, act: BarrierAct, _: ThreadId) -> bool {
        match act {
            BarrierAct::Arrive => true,
            BarrierAct::Leave { generation } => self.complete.len() > generation,
        }
    }

    pub(super) fn apply(&mut self, act: BarrierAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match act {
            BarrierAct::Arrive => {
                let generation = self.complete.len() as u64;
                self.arrived += 1;
                self.arriving.join(&edges.release());
                let last = self.arrived >= self.size;
                if last {
                    self.arrived = 0;
                    self.complete.push(self.arriving);
                    edges.acquire(&self.arriving);
                }
                2 * generation + u64::from(last)
            }
            BarrierAct::Leave { generation } => {
                edges.acquire(&self.complete[generation]);
                0
            }
        }
    }
}
