//! Programs as plain data.
//!
//! Objects are named by kind and number and exist if a step names them. What a step observes goes
//! into the log of its thread: the outcome of a program is all logs, and what the atomics hold in
//! the end.

use std::sync::atomic::Ordering;

/// How many messages each channel holds at most.
pub(crate) const BOUNDS: [Option<usize>; 4] = [None, Some(1), Some(2), Some(0)];

/// An atomic that starts at 0, false or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// An `AtomicU64`.
    Word(usize),
    /// An `AtomicBool`.
    Flag(usize),
    /// An `AtomicPtr`, to one of four static values: it holds the number of the value.
    Pointer(usize),
}

/// A change that cannot fail. Of flags only the logical ones, of pointers only `Swap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Swap(u64),
    Add(u64),
    Sub(u64),
    And(u64),
    Or(u64),
    Xor(u64),
    Nand(u64),
    Max(u64),
    Min(u64),
}

/// How a read-write lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    Read,
    Write,
}

/// Which thread is unparked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// A declared thread, if it has introduced itself.
    Declared(usize),
    /// The thread that was spawned last, and is not joined.
    Child,
    /// The thread that spawned this one.
    Parent,
}

/// One step of a thread, or several in a scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Load(Place, Ordering),
    Store(Place, u64, Ordering),
    Update(Place, Change, Ordering),
    /// `compare_exchange` or `compare_exchange_weak`: expected, new, orderings.
    Exchange {
        at: Place,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
        weak: bool,
    },
    /// `fetch_update` that adds 1 to a word below the limit.
    FetchUpdate {
        at: Place,
        below: u64,
        set: Ordering,
        fetch: Ordering,
    },
    Fence(Ordering),
    /// `hint::wait_until` the place holds the value.
    Await(Place, u64, Ordering),
    /// The same, as a loop of `hint::spin_loop`.
    Spin(Place, u64, Ordering),
    /// So many `hint::spin_loop()` that look at nothing.
    Idle(usize),
    /// Panics if the place holds the value.
    Refute(Place, u64),
    Panic,
    /// `resume_unwind`.
    Unwind,
    /// Steps that are taken if the value logged last is this one.
    If(u64, Vec<Op>),
    /// `catch_unwind` around the steps.
    Catch(Vec<Op>),
    /// Steps, and those of a destructor that runs after them, on unwinding too.
    Guarded(Vec<Op>, Vec<Op>),
    /// Whether a mutex, or a read-write lock, is poisoned.
    IsPoisoned(usize),
    IsRwPoisoned(usize),
    ClearPoison(usize),
    ClearRwPoison(usize),
    /// Steps with the mutex held.
    Lock(usize, Vec<Op>),
    /// The same, if the mutex is free.
    TryLock(usize, Vec<Op>),
    /// Steps with the read-write lock held.
    Hold(usize, Mode, Vec<Op>),
    TryHold(usize, Mode, Vec<Op>),
    /// Steps with the read-write lock held for writing, and then, downgraded, for reading.
    Downgrade(usize, Vec<Op>, Vec<Op>),
    /// On a condition variable, with the innermost mutex.
    Wait(usize),
    WaitTimeout(usize),
    /// Waits in a loop until the place holds the value.
    WaitUntil(usize, Place, u64),
    /// The same, with a limit in each turn.
    PollUntil(usize, Place, u64),
    NotifyOne(usize),
    NotifyAll(usize),
    /// Publishes the handle of this (declared) thread, under a mutex of its own.
    Introduce,
    Unpark(Who),
    Park,
    ParkTimeout,
    /// Parks in a loop until the place holds the value.
    ParkUntil(Place, u64),
    Send(usize, u64),
    TrySend(usize, u64),
    Recv(usize),
    TryRecv(usize),
    RecvTimeout(usize),
    DropSender(usize),
    DropReceiver(usize),
    /// Waits at a barrier for two, and logs whether it leads.
    Meet(usize),
    Set(usize, u64),
    Get(usize),
    /// `get_or_init` with a closure that takes the steps and returns the value.
    GetOrInit(usize, u64, Vec<Op>),
    /// `strong_count`.
    Count(usize),
    /// `Arc::get_mut`, and a write to the cell inside if it is unique.
    GetMut(usize),
    /// A read of the cell inside.
    ReadInside(usize),
    IntoInner(usize),
    DropArc(usize),
    /// Starts the thread of that number.
    Spawn(usize, Vec<Op>),
    /// Joins the thread that was spawned last, and is not joined.
    Join,
    /// Makes a thread-local value whose destructor takes the steps.
    Local(Vec<Op>),
    CellRead(usize),
    CellWrite(usize),
}

impl Op {
    /// The steps inside.
    pub(crate) fn body(&self) -> Option<&Vec<Op>> {
        match self {
            Self::Catch(body)
            | Self::Guarded(body, _)
            | Self::If(_, body)
            | Self::Lock(_, body)
            | Self::TryLock(_, body)
            | Self::Hold(_, _, body)
            | Self::TryHold(_, _, body)
            | Self::Downgrade(_, body, _)
            | Self::GetOrInit(_, _, body)
            | Self::Spawn(_, body)
            | Self::Local(body) => Some(body),
            _ => None,
        }
    }

