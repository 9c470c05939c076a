//! What a program under test does, as operations that an engine carries out.
//!
//! The types of [`crate::sync`] are written on this module, and the engines implement [`Engine`].
//! Neither knows the other.

pub mod clock;
mod handle;
mod ids;
mod memory;
pub mod object;
pub mod operation;
pub mod statics;

use std::alloc::Layout;
use std::any::Any;
use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::Ordering;

pub use clock::{Clock, MAX_THREADS};
pub use handle::{Handle, Slot, USED_OUTSIDE, foreign};
pub(crate) use ids::is_same_site;
pub use ids::{LocationId, Site, ThreadId};
pub use memory::{Memory, Moment, Owned, StaticCopy};
use object::OnceKind;
pub use object::{Act, Edges, Object};
pub use operation::{Choice, Operation, Rmw, Shape, Update};

use crate::mutation::Change;

/// What a location is made as.
#[derive(Debug, Clone)]
pub enum Made {
    /// An atomic.
    Atomic {
        /// The bits that it starts with.
        value: u64,
        /// What they stand for.
        kind: AtomicKind,
    },
    /// Plain memory.
    Cell(CellKind),
    /// An object.
    Object(Object),
}

/// What an atomic holds. It matters to those who read a trace, not to an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtomicKind {
    /// An integer.
    Integer {
        /// The type of the atomic, such as `AtomicU64`.
        name: &'static str,
        /// How its bits read.
        shape: Shape,
    },
    /// A boolean.
    Bool,
    /// A pointer.
    Pointer,
    /// How many strong owners an `Arc` has.
    Strong,
    /// How many weak owners it has, all strong owners counting as one.
    Weak {
        /// The other count.
        strong: LocationId,
    },
    /// How many senders a channel has.
    Senders {
        /// The channel.
        channel: LocationId,
    },
    /// Whether a thread, or its handle, has left what the thread returned to the other: 1 if one has.
    Left,
    /// Whether a lock is poisoned: 1 if it is.
    Poison {
        /// The lock.
        lock: LocationId,
    },
    /// Whether something has been done once: 1 if it has.
    Done {
        /// The object that lets one thread do it.
        once: LocationId,
        /// Its type.
        kind: OnceKind,
    },
}

/// Whose plain memory a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// The memory of the program under test.
    Plain,
    /// What a lock protects.
    Contents {
        /// The lock.
        lock: LocationId,
    },
    /// Memory that the program under test is to free: it leaks if it never is.
    Allocation,
    /// The same, of what an `Arc` of `std` owns. Its last owner has synchronised with the others, in a way that the
    /// checker does not see.
    InStdArc,
}

/// An access that is no step: it synchronises nothing, and no other thread can observe it. Where
/// happens-before does not order two of them of which one is not a `Read`, they race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads plain memory.
    Read,
    /// Writes plain memory.
    Write,
    /// Uses what one thread at a time may use: it conflicts as a write does, and changes nothing.
    Use,
    /// The location comes to its end: whatever follows is a use after free.
    Free,
}

/// Where a loop that waits stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It begins.
    Begin,
    /// The loop goes on, and may have counted the turn.
    Spin,
    /// A weak exchange begins that may fail without a cause: the loop goes on if it has failed in this turn.
    Again,
    /// The turn looked at shared state, changed nothing, and will be repeated until it finds another
    /// state.
    Wait,
}

/// A thread that is to be started.
pub struct NewThread {
    /// What it runs. A panic must not come out of it.
    pub body: Box<dyn FnOnce()>,
    /// The name, for traces.
    pub name: Option<String>,
    /// The size of its stack in bytes, if it was asked for.
    pub stack: Option<usize>,
}

/// A thread-local value.
pub struct Local {
    /// The address of its key.
    pub key: usize,
    /// `None` once destroyed.
    pub value: Option<Box<dyn Any>>,
    /// Whether its thread drops it before it ends.
    pub needs_drop: bool,
}

/// The thread-local values of one thread.
pub type Locals = Vec<Local>;

/// What the standard leaves open: which of it is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Waits may end without a cause, and `compare_exchange_weak` may fail.
    pub spurious: bool,
    /// A wait with a limit times out only where no other thread can move, and not at any moment. A
    /// thread that will wake without a cause can move.
    pub patient: bool,
}

/// In place of the result of an act: time was up.
pub const TIMED_OUT: u64 = u64::MAX;

