//! Brute force: every interleaving of a program, one step at a time, with the semantics that `std`
//! documents.
//!
//! Values are sequentially consistent. What happens before what is kept in vector clocks, by the
//! orderings that the program declares, where it touches memory that is not atomic.
//!
//! `std` leaves some things open. [`Policy`] says which of them may happen.
//!
//! One object, one file: its state, and the steps on it.

mod arc;
mod atomic;
mod barrier;
mod cell;
mod channel;
mod clock;
mod condvar;
mod mutex;
mod once;
mod rwlock;
mod step;
mod thread;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::code::{Code, Instr, compile};
use crate::program::{Op, Place, Program};
use arc::Arc;
use barrier::Barrier;
use cell::Cell;
use channel::Channel;
use clock::Clock;
use mutex::Mutex;
use once::Once;
use rwlock::Rw;
use step::{Step, Taken};
use thread::{Status, Thread};

/// What `std` allows and the engine does not explore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// A waiting writer makes a `try_read` fail, and a later read overtakes it. (In the engine it fails only
    /// if that writer is the next to have the lock.)
    pub(crate) overtaken_writers: bool,
    /// Time is up only where no thread has to move.
    pub(crate) patient: bool,
    /// Waits end without a cause. Of a patient engine, before time is up for any.
    pub(crate) spurious: bool,
}

impl Policy {
    /// What the engine must reach.
    pub(crate) const REQUIRED: Self =
        Self { overtaken_writers: false, patient: false, spurious: true };
    /// What the engine must reach if it is patient.
    pub(crate) const PATIENT: Self = Self { patient: true, spurious: false, ..Self::REQUIRED };

    /// All that `std` allows.
    pub(crate) const fn allowed(self) -> Self {
        Self { overtaken_writers: true, ..self }
    }
}

/// How an execution fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Failed {
    DataRace,
    Deadlock,
    Panic,
}

/// The logs of the declared threads, by number, and what the observer saw.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Outcome {
    pub(crate) logs: Vec<Vec<u64>>,
    pub(crate) finals: Vec<u64>,
}

impl Outcome {
    /// As the harness writes it, with the threads in the order of declaration.
    pub(crate) fn text(&self, order: &[usize]) -> String {
        let logs = order.iter().map(|thread| format!("t{thread}={:?} ", self.logs[*thread]));
        logs.collect::<String>() + &format!("finals={:?}", self.finals)
    }
}

/// All that may come of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) outcomes: BTreeSet<Outcome>,
    pub(crate) failures: BTreeSet<Failed>,
}

/// A program with more states is too large.
const MAX_STATES: usize = 150_000;

/// All that may come of `program`; `None` if it makes no sense, or is too large.
pub(crate) fn answer(program: &Program, policy: Policy) -> Option<Answer> {
    let codes = compile(program)?;
    let machine = Machine {
        observer: codes.len() - 1,
        declared: program.threads.len(),
        clocks: program.has_cells(),
        places: program.places(),
        poison: program.shows_poison().then(|| (program.mutexes(), program.rwlocks())),
        codes,
        policy,
    };
    let mut answer = Answer::default();
    let mut todo = vec![machine.start()];
    let mut seen = HashSet::new();
    while let Some(state) = todo.pop() {
        if seen.contains(&state) {
            continue;
        }
        if seen.len() > MAX_STATES {
            return None;
        }
        if let Some(failed) = state.failed {
            answer.failures.insert(failed);
            continue;
        }
        if machine.is_over(&state) {
            if Machine::has_unjoined_panic(&state) {
                answer.failures.insert(Failed::Panic);
            } else {
                answer.outcomes.insert(machine.outcome(&state));
            }
            continue;
        }
        let mut goes_on = false;
        for thread in 0..machine.codes.len() {
            goes_on |= machine.moves(&state, thread, !policy.patient, &mut todo);
        }
        if !goes_on && policy.patient {
            for thread in 0..machine.codes.len() {
                goes_on |= machine.moves(&state, thread, true, &mut todo);
            }
        }
        if !goes_on {
            answer.failures.insert(Failed::Deadlock);
        }
        seen.insert(state);
    }
    Some(answer)
}

