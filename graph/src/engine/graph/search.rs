//! The exploration as a whole: graphs still to be explored, and what holds over all executions.

use super::Config;
use super::event::{INIT, Id};
use super::names::Names;
use super::outcome::{Blocked, Bound, Ending};
use super::psc::Psc;
use super::relations::Graph;
use super::run::{Run, Status};
use super::signature::Seen;
use super::waiting::{Loops, Stopped};
use crate::kernel::{LocationId, Object};

pub(super) struct Search {
    pub(super) config: Config,
    /// The graph that is replayed and extended.
    pub(super) graph: Graph,
    /// Graphs whose last choice is made and still to be carried out.
    pub(super) work: Vec<Graph>,
    /// Graphs that wait until it is known whether a loop gives up.
    pub(super) put_off: Vec<Graph>,
    /// They wait no longer.
    pub(super) decides: bool,
    /// Graphs that are done with, for their memory.
    pub(super) spare: Vec<Graph>,
    /// A buffer of [`Graph::cut`].
    pub(super) ids: Vec<Id>,
    /// A buffer of `is_canonical`.
    pub(super) latest: Vec<usize>,
    pub(super) psc: Psc,
    pub(super) names: Names,
    pub(super) loops: Loops,
    pub(super) seen: Option<Seen>,
    pub(super) run: Run,
}

impl Search {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            graph: Graph::default(),
            work: vec![Graph::default()],
            put_off: Vec::new(),
            decides: false,
            spare: Vec::new(),
            ids: Vec::new(),
            latest: Vec::new(),
            psc: Psc::default(),
            names: Names::new(config.reversed),
            loops: Loops::new(),
            seen: config.hashes.then(Seen::default),
            run: Run::new(),
        }
    }

    /// The next graph to explore.
    pub(super) fn next(&mut self) -> Option<Graph> {
        let next = self.work.pop();
        self.decides = next.is_none();
        next.or_else(|| self.put_off.pop())
    }

    /// Whether there is another graph to explore.
    pub(super) fn has_more(&self) -> bool {
        !(self.work.is_empty() && self.put_off.is_empty())
    }

    /// A graph to write over.
    pub(super) fn spare(&mut self) -> Graph {
        self.spare.pop().unwrap_or_default()
    }

    /// A copy of the present graph.
    pub(super) fn fork(&mut self) -> Graph {
        let mut graph = self.spare();
        graph.clone_from(&self.graph);
        graph
    }

    /// Leaves a graph for later, unless it has been left before.
    pub(super) fn leave(&mut self, graph: Graph) {
        if let Some(seen) = &mut self.seen
            && !seen.add_partial(&graph, &self.names)
        {
            self.spare.push(graph);
            return;
        }
        self.work.push(graph);
    }

    /// Whether the SC axiom holds with `id` added. Nothing comes after an event that is added as the
    /// latest of its location, so it cannot close a cycle.
    pub(super) fn sc_holds(&mut self, id: Id) -> bool {
        let event = self.graph.at(id);
        let end = match event.kind {
            super::event::Kind::Load => self.graph.after(event.rf),
            _ => event.place as usize + 1,
        };
        let latest = end == self.graph.order(event.location).len();
        let sc = event.order == std::sync::atomic::Ordering::SeqCst;
        latest || !self.graph.sc_matters(sc) || self.psc.holds(&self.graph)
    }

    /// What a read from `write` sees in this run.
    pub(super) fn value(&self, location: LocationId, write: Id) -> u64 {
        if write != INIT {
            return self.run.values[write as usize];
        }
        self.run.places[location as usize].as_ref().map_or(0, |place| place.value)
    }

    /// The state of an object after its first `acts` acts.
    ///
    /// # Panics
    ///
    /// If the location is no object.
    pub(super) fn state(&self, object: LocationId, acts: usize) -> &Object {
        let state = match self.graph.write_before(object, acts) {
            INIT => {
                self.run.places[object as usize].as_ref().and_then(|place| place.state.as_ref())
            }
            id => self.run.states[id as usize].as_ref(),
        };
        state.expect("an object of this execution")
    }

    /// How many acts on an object have taken place in this run: in a replay, not all of the graph.
    pub(super) fn acts_so_far(&self, object: LocationId) -> usize {
        let took_place = |&&id: &&Id| {
            let event = self.graph.at(id);
            self.run.thread(event.thread()).at > event.index
        };
        self.graph.order(object).iter().take_while(took_place).count()
    }

    /// How the run ended that goes no further.
    pub(super) fn ending(&mut self) -> Ending {
        if let Some(ending) = self.run.over.take() {
            return ending;
        }
        let waits = |status| !matches!(status, Status::Done | Status::Absent);
        if !self.run.threads.iter().any(|thread| waits(thread.status)) {
            let panicked = self.run.threads.iter().enumerate().find_map(|(thread, state)| {
                Some(Ending::Panic { thread, message: state.panic.clone()? })
            });
            return panicked.unwrap_or(Ending::Complete);
        }
        for (thread, state) in self.run.threads.iter().enumerate() {
            match state.waiting.stopped {
                Some((Stopped::Turns, site)) => {
                    return Ending::Bounded(Bound::Turns { thread, site });
                }
                Some((Stopped::Steps, site)) => {
                    return Ending::Bounded(Bound::Steps { thread, site });
                }
                _ => {}
            }
        }
        if self.stutters() {
            return Ending::Stutter;
        }
        let blocked = self.run.threads.iter().enumerate().filter(|(_, state)| waits(state.status));
        let blocked = blocked.map(|(thread, state)| {
            let spins = state.waiting.stopped.is_some();
            let last = self.last_look(thread).filter(|_| spins);
            let (operation, site) = last.unwrap_or(state.step);
            Blocked { thread, operation, site, spins }
        });
        Ending::Deadlock(blocked.collect())
    }
}
