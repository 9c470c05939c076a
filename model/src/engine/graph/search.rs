//! The exploration as a whole: graphs still to be explored, and what holds over all executions.

use super::Config;
use super::event::{INIT, Id};
use super::outcome::{Blocked, Bound, Ending};
use super::relations::Graph;
use super::run::{Run, Status};
use super::sc_order::ScOrder;
use super::signature::Seen;
use super::turns::{Stopped, Stutters};
use crate::engine::names::Names;
use crate::kernel::{AtomicKind, CellKind, LocationId, Made, Object, ThreadId};

/// How many events the graphs that are put off may have in all, about: some 60 MB.
const MOST_PUT_OFF: usize = 1 << 17;

/// How many graphs that have been explored are kept.
const MOST_SPARE: usize = 8;

/// What is known of an execution that is run again: see [`again`](super::again).
#[derive(Debug, Clone)]
pub(super) struct Again {
    /// The thread that moves only if no other can.
    pub(super) last: ThreadId,
    /// See [`Run::last_owners`].
    pub(super) owners: u64,
    pub(super) returned: Option<String>,
}

pub(super) struct Search {
    pub(super) config: Config,
    /// The graph that is replayed and extended.
    pub(super) graph: Graph,
    /// Graphs whose last choice is made and still to be carried out.
    pub(super) work: Vec<Graph>,
    /// Graphs that have been explored, whose memory is used again.
    spare: Vec<Graph>,
    /// More of them, for when those are explored: something in each happens without a cause, such as a spurious wake-up.
    /// A failure is then found in an execution without that, if there is one.
    put_off: Vec<Graph>,
    /// The causes of a thread that stutters, to be run to find out whether it does so for ever, and their
    /// signature.
    pub(super) to_decide: Option<(Graph, u128)>,
    /// The run is one of these.
    pub(super) decides: Option<u128>,
    /// Finished executions that are to be run again, and are to be shown unless that says how.
    pub(super) to_look_at: Vec<(Graph, Option<Again>)>,
    /// This run is one of those.
    pub(super) again: Option<Again>,
    /// This run is one of an execution that has been run again.
    pub(super) looked: bool,
    /// If the execution of this run comes to its end, it is run again, as one of a few.
    pub(super) is_sample: bool,
    /// See [`Run::last_owners`]: in any run so far.
    pub(super) last_owners: u64,
    pub(super) names: Names,
    pub(super) for_ever: Stutters,
    pub(super) seen: Option<Seen>,
    pub(super) run: Run,
    /// How much of the search tree has been explored, of 1.
    pub(super) explored: f64,
}

