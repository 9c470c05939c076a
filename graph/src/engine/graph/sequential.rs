//! Sequential consistency: program order, reads-from, modification order and from-read are acyclic
//! together.

use super::event::{INIT, Id, Kind};
use super::relations::Graph;

impl Graph {
    /// Whether some interleaving of the threads explains the graph.
    pub(super) fn is_sequentially_consistent(&self) -> bool {
        let mut before: Vec<Vec<Id>> = (0..self.len()).map(|id| self.directly_before(id)).collect();
        let mut left: Vec<Id> = (0..self.len()).collect();
        loop {
            let (stay, go): (Vec<Id>, Vec<Id>) =
                left.iter().partition(|&&id| !before[id as usize].is_empty());
            if go.is_empty() {
                return stay.is_empty();
            }
            for ids in &mut before {
                ids.retain(|id| !go.contains(id));
            }
            left = stay;
        }
    }

    /// What must come before `id` in an interleaving, up to transitivity.
    fn directly_before(&self, id: Id) -> Vec<Id> {
        let event = self.at(id);
        let mut ids: Vec<Id> = self.before(id).into_iter().collect();
        if event.kind == Kind::Join {
            ids.extend(self.of(event.location()).last());
        }
        if event.rf != INIT {
            ids.push(event.rf);
        }
        if event.kind.has_place() {
            let at = event.place as usize;
            let write = self.write_before(event.location, at);
            if write != INIT {
                ids.push(write);
            }
            // Who reads what this one overwrites.
            let reads = self.locations[event.location()].reads.iter();
            ids.extend(reads.filter(|&&r| r != id && self.after(self.at(r).rf) <= at));
        }
        ids
    }
}
