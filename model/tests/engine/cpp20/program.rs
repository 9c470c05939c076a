//! Random programs, and how the engine runs them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use selvedge_model::kernel::object::{Token, TokenAct};
use selvedge_model::kernel::{Rmw, Update};
use selvedge_model::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use selvedge_model::sync::{Barrier, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::support::{Atomic, Cell, Thing, WORD, fails_spuriously, fence, spawn, spin, wait_until};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction {
    Load(usize, Ordering),
    Store(usize, u64, Ordering),
    Update(usize, Rmw, Ordering, Ordering),
    /// A weak exchange.
    Weak(usize, Rmw, Ordering, Ordering),
    /// Waits until the atomic holds this.
    Await(usize, u64, Ordering),
    /// Waits until the atomic holds the first value, and makes it the second, with `Acquire`.
    Take(usize, u64, u64),
    Lock,
    Unlock,
    /// Locks an `RwLock`.
    Read,
    EndRead,
    Write,
    EndWrite,
    /// Each thread has a channel, for one message.
    Send,
    /// From this thread.
    Receive(usize),
    /// On the queue of the first thread; or on atomics in its place, the first of which is given.
    Queue(OnQueue, Option<usize>),
    /// Waits for all threads.
    Meet,
    Park,
    Unpark(usize),
    Fence(Ordering),
    CellRead,
    CellWrite,
}

/// A step on a queue without a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnQueue {
    Send(u64),
    Receive,
    TryReceive,
    /// On atomics: takes the message if it is there, or finds that none was sent. If neither, it waits for ever.
    TakeOrFindNone,
}

pub type Program = Vec<Vec<Instruction>>;

/// What each instruction of each thread read; `u64::MAX` of those that read nothing. Of a weak exchange that fails without
/// a cause also [`SPURIOUSLY`].
pub type Outcome = Vec<Vec<u64>>;

pub const SPURIOUSLY: u64 = 1 << 32;

/// A pseudo-random number generator (xorshift64*).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// What random programs are made of.
#[expect(clippy::struct_excessive_bools, reason = "each is there or not")]
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub threads: usize,
    pub steps: usize,
    pub locations: u64,
    pub cells: bool,
    /// Mostly `SeqCst`, and fences.
    pub strong: bool,
    pub waits: bool,
    /// Each thread locks a mutex once.
    pub locks: bool,
    /// Each thread locks an `RwLock` once.
    pub reads: bool,
    /// How many messages the channels hold. Without room, a sender waits for the receiver.
    pub bound: Option<usize>,
    /// Threads send messages to the first, all on one queue.
    pub queue: bool,
    /// Threads send a message each to the first, unpark one another, and meet.
    pub messages: bool,
}

pub fn random(shape: Shape, random: &mut Random) -> Program {
    let mut program: Program = (0..shape.threads)
        .map(|_| (0..shape.steps).map(|_| instruction(shape, random)).collect())
        .collect();
    if shape.messages {
        let meet = random.below(3) == 0;
        for thread in 0..shape.threads {
            let mut add = |to: usize, step| {
                let at = random.below(program[to].len() as u64 + 1) as usize;
                program[to].insert(at, step);
                random.below(3) > 0
            };
            if thread > 0 && add(thread, Instruction::Send) {
                add(0, Instruction::Receive(thread));
            }
            if meet {
                add(thread, Instruction::Meet);
            } else if add(thread, Instruction::Unpark((thread + 1) % shape.threads)) {
                add((thread + 1) % shape.threads, Instruction::Park);
            }
        }
    }
    if shape.queue {
        for (thread, body) in program.iter_mut().enumerate() {
            let steps: Vec<_> = match thread {
                0 => (0..shape.threads).map(|_| random.of(&RECEIVES)).collect(),
                _ => (0..=random.below(2)).map(|n| OnQueue::Send(10 * thread as u64 + n)).collect(),
            };
            for step in steps {
                let at = random.below(body.len() as u64 + 1) as usize;
                body.insert(at, Instruction::Queue(step, None));
            }
        }
    }
    let mut section = |body: &mut Vec<_>, begin, end| {
        let [a, b] = [(); 2].map(|()| random.below(body.len() as u64 + 1) as usize);
        body.insert(a.max(b), end);
        body.insert(a.min(b), begin);
    };
    for (thread, body) in program.iter_mut().enumerate() {
        if shape.locks {
            section(body, Instruction::Lock, Instruction::Unlock);
        }
        if shape.reads && thread % 2 == 0 {
            section(body, Instruction::Write, Instruction::EndWrite);
        } else if shape.reads {
            section(body, Instruction::Read, Instruction::EndRead);
        }
    }
    program
}

