//! Threads that wait for one another.

use super::{Clock, Edges, ThreadId};

/// The state of a barrier.
#[derive(Debug, Clone)]
pub struct Barrier {
    size: usize,
    /// How many threads have arrived so far.
    arrived: usize,
    /// The arrivals of the generation that is not complete.
    arriving: Clock,
    /// Of each generation that is complete: its arrivals, and how many threads have left.
    complete: Vec<(Clock, usize)>,
}

/// An operation on a barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarrierAct {
    /// Arrives. Returns twice the number of arrivals before, and 1 more to the thread that completes a generation.
    Arrive,
    /// Blocks until all threads of the generation have arrived. Not for the thread that completes it. The others are
    /// released in the order of their arrivals: no result depends on that order.
    Leave {
        /// The number of arrivals before that of this thread.
        arrival: usize,
    },
}

impl Barrier {
    /// A barrier for `size` threads. 0 is as good as 1, as in `std`.
    pub fn new(size: usize) -> Self {
        Self { size: size.max(1), arrived: 0, arriving: Clock::default(), complete: Vec::new() }
    }

    pub(super) fn enabled(&self, act: BarrierAct, _: ThreadId) -> bool {
        match act {
            BarrierAct::Arrive => true,
            BarrierAct::Leave { arrival } => {
                let generation = self.complete.get(arrival / self.size);
                generation.is_some_and(|&(_, left)| left == arrival % self.size)
            }
        }
    }

    pub(super) fn apply(&mut self, act: BarrierAct, _: ThreadId, edges: &mut Edges<'_>) -> u64 {
        match act {
            BarrierAct::Arrive => {
                let arrival = self.arrived as u64;
                self.arrived += 1;
                self.arriving.join(&edges.release());
                let last = self.arrived.is_multiple_of(self.size);
                if last {
                    let arrivals = std::mem::take(&mut self.arriving);
                    edges.acquire(&arrivals);
                    self.complete.push((arrivals, 0));
                }
                2 * arrival + u64::from(last)
            }
            BarrierAct::Leave { arrival } => {
                let (arrivals, left) = &mut self.complete[arrival / self.size];
                edges.acquire(arrivals);
                *left += 1;
                0
            }
        }
    }
}
