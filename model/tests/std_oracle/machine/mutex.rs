//! Mutexes.

use super::clock::Clock;
use super::step::{Step, Taken};

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Mutex {
    pub(super) held: bool,
    pub(super) poisoned: bool,
    /// The thread that holds it has poisoned it, and is about to release it.
    pub(super) marked: bool,
    pub(super) clock: Clock,
}

impl Step<'_> {
    pub(super) fn acquire(&mut self, m: usize, tries: bool, skip: usize) -> Taken {
        if !self.me().asks && self.state.mutexes[m].held {
            return self.refuse(tries, skip);
        }
        self.lock(m, true)
    }

    pub(super) fn relock(&mut self, m: usize, logs: bool) -> Taken {
        if !self.me().asks && self.state.mutexes[m].held {
            return Taken::Blocked;
        }
        self.lock(m, logs)
    }

    fn lock(&mut self, m: usize, logs: bool) -> Taken {
        let Mutex { poisoned, clock, .. } = self.state.mutexes[m];
        self.state.mutexes[m].held = true;
        self.learn(&clock);
        // Whether it is poisoned is another step, of which one that finds it not poisoned is no matter.
        if poisoned && !std::mem::replace(&mut self.me().asks, true) {
            return Taken::Done;
        }
        self.me().asks = false;
        if logs {
            self.log(u64::from(poisoned));
        }
        self.done()
    }

    pub(super) fn release(&mut self, m: usize, poisons: bool) -> Taken {
        let clock = self.clock();
        let mutex = &mut self.state.mutexes[m];
        if poisons && !mutex.marked {
            (mutex.poisoned, mutex.marked) = (true, true);
            return Taken::Done;
        }
        (mutex.held, mutex.marked, mutex.clock) = (false, false, clock);
        self.done()
    }

    pub(super) fn is_poisoned(&mut self, m: usize) -> Taken {
        let poisoned = self.state.mutexes[m].poisoned;
        self.log(u64::from(poisoned));
        self.done()
    }

    pub(super) fn clear_poison(&mut self, m: usize) -> Taken {
        self.state.mutexes[m].poisoned = false;
        self.done()
    }
}
