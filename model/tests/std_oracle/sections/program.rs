//! Programs as plain data, and random ones.

use proptest::prelude::*;
use proptest::test_runner::TestRng;

/// The locks of a program: mutexes, and last a read-write lock.
pub(super) const LOCKS: usize = 3;
/// The read-write lock.
pub(super) const RW: usize = 2;

/// A value is put into what a lock protects: openly through `&mut`, or behind a `&`, by a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) value: u64,
    pub(super) hidden: bool,
}

/// How a loop looks at what a lock protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Lock,
    TryLock,
    /// Waits on the condition variable of the mutex in each turn.
    Wait,
    /// The same, with a limit.
    WaitTimeout,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Op {
    /// An update of an atomic, which logs how many came before it.
    Mark,
    /// Steps with the lock held; a try that fails is logged, and skips them.
    Lock { lock: usize, tries: bool, body: Vec<Op> },
    /// Acquires two mutexes, puts a value into the first, and releases that one first.
    Crossed { first: usize, second: usize, put: Put },
    /// Into what the innermost lock protects.
    Put(Put),
    /// `notify_all` on the condition variable of the mutex.
    Notify(usize),
    /// A loop that logs every new value that it sees, up to this one.
    Watch { lock: usize, by: By, until: u64 },
    /// `wait_until` the value is there.
    Await { lock: usize, value: u64 },
    /// `wait_while` there is no value, with a condition that takes one away.
    Take(usize),
    /// A loop that counts how often a try begins to fail, or to succeed, until the flag is raised or there
    /// are so many.
    Flips { lock: usize, most: u64 },
    /// Raises the flag.
    Raise,
}

/// What the threads do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) threads: Vec<Vec<Op>>,
}

impl Op {
    fn body(&mut self) -> Option<&mut Vec<Op>> {
        if let Self::Lock { body, .. } = self { Some(body) } else { None }
    }
}

impl Program {
    /// All programs that are one step shorter, or have a thread less.
    pub(super) fn shorter(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for at in 0..self.threads.len() {
            let mut threads = self.threads.clone();
            let ops = threads.remove(at);
            if !threads.is_empty() {
                all.push(Self { threads: threads.clone() });
            }
            for ops in shorter(&ops) {
                let mut threads = threads.clone();
                threads.insert(at, ops);
                all.push(Self { threads });
            }
        }
        all
    }

    /// The same threads in every other order.
    pub(super) fn orders(&self) -> Vec<Self> {
        let count = self.threads.len();
        let mut orders: Vec<Vec<usize>> = vec![vec![]];
        for _ in 0..count {
            let longer = |order: &Vec<usize>| {
                let free = (0..count).filter(|thread| !order.contains(thread));
                let free = free.map(|thread| [order.as_slice(), &[thread]].concat());
                free.collect::<Vec<_>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        let with = |order: Vec<usize>| Self {
            threads: order.into_iter().map(|thread| self.threads[thread].clone()).collect(),
        };
        orders.into_iter().map(with).collect()
    }
}

fn shorter(ops: &[Op]) -> Vec<Vec<Op>> {
    let mut all = Vec::new();
    for at in 0..ops.len() {
        let mut without = ops.to_vec();
        let mut op = without.remove(at);
        all.push(without);
        for inside in op.body().map_or(vec![], |body| shorter(body)) {
            let mut less = ops.to_vec();
            if let Some(body) = less[at].body() {
                *body = inside;
            }
            all.push(less);
        }
    }
    all
}

/// What a family is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Locks within locks.
    Nested,
    /// Values that change behind a `&`.
    Hidden,
    /// One loop, which may count how a try ends.
    Tries,
    /// Several loops beside each other.
    Loops,
}

/// The programs of a family: at least one thread changes something, and at least one waits for it.
pub(super) fn programs(about: About, threads: usize) -> impl Strategy<Value = Program> {
    Just(()).prop_perturb(move |(), rng| {
        let mut source = Source { rng, about };
        let waiting = match about {
            About::Loops => threads - 1,
            // Two that look into one lock are a limit: `idle_turns_that_hold_a_lock_are_not_counted` in the suites.
            About::Tries => 1,
            _ => 1 + source.below(threads - 1),
        };
        let mut threads: Vec<_> = (waiting..threads).map(|_| source.changing()).collect();
        let mut last = [const { Vec::new() }; LOCKS];
        for ops in &threads {
            last_puts(ops, &mut last);
        }
        for _ in 0..waiting {
            let ops = source.waiting(&last);
            // Another loop may wait for what this thread puts before its own.
            last_puts(&ops, &mut last);
            threads.push(ops);
        }
        Program { threads }
    })
}

/// What a thread puts into each lock last.
fn last_puts(ops: &[Op], last: &mut [Vec<u64>; LOCKS]) {
    fn within(ops: &[Op], held: usize, found: &mut [Option<u64>; LOCKS]) {
        for op in ops {
            match op {
                Op::Put(put) => found[held] = Some(put.value),
                Op::Crossed { first, put, .. } => found[*first] = Some(put.value),
                Op::Lock { lock, body, .. } => within(body, *lock, found),
                _ => {}
            }
        }
    }
    let mut found = [None; LOCKS];
    within(ops, 0, &mut found);
    last.iter_mut().zip(found).for_each(|(all, put)| all.extend(put));
}

struct Source {
    rng: TestRng,
    about: About,
}

impl Source {
    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn put(&mut self) -> Put {
        let hidden = match self.about {
            About::Hidden => !self.one_in(4),
            _ => self.one_in(3),
        };
        Put { value: 1 + self.below(2) as u64, hidden }
    }

