//! Plain accesses: no events, but each must be ordered by happens-before against those that conflict
//! with it.
//!
//! An access stands between two events of its thread: it happens before whatever has the second of
//! them in its past. As all accesses of an execution are carried out in every run, each against those
//! before it in the run, one of two that race meets the other. An access that lasts as long as a closure is one
//! at its beginning and one at its end; what happens-before orders after the first and before the second takes
//! place between them in every run.

use super::event::{Event, Kind};
use super::outcome::{Action, Ending, Party};
use super::search::Search;
use crate::kernel::{
    Access, AtomicKind, CellKind, Clock, LocationId, Made, Moment, Object, Operation, Owned, Rmw,
    Site, ThreadId,
};

impl Party {
    /// Whether it happens before what `thread` does with `hb` behind it.
    fn is_known(&self, thread: ThreadId, hb: &Clock) -> bool {
        self.thread == thread || hb.has(self.thread, self.index)
    }
}

/// Of an `Arc`, how many strong owners there are. When there are none any more it has come to its end, but weak owners
/// may still ask for one.
fn counts_strong(made: &Made) -> bool {
    matches!(made, Made::Atomic { kind: AtomicKind::Strong, .. })
}

/// Whether a strong owner is added or given up, which takes that there is one.
fn takes_an_owner(action: Action) -> bool {
    matches!(action, Action::Step(Operation::Update { update, .. })
        if matches!(update.rmw, Rmw::Add(_) | Rmw::Sub(_)))
}

impl Search {
    fn party(&self, action: Action, site: Site) -> Party {
        let thread = self.run.current;
        Party { thread, index: self.run.thread(thread).at, action, site }
    }

    /// Makes a location that counts as made when `memory` was given, and as freed when that was.
    pub(super) fn make_in(&mut self, memory: Owned, made: Made, site: Site) -> LocationId {
        let location = LocationId::new(self.run.places.len());
        let party = |at: Moment, action| Party { thread: at.thread, index: at.steps, action, site };
        self.run.make(made, party(memory.given, Action::Make(location)));
        let freed = memory.freed.map(|at| party(at, Action::Access(location, Access::Free)));
        let place = self.run.place(location);
        place.plain.freed = freed;
        place.position = Some(memory.position);
        location
    }

    /// The thread that runs makes the next location.
    pub(super) fn maker(&self, site: Site) -> Party {
        self.party(Action::Make(LocationId::new(self.run.places.len())), site)
    }

    /// Fails if the thread that runs uses a location that it need not know of, or that has come to its
    /// end.
    fn check_alive(&mut self, location: LocationId, me: Party) {
        let hb = self.run.thread(me.thread).hb;
        let place = self.run.place(location);
        if matches!(place.made, Made::Object(Object::ReadEnd(_) | Object::Message(_))) {
            // A part of a lock or a channel, which the program does not see.
            return;
        }
        let late = counts_strong(&place.made) && !takes_an_owner(me.action);
        let (maker, freed) = (place.maker, place.plain.freed.filter(|_| !late));
        if !maker.is_known(me.thread, &hb) {
            self.run.end(Ending::Race { location, first: maker, second: me, under_way: false });
        }
        match freed {
            Some(freed) if freed.is_known(me.thread, &hb) => {
                self.run.end(Ending::UseAfterFree { location, freed, used: me });
            }
            Some(freed) => {
                self.run.end(Ending::Race { location, first: freed, second: me, under_way: false });
            }
            None => {}
        }
    }

    /// Holds a step against the making and the end of its location.
    pub(super) fn check_step(&mut self, operation: &Operation, site: Site) {
        if let Some(location) = operation.location() {
            let me = self.party(Action::Step(*operation), site);
            self.check_alive(location, me);
        }
    }

    /// Carries out a plain access.
    pub(super) fn access(&mut self, location: LocationId, access: Access, site: Site) {
        let me = self.party(Action::Access(location, access), site);
        self.check_alive(location, me);
        let hb = self.run.thread(me.thread).hb;
        let place = self.run.place(location);
        let in_std_arc = matches!(place.made, Made::Cell(CellKind::InStdArc));
        let plain = &place.plain;
        let reads = plain.reads.iter().filter(|_| access != Access::Read);
        let other = plain.write.iter().chain(reads).find(|party| !party.is_known(me.thread, &hb));
        let read = Action::Access(location, Access::Read);
        let conflicts = |party: &&Party| access != Access::Read || party.action != read;
        let mut others = plain.under_way.iter().filter(|party| party.thread != me.thread);
        let met = other.or_else(|| others.find(conflicts)).filter(|_| !in_std_arc);
        if let Some(&first) = met {
            let under_way = other.is_none();
            self.run.end(Ending::Race { location, first, second: me, under_way });
        }
        if let Some(first) = self.step_unknown_to(location, access, me, &hb) {
            self.run.end(Ending::Race { location, first, second: me, under_way: false });
        }
        let plain = &mut self.run.place(location).plain;
        match access {
            Access::Read => {
                plain.reads.retain(|party| party.thread != me.thread);
                plain.reads.push(me);
            }
            Access::Write | Access::Use => {
                plain.reads.clear();
                plain.write = Some(me);
            }
            Access::Free => plain.freed = Some(me),
        }
    }

    /// Ends a location when all threads have ended and statics are dropped: nothing else can race with that.
    pub(super) fn free_at_end(&mut self, location: LocationId, site: Site) {
        let me = self.party(Action::Access(location, Access::Free), site);
        self.run.place(location).plain.freed.get_or_insert(me);
    }

    /// The access that the thread that runs has just made goes on until [`Self::end_access`].
    pub(super) fn begin_access(&mut self, location: LocationId, access: Access, site: Site) {
        let me = self.party(Action::Access(location, access), site);
        self.run.place(location).plain.under_way.push(me);
    }

    /// The last access that `thread` has begun and that is under way has ended.
    pub(super) fn end_access(&mut self, location: LocationId, thread: ThreadId) {
        let under_way = &mut self.run.place(location).plain.under_way;
        if let Some(last) = under_way.iter().rposition(|party| party.thread == thread) {
            under_way.remove(last);
        }
    }

    /// A step on `location` that conflicts with `access`, and does not happen before what `me` does with `hb`
    /// behind it.
    fn step_unknown_to(
        &self,
        location: LocationId,
        access: Access,
        me: Party,
        hb: &Clock,
    ) -> Option<Party> {
        let made = &self.run.places[location.index()].made;
        if matches!(access, Access::Write | Access::Use) || counts_strong(made) {
            return None;
        }
        let took_place = |event: &Event| self.run.thread(event.thread()).at > event.index;
        // A read is that of an atomic, without synchronisation. A write that comes after it in happens-before is no
        // conflict.
        let conflicts = |event: &Event| {
            access == Access::Free
                || took_place(event) && matches!(event.kind, Kind::Store | Kind::Update)
        };
        let known = self.graph.locations.get(self.run.location(location) as usize)?;
        let id = known.order.iter().chain(&known.reads).copied().find(|&id| {
            let event = self.graph.at(id);
            !event.todo && event.thread() != me.thread && !event.in_past(hb) && conflicts(event)
        })?;
        let event = self.graph.at(id);
        // What it did is in the log, if it took place in this run already.
        let entry = self.run.log.iter().find(|entry| entry.event == Some(id));
        let action = entry.map_or(Action::Make(location), |entry| entry.action);
        Some(Party { thread: event.thread(), index: event.index, action, site: event.site })
    }
}
