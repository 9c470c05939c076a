//! Forward: adding a step to the graph in every way that is consistent.

use super::event::{Event, INIT, Id, Kind, NONE};
use super::search::Search;
use super::turns::Lasting;
use crate::kernel::{Edges, Operation, Site, TIMED_OUT, ThreadId};

impl Search {
    /// Adds the step to the graph by its latest choice, and leaves the others for later.
    pub(super) fn extend(
        &mut self,
        thread: ThreadId,
        operation: &Operation,
        site: Site,
    ) -> (Id, u64) {
        let index = self.graph.of(thread).len();
        let location = self.number(operation);
        let after_stutter = self.run.thread(thread).waiting.stutters();
        let event = Event::new(operation, location, thread, index, site);
        let id = self.graph.push(Event { after_stutter, ..event });
        self.run.values.push(0);
        self.run.states.push(None);
        self.run.lasting.push(Lasting::No);
        match *operation {
            Operation::Load { .. } | Operation::Update { .. } => {
                self.extend_read(id, operation, location);
            }
            Operation::Store { .. } => self.extend_store(id, location),
            Operation::Act { .. } => {
                self.displace(id);
                let end = self.graph.order(location).len();
                self.graph.at_mut(id).rf = self.graph.write_before(location, end);
                self.done(id);
                self.graph.insert(id, end);
            }
            Operation::Choose { options, .. } => {
                for branch in (1..options).rev() {
                    self.graph.at_mut(id).place = branch;
                    self.later(id);
                }
                self.graph.at_mut(id).place = 0;
                self.done(id);
            }
            Operation::Fence { .. } | Operation::Spawn { .. } | Operation::Join { .. } => {
                self.done(id);
            }
        }
        (id, self.perform(id, operation))
    }

    /// The number in the graph of the location that a step is on, whose event is to be added.
    fn number(&mut self, operation: &Operation) -> u32 {
        let Some(id) = operation.location() else { return NONE };
        let number = self.run.number(id);
        self.graph.note_made(number, self.run.place(id).maker.site);
        number
    }

    /// Time is up for the first of these threads, and for each other one in another graph. Whether
    /// there is one.
    pub(super) fn time_out(&mut self, threads: &[ThreadId]) -> bool {
        for &thread in threads.iter().rev() {
            let (operation, site) = self.run.thread(thread).step;
            let (index, location) = (self.graph.of(thread).len(), self.number(&operation));
            let mut event = Event::new(&operation, location, thread, index, site);
            (event.kind, event.place) = (Kind::TimeOut, self.graph.len());
            let id = self.graph.push(event);
            if thread != threads[0] {
                self.later(id);
                self.graph.pop();
                continue;
            }
            self.done(id);
            self.run.values.push(0);
            self.run.states.push(None);
            self.run.lasting.push(Lasting::No);
        }
        !threads.is_empty()
    }

    fn extend_read(&mut self, id: Id, operation: &Operation, location: u32) {
        let end = self.graph.order(location).len();
        let bound = self.graph.bound(location, &self.graph.hb_before(id));
        for at in bound..end {
            self.read(id, operation, at);
            let updates = self.graph.at(id).kind == Kind::Update;
            let splits = updates && self.graph.splits(location, at);
            if splits {
                // Only in the place of the other update that reads the same.
                self.revisit(id);
            }
            if !splits && self.is_consistent(id, at) {
                // That it may fail is left for later when it is redone.
                self.later(id);
            } else {
                self.fail_later(id, operation, at);
            }
            self.graph.at_mut(id).todo = true;
        }
        self.read(id, operation, end);
        self.settle(id, operation, end);
    }

    fn extend_store(&mut self, id: Id, location: u32) {
        self.done(id);
        let end = self.graph.order(location).len();
        let bound = self.graph.bound(location, &self.graph.hb_before(id));
        for at in bound..end {
            if self.graph.splits(location, at) {
                continue;
            }
            let consistent = self.is_consistent(id, at);
            self.graph.at_mut(id).place = at as u32;
            if consistent {
                self.later(id);
            }
        }
        self.graph.insert(id, end);
        self.revisit(id);
    }

