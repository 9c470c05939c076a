//! What the shared objects hold as an execution goes on, in the order in which it is shown.

use std::collections::{HashMap, HashSet};

use super::names::Names;
use crate::engine::graph::{Action, Execution, Line};
use crate::kernel::object::{
    CondvarAct, MAY_TAKE, MutexAct, ReadEndAct, RwLockAct,
    acquired::{HAS_READS, WOULD_BLOCK},
};
use crate::kernel::{Act, AtomicKind, LocationId, Made, Object, Operation, ThreadId};

/// The threads that hold a lock, and whether one of them may write.
type Holders = (Vec<ThreadId>, bool);

/// A write that has been shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    /// Its position in modification order.
    place: usize,
    pub(super) value: u64,
}

/// The objects between two lines.
#[derive(Default)]
pub(super) struct State {
    /// Of each atomic, the newest of the writes shown.
    writes: HashMap<LocationId, Written>,
    holders: HashMap<LocationId, Holders>,
    /// Of each read of a lock, by the object on which it ends: the lock and the reader.
    reads: HashMap<LocationId, (LocationId, ThreadId)>,
    /// Locks, and threads that keep new readers out and wait for the others.
    waiting_writers: HashSet<(LocationId, ThreadId)>,
    /// Of each condition variable, how many threads wait.
    waiting: HashMap<LocationId, usize>,
}

impl State {
    /// What the atomic holds, if something was written to it.
    pub(super) fn newest(&self, location: LocationId) -> Option<Written> {
        self.writes.get(&location).copied()
    }

    /// Whether a write at `place` is older than one that has been shown.
    pub(super) fn is_overtaken(&self, location: LocationId, place: usize) -> bool {
        self.newest(location).is_some_and(|newest| newest.place > place)
    }

    /// Whether the write at `place`, or the initial value, is the newest that has been shown.
    pub(super) fn is_newest(&self, location: LocationId, place: Option<usize>) -> bool {
        self.newest(location).map(|newest| newest.place) <= place
    }

    /// The lock and the thread of the read that ends on `end`.
    pub(super) fn read(&self, end: LocationId) -> Option<(LocationId, ThreadId)> {
        self.reads.get(&end).copied()
    }

    /// Whether threads hold the lock for reading.
    pub(super) fn is_read(&self, lock: LocationId) -> bool {
        self.holders.get(&lock).is_some_and(|(threads, writes)| !threads.is_empty() && !writes)
    }

    /// Whether `thread` keeps new readers out of `lock`, and waits for the others.
    pub(super) fn is_waiting_writer(&self, lock: LocationId, thread: ThreadId) -> bool {
        self.waiting_writers.contains(&(lock, thread))
    }

    /// Whether a thread waits on the condition variable.
    pub(super) fn is_waited_on(&self, condvar: LocationId) -> bool {
        self.waiting.get(&condvar).is_some_and(|&threads| threads > 0)
    }

    /// What `location` holds, if it is an atomic or a lock.
    pub(super) fn of(
        &self,
        execution: &Execution<'_>,
        names: &Names,
        location: LocationId,
    ) -> Option<String> {
        match execution.location(location)? {
            Made::Atomic {
                kind: AtomicKind::Strong | AtomicKind::Weak { .. } | AtomicKind::Senders { .. },
                ..
            } => None,
            &Made::Atomic { value, .. } => {
                let newest = self.newest(location).map_or(value, |newest| newest.value);
                Some(names.value(location, newest))
            }
            Made::Object(Object::Mutex(_) | Object::RwLock(_)) => Some(self.held(names, location)),
            _ => None,
        }
    }

    fn held(&self, names: &Names, lock: LocationId) -> String {
        match self.holders.get(&lock) {
            Some((threads, false)) if threads.len() > 1 => format!("{} read", threads.len()),
            Some((threads, writes)) => threads.first().map_or("free".to_owned(), |&thread| {
                format!("{}{}", names.thread(thread), if *writes { "" } else { " reads" })
            }),
            None => "free".to_owned(),
        }
    }

    /// Takes the step of `line`; `last` says that its thread does not await another read after it.
    /// Returns the object that holds something else now.
    pub(super) fn take(&mut self, line: &Line, last: bool) -> Option<LocationId> {
        let Action::Step(operation) = line.action else { return None };
        let location = operation.location()?;
        let Operation::Act { act, .. } = operation else {
            let (value, place) = (line.written?, line.place?);
            if !self.is_overtaken(location, place) {
                self.writes.insert(location, Written { place, value });
            }
            return Some(location);
        };
        let got_it = !matches!(line.result, WOULD_BLOCK | HAS_READS);
        match act {
            Act::Mutex(MutexAct::Lock | MutexAct::TryLock)
            | Act::RwLock(RwLockAct::TryWrite | RwLockAct::TryWriteAfter { .. })
                if got_it =>
            {
                Some(self.hold(location, line.thread))
            }
            Act::Mutex(MutexAct::Unlock { .. }) | Act::RwLock(RwLockAct::EndWrite { .. }) => {
                self.holders.remove(&location);
                Some(location)
            }
            Act::RwLock(RwLockAct::Read { end } | RwLockAct::TryRead { end }) if got_it => {
                self.reads.insert(end, (location, line.thread));
                self.holders.entry(location).or_default().0.push(line.thread);
                Some(location)
            }
            Act::RwLock(RwLockAct::Downgrade { end }) => {
                self.reads.insert(end, (location, line.thread));
                self.holders.insert(location, (vec![line.thread], false));
                Some(location)
            }
            Act::RwLock(RwLockAct::Write) if self.is_read(location) => {
                self.waiting_writers.insert((location, line.thread));
                None
            }
            Act::RwLock(RwLockAct::Write) => Some(self.hold(location, line.thread)),
            Act::ReadEnd(act) => self.take_end(location, act, line.thread, last),
            Act::Condvar(act) => {
                let waiting = self.waiting.entry(location).or_default();
                match act {
                    CondvarAct::Enter => *waiting += 1,
                    CondvarAct::NotifyOne | CondvarAct::NotifyAll => {}
                    _ if line.result == MAY_TAKE => {}
                    _ => *waiting = waiting.saturating_sub(1),
                }
                None
            }
            _ => None,
        }
    }

    fn hold(&mut self, lock: LocationId, thread: ThreadId) -> LocationId {
        self.holders.insert(lock, (vec![thread], true));
        lock
    }

    fn take_end(
        &mut self,
        end: LocationId,
        act: ReadEndAct,
        thread: ThreadId,
        last: bool,
    ) -> Option<LocationId> {
        let (lock, reader) = self.read(end)?;
        match act {
            ReadEndAct::End => {
                let (threads, _) = self.holders.entry(lock).or_default();
                let mine = threads.iter().position(|&other| other == reader);
                mine.map(|mine| threads.remove(mine));
                Some(lock)
            }
            ReadEndAct::Await if last && self.waiting_writers.remove(&(lock, thread)) => {
                Some(self.hold(lock, thread))
            }
            _ => None,
        }
    }
}
