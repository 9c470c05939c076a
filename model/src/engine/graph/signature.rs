//! Graphs as numbers: what tells one from another, however it was reached.

use std::collections::HashSet;

use super::event::{INIT, Id, Kind, NONE};
use super::relations::Graph;
use crate::engine::names::Names;

/// A 128-bit hash: two multiply-and-rotate hashes with different constants.
#[derive(Debug, Clone, Copy)]
struct Hash(u64, u64);

impl Hash {
    const EMPTY: Self = Self(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);

    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        self.1 = (self.1.rotate_left(23) ^ word).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        self.1 ^= self.1 >> 31;
    }

    fn value(self) -> u128 {
        u128::from(self.0 ^ self.0 >> 32) << 64 | u128::from(self.1)
    }
}

impl Graph {
    fn add_name(&self, hash: &mut Hash, names: &Names, id: Id) {
        if id == INIT {
            return hash.add(u64::MAX);
        }
        let event = self.at(id);
        names.path(event.thread()).iter().for_each(|&number| hash.add(u64::from(number) << 1));
        hash.add(u64::from(event.index) << 1 | 1);
    }

    /// Names the locations of these events: each by the first of the events that are on it. Ids do not
    /// matter.
    fn name_locations(&self, ids: impl Iterator<Item = Id>) -> Vec<Id> {
        let mut first = vec![NONE; self.locations.len()];
        for id in ids {
            if let Some(first) = first.get_mut(self.at(id).location())
                && *first == NONE
                && self.has_location(id)
            {
                *first = id;
            }
        }
        first
    }

    fn has_location(&self, id: Id) -> bool {
        let kind = self.at(id).kind;
        kind.reads() || kind.has_place() || kind == Kind::TimeOut
    }

    fn add_event(&self, hash: &mut Hash, names: &Names, locations: &[Id], id: Id) {
        let event = self.at(id);
        self.add_name(hash, names, id);
        hash.add(event.kind as u64 | u64::from(event.todo) << 8 | u64::from(event.spurious) << 9);
        match event.kind {
            Kind::Load | Kind::Update | Kind::Act => {
                self.add_name(hash, names, locations[event.location()]);
                self.add_name(hash, names, event.rf);
            }
            Kind::Store => {
                self.add_name(hash, names, locations[event.location()]);
                // A store to be done is not in modification order yet.
                hash.add(if event.todo { u64::from(event.place) } else { 0 });
            }
            Kind::Choose | Kind::TimeOut => hash.add(u64::from(event.place)),
            Kind::Spawn | Kind::Join => {
                names.path(event.location()).iter().for_each(|&step| hash.add(u64::from(step)));
            }
            Kind::Fence => {}
        }
    }

    fn add_orders(&self, hash: &mut Hash, names: &Names, locations: &[Id]) {
        let mut orders: Vec<u128> = Vec::new();
        for (location, known) in self.locations.iter().enumerate() {
            if known.order.is_empty() {
                continue;
            }
            let mut order = Hash::EMPTY;
            self.add_name(&mut order, names, locations[location]);
            known.order.iter().for_each(|&id| self.add_name(&mut order, names, id));
            orders.push(order.value());
        }
        orders.sort_unstable();
        for order in orders {
            hash.add(order as u64);
            hash.add((order >> 64) as u64);
        }
    }

    /// The same number for the same causes of the last event of `thread`.
    pub(super) fn signature_of_causes(&self, thread: usize, names: &Names) -> u128 {
        let mut hash = Hash::EMPTY;
        let Some(&last) = self.of(thread).last() else { return hash.value() };
        let causes = self.past(last).causes;
        self.add_name(&mut hash, names, last);
        let ids = (0..self.threads.len())
            .flat_map(|other| &self.of(other)[..usize::from(causes.of(other))])
            .copied();
        let locations = self.name_locations(ids.clone());
        ids.for_each(|id| self.add_event(&mut hash, names, &locations, id));
        hash.value()
    }

    /// The same number for the same events, sources, orders and choices.
    pub(super) fn signature(&self, names: &Names) -> u128 {
        let mut threads: Vec<usize> =
            (0..self.threads.len()).filter(|&thread| !self.of(thread).is_empty()).collect();
        threads.sort_by(|a, b| names.path(*a).cmp(names.path(*b)));
        let mut hash = Hash::EMPTY;
        let ids = threads.iter().flat_map(|&thread| self.of(thread)).copied();
        let locations = self.name_locations(ids.clone());
        ids.for_each(|id| self.add_event(&mut hash, names, &locations, id));
        self.add_orders(&mut hash, names, &locations);
        hash.value()
    }
}

/// What has been met before, in the mode that takes every revisit.
#[derive(Debug, Default)]
pub(super) struct Seen {
    partial: HashSet<u128>,
    whole: HashSet<u128>,
}

impl Seen {
    /// Whether this graph to be continued is new. The order in which its events were added counts:
    /// what a revisit keeps depends on it.
    pub(super) fn add_partial(&mut self, graph: &Graph, names: &Names) -> bool {
        let mut hash = Hash::EMPTY;
        let ids = 0..graph.len();
        let locations = graph.name_locations(ids.clone());
        ids.for_each(|id| graph.add_event(&mut hash, names, &locations, id));
        graph.add_orders(&mut hash, names, &locations);
        self.partial.insert(hash.value())
    }

    /// Whether this graph, to which nothing can be added, is new.
    pub(super) fn add_whole(&mut self, graph: &Graph, names: &Names) -> bool {
        self.whole.insert(graph.signature(names))
    }
}