const RECEIVES: [OnQueue; 3] = [OnQueue::Receive, OnQueue::Receive, OnQueue::TryReceive];

/// How many atomics [`with_atomics`] puts behind the others.
fn atomics_of_objects(program: &Program) -> usize {
    3 + 6 * program.len()
}

/// The same with atomics in place of the mutex, the barrier, the queue, and the tokens and the channels of threads; in place of the
/// `RwLock` one for each thread, of which a thread that reads takes its own and one that writes takes all.
pub fn with_atomics(program: &Program, locations: u64, bound: Option<usize>) -> Program {
    let rendezvous = bound == Some(0);
    let [mutex, barrier, token] = [0, 1, 2].map(|at| locations as usize + at);
    let [channel, answer, rw] = [1, 2, 3].map(|at| token + at * program.len());
    let queue = rw + program.len();
    let all = || rw..rw + program.len();
    let with = |thread: usize, step: Instruction| match step {
        Instruction::Lock => vec![Instruction::Take(mutex, 0, 1)],
        Instruction::Unlock => vec![Instruction::Store(mutex, 0, Release)],
        Instruction::Read => vec![Instruction::Take(rw + thread, 0, 1)],
        Instruction::EndRead => vec![Instruction::Store(rw + thread, 0, Release)],
        Instruction::Write => all().map(|word| Instruction::Take(word, 0, 1)).collect(),
        Instruction::EndWrite => all().map(|word| Instruction::Store(word, 0, Release)).collect(),
        Instruction::Send => {
            let send = Instruction::Store(channel + thread, 1, Release);
            let wait = Instruction::Await(answer + thread, 1, Acquire);
            [send, wait][..=usize::from(rendezvous)].to_vec()
        }
        Instruction::Receive(sender) => {
            let receive = Instruction::Await(channel + sender, 1, Acquire);
            let answer = Instruction::Store(answer + sender, 1, Release);
            [receive, answer][..=usize::from(rendezvous)].to_vec()
        }
        Instruction::Queue(step, _) => vec![Instruction::Queue(step, Some(queue))],
        Instruction::Meet => vec![
            Instruction::Update(barrier, Rmw::Add(1), AcqRel, Relaxed),
            Instruction::Await(barrier, program.len() as u64, Acquire),
        ],
        Instruction::Park => vec![Instruction::Take(token + thread, 1, 0)],
        Instruction::Unpark(other) => {
            vec![Instruction::Update(token + other, Rmw::Swap(1), Release, Relaxed)]
        }
        other => vec![other],
    };
    let threads = program.iter().enumerate();
    threads
        .map(|(thread, body)| body.iter().flat_map(|&step| with(thread, step)).collect())
        .collect()
}

/// Whether it is done to an object, or to an atomic in its place: nothing of it is part of the outcome.
pub fn is_of_object(step: Instruction, locations: u64) -> bool {
    match location(step) {
        Some(location) => location as u64 >= locations,
        None => !matches!(
            step,
            Instruction::Fence(_)
                | Instruction::CellRead
                | Instruction::CellWrite
                | Instruction::Queue(..)
        ),
    }
}

pub fn location(step: Instruction) -> Option<usize> {
    match step {
        Instruction::Load(x, _)
        | Instruction::Store(x, ..)
        | Instruction::Update(x, ..)
        | Instruction::Weak(x, ..)
        | Instruction::Await(x, ..)
        | Instruction::Take(x, ..) => Some(x),
        _ => None,
    }
}

