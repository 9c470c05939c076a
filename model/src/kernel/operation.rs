//! What a thread under test can do, as data.

use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Release, SeqCst};

use super::ids::{LocationId, ThreadId};
use super::object::{Act, CondvarAct, DeliveryAct, QueueAct, ReadEndAct, RwLockAct, acquired};

/// A step of a thread: what other threads can observe, or what depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reads any store that coherence and happens-before allow.
    Load {
        /// The atomic.
        location: LocationId,
        /// Its ordering.
        order: Ordering,
    },
    /// Writes, anywhere in modification order where coherence allows.
    Store {
        /// The atomic.
        location: LocationId,
        /// What is written.
        value: u64,
        /// Its ordering.
        order: Ordering,
    },
    /// A read-modify-write. One that fails is a load with the ordering `failure`.
    Update {
        /// The atomic.
        location: LocationId,
        /// What is written, given what is read.
        update: Update,
        /// The ordering if it writes.
        success: Ordering,
        /// The ordering if it does not.
        failure: Ordering,
    },
    /// Orders memory.
    Fence {
        /// Its ordering.
        order: Ordering,
    },
    /// An operation on an object; blocks until it is enabled.
    Act {
        /// The object.
        object: LocationId,
        /// What is done to it.
        act: Act,
    },
    /// Starts a thread.
    Spawn {
        /// The new thread.
        child: ThreadId,
    },
    /// Blocks until a thread has ended.
    Join {
        /// That thread.
        child: ThreadId,
    },
    /// Takes one of several branches: what the standard leaves open.
    Choose {
        /// What is left open.
        what: Choice,
        /// How many branches there are.
        options: u32,
    },
}

impl Operation {
    /// Whether it is the second step of an attempt, which does not wait. Where it is never enabled, the execution is
    /// infeasible, and another one has the same outcome: see [`Queue`](super::object::Queue).
    pub fn is_attempt(&self) -> bool {
        let Self::Act { act: Act::Queue(act), .. } = self else { return false };
        matches!(act, QueueAct::TryReceive { .. } | QueueAct::ReceiveInTime { .. })
    }

    /// Whether it only starts a thread, or ends one for those that wait for that.
    pub fn is_of_threads_only(&self) -> bool {
        matches!(
            self,
            Self::Spawn { .. }
                | Self::Join { .. }
                | Self::Act {
                    act: Act::Delivery(DeliveryAct::Deliver | DeliveryAct::Await { .. }),
                    ..
                }
        )
    }

    /// Whether it says nothing of what its thread has found: each read ends on an object of its own.
    pub(crate) fn is_end_of_read(&self) -> bool {
        let Self::Act { act: Act::ReadEnd(act), .. } = self else { return false };
        matches!(act, ReadEndAct::End | ReadEndAct::Await)
    }

    /// Whether it does nothing but give up a lock.
    pub(crate) fn releases(&self) -> bool {
        matches!(self, Self::Act { act, .. } if act.releases())
    }

    /// Whether it asks if a read has ended.
    pub(crate) fn asks_for_end_of_read(&self) -> bool {
        matches!(self, Self::Act { act: Act::ReadEnd(ReadEndAct::HasEnded), .. })
    }

    /// Whether it is the end of an attempt to write that begins again, given its result.
    pub(crate) fn begins_again(&self, result: u64) -> bool {
        let after =
            matches!(self, Self::Act { act: Act::RwLock(RwLockAct::TryWriteAfter { .. }), .. });
        after && result == acquired::WOULD_BLOCK
    }

    /// Whether it ends a wait on a condition variable that was not notified, given its result.
    pub(crate) fn ends_unnotified(&self, result: u64) -> bool {
        let leaves = |act| matches!(act, CondvarAct::Leave | CondvarAct::LeaveAnyway);
        matches!(self, Self::Act { act: Act::Condvar(act), .. } if leaves(*act)) && result == 0
    }

    /// Whether it says only that a wait without a limit has ended without a cause, which the program is not told, if it is
    /// the first step after the wait.
    pub(crate) fn ends_wait(&self, result: u64) -> bool {
        match self {
            Self::Choose { what, .. } => *what == Choice::SpuriousWakeUp,
            Self::Act { act, .. } => *act == Act::Condvar(CondvarAct::LeaveAnyway) && result == 0,
            _ => false,
        }
    }

    /// Whether it is a read-modify-write that may fail where it could succeed.
    pub(crate) fn is_weak_exchange(&self) -> bool {
        matches!(self.rmw(), Some(Rmw::CompareExchangeWeak { .. }))
    }

    /// The function of an update.
    pub(crate) fn rmw(&self) -> Option<Rmw> {
        match self {
            Self::Update { update, .. } => Some(update.rmw),
            _ => None,
        }
    }

    /// Whether what it finds depends on other threads.
    pub fn finds_something(&self) -> bool {
        match self {
            Self::Store { .. } | Self::Fence { .. } | Self::Choose { .. } => false,
            Self::Act { act, .. } => !act.ends_section(),
            _ => true,
        }
    }

    /// The atomic or object that it is about.
    pub fn location(&self) -> Option<LocationId> {
        match *self {
            Self::Load { location, .. }
            | Self::Store { location, .. }
            | Self::Update { location, .. }
            | Self::Act { object: location, .. } => Some(location),
            _ => None,
        }
    }

