//! Objects: what blocks, wakes and hands over, each a small sequential state machine.
//!
//! The operations on one object are totally ordered. An operation is taken only while it is enabled;
//! otherwise its thread is blocked. The order adds no happens-before by itself: an operation stores
//! the [release token](Edges::release) that a later one [acquires](Edges::acquire), exactly where the
//! standard library synchronises.

mod barrier;
mod channel;
mod condvar;
mod delivery;
mod mutex;
mod once;
mod queue;
mod rwlock;
mod token;

pub use barrier::{Barrier, BarrierAct};
pub use channel::{CLOSED, Channel, ChannelAct, EMPTY, FIRST_MESSAGE, FULL};
pub use condvar::{Condvar, CondvarAct, MAY_TAKE};
pub use delivery::{Delivery, DeliveryAct};
pub use mutex::{Mutex, MutexAct};
pub use once::{CLAIMED, CLAIMED_AGAIN, DONE, Once, OnceAct, OnceKind, POISONED_ONCE};
pub use queue::{Message, MessageAct, Queue, QueueAct};
pub use rwlock::{ReadEnd, ReadEndAct, RwLock, RwLockAct};
pub use token::{Token, TokenAct};

use super::clock::Clock;
use super::ids::{LocationId, ThreadId};

/// Results of operations that acquire a lock.
pub mod acquired {
    /// The lock is held.
    pub const CLEAN: u64 = 0;
    /// The lock is held, and a thread that held it before has poisoned it.
    pub const POISONED: u64 = 1;
    /// The lock was not free.
    pub const WOULD_BLOCK: u64 = 2;
    /// It depends on whether all reads of the lock have ended.
    pub const HAS_READS: u64 = 3;
}

/// The state of an object.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Object {
    Mutex(Mutex),
    RwLock(RwLock),
    ReadEnd(ReadEnd),
    Condvar(Condvar),
    Channel(Channel),
    Queue(Queue),
    Message(Message),
    Once(Once),
    Barrier(Barrier),
    Token(Token),
    Delivery(Delivery),
}

impl Object {
    /// The thread that holds a lock alone.
    pub fn holder(&self) -> Option<ThreadId> {
        match self {
            Self::Mutex(state) => state.holder(),
            Self::RwLock(state) => state.writer(),
            _ => None,
        }
    }
}

/// An operation on an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Act {
    Mutex(MutexAct),
    RwLock(RwLockAct),
    ReadEnd(ReadEndAct),
    Condvar(CondvarAct),
    Channel(ChannelAct),
    Queue(QueueAct),
    Message(MessageAct),
    Once(OnceAct),
    Barrier(BarrierAct),
    Token(TokenAct),
    Delivery(DeliveryAct),
}

/// The happens-before edges of one operation.
#[derive(Debug)]
pub struct Edges<'a> {
    /// What happens before the operation, itself included.
    pub(crate) past: &'a mut Clock,
}

impl Edges<'_> {
    /// What a later operation acquires to happen after this one.
    pub fn release(&self) -> Clock {
        *self.past
    }

    /// Happens after everything that the token stands for.
    pub fn acquire(&mut self, token: &Clock) {
        self.past.join(token);
    }
}

macro_rules! dispatch {
    ($($kind:ident($act:ident)),*) => {
        impl Object {
            /// Whether `thread` can take the step now.
            ///
            /// # Panics
            ///
            /// If the operation belongs to another type of object.
            pub fn enabled(&self, act: Act, thread: ThreadId) -> bool {
                match (self, act) {
                    $((Self::$kind(state), Act::$kind(act)) => state.enabled(act, thread),)*
                    _ => panic!("{act:?} is not an operation on {self:?}"),
                }
            }

            /// Takes the step; returns its result.
            ///
            /// # Panics
            ///
            /// If the operation belongs to another type of object.
            pub fn apply(&mut self, act: Act, thread: ThreadId, edges: &mut Edges<'_>) -> u64 {
                match (&mut *self, act) {
                    $((Self::$kind(state), Act::$kind(act)) => state.apply(act, thread, edges),)*
                    _ => panic!("{act:?} is not an operation on {self:?}"),
                }
            }
        }
        impl Act {
            /// Whether it is the same operation, on another message, or another time.
            pub fn is_like(self, other: Self) -> bool {
                match (self, other) {
                    $((Self::$kind(a), Self::$kind(b)) => {
                        std::mem::discriminant(&a) == std::mem::discriminant(&b)
                    })*
                    _ => false,
                }
            }
        }
        $(
            impl From<$kind> for Object {
                fn from(state: $kind) -> Self {
                    Self::$kind(state)
                }
            }

            impl From<$act> for Act {
                fn from(act: $act) -> Self {
                    Self::$kind(act)
                }
            }
        )*
    };
}

dispatch! {
    Mutex(MutexAct), RwLock(RwLockAct), ReadEnd(ReadEndAct), Condvar(CondvarAct), Channel(ChannelAct), Queue(QueueAct),
    Message(MessageAct), Once(OnceAct), Barrier(BarrierAct), Token(TokenAct), Delivery(DeliveryAct)
}

