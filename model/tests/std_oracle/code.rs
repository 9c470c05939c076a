//! A program as flat code for the machine: scopes become pairs of instructions, with the place where
//! unwinding goes on.

use crate::program::{Ends, Mode, Op, Place, Program, Who};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Mutex(usize),
    Rw(usize, Mode),
}

#[derive(Debug, Clone)]
pub(crate) enum Instr {
    /// A step without a scope.
    Op(Op),
    /// Takes a lock; a try that fails goes on at `skip`.
    Acquire {
        lock: Lock,
        tries: bool,
        skip: usize,
    },
    Release {
        lock: Lock,
        /// If the thread unwinds. Not if it unwound already when it took the lock: in a destructor.
        poisons: bool,
    },
    /// From writing to reading.
    Downgrade(usize),
    /// The end of a destructor.
    Dropped,
    /// Joins the queue and releases the mutex, as one step.
    Enqueue {
        condvar: usize,
        mutex: usize,
    },
    /// Leaves the queue.
    Woken {
        condvar: usize,
        timeout: bool,
        /// Of a loop that waits until the place holds the value.
        polls: Option<(Place, u64)>,
    },
    /// Takes the mutex after a wait.
    Relock {
        mutex: usize,
        logs: bool,
    },
    /// Goes on at `exit` if the place holds the value.
    Test {
        at: Place,
        value: u64,
        exit: usize,
    },
    Goto(usize),
    CatchEnd,
    /// Goes on at `skip` unless the value is the one logged last.
    If {
        value: u64,
        skip: usize,
    },
    /// Begins to initialise; goes on at `skip` if there is a value.
    Make {
        once: usize,
        skip: usize,
    },
    Made {
        once: usize,
        value: u64,
    },
    Spawn(usize),
    Join(usize),
    /// Looks whether the thread has introduced itself; goes on at `skip` if not.
    Look {
        thread: usize,
        skip: usize,
    },
    Unpark(usize),
    DropArc(usize),
    DropSender(usize),
    DropReceiver(usize),
    /// The destructor of the thread-local value follows; goes on at `skip` if there is none.
    Destructor {
        skip: usize,
    },
    End,
}

/// The code of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Code {
    pub(crate) instrs: Vec<Instr>,
    /// For each instruction: where unwinding goes on.
    pub(crate) unwind: Vec<usize>,
    pub(crate) ends: Ends,
    /// From here on nothing is logged.
    pub(crate) quiet: usize,
}

/// The code of all threads; the last one observes what the atomics hold in the end. `None` if the
/// program makes no sense.
pub(crate) fn compile(program: &Program) -> Option<Vec<Code>> {
    let observer = program.numbers();
    let mut codes = vec![Code::default(); observer + 1];
    let mut bodies: Vec<(usize, Option<usize>, &[Op])> = Vec::new();
    for (thread, ops) in program.threads.iter().enumerate() {
        bodies.push((thread, None, ops));
    }
    while let Some((thread, parent, ops)) = bodies.pop() {
        let mut compiler = Compiler {
            code: Code { ends: program.ends(thread), ..Code::default() },
            parent,
            children: Vec::new(),
            bodies: Vec::new(),
            local: None,
        };
        compiler.thread(ops)?;
        for (child, body) in compiler.bodies {
            bodies.push((child, Some(thread), body));
        }
        codes[thread] = compiler.code;
    }
    codes[observer] = Code { instrs: vec![Instr::End], unwind: vec![0], ..Code::default() };
    let mut receivers: Vec<usize> =
        codes.iter().flat_map(|code| code.ends.receivers.clone()).collect();
    receivers.sort_unstable();
    receivers.windows(2).all(|pair| pair[0] != pair[1]).then_some(codes)
}

struct Compiler<'a> {
    code: Code,
    parent: Option<usize>,
    /// Spawned and not joined.
    children: Vec<usize>,
    bodies: Vec<(usize, &'a [Op])>,
    local: Option<&'a [Op]>,
}

/// Where a step stands.
#[derive(Clone, Copy)]
struct Context {
    /// The innermost mutex held.
    mutex: Option<usize>,
    top: bool,
    /// In a destructor, which may run while the thread unwinds.
    destructor: bool,
}