fn instruction(shape: Shape, random: &mut Random) -> Instruction {
    let strong = shape.strong && random.below(3) > 0;
    let location = random.below(shape.locations) as usize;
    let load = if strong { SeqCst } else { random.of(&[Relaxed, Acquire, SeqCst]) };
    let store = if strong { SeqCst } else { random.of(&[Relaxed, Release, SeqCst]) };
    let both =
        if strong { SeqCst } else { random.of(&[Relaxed, Acquire, Release, AcqRel, SeqCst]) };
    let fence = if strong { SeqCst } else { random.of(&[Acquire, Release, AcqRel, SeqCst]) };
    let value = 1 + random.below(2);
    let current = random.below(3);
    let exchange = Rmw::CompareExchange { current, new: value };
    let weak = Rmw::CompareExchangeWeak { current, new: value };
    if strong && random.below(3) == 0 {
        return Instruction::Fence(SeqCst);
    }
    if shape.waits && random.below(5) == 0 {
        return Instruction::Await(location, value, load);
    }
    match random.below(if shape.cells { 13 } else { 10 }) {
        0..3 => Instruction::Load(location, load),
        3..6 => Instruction::Store(location, value, store),
        6 => {
            let rmw = random.of(&[Rmw::Add(1), Rmw::Swap(value), Rmw::Max(value), Rmw::Add(0)]);
            Instruction::Update(location, rmw, both, Relaxed)
        }
        7 => Instruction::Update(location, exchange, both, load),
        8 => Instruction::Weak(location, weak, both, load),
        9 => Instruction::Fence(fence),
        10 => Instruction::CellWrite,
        _ => Instruction::CellRead,
    }
}

/// How a program is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    /// A thread that waits spins, and does not block.
    pub spins: bool,
    /// How many messages the channels hold.
    pub bound: Option<usize>,
}

/// Runs the program, its threads spawned in this order.
pub fn run(
    program: &Program,
    order: &[usize],
    locations: u64,
    Run { spins, bound }: Run,
) -> Outcome {
    let atomics = locations as usize + atomics_of_objects(program);
    let shared = Rc::new(Shared {
        atomics: (0..atomics).map(|_| Atomic::new(0)).collect(),
        cell: Cell::new(),
        mutex: Thing::mutex(),
        rw: RwLock::new(()),
        channels: program.iter().map(|_| Channel::new(bound)).collect(),
        queue: channel(),
        barrier: Barrier::new(program.len()),
        tokens: program.iter().map(|_| Thing::new(Token::default())).collect(),
        spins,
    });
    let outcome = Rc::new(RefCell::new(vec![vec![]; program.len()]));
    let children: Vec<_> = order
        .iter()
        .map(|&thread| {
            let body = program[thread].clone();
            let (shared, outcome) = (shared.clone(), outcome.clone());
            spawn(move || {
                let (mut seen, mut held) = (Vec::new(), Held::default());
                for step in body {
                    let read = execute(step, thread, &shared, &mut held);
                    if !is_of_object(step, locations) {
                        seen.push(read);
                    }
                }
                outcome.borrow_mut()[thread] = seen;
            })
        })
        .collect();
    children.into_iter().for_each(|child| child.join());
    outcome.take()
}

struct Shared {
    atomics: Vec<Atomic>,
    cell: Cell,
    mutex: Thing,
    rw: RwLock<()>,
    channels: Vec<Channel>,
    queue: (Sender<u64>, Receiver<u64>),
    barrier: Barrier,
    tokens: Vec<Thing>,
    spins: bool,
}

/// Of one message.
struct Channel(Sends, Receiver<()>);

enum Sends {
    Unbounded(Sender<()>),
    Bounded(SyncSender<()>),
}

impl Channel {
    fn new(bound: Option<usize>) -> Self {
        let unbounded = || {
            let (sender, receiver) = channel();
            Self(Sends::Unbounded(sender), receiver)
        };
        bound.map_or_else(unbounded, |bound| {
            let (sender, receiver) = sync_channel(bound);
            Self(Sends::Bounded(sender), receiver)
        })
    }

