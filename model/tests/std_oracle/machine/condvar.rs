//! Condition variables: the threads that wait, in order.

use super::step::{Choice, Step, Taken};
use crate::program::Place;

impl Step<'_> {
    pub(super) fn enqueue(&mut self, condvar: usize, mutex: usize) -> Taken {
        let (clock, me) = (self.clock(), self.number);
        self.state.condvars[condvar].push(me);
        self.me().notified = false;
        (self.state.mutexes[mutex].held, self.state.mutexes[mutex].clock) = (false, clock);
        self.done()
    }

    pub(super) fn wake(&mut self, timeout: bool, polls: Option<(Place, u64)>) -> Taken {
        let notified = self.me().notified;
        if notified {
            return Taken::One(vec![(Choice::Succeeds, true)]);
        }
        let mut choices = Vec::new();
        // A loop that polls and finds nothing is where it was.
        let finds = polls.is_none_or(|(at, value)| self.state.atomics[&at].0 == value);
        if timeout && self.up && finds {
            choices.push((Choice::TimesOut, true));
        }
        choices.extend(self.wakes_spuriously());
        Taken::One(choices)
    }

    pub(super) fn woken(&mut self, condvar: usize, logs: bool, choice: Choice) -> Taken {
        let me = self.number;
        self.state.condvars[condvar].retain(|waiter| *waiter != me);
        if logs {
            self.log(u64::from(matches!(choice, Choice::TimesOut)));
        }
        self.done()
    }

    pub(super) fn notify_one(&mut self, c: usize) -> Taken {
        let queue = &self.state.condvars[c];
        if queue.is_empty() {
            return self.done();
        }
        let choices = queue.iter().map(|waiter| (Choice::Notifies(*waiter), true));
        Taken::One(choices.collect())
    }

    pub(super) fn notify(&mut self, c: usize, waiter: usize) -> Taken {
        self.state.condvars[c].retain(|other| *other != waiter);
        self.state.threads[waiter].notified = true;
        self.done()
    }

    pub(super) fn notify_all(&mut self, c: usize) -> Taken {
        for waiter in std::mem::take(&mut self.state.condvars[c]) {
            self.state.threads[waiter].notified = true;
        }
        self.done()
    }
}