/// Replaced when the end of the scope is known.
const LATER: usize = usize::MAX;

impl<'a> Compiler<'a> {
    fn thread(&mut self, ops: &'a [Op]) -> Option<()> {
        self.ops(ops, Context { mutex: None, top: true, destructor: false })?;
        let epilogue = self.code.instrs.len();
        self.resolve(0, epilogue);
        let ends = self.code.ends.clone();
        let drops = ends.arcs.iter().map(|a| Instr::DropArc(*a));
        let drops = drops.chain(ends.senders.iter().map(|q| Instr::DropSender(*q)));
        let drops = drops.chain(ends.receivers.iter().map(|q| Instr::DropReceiver(*q)));
        for (at, instr) in drops.enumerate() {
            self.push(instr);
            self.code.unwind[epilogue + at] = epilogue + at + 1;
        }
        let destructor = self.push(Instr::Destructor { skip: LATER });
        self.code.quiet = destructor;
        if let Some(body) = self.local {
            self.ops(body, Context { mutex: None, top: false, destructor: false })?;
        }
        let end = self.push(Instr::End);
        self.code.instrs[destructor] = Instr::Destructor { skip: end };
        self.resolve(destructor, end);
        Some(())
    }

    fn push(&mut self, instr: Instr) -> usize {
        self.code.instrs.push(instr);
        self.code.unwind.push(LATER);
        self.code.instrs.len() - 1
    }

    /// Unwinding from instructions since `from` goes on at `to`, unless an inner scope ends it.
    fn resolve(&mut self, from: usize, to: usize) {
        for target in &mut self.code.unwind[from..] {
            if *target == LATER {
                *target = to;
            }
        }
    }

    fn ops(&mut self, ops: &'a [Op], context: Context) -> Option<()> {
        ops.iter().try_for_each(|op| self.op(op, context))
    }

    /// The body of a scope that `release` ends, on unwinding too. Returns where that stands.
    fn scope(&mut self, body: &'a [Op], context: Context, release: Instr) -> Option<usize> {
        let from = self.code.instrs.len();
        self.ops(body, Context { top: false, ..context })?;
        let to = self.code.instrs.len();
        self.resolve(from, to);
        Some(self.push(release))
    }

    fn lock(&mut self, lock: Lock, tries: bool, body: &'a [Op], context: Context) -> Option<()> {
        let acquire = self.push(Instr::Acquire { lock, tries, skip: LATER });
        let mutex = if let Lock::Mutex(m) = lock { Some(m) } else { context.mutex };
        let release = Instr::Release { lock, poisons: !context.destructor };
        let release = self.scope(body, Context { mutex, ..context }, release)?;
        self.code.instrs[acquire] = Instr::Acquire { lock, tries, skip: release + 1 };
        Some(())
    }

    fn downgrade(
        &mut self,
        w: usize,
        writes: &'a [Op],
        reads: &'a [Op],
        context: Context,
    ) -> Option<()> {
        let (write, read) = (Lock::Rw(w, Mode::Write), Lock::Rw(w, Mode::Read));
        self.push(Instr::Acquire { lock: write, tries: false, skip: LATER });
        let from = self.code.instrs.len();
        self.ops(writes, Context { top: false, ..context })?;
        let goes_on = self.push(Instr::Goto(LATER));
        let poisons = !context.destructor;
        // Where the writer unwinds.
        self.resolve(from, goes_on + 1);
        self.push(Instr::Release { lock: write, poisons });
        let downgrade = self.push(Instr::Downgrade(w));
        self.code.instrs[goes_on] = Instr::Goto(downgrade);
        self.scope(reads, context, Instr::Release { lock: read, poisons })?;
        Some(())
    }

