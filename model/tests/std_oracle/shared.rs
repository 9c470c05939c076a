//! A program on the types of the façade: what its threads share, and the threads themselves (`running`).

use std::sync::{Mutex as StdMutex, PoisonError as StdPoisonError};

use selvedge_model::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::mpsc::{
    Receiver, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use selvedge_model::sync::thread::Thread;
use selvedge_model::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, RwLock};

use crate::program::{BOUNDS, Op, Place, Program, Who};

mod running;

use running::Running;

/// A pointer that stands for a number.
fn pointer(number: u64) -> *mut u64 {
    std::ptr::without_provenance_mut(8 * usize::try_from(number).expect("it is small"))
}

fn number(pointer: *mut u64) -> u64 {
    pointer.addr() as u64 / 8
}

/// Made before the program begins: an operation on an object that another thread makes would need
/// it published.
type Objects<T> = Vec<Option<T>>;

fn objects<T>(numbers: &[usize], make: impl Fn() -> T) -> Objects<T> {
    let has = |number: usize| numbers.contains(&number);
    let length = numbers.last().map_or(0, |last| last + 1);
    (0..length).map(|number| has(number).then(&make)).collect()
}

fn get<T>(objects: &[Option<T>], number: usize) -> &T {
    objects[number].as_ref().expect("each object that is named exists")
}

/// A cell that threads share.
#[derive(Default)]
struct Plain(UnsafeCell<u64>);

// SAFETY: none: the checker finds the races. On real threads no program with a race is run.
unsafe impl Sync for Plain {}

impl Plain {
    fn read(&self) -> u64 {
        // SAFETY: none; as above.
        self.0.with(|value| unsafe { *value })
    }

    fn write(&self) {
        // SAFETY: none; as above.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }
}

/// What the threads of a program share.
pub(crate) struct Shared {
    program: std::sync::Arc<Program>,
    words: Objects<AtomicU64>,
    flags: Objects<AtomicBool>,
    pointers: Objects<AtomicPtr<u64>>,
    mutexes: Objects<Mutex<()>>,
    rwlocks: Objects<RwLock<()>>,
    condvars: Objects<Condvar>,
    barriers: Objects<Barrier>,
    onces: Objects<OnceLock<u64>>,
    cells: Objects<Plain>,
    /// The handles of those that have introduced themselves.
    handles: Objects<Mutex<Option<Thread>>>,
    /// By thread, until it starts.
    ends: StdMutex<Vec<Option<Ends>>>,
}

enum Sending {
    Unbounded(Sender<u64>),
    Bounded(SyncSender<u64>),
}

/// The ends that a thread has. Dropped in this order.
#[derive(Default)]
struct Ends {
    arcs: Objects<Arc<Plain>>,
    senders: Objects<Sending>,
    receivers: Objects<Receiver<u64>>,
}

impl Shared {
    pub(crate) fn new(program: &std::sync::Arc<Program>) -> Self {
        let numbers = |of: fn(Place) -> Option<usize>| -> Vec<usize> {
            program.places().into_iter().filter_map(of).collect()
        };
        let words = numbers(|at| if let Place::Word(n) = at { Some(n) } else { None });
        let flags = numbers(|at| if let Place::Flag(n) = at { Some(n) } else { None });
        let pointers = numbers(|at| if let Place::Pointer(n) = at { Some(n) } else { None });
        let introduced = program.objects(|op| match op {
            Op::Unpark(Who::Declared(thread)) => Some(*thread),
            _ => None,
        });
        Self {
            words: objects(&words, || AtomicU64::new(0)),
            flags: objects(&flags, || AtomicBool::new(false)),
            pointers: objects(&pointers, || AtomicPtr::new(std::ptr::null_mut())),
            mutexes: objects(&program.mutexes(), || Mutex::new(())),
            rwlocks: objects(&program.rwlocks(), || RwLock::new(())),
            condvars: objects(&program.condvars(), Condvar::new),
            barriers: objects(&program.barriers(), || Barrier::new(2)),
            onces: objects(&program.onces(), OnceLock::new),
            cells: objects(&program.cells(), Plain::default),
            handles: objects(&introduced, || Mutex::new(None)),
            ends: StdMutex::new(all_ends(program)),
            program: std::sync::Arc::clone(program),
        }
    }

    /// Runs the declared thread and returns its log.
    pub(crate) fn thread(self: &std::sync::Arc<Self>, number: usize) -> Vec<u64> {
        Running::new(self, number, self.take_ends(number)).log_of(&self.program.threads[number])
    }