    /// Mostly the first lock: it is the one that is watched.
    fn lock(&mut self) -> usize {
        [0, 0, 0, 1, RW][self.below(5)]
    }

    /// A thread that waits, for what others put last as a rule.
    fn waiting(&mut self, last: &[Vec<u64>; LOCKS]) -> Vec<Op> {
        let mut ops = Vec::new();
        ops.extend(self.one_in(6).then_some(Op::Mark));
        if self.one_in(3) {
            ops.push(self.section());
        }
        let (mut lock, kind) =
            (self.lock(), self.below(if self.about == About::Tries { 10 } else { 8 }));
        for _ in 0..8 {
            let has_condvar = lock != RW || matches!(kind, 0..4 | 6 | 8..);
            if has_condvar && (kind >= 8 || !last[lock].is_empty()) {
                break;
            }
            lock = self.lock();
        }
        let until = match last[lock].len() {
            0 => 1,
            puts => last[lock][self.below(puts)],
        };
        let mutex = lock.min(1);
        ops.push(match kind {
            0..3 => Op::Watch { lock, by: By::Lock, until },
            3 => Op::Watch { lock, by: By::TryLock, until },
            4 => Op::Watch { lock: mutex, by: By::Wait, until },
            5 => Op::Watch { lock: mutex, by: By::WaitTimeout, until },
            6 => Op::Await { lock, value: until },
            7 => Op::Take(mutex),
            _ => Op::Flips { lock, most: 1 + self.below(4) as u64 },
        });
        match self.below(4) {
            0 => ops.push(Op::Mark),
            1 => ops.push(self.section()),
            _ => {}
        }
        ops
    }

    fn changing(&mut self) -> Vec<Op> {
        let mut ops = Vec::new();
        for _ in 0..=self.below(3) {
            ops.push(self.section());
            if self.one_in(6) {
                ops.push(if self.one_in(2) { Op::Notify(0) } else { Op::Mark });
            }
        }
        if self.about == About::Tries {
            ops.push(Op::Raise);
        }
        if !self.one_in(6) {
            ops.push(Op::Notify(0));
            ops.extend(self.one_in(3).then_some(Op::Notify(1)));
        }
        ops
    }

    /// A critical section, with a change or without, and others in it.
    fn section(&mut self) -> Op {
        let lock = self.lock();
        if lock < RW && self.one_in(6) {
            return Op::Crossed { first: lock, second: 1 - lock, put: self.put() };
        }
        let mut body = Vec::new();
        if !self.one_in(5) {
            body.push(Op::Put(self.put()));
        }
        if self.about == About::Nested && !self.one_in(3) || self.one_in(4) {
            let inner = (lock + 1 + self.below(2)) % LOCKS;
            let put = self.one_in(3).then(|| Op::Put(self.put()));
            let inside =
                Op::Lock { lock: inner, tries: self.one_in(6), body: put.into_iter().collect() };
            let at = self.below(body.len() + 1);
            body.insert(at, inside);
        }
        Op::Lock { lock, tries: self.one_in(8), body }
    }
}
