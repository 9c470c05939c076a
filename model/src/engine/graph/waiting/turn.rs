//! What a thread did in a turn of a loop.

use super::found::Name;
use crate::engine::graph::event::Id;
use crate::kernel::{Access, Act, LocationId, Operation, Site};

/// A step that changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) operation: Operation,
    pub(super) site: Site,
    /// Of reads and acts: whose work it found. Of acts this is known for certain when turns are compared.
    pub(super) source: Name,
    /// Of acts: how many came before it on the object.
    pub(super) acts: u32,
    pub(super) result: u64,
    /// Of a weak exchange: it failed without a cause.
    pub(super) spurious: bool,
}

impl Look {
    pub(super) fn same(&self, other: &Self) -> bool {
        // A wait acquires its mutex again at its own place, where it is released too.
        let locks = matches!(self.operation, Operation::Act { act: Act::Mutex(_), .. });
        self.source == other.source
            && (self.site == other.site || locks)
            && (self.result == other.result || matches!(self.operation, Operation::Load { .. }))
            && self.spurious == other.spurious
            && self.operation.is_like(&other.operation)
    }

    pub(super) fn ends_section(&self) -> bool {
        matches!(self.operation, Operation::Act { act, .. } if act.ends_section())
    }

    /// Whether it is the weak exchange at `site`.
    pub(super) fn tries(&self, site: Site) -> bool {
        self.operation.is_weak_exchange() && self.site == site
    }

    /// Whether something happened without a cause, or by a choice of the program.
    pub(super) fn is_unusual(&self) -> bool {
        let chosen = matches!(self.operation, Operation::Choose { .. }) && self.result != 0;
        self.spurious || chosen
    }
}

/// An access to plain memory, with the number of looks before it in its turn.
type PlainAccess = (usize, LocationId, Access);

/// What a thread did in a turn.
#[expect(clippy::struct_excessive_bools, reason = "facts, each true or not")]
#[derive(Debug, Default)]
pub(super) struct TurnRecord {
    pub(super) looks: Vec<Look>,
    /// Accesses to plain memory.
    pub(super) accesses: Vec<PlainAccess>,
    /// The ends of critical sections.
    pub(super) sections: Vec<Id>,
    /// How many looks there were when it changed something last, if it did.
    pub(super) changed: Option<usize>,
    /// Another thread has failed meanwhile, because of a lock that this one held.
    pub(super) noticed: bool,
    /// The turn began with a wait that ended without a cause.
    pub(super) spurious: bool,
    /// It began with the end of a wait that was not notified.
    pub(super) unnotified: bool,
    /// Time was up.
    pub(super) timed_out: bool,
}

impl TurnRecord {
    /// It changes something.
    pub(super) fn change(&mut self) {
        self.changed = Some(self.looks.len());
    }

    /// The last look at which the weak exchange at `site` was tried, or another failed without a cause.
    pub(super) fn last_try(&self, site: Site) -> Option<usize> {
        self.looks.iter().rposition(|look| look.spurious || look.tries(site))
    }

    /// Whether the turn ends with a weak exchange that has failed without a cause.
    pub(super) fn ends_with_a_failure(&self) -> bool {
        self.looks.last().is_some_and(|look| look.spurious)
    }

    /// What it did next is part of the turn.
    pub(super) fn append(&mut self, mut next: Self) {
        let looks = self.looks.len();
        next.accesses.iter_mut().for_each(|(at, ..)| *at += looks);
        self.looks.append(&mut next.looks);
        self.accesses.append(&mut next.accesses);
        self.sections.append(&mut next.sections);
        self.changed = next.changed.map(|changed| looks + changed).or(self.changed);
        self.noticed |= next.noticed;
        self.spurious |= next.spurious;
        self.unnotified |= next.unnotified;
        self.timed_out |= next.timed_out;
    }
}