/// Carries out the operations of one execution.
pub trait Engine {
    /// The number of the execution: no two have the same.
    fn execution(&self) -> u64;
    /// The thread that runs.
    fn thread(&self) -> ThreadId;
    /// Its name, if it was given one.
    fn thread_name(&self) -> Option<String>;
    /// How many steps it has taken.
    fn steps(&self) -> u16;
    /// What is left open.
    fn policy(&self) -> Policy;
    /// What a mutant changes about the operation that the thread that runs is about to execute. The
    /// caller makes the change: a step is taken as it is asked for.
    fn change(&self, site: Site, operation: &'static str, orders: &[Ordering]) -> Option<Change>;
    /// Takes a step; other threads may run before it. Returns what was read, the result of an act, or
    /// the branch chosen.
    fn step(&self, operation: Operation, site: Site) -> u64;
    /// Whether the weak exchange that the thread that runs has just made has failed though it found what it expects, which
    /// the value does not say. Only with [`Policy::spurious`].
    fn fails_spuriously(&self) -> bool {
        false
    }
    /// With [`Policy::patient`]: takes an act that blocks, for a limited time. `None`, with the act not
    /// taken, if time is up.
    fn step_in_time(&self, operation: Operation, site: Site) -> Option<u64>;
    /// Makes a location, now.
    fn make(&self, made: Made, site: Site) -> LocationId;
    /// Makes a location of a value that is touched for the first time: it counts as made when the memory
    /// was given in which it lies.
    fn make_in(&self, memory: Owned, made: Made, site: Site) -> LocationId;
    /// What an address is in.
    fn memory(&self, address: usize) -> Memory;
    /// Uses a copy in place of a static, until the execution is over.
    fn add_copy(&self, copy: StaticCopy);
    /// The thread that runs has been given memory, unless the engine itself is at work.
    fn allocated(&self, pointer: *mut u8, layout: Layout);
    /// The thread that runs gives memory back, unless the engine itself is at work. Whether the engine
    /// keeps it, and frees it when the execution is over: so what lay there can still be read, and its use
    /// is reported.
    fn keeps(&self, pointer: *mut u8, layout: Layout) -> bool;
    /// Which thread drops the last owner of what begins with the counts of an `Arc` of `std` is known by steps, or makes
    /// no difference.
    fn know_owners(&self, _counts: usize) {}
    /// What the thread that runs does after its next steps belongs to them, until it calls `settle`: a message is put
    /// where its receiver looks.
    fn hold(&self) {}
    /// That is done.
    fn settle(&self) {}
    /// All threads end, and return this.
    fn returns(&self, _outcome: &dyn Fn() -> String) {}
    /// The thread that runs is about to free a block that begins there, made a location as
    /// [`CellKind::Allocation`]: ends that location, and all others in the block. Whether there is such a block.
    fn end_block(&self, address: usize, site: Site) -> bool;
    /// Accesses plain memory, or ends a location.
    fn access(&self, location: LocationId, access: Access, site: Site);
    /// The access that the thread that runs has just made goes on, until `end_access`.
    fn begin_access(&self, _location: LocationId, _access: Access, _site: Site) {}
    /// The last access that `thread` has begun and that goes on has ended.
    fn end_access(&self, _location: LocationId, _thread: ThreadId) {}
    /// The state of an object after the last act on it.
    fn state(&self, object: LocationId) -> Object;
    /// What an atomic holds that no other thread can access any more.
    fn newest(&self, location: LocationId) -> u64;
    /// Sets what an atomic starts with, before any access.
    fn start_with(&self, location: LocationId, value: u64);
    /// Starts a thread, by a step.
    fn spawn(&self, thread: NewThread, site: Site) -> ThreadId;
    /// The object that `park` and `unpark` of a thread act on.
    fn token(&self, thread: ThreadId) -> LocationId;
    /// Begins, or ends a turn of, a loop that waits.
    fn turn(&self, turn: Turn, site: Site);
    /// Notes that the thread that runs ends with a panic that no join has reported yet.
    fn panicked(&self, payload: &(dyn Any + Send));
    /// The thread that runs begins to panic.
    fn panics(&self, _message: String, _at: &Location<'_>) {}
    /// Adds a line to the trace, which is not a step.
    fn note(&self, _text: String, _at: Site) {}
    /// Ends the execution with a panic of the thread that runs.
    fn abort(&self, payload: &(dyn Any + Send)) -> !;
    /// Somebody has been told of the panic of `thread`.
    fn panic_seen(&self, thread: ThreadId);
    /// The thread-local values of the thread that runs.
    fn locals(&self, f: &mut dyn FnMut(&mut Locals));
    /// Whether the engine itself is at work: a panic then is its own.
    fn is_at_work(&self) -> bool;
    /// Whether the execution is over, and what still runs are destructors. If they ask for a step, the
    /// state of an object or the value of an atomic, the call does not return.
    fn over(&self) -> bool;
    /// Ends the execution with an error of the program under test, which is not an execution of the
    /// memory model.
    fn misuse(&self, message: String) -> !;
}

impl dyn Engine + '_ {
    /// Takes an act.
    #[inline]
    pub fn act(&self, object: LocationId, act: impl Into<Act>, site: Site) -> u64 {
        self.step(Operation::Act { object, act: act.into() }, site)
    }

    /// Whether what is left open takes its second branch.
    pub fn chooses(&self, what: Choice, site: Site) -> bool {
        self.step(Operation::Choose { what, options: 2 }, site) == 1
    }

    /// Whether a wait ends without a cause.
    pub fn wakes_spuriously(&self, site: Site) -> bool {
        self.policy().spurious && self.chooses(Choice::SpuriousWakeUp, site)
    }
}

thread_local! {
    static ENGINE: Cell<Option<*const dyn Engine>> = const { Cell::new(None) };
}

/// Calls `f` with the engine that runs, if one does.
#[inline]
pub fn with<R>(f: impl FnOnce(&dyn Engine) -> R) -> Option<R> {
    // SAFETY: `enter` sets the pointer for as long as its borrow of the engine lasts, and takes it away
    // before that ends.
    ENGINE.get().map(|engine| f(unsafe { &*engine }))
}

/// Runs `f` with `engine` as the one that carries out operations on this OS thread.
///
/// # Panics
///
/// If another engine runs on this OS thread.
pub fn enter<R>(engine: &dyn Engine, f: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            ENGINE.set(None);
        }
    }
    assert!(ENGINE.get().is_none(), "an exploration cannot start inside another");
    // SAFETY: only the lifetime is widened; `Leave` removes the pointer before the borrow ends.
    let engine = unsafe { std::mem::transmute::<&dyn Engine, &'static dyn Engine>(engine) };
    ENGINE.set(Some(std::ptr::from_ref(engine)));
    let _leave = Leave;
    f()
}

/// Runs `f` as if no engine ran on this OS thread.
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    struct Back(Option<*const dyn Engine>);
    impl Drop for Back {
        fn drop(&mut self) {
            ENGINE.set(self.0);
        }
    }
    let _back = Back(ENGINE.take());
    f()
}
