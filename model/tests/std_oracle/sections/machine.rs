//! Brute force: every interleaving of a program, one step at a time.

use std::collections::{BTreeSet, HashSet};

use super::program::{By, LOCKS, Op, Program, RW};

#[derive(Debug, Clone)]
enum Instr {
    Mark,
    /// For writing. A try that fails goes on at `skip`; whether it succeeds is logged.
    Acquire {
        lock: usize,
        tries: Option<usize>,
    },
    /// Readers have been kept out since `Acquire`: those that there are have to end.
    AwaitReaders,
    Release {
        lock: usize,
        reads: bool,
    },
    Put {
        lock: usize,
        value: u64,
    },
    Notify(usize),
    /// A loop begins.
    Begin,
    /// Acquires the lock to look. What is new is logged; goes on at `done` if it is the last.
    Watch {
        lock: usize,
        until: u64,
        done: usize,
    },
    /// The same with the mutex held.
    Look {
        mutex: usize,
        until: u64,
        done: usize,
    },
    /// With the mutex held: takes one away and goes on at `done`, if there is one.
    Take {
        mutex: usize,
        done: usize,
    },
    Enqueue(usize),
    Woken {
        mutex: usize,
        limited: bool,
    },
    /// Acquires the lock if the value is there; for a look in vain, goes on at `idle`.
    Await {
        lock: usize,
        value: u64,
        idle: usize,
    },
    /// Goes on at `done` if the flag is raised, or there were so many flips.
    Load {
        lock: usize,
        most: u64,
        done: usize,
    },
    Try(usize),
    LogFlips,
    Raise,
    Goto(usize),
}

fn compile(ops: &[Op], held: Option<usize>, code: &mut Vec<Instr>) {
    for op in ops {
        let at = code.len();
        match *op {
            Op::Mark => code.push(Instr::Mark),
            Op::Lock { lock, tries, ref body } => {
                acquire(lock, code);
                compile(body, Some(lock), code);
                code.push(Instr::Release { lock, reads: false });
                let skip = code.len();
                code[at] = Instr::Acquire { lock, tries: tries.then_some(skip) };
            }
            Op::Crossed { first, second, put } => {
                acquire(first, code);
                acquire(second, code);
                code.push(Instr::Put { lock: first, value: put.value });
                code.push(Instr::Release { lock: first, reads: false });
                code.push(Instr::Release { lock: second, reads: false });
            }
            Op::Put(put) => {
                code.extend(held.map(|lock| Instr::Put { lock, value: put.value }));
            }
            Op::Notify(mutex) => code.push(Instr::Notify(mutex)),
            Op::Watch { lock, by: By::Lock | By::TryLock, until } => {
                code.push(Instr::Begin);
                code.push(Instr::Watch { lock, until, done: at + 4 });
                code.push(Instr::Release { lock, reads: true });
                code.push(Instr::Goto(at + 1));
                code.push(Instr::Release { lock, reads: true });
            }
            Op::Watch { lock: mutex, by, until } => {
                code.push(Instr::Begin);
                acquire(mutex, code);
                wait(mutex, by == By::WaitTimeout, code, |done| Instr::Look { mutex, until, done });
            }
            Op::Take(mutex) => {
                code.push(Instr::Begin);
                acquire(mutex, code);
                wait(mutex, false, code, |done| Instr::Take { mutex, done });
            }
            Op::Await { lock, value } => {
                code.push(Instr::Await { lock, value, idle: at + 3 });
                code.push(Instr::Release { lock, reads: true });
                code.push(Instr::Goto(at + 5));
                code.push(Instr::Release { lock, reads: true });
                code.push(Instr::Goto(at));
            }
            Op::Flips { lock, most } => {
                code.push(Instr::Begin);
                code.push(Instr::Load { lock, most, done: at + 5 });
                code.push(Instr::Try(lock));
                code.push(Instr::Release { lock, reads: true });
                code.push(Instr::Goto(at + 1));
                code.push(Instr::LogFlips);
            }
            Op::Raise => code.push(Instr::Raise),
        }
    }
}

fn acquire(lock: usize, code: &mut Vec<Instr>) {
    code.push(Instr::Acquire { lock, tries: None });
    code.extend((lock == RW).then_some(Instr::AwaitReaders));
}

