//! Read-write locks.

use super::clock::{Clock, join};
use super::step::{Choice, Step, Taken};
use super::thread::Status;
use crate::code::{Instr, Lock};
use crate::program::Mode;

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Rw {
    pub(super) readers: Vec<usize>,
    pub(super) writer: Option<usize>,
    pub(super) poisoned: bool,
    /// The writer has poisoned it, and is about to release it.
    pub(super) marked: bool,
    pub(super) written: Clock,
    pub(super) read: Clock,
}

impl Step<'_> {
    /// Takes the lock.
    pub(super) fn hold(
        &mut self,
        w: usize,
        mode: Mode,
        tries: bool,
        skip: usize,
        may_wait: bool,
    ) -> Taken {
        if std::mem::take(&mut self.me().asks) {
            let poisoned = self.state.rwlocks[w].poisoned;
            self.log(u64::from(poisoned));
            return self.done();
        }
        let me = self.number;
        let Rw { ref readers, writer, poisoned, written, read, .. } = self.state.rwlocks[w];
        let free = match mode {
            Mode::Read => writer.is_none(),
            Mode::Write => writer.is_none() && readers.is_empty(),
        };
        if !free {
            return self.refuse(tries, skip);
        }
        let held_up = may_wait
            && mode == Mode::Read
            && self.state.threads.iter().enumerate().any(|(other, thread)| {
                let waits = |instr: &Instr| {
                    let Instr::Acquire { lock, tries: false, .. } = instr else { return false };
                    *lock == Lock::Rw(w, Mode::Write)
                };
                other != me
                    && thread.status == Status::Running
                    && waits(&self.machine.codes[other].instrs[thread.pc])
            });
        if held_up && tries && self.machine.policy.overtaken_writers {
            return Taken::One(vec![(Choice::Succeeds, true), (Choice::Spurious, true)]);
        }
        self.learn(&written);
        if mode == Mode::Write {
            self.learn(&read);
        }
        match mode {
            Mode::Read => self.state.rwlocks[w].readers.push(me),
            Mode::Write => self.state.rwlocks[w].writer = Some(me),
        }
        self.state.rwlocks[w].readers.sort_unstable();
        // As with a mutex.
        if poisoned {
            self.me().asks = true;
        } else {
            self.log(0);
            self.done();
        }
        if held_up && !tries { Taken::Held } else { Taken::Done }
    }

    pub(super) fn release_rw(&mut self, w: usize, mode: Mode, poisons: bool) -> Taken {
        let (clock, me) = (self.clock(), self.number);
        let lock = &mut self.state.rwlocks[w];
        match mode {
            Mode::Read => {
                let at = lock.readers.iter().position(|reader| *reader == me);
                lock.readers.remove(at.expect("it holds the lock"));
                join(&mut lock.read, &clock);
            }
            Mode::Write if poisons && !lock.marked => {
                (lock.poisoned, lock.marked) = (true, true);
                return Taken::Done;
            }
            Mode::Write => (lock.writer, lock.marked, lock.written) = (None, false, clock),
        }
        self.done()
    }

    pub(super) fn downgrade(&mut self, w: usize) -> Taken {
        let (clock, me) = (self.clock(), self.number);
        let lock = &mut self.state.rwlocks[w];
        (lock.writer, lock.written) = (None, clock);
        lock.readers.push(me);
        lock.readers.sort_unstable();
        self.done()
    }

    pub(super) fn is_rw_poisoned(&mut self, w: usize) -> Taken {
        let poisoned = self.state.rwlocks[w].poisoned;
        self.log(u64::from(poisoned));
        self.done()
    }

    pub(super) fn clear_rw_poison(&mut self, w: usize) -> Taken {
        self.state.rwlocks[w].poisoned = false;
        self.done()
    }
}
