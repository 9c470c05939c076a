//! One execution, as the caller sees it.

use super::event::{INIT, Kind};
use super::order::Order;
use super::outcome::{Ending, Line, Party, Source, Text, Trace, Unsynchronised};
use super::precedence::Precedence;
use super::relations::Graph;
use super::run::{Place, Status};
use super::search::Search;
use crate::kernel::operation::acquires;
use crate::kernel::{Clock, LocationId, Made, Object, Site, ThreadId};

/// One execution of the program.
pub struct Execution<'a> {
    search: &'a Search,
    number: u64,
    constraints: Vec<Precedence>,
}

impl Search {
    /// Whether this graph has not been met before.
    pub(super) fn is_new(&mut self) -> bool {
        let Self { graph, names, seen, .. } = self;
        seen.as_mut().is_none_or(|seen| seen.add_whole(graph, names))
    }
}

impl<'a> Execution<'a> {
    pub(super) fn new(search: &'a Search, number: u64) -> Self {
        Self { search, number, constraints: Vec::new() }
    }

    /// The same with other constraints.
    pub(super) fn under(&self, constraints: Vec<Precedence>) -> Self {
        Self { search: self.search, number: self.number, constraints }
    }

    pub(super) fn constraints(&self) -> &[Precedence] {
        &self.constraints
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.search.graph
    }

    /// The threads that dropped a last owner before, and now: see [`Run`](super::run::Run).
    pub(super) fn last_owners(&self) -> (u64, u64) {
        let before =
            self.search.again.as_ref().map_or(self.search.last_owners, |again| again.owners);
        (before, self.search.run.last_owners)
    }

    /// The state that an object of the graph was made with.
    pub(super) fn made_as(&self, object: u32) -> Option<Object> {
        self.place(self.search.run.bound(object)?)?.state().cloned()
    }

    fn place(&self, location: LocationId) -> Option<&Place> {
        self.search.run.places.get(location.index())
    }

    /// Its number, from 1 on; the same in every exploration of the same program.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// An estimate of how much has been explored, this execution included: from 0 to 1, which it reaches
    /// in the end. What is left for later counts, where it branches off, as much as what goes on. So it is
    /// rough: after a tenth of the executions of some programs it is 0.01 to 0.19. An execution behind more than about
    /// fifty branches may add nothing that an `f64` can tell.
    pub fn explored(&self) -> f64 {
        self.search.explored.min(1.0)
    }

    /// How it ended.
    pub fn ending(&self) -> &Ending {
        self.search.run.over.as_ref().unwrap_or(&Ending::Complete)
    }

    /// The names of the threads that had one.
    pub fn threads(&self) -> impl Iterator<Item = (ThreadId, Option<&str>)> {
        let threads = self.search.run.threads.iter().enumerate();
        threads
            .filter(|(_, state)| state.status != Status::Absent)
            .map(|(thread, state)| (thread, state.name.as_deref()))
    }

    /// The name of a thread; `main`, or `thread2`, of one without a name.
    pub fn name(&self, thread: ThreadId) -> String {
        let name = self.search.run.threads.get(thread).and_then(|thread| thread.name.clone());
        name.unwrap_or_else(|| match thread {
            0 => "main".to_owned(),
            _ => format!("thread{thread}"),
        })
    }

    /// A thread that ended with a panic that no thread was told of, and its message.
    pub fn panic(&self) -> Option<(ThreadId, &str)> {
        let threads = self.search.run.threads.iter().enumerate();
        let panics = threads.filter_map(|(thread, state)| Some((thread, state.panic.as_deref()?)));
        panics.min_by_key(|(thread, _)| self.path(*thread))
    }

    /// The locations that were made, in the order of the sources; those of one place there in the order
    /// of their memory, or of their making.
    pub fn locations(&self) -> Vec<LocationId> {
        let places = &self.search.run.places;
        let mut made: Vec<_> = (0..places.len()).map(LocationId::new).collect();
        made.sort_by_key(|id| (places[id.index()].maker.site, places[id.index()].position));
        made
    }

    /// What a location was made as.
    pub fn location(&self, location: LocationId) -> Option<&Made> {
        Some(&self.place(location)?.made)
    }

    /// The object that `park` and `unpark` of a thread act on.
    pub fn token(&self, thread: ThreadId) -> LocationId {
        self.search.run.thread(thread).token
    }

