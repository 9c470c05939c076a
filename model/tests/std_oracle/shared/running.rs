//! A thread that runs its operations.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use selvedge_model::sync::atomic::fence;
use selvedge_model::sync::mpsc::{RecvTimeoutError, TryRecvError};
use selvedge_model::sync::thread::{self, JoinHandle};
use selvedge_model::sync::{MutexGuard, PoisonError, RwLockWriteGuard, TryLockError, hint};

use super::*;
use crate::program::{Change, Mode};

selvedge_model::sync::thread_local! {
    static LATER: RefCell<Option<Later>> = const { RefCell::new(None) };
}

/// A thread-local value whose destructor takes steps.
struct Later {
    shared: std::sync::Arc<Shared>,
    number: usize,
    ops: Vec<Op>,
}

impl Drop for Later {
    fn drop(&mut self) {
        Running::new(&self.shared, self.number, Ends::default()).log_of(&self.ops);
    }
}

/// A thread that runs.
pub(super) struct Running<'a> {
    shared: &'a std::sync::Arc<Shared>,
    number: usize,
    parent: Option<Thread>,
    log: Vec<u64>,
    children: Vec<JoinHandle<Vec<u64>>>,
    ends: Ends,
}

/// Takes the steps of a destructor when it is dropped.
struct Guarded<'b, 'a> {
    thread: &'b mut Running<'a>,
    destructor: &'b [Op],
}

impl Drop for Guarded<'_, '_> {
    fn drop(&mut self) {
        self.thread.run(self.destructor, &mut None);
    }
}

/// What may be poisoned, and whether it is.
fn split<T>(result: Result<T, PoisonError<T>>) -> (T, u64) {
    match result {
        Ok(value) => (value, 0),
        Err(poison) => (poison.into_inner(), 1),
    }
}

