//! What makes the exploration optimal: each graph is reached from one other graph only.
//!
//! [`super::argument`] says why.

use super::event::{Event, INIT, Id, Kind, NONE};
use super::run::Status;
use super::search::Search;
use crate::kernel::{Act, Clock, LocationId, ThreadId};

/// The next step of a thread: an event of the graph, or what the thread wants to do.
struct Next {
    thread: ThreadId,
    id: Option<Id>,
    kind: Kind,
    location: u32,
    /// What that is in this run.
    object: Option<LocationId>,
    act: Option<Act>,
}

impl Search {
    /// Whether `a` is to take the place of `r` in this graph.
    pub(super) fn may_replace(&self, r: Id, a: Id) -> bool {
        if !self.sources_stay(r, a) {
            return false;
        }
        self.seen.is_some() || self.pins_hold(r, a) && self.is_canonical(r, a)
    }

    /// Whether the cut keeps an event.
    fn stays(&self, id: Id, r: Id, causes: &Clock) -> bool {
        id < r || self.graph.at(id).in_past(causes)
    }

    /// No read that stays reads from a write that goes away.
    fn sources_stay(&self, r: Id, a: Id) -> bool {
        let causes = &self.graph.past(a).causes;
        let kept = &self.graph.events[..r as usize];
        kept.iter().all(|event| event.rf == INIT || self.stays(event.rf, r, causes))
    }

    /// No act goes away that displaced what would now come in its place.
    fn pins_hold(&self, r: Id, a: Id) -> bool {
        let causes = &self.graph.past(a).causes;
        (r..self.graph.len()).all(|id| {
            let pin = self.graph.at(id).pin;
            id == a || pin == NONE || pin > r || self.graph.at(id).in_past(causes)
        })
    }

    /// Whether the scheduler comes to exactly this graph, and then to `a`, from what was there before
    /// `r`, if the causes of `a` choose as they did and all others choose the latest.
    fn is_canonical(&self, r: Id, a: Id) -> bool {
        let write = *self.graph.at(a);
        let all_causes = self.graph.past(a).causes;
        let mut causes = all_causes;
        causes.set(write.thread(), write.index);
        // How many events of each thread are there.
        let mut there = Clock::default();
        for (thread, known) in self.graph.threads.iter().enumerate() {
            there.set(thread, known.events.partition_point(|&id| id < r) as u16);
        }
        there.set(write.thread(), there.of(write.thread()).min(write.index));
        // For each location, the end of what is there or will be, as a cause of `a`.
        let ends = self.graph.locations.iter().map(|location| {
            let last =
                location.order.iter().rposition(|&id| id != a && self.stays(id, r, &all_causes));
            last.map_or(0, |at| at + 1)
        });
        let mut latest: Vec<usize> = ends.collect();
        self.replays(&write, &causes, &mut there, &mut latest)
            && there.total() + 1 == self.graph.events.len()
    }

    fn is_there(&self, there: &Clock, id: Id) -> bool {
        id == INIT || self.graph.at(id).in_past(there)
    }

    /// Replays the scheduler until it comes to `write`, or to an end. Whether it adds what this graph
    /// has.
    fn replays(
        &self,
        write: &Event,
        causes: &Clock,
        there: &mut Clock,
        latest: &mut [usize],
    ) -> bool {
        'step: loop {
            for &thread in &self.names.preference {
                let Some(next) = self.next_of(thread, there) else { continue };
                let here = thread == write.thread() && there.of(thread) == write.index;
                let cause = causes.has(thread, there.of(thread));
                let end = latest.get(next.location as usize).copied().unwrap_or(0);
                // What it reads in the end. If that is not there yet, it is read after a revisit, which
                // has left nothing but what was there and the causes of the source.
                let mut source = INIT;
                match next.kind {
                    Kind::Act => match self.next_act(&next, there, write, end) {
                        NextAct::Disabled => continue,
                        NextAct::DisplacedBy(act) => {
                            there.join(&self.graph.past(act).causes);
                            continue 'step;
                        }
                        NextAct::Taken => {}
                    },
                    Kind::Load | Kind::Update if here => source = write.rf,
                    Kind::Load | Kind::Update => {
                        source = match next.id {
                            Some(id) if cause => self.graph.at(id).rf,
                            _ => self.graph.write_before(next.location, end),
                        };
                    }
                    _ => {}
                }
                if !self.is_there(there, source) {
                    there.join(&self.graph.past(source).causes);
                }
                if here {
                    return true;
                }
                let Some(id) = next.id else { return false };
                if !cause && !self.is_latest(id, latest) {
                    return false;
                }
                there.set(thread, there.of(thread) + 1);
                continue 'step;
            }
            return true;
        }
    }

    /// The next step of `thread`, if it has begun, not ended, and does not wait for a thread.
    fn next_of(&self, thread: ThreadId, there: &Clock) -> Option<Next> {
        let begun = |thread| {
            let spawn = self.graph.spawned_by(thread);
            thread == 0 || spawn.is_some_and(|spawn| self.is_there(there, spawn))
        };
        if !begun(thread) {
            return None;
        }
        let id = self.graph.of(thread).get(usize::from(there.of(thread))).copied();
        let (event, object) = if let Some(id) = id {
            let event = *self.graph.at(id);
            (event, self.run.bound(event.location))
        } else {
            let state = self.run.thread(thread);
            if state.status == Status::Done || self.has_stopped(thread) {
                return None;
            }
            let (operation, site) = &state.step;
            let object = operation.location();
            let location = object.map_or(NONE, |object| self.run.location(object));
            (Event::new(operation, location, thread, 0, site), object)
        };
        let Event { kind, location, act, .. } = event;
        if kind == Kind::Join {
            let child = location as usize;
            let all_there = usize::from(there.of(child)) == self.graph.of(child).len();
            if !(begun(child) && all_there && self.run.status(child) == Status::Done) {
                return None;
            }
        }
        Some(Next { thread, id, kind, location, object, act })
    }

    fn next_act(&self, next: &Next, there: &Clock, write: &Event, end: usize) -> NextAct {
        let order = self.graph.order(next.location);
        let present = |&&id: &&Id| {
            let event = self.graph.at(id);
            let is_write = (event.thread, event.index) == (write.thread, write.index);
            !is_write && event.in_past(there)
        };
        let now = order.iter().take_while(present).count();
        let state = next.object.map(|object| self.state(object, now));
        let enabled =
            state.zip(next.act).is_some_and(|(state, act)| state.enabled(act, next.thread));
        match order.get(now) {
            _ if !enabled => NextAct::Disabled,
            Some(&other) if now < end && Some(other) != next.id => NextAct::DisplacedBy(other),
            _ => NextAct::Taken,
        }
    }

    /// Whether `id` has made the latest choice, where others end before `latest`.
    fn is_latest(&self, id: Id, latest: &mut [usize]) -> bool {
        let event = self.graph.at(id);
        let end = latest.get(event.location()).copied().unwrap_or(0);
        let is_latest = match event.kind {
            Kind::Load | Kind::Update | Kind::Act => self.graph.after(event.rf) == end,
            Kind::Store => event.place as usize >= end,
            _ => true,
        };
        if event.kind.has_place() {
            latest[event.location()] = event.place as usize + 1;
        }
        is_latest && event.chooses_first()
    }
}

/// What comes of an act that is the next step of a thread.
enum NextAct {
    Disabled,
    /// It would be taken, and displaced by this one.
    DisplacedBy(Id),
    Taken,
}
