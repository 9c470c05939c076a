//! Atomics and fences.

use std::sync::atomic::Ordering;

use super::Machine;
use super::clock::join;
use super::step::{Choice, Step, Taken};
use crate::program::{Change, Op, Place};

fn acquires(order: Ordering) -> bool {
    matches!(order, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

fn releases(order: Ordering) -> bool {
    matches!(order, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

/// The value after a change.
fn changed(at: Place, before: u64, change: Change) -> u64 {
    match change {
        Change::Swap(v) => v,
        Change::Add(v) => before.wrapping_add(v),
        Change::Sub(v) => before.wrapping_sub(v),
        Change::And(v) => before & v,
        Change::Or(v) => before | v,
        Change::Xor(v) => before ^ v,
        Change::Nand(v) if matches!(at, Place::Flag(_)) => 1 - (before & v),
        Change::Nand(v) => !(before & v),
        Change::Max(v) => before.max(v),
        Change::Min(v) => before.min(v),
    }
}

impl Step<'_> {
    /// Reads a value.
    fn read(&mut self, at: Place, order: Ordering) -> u64 {
        let (value, clock) = self.state.atomics[&at];
        if self.machine.clocks {
            join(&mut self.me().acquired, &clock);
            if acquires(order) {
                self.learn(&clock);
            }
        }
        value
    }

    /// Writes a value; as an update it goes on with the release sequence.
    fn write(&mut self, at: Place, value: u64, order: Ordering, update: bool) {
        let own = if releases(order) { self.clock() } else { self.me().released };
        let slot = self.state.atomics.entry(at).or_default();
        slot.0 = value;
        if self.machine.clocks {
            if update {
                join(&mut slot.1, &own);
            } else {
                slot.1 = own;
            }
        }
    }

    /// An update that changes nothing: how the loops look.
    fn peek(&mut self, at: Place) -> u64 {
        let value = self.read(at, Ordering::SeqCst);
        self.write(at, value, Ordering::SeqCst, true);
        value
    }

    pub(super) fn load(&mut self, at: Place, order: Ordering) -> Taken {
        let value = self.read(at, order);
        self.log(value);
        self.done()
    }

    pub(super) fn store(&mut self, at: Place, value: u64, order: Ordering) -> Taken {
        self.write(at, value, order, false);
        self.done()
    }

    pub(super) fn update(&mut self, at: Place, change: Change, order: Ordering) -> Taken {
        let before = self.read(at, order);
        self.write(at, changed(at, before, change), order, true);
        self.log(before);
        self.done()
    }

    pub(super) fn exchange(&mut self, op: &Op) -> Taken {
        let Op::Exchange { at, current, weak, .. } = *op else { unreachable!("{op:?}") };
        let spurious = weak && self.machine.policy.spurious;
        if spurious && self.state.atomics[&at].0 == current {
            return Taken::One(vec![(Choice::Succeeds, true), (Choice::Spurious, true)]);
        }
        self.exchange_strong(op)
    }

    pub(super) fn exchange_strong(&mut self, op: &Op) -> Taken {
        let Op::Exchange { at, current, new, success, failure, .. } = *op else {
            unreachable!("{op:?}")
        };
        if self.state.atomics[&at].0 == current {
            let value = self.read(at, success);
            self.write(at, new, success, true);
            self.log(value.wrapping_mul(2));
        } else {
            return self.fail_exchange(at, failure);
        }
        self.done()
    }

    pub(super) fn fail_exchange(&mut self, at: Place, failure: Ordering) -> Taken {
        let value = self.read(at, failure);
        self.log(value.wrapping_mul(2) + 1);
        self.done()
    }

    pub(super) fn fetch_update(
        &mut self,
        at: Place,
        below: u64,
        set: Ordering,
        fetch: Ordering,
    ) -> Taken {
        let value = self.read(at, fetch);
        if value < below {
            self.read(at, set);
            self.write(at, value + 1, set, true);
        }
        self.log(value.wrapping_mul(2) + u64::from(value >= below));
        self.done()
    }

    pub(super) fn fence(&mut self, order: Ordering) -> Taken {
        if self.machine.clocks && acquires(order) {
            let acquired = self.me().acquired;
            self.learn(&acquired);
        }
        if self.machine.clocks && releases(order) {
            self.me().released = self.clock();
        }
        self.done()
    }

    /// A loop that waits for a value.
    pub(super) fn wait_for(&mut self, at: Place, value: u64, order: Ordering) -> Taken {
        if self.state.atomics[&at].0 != value {
            return Taken::Blocked;
        }
        self.read(at, order);
        self.done()
    }

    /// Goes to `exit` where it finds the value.
    pub(super) fn test(&mut self, at: Place, value: u64, exit: usize) -> Taken {
        if self.peek(at) == value { self.goto(exit) } else { self.done() }
    }

    /// Panics where it finds the value.
    pub(super) fn refute(&mut self, at: Place, value: u64) -> Taken {
        if self.peek(at) == value {
            let code = &self.machine.codes[self.number];
            Machine::panic(self.me(), code);
            return Taken::Done;
        }
        self.done()
    }
}
