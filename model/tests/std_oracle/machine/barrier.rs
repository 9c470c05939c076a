//! Barriers for two.

use super::clock::{Clock, join};
use super::step::{Step, Taken};

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Barrier {
    /// The thread that waits for another, since when.
    waits: Option<(usize, Clock)>,
    /// Threads that may go on, and what they know then.
    met: Vec<(usize, Clock)>,
}

impl Step<'_> {
    pub(super) fn meet(&mut self, b: usize) -> Taken {
        let (clock, me) = (self.clock(), self.number);
        let barrier = &mut self.state.barriers[b];
        if let Some(at) = barrier.met.iter().position(|(thread, _)| *thread == me) {
            let (_, clock) = barrier.met.remove(at);
            self.learn(&clock);
            self.log(0);
            return self.done();
        }
        match barrier.waits.take() {
            None => {
                barrier.waits = Some((me, clock));
                Taken::Done
            }
            Some((other, since)) if other == me => {
                barrier.waits = Some((me, since));
                Taken::Blocked
            }
            Some((other, since)) => {
                let mut both = clock;
                join(&mut both, &since);
                barrier.met.push((other, both));
                self.learn(&since);
                self.log(1);
                self.done()
            }
        }
    }
}
