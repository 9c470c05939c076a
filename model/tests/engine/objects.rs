//! Random programs over objects and atomics: the search that is optimal by an argument finds what the
//! search finds that takes every revisit, and so do both with the scheduler reversed.
//!
//! `SELVEDGE_PROGRAMS=n` sets how many random programs are tried.

#![allow(
    clippy::cast_possible_truncation,
    clippy::needless_for_each,
    reason = "small numbers; a line each"
)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use crate::support::{Atomic, Thing, choose, explore, spawn};
use selvedge_model::kernel::object::{
    Barrier, BarrierAct, CLAIMED, Channel, ChannelAct, Condvar, CondvarAct, FIRST_MESSAGE,
    MAY_TAKE, Once, OnceAct, ReadEnd, ReadEndAct, RwLock, RwLockAct, Token, TokenAct, acquired,
};
use selvedge_model::kernel::{self, Act, MAX_THREADS, Object};

#[derive(Debug, Clone, Copy)]
enum Step {
    Load,
    Store(u64),
    Add,
    Locked(usize, Inner),
    TryLocked(Inner),
    Read(Inner),
    Write(Inner),
    TryRead,
    Send,
    TrySend,
    Receive,
    TryReceive,
    /// Waits once, under the mutex.
    Wait,
    WaitOrTimeOut,
    NotifyOne,
    NotifyAll,
    Park,
    Unpark(usize),
    Once,
    Barrier,
    Choose,
}

/// What is done with a lock held.
#[derive(Debug, Clone, Copy)]
enum Inner {
    Nothing,
    Load,
    Store(u64),
    Lock(usize),
    NotifyOne,
}

struct World {
    x: Atomic,
    mutexes: [Thing; 2],
    rwlock: Thing,
    channel: Thing,
    condvar: Thing,
    tokens: [Thing; 3],
    once: Thing,
    barrier: Thing,
}

impl World {
    fn new(bound: Option<usize>) -> Self {
        Self {
            x: Atomic::new(0),
            mutexes: [Thing::mutex(), Thing::mutex()],
            rwlock: Thing::new(RwLock::default()),
            channel: Thing::new(Channel::new(bound.unwrap_or(9))),
            condvar: Thing::new(Condvar::default()),
            tokens: [(); 3].map(|()| Thing::new(Token::default())),
            once: Thing::new(Once::default()),
            barrier: Thing::new(Barrier::new(2)),
        }
    }

    fn inner(&self, inner: Inner) -> u64 {
        match inner {
            Inner::Nothing => 0,
            Inner::Load => self.x.load(Relaxed),
            Inner::Store(value) => {
                self.x.store(value, Relaxed);
                0
            }
            Inner::Lock(other) => {
                self.mutexes[other].lock();
                self.mutexes[other].unlock();
                0
            }
            Inner::NotifyOne => self.condvar.act(Act::Condvar(CondvarAct::NotifyOne)),
        }
    }

