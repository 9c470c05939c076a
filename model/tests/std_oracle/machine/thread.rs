//! Threads, and `park`.

use super::Policy;
use super::clock::{Clock, join};
use super::step::{Choice, Step, Taken};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Status {
    Waiting,
    Running,
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "facts, each true or not")]
pub(super) struct Thread {
    pub(super) status: Status,
    pub(super) pc: usize,
    pub(super) log: Vec<u64>,
    pub(super) unwinding: bool,
    /// Its thread-local value has been made.
    pub(super) local: bool,
    pub(super) notified: bool,
    /// It has acquired a lock that has been poisoned, and looks whether it is.
    pub(super) asks: bool,
    /// It does not wake without a cause.
    pub(super) sleeps: bool,
    /// Of a channel of bound 0: its message has been offered; it waits for one.
    pub(super) offers: bool,
    pub(super) awaits: bool,
    pub(super) introduced: bool,
    /// A panic has unwound it.
    pub(super) panicked: bool,
    /// Another thread has joined it.
    pub(super) joined: bool,
    pub(super) token: bool,
    /// The ends that it still has.
    pub(super) arcs: u8,
    pub(super) senders: u8,
    pub(super) receivers: u8,
    pub(super) clock: Clock,
    /// What an acquire fence would add, and what a relaxed store releases.
    pub(super) acquired: Clock,
    pub(super) released: Clock,
    /// Of its park token, and of the mutex under which its handle is published.
    pub(super) token_clock: Clock,
    pub(super) handle_clock: Clock,
}

impl Step<'_> {
    pub(super) fn spawn(&mut self, child: usize) -> Taken {
        let clock = self.clock();
        let machine = self.machine;
        self.state.threads[child].status = Status::Running;
        self.state.threads[child].clock = clock;
        let done = self.done();
        machine.settle(self.state, child);
        done
    }

    pub(super) fn join(&mut self, child: usize) -> Taken {
        if self.state.threads[child].status != Status::Ended {
            return Taken::Blocked;
        }
        let panicked = self.state.threads[child].panicked;
        let clock = self.state.threads[child].clock;
        self.learn(&clock);
        self.state.threads[child].joined = true;
        if panicked {
            self.log(60);
        } else {
            self.log(50);
            for value in self.state.threads[child].log.clone() {
                self.log(value);
            }
        }
        self.done()
    }

    pub(super) fn introduce(&mut self) -> Taken {
        if self.machine.clocks {
            let handle = self.me().handle_clock;
            self.learn(&handle);
            self.me().handle_clock = self.clock();
        }
        self.me().introduced = true;
        self.done()
    }

    pub(super) fn look(&mut self, thread: usize, skip: usize) -> Taken {
        let handle = self.state.threads[thread].handle_clock;
        self.learn(&handle);
        self.state.threads[thread].handle_clock = self.clock();
        let known = self.state.threads[thread].introduced;
        self.log(u64::from(known));
        if known { self.done() } else { self.goto(skip) }
    }

    pub(super) fn unpark(&mut self, thread: usize) -> Taken {
        let clock = self.clock();
        let target = &mut self.state.threads[thread];
        // A thread that has ended has no use for it.
        if target.status == Status::Running {
            target.token = true;
            join(&mut target.token_clock, &clock);
        }
        self.done()
    }

    pub(super) fn park(&mut self) -> Taken {
        if !self.me().token {
            return Taken::One(self.wakes_spuriously());
        }
        self.take_token();
        self.done()
    }

    pub(super) fn park_timeout(&mut self) -> Taken {
        if self.me().token {
            self.take_token();
        } else if !self.up {
            return Taken::One(self.wakes_spuriously());
        }
        self.me().sleeps = false;
        self.done()
    }

    fn take_token(&mut self) {
        self.me().sleeps = false;
        let clock = self.me().token_clock;
        self.learn(&clock);
        self.me().token = false;
    }

    /// Wakes without a cause. Where others are patient it counts as a thread that can move, until it
    /// sleeps.
    pub(super) fn wakes_spuriously(&mut self) -> Vec<(Choice, bool)> {
        let Policy { patient, spurious, .. } = self.machine.policy;
        match (spurious, patient) {
            (false, _) => vec![],
            (true, false) => vec![(Choice::Spurious, false)],
            (true, true) if self.me().sleeps => vec![],
            (true, true) => vec![(Choice::Spurious, true), (Choice::Sleeps, true)],
        }
    }
}