/// A loop that waits while the test goes on to its next instruction.
fn wait(mutex: usize, limited: bool, code: &mut Vec<Instr>, test: impl Fn(usize) -> Instr) {
    let at = code.len();
    code.push(test(at + 5));
    code.push(Instr::Enqueue(mutex));
    code.push(Instr::Woken { mutex, limited });
    acquire(mutex, code);
    code.push(Instr::Goto(at));
    code.push(Instr::Release { lock: mutex, reads: false });
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Thread {
    at: usize,
    log: Vec<u64>,
    /// What its loop has seen last.
    seen: Option<u64>,
    flips: u64,
    last: bool,
    notified: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Lock {
    /// Held for writing, or to be when all readers have ended.
    written: bool,
    readers: usize,
    value: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    threads: Vec<Thread>,
    locks: [Lock; LOCKS],
    waiting: [Vec<usize>; 2],
    marks: u64,
    flag: bool,
}

/// All that may come of a program.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) outcomes: BTreeSet<String>,
    pub(super) deadlock: bool,
}

const MAX_STATES: usize = 30_000;

/// All that may come of `program`; `None` if it is too large.
pub(super) fn answer(program: &Program) -> Option<Answer> {
    let codes = program.threads.iter().map(|ops| {
        let mut code = Vec::new();
        compile(ops, None, &mut code);
        code
    });
    let machine = Machine { codes: codes.collect() };
    let thread = Thread { at: 0, log: vec![], seen: None, flips: 0, last: true, notified: false };
    let mut start = State {
        threads: vec![thread; machine.codes.len()],
        locks: Default::default(),
        waiting: Default::default(),
        marks: 0,
        flag: false,
    };
    (0..machine.codes.len()).for_each(|thread| machine.settle(&mut start, thread));
    let (mut todo, mut seen, mut answer) = (vec![start], HashSet::new(), Answer::default());
    while let Some(state) = todo.pop() {
        if seen.len() > MAX_STATES {
            return None;
        }
        if !seen.insert(state.clone()) {
            continue;
        }
        let mut goes_on = false;
        let mut over = true;
        for thread in 0..machine.codes.len() {
            let ended = state.threads[thread].at == machine.codes[thread].len();
            over &= ended;
            goes_on |= !ended && machine.moves(&state, thread, &mut todo);
        }
        if over {
            let logs: Vec<_> = state.threads.iter().map(|thread| &thread.log).collect();
            answer.outcomes.insert(format!("{logs:?}"));
        }
        answer.deadlock |= !over && !goes_on;
    }
    Some(answer)
}

struct Machine {
    codes: Vec<Vec<Instr>>,
}

impl Machine {
    /// Takes all steps that concern no other thread.
    fn settle(&self, state: &mut State, number: usize) {
        let State { threads, locks, .. } = state;
        let thread = &mut threads[number];
        while let Some(instr) = self.codes[number].get(thread.at) {
            thread.at = match *instr {
                Instr::Goto(at) => at,
                Instr::Begin => {
                    (thread.seen, thread.flips, thread.last) = (None, 0, true);
                    thread.at + 1
                }
                Instr::Put { lock, value } => {
                    locks[lock].value = value;
                    thread.at + 1
                }
                Instr::Look { mutex, until, done } => {
                    let value = locks[mutex].value;
                    thread.sees(value);
                    if value == until { done } else { thread.at + 1 }
                }
                Instr::Take { mutex, done } => {
                    let value = &mut locks[mutex].value;
                    let there = *value > 0;
                    *value -= u64::from(there);
                    thread.seen = Some(0);
                    if there { done } else { thread.at + 1 }
                }
                Instr::Load { most, done, .. } if thread.flips == most => done,
                Instr::LogFlips => {
                    thread.log.push(thread.flips);
                    thread.at + 1
                }
                _ => return,
            };
        }
    }

    /// Pushes the state that a step of a thread leads to. Returns whether it must come if no other thread moves: a loop
    /// that would find nothing new waits.
    fn moves(&self, state: &State, number: usize, todo: &mut Vec<State>) -> bool {
        let mut next = state.clone();
        let State { threads, locks, waiting, marks, flag } = &mut next;
        let thread = &mut threads[number];
        let at = thread.at;
        thread.at += 1;
        let mut certain = true;
        match self.codes[number][at] {
            Instr::Mark => {
                thread.log.push(*marks);
                *marks += 1;
            }
            Instr::Acquire { lock, tries: None } if locks[lock].written => return false,
            Instr::Acquire { lock, tries: None } => locks[lock].written = true,
            Instr::Acquire { lock, tries: Some(skip) } => {
                let free = !locks[lock].written && locks[lock].readers == 0;
                thread.log.push(u64::from(free));
                if free {
                    locks[lock].written = true;
                } else {
                    thread.at = skip;
                }
            }
            Instr::AwaitReaders if locks[RW].readers > 0 => return false,
            Instr::AwaitReaders => {}
            Instr::Release { lock: RW, reads: true } => locks[RW].readers -= 1,
            Instr::Release { lock, .. } => locks[lock].written = false,
            Instr::Notify(mutex) => {
                for waiter in waiting[mutex].drain(..) {
                    threads[waiter].notified = true;
                }
            }
            Instr::Watch { lock, .. } | Instr::Await { lock, .. } if locks[lock].written => {
                return false;
            }
            Instr::Watch { lock, until, done } => {
                let value = locks[lock].value;
                certain = thread.sees(value);
                locks[lock].read(lock);
                if value == until {
                    thread.at = done;
                }
            }
            Instr::Await { lock, value, idle } => {
                certain = locks[lock].value == value;
                locks[lock].read(lock);
                if !certain {
                    thread.at = idle;
                }
            }
            Instr::Enqueue(mutex) => {
                waiting[mutex].push(number);
                thread.notified = false;
                locks[mutex].written = false;
            }
            Instr::Woken { mutex, limited } => {
                let news = thread.seen != Some(locks[mutex].value);
                certain = thread.notified || limited && news;
                waiting[mutex].retain(|waiter| *waiter != number);
            }
            Instr::Load { lock, done, .. } => {
                certain = *flag || locks[lock].written == thread.last;
                if *flag {
                    thread.at = done;
                }
            }
            Instr::Try(lock) => {
                let free = !locks[lock].written;
                let flips = free != thread.last;
                certain = flips || *flag;
                (thread.flips, thread.last) = (thread.flips + u64::from(flips), free);
                if free {
                    locks[lock].read(lock);
                } else {
                    // Past the release.
                    thread.at += 1;
                }
            }
            Instr::Raise => *flag = true,
            ref instr => unreachable!("{instr:?} is not a step"),
        }
        self.settle(&mut next, number);
        todo.push(next);
        certain
    }
}

impl Thread {
    /// Whether the value is a new one.
    fn sees(&mut self, value: u64) -> bool {
        let new = self.seen.replace(value) != Some(value);
        if new {
            self.log.push(value);
        }
        new
    }
}

impl Lock {
    fn read(&mut self, number: usize) {
        if number == RW { self.readers += 1 } else { self.written = true }
    }
}