/// A moment in an interleaving.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    threads: Vec<Thread>,
    atomics: BTreeMap<Place, (u64, Clock)>,
    mutexes: Vec<Mutex>,
    rwlocks: Vec<Rw>,
    condvars: Vec<Vec<usize>>,
    channels: Vec<Channel>,
    barriers: Vec<Barrier>,
    onces: Vec<Once>,
    arcs: Vec<Arc>,
    cells: Vec<Cell>,
    failed: Option<Failed>,
}

/// How many objects of a kind there can be.
const OBJECTS: usize = 4;

struct Machine {
    codes: Vec<Code>,
    observer: usize,
    declared: usize,
    clocks: bool,
    places: Vec<Place>,
    /// The locks whose poison is observed.
    poison: Option<(Vec<usize>, Vec<usize>)>,
    policy: Policy,
}

fn bits(numbers: &[usize]) -> u8 {
    numbers.iter().fold(0, |bits, number| bits | 1 << number)
}

impl Machine {
    fn start(&self) -> State {
        let thread = |number: usize| {
            let ends = &self.codes[number].ends;
            Thread {
                status: if number < self.declared { Status::Running } else { Status::Waiting },
                pc: 0,
                log: Vec::new(),
                unwinding: false,
                local: false,
                notified: false,
                asks: false,
                offers: false,
                awaits: false,
                sleeps: false,
                introduced: false,
                panicked: false,
                joined: false,
                token: false,
                arcs: bits(&ends.arcs),
                senders: bits(&ends.senders),
                receivers: bits(&ends.receivers),
                clock: Clock::default(),
                acquired: Clock::default(),
                released: Clock::default(),
                token_clock: Clock::default(),
                handle_clock: Clock::default(),
            }
        };
        let owners = |of: fn(&Code) -> &[usize], number: usize| {
            self.codes.iter().filter(|code| of(code).contains(&number)).count()
        };
        let mut state = State {
            threads: (0..self.codes.len()).map(thread).collect(),
            atomics: self.places.iter().map(|at| (*at, (0, Clock::default()))).collect(),
            mutexes: vec![Mutex::default(); OBJECTS],
            rwlocks: vec![Rw::default(); OBJECTS],
            condvars: vec![Vec::new(); OBJECTS],
            channels: (0..OBJECTS)
                .map(|q| Channel {
                    senders: owners(|code| &code.ends.senders, q),
                    receiver: true,
                    ..Channel::default()
                })
                .collect(),
            barriers: vec![Barrier::default(); OBJECTS],
            onces: vec![Once::default(); OBJECTS],
            arcs: (0..OBJECTS)
                .map(|a| Arc { owners: owners(|code| &code.ends.arcs, a), ..Arc::default() })
                .collect(),
            cells: vec![Cell::default(); OBJECTS],
            failed: None,
        };
        for thread in 0..self.declared {
            self.settle(&mut state, thread);
        }
        state
    }

    fn is_over(&self, state: &State) -> bool {
        let ended = |thread: &Thread| thread.status == Status::Ended;
        ended(&state.threads[self.observer])
            && state.threads.iter().all(|thread| thread.status == Status::Waiting || ended(thread))
    }

    fn has_unjoined_panic(state: &State) -> bool {
        state.threads.iter().any(|thread| thread.panicked && !thread.joined)
    }

    fn outcome(&self, state: &State) -> Outcome {
        let logs = state.threads[..self.declared].iter().map(|thread| thread.log.clone()).collect();
        Outcome { logs, finals: state.threads[self.observer].log.clone() }
    }