impl Search {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            graph: Graph::default(),
            work: vec![Graph { share: 1.0, ..Graph::default() }],
            spare: Vec::new(),
            put_off: Vec::new(),
            to_decide: None,
            decides: None,
            to_look_at: Vec::new(),
            again: None,
            looked: false,
            is_sample: false,
            last_owners: 0,
            names: Names::new(config.reversed),
            for_ever: Stutters::new(),
            seen: config.hashes.then(Seen::default),
            run: Run::default(),
            explored: 0.0,
        }
    }

    /// The next graph to explore.
    pub(super) fn next(&mut self) -> Option<Graph> {
        let (graph, causes) = self.to_decide.take().unzip();
        (self.decides, self.looked, self.again) = (causes, false, None);
        let graph = graph.or_else(|| self.next_to_look_at()).or_else(|| self.work.pop());
        graph.or_else(|| self.put_off.pop())
    }

    /// Explores `graph` from now on.
    pub(super) fn explore(&mut self, graph: Graph) {
        let explored = std::mem::replace(&mut self.graph, graph);
        if self.spare.len() < MOST_SPARE {
            self.spare.push(explored);
        }
    }

    /// Memory for a graph.
    pub(super) fn spare(&mut self) -> Graph {
        self.spare.pop().unwrap_or_default()
    }

    /// A copy of the graph that is explored.
    pub(super) fn copy(&mut self) -> Graph {
        let mut copy = self.spare();
        copy.copy(&self.graph);
        copy
    }

    /// Leaves a graph for later, unless it has been left before.
    pub(super) fn leave(&mut self, graph: Graph) {
        if let Some(seen) = &mut self.seen
            && !seen.add_partial(&graph, &self.names)
        {
            return;
        }
        self.work.push(graph);
    }

    /// Gives each graph left for later, from number `since` on, the same share as this one, of what was
    /// this one's. Puts off those in which a choice takes another branch than the first. No execution that takes first
    /// branches alone comes of such a graph.
    pub(super) fn share_out(&mut self, since: usize) {
        let left = &mut self.work[since..];
        if left.is_empty() {
            return;
        }
        self.graph.share /= (left.len() + 1) as f64;
        for graph in left {
            graph.share = self.graph.share;
        }
        if self.put_off.len() * self.graph.events.len() < MOST_PUT_OFF {
            let unusual = self.work.extract_if(since.., |graph| !graph.chose_first());
            self.put_off.extend(unusual);
        }
    }

    /// Whether the SC axiom holds with `id` added. Nothing comes after an event that is added as the
    /// latest of its location, so it cannot close a cycle.
    pub(super) fn sc_holds(&self, id: Id) -> bool {
        let event = self.graph.at(id);
        let end = match event.kind {
            super::event::Kind::Load => self.graph.after(event.rf),
            _ => event.place as usize + 1,
        };
        let latest = end == self.graph.order(event.location).len();
        let sc = event.order == std::sync::atomic::Ordering::SeqCst;
        latest || !self.graph.sc_matters(sc) || ScOrder::default().holds(&self.graph)
    }

    /// What a read of a location of the graph from `write` sees in this run.
    pub(super) fn value(&self, location: u32, write: Id) -> u64 {
        match write {
            INIT => self.run.bound(location).map_or(0, |id| self.run.places[id.index()].value()),
            write => self.run.values[write as usize],
        }
    }

    /// The state of an object after its first `acts` acts.
    ///
    /// # Panics
    ///
    /// If the location is no object.
    pub(super) fn state(&self, object: LocationId, acts: usize) -> &Object {
        let state = match self.graph.write_before(self.run.location(object), acts) {
            INIT => self.run.places[object.index()].state(),
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
        self.graph.order(self.run.location(object)).iter().take_while(took_place).count()
    }

    /// The limit at which a thread has stopped.
    pub(super) fn bound(&self) -> Option<Bound> {
        let mut threads = self.run.threads.iter().enumerate();
        threads.find_map(|(thread, state)| match state.waiting.stopped? {
            (Stopped::Turns, site) => Some(Bound::Turns { thread, site }),
            (Stopped::Steps, site) => Some(Bound::Steps { thread, site }),
            (Stopped::Stutter, _) => None,
        })
    }

    /// The values that have owners still, and memory that is not freed, though all threads have ended and statics
    /// were dropped.
    pub(super) fn leak(&self) -> Option<Ending> {
        if !self.config.leaks {
            return None;
        }
        let places = self.run.places.iter().enumerate();
        let leaked = places.filter_map(|(location, place)| {
            let leaks = match place.made {
                Made::Atomic { kind: AtomicKind::Strong, .. } => {
                    self.newest(LocationId::new(location)) != 0
                }
                Made::Cell(CellKind::Allocation | CellKind::InStdArc) => !place.plain.is_freed(),
                _ => false,
            };
            leaks.then_some(place.maker)
        });
        let leaked: Vec<_> = leaked.collect();
        (!leaked.is_empty()).then_some(Ending::Leak(leaked))
    }

    /// How the run ended that goes no further.
    pub(super) fn ending(&mut self) -> Ending {
        if let Some(ending) = self.run.over.take() {
            return ending;
        }
        let waits = |status| !matches!(status, Status::Done | Status::Absent);
        if !self.run.threads.iter().any(|thread| waits(thread.status)) {
            let threads = self.run.threads.iter().enumerate();
            let panics =
                threads.filter_map(|(thread, state)| Some((thread, state.panic.as_ref()?)));
            let first = panics.min_by_key(|(thread, _)| self.names.path(*thread));
            let panicked = first.map(|(thread, message)| {
                let message = message.clone();
                Ending::Panic { thread, message }
            });
            return panicked.unwrap_or(Ending::Complete);
        }
        if let Some(bound) = self.bound() {
            return Ending::Bounded(bound);
        }
        if self.stutters() {
            return Ending::Stutter;
        }
        let blocked = self.run.threads.iter().enumerate().filter(|(_, state)| waits(state.status));
        let blocked = blocked.map(|(thread, state)| {
            let loops = state.waiting.stopped.is_some();
            let last = self.last_look(thread).filter(|_| loops);
            let spins = loops && !state.waiting.blocks;
            let (operation, site) = last.unwrap_or(state.step);
            Blocked { thread, operation, site, spins, until: loops && !spins }
        });
        Ending::Deadlock(blocked.collect())
    }
}