    /// Adds the step whose choice was made earlier.
    pub(super) fn redo(&mut self, id: Id, operation: &Operation) -> u64 {
        match *operation {
            Operation::Load { .. } | Operation::Update { .. } => {
                let at = self.graph.after(self.graph.at(id).rf);
                self.read(id, operation, at);
                self.settle(id, operation, at);
            }
            Operation::Store { .. } => {
                self.done(id);
                let at = self.graph.at(id).place as usize;
                self.graph.insert(id, at);
            }
            Operation::Act { .. } if self.graph.at(id).kind == Kind::Act => {
                self.done(id);
                let end = self.graph.order(self.graph.at(id).location).len();
                self.graph.insert(id, end);
            }
            _ => self.done(id),
        }
        self.perform(id, operation)
    }

    /// The choice of `id` is made.
    fn done(&mut self, id: Id) {
        self.graph.at_mut(id).todo = false;
        self.graph.fill(id);
    }

    /// Leaves for later: the graph with `id` to be done by the choice that it has now.
    fn later(&mut self, id: Id) {
        let mut graph = self.copy();
        graph.at_mut(id).todo = true;
        self.leave(graph);
    }

    /// Makes `id` read what comes before position `at`, as an update if that succeeds.
    fn read(&mut self, id: Id, operation: &Operation, at: usize) {
        let location = self.graph.at(id).location;
        let rf = self.graph.write_before(location, at);
        let (kind, order) = match *operation {
            Operation::Update { update, success, failure, .. } => {
                let new = update.apply(self.value(location, rf));
                match new.filter(|_| !self.graph.at(id).spurious) {
                    Some(new) => {
                        self.run.values[id as usize] = new;
                        (Kind::Update, success)
                    }
                    None => (Kind::Load, failure),
                }
            }
            Operation::Load { order, .. } => (Kind::Load, order),
            _ => return,
        };
        let event = self.graph.at_mut(id);
        (event.kind, event.order) = (kind, order);
        (event.rf, event.place) = (rf, at as u32);
        self.done(id);
    }

    /// Whether the SC axiom holds with `id` added, if it writes at position `at`.
    fn is_consistent(&mut self, id: Id, at: usize) -> bool {
        let writes = self.graph.at(id).kind.writes();
        if writes {
            self.graph.insert(id, at);
        }
        let holds = self.sc_holds(id);
        if writes {
            self.graph.remove(id);
        }
        holds
    }

    /// Leaves for later, if `id` is a weak exchange that succeeds by what it reads: that it fails.
    fn fail_later(&mut self, id: Id, operation: &Operation, at: usize) {
        if self.graph.at(id).kind != Kind::Update || !operation.is_weak_exchange() {
            return;
        }
        self.graph.at_mut(id).spurious = true;
        self.read(id, operation, at);
        if self.is_consistent(id, at) {
            self.later(id);
        }
        self.graph.at_mut(id).spurious = false;
        self.read(id, operation, at);
    }

    /// Completes a read of what comes before position `at`.
    fn settle(&mut self, id: Id, operation: &Operation, at: usize) {
        self.fail_later(id, operation, at);
        let updates = self.graph.at(id).kind == Kind::Update;
        if updates {
            self.graph.insert(id, at);
        }
        if !self.sc_holds(id) {
            self.run.end(super::outcome::Ending::Inconsistent);
        } else if updates {
            self.revisit(id);
        }
    }

    /// Carries out, in this run, an event whose place in the graph is known.
    pub(super) fn perform(&mut self, id: Id, operation: &Operation) -> u64 {
        let event = *self.graph.at(id);
        match *operation {
            Operation::Load { .. } => self.value(event.location, event.rf),
            Operation::Store { value, .. } => {
                self.run.values[id as usize] = value;
                0
            }
            Operation::Update { update, .. } => {
                let old = self.value(event.location, event.rf);
                if event.kind == Kind::Update {
                    self.run.values[id as usize] = update.apply(old).unwrap_or(old);
                }
                old
            }
            Operation::Act { .. } if event.kind == Kind::TimeOut => TIMED_OUT,
            Operation::Act { object, act } => {
                let acts = if event.rf == INIT { 0 } else { self.graph.after(event.rf) };
                let mut state = self.state(object, acts).clone();
                let past = &mut self.graph.pasts[id as usize].hb;
                let result = state.apply(act, event.thread(), &mut Edges { past });
                self.run.states[id as usize] = Some(state);
                result
            }
            Operation::Choose { .. } => u64::from(event.place),
            Operation::Fence { .. } | Operation::Spawn { .. } | Operation::Join { .. } => 0,
        }
    }
}
