//! A step: which object it is about, and what may come of it.

use super::clock::{Clock, join};
use super::thread::Thread;
use super::{Machine, State};
use crate::code::{Instr, Lock};
use crate::program::Op;

/// What came of trying a step.
pub(super) enum Taken {
    Blocked,
    Done,
    /// Done, but nothing makes it happen.
    Held,
    /// One of several things happens; whether each must come if no other thread moves.
    One(Vec<(Choice, bool)>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Choice {
    /// The usual.
    Succeeds,
    /// A spurious failure or wake-up.
    Spurious,
    /// There will be no spurious wake-up.
    Sleeps,
    /// Time is up.
    TimesOut,
    /// This waiter is notified.
    Notifies(usize),
}

/// A step that is being taken.
pub(super) struct Step<'a> {
    pub(super) machine: &'a Machine,
    pub(super) number: usize,
    /// Time may be up.
    pub(super) up: bool,
    pub(super) state: &'a mut State,
}

impl Step<'_> {
    pub(super) fn me(&mut self) -> &mut Thread {
        &mut self.state.threads[self.number]
    }

    pub(super) fn log(&mut self, value: u64) {
        let quiet = self.machine.codes[self.number].quiet;
        if self.me().pc < quiet {
            self.me().log.push(value);
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.state.threads[self.number].clock
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a clock is a table")]
    pub(super) fn learn(&mut self, clock: &Clock) {
        if self.machine.clocks {
            join(&mut self.me().clock, clock);
        }
    }

    pub(super) fn done(&mut self) -> Taken {
        let code = &self.machine.codes[self.number];
        Machine::go_on(self.me(), code);
        Taken::Done
    }

    pub(super) fn goto(&mut self, pc: usize) -> Taken {
        self.me().pc = pc;
        Taken::Done
    }

    pub(super) fn take(&mut self, instr: &Instr) -> Taken {
        match *instr {
            Instr::Op(ref op) => self.op(op),
            Instr::Acquire { lock: Lock::Mutex(m), tries, skip } => self.acquire(m, tries, skip),
            Instr::Acquire { lock: Lock::Rw(w, mode), tries, skip } => {
                self.hold(w, mode, tries, skip, true)
            }
            Instr::Release { lock, poisons } => {
                let poisons = poisons && self.me().unwinding;
                match lock {
                    Lock::Mutex(m) => self.release(m, poisons),
                    Lock::Rw(w, mode) => self.release_rw(w, mode, poisons),
                }
            }
            Instr::Downgrade(w) => self.downgrade(w),
            Instr::Enqueue { condvar, mutex } => self.enqueue(condvar, mutex),
            Instr::Woken { timeout, polls, .. } => self.wake(timeout, polls),
            Instr::Relock { mutex, logs } => self.relock(mutex, logs),
            Instr::Test { at, value, exit } => self.test(at, value, exit),
            Instr::Make { once, skip } => self.make(once, skip),
            Instr::Made { once, value } => self.made(once, value),
            Instr::Spawn(child) => self.spawn(child),
            Instr::Join(child) => self.join(child),
            Instr::Look { thread, skip } => self.look(thread, skip),
            Instr::Unpark(thread) => self.unpark(thread),
            Instr::DropArc(a) => self.drop_arc(a),
            Instr::DropSender(q) => self.drop_sender(q),
            Instr::DropReceiver(q) => self.drop_receiver(q),
            Instr::Goto(_)
            | Instr::CatchEnd
            | Instr::Dropped
            | Instr::If { .. }
            | Instr::Destructor { .. }
            | Instr::End => {
                unreachable!("no operations")
            }
        }
    }

    fn op(&mut self, op: &Op) -> Taken {
        match *op {
            Op::Load(at, order) => self.load(at, order),
            Op::Store(at, value, order) => self.store(at, value, order),
            Op::Update(at, change, order) => self.update(at, change, order),
            Op::Exchange { .. } => self.exchange(op),
            Op::FetchUpdate { at, below, set, fetch } => self.fetch_update(at, below, set, fetch),
            Op::Fence(order) => self.fence(order),
            Op::Await(at, value, order) | Op::Spin(at, value, order) => {
                self.wait_for(at, value, order)
            }
            Op::Idle(_) => self.done(),
            Op::IsPoisoned(m) => self.is_poisoned(m),
            Op::ClearPoison(m) => self.clear_poison(m),
            Op::IsRwPoisoned(w) => self.is_rw_poisoned(w),
            Op::ClearRwPoison(w) => self.clear_rw_poison(w),
            Op::Refute(at, value) => self.refute(at, value),
            Op::NotifyOne(c) => self.notify_one(c),
            Op::NotifyAll(c) => self.notify_all(c),
            Op::Introduce => self.introduce(),
            Op::Park => self.park(),
            Op::ParkTimeout => self.park_timeout(),
            Op::Send(q, value) => self.send(q, value, false),
            Op::TrySend(q, value) => self.send(q, value, true),
            Op::Recv(q) => self.recv(q, Some(false)),
            Op::TryRecv(q) => self.recv(q, None),
            Op::RecvTimeout(q) => self.recv(q, Some(self.up)),
            Op::Meet(b) => self.meet(b),
            Op::Set(o, value) => self.set(o, value),
            Op::Get(o) => self.get(o),
            Op::Count(a) => self.count(a),
            Op::GetMut(a) => self.get_mut(a),
            Op::ReadInside(a) => self.read_inside(a),
            Op::IntoInner(a) => self.take_inner(a),
            Op::CellRead(c) => self.read_cell(c),
            Op::CellWrite(c) => self.write_cell(c),
            _ => unreachable!("{op:?} has instructions of its own"),
        }
    }

    /// Does what was chosen.
    pub(super) fn choose(&mut self, instr: &Instr, choice: Choice) {
        self.me().sleeps = matches!(choice, Choice::Sleeps);
        match (instr, choice) {
            (_, Choice::Sleeps) => Taken::Done,
            (Instr::Woken { condvar, timeout, polls }, _) => {
                self.woken(*condvar, *timeout && polls.is_none(), choice)
            }
            (Instr::Op(Op::Exchange { at, failure, .. }), Choice::Spurious) => {
                self.fail_exchange(*at, *failure)
            }
            (Instr::Op(op @ Op::Exchange { .. }), _) => self.exchange_strong(op),
            (Instr::Op(Op::Park | Op::ParkTimeout), _) => self.done(),
            (Instr::Op(Op::NotifyOne(c)), Choice::Notifies(waiter)) => self.notify(*c, waiter),
            (Instr::Acquire { skip, .. }, Choice::Spurious) => self.refuse(true, *skip),
            // As if no writer waited.
            (Instr::Acquire { lock: Lock::Rw(w, mode), skip, .. }, _) => {
                self.hold(*w, *mode, true, *skip, false)
            }
            _ => unreachable!("{instr:?} has no choice"),
        };
    }

    /// A lock is held by another.
    pub(super) fn refuse(&mut self, tries: bool, skip: usize) -> Taken {
        if !tries {
            return Taken::Blocked;
        }
        self.log(2);
        self.goto(skip)
    }
}
