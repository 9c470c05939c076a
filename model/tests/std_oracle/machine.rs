//! Brute force: every interleaving of a program, one step at a time, with the semantics that `std`
//! documents.
//!
//! Values are sequentially consistent. What happens before what is kept in vector clocks, by the
//! orderings that the program declares, where it touches memory that is not atomic.
//!
//! `std` leaves some things open. [`Policy`] says which of them may happen.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::Ordering;

use crate::code::{Code, Instr, Lock, compile};
use crate::program::{BOUNDS, Change, Mode, Op, Place, Program};

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

const MAX_CLOCKS: usize = 8;

/// For each thread, the number of its last access that is known.
type Clock = [u8; MAX_CLOCKS];

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a clock is a table")]
fn join(clock: &mut Clock, other: &Clock) {
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Status {
    Waiting,
    Running,
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "facts, each true or not")]
struct Thread {
    status: Status,
    pc: usize,
    log: Vec<u64>,
    unwinding: bool,
    /// Its thread-local value has been made.
    local: bool,
    notified: bool,
    /// It does not wake without a cause.
    sleeps: bool,
    introduced: bool,
    /// A panic has unwound it.
    panicked: bool,
    /// Another thread has joined it.
    joined: bool,
    token: bool,
    /// The ends that it still has.
    arcs: u8,
    senders: u8,
    receivers: u8,
    clock: Clock,
    /// What an acquire fence would add, and what a relaxed store releases.
    acquired: Clock,
    released: Clock,
    /// Of its park token, and of the mutex under which its handle is published.
    token_clock: Clock,
    handle_clock: Clock,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Rw {
    readers: Vec<usize>,
    writer: Option<usize>,
    poisoned: bool,
    written: Clock,
    read: Clock,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Channel {
    messages: Vec<(u64, Clock)>,
    senders: usize,
    receiver: bool,
    farewell: Clock,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Cell {
    value: u64,
    read: Clock,
    written: Clock,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Once {
    value: Option<u64>,
    making: bool,
    clock: Clock,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Mutex {
    held: bool,
    poisoned: bool,
    clock: Clock,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Arc {
    owners: usize,
    clock: Clock,
    inside: Cell,
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
    onces: Vec<Once>,
    arcs: Vec<Arc>,
    cells: Vec<Cell>,
    failed: Option<Failed>,
}

/// How many objects of a kind there can be.
const OBJECTS: usize = 3;

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
                Instr::Op(Op::Panic) => Self::panic(thread, code),
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

/// What came of trying a step.
enum Taken {
    Blocked,
    Done,
    /// Done, but nothing makes it happen.
    Held,
    /// One of several things happens; whether each must come if no other thread moves.
    One(Vec<(Choice, bool)>),
}

#[derive(Debug, Clone, Copy)]
enum Choice {
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
struct Step<'a> {
    machine: &'a Machine,
    number: usize,
    /// Time may be up.
    up: bool,
    state: &'a mut State,
}

impl Step<'_> {
    fn me(&mut self) -> &mut Thread {
        &mut self.state.threads[self.number]
    }

    fn log(&mut self, value: u64) {
        let quiet = self.machine.codes[self.number].quiet;
        if self.me().pc < quiet {
            self.me().log.push(value);
        }
    }

    fn clock(&self) -> Clock {
        self.state.threads[self.number].clock
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a clock is a table")]
    fn learn(&mut self, clock: &Clock) {
        if self.machine.clocks {
            join(&mut self.me().clock, clock);
        }
    }

    fn done(&mut self) -> Taken {
        let code = &self.machine.codes[self.number];
        Machine::go_on(self.me(), code);
        Taken::Done
    }

    fn goto(&mut self, pc: usize) -> Taken {
        self.me().pc = pc;
        Taken::Done
    }

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

    /// Touches memory. `false` if that is a race.
    fn touch(&mut self, cell: impl Fn(&mut State) -> &mut Cell, writes: bool) -> bool {
        let me = self.number;
        self.me().clock[me] += 1;
        let clock = self.clock();
        let cell = cell(self.state);
        let ordered = |past: &Clock| past.iter().zip(&clock).all(|(past, now)| past <= now);
        let race = !ordered(&cell.written) || writes && !ordered(&cell.read);
        if writes {
            cell.written[me] = clock[me];
            cell.value += 1;
        } else {
            cell.read[me] = clock[me];
        }
        if race {
            self.state.failed = Some(Failed::DataRace);
        }
        !race
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each instruction")]
    fn take(&mut self, instr: &Instr) -> Taken {
        match instr {
            Instr::Op(op) => self.op(op),
            Instr::Acquire { lock: Lock::Mutex(m), tries, skip } => {
                if self.state.mutexes[*m].held {
                    return self.refuse(*tries, *skip);
                }
                self.lock(*m, true);
                self.done()
            }
            Instr::Acquire { lock: Lock::Rw(w, mode), tries, skip } => {
                self.hold(*w, *mode, *tries, *skip, true)
            }
            Instr::Release(Lock::Mutex(m)) => {
                let (clock, poisons) = (self.clock(), self.me().unwinding);
                let mutex = &mut self.state.mutexes[*m];
                (mutex.held, mutex.clock) = (false, clock);
                mutex.poisoned |= poisons;
                self.done()
            }
            Instr::Release(Lock::Rw(w, mode)) => {
                let (clock, poisons, me) = (self.clock(), self.me().unwinding, self.number);
                let lock = &mut self.state.rwlocks[*w];
                match mode {
                    Mode::Read => {
                        let at = lock.readers.iter().position(|reader| *reader == me);
                        lock.readers.remove(at.expect("it holds the lock"));
                        join(&mut lock.read, &clock);
                    }
                    Mode::Write => {
                        (lock.writer, lock.written) = (None, clock);
                        lock.poisoned |= poisons;
                    }
                }
                self.done()
            }
            Instr::Enqueue { condvar, mutex } => {
                let (clock, me) = (self.clock(), self.number);
                self.state.condvars[*condvar].push(me);
                self.me().notified = false;
                (self.state.mutexes[*mutex].held, self.state.mutexes[*mutex].clock) =
                    (false, clock);
                self.done()
            }
            Instr::Woken { timeout, polls, .. } => {
                let notified = self.me().notified;
                if notified {
                    return Taken::One(vec![(Choice::Succeeds, true)]);
                }
                let mut choices = Vec::new();
                // A loop that polls and finds nothing is where it was.
                let finds = polls.is_none_or(|(at, value)| self.state.atomics[&at].0 == value);
                if *timeout && self.up && finds {
                    choices.push((Choice::TimesOut, true));
                }
                choices.extend(self.wakes_spuriously());
                Taken::One(choices)
            }
            Instr::Relock { mutex, logs } => {
                if self.state.mutexes[*mutex].held {
                    return Taken::Blocked;
                }
                self.lock(*mutex, *logs);
                self.done()
            }
            Instr::Test { at, value, exit } => {
                if self.peek(*at) == *value {
                    self.goto(*exit)
                } else {
                    self.done()
                }
            }
            Instr::Make { once, skip } => {
                let Once { value, making, clock } = self.state.onces[*once].clone();
                if making {
                    return Taken::Blocked;
                }
                self.learn(&clock);
                if let Some(value) = value {
                    self.log(value);
                    return self.goto(*skip);
                }
                self.state.onces[*once].making = true;
                self.done()
            }
            Instr::Made { once, value } => {
                let (clock, unwinding) = (self.clock(), self.me().unwinding);
                let once = &mut self.state.onces[*once];
                (once.making, once.clock) = (false, clock);
                if !unwinding {
                    once.value = Some(*value);
                    self.log(*value);
                }
                self.done()
            }
            Instr::Spawn(child) => {
                let clock = self.clock();
                let (machine, child) = (self.machine, *child);
                self.state.threads[child].status = Status::Running;
                self.state.threads[child].clock = clock;
                let done = self.done();
                machine.settle(self.state, child);
                done
            }
            Instr::Join(child) => {
                if self.state.threads[*child].status != Status::Ended {
                    return Taken::Blocked;
                }
                let panicked = self.state.threads[*child].panicked;
                let clock = self.state.threads[*child].clock;
                self.learn(&clock);
                self.state.threads[*child].joined = true;
                if panicked {
                    self.log(60);
                } else {
                    self.log(50);
                    for value in self.state.threads[*child].log.clone() {
                        self.log(value);
                    }
                }
                self.done()
            }
            Instr::Look { thread, skip } => {
                let handle = self.state.threads[*thread].handle_clock;
                self.learn(&handle);
                self.state.threads[*thread].handle_clock = self.clock();
                let known = self.state.threads[*thread].introduced;
                self.log(u64::from(known));
                if known { self.done() } else { self.goto(*skip) }
            }
            Instr::Unpark(thread) => {
                let clock = self.clock();
                let target = &mut self.state.threads[*thread];
                // A thread that has ended has no use for it.
                if target.status == Status::Running {
                    target.token = true;
                    join(&mut target.token_clock, &clock);
                }
                self.done()
            }
            Instr::DropArc(a) => {
                self.drop_arc(*a);
                self.done()
            }
            Instr::DropSender(q) => {
                let clock = self.clock();
                self.me().senders &= !(1 << q);
                let channel = &mut self.state.channels[*q];
                channel.senders -= 1;
                join(&mut channel.farewell, &clock);
                self.done()
            }
            Instr::DropReceiver(q) => {
                self.me().receivers &= !(1 << q);
                self.state.channels[*q].receiver = false;
                // It drops the messages that are left.
                for (_, clock) in std::mem::take(&mut self.state.channels[*q].messages) {
                    self.learn(&clock);
                }
                self.done()
            }
            Instr::Goto(_)
            | Instr::CatchEnd
            | Instr::If { .. }
            | Instr::Destructor { .. }
            | Instr::End => {
                unreachable!("no operations")
            }
        }
    }

    /// Wakes without a cause. Where others are patient it counts as a thread that can move, until it
    /// sleeps.
    fn wakes_spuriously(&mut self) -> Vec<(Choice, bool)> {
        let Policy { patient, spurious, .. } = self.machine.policy;
        match (spurious, patient) {
            (false, _) => vec![],
            (true, false) => vec![(Choice::Spurious, false)],
            (true, true) if self.me().sleeps => vec![],
            (true, true) => vec![(Choice::Spurious, true), (Choice::Sleeps, true)],
        }
    }

    /// A lock is held by another.
    fn refuse(&mut self, tries: bool, skip: usize) -> Taken {
        if !tries {
            return Taken::Blocked;
        }
        self.log(2);
        self.goto(skip)
    }

    fn lock(&mut self, m: usize, logs: bool) {
        let Mutex { poisoned, clock, .. } = self.state.mutexes[m];
        self.state.mutexes[m].held = true;
        self.learn(&clock);
        if logs {
            self.log(u64::from(poisoned));
        }
    }

    /// Takes a read-write lock.
    fn hold(&mut self, w: usize, mode: Mode, tries: bool, skip: usize, may_wait: bool) -> Taken {
        let me = self.number;
        let Rw { ref readers, writer, poisoned, written, read } = self.state.rwlocks[w];
        let free = match mode {
            Mode::Read => writer.is_none(),
            Mode::Write => writer.is_none() && readers.is_empty(),
        };
        if !free {
            return self.refuse(tries, skip);
        }
        let held_up = may_wait
            && mode == Mode::Read
            && self.state.threads.iter().enumerate().any(|(other, thread)| {
                let waits = |instr: &Instr| {
                    let Instr::Acquire { lock, tries: false, .. } = instr else { return false };
                    *lock == Lock::Rw(w, Mode::Write)
                };
                other != me
                    && thread.status == Status::Running
                    && waits(&self.machine.codes[other].instrs[thread.pc])
            });
        if held_up && tries && self.machine.policy.overtaken_writers {
            return Taken::One(vec![(Choice::Succeeds, true), (Choice::Spurious, true)]);
        }
        self.learn(&written);
        if mode == Mode::Write {
            self.learn(&read);
        }
        match mode {
            Mode::Read => self.state.rwlocks[w].readers.push(me),
            Mode::Write => self.state.rwlocks[w].writer = Some(me),
        }
        self.state.rwlocks[w].readers.sort_unstable();
        self.log(u64::from(poisoned));
        self.done();
        if held_up && !tries { Taken::Held } else { Taken::Done }
    }

    /// Gives up an owner. Returns whether it was the last.
    fn drop_arc(&mut self, a: usize) -> bool {
        self.me().arcs &= !(1 << a);
        let clock = self.clock();
        let arc = &mut self.state.arcs[a];
        arc.owners -= 1;
        join(&mut arc.clock, &clock);
        let (last, clock) = (arc.owners == 0, arc.clock);
        if last {
            self.learn(&clock);
        }
        last
    }

    fn choose(&mut self, instr: &Instr, choice: Choice) {
        self.me().sleeps = matches!(choice, Choice::Sleeps);
        match (instr, choice) {
            (_, Choice::Sleeps) => {}
            (Instr::Woken { condvar, timeout, polls }, _) => {
                let me = self.number;
                self.state.condvars[*condvar].retain(|waiter| *waiter != me);
                if *timeout && polls.is_none() {
                    self.log(u64::from(matches!(choice, Choice::TimesOut)));
                }
                self.done();
            }
            (Instr::Op(Op::Exchange { at, failure, .. }), Choice::Spurious) => {
                let value = self.read(*at, *failure);
                self.log(value.wrapping_mul(2) + 1);
                self.done();
            }
            (Instr::Op(op @ Op::Exchange { .. }), _) => self.exchange(op),
            (Instr::Op(Op::Park | Op::ParkTimeout), _) => {
                self.done();
            }
            (Instr::Op(Op::NotifyOne(c)), Choice::Notifies(waiter)) => {
                self.state.condvars[*c].retain(|other| *other != waiter);
                self.state.threads[waiter].notified = true;
                self.done();
            }
            (Instr::Acquire { skip, .. }, Choice::Spurious) => {
                self.log(2);
                self.goto(*skip);
            }
            (Instr::Acquire { lock: Lock::Rw(w, mode), skip, .. }, _) => {
                // As if no writer waited.
                self.hold(*w, *mode, true, *skip, false);
            }
            _ => unreachable!("{instr:?} has no choice"),
        }
    }

    fn exchange(&mut self, op: &Op) {
        let Op::Exchange { at, current, new, success, failure, .. } = *op else { return };
        if self.state.atomics[&at].0 == current {
            let value = self.read(at, success);
            self.write(at, new, success, true);
            self.log(value.wrapping_mul(2));
        } else {
            let value = self.read(at, failure);
            self.log(value.wrapping_mul(2) + 1);
        }
        self.done();
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each step")]
    fn op(&mut self, op: &Op) -> Taken {
        match *op {
            Op::Load(at, order) => {
                let value = self.read(at, order);
                self.log(value);
            }
            Op::Store(at, value, order) => self.write(at, value, order, false),
            Op::Update(at, change, order) => {
                let before = self.read(at, order);
                self.write(at, changed(at, before, change), order, true);
                self.log(before);
            }
            Op::Exchange { at, current, weak, .. } => {
                let spurious = weak && self.machine.policy.spurious;
                if spurious && self.state.atomics[&at].0 == current {
                    return Taken::One(vec![(Choice::Succeeds, true), (Choice::Spurious, true)]);
                }
                self.exchange(op);
                return Taken::Done;
            }
            Op::FetchUpdate { at, below, set, fetch } => {
                let value = self.read(at, fetch);
                if value < below {
                    self.read(at, set);
                    self.write(at, value + 1, set, true);
                }
                self.log(value.wrapping_mul(2) + u64::from(value >= below));
            }
            Op::Fence(order) => {
                if self.machine.clocks && acquires(order) {
                    let acquired = self.me().acquired;
                    self.learn(&acquired);
                }
                if self.machine.clocks && releases(order) {
                    self.me().released = self.clock();
                }
            }
            Op::Await(at, value, order) | Op::Spin(at, value, order) => {
                if self.state.atomics[&at].0 != value {
                    return Taken::Blocked;
                }
                self.read(at, order);
            }
            Op::Idle(_) | Op::NotifyOne(_) if self.is_idle(op) => {}
            Op::Refute(at, value) => {
                if self.peek(at) == value {
                    let code = &self.machine.codes[self.number];
                    Machine::panic(self.me(), code);
                    return Taken::Done;
                }
            }
            Op::NotifyOne(c) => {
                let queue = &self.state.condvars[c];
                let choices = queue.iter().map(|waiter| (Choice::Notifies(*waiter), true));
                return Taken::One(choices.collect());
            }
            Op::NotifyAll(c) => {
                for waiter in std::mem::take(&mut self.state.condvars[c]) {
                    self.state.threads[waiter].notified = true;
                }
            }
            Op::Introduce => {
                if self.machine.clocks {
                    let handle = self.me().handle_clock;
                    self.learn(&handle);
                    self.me().handle_clock = self.clock();
                }
                self.me().introduced = true;
            }
            Op::Park => {
                if !self.me().token {
                    return Taken::One(self.wakes_spuriously());
                }
                self.take_token();
            }
            Op::ParkTimeout => {
                if self.me().token {
                    self.take_token();
                } else if !self.up {
                    return Taken::One(self.wakes_spuriously());
                }
                self.me().sleeps = false;
            }
            Op::Send(q, _) | Op::TrySend(q, _) if self.me().senders & 1 << q == 0 => {}
            Op::Send(q, value) | Op::TrySend(q, value) => {
                let clock = self.clock();
                let channel = &mut self.state.channels[q];
                let full = BOUNDS[q].is_some_and(|bound| channel.messages.len() >= bound);
                if !channel.receiver {
                    self.log(1);
                } else if !full {
                    channel.messages.push((value, clock));
                    self.log(0);
                } else if matches!(op, Op::TrySend(..)) {
                    self.log(2);
                } else {
                    return Taken::Blocked;
                }
            }
            Op::Recv(q) | Op::TryRecv(q) | Op::RecvTimeout(q)
                if self.me().receivers & 1 << q == 0 => {}
            Op::Recv(q) | Op::TryRecv(q) | Op::RecvTimeout(q) => {
                let channel = &mut self.state.channels[q];
                if !channel.messages.is_empty() {
                    let (value, clock) = channel.messages.remove(0);
                    self.learn(&clock);
                    self.log(10 + value);
                } else if channel.senders == 0 {
                    let clock = channel.farewell;
                    self.learn(&clock);
                    self.log(0);
                } else if matches!(op, Op::Recv(_)) || matches!(op, Op::RecvTimeout(_)) && !self.up
                {
                    return Taken::Blocked;
                } else {
                    self.log(1);
                }
            }
            Op::Set(o, value) => {
                let once = self.state.onces[o].clone();
                if once.making {
                    return Taken::Blocked;
                }
                self.learn(&once.clock);
                if once.value.is_none() {
                    let clock = self.clock();
                    self.state.onces[o] = Once { value: Some(value), making: false, clock };
                }
                self.log(u64::from(once.value.is_some()));
            }
            Op::Get(o) => {
                let once = self.state.onces[o].clone();
                if once.value.is_some() {
                    self.learn(&once.clock);
                }
                self.log(once.value.unwrap_or(0));
            }
            Op::Count(a) | Op::GetMut(a) | Op::ReadInside(a) | Op::IntoInner(a)
                if self.me().arcs & 1 << a == 0 => {}
            Op::Count(a) => self.log(self.state.arcs[a].owners as u64),
            Op::GetMut(a) => {
                let unique = self.state.arcs[a].owners == 1;
                self.log(u64::from(unique));
                if unique {
                    let clock = self.state.arcs[a].clock;
                    self.learn(&clock);
                    self.touch(|state| &mut state.arcs[a].inside, true);
                }
            }
            Op::ReadInside(a) => {
                self.touch(|state| &mut state.arcs[a].inside, false);
            }
            Op::IntoInner(a) => {
                let last = self.drop_arc(a);
                self.log(u64::from(last));
            }
            Op::CellRead(c) => {
                self.touch(|state| &mut state.cells[c], false);
                self.log(self.state.cells[c].value);
            }
            Op::CellWrite(c) => {
                self.touch(|state| &mut state.cells[c], true);
            }
            _ => unreachable!("{op:?} has instructions of its own"),
        }
        self.done()
    }

    /// A step that finds nothing to do.
    fn is_idle(&self, op: &Op) -> bool {
        match op {
            Op::NotifyOne(c) => self.state.condvars[*c].is_empty(),
            _ => true,
        }
    }

    fn take_token(&mut self) {
        self.me().sleeps = false;
        let clock = self.me().token_clock;
        self.learn(&clock);
        self.me().token = false;
    }
}
