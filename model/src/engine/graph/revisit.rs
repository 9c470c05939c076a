//! Backward: a new event takes the place of an earlier one.

use std::sync::atomic::Ordering::{self, SeqCst};

use super::event::{Event, INIT, Id, Kind, NONE};
use super::outcome::Ending;
use super::relations::Graph;
use super::run::{Status, Thread};
use super::sc_order::ScOrder;
use super::search::Search;
use crate::kernel::{Operation, ThreadId};

impl Search {
    /// Lets earlier reads read from the write `a`.
    pub(super) fn revisit(&mut self, a: Id) {
        let write = *self.graph.at(a);
        let causes = self.graph.past(a).causes;
        let other = self.graph.other_update(a);
        for position in 0..self.graph.locations[write.location()].reads.len() {
            let r = self.graph.locations[write.location()].reads[position];
            let read = *self.graph.at(r);
            if r == a || read.todo || read.in_past(&causes) {
                continue;
            }
            // An update that reads what `a` reads has to go.
            let stays = |u| u < r || u != r && self.graph.at(u).in_past(&causes);
            if !other.is_some_and(stays) && self.may_replace(r, a) {
                self.read_from(r, a);
            }
        }
    }

    /// Leaves for later all graphs in which `r` reads from `a`.
    fn read_from(&mut self, r: Id, a: Id) {
        let write = *self.graph.at(a);
        let spare = self.spare();
        let (graph, ids) = self.graph.cut(r, a, true, spare);
        let (r, a) = (ids[r as usize], ids[a as usize]);
        let bound = graph.bound(write.location, &graph.hb_before(r));
        let (first, last) = if write.kind == Kind::Update {
            let at = graph.after(graph.at(a).rf);
            (at, at)
        } else {
            let first = graph.bound(write.location, &graph.hb_before(a));
            (first, graph.order(write.location).len())
        };
        let first = first.max(bound);
        for at in first..last {
            let mut copy = self.spare();
            copy.copy(&graph);
            self.read_from_at(copy, r, a, at);
        }
        if first <= last {
            self.read_from_at(graph, r, a, last);
        }
    }

    /// Leaves for later the graph in which `r` reads from `a`, and `a` writes at `at`.
    fn read_from_at(&mut self, mut graph: Graph, r: Id, a: Id, at: usize) {
        let write = *graph.at(a);
        // Not between an update and what it reads.
        if graph.splits(write.location, at) {
            return;
        }
        graph.insert(a, at);
        let latest = at + 1 == graph.order(write.location).len();
        if latest || graph.may_read(r, write.order) {
            self.leave(graph);
        }
    }

    /// Lets the act `a`, which has just been pushed, come before earlier acts on its object.
    pub(super) fn displace(&mut self, a: Id) {
        let act = *self.graph.at(a);
        let (Some(step), Some(object)) = (act.act, self.run.bound(act.location)) else { return };
        let causes = self.graph.causes_before(a);
        for at in (0..self.graph.order(act.location).len()).rev() {
            let displaced = self.graph.order(act.location)[at];
            // All earlier acts are causes of a cause.
            if self.graph.at(displaced).in_past(&causes) {
                break;
            }
            if !self.state(object, at).enabled(step, act.thread()) {
                continue;
            }
            self.graph.at_mut(a).rf = self.graph.write_before(act.location, at);
            self.graph.fill(a);
            if !self.may_replace(displaced, a) {
                continue;
            }
            let spare = self.spare();
            let (mut graph, ids) = self.graph.cut(displaced, a, false, spare);
            let act = graph.at_mut(ids[a as usize]);
            (act.todo, act.pin) = (true, Graph::kept(&ids, displaced));
            self.leave(graph);
        }
        self.graph.at_mut(a).rf = INIT;
    }

    /// No thread can take a step. Whether the run goes on, since time is up for one of them.
    pub(super) fn goes_on_when_stuck(&mut self) -> bool {
        if self.run.over.is_none() {
            self.compare_with_graph();
        }
        if self.run.over.is_some() || self.decides.is_some() || self.again.is_some() {
            return false;
        }
        let waits = self.waits_in_time();
        if !waits.is_empty() && self.has_run_on() {
            // The graph is explored again, without what the loop did while it was run on.
            let graph = self.copy();
            self.work.push(graph);
            self.run.end(Ending::Again);
            return false;
        }
        let known = self.work.len();
        self.displace_by_blocked();
        let goes_on = self.time_out(&waits);
        self.share_out(known);
        goes_on
    }

    /// The threads for which time may be up.
    fn waits_in_time(&self) -> Vec<ThreadId> {
        if !self.config.policy.patient || self.bound().is_some() || self.stutters() {
            return Vec::new();
        }
        let preference = self.names.preference.iter().copied();
        let waits = preference.filter(|&thread| {
            let waits = |state: &Thread| state.limited && state.waiting.stopped.is_none();
            self.run.status(thread) == Status::Active && waits(self.run.thread(thread))
        });
        waits.collect()
    }

    /// No thread can take a step. Those that wait for an object might have come earlier.
    fn displace_by_blocked(&mut self) {
        for at in 0..self.names.preference.len() {
            let thread = self.names.preference[at];
            if self.run.status(thread) != Status::Active {
                continue;
            }
            let (operation, site) = self.run.thread(thread).step;
            if self.has_stopped(thread) || !matches!(operation, Operation::Act { .. }) {
                continue;
            }
            let location = operation.location().map_or(NONE, |id| self.run.location(id));
            if location == NONE {
                // There are no acts on it.
                continue;
            }
            let index = self.graph.of(thread).len();
            let after_stutter = self.run.thread(thread).waiting.stutters();
            let event = Event::new(&operation, location, thread, index, site);
            let a = self.graph.push(Event { after_stutter, ..event });
            self.displace(a);
            self.graph.pop();
        }
    }
}

impl Graph {
    /// Whether the SC axiom allows that `r` reads what it is to read, a write with this ordering.
    fn may_read(&mut self, r: Id, order: Ordering) -> bool {
        let read = *self.at(r);
        // Whether an update succeeds, and its ordering, is known only when it is done.
        let known = !read.updates;
        if known {
            self.at_mut(r).todo = false;
            self.fill(r);
        }
        let sc = order == SeqCst || known && read.order == SeqCst;
        let holds = !self.sc_matters(sc) || ScOrder::default().holds(self);
        self.at_mut(r).todo = true;
        holds
    }
}