    #[allow(clippy::too_many_lines, reason = "a list")]
    fn take(&self, me: usize, step: Step) -> u64 {
        let channel = |act| self.channel.act(Act::Channel(act));
        let rwlock = |act| self.rwlock.act(Act::RwLock(act));
        match step {
            Step::Load => self.x.load(Acquire),
            Step::Store(value) => {
                self.x.store(value, Release);
                0
            }
            Step::Add => self.x.fetch_add(1, SeqCst),
            Step::Locked(mutex, inner) => {
                self.mutexes[mutex].lock();
                let seen = self.inner(inner);
                self.mutexes[mutex].unlock();
                seen
            }
            Step::TryLocked(inner) => {
                if !self.mutexes[0].try_lock() {
                    return 99;
                }
                let seen = self.inner(inner);
                self.mutexes[0].unlock();
                seen
            }
            Step::Read(inner) => {
                let end = Thing::new(ReadEnd::default());
                rwlock(RwLockAct::Read { end: end.0 });
                let seen = self.inner(inner);
                end.act(Act::ReadEnd(ReadEndAct::End));
                seen
            }
            Step::TryRead => {
                let end = Thing::new(ReadEnd::default());
                match rwlock(RwLockAct::TryRead { end: end.0 }) {
                    acquired::WOULD_BLOCK => 99,
                    _ => end.act(Act::ReadEnd(ReadEndAct::End)),
                }
            }
            Step::Write(inner) => {
                rwlock(RwLockAct::Write);
                let state = kernel::with(|engine| engine.state(self.rwlock.0));
                let Some(Object::RwLock(state)) = state else { panic!("a reader-writer lock") };
                for &end in state.reads() {
                    Thing(end).act(Act::ReadEnd(ReadEndAct::Await));
                }
                let seen = self.inner(inner);
                rwlock(RwLockAct::EndWrite { poisons: false });
                seen
            }
            Step::Send => {
                let message = channel(ChannelAct::Send);
                if Self::rendezvous() && message >= FIRST_MESSAGE {
                    channel(ChannelAct::Delivered { message: message - FIRST_MESSAGE });
                }
                message
            }
            Step::TrySend => channel(ChannelAct::TrySend),
            Step::Receive => {
                if Self::rendezvous() {
                    channel(ChannelAct::BeginReceive);
                }
                channel(ChannelAct::Receive)
            }
            Step::TryReceive => channel(ChannelAct::TryReceive),
            Step::Wait | Step::WaitOrTimeOut => {
                self.mutexes[0].lock();
                self.condvar.act(Act::Condvar(CondvarAct::Enter));
                self.mutexes[0].unlock();
                let act = |act| self.condvar.act(Act::Condvar(act));
                let notified =
                    if matches!(step, Step::Wait) {
                        act(CondvarAct::Wake)
                    } else {
                        match act(CondvarAct::Leave) {
                            MAY_TAKE => act([CondvarAct::TakeOrLeave, CondvarAct::LeaveAnyway]
                                [choose(2) as usize]),
                            result => result,
                        }
                    };
                self.mutexes[0].lock();
                self.mutexes[0].unlock();
                notified
            }
            Step::NotifyOne => self.condvar.act(Act::Condvar(CondvarAct::NotifyOne)),
            Step::NotifyAll => self.condvar.act(Act::Condvar(CondvarAct::NotifyAll)),
            Step::Park => self.tokens[me].act(Act::Token(TokenAct::Park)),
            Step::Unpark(other) => self.tokens[other].act(Act::Token(TokenAct::Unpark)),
            Step::Once => match self.once.act(Act::Once(OnceAct::Begin { force: false })) {
                CLAIMED => {
                    self.x.store(7, Relaxed);
                    self.once.act(Act::Once(OnceAct::Finish { done: true, poisons: false }));
                    100
                }
                _ => self.x.load(Relaxed),
            },
            Step::Barrier => {
                let arrived = self.barrier.act(Act::Barrier(BarrierAct::Arrive));
                if arrived.is_multiple_of(2) {
                    let arrival = (arrived / 2) as usize;
                    self.barrier.act(Act::Barrier(BarrierAct::Leave { arrival }));
                }
                arrived
            }
            Step::Choose => choose(2),
        }
    }

    fn rendezvous() -> bool {
        RENDEZVOUS.get()
    }
}

