//! Execution graphs: events in the order in which they were added, program order, modification
//! order, reads-from, and what follows from these.
//!
//! A graph satisfies coherence and atomicity by construction: an event is only added where
//! [`Graph::bound`] and [`Graph::splits`] allow. That is enough because nothing in the graph happens
//! after an event that is being added. The SC axiom is checked separately, in `sc_order`.

use std::sync::atomic::Ordering::SeqCst;

use super::event::{Event, INIT, Id, Kind, NONE, Past};
use crate::kernel::operation::{acquires, releases};
use crate::kernel::{Clock, Site};

/// What is known of an atomic or an object.
#[derive(Debug, Default)]
pub(super) struct Location {
    /// Where it was made, in the sources: what is there must be the same in each run.
    pub(super) made: Option<Site>,
    /// Modification order, or the order of the acts.
    pub(super) order: Vec<Id>,
    /// Loads and updates, in the order in which they were added.
    pub(super) reads: Vec<Id>,
}

/// The events of one thread, and the event that spawned it.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) events: Vec<Id>,
    pub(super) spawned_by: Id,
}

impl Default for Thread {
    fn default() -> Self {
        Self { events: Vec::new(), spawned_by: NONE }
    }
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) events: Vec<Event>,
    /// Parallel to `events`.
    pub(super) pasts: Vec<Past>,
    pub(super) threads: Vec<Thread>,
    pub(super) locations: Vec<Location>,
    /// The last time-out: a cause of whatever was added after it.
    pub(super) time_out: Option<Id>,
    /// Its share of the search tree, of 1.
    pub(super) share: f64,
}

impl Graph {
    /// Becomes a copy of `other`, in the memory that it has.
    pub(super) fn copy(&mut self, other: &Self) {
        let Self { events, pasts, threads, locations, time_out, share } = other;
        self.events.clone_from(events);
        self.pasts.clone_from(pasts);
        self.threads.resize_with(threads.len(), Thread::default);
        for (to, Thread { events, spawned_by }) in self.threads.iter_mut().zip(threads) {
            to.events.clone_from(events);
            to.spawned_by = *spawned_by;
        }
        self.locations.resize_with(locations.len(), Location::default);
        for (to, Location { made, order, reads }) in self.locations.iter_mut().zip(locations) {
            to.made = *made;
            to.order.clone_from(order);
            to.reads.clone_from(reads);
        }
        (self.time_out, self.share) = (*time_out, *share);
    }

    /// Has no events any more, but the memory for them.
    fn clear(&mut self) {
        let Self { events, pasts, threads, locations, time_out, share } = self;
        events.clear();
        pasts.clear();
        for Thread { events, spawned_by } in threads {
            events.clear();
            *spawned_by = NONE;
        }
        for Location { made, order, reads } in locations {
            *made = None;
            order.clear();
            reads.clear();
        }
        (*time_out, *share) = (None, 0.0);
    }

    pub(super) fn len(&self) -> Id {
        self.events.len() as Id
    }

    pub(super) fn at(&self, id: Id) -> &Event {
        &self.events[id as usize]
    }

    pub(super) fn at_mut(&mut self, id: Id) -> &mut Event {
        &mut self.events[id as usize]
    }

    pub(super) fn past(&self, id: Id) -> &Past {
        &self.pasts[id as usize]
    }

    /// Whether each choice that the standard or the program leaves open takes branch 0, and each weak exchange succeeds
    /// that can.
    pub(super) fn chose_first(&self) -> bool {
        self.events.iter().all(Event::chooses_first)
    }

    /// The events of `thread`.
    pub(super) fn of(&self, thread: usize) -> &[Id] {
        self.threads.get(thread).map_or(&[], |thread| &thread.events)
    }

    pub(super) fn spawned_by(&self, thread: usize) -> Option<Id> {
        self.threads.get(thread).map(|thread| thread.spawned_by).filter(|&id| id != NONE)
    }

    /// Modification order, or the order of the acts.
    pub(super) fn order(&self, location: u32) -> &[Id] {
        self.locations.get(location as usize).map_or(&[], |location| &location.order)
    }

