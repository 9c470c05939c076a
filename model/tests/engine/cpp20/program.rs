//! Random programs, and how the engine runs them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use selvedge_model::kernel::{Rmw, Update};

use crate::support::{Atomic, Cell, WORD, fails_spuriously, fence, spawn, wait_until};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction {
    Load(usize, Ordering),
    Store(usize, u64, Ordering),
    Update(usize, Rmw, Ordering, Ordering),
    /// A weak exchange.
    Weak(usize, Rmw, Ordering, Ordering),
    /// Waits until the atomic holds this.
    Await(usize, u64, Ordering),
    Fence(Ordering),
    CellRead,
    CellWrite,
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
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub threads: usize,
    pub steps: usize,
    pub locations: u64,
    pub cells: bool,
    /// Mostly `SeqCst`, and fences.
    pub strong: bool,
    pub waits: bool,
}

pub fn random(shape: Shape, random: &mut Random) -> Program {
    (0..shape.threads)
        .map(|_| (0..shape.steps).map(|_| instruction(shape, random)).collect())
        .collect()
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

/// Runs the program, its threads spawned in this order.
pub fn run(program: &Program, order: &[usize], locations: u64) -> Outcome {
    let atomics: Rc<Vec<Atomic>> = Rc::new((0..locations).map(|_| Atomic::new(0)).collect());
    let cell = Cell::new();
    let outcome = Rc::new(RefCell::new(vec![vec![]; program.len()]));
    let children: Vec<_> = order
        .iter()
        .map(|&thread| {
            let body = program[thread].clone();
            let (atomics, outcome) = (atomics.clone(), outcome.clone());
            spawn(move || {
                let seen = body.iter().map(|&step| execute(step, &atomics, cell)).collect();
                outcome.borrow_mut()[thread] = seen;
            })
        })
        .collect();
    children.into_iter().for_each(|child| child.join());
    outcome.take()
}

fn execute(step: Instruction, atomics: &[Atomic], cell: Cell) -> u64 {
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
            wait_until(|| atomics[x].load(order) == value);
            return value;
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
