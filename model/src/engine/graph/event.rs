//! The events of an execution graph.

use std::sync::atomic::Ordering;

use crate::kernel::operation::releases;
use crate::kernel::{Act, Clock, Operation, Rmw, Site};

/// The position of an event in the order in which events were added; changes when a graph is cut.
pub(super) type Id = u32;

/// In place of an event: what a location was made with.
pub(super) const INIT: Id = u32::MAX;

/// In place of a pin or of a spawning event: none.
pub(super) const NONE: Id = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Also a read-modify-write that failed.
    Load,
    Store,
    /// A read-modify-write that succeeded: a read and a write.
    Update,
    Fence,
    /// Reads the act before it, as an update does.
    Act,
    Spawn,
    Join,
    Choose,
    /// In place of an act that was not taken in time. See [`super::argument`], *Patience*.
    TimeOut,
}

impl Kind {
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Load | Self::Update)
    }

    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Store | Self::Update)
    }

    /// Whether events of this kind on one location are totally ordered: modification order, or the
    /// order of the acts on an object.
    pub(super) fn has_place(self) -> bool {
        self.writes() || self == Self::Act
    }
}

/// What tells the event from others, and its choice.
#[expect(clippy::struct_excessive_bools, reason = "facts, each true or not")]
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) kind: Kind,
    /// The ordering that applies; that of a failed update is its failure ordering.
    pub(super) order: Ordering,
    pub(super) thread: u8,
    /// The choice is made, and the event is to be added once the rest has been replayed.
    pub(super) todo: bool,
    /// The operation is a read-modify-write: whether it succeeds depends on what it reads.
    pub(super) updates: bool,
    /// It is a weak exchange that fails though it has read what it expects.
    pub(super) spurious: bool,
    /// Of an update: that which it reads changed something, and this one changes it back.
    pub(super) undoes: bool,
    /// Its thread stutters, and goes on to release its locks.
    pub(super) after_stutter: bool,
    /// In its thread.
    pub(super) index: u16,
    /// The location, by its number in the graph (see [`Place::location`](super::run::Place)); of
    /// `Spawn` and `Join` the other thread; of others `NONE`.
    pub(super) location: u32,
    /// Of reads and acts: what they read.
    pub(super) rf: Id,
    /// Of writes and acts: the position in the order of the location. Of choices: the branch. Of
    /// time-outs: how many events were there.
    pub(super) place: u32,
    /// Of an act that displaced another: how many events were there before that one. It may be
    /// deleted only together with one of these. Else `NONE`.
    pub(super) pin: Id,
    /// Without ids of objects.
    pub(super) act: Option<Act>,
    pub(super) site: Site,
}

impl Event {
    /// A step on `location`, if it is one that has a location.
    pub(super) fn new(
        operation: &Operation,
        location: u32,
        thread: usize,
        index: usize,
        site: Site,
    ) -> Self {
        let (kind, order, location) = match *operation {
            Operation::Load { order, .. } => (Kind::Load, order, location),
            Operation::Store { order, .. } => (Kind::Store, order, location),
            Operation::Update { success, .. } => (Kind::Update, success, location),
            Operation::Fence { order } => (Kind::Fence, order, NONE),
            Operation::Act { .. } => (Kind::Act, Ordering::Relaxed, location),
            Operation::Spawn { child } => (Kind::Spawn, Ordering::Relaxed, child as u32),
            Operation::Join { child } => (Kind::Join, Ordering::Relaxed, child as u32),
            Operation::Choose { .. } => (Kind::Choose, Ordering::Relaxed, NONE),
        };
        let act = match *operation {
            Operation::Act { act, .. } => Some(act.without_ids()),
            _ => None,
        };
        Self {
            kind,
            order,
            thread: thread as u8,
            todo: true,
            updates: kind == Kind::Update,
            spurious: false,
            undoes: operation.rmw() == Some(Rmw::Unlock),
            after_stutter: false,
            index: index as u16,
            location,
            rf: INIT,
            place: 0,
            pin: NONE,
            act,
            site,
        }
    }

    pub(super) fn thread(&self) -> usize {
        usize::from(self.thread)
    }

    /// Whether what comes before it in its thread may happen before what others do.
    pub(super) fn publishes(&self) -> bool {
        match self.kind {
            Kind::Store | Kind::Update | Kind::Fence => releases(self.order),
            Kind::Act | Kind::Spawn => true,
            Kind::Load | Kind::Join | Kind::Choose | Kind::TimeOut => false,
        }
    }

    /// Whether, of what may happen or not, the usual happens.
    pub(super) fn chooses_first(&self) -> bool {
        !self.spurious && (self.kind != Kind::Choose || self.place == 0)
    }

    pub(super) fn location(&self) -> usize {
        self.location as usize
    }

    /// Whether the event is in the set.
    #[inline]
    pub(super) fn in_past(&self, past: &Clock) -> bool {
        past.has(self.thread(), self.index)
    }
}

/// What follows from the graph about an event.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Past {
    /// Happens-before, the event included.
    pub(super) hb: Clock,
    /// Its causes: (program order ∪ reads-from ∪ order of acts)⁺, the event included.
    pub(super) causes: Clock,
    /// What an acquire fence would add to `hb`.
    pub(super) seen: Clock,
    /// `hb` of the last release fence.
    pub(super) fence: Clock,
    /// Of a write: what reading it with acquire adds to the reader's `hb`.
    pub(super) released: Clock,
}
