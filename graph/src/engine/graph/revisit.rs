//! Backward: a new event takes the place of an earlier one.

use std::sync::atomic::Ordering::{self, SeqCst};

use super::event::{Event, INIT, Id, Kind};
use super::relations::Graph;
use super::run::Status;
use super::search::Search;
use crate::kernel::Operation;

impl Search {
    /// Lets earlier reads read from the write `a`.
    pub(super) fn revisit(&mut self, a: Id) {
        let write = *self.graph.at(a);
        let causes = self.graph.past(a).causes;
        for position in 0..self.graph.locations[write.location()].reads.len() {
            let r = self.graph.locations[write.location()].reads[position];
            let read = *self.graph.at(r);
            if r == a || read.todo || read.in_past(&causes) {
                continue;
            }
            if self.may_replace(r, a) {
                self.read_from(r, a);
            }
        }
    }

    /// Leaves for later all graphs in which `r` reads from `a`.
    fn read_from(&mut self, r: Id, a: Id) {
        let write = *self.graph.at(a);
        let mut graph = self.spare();
        let (r, a) = self.graph.cut(&mut graph, &mut self.ids, r, a, true);
        let bound = graph.bound(write.location, &graph.hb_before(r));
        let (first, last) = if write.kind == Kind::Update {
            let at = graph.after(graph.at(a).rf);
            (at, at)
        } else {
            let first = graph.bound(write.location, &graph.hb_before(a));
            (first, graph.order(write.location).len())
        };
        for at in first.max(bound)..last {
            let mut next = self.spare();
            next.clone_from(&graph);
            self.read_from_at(next, r, a, at);
        }
        if bound <= last {
            self.read_from_at(graph, r, a, last);
        } else {
            self.spare.push(graph);
        }
    }

    /// Leaves for later the graph in which `r` reads from `a`, and `a` writes at `at`.
    fn read_from_at(&mut self, mut graph: Graph, r: Id, a: Id, at: usize) {
        let write = *graph.at(a);
        // An update that reads what `a` reads has to go.
        if graph.splits(write.location, at) {
            self.spare.push(graph);
            return;
        }
        graph.insert(a, at);
        let latest = at + 1 == graph.order(write.location).len();
        if latest || self.may_read(&mut graph, r, write.order) {
            self.leave(graph);
        } else {
            self.spare.push(graph);
        }
    }

    /// Whether the SC axiom allows that `r` reads what it is to read, a write with this ordering.
    fn may_read(&mut self, graph: &mut Graph, r: Id, order: Ordering) -> bool {
        let read = *graph.at(r);
        // Whether an update succeeds, and its ordering, is known only when it is done.
        let known = !read.updates;
        if known {
            graph.at_mut(r).todo = false;
            graph.fill(r);
        }
        let sc = order == SeqCst || known && read.order == SeqCst;
        let holds = !graph.sc_matters(sc) || self.psc.holds(graph);
        graph.at_mut(r).todo = true;
        holds
    }

    /// Lets the act `a`, which has just been pushed, come before earlier acts on its object.
    pub(super) fn displace(&mut self, a: Id) {
        let act = *self.graph.at(a);
        let Some(step) = act.act else { return };
        let causes = self.graph.causes_before(a);
        for at in (0..self.graph.order(act.location).len()).rev() {
            let displaced = self.graph.order(act.location)[at];
            // All earlier acts are causes of a cause.
            if self.graph.at(displaced).in_past(&causes) {
                break;
            }
            if !self.state(act.location, at).enabled(step, act.thread()) {
                continue;
            }
            self.graph.at_mut(a).rf = self.graph.write_before(act.location, at);
            self.graph.fill(a);
            if !self.may_replace(displaced, a) {
                continue;
            }
            let mut graph = self.spare();
            let (_, new) = self.graph.cut(&mut graph, &mut self.ids, displaced, a, false);
            graph.at_mut(new).todo = true;
            graph.at_mut(new).pin = Graph::kept(&self.ids, displaced);
            self.leave(graph);
        }
        self.graph.at_mut(a).rf = INIT;
    }

    /// No thread can take a step. Those that wait for an object might have come earlier.
    pub(super) fn displace_by_blocked(&mut self) {
        for at in 0..self.names.preference.len() {
            let thread = self.names.preference[at];
            if self.run.status(thread) != Status::Active {
                continue;
            }
            let (operation, site) = self.run.thread(thread).step;
            let stopped = self.run.thread(thread).waiting.stopped.is_some();
            if stopped || !matches!(operation, Operation::Act { .. }) {
                continue;
            }
            let index = self.graph.of(thread).len();
            let a = self.graph.push(Event::new(&operation, thread, index, site));
            self.displace(a);
            self.graph.pop();
        }
    }
}
