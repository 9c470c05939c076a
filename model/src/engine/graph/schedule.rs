//! Which thread goes next, and whether its step is one of the graph.

use super::event::{Event, INIT, Id, Kind};
use super::outcome::{Action, Ending};
use super::run::{Entry, Status, Thread};
use super::search::Search;
use super::turns::Stopped;
use crate::kernel::{Clock, LocationId, Operation, Site, ThreadId, is_same_site};
use crate::place::in_program;

/// An event is numbered by 16 bits in its thread.
const MOST_STEPS: usize = 60_000;

impl Search {
    /// `thread` has come to its first step, or to its end.
    pub(super) fn arrived(&mut self, thread: ThreadId) {
        let state = self.run.thread_mut(thread);
        if state.status == Status::Fresh {
            state.status = Status::Active;
            self.run.fresh -= 1;
        }
    }

    /// The thread that is to run.
    pub(super) fn next_to_resume(&self) -> Option<ThreadId> {
        if self.run.over.is_some() {
            return None;
        }
        if let Some(look) = &self.again {
            return self.next_to_look_again(look.last);
        }
        if self.run.fresh > 0 {
            let mut threads = 0..self.run.threads.len();
            return threads.find(|&thread| self.run.status(thread) == Status::Fresh);
        }
        if self.run.replayed == self.graph.events.len() {
            return if self.decides.is_some() { None } else { self.next_to_extend() };
        }
        let can_replay = |&thread: &ThreadId| {
            self.run.status(thread) == Status::Active
                && self.next_in_graph(thread).is_some_and(|id| self.can_replay(id))
        };
        self.names.preference.iter().copied().find(can_replay)
    }

    /// What `thread` does next, according to the graph.
    pub(super) fn next_in_graph(&self, thread: ThreadId) -> Option<Id> {
        self.graph.of(thread).get(usize::from(self.run.thread(thread).at)).copied()
    }

    /// No thread can be resumed. If the program did not do what the graph says, that ends the run.
    ///
    /// # Panics
    ///
    /// If the graph cannot be replayed although each thread does what it says: an error of this engine.
    pub(super) fn compare_with_graph(&mut self) {
        let mut threads = 0..self.run.threads.len();
        if self.run.replayed < self.graph.events.len() {
            let ended = threads.find_map(|thread| {
                let id = self.next_in_graph(thread)?;
                (self.run.status(thread) == Status::Done).then_some((thread, id))
            });
            let (thread, id) = ended.expect("the replay is stuck");
            let event = self.graph.at(id);
            let has_location = event.kind.reads() || event.kind.has_place();
            let location = self.run.bound(event.location).filter(|_| has_location);
            let before = Some((event.site, location));
            self.run.end(Ending::Nondeterministic { thread, before, now: None });
        }
    }

    /// Whether what `id` depends on has taken place in this run.
    pub(super) fn can_replay(&self, id: Id) -> bool {
        let event = self.graph.at(id);
        if event.todo {
            return self.run.replayed + 1 == self.graph.events.len() && self.run.fresh == 0;
        }
        match event.kind {
            Kind::Join => self.run.status(event.location()) == Status::Done,
            // Not before an earlier time-out, which would resume a loop that has been resumed.
            _ if self.graph.time_out.is_some() => self.took_place(&self.graph.past(id).causes, id),
            _ if event.rf == INIT => true,
            _ => {
                let source = self.graph.at(event.rf);
                self.run.thread(source.thread()).at > source.index
            }
        }
    }

    /// Whether all events of a set but `id` have taken place in this run.
    fn took_place(&self, set: &Clock, id: Id) -> bool {
        let own = self.graph.at(id).thread();
        self.run
            .threads
            .iter()
            .enumerate()
            .all(|(thread, state)| state.at + u16::from(thread == own) >= set.of(thread))
    }

    /// The first thread that can take a step which the graph does not have.
    fn next_to_extend(&self) -> Option<ThreadId> {
        self.names
            .preference
            .iter()
            .copied()
            .find(|&thread| self.run.status(thread) == Status::Active && self.is_enabled(thread))
    }

    fn is_enabled(&self, thread: ThreadId) -> bool {
        let state = self.run.thread(thread);
        match state.step.0 {
            _ if self.has_stopped(thread) => false,
            Operation::Act { object, act } => {
                let acts = self.graph.order(self.run.location(object)).len();
                self.state(object, acts).enabled(act, thread)
            }
            Operation::Join { child } => self.run.status(child) == Status::Done,
            _ => true,
        }
    }