    fn op(&mut self, op: &'a Op, context: Context) -> Option<()> {
        match op {
            Op::Lock(m, body) => self.lock(Lock::Mutex(*m), false, body, context)?,
            Op::TryLock(m, body) => self.lock(Lock::Mutex(*m), true, body, context)?,
            Op::Hold(w, mode, body) => self.lock(Lock::Rw(*w, *mode), false, body, context)?,
            Op::TryHold(w, mode, body) => self.lock(Lock::Rw(*w, *mode), true, body, context)?,
            Op::Downgrade(w, writes, reads) => self.downgrade(*w, writes, reads, context)?,
            Op::Catch(body) => {
                self.scope(body, context, Instr::CatchEnd)?;
            }
            Op::Guarded(body, destructor) => {
                let from = self.code.instrs.len();
                self.ops(body, Context { top: false, ..context })?;
                let start = self.code.instrs.len();
                self.resolve(from, start);
                self.ops(destructor, Context { mutex: None, top: false, destructor: true })?;
                let end = self.push(Instr::Dropped);
                // All of it runs, whether the thread unwinds or not.
                for at in start..end {
                    self.code.unwind[at] = at + 1;
                }
            }
            Op::If(value, body) => {
                let condition = self.push(Instr::If { value: *value, skip: LATER });
                self.ops(body, Context { top: false, ..context })?;
                let skip = self.code.instrs.len();
                self.code.instrs[condition] = Instr::If { value: *value, skip };
            }
            Op::GetOrInit(once, value, body) => {
                let start = self.push(Instr::Make { once: *once, skip: LATER });
                let end = self.scope(body, context, Instr::Made { once: *once, value: *value })?;
                self.code.instrs[start] = Instr::Make { once: *once, skip: end + 1 };
            }
            Op::Wait(condvar) | Op::WaitTimeout(condvar) => {
                let timeout = matches!(op, Op::WaitTimeout(_));
                self.wait(*condvar, context.mutex?, timeout, None, true);
            }
            Op::WaitUntil(condvar, at, value) | Op::PollUntil(condvar, at, value) => {
                let test = self.push(Instr::Test { at: *at, value: *value, exit: LATER });
                let polls = matches!(op, Op::PollUntil(..)).then_some((*at, *value));
                self.wait(*condvar, context.mutex?, polls.is_some(), polls, false);
                self.close(test, *at, *value);
            }
            Op::ParkUntil(at, value) => {
                let test = self.push(Instr::Test { at: *at, value: *value, exit: LATER });
                self.push(Instr::Op(Op::Park));
                self.close(test, *at, *value);
            }
            Op::Spawn(child, body) => {
                if !context.top {
                    return None;
                }
                self.push(Instr::Spawn(*child));
                self.children.push(*child);
                self.bodies.push((*child, body));
            }
            Op::Join => {
                if !context.top {
                    return None;
                }
                let child = self.children.pop()?;
                self.push(Instr::Join(child));
            }
            Op::Unpark(who) => {
                let thread = match who {
                    Who::Declared(thread) => {
                        let skip = self.code.instrs.len() + 2;
                        self.push(Instr::Look { thread: *thread, skip });
                        *thread
                    }
                    Who::Child => *self.children.last()?,
                    Who::Parent => self.parent?,
                };
                self.push(Instr::Unpark(thread));
            }
            Op::Local(body) => {
                if self.local.replace(body).is_some() {
                    return None;
                }
                self.push(Instr::Op(Op::Local(Vec::new())));
            }
            Op::DropArc(a) => {
                self.push(Instr::DropArc(*a));
            }
            Op::DropSender(q) => {
                self.push(Instr::DropSender(*q));
            }
            Op::DropReceiver(q) => {
                self.push(Instr::DropReceiver(*q));
            }
            op => {
                self.push(Instr::Op(op.clone()));
            }
        }
        Some(())
    }

    fn wait(
        &mut self,
        condvar: usize,
        mutex: usize,
        timeout: bool,
        polls: Option<(Place, u64)>,
        logs: bool,
    ) {
        self.push(Instr::Enqueue { condvar, mutex });
        self.push(Instr::Woken { condvar, timeout, polls });
        self.push(Instr::Relock { mutex, logs });
    }

    /// Ends the loop that begins with `test`.
    fn close(&mut self, test: usize, at: Place, value: u64) {
        let goto = self.push(Instr::Goto(test));
        self.code.instrs[test] = Instr::Test { at, value, exit: goto + 1 };
    }
}
