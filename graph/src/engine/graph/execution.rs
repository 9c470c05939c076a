//! One execution, as the caller sees it.

use super::event::{INIT, Kind};
use super::outcome::{Ending, Line, Source};
use super::run::Status;
use super::search::Search;
use crate::kernel::{LocationId, Site, ThreadId};

/// One execution of the program.
pub struct Execution<'a> {
    search: &'a Search,
    number: u64,
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
        Self { search, number }
    }

    /// Its number, from 1 on; the same in every exploration of the same program.
    pub fn number(&self) -> u64 {
        self.number
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

    /// Where a location was made, and by which thread.
    pub fn made(&self, location: LocationId) -> Option<(ThreadId, Site)> {
        let place = self.search.run.places.get(location as usize)?.as_ref()?;
        Some((place.maker.thread, place.maker.site))
    }

    /// Tells this execution from others, in whatever way and order they were explored.
    pub fn signature(&self) -> u128 {
        self.search.graph.signature(&self.search.names)
    }

    /// Whether some interleaving of the threads explains all that was read.
    pub fn is_sequentially_consistent(&self) -> bool {
        self.search.graph.is_sequentially_consistent()
    }

    /// What happened, in an order that agrees with program order and reads-from.
    pub fn trace(&self) -> Vec<Line> {
        let search = self.search;
        let mut line_of = vec![None; search.graph.events.len()];
        for (line, entry) in search.run.log.iter().enumerate() {
            if let Some(id) = entry.event {
                line_of[id as usize] = Some(line);
            }
        }
        let lines = search.run.log.iter().map(|entry| {
            let mut line = Line {
                thread: entry.thread,
                action: entry.action,
                site: entry.site,
                order: None,
                result: entry.result,
                written: None,
                source: None,
                newest: true,
            };
            let Some(id) = entry.event else { return line };
            let event = search.graph.at(id);
            let atomic = event.kind.reads() || event.kind.writes();
            line.order = (atomic || event.kind == Kind::Fence).then_some(event.order);
            line.written = event.kind.writes().then(|| search.run.values[id as usize]);
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
        lines.collect()
    }
}