    /// Takes all steps that are no operations: to the next operation of `thread`.
    fn settle(&self, state: &mut State, number: usize) {
        let code = &self.codes[number];
        loop {
            let thread = &mut state.threads[number];
            match &code.instrs[thread.pc] {
                Instr::Goto(to) => thread.pc = *to,
                Instr::CatchEnd => {
                    let caught = std::mem::take(&mut thread.unwinding);
                    if thread.pc < code.quiet {
                        thread.log.push(u64::from(caught));
                    }
                    thread.pc += 1;
                }
                Instr::If { value, skip } => {
                    let taken = thread.log.last() == Some(value);
                    thread.pc = if taken { thread.pc + 1 } else { *skip };
                }
                Instr::Dropped => Self::go_on(thread, code),
                Instr::Op(Op::Panic | Op::Unwind) => Self::panic(thread, code),
                Instr::Op(Op::Local(_)) => {
                    thread.local = true;
                    thread.pc += 1;
                }
                Instr::DropArc(a) if thread.arcs & 1 << a == 0 => Self::go_on(thread, code),
                Instr::DropSender(q) if thread.senders & 1 << q == 0 => Self::go_on(thread, code),
                Instr::DropReceiver(q) if thread.receivers & 1 << q == 0 => {
                    Self::go_on(thread, code);
                }
                Instr::Destructor { skip } => {
                    thread.panicked = std::mem::take(&mut thread.unwinding);
                    if thread.panicked && number < self.declared {
                        state.failed = Some(Failed::Panic);
                        return;
                    }
                    thread.pc = if thread.local { thread.pc + 1 } else { *skip };
                }
                Instr::End => {
                    thread.status = Status::Ended;
                    let ended = |thread: &Thread| thread.status != Status::Running;
                    let start = state.threads[..self.declared].iter().all(ended);
                    if start && state.threads[self.observer].status == Status::Waiting {
                        state.threads[self.observer].status = Status::Running;
                    }
                    return;
                }
                _ => return,
            }
        }
    }

    fn panic(thread: &mut Thread, code: &Code) {
        thread.unwinding = true;
        thread.pc = code.unwind[thread.pc];
    }

    /// After a step that unwinding takes too.
    fn go_on(thread: &mut Thread, code: &Code) {
        thread.pc = if thread.unwinding { code.unwind[thread.pc] } else { thread.pc + 1 };
    }

    /// Pushes every state that a step of `thread` leads to; those where its time is up only if `up`.
    /// Returns whether one of them must come if no other thread moves.
    fn moves(&self, state: &State, number: usize, up: bool, todo: &mut Vec<State>) -> bool {
        let thread = &state.threads[number];
        if thread.status != Status::Running {
            return false;
        }
        if number == self.observer {
            todo.push(self.observe(state));
            return true;
        }
        let code = &self.codes[number];
        let instr = &code.instrs[thread.pc];
        let mut next = state.clone();
        let mut step = Step { machine: self, number, up, state: &mut next };
        match step.take(instr) {
            Taken::Blocked => false,
            Taken::Done => {
                self.settle(&mut next, number);
                todo.push(next);
                true
            }
            Taken::Held => {
                // It may go on, and may be held up for as long as a writer waits.
                self.settle(&mut next, number);
                todo.push(next);
                false
            }
            Taken::One(choices) => {
                let mut certain = false;
                for (choice, is_certain) in choices {
                    let mut next = state.clone();
                    Step { machine: self, number, up, state: &mut next }.choose(instr, choice);
                    self.settle(&mut next, number);
                    todo.push(next);
                    certain |= is_certain;
                }
                certain
            }
        }
    }

    /// What the observer sees: one step for all where no thread is left, and one each elsewhere.
    fn observe(&self, state: &State) -> State {
        let mut next = state.clone();
        let seen = next.threads[self.observer].log.len();
        if let Some(at) = self.places.get(seen) {
            let value = next.atomics[at].0;
            next.threads[self.observer].log.push(value);
        }
        if next.threads[self.observer].log.len() >= self.places.len() {
            if let Some((mutexes, rwlocks)) = &self.poison {
                for m in mutexes {
                    let poisoned = next.mutexes[*m].poisoned;
                    next.threads[self.observer].log.push(u64::from(poisoned));
                }
                for w in rwlocks {
                    let poisoned = next.rwlocks[*w].poisoned;
                    next.threads[self.observer].log.push(u64::from(poisoned));
                }
            }
            next.threads[self.observer].status = Status::Ended;
        }
        next
    }
}