fn try_split<T>(result: Result<T, TryLockError<T>>) -> Option<(T, u64)> {
    match result {
        Ok(value) => Some((value, 0)),
        Err(TryLockError::Poisoned(poison)) => Some((poison.into_inner(), 1)),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Longer than any program runs on real threads: where time may be up it must not be waited for.
const SOON: Duration = Duration::from_micros(50);

/// A result of `compare_exchange` as a number.
fn either(result: Result<u64, u64>) -> u64 {
    match result {
        Ok(value) => value.wrapping_mul(2),
        Err(value) => value.wrapping_mul(2) + 1,
    }
}

impl<'a> Running<'a> {
    pub(super) fn new(shared: &'a std::sync::Arc<Shared>, number: usize, ends: Ends) -> Self {
        Self { shared, number, parent: None, log: Vec::new(), children: Vec::new(), ends }
    }

    /// Runs the operations, and returns what they log.
    pub(super) fn log_of(mut self, ops: &[Op]) -> Vec<u64> {
        self.run(ops, &mut None);
        self.log
    }

    fn run(&mut self, ops: &[Op], held: &mut Option<MutexGuard<'a, ()>>) {
        for op in ops {
            self.op(op, held);
        }
    }

    /// Steps with a guard held.
    fn with<G>(&mut self, taken: Option<(G, u64)>, body: impl FnOnce(&mut Self)) {
        let Some((guard, poisoned)) = taken else {
            self.log.push(2);
            return;
        };
        self.log.push(poisoned);
        body(self);
        drop(guard);
    }

    fn with_mutex(&mut self, taken: Option<(MutexGuard<'a, ()>, u64)>, ops: &[Op]) {
        let Some((guard, poisoned)) = taken else {
            self.log.push(2);
            return;
        };
        self.log.push(poisoned);
        let mut held = Some(guard);
        self.run(ops, &mut held);
        drop(held);
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each step")]
    fn op(&mut self, op: &Op, held: &mut Option<MutexGuard<'a, ()>>) {
        let shared = self.shared;
        match *op {
            Op::Load(at, order) => self.log.push(shared.load(at, order)),
            Op::Store(at, v, order) => match at {
                Place::Word(at) => shared.word(at).store(v, order),
                Place::Flag(at) => shared.flag(at).store(v == 1, order),
                Place::Pointer(at) => shared.pointer(at).store(pointer(v), order),
            },
            Op::Update(at, change, order) => {
                let before = self.update(at, change, order);
                self.log.push(before);
            }
            Op::Exchange { .. } | Op::FetchUpdate { .. } => {
                let result = self.exchange(op);
                self.log.push(either(result));
            }
            Op::Fence(order) => fence(order),
            Op::Await(at, v, order) => hint::wait_until(|| shared.load(at, order) == v),
            Op::Spin(at, v, order) => {
                while shared.load(at, order) != v {
                    hint::spin_loop();
                }
            }
            Op::Idle(times) => (0..times).for_each(|_| hint::spin_loop()),
            Op::Refute(at, v) => assert!(shared.peek(at) != v, "on purpose"),
            Op::Panic => panic!("on purpose"),
            Op::Unwind => resume_unwind(Box::new(())),
            Op::If(v, ref body) => {
                if self.log.last() == Some(&v) {
                    self.run(body, held);
                }
            }
            Op::Catch(ref body) => {
                let caught = catch_unwind(AssertUnwindSafe(|| self.run(body, held)));
                self.log.push(u64::from(caught.is_err()));
            }
            Op::Guarded(ref body, ref destructor) => {
                let guarded = Guarded { thread: self, destructor };
                guarded.thread.run(body, held);
            }
            Op::IsPoisoned(m) => self.log.push(get(&shared.mutexes, m).is_poisoned().into()),
            Op::IsRwPoisoned(w) => self.log.push(get(&shared.rwlocks, w).is_poisoned().into()),
            Op::ClearPoison(m) => get(&shared.mutexes, m).clear_poison(),
            Op::ClearRwPoison(w) => get(&shared.rwlocks, w).clear_poison(),
            Op::Lock(m, ref body) => {
                let guard = split(get(&shared.mutexes, m).lock());
                self.with_mutex(Some(guard), body);
            }
            Op::TryLock(m, ref body) => {
                let guard = try_split(get(&shared.mutexes, m).try_lock());
                self.with_mutex(guard, body);
            }
            Op::Hold(w, Mode::Read, ref body) => {
                let guard = split(get(&shared.rwlocks, w).read());
                self.with(Some(guard), |thread| thread.run(body, held));
            }
            Op::Hold(w, Mode::Write, ref body) => {
                let guard = split(get(&shared.rwlocks, w).write());
                self.with(Some(guard), |thread| thread.run(body, held));
            }
            Op::Downgrade(w, ref writes, ref reads) => {
                let (guard, poisoned) = split(get(&shared.rwlocks, w).write());
                self.log.push(poisoned);
                self.run(writes, held);
                let guard = RwLockWriteGuard::downgrade(guard);
                self.run(reads, held);
                drop(guard);
            }
            Op::TryHold(w, Mode::Read, ref body) => {
                let guard = try_split(get(&shared.rwlocks, w).try_read());
                self.with(guard, |thread| thread.run(body, held));
            }
            Op::TryHold(w, Mode::Write, ref body) => {
                let guard = try_split(get(&shared.rwlocks, w).try_write());
                self.with(guard, |thread| thread.run(body, held));
            }
            Op::Wait(c) => {
                let guard = held.take().expect("the mutex is held");
                let (guard, poisoned) = split(get(&shared.condvars, c).wait(guard));
                *held = Some(guard);
                self.log.push(poisoned);
            }
            Op::WaitTimeout(c) => {
                let guard = held.take().expect("the mutex is held");
                let ((guard, result), poisoned) =
                    split(get(&shared.condvars, c).wait_timeout(guard, SOON));
                *held = Some(guard);
                self.log.extend([u64::from(result.timed_out()), poisoned]);
            }
            Op::WaitUntil(c, at, v) => {
                while shared.peek(at) != v {
                    let guard = held.take().expect("the mutex is held");
                    *held = Some(split(get(&shared.condvars, c).wait(guard)).0);
                }
            }
            Op::PollUntil(c, at, v) => {
                while shared.peek(at) != v {
                    let guard = held.take().expect("the mutex is held");
                    let waited = get(&shared.condvars, c).wait_timeout(guard, SOON);
                    *held = Some(split(waited).0.0);
                }
            }
            Op::NotifyOne(c) => get(&shared.condvars, c).notify_one(),
            Op::NotifyAll(c) => get(&shared.condvars, c).notify_all(),
            Op::Introduce => {
                if let Some(Some(handle)) = shared.handles.get(self.number) {
                    *split(handle.lock()).0 = Some(thread::current());
                }
            }
            Op::Unpark(Who::Declared(number)) => {
                let handle = split(get(&shared.handles, number).lock()).0.clone();
                self.log.push(u64::from(handle.is_some()));
                if let Some(thread) = handle {
                    thread.unpark();
                }
            }
            Op::Unpark(Who::Child) => {
                self.children.last().expect("there is a child").thread().unpark();
            }
            Op::Unpark(Who::Parent) => {
                self.parent.as_ref().expect("there is a parent").unpark();
            }
            Op::Park => thread::park(),
            Op::ParkTimeout => thread::park_timeout(SOON),
            Op::ParkUntil(at, v) => {
                while shared.peek(at) != v {
                    thread::park();
                }
            }
            Op::Send(..)
            | Op::TrySend(..)
            | Op::Recv(_)
            | Op::TryRecv(_)
            | Op::RecvTimeout(_)
            | Op::DropSender(_)
            | Op::DropReceiver(_) => self.channel(op),
            Op::Meet(b) => self.log.push(get(&shared.barriers, b).wait().is_leader().into()),
            Op::Set(o, v) => {
                let result = get(&shared.onces, o).set(v);
                self.log.push(u64::from(result.is_err()));
            }
            Op::Get(o) => self.log.push(get(&shared.onces, o).get().copied().unwrap_or(0)),
            Op::GetOrInit(o, v, ref body) => {
                let value = *get(&shared.onces, o).get_or_init(|| {
                    self.run(body, held);
                    v
                });
                self.log.push(value);
            }
            Op::Count(_)
            | Op::GetMut(_)
            | Op::ReadInside(_)
            | Op::IntoInner(_)
            | Op::DropArc(_) => self.arc(op),
            Op::Spawn(number, ref body) => self.spawn(number, body),
            Op::Join => match self.children.pop().expect("there is a child").join() {
                Ok(log) => {
                    self.log.push(50);
                    self.log.extend(log);
                }
                Err(_) => self.log.push(60),
            },
            Op::Local(ref ops) => {
                let later = Later {
                    shared: std::sync::Arc::clone(shared),
                    number: self.number,
                    ops: ops.clone(),
                };
                LATER.with(|slot| *slot.borrow_mut() = Some(later));
            }
            Op::CellRead(c) => self.log.push(get(&shared.cells, c).read()),
            Op::CellWrite(c) => get(&shared.cells, c).write(),
        }
    }

    fn update(&self, at: Place, change: Change, order: std::sync::atomic::Ordering) -> u64 {
        match at {
            Place::Word(at) => {
                let word = self.shared.word(at);
                match change {
                    Change::Swap(v) => word.swap(v, order),
                    Change::Add(v) => word.fetch_add(v, order),
                    Change::Sub(v) => word.fetch_sub(v, order),
                    Change::And(v) => word.fetch_and(v, order),
                    Change::Or(v) => word.fetch_or(v, order),
                    Change::Xor(v) => word.fetch_xor(v, order),
                    Change::Nand(v) => word.fetch_nand(v, order),
                    Change::Max(v) => word.fetch_max(v, order),
                    Change::Min(v) => word.fetch_min(v, order),
                }
            }
            Place::Flag(at) => {
                let flag = self.shared.flag(at);
                u64::from(match change {
                    Change::Swap(v) => flag.swap(v == 1, order),
                    Change::And(v) => flag.fetch_and(v == 1, order),
                    Change::Or(v) => flag.fetch_or(v == 1, order),
                    Change::Xor(v) => flag.fetch_xor(v == 1, order),
                    Change::Nand(v) => flag.fetch_nand(v == 1, order),
                    _ => unreachable!("{change:?} is not for flags"),
                })
            }
            Place::Pointer(at) => match change {
                Change::Swap(v) => number(self.shared.pointer(at).swap(pointer(v), order)),
                _ => unreachable!("{change:?} is not for pointers"),
            },
        }
    }

    fn exchange(&self, op: &Op) -> Result<u64, u64> {
        match *op {
            Op::FetchUpdate { at: Place::Word(at), below, set, fetch } => {
                let word = self.shared.word(at);
                word.fetch_update(set, fetch, |value| (value < below).then(|| value + 1))
            }
            Op::Exchange { at: Place::Word(at), current, new, success, failure, weak } => {
                let word = self.shared.word(at);
                if weak {
                    word.compare_exchange_weak(current, new, success, failure)
                } else {
                    word.compare_exchange(current, new, success, failure)
                }
            }
            Op::Exchange { at: Place::Flag(at), current, new, success, failure, weak } => {
                let flag = self.shared.flag(at);
                let (current, new) = (current == 1, new == 1);
                let result = if weak {
                    flag.compare_exchange_weak(current, new, success, failure)
                } else {
                    flag.compare_exchange(current, new, success, failure)
                };
                result.map(u64::from).map_err(u64::from)
            }
            Op::Exchange { at: Place::Pointer(at), current, new, success, failure, weak } => {
                let atomic = self.shared.pointer(at);
                let (current, new) = (pointer(current), pointer(new));
                let result = if weak {
                    atomic.compare_exchange_weak(current, new, success, failure)
                } else {
                    atomic.compare_exchange(current, new, success, failure)
                };
                result.map(number).map_err(number)
            }
            _ => unreachable!("{op:?} is no exchange"),
        }
    }

    fn channel(&mut self, op: &Op) {
        fn end<T>(ends: &[Option<T>], q: usize) -> Option<&T> {
            ends.get(q).and_then(Option::as_ref)
        }
        let Ends { senders, receivers, .. } = &mut self.ends;
        let seen = match *op {
            Op::Send(q, v) => end(senders, q).map(|sender| sender.send(v, true)),
            Op::TrySend(q, v) => end(senders, q).map(|sender| sender.send(v, false)),
            Op::Recv(q) => end(receivers, q).map(|r| r.recv().map_or(0, |v| 10 + v)),
            Op::TryRecv(q) => end(receivers, q).map(|receiver| match receiver.try_recv() {
                Ok(value) => 10 + value,
                Err(TryRecvError::Empty) => 1,
                Err(TryRecvError::Disconnected) => 0,
            }),
            Op::RecvTimeout(q) => end(receivers, q).map(|r| match r.recv_timeout(SOON) {
                Ok(value) => 10 + value,
                Err(RecvTimeoutError::Timeout) => 1,
                Err(RecvTimeoutError::Disconnected) => 0,
            }),
            Op::DropSender(q) => {
                senders[q] = None;
                None
            }
            Op::DropReceiver(q) => {
                receivers[q] = None;
                None
            }
            _ => unreachable!("{op:?} is of no channel"),
        };
        self.log.extend(seen);
    }

    fn arc(&mut self, op: &Op) {
        let arcs = &mut self.ends.arcs;
        let Some(number) = op.arc().filter(|number| arcs[*number].is_some()) else { return };
        let slot = &mut arcs[number];
        let seen = match op {
            Op::Count(_) => slot.as_ref().map(|arc| Arc::strong_count(arc) as u64),
            Op::GetMut(_) => slot.as_mut().map(|arc| match Arc::get_mut(arc) {
                Some(inside) => {
                    inside.write();
                    1
                }
                None => 0,
            }),
            Op::ReadInside(_) => {
                if let Some(arc) = slot {
                    arc.read();
                }
                None
            }
            Op::IntoInner(_) => slot.take().map(|arc| u64::from(Arc::into_inner(arc).is_some())),
            _ => {
                *slot = None;
                None
            }
        };
        self.log.extend(seen);
    }

    fn spawn(&mut self, number: usize, body: &[Op]) {
        let (shared, ops) = (std::sync::Arc::clone(self.shared), body.to_vec());
        let ends = shared.take_ends(number);
        let parent = thread::current();
        self.children.push(thread::spawn(move || {
            let mut thread = Running {
                shared: &shared,
                number,
                parent: Some(parent),
                log: Vec::new(),
                children: Vec::new(),
                ends,
            };
            thread.run(&ops, &mut None);
            thread.log
        }));
    }
}
