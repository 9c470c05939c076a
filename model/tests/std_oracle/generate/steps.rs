//! The steps that a pick stands for.

use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use proptest::prelude::*;

use super::{MAX_THREADS, Pick, Source};
use crate::program::{Change, Mode, Op, Place, Who};

impl Source {
    pub(super) fn mark(&mut self) -> Op {
        let (at, value) = (self.word(), self.value());
        let change = if self.one_in(2) { Change::Swap(value) } else { Change::Add(value) };
        Op::Update(at, change, SeqCst)
    }

    fn update_order(&mut self) -> Ordering {
        self.of(&[Relaxed, Acquire, Release, AcqRel, SeqCst])
    }

    fn load_order(&mut self) -> Ordering {
        self.of(&[Relaxed, Acquire, SeqCst])
    }

    fn store_order(&mut self) -> Ordering {
        self.of(&[Relaxed, Release, SeqCst])
    }

    /// A place of any kind and a value for it.
    fn any_place(&mut self) -> (Place, u64) {
        match self.below(4) {
            0 => (Place::Flag(0), self.rng.random_range(0..2)),
            1 => (Place::Pointer(0), self.rng.random_range(0..3)),
            _ => (self.word(), self.value()),
        }
    }

    fn lock(&mut self, tries: bool, left: usize) -> Option<Op> {
        let m = self.below(2);
        if self.mutexes.contains(&m) && !(tries && self.one_in(2)) {
            return None;
        }
        self.mutexes.push(m);
        let body = self.body(left);
        self.mutexes.pop();
        Some(if tries { Op::TryLock(m, body) } else { Op::Lock(m, body) })
    }

    fn hold(&mut self, mode: Mode, tries: bool, left: usize) -> Option<Op> {
        let w = usize::from(self.one_in(4));
        // Not one that waits for its own thread: that is a deadlock.
        let again = tries || mode == Mode::Read && !self.rwlocks.contains(&(w, Mode::Write));
        if self.rwlocks.iter().any(|(held, _)| *held == w) && !(again && self.one_in(2)) {
            return None;
        }
        self.rwlocks.push((w, mode));
        let body = self.body(left);
        self.rwlocks.pop();
        Some(if tries { Op::TryHold(w, mode, body) } else { Op::Hold(w, mode, body) })
    }

    fn downgrade(&mut self, left: usize) -> Option<Op> {
        let Some(Op::Hold(w, _, writes)) = self.hold(Mode::Write, false, left) else { return None };
        self.rwlocks.push((w, Mode::Read));
        let reads = self.body(left.saturating_sub(writes.len()).max(1));
        self.rwlocks.pop();
        Some(Op::Downgrade(w, writes, reads))
    }