    /// Whether a thread has stopped. One that stutters goes on until it holds as few locks as in any turn.
    pub(super) fn has_stopped(&self, thread: ThreadId) -> bool {
        let Thread { waiting, limited, .. } = self.run.thread(thread);
        waiting.stopped.is_some() && !(waiting.at_step && waiting.holds_more_locks() && !limited)
    }

    /// Takes the step that `thread` wants to take, if it is its turn.
    pub(super) fn advance(&mut self, thread: ThreadId) -> Option<u64> {
        if self.run.over.is_some() || self.has_stopped(thread) {
            return None;
        }
        let at = self.run.thread(thread).at;
        let known = self.work.len();
        let (operation, site) = self.run.thread(thread).step;
        let (id, result) = if let Some(&id) = self.graph.of(thread).get(usize::from(at)) {
            if !self.can_replay(id) || !self.is_same(id, &operation, site) {
                return None;
            }
            self.check_step(&operation, site);
            self.run.replayed += 1;
            let todo = self.graph.at(id).todo;
            (id, if todo { self.redo(id, &operation) } else { self.perform(id, &operation) })
        } else if self.again.is_some() {
            let now = Some((site, operation.location()));
            self.run.end(Ending::Nondeterministic { thread, before: None, now });
            return None;
        } else {
            let replayed = self.run.replayed == self.graph.events.len() && self.run.fresh == 0;
            if !replayed || self.next_to_extend() != Some(thread) {
                return None;
            }
            if usize::from(at) >= self.config.steps.min(MOST_STEPS) {
                let site = self.last_in_program(thread).unwrap_or(site);
                self.run.thread_mut(thread).waiting.stopped = Some((Stopped::Steps, site));
                return None;
            }
            self.check_step(&operation, site);
            self.run.replayed += 1;
            self.extend(thread, &operation, site)
        };
        self.share_out(known);
        if !operation.is_of_threads_only() {
            self.run.stepped |= 1 << thread;
        }
        let state = self.run.thread_mut(thread);
        state.at += 1;
        state.hb = self.graph.past(id).hb;
        self.look(thread, id, result);
        if self.graph.at(id).kind == Kind::TimeOut {
            self.resume_loops();
        }
        let action = Action::Step(operation);
        self.run.log.push(Entry { thread, action, site, result, event: Some(id) });
        self.run.over.is_none().then_some(result)
    }

    /// Whether what a thread accesses now can be what it accessed before.
    fn is_same_location(&mut self, id: LocationId, location: u32) -> bool {
        let made = self.graph.locations.get(location as usize).and_then(|known| known.made);
        let now = self.run.place(id).maker.site;
        made.is_none_or(|made| is_same_site(made, now)) && self.run.bind(id, location)
    }

    /// Where a thread took its last step that the program itself has asked for, and not a destructor that the standard
    /// library calls.
    fn last_in_program(&self, thread: ThreadId) -> Option<Site> {
        let mut sites = self.graph.of(thread).iter().rev().map(|&id| self.graph.at(id).site);
        sites.find(|site| in_program(site.file(), site.line()).is_some())
    }

    /// Whether a thread does again what the graph says that it did.
    fn is_same(&mut self, id: Id, operation: &Operation, site: Site) -> bool {
        let event = *self.graph.at(id);
        // The location is compared below.
        let now = Event::new(operation, event.location, event.thread(), 0, site);
        let decided = event.updates && now.updates;
        let in_time = self.run.thread(event.thread()).limited && now.kind == Kind::Act;
        let same = (event.kind == now.kind || decided || event.kind == Kind::TimeOut && in_time)
            && (event.location, event.act) == (now.location, now.act)
            && (event.order == now.order || decided)
            && is_same_site(event.site, now.site)
            && operation.location().is_none_or(|id| self.is_same_location(id, event.location));
        if !same {
            let has_location = event.kind.reads() || event.kind.has_place();
            let before = self.run.bound(event.location).filter(|_| has_location);
            self.run.end(Ending::Nondeterministic {
                thread: event.thread(),
                before: Some((event.site, before)),
                now: Some((site, operation.location())),
            });
        }
        same
    }
}
