//! Mutexes.

use super::clock::Clock;
use super::step::{Step, Taken};

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Mutex {
    pub(super) held: bool,
    pub(super) poisoned: bool,
    pub(super) clock: Clock,
}

impl Step<'_> {
    pub(super) fn acquire(&mut self, m: usize, tries: bool, skip: usize) -> Taken {
        if self.state.mutexes[m].held {
            return self.refuse(tries, skip);
        }
        self.lock(m, true);
        self.done()
    }

    pub(super) fn relock(&mut self, m: usize, logs: bool) -> Taken {
        if self.state.mutexes[m].held {
            return Taken::Blocked;
        }
        self.lock(m, logs);
        self.done()
    }

    fn lock(&mut self, m: usize, logs: bool) {
        let Mutex { poisoned, clock, .. } = self.state.mutexes[m];
        self.state.mutexes[m].held = true;
        self.learn(&clock);
        if logs {
            self.log(u64::from(poisoned));
        }
    }

    pub(super) fn release(&mut self, m: usize) -> Taken {
        let (clock, poisons) = (self.clock(), self.me().unwinding);
        let mutex = &mut self.state.mutexes[m];
        (mutex.held, mutex.clock) = (false, clock);
        mutex.poisoned |= poisons;
        self.done()
    }
}
