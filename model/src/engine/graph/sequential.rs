//! Sequential consistency: program order, reads-from, modification order and from-read are acyclic
//! together.

use super::event::{INIT, Id, Kind};
use super::relations::Graph;

/// What an order of events is to agree with, besides program order and reads-from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Respects {
    /// Nothing.
    Causes,
    /// Modification order.
    Writes,
    /// Modification order and from-read: in such an order each read finds the last write.
    Everything,
}

impl Graph {
    /// Whether some interleaving of the threads explains the graph.
    pub(super) fn is_sequentially_consistent(&self) -> bool {
        let before = |id| self.directly_before(id, Respects::Everything, |_| true);
        let mut before: Vec<Vec<Id>> = (0..self.len()).map(before).collect();
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

    /// What must come before `id` in an order of the events that took place, up to transitivity.
    pub(super) fn directly_before(
        &self,
        id: Id,
        respects: Respects,
        took_place: impl Fn(Id) -> bool,
    ) -> Vec<Id> {
        let event = self.at(id);
        let mut ids: Vec<Id> = self.before(id).into_iter().collect();
        if event.kind == Kind::Join {
            ids.extend(self.of(event.location()).last());
        }
        if event.kind == Kind::TimeOut {
            ids.extend(0..id);
        }
        if event.rf != INIT {
            ids.push(event.rf);
        }
        if event.kind.has_place() && respects != Respects::Causes {
            let at = event.place as usize;
            let writes = self.order(event.location)[..at].iter().rev();
            ids.extend(writes.copied().find(|&write| took_place(write)));
            if respects == Respects::Everything {
                // What reads a value that this event overwrites.
                let reads = self.locations[event.location()].reads.iter();
                ids.extend(reads.filter(|&&r| r != id && self.after(self.at(r).rf) <= at));
            }
        }
        ids
    }
}