    fn body_mut(&mut self) -> Option<&mut Vec<Op>> {
        match self {
            Self::Catch(body)
            | Self::Guarded(body, _)
            | Self::If(_, body)
            | Self::Lock(_, body)
            | Self::TryLock(_, body)
            | Self::Hold(_, _, body)
            | Self::TryHold(_, _, body)
            | Self::Downgrade(_, body, _)
            | Self::GetOrInit(_, _, body)
            | Self::Spawn(_, body)
            | Self::Local(body) => Some(body),
            _ => None,
        }
    }

    /// The atomic that the step touches.
    pub(crate) fn place(&self) -> Option<Place> {
        match *self {
            Self::Load(at, _)
            | Self::Store(at, ..)
            | Self::Update(at, ..)
            | Self::Exchange { at, .. }
            | Self::FetchUpdate { at, .. }
            | Self::Await(at, ..)
            | Self::Spin(at, ..)
            | Self::Refute(at, _)
            | Self::WaitUntil(_, at, _)
            | Self::PollUntil(_, at, _)
            | Self::ParkUntil(at, _) => Some(at),
            _ => None,
        }
    }

    /// The channel and whether it is its receiving end that the step needs.
    pub(crate) fn channel(&self) -> Option<(usize, bool)> {
        match *self {
            Self::Send(q, _) | Self::TrySend(q, _) | Self::DropSender(q) => Some((q, false)),
            Self::Recv(q) | Self::TryRecv(q) | Self::RecvTimeout(q) | Self::DropReceiver(q) => {
                Some((q, true))
            }
            _ => None,
        }
    }

    /// The `Arc` that the step needs an owner of.
    pub(crate) fn arc(&self) -> Option<usize> {
        match *self {
            Self::Count(a)
            | Self::GetMut(a)
            | Self::ReadInside(a)
            | Self::IntoInner(a)
            | Self::DropArc(a) => Some(a),
            _ => None,
        }
    }
}

/// What threads do, at once. A thread's number is its place in `threads`; those that are spawned
/// have greater ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Program {
    pub(crate) threads: Vec<Vec<Op>>,
    /// The order in which the threads are declared.
    pub(crate) order: Vec<usize>,
}

/// The ends and owners that a thread has from its start: dropped at its end, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) arcs: Vec<usize>,
    pub(crate) senders: Vec<usize>,
    pub(crate) receivers: Vec<usize>,
}

impl Program {
    /// Calls `f` with each step, and the number of its thread.
    pub(crate) fn each(&self, f: &mut dyn FnMut(usize, &Op)) {
        fn each(thread: usize, ops: &[Op], f: &mut dyn FnMut(usize, &Op)) {
            for op in ops {
                f(thread, op);
                let inner = if let Op::Spawn(child, _) = op { *child } else { thread };
                each(inner, op.body().map_or(&[], Vec::as_slice), f);
                if let Op::Guarded(_, then) | Op::Downgrade(_, _, then) = op {
                    each(thread, then, f);
                }
            }
        }
        for (thread, ops) in self.threads.iter().enumerate() {
            each(thread, ops, f);
        }
    }

    pub(crate) fn any(&self, f: impl Fn(&Op) -> bool) -> bool {
        self.count(f) > 0
    }

    pub(crate) fn count(&self, f: impl Fn(&Op) -> bool) -> usize {
        let mut count = 0;
        self.each(&mut |_, op| count += usize::from(f(op)));
        count
    }

    /// One more than the greatest number of a thread.
    pub(crate) fn numbers(&self) -> usize {
        let mut most = self.threads.len();
        self.each(&mut |thread, _| most = most.max(thread + 1));
        self.each(&mut |_, op| {
            if let Op::Spawn(child, _) = op {
                most = most.max(child + 1);
            }
        });
        most
    }

