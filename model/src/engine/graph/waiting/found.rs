//! What a turn has found, and whether it would find something else in the end.

use std::collections::HashMap;

use super::super::event::{INIT, Id, Kind};
use super::super::run::Thread;
use super::super::search::Search;
use super::super::turns::{Lasting, Look, Name};
use crate::kernel::object::{RwLockAct, acquired};
use crate::kernel::{Act, Clock, Edges, LocationId, Object, Operation, ThreadId};

/// The states of locks in the end, after those looks of a turn that came so far, if it was taken again.
pub(super) type Locks = HashMap<LocationId, Object>;

impl Search {
    /// Whether what a thread has looked at is another thing in the end. `locks` knows of the looks before it in the turn.
    pub(super) fn is_old(&self, thread: ThreadId, look: &Look, locks: &mut Locks) -> bool {
        let Some(object) = look.operation.location() else { return false };
        let location = self.run.location(object);
        let order = self.graph.order(location);
        let act = match look.operation {
            Operation::Act { act, .. } => act,
            Operation::Store { .. } => return false,
            _ => return look.source != self.origin(order.last().copied().unwrap_or(INIT)),
        };
        let acts = self.acts_so_far(object);
        let source = |acts| self.last_foreign_act((object, act), acts, thread, None);
        if source(look.acts as usize) != source(acts) {
            return true;
        }
        let state = self.state(object, acts);
        match act {
            Act::Mutex(_) | Act::RwLock(_) => {
                let state = locks.entry(object).or_insert_with(|| state.clone());
                self.finds_another(state, act, thread, look.result)
            }
            // Its own read has ended since.
            Act::ReadEnd(_) if self.ends_read_itself(thread, &order[..acts]) => false,
            _ => self.finds_another(&mut state.clone(), act, thread, look.result),
        }
    }

    /// Whether `act` is taken now with another result.
    fn finds_another(&self, state: &mut Object, act: Act, thread: ThreadId, before: u64) -> bool {
        let edges = &mut Edges { past: &mut Clock::default() };
        let act = match (act, &*state) {
            // What comes of it is known by the steps after it.
            (Act::RwLock(RwLockAct::TryWrite), _) if before == acquired::HAS_READS => return false,
            // Of these two, that one succeeds which comes after the end of the last read.
            (
                Act::RwLock(RwLockAct::TryWrite | RwLockAct::TryWriteAfter { .. }),
                Object::RwLock(lock),
            ) if lock.reads().iter().all(|&end| self.has_ended(end)) => {
                let begun = lock.begun();
                Act::RwLock(RwLockAct::TryWriteAfter { begun })
            }
            (act, _) => act,
        };
        state.enabled(act, thread) && state.apply(act, thread, edges) != before
    }

    /// Whether a read has ended that ends there.
    fn has_ended(&self, end: LocationId) -> bool {
        let state = self.state(end, self.acts_so_far(end));
        matches!(state, Object::ReadEnd(end) if end.has_ended())
    }

    /// Whether one of these acts of `thread` is the end of a read.
    fn ends_read_itself(&self, thread: ThreadId, acts: &[Id]) -> bool {
        let mut acts = acts.iter().map(|&id| self.graph.at(id));
        acts.any(|event| event.thread() == thread && event.act.is_some_and(Act::ends_read))
    }

    /// Whether an attempt that failed succeeds in the middle of a turn of another loop that stopped: a `try_send` that
    /// meets a `recv_timeout`.
    pub(super) fn succeeds_in_a_turn(&self, thread: ThreadId, look: &Look) -> bool {
        let Operation::Act { object, act: act @ Act::Channel(_) } = look.operation else {
            return false;
        };
        let state = self.state(object, self.acts_so_far(object));
        let in_turn_of = |(other, its): (ThreadId, &Thread)| {
            let looks = &its.waiting.before.looks;
            let steps = looks.iter().filter_map(|step| step.operation.act_on(object));
            let succeeds = |state: &Object| state.lets_succeed(act, thread);
            other != thread
                && its.waiting.stutters()
                && state.clone().comes_by(steps, other, succeeds)
        };
        !act.succeeds(look.result) && self.run.threads.iter().enumerate().any(in_turn_of)
    }

    fn name(&self, id: Id) -> Name {
        (id != INIT).then(|| (self.graph.at(id).thread, self.graph.at(id).index))
    }

    /// Where the value of `write` comes from: what only wrote it back does not count.
    pub(super) fn origin(&self, mut write: Id) -> Name {
        while write != INIT {
            let event = self.graph.at(write);
            write = match event.rf {
                lock if event.undoes => self.graph.at(lock).rf,
                _ if self.writes_back(write) => {
                    self.graph.write_before(event.location, event.place as usize)
                }
                _ => break,
            };
        }
        self.name(write)
    }

    /// Whether `id` is an update that wrote what it had read, or a store that left nothing behind.
    pub(super) fn writes_back(&self, id: Id) -> bool {
        let event = self.graph.at(id);
        match event.kind {
            Kind::Update => self.value(event.location, event.rf) == self.run.values[id as usize],
            Kind::Store => self.run.lasting[id as usize] == Lasting::No,
            _ => false,
        }
    }

    /// Whether `id`, the last step of its thread so far, is a store of the value that is there, to a location that no
    /// other thread knows of.
    pub(super) fn stores_what_is_there(&self, id: Id) -> bool {
        let event = self.graph.at(id);
        let Some(location) = self.run.bound(event.location) else { return false };
        let maker = self.run.places[location.index()].maker;
        let published = self.run.thread(event.thread()).waiting.published;
        let before = || self.graph.write_before(event.location, event.place as usize);
        maker.thread == event.thread()
            && maker.index >= published
            && self.value(event.location, before()) == self.run.values[id as usize]
    }

    /// What an act of `thread` found that came after so many others: the last lasting one of another thread, as far as
    /// the causes of what `thread` has done so far say.
    pub(super) fn found_by(&self, thread: ThreadId, operation: &Operation, acts: usize) -> Name {
        let Operation::Act { object, act } = *operation else { return None };
        let steps = usize::from(self.run.thread(thread).at);
        let last = steps.checked_sub(1).map(|last| self.graph.of(thread)[last]);
        let causes = last.map(|last| &self.graph.past(last).causes);
        self.last_foreign_act((object, act), acts, thread, causes)
    }

    /// Of the first so many acts, the last lasting one of another thread than `thread` that is of account to `act`, as far
    /// as `known` says. Without it everything is known.
    fn last_foreign_act(
        &self,
        (object, act): (LocationId, Act),
        acts: usize,
        thread: ThreadId,
        known: Option<&Clock>,
    ) -> Name {
        let lasts = |id: Id, other: ThreadId| match self.run.lasting[id as usize] {
            Lasting::No => false,
            Lasting::Yes => true,
            Lasting::Open => known.is_some() || self.may_have_changed(other),
            Lasting::UntilStep(steps) => known.is_some_and(|known| known.of(other) < steps),
        };
        let counts = |id: Id| act.tries_write() || !self.graph.at(id).act.is_some_and(Act::reads);
        let order = self.graph.order(self.run.location(object))[..acts].iter().rev();
        let mut others = order.filter(|&&id| {
            let other = self.graph.at(id).thread();
            other != thread && counts(id) && lasts(id, other)
        });
        others.next().and_then(|&id| self.name(id))
    }
}