    /// The act, if it is one on `object`.
    pub(crate) fn act_on(&self, object: LocationId) -> Option<Act> {
        match *self {
            Self::Act { object: at, act } if at == object => Some(act),
            _ => None,
        }
    }

    /// Whether two turns of a loop that differ in this have asked the same: an operation of the same kind on the same
    /// location, a store or an update with the same operands. Each read ends on a location of its own.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Store { .. } | Self::Update { .. }, _) => self == other,
            _ if self.asks_for_end_of_read() => other.asks_for_end_of_read(),
            (&Self::Act { object, act }, &Self::Act { object: other, act: another }) => {
                object == other && act.is_like(another)
            }
            _ => {
                self.location() == other.location()
                    && std::mem::discriminant(self) == std::mem::discriminant(other)
            }
        }
    }
}

/// What a [`Operation::Choose`] decides. Branch 0 is what usually happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Whether a wait ends without a notification.
    SpuriousWakeUp,
    /// Whether a wait with a limit ends because time is up.
    TimeOut,
    /// A choice that the program under test makes.
    Program,
}

/// A read-modify-write: from what is read to what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update {
    /// The function.
    pub rmw: Rmw,
    /// The type that it works on.
    pub shape: Shape,
}

/// The function of an [`Update`]. Values are bit patterns, extended with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the methods of std's atomics")]
pub enum Rmw {
    Swap(u64),
    CompareExchange {
        current: u64,
        new: u64,
    },
    /// May fail where it could succeed: see [`fails_spuriously`](super::Engine::fails_spuriously).
    CompareExchangeWeak {
        current: u64,
        new: u64,
    },
    Add(u64),
    Sub(u64),
    And(u64),
    Nand(u64),
    Or(u64),
    Xor(u64),
    Max(u64),
    Min(u64),
    /// Of the count of weak owners: from 1 to the highest, while `get_mut` looks at the strong one.
    Lock,
    /// Undoes that, if there are other strong owners. `std` stores 1, which is next to the lock in modification order too.
    Unlock,
}

/// A primitive type: how many bits, and whether it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many bits it has, 64 at most.
    pub bits: u32,
    /// Whether comparisons take the highest bit as a sign.
    pub signed: bool,
}

impl Shape {
    fn cut(self, word: u64) -> u64 {
        word & (u64::MAX >> (64 - self.bits))
    }

    /// A key that sorts words as numbers.
    fn rank(self, word: u64) -> u64 {
        if self.signed { self.cut(word ^ 1 << (self.bits - 1)) } else { word }
    }
}

impl Update {
    /// What is written over `old`; `None` if it fails.
    pub fn apply(self, old: u64) -> Option<u64> {
        let shape = self.shape;
        let of_two = |greater: bool, operand: u64| {
            if (shape.rank(operand) > shape.rank(old)) == greater { operand } else { old }
        };
        let new = match self.rmw {
            Rmw::Swap(new) => new,
            Rmw::CompareExchange { current, new } | Rmw::CompareExchangeWeak { current, new }
                if current == old =>
            {
                new
            }
            Rmw::Lock if old == 1 => u64::MAX,
            Rmw::CompareExchange { .. } | Rmw::CompareExchangeWeak { .. } | Rmw::Lock => {
                return None;
            }
            Rmw::Unlock => 1,
            Rmw::Add(operand) => old.wrapping_add(operand),
            Rmw::Sub(operand) => old.wrapping_sub(operand),
            Rmw::And(operand) => old & operand,
            Rmw::Nand(operand) => !(old & operand),
            Rmw::Or(operand) => old | operand,
            Rmw::Xor(operand) => old ^ operand,
            Rmw::Max(operand) => of_two(true, operand),
            Rmw::Min(operand) => of_two(false, operand),
        };
        Some(shape.cut(new))
    }
}

/// Whether a read with this ordering acquires.
pub fn acquires(order: Ordering) -> bool {
    matches!(order, Acquire | AcqRel | SeqCst)
}

/// Whether a write with this ordering releases.
pub fn releases(order: Ordering) -> bool {
    matches!(order, Release | AcqRel | SeqCst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_computes_what_the_methods_of_std_do() {
        let signed = Shape { bits: 8, signed: true };
        let apply = |rmw, shape, old| Update { rmw, shape }.apply(old);
        assert_eq!(apply(Rmw::Add(200), Shape { bits: 8, signed: false }, 100), Some(44));
        assert_eq!(apply(Rmw::Nand(0x0f), signed, 0x3c), Some(0xf3));
        // 0xff is -1.
        assert_eq!(apply(Rmw::Max(1), signed, 0xff), Some(1));
        assert_eq!(apply(Rmw::Min(1), signed, 0xff), Some(0xff));
        assert_eq!(apply(Rmw::Max(1), Shape { bits: 8, signed: false }, 0xff), Some(0xff));
        assert_eq!(apply(Rmw::Sub(1), Shape { bits: 64, signed: false }, 0), Some(u64::MAX));
        assert_eq!(apply(Rmw::CompareExchange { current: 1, new: 2 }, signed, 0), None);
    }
}