    /// The atomics, sorted.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        self.each(&mut |_, op| places.extend(op.place()));
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The numbers of objects of a kind, sorted.
    pub(crate) fn objects(&self, of: impl Fn(&Op) -> Option<usize>) -> Vec<usize> {
        let mut all = Vec::new();
        self.each(&mut |_, op| all.extend(of(op)));
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(crate) fn mutexes(&self) -> Vec<usize> {
        self.objects(|op| match op {
            Op::Lock(m, _) | Op::TryLock(m, _) | Op::IsPoisoned(m) | Op::ClearPoison(m) => Some(*m),
            _ => None,
        })
    }

    pub(crate) fn rwlocks(&self) -> Vec<usize> {
        self.objects(|op| match op {
            Op::Hold(w, ..)
            | Op::TryHold(w, ..)
            | Op::Downgrade(w, ..)
            | Op::IsRwPoisoned(w)
            | Op::ClearRwPoison(w) => Some(*w),
            _ => None,
        })
    }

    pub(crate) fn condvars(&self) -> Vec<usize> {
        self.objects(|op| match op {
            Op::Wait(c)
            | Op::WaitTimeout(c)
            | Op::WaitUntil(c, ..)
            | Op::PollUntil(c, ..)
            | Op::NotifyOne(c)
            | Op::NotifyAll(c) => Some(*c),
            _ => None,
        })
    }

    pub(crate) fn channels(&self) -> Vec<usize> {
        self.objects(|op| op.channel().map(|(q, _)| q))
    }

    pub(crate) fn barriers(&self) -> Vec<usize> {
        self.objects(|op| if let Op::Meet(b) = op { Some(*b) } else { None })
    }

    pub(crate) fn onces(&self) -> Vec<usize> {
        self.objects(|op| match op {
            Op::Set(o, _) | Op::Get(o) | Op::GetOrInit(o, ..) => Some(*o),
            _ => None,
        })
    }

    pub(crate) fn arcs(&self) -> Vec<usize> {
        self.objects(Op::arc)
    }

    pub(crate) fn cells(&self) -> Vec<usize> {
        self.objects(|op| match op {
            Op::CellRead(c) | Op::CellWrite(c) => Some(*c),
            _ => None,
        })
    }

    /// Whether memory is touched that is not atomic.
    pub(crate) fn has_cells(&self) -> bool {
        self.any(|op| {
            matches!(op, Op::CellRead(_) | Op::CellWrite(_) | Op::ReadInside(_) | Op::GetMut(_))
        })
    }

    /// Whether `finally` can say which locks are poisoned: nothing else runs then.
    pub(crate) fn shows_poison(&self) -> bool {
        let panics = self.any(|op| matches!(op, Op::Panic | Op::Unwind | Op::Refute(..)));
        panics && !self.any(|op| matches!(op, Op::Spawn(..)))
    }

    /// What the thread of that number has from its start.
    pub(crate) fn ends(&self, thread: usize) -> Ends {
        let mut ends = Ends::default();
        self.each(&mut |of, op| {
            if of == thread {
                ends.arcs.extend(op.arc());
                match op.channel() {
                    Some((q, true)) => ends.receivers.push(q),
                    Some((q, false)) => ends.senders.push(q),
                    None => {}
                }
            }
        });
        for list in [&mut ends.arcs, &mut ends.senders, &mut ends.receivers] {
            list.sort_unstable();
            list.dedup();
        }
        ends
    }

    /// All programs that are one step shorter: without a step, with a scope opened, or without a
    /// thread.
    pub(crate) fn shorter(&self) -> Vec<Self> {
        let mut all = Vec::new();
        if self.threads.len() > 1 {
            for gone in 0..self.threads.len() {
                all.extend(self.without(gone));
            }
        }
        for thread in 0..self.threads.len() {
            for ops in shorter(&self.threads[thread]) {
                if !ops.is_empty() {
                    let mut program = self.clone();
                    program.threads[thread] = ops;
                    all.push(program);
                }
            }
        }
        all
    }

    /// The program without a declared thread; the numbers of the others move up.
    fn without(&self, gone: usize) -> Option<Self> {
        let mut program = self.clone();
        program.threads.remove(gone);
        program.order.retain(|thread| *thread != gone);
        let renumber = |thread: &mut usize| *thread -= usize::from(*thread > gone);
        program.order.iter_mut().for_each(renumber);
        let ok = program.threads.iter_mut().all(|ops| renumbered(ops, gone));
        ok.then_some(program)
    }
}

fn shorter(ops: &[Op]) -> Vec<Vec<Op>> {
    let mut all = Vec::new();
    for at in 0..ops.len() {
        let mut without = ops.to_vec();
        let op = without.remove(at);
        all.push(without);
        let Some(body) = op.body() else { continue };
        // A wait needs its mutex, and a spawned thread's ends are its own.
        let waits = |op: &Op| {
            matches!(op, Op::Wait(_) | Op::WaitTimeout(_) | Op::WaitUntil(..) | Op::PollUntil(..))
        };
        let opens = match op {
            Op::Spawn(..) => false,
            Op::Lock(..) | Op::TryLock(..) => !body.iter().any(waits),
            _ => true,
        };
        if opens && !body.is_empty() {
            let mut open = ops.to_vec();
            open.splice(at..=at, body.clone());
            all.push(open);
        }
        for inside in shorter(body) {
            let mut less = ops.to_vec();
            if let Some(body) = less[at].body_mut() {
                *body = inside;
            }
            all.push(less);
        }
    }
    all
}

/// Moves the numbers of threads up by one past `gone`. `false` if a step needs that thread.
fn renumbered(ops: &mut [Op], gone: usize) -> bool {
    ops.iter_mut().all(|op| {
        match op {
            Op::Unpark(Who::Declared(thread)) | Op::Spawn(thread, _) => {
                if *thread == gone {
                    return false;
                }
                *thread -= usize::from(*thread > gone);
            }
            _ => {}
        }
        op.body_mut().is_none_or(|body| renumbered(body, gone))
    })
}