    /// Waits with a mutex held: the innermost one, or one that is taken for it.
    fn wait(&mut self, wait: Op, left: usize) -> Option<Op> {
        // Another mutex that stays held while it waits is a deadlock, mostly.
        if !self.mutexes.is_empty() {
            return self.one_in(2).then_some(wait);
        }
        self.mutexes.push(0);
        let mut body = if left > 2 && self.one_in(2) { vec![self.mark()] } else { Vec::new() };
        body.push(wait);
        if left > 2 && self.one_in(3) {
            body.push(self.mark());
        }
        self.mutexes.pop();
        Some(Op::Lock(0, body))
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind")]
    pub(super) fn op(&mut self, pick: Pick, left: usize) -> Option<Op> {
        Some(match pick {
            Pick::Mark => self.mark(),
            Pick::Update => {
                let (at, v, order) = (self.word(), self.value(), self.update_order());
                let change = self.of(&[
                    Change::Swap(v),
                    Change::Add(v),
                    Change::Sub(v),
                    Change::And(v),
                    Change::Or(v),
                    Change::Xor(v),
                    Change::Nand(v),
                    Change::Max(v),
                    Change::Min(v),
                ]);
                Op::Update(at, change, order)
            }
            Pick::Small => {
                let order = self.update_order();
                if self.one_in(3) {
                    let target = self.rng.random_range(0..3);
                    return Some(Op::Update(Place::Pointer(0), Change::Swap(target), order));
                }
                let v = self.rng.random_range(0..2);
                let change = self.of(&[
                    Change::Swap(v),
                    Change::And(v),
                    Change::Or(v),
                    Change::Xor(v),
                    Change::Nand(v),
                ]);
                Op::Update(Place::Flag(0), change, order)
            }
            Pick::Exchange | Pick::Weak => {
                let (at, new) = self.any_place();
                let current = if self.one_in(2) { 0 } else { new ^ 1 };
                let current = if let Place::Word(_) = at { current } else { current.min(1) };
                let (success, failure) = (self.update_order(), self.load_order());
                Op::Exchange { at, current, new, success, failure, weak: pick == Pick::Weak }
            }
            Pick::FetchUpdate => {
                let (at, below) = (self.word(), self.value());
                let (set, fetch) = (self.update_order(), self.load_order());
                Op::FetchUpdate { at, below, set, fetch }
            }
            Pick::Load => Op::Load(self.any_place().0, self.load_order()),
            Pick::Store => {
                let ((at, value), order) = (self.any_place(), self.store_order());
                Op::Store(at, value, order)
            }
            Pick::Fence => Op::Fence(self.of(&[Acquire, Release, AcqRel, SeqCst])),
            Pick::Await | Pick::Spin => {
                let (at, order) = (self.word(), self.load_order());
                let value = self.rng.random_range(0..3);
                if pick == Pick::Await {
                    Op::Await(at, value, order)
                } else {
                    Op::Spin(at, value, order)
                }
            }
            Pick::Idle => Op::Idle(self.of(&[1, 2, 9])),
            Pick::Refute => {
                let (at, value) = (self.word(), self.rng.random_range(1..5));
                Op::Refute(at, value)
            }
            Pick::Lock => self.lock(false, left)?,
            Pick::TryLock => self.lock(true, left)?,
            Pick::Caught => {
                let mut body =
                    if left > 2 && self.one_in(2) { vec![self.mark()] } else { Vec::new() };
                body.push(self.panic());
                let m = self.below(2);
                let scope = match self.below(10) {
                    0..3 if !self.mutexes.contains(&m) => Op::Lock(m, body),
                    3 if !self.mutexes.contains(&m) => Op::TryLock(m, body),
                    4 if self.rwlocks.is_empty() => Op::Hold(0, Mode::Write, body),
                    5 if self.rwlocks.is_empty() => Op::TryHold(0, Mode::Write, body),
                    6 if !self.once => Op::GetOrInit(0, 9, body),
                    7 if self.rwlocks.is_empty() => Op::Hold(0, Mode::Read, body),
                    8 => Op::Guarded(body, self.destructor()),
                    9 if !self.mutexes.contains(&m) => {
                        self.mutexes.push(m);
                        let guarded = Op::Guarded(body, self.destructor());
                        self.mutexes.pop();
                        Op::Lock(m, vec![guarded])
                    }
                    _ => return None,
                };
                Op::Catch(vec![scope])
            }
            Pick::Poison => {
                let m = self.below(2);
                let read_write = self.one_in(3);
                if self.one_in(4) {
                    if read_write { Op::ClearRwPoison(0) } else { Op::ClearPoison(m) }
                } else {
                    let asks = if read_write { Op::IsRwPoisoned(0) } else { Op::IsPoisoned(m) };
                    let then = self.mark();
                    Op::Catch(vec![asks, Op::If(1, vec![then])])
                }
            }
            Pick::Read => self.hold(Mode::Read, false, left)?,
            Pick::Write => self.hold(Mode::Write, false, left)?,
            Pick::TryRead => self.hold(Mode::Read, true, left)?,
            Pick::TryWrite => self.hold(Mode::Write, true, left)?,
            Pick::Downgrade => self.downgrade(left)?,
            Pick::Wait => self.wait(Op::Wait(0), left)?,
            Pick::WaitTimeout => self.wait(Op::WaitTimeout(0), left)?,
            Pick::WaitUntil | Pick::PollUntil => {
                let (at, value) = (Place::Word(0), self.value());
                let polls = pick == Pick::PollUntil;
                let until = if polls { Op::PollUntil } else { Op::WaitUntil };
                self.wait(until(0, at, value), left)?
            }
            Pick::Notify => {
                if self.one_in(2) {
                    Op::NotifyOne(0)
                } else {
                    Op::NotifyAll(0)
                }
            }
            Pick::Announced if self.thread == 0 => {
                let announce = Op::Update(Place::Word(2), Change::Add(1), SeqCst);
                Op::Lock(0, vec![announce, Op::Wait(0), self.mark()])
            }
            Pick::Announced => Op::Catch(vec![
                Op::Await(Place::Word(2), 1, SeqCst),
                Op::Lock(0, Vec::new()),
                Op::NotifyOne(0),
            ]),
            Pick::Park => Op::Park,
            Pick::ParkTimeout => Op::ParkTimeout,
            Pick::ParkUntil => Op::ParkUntil(Place::Word(0), self.value()),
            Pick::Unpark => {
                let target = self.below(self.threads);
                if self.thread >= self.threads {
                    Op::Unpark(Who::Parent)
                } else if self.spawned > 0 && self.nested == 0 && self.one_in(2) {
                    Op::Unpark(Who::Child)
                } else if target == self.thread {
                    return None;
                } else {
                    Op::Unpark(Who::Declared(target))
                }
            }
            Pick::Channel(q) => self.channel(q)?,
            Pick::Meet => Op::Meet(usize::from(self.one_in(4))),
            Pick::Once | Pick::Make if self.once => return None,
            Pick::Once => {
                let (o, value) = (usize::from(self.one_in(4)), self.value());
                if self.one_in(2) { Op::Set(o, value) } else { Op::Get(o) }
            }
            Pick::Make => {
                self.once = true;
                let body = self.body(left);
                self.once = false;
                let (o, value) = (usize::from(self.one_in(4)), self.value());
                Op::GetOrInit(o, value, body)
            }
            Pick::Arc => {
                let a = usize::from(self.one_in(4));
                match self.below(6) {
                    0 | 1 => Op::Count(a),
                    2 | 3 => Op::IntoInner(a),
                    4 => Op::GetMut(a),
                    _ => Op::DropArc(a),
                }
            }
            Pick::ArcCell => {
                if self.one_in(2) {
                    Op::ReadInside(0)
                } else {
                    Op::GetMut(0)
                }
            }
            Pick::Spawn | Pick::SpawnPanics => return self.spawn(pick, left),
            Pick::Local => {
                if self.local || self.nested > 0 {
                    return None;
                }
                self.local = true;
                let mut body = vec![self.mark()];
                if self.one_in(3) {
                    let inside = self.mark();
                    body.push(Op::Lock(0, vec![inside]));
                }
                Op::Local(body)
            }
            Pick::Cell => self.cell(),
            Pick::IfCell => {
                let value = self.of(if self.received { &[11] } else { &[1, 1, 1, 2, 0] });
                let cell = self.cell();
                Op::If(value, vec![cell])
            }
        })
    }

    fn panic(&mut self) -> Op {
        if self.one_in(3) { Op::Unwind } else { Op::Panic }
    }

    /// What a destructor does, which may run while the thread unwinds.
    fn destructor(&mut self) -> Vec<Op> {
        let (m, inside) = (self.below(2), vec![self.mark()]);
        let first = match self.below(6) {
            0 | 1 if !self.mutexes.contains(&m) => Op::Lock(m, inside),
            2 => Op::TryLock(m, inside),
            3 if self.rwlocks.is_empty() => Op::Hold(0, Mode::Read, inside),
            4 if self.rwlocks.is_empty() => Op::Hold(0, Mode::Write, inside),
            _ => self.mark(),
        };
        if self.one_in(2) { vec![first, self.mark()] } else { vec![first] }
    }

    fn cell(&mut self) -> Op {
        if self.one_in(2) { Op::CellRead(0) } else { Op::CellWrite(0) }
    }

    fn channel(&mut self, q: usize) -> Option<Op> {
        if self.thread == self.receivers[q] {
            return Some(match self.below(8) {
                0..3 => Op::Recv(q),
                3 | 4 => Op::TryRecv(q),
                5 | 6 => Op::RecvTimeout(q),
                _ => Op::DropReceiver(q),
            });
        }
        // A thread that a thread spawns has ends only if its spawning is sure.
        let value = self.value();
        Some(match self.below(8) {
            0..5 => Op::Send(q, value),
            5 | 6 if q > 0 => Op::TrySend(q, value),
            7 => Op::DropSender(q),
            _ => return None,
        })
    }

    fn spawn(&mut self, pick: Pick, left: usize) -> Option<Op> {
        if self.numbers == MAX_THREADS || self.nested > 0 || self.numbers >= self.threads + 2 {
            return None;
        }
        let number = self.numbers;
        self.numbers += 1;
        let (thread, spawned, local) = (self.thread, self.spawned, self.local);
        let picks = self.picks.clone();
        (self.thread, self.spawned, self.local) = (number, 0, false);
        let panics = pick == Pick::SpawnPanics;
        let mut body = if panics {
            let inside = vec![self.mark(), self.panic()];
            let m = self.below(2);
            let scope = match self.below(4) {
                0 => Op::Hold(0, Mode::Write, inside),
                1 => Op::Refute(Place::Word(0), 1),
                _ => Op::Lock(m, inside),
            };
            // What else the thread owns is dropped by the panic.
            let owns =
                [Pick::Channel(0), Pick::Arc].map(|pick| self.picks.iter().any(|p| p.1 == pick));
            match owns {
                [true, _] => vec![Op::Send(0, 1), self.mark(), self.panic()],
                [_, true] => vec![Op::Count(0), self.mark(), self.panic()],
                _ => vec![scope],
            }
        } else {
            self.ops(1 + left / 2)
        };
        while self.spawned > 0 {
            self.spawned -= 1;
            if self.one_in(2) {
                body.push(Op::Join);
            }
        }
        (self.thread, self.spawned, self.local) = (thread, spawned + 1, local);
        self.picks = picks;
        Some(Op::Spawn(number, body))
    }
}