    fn thread_mut(&mut self, thread: usize) -> &mut Thread {
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, Thread::default);
        }
        &mut self.threads[thread]
    }

    /// Notes where the location was made that has this number from now on.
    pub(super) fn note_made(&mut self, location: u32, made: Site) {
        let at = location as usize;
        if self.locations.len() <= at {
            self.locations.resize_with(at + 1, Location::default);
        }
        self.locations[at].made = Some(made);
    }

    /// Appends an event, whose choice and past are still to be filled in.
    pub(super) fn push(&mut self, event: Event) -> Id {
        self.pasts.push(Past::default());
        self.push_known(event)
    }

    /// The same without a past, which the caller adds.
    fn push_known(&mut self, event: Event) -> Id {
        let id = self.len();
        let has_location = event.kind.reads() || event.kind.has_place();
        if has_location && self.locations.len() <= event.location() {
            self.locations.resize_with(event.location() + 1, Location::default);
        }
        if event.kind.reads() {
            self.locations[event.location()].reads.push(id);
        }
        if event.kind == Kind::Spawn {
            self.thread_mut(event.location()).spawned_by = id;
        }
        self.thread_mut(event.thread()).events.push(id);
        self.events.push(event);
        id
    }

    /// Removes the last event, an act that has not been placed or a time-out to be done.
    pub(super) fn pop(&mut self) {
        if let Some(event) = self.events.pop() {
            self.pasts.pop();
            self.threads[event.thread()].events.pop();
        }
    }

    /// The event before `id` in its thread, or that spawned it.
    pub(super) fn before(&self, id: Id) -> Option<Id> {
        let event = self.at(id);
        match event.index {
            0 => self.spawned_by(event.thread()),
            index => Some(self.of(event.thread())[usize::from(index) - 1]),
        }
    }

    /// What happens before `id`, apart from what `id` itself acquires.
    pub(super) fn hb_before(&self, id: Id) -> Clock {
        self.before(id).map_or(Clock::default(), |before| self.past(before).hb)
    }

    /// The causes of `id`, apart from those of what it reads.
    pub(super) fn causes_before(&self, id: Id) -> Clock {
        let mut causes =
            self.before(id).map_or(Clock::default(), |before| self.past(before).causes);
        if let Some(time_out) = self.time_out {
            causes.join(&self.past(time_out).causes);
        }
        causes
    }

    /// Works out the past of `id` from its place, kind, ordering and source. Of an act, the edges of
    /// its object are still missing.
    pub(super) fn fill(&mut self, id: Id) {
        let event = *self.at(id);
        let mut past = match self.before(id) {
            None => Past::default(),
            Some(before) => {
                let Past { hb, causes, mut seen, mut fence, .. } = *self.past(before);
                if event.index == 0 {
                    // The fences of the parent are not before what the child does, in program order.
                    (seen, fence) = (Clock::default(), Clock::default());
                }
                Past { hb, causes, seen, fence, released: Clock::default() }
            }
        };
        if let Some(time_out) = self.time_out {
            past.causes.join(&self.past(time_out).causes);
        }
        if event.kind == Kind::TimeOut {
            self.time_out = Some(id);
            for (thread, known) in self.threads.iter().enumerate() {
                past.causes.set(thread, known.events.len() as u16);
            }
        }
        let mut from = Clock::default();
        if event.rf != INIT && (event.kind.reads() || event.kind == Kind::Act) {
            let source = self.past(event.rf);
            past.causes.join(&source.causes);
            if event.kind.reads() {
                from = source.released;
                if acquires(event.order) { past.hb.join(&from) } else { past.seen.join(&from) }
            }
        }
        if event.kind == Kind::Join {
            let child = event.location();
            let ended = self.of(child).last().copied().or(self.spawned_by(child));
            if let Some(last) = ended {
                past.hb.join(&self.past(last).hb);
                past.causes.join(&self.past(last).causes);
            }
            // The end of the thread too, which is no event.
            past.hb.set(child, self.of(child).len() as u16 + 1);
        }
        if event.kind == Kind::Fence && acquires(event.order) {
            past.hb.join(&past.seen);
        }
        past.hb.set(event.thread(), event.index + 1);
        past.causes.set(event.thread(), event.index + 1);
        if event.kind == Kind::Fence && releases(event.order) {
            past.fence = past.hb;
        }
        if event.kind.writes() {
            past.released = if releases(event.order) { past.hb } else { past.fence };
            if event.kind == Kind::Update {
                // Release sequences go on through read-modify-writes.
                past.released.join(&from);
            }
        }
        self.pasts[id as usize] = past;
    }

    /// How many writes to `location` are hidden from a read with `hb` behind it: the first position
    /// behind which it may read, or a write may go.
    pub(super) fn bound(&self, location: u32, hb: &Clock) -> usize {
        let Some(known) = self.locations.get(location as usize) else { return 0 };
        let written = known.order.iter().rposition(|&id| self.at(id).in_past(hb));
        let mut bound = written.map_or(0, |position| position + 1);
        for &id in &known.reads {
            let read = self.at(id);
            if !read.todo && read.in_past(hb) {
                bound = bound.max(self.after(read.rf));
            }
        }
        bound
    }

    /// The position right behind `write`.
    pub(super) fn after(&self, write: Id) -> usize {
        if write == INIT { 0 } else { self.at(write).place as usize + 1 }
    }

    /// The write or act before position `at`.
    pub(super) fn write_before(&self, location: u32, at: usize) -> Id {
        if at == 0 { INIT } else { self.order(location)[at - 1] }
    }

    /// Whether a write at `at` would come between an update and what it reads, which atomicity forbids.
    pub(super) fn splits(&self, location: u32, at: usize) -> bool {
        self.order(location).get(at).is_some_and(|&id| self.at(id).kind == Kind::Update)
    }

    /// The other update that reads what the update `id` reads, if there is one: `id` has no place then.
    pub(super) fn other_update(&self, id: Id) -> Option<Id> {
        let event = self.at(id);
        let at = self.after(event.rf);
        let reads_same = event.kind == Kind::Update && self.splits(event.location, at);
        reads_same.then(|| self.order(event.location)[at]).filter(|&other| other != id)
    }

    pub(super) fn insert(&mut self, id: Id, at: usize) {
        let location = self.at(id).location();
        self.locations[location].order.insert(at, id);
        self.renumber(location, at);
    }

    pub(super) fn remove(&mut self, id: Id) {
        let (location, at) = (self.at(id).location(), self.at(id).place as usize);
        self.locations[location].order.remove(at);
        self.renumber(location, at);
    }

    fn renumber(&mut self, location: usize, from: usize) {
        for (at, &id) in self.locations[location].order.iter().enumerate().skip(from) {
            self.events[id as usize].place = at as u32;
        }
    }

    /// Whether the SC axiom can be violated by an event that is itself `sc`, or not.
    pub(super) fn sc_matters(&self, sc: bool) -> bool {
        let mut all = self.events.iter().filter(|event| event.order == SeqCst);
        if sc {
            all.nth(1).is_some()
        } else {
            let fences = all.clone().any(|event| event.kind == Kind::Fence);
            fences && all.nth(1).is_some()
        }
    }

    /// What remains of this graph if `a` takes the place of `r`: what was added before `r`, and the causes of `a`. `r`
    /// itself remains only if `keep`, to be done again and to read from `a`. Neither is in the order of its location. And
    /// the new ids, by old ones. In the memory of `spare`.
    pub(super) fn cut(&self, r: Id, a: Id, keep: bool, spare: Self) -> (Self, Vec<Id>) {
        let causes = self.past(a).causes;
        let stays = |id, event: &Event| id < r || keep && id == r || event.in_past(&causes);
        let (mut cut, ids) = self.restrict(stays, [r, a], spare);
        if keep {
            let read = cut.at_mut(ids[r as usize]);
            (read.todo, read.rf, read.spurious) = (true, ids[a as usize], false);
        }
        (cut, ids)
    }

    /// The part of this graph that `stays`, a closed one, and the new ids, by old ones. `unplaced` are in the order of no
    /// location. In the memory of `to`.
    pub(super) fn restrict(
        &self,
        stays: impl Fn(Id, &Event) -> bool,
        unplaced: [Id; 2],
        mut to: Self,
    ) -> (Self, Vec<Id>) {
        to.clear();
        // The time-out stays, with all that was there before, for it is a cause of `a`.
        to.time_out = self.time_out;
        let mut ids = Vec::with_capacity(self.events.len());
        for (id, event) in self.events.iter().enumerate() {
            let id = id as Id;
            if stays(id, event) {
                to.pasts.push(self.pasts[id as usize]);
                ids.push(to.push_known(*event));
            } else {
                ids.push(NONE);
            }
        }
        for event in &mut to.events {
            if event.pin != NONE {
                event.pin = Self::kept(&ids, event.pin);
            }
            if event.rf != INIT {
                event.rf = ids[event.rf as usize];
            }
        }
        for (location, known) in self.locations.iter().enumerate() {
            if let Some(to) = to.locations.get_mut(location) {
                to.made = known.made;
            }
            for &id in &known.order {
                let new = ids[id as usize];
                if new != NONE && !unplaced.contains(&id) {
                    to.events[new as usize].place = to.locations[location].order.len() as u32;
                    to.locations[location].order.push(new);
                }
            }
        }
        (to, ids)
    }

    /// How many of the first `count` events a cut has kept.
    pub(super) fn kept(ids: &[Id], count: Id) -> Id {
        ids[..count as usize].iter().filter(|&&id| id != NONE).count() as Id
    }
}