    /// What the atomics hold in the end, and which locks are poisoned.
    pub(crate) fn finals(&self) -> Vec<u64> {
        // A thread that was not joined may still run.
        let alone = !self.program.any(|op| matches!(op, Op::Spawn(..)));
        let value = |at: Place| if alone { self.load(at, SeqCst) } else { self.peek(at) };
        let mut finals: Vec<u64> = self.program.places().into_iter().map(value).collect();
        if self.program.shows_poison() {
            let poisoned = self.mutexes.iter().flatten().map(Mutex::is_poisoned);
            let poisoned = poisoned.chain(self.rwlocks.iter().flatten().map(RwLock::is_poisoned));
            finals.extend(poisoned.map(u64::from));
        }
        finals
    }

    fn take_ends(&self, number: usize) -> Ends {
        let mut ends = self.ends.lock().unwrap_or_else(StdPoisonError::into_inner);
        ends[number].take().unwrap_or_default()
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        get(&self.words, at)
    }

    fn flag(&self, at: usize) -> &AtomicBool {
        get(&self.flags, at)
    }

    fn pointer(&self, at: usize) -> &AtomicPtr<u64> {
        get(&self.pointers, at)
    }

    fn load(&self, at: Place, order: std::sync::atomic::Ordering) -> u64 {
        match at {
            Place::Word(at) => self.word(at).load(order),
            Place::Flag(at) => u64::from(self.flag(at).load(order)),
            Place::Pointer(at) => number(self.pointer(at).load(order)),
        }
    }

    /// Reads the newest value, by an update that changes nothing.
    fn peek(&self, at: Place) -> u64 {
        match at {
            Place::Word(at) => self.word(at).fetch_add(0, SeqCst),
            Place::Flag(at) => u64::from(self.flag(at).fetch_or(false, SeqCst)),
            Place::Pointer(at) => {
                let null = std::ptr::null_mut();
                let (Ok(found) | Err(found)) =
                    self.pointer(at).compare_exchange(null, null, SeqCst, SeqCst);
                number(found)
            }
        }
    }
}

fn put<T>(list: &mut Objects<T>, number: usize, end: T) {
    list.resize_with(list.len().max(number + 1), || None);
    list[number] = Some(end);
}

/// Makes the ends, and gives each to the thread that uses it.
fn all_ends(program: &Program) -> Vec<Option<Ends>> {
    let uses: Vec<_> = (0..program.numbers()).map(|thread| program.ends(thread)).collect();
    let mut all: Vec<Ends> = uses.iter().map(|_| Ends::default()).collect();
    for a in program.arcs() {
        let owners: Vec<usize> = (0..all.len()).filter(|t| uses[*t].arcs.contains(&a)).collect();
        let mut arc = Some(Arc::new(Plain::default()));
        for (position, thread) in owners.iter().enumerate() {
            let last = position + 1 == owners.len();
            let end = if last { arc.take() } else { arc.clone() };
            put(&mut all[*thread].arcs, a, end.expect("the last takes it"));
        }
    }
    for q in program.channels() {
        let (sender, receiver) = match BOUNDS[q] {
            None => {
                let (sender, receiver) = channel();
                (Sending::Unbounded(sender), receiver)
            }
            Some(bound) => {
                let (sender, receiver) = sync_channel(bound);
                (Sending::Bounded(sender), receiver)
            }
        };
        for (thread, ends) in all.iter_mut().enumerate() {
            if uses[thread].senders.contains(&q) {
                put(&mut ends.senders, q, sender.another());
            }
        }
        drop(sender);
        let mut receiver = Some(receiver);
        for (thread, ends) in all.iter_mut().enumerate() {
            if uses[thread].receivers.contains(&q) {
                put(&mut ends.receivers, q, receiver.take().expect("one thread receives"));
            }
        }
        // That no thread has: it stays to the end.
        std::mem::forget(receiver);
    }
    all.into_iter().map(Some).collect()
}

impl Sending {
    fn another(&self) -> Self {
        match self {
            Self::Unbounded(sender) => Self::Unbounded(sender.clone()),
            Self::Bounded(sender) => Self::Bounded(sender.clone()),
        }
    }

    fn send(&self, value: u64, waits: bool) -> u64 {
        let result = match self {
            Self::Unbounded(sender) => sender.send(value).map_err(TrySendError::from),
            Self::Bounded(sender) if waits => sender.send(value).map_err(TrySendError::from),
            Self::Bounded(sender) => sender.try_send(value),
        };
        match result {
            Ok(()) => 0,
            Err(TrySendError::Disconnected(_)) => 1,
            Err(TrySendError::Full(_)) => 2,
        }
    }
}