    fn send(&self) {
        match &self.0 {
            Sends::Unbounded(sender) => sender.send(()).unwrap(),
            Sends::Bounded(sender) => sender.send(()).unwrap(),
        }
    }
}

/// How a thread holds the `RwLock`, and how many messages it has received.
#[derive(Default)]
struct Held<'a> {
    received: usize,
    reads: Option<RwLockReadGuard<'a, ()>>,
    writes: Option<RwLockWriteGuard<'a, ()>>,
}

fn execute<'a>(step: Instruction, thread: usize, shared: &'a Shared, held: &mut Held<'a>) -> u64 {
    let Shared { atomics, cell, mutex, .. } = shared;
    match step {
        Instruction::Load(x, order) => return atomics[x].load(order),
        Instruction::Store(x, value, order) => atomics[x].store(value, order),
        Instruction::Update(x, rmw, success, failure) => {
            return atomics[x].update(rmw, success, failure);
        }
        Instruction::Weak(x, rmw, success, failure) => {
            let old = atomics[x].update(rmw, success, failure);
            return old | if fails_spuriously() { SPURIOUSLY } else { 0 };
        }
        Instruction::Await(x, value, order) => {
            let holds = || atomics[x].load(order) == value;
            if shared.spins {
                while !holds() {
                    spin();
                }
            } else {
                wait_until(holds);
            }
            return value;
        }
        Instruction::Take(x, from, to) => {
            let rmw = Rmw::CompareExchange { current: from, new: to };
            wait_until(|| atomics[x].update(rmw, Acquire, Relaxed) == from);
        }
        Instruction::Lock => mutex.lock(),
        Instruction::Unlock => mutex.unlock(),
        Instruction::Read => held.reads = Some(shared.rw.read().unwrap()),
        Instruction::EndRead => held.reads = None,
        Instruction::Write => held.writes = Some(shared.rw.write().unwrap()),
        Instruction::EndWrite => held.writes = None,
        Instruction::Send => shared.channels[thread].send(),
        Instruction::Receive(sender) => shared.channels[sender].1.recv().unwrap(),
        Instruction::Queue(step, None) => match step {
            OnQueue::Send(value) => shared.queue.0.send(value).unwrap(),
            OnQueue::Receive => return shared.queue.1.recv().unwrap(),
            _ => return shared.queue.1.try_recv().unwrap_or(0),
        },
        // How many were sent, and each message.
        Instruction::Queue(step, Some(sent)) => {
            let place = |message| atomics[sent + 1 + message];
            let receive = |received: &mut usize| {
                wait_until(|| place(*received).load(Acquire) != 0);
                *received += 1;
                place(*received - 1).load(Relaxed)
            };
            match step {
                OnQueue::Send(value) => {
                    place(atomics[sent].fetch_add(1, Relaxed) as usize).store(value, Release);
                }
                OnQueue::Receive => return receive(&mut held.received),
                OnQueue::TryReceive => {
                    // An update, as no attempt finds an old state of a channel.
                    let there = atomics[sent].fetch_add(0, Relaxed) as usize > held.received;
                    return if there { receive(&mut held.received) } else { 0 };
                }
                OnQueue::TakeOrFindNone if place(held.received).load(Acquire) != 0 => {
                    return receive(&mut held.received);
                }
                OnQueue::TakeOrFindNone => {
                    if atomics[sent].fetch_add(0, Relaxed) as usize > held.received {
                        wait_until(|| place(held.received).load(Relaxed) == u64::MAX);
                    }
                    return 0;
                }
            }
        }
        Instruction::Meet => drop(shared.barrier.wait()),
        Instruction::Park => {
            shared.tokens[thread].act(TokenAct::Park.into());
        }
        Instruction::Unpark(other) => {
            shared.tokens[other].act(TokenAct::Unpark.into());
        }
        Instruction::Fence(order) => fence(order),
        Instruction::CellRead => cell.read(),
        Instruction::CellWrite => cell.write(),
    }
    u64::MAX
}

pub fn apply(rmw: Rmw, old: u64) -> Option<u64> {
    Update { rmw, shape: WORD }.apply(old)
}