    /// Where a location was made, and by which thread.
    pub fn made(&self, location: LocationId) -> Option<(ThreadId, Site)> {
        let place = self.place(location)?;
        Some((place.maker.thread, place.maker.site))
    }

    /// The way to a thread from the first one: which child of its parent it is.
    pub fn path(&self, thread: ThreadId) -> &[u32] {
        self.search.names.path(thread)
    }

    /// Whether each choice that the standard or the program leaves open took branch 0.
    pub fn chose_first(&self) -> bool {
        self.search.graph.chose_first()
    }

    /// Tells this execution from others, in whatever way and order they were explored.
    pub fn signature(&self) -> u128 {
        self.search.graph.signature(&self.search.names)
    }

    /// Whether some interleaving of the threads explains all that was read.
    pub fn is_sequentially_consistent(&self) -> bool {
        if self.constraints.is_empty() {
            return self.graph().is_sequentially_consistent();
        }
        self.with(&self.constraints).is_some_and(|graph| graph.is_sequentially_consistent())
    }

    /// What happened, in an order that agrees with program order and reads-from, with few changes of
    /// thread.
    pub fn trace(&self) -> Trace {
        let search = self.search;
        let Order { positions, is_interleaving } = search.order(&self.constraints);
        let mut line_of = vec![None; search.graph.events.len()];
        for (line, &position) in positions.iter().enumerate() {
            if let Some(id) = search.run.log[position].event {
                line_of[id as usize] = Some(line);
            }
        }
        let lines = positions.iter().map(|&position| {
            let entry = &search.run.log[position];
            let mut line = Line::of(entry.thread, entry.action, entry.site);
            (line.result, line.event) = (entry.result, entry.event);
            let Some(id) = entry.event else { return line };
            let event = search.graph.at(id);
            let atomic = event.kind.reads() || event.kind.writes();
            line.order = (atomic || event.kind == Kind::Fence).then_some(event.order);
            line.written = event.kind.writes().then(|| search.run.values[id as usize]);
            line.place = event.kind.has_place().then_some(event.place as usize);
            if event.kind.reads() || event.kind == Kind::Act {
                line.source = match event.rf {
                    INIT => Some(Source::Initial),
                    rf => line_of[rf as usize].map(Source::Line),
                };
                let end = search.graph.order(event.location).len();
                let next = search.graph.after(event.rf) + usize::from(event.kind != Kind::Load);
                line.newest = next == end;
            }
            line
        });
        Trace { lines: lines.collect(), is_interleaving }
    }

    /// Whether `thread` could have taken another step after the first `shown` lines of `trace`, its
    /// trace.
    pub fn could_go_on(&self, trace: &Trace, shown: usize, thread: ThreadId) -> bool {
        self.search.could_go_on(&trace.lines, shown, thread)
    }

    /// Of a race: a read through which the second thread could have known of the first access, if it
    /// had synchronised with the write that it reads from.
    pub fn unsynchronised(
        &self,
        trace: &Trace,
        first: &Party,
        second: &Party,
    ) -> Option<Unsynchronised> {
        let graph = &self.search.graph;
        let hb = match trace.lines.last()?.event {
            Some(id) => graph.hb_before(id),
            None => self.search.run.thread(second.thread).hb,
        };
        trace.lines.iter().enumerate().find_map(|(read, line)| {
            let id = line.event.filter(|&id| graph.at(id).kind.reads())?;
            let Some(Source::Line(write)) = line.source else { return None };
            let known = |past: &Clock| past.has(first.thread, first.index);
            let written = graph.past(trace.lines[write].event?);
            let passes = graph.at(id).in_past(&hb) && known(&written.hb);
            passes.then(|| Unsynchronised {
                write,
                read,
                releases: known(&written.released),
                acquires: line.order.is_some_and(acquires),
            })
        })
    }

    /// What a note or a panic says.
    pub fn text(&self, number: usize) -> Option<&Text> {
        self.search.run.texts.get(number)
    }

    /// Whether a thread has come to the end of its body.
    pub fn has_ended(&self, thread: ThreadId) -> bool {
        self.search.run.status(thread) == Status::Done
    }

    /// The state of an object after all acts of this execution.
    pub fn state(&self, object: LocationId) -> Option<&Object> {
        self.place(object)?.state()?;
        Some(self.search.state(object, self.search.acts_so_far(object)))
    }
}