impl Object {
    /// Whether `found` is true of it after some of the steps of another thread.
    pub fn comes_by(
        mut self,
        mut steps: impl Iterator<Item = Act>,
        other: ThreadId,
        found: impl Fn(&Self) -> bool,
    ) -> bool {
        let edges = &mut Edges { past: &mut Clock::default() };
        steps.any(|step| {
            self.enabled(step, other) && {
                self.apply(step, other, edges);
                found(&self)
            }
        })
    }

    /// Whether an attempt would succeed now.
    pub fn lets_succeed(&self, attempt: Act, thread: ThreadId) -> bool {
        let edges = &mut Edges { past: &mut Clock::default() };
        self.enabled(attempt, thread)
            && attempt.succeeds(self.clone().apply(attempt, thread, edges))
    }
}

impl Act {
    /// The same without the ids of other objects, which differ from one execution to the next.
    #[must_use]
    pub fn without_ids(self) -> Self {
        let end = LocationId::default();
        match self {
            Self::RwLock(RwLockAct::Read { .. }) => Self::RwLock(RwLockAct::Read { end }),
            Self::RwLock(RwLockAct::TryRead { .. }) => Self::RwLock(RwLockAct::TryRead { end }),
            Self::RwLock(RwLockAct::Downgrade { .. }) => Self::RwLock(RwLockAct::Downgrade { end }),
            act => act,
        }
    }

    /// Whether it is what other threads find of a critical section, given its result: the end, or of a read, since the
    /// ends of reads are not in the order of the lock, the beginning.
    pub fn marks_section(self, result: u64) -> bool {
        self.ends_section() || self.reads() && result != acquired::WOULD_BLOCK
    }

    /// Whether it begins a read, or tries to, and does nothing else.
    pub fn reads(self) -> bool {
        matches!(self, Self::RwLock(RwLockAct::Read { .. } | RwLockAct::TryRead { .. }))
    }

    /// Whether reads of other threads are of account to it.
    pub fn tries_write(self) -> bool {
        matches!(self, Self::RwLock(RwLockAct::TryWrite | RwLockAct::TryWriteAfter { .. }))
    }

    /// Whether it ends a critical section in which other threads find what was done there.
    pub fn ends_section(self) -> bool {
        matches!(
            self,
            Self::Mutex(MutexAct::Unlock { .. })
                | Self::RwLock(RwLockAct::EndWrite { .. } | RwLockAct::Downgrade { .. })
        )
    }

    /// Whether it ends a read.
    pub fn ends_read(self) -> bool {
        self == Self::ReadEnd(ReadEndAct::End)
    }

    /// Whether it does nothing but give up a lock.
    pub fn releases(self) -> bool {
        self.ends_read()
            || matches!(
                self,
                Self::Mutex(MutexAct::Unlock { .. }) | Self::RwLock(RwLockAct::EndWrite { .. })
            )
    }

    /// Whether the thread holds a lock from then on, given its result.
    pub fn takes_lock(self, result: u64) -> bool {
        match self {
            Self::Mutex(act) => !matches!(act, MutexAct::Unlock { .. }) && self.succeeds(result),
            Self::RwLock(RwLockAct::EndWrite { .. } | RwLockAct::Downgrade { .. }) => false,
            Self::RwLock(_) => self.succeeds(result),
            _ => false,
        }
    }

    /// Whether it waits for a lock, to hold it.
    pub fn acquires(self) -> bool {
        matches!(
            self,
            Self::Mutex(MutexAct::Lock) | Self::RwLock(RwLockAct::Read { .. } | RwLockAct::Write)
        )
    }

    /// Whether it ends a wait that has not been notified, or not for certain.
    pub fn ends_wait(self) -> bool {
        match self {
            Self::Condvar(act) => {
                matches!(act, CondvarAct::Leave | CondvarAct::TakeOrLeave | CondvarAct::LeaveAnyway)
            }
            Self::Token(act) => act == TokenAct::TakeIfThere,
            _ => false,
        }
    }

    /// Whether an attempt has succeeded, given its result: it has taken a lock, or leaves something behind.
    pub fn succeeds(self, result: u64) -> bool {
        match self {
            Self::Mutex(_) | Self::RwLock(_) => {
                !matches!(result, acquired::WOULD_BLOCK | acquired::HAS_READS)
            }
            _ => self.has_lasting_effect(result),
        }
    }

    /// Whether it leaves something behind, given its result. A lock is released again, a place in a queue given up: what
    /// [ends a section](Self::ends_section) is another matter.
    pub fn has_lasting_effect(self, result: u64) -> bool {
        match self {
            Self::Mutex(act) => matches!(act, MutexAct::Unlock { poisons: true }),
            Self::RwLock(act) => matches!(act, RwLockAct::EndWrite { poisons: true }),
            Self::ReadEnd(_) => false,
            Self::Condvar(act) => matches!(act, CondvarAct::NotifyOne | CondvarAct::NotifyAll),
            Self::Channel(act) => act.has_lasting_effect(result),
            Self::Queue(act) => act.has_lasting_effect(result),
            Self::Message(act) => act.has_lasting_effect(result),
            Self::Once(act) => matches!(act, OnceAct::Finish { .. }),
            Self::Barrier(_) => true,
            Self::Token(act) => matches!(act, TokenAct::Unpark),
            Self::Delivery(act) => act == DeliveryAct::Deliver,
        }
    }
}