thread_local! {
    static RENDEZVOUS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    fn inner(&mut self, not: usize) -> Inner {
        match self.below(6) {
            0 => Inner::Nothing,
            1 | 2 => Inner::Load,
            3 => Inner::Store(1 + self.below(2)),
            4 if not < 2 => Inner::Lock(1 - not),
            4 => Inner::Lock(0),
            _ => Inner::NotifyOne,
        }
    }

    fn step(&mut self, family: u64, threads: usize) -> Step {
        let of_all = |random: &mut Self| match random.below(5) {
            0 => Step::Load,
            1 => Step::Store(1 + random.below(2)),
            2 => Step::Add,
            3 => Step::Choose,
            _ => Step::Locked(0, Inner::Load),
        };
        if self.below(4) == 0 {
            return of_all(self);
        }
        match family {
            0 => match self.below(4) {
                0 => Step::TryLocked(self.inner(0)),
                1 => Step::Locked(1, self.inner(1)),
                _ => Step::Locked(0, self.inner(0)),
            },
            1 => match self.below(4) {
                0 => Step::TryRead,
                1 => Step::Write(self.inner(9)),
                _ => Step::Read(self.inner(9)),
            },
            2 => match self.below(6) {
                0 => Step::TrySend,
                1 => Step::TryReceive,
                2 | 3 => Step::Receive,
                _ => Step::Send,
            },
            3 => match self.below(6) {
                0 => Step::WaitOrTimeOut,
                1 | 2 => Step::Wait,
                3 => Step::NotifyAll,
                4 => Step::Locked(0, Inner::NotifyOne),
                _ => Step::NotifyOne,
            },
            4 => match self.below(3) {
                0 => Step::Park,
                _ => Step::Unpark(self.below(threads as u64) as usize),
            },
            _ => match self.below(4) {
                0 => Step::Barrier,
                _ => Step::Once,
            },
        }
    }
}

/// Holds four searches against each other on one program; returns executions and deadlocks.
fn compare(program: &[Vec<Step>], bound: Option<usize>) -> (u64, u64) {
    RENDEZVOUS.set(bound == Some(0));
    let found = explore(|| {
        let world = Rc::new(World::new(bound));
        let outcome = Rc::new(RefCell::new(vec![vec![]; program.len()]));
        let children: Vec<_> = program
            .iter()
            .enumerate()
            .map(|(me, body)| {
                let (world, outcome, body) = (world.clone(), outcome.clone(), body.clone());
                spawn(move || {
                    for step in body {
                        let seen = world.take(me, step);
                        outcome.borrow_mut()[me].push(seen);
                    }
                })
            })
            .collect();
        children.into_iter().for_each(|child| child.join());
        outcome.take()
    });
    assert_eq!(found.report.errors, 0, "{program:?}");
    (found.complete(), found.report.deadlocks)
}

fn sweep(family: u64, threads: usize, steps: usize) {
    let programs = std::env::var("SELVEDGE_PROGRAMS").ok();
    let programs = programs.map_or(150, |text| text.parse().expect("a number"));
    let mut random = Random(family * 100 + threads as u64 * 10 + steps as u64 + 1);
    let (mut executions, mut deadlocks, mut different) = (0, 0, BTreeSet::new());
    for _ in 0..programs {
        let bound = [None, Some(1), Some(0)][random.below(3) as usize];
        let step = |random: &mut Random| random.step(family, threads);
        let program: Vec<Vec<Step>> =
            (0..threads).map(|_| (0..steps).map(|_| step(&mut random)).collect()).collect();
        let (complete, stuck) = compare(&program, bound);
        (executions, deadlocks) = (executions + complete, deadlocks + stuck);
        different.insert(format!("{program:?}"));
    }
    assert!(threads < MAX_THREADS);
    println!(
        "family {family}, {threads} x {steps}: {} programs, {executions} executions, {deadlocks} deadlocks",
        different.len()
    );
}

macro_rules! families {
    ($($name:ident = $family:expr;)*) => {$(
        #[test]
        fn $name() {
            sweep($family, 2, 2);
            sweep($family, 2, 3);
            sweep($family, 3, 1);
            sweep($family, 3, 2);
        }
    )*};
}

families! {
    mutexes = 0;
    rwlocks = 1;
    channels = 2;
    condvars = 3;
    tokens = 4;
    once_and_barrier = 5;
}
