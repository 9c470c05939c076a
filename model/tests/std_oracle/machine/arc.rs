//! `Arc`. A thread that has no owner left does nothing.

use super::cell::Cell;
use super::clock::{Clock, join};
use super::step::{Step, Taken};

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Arc {
    pub(super) owners: usize,
    pub(super) clock: Clock,
    pub(super) inside: Cell,
}

impl Step<'_> {
    fn owns(&mut self, a: usize) -> bool {
        self.me().arcs & 1 << a != 0
    }

    pub(super) fn count(&mut self, a: usize) -> Taken {
        if self.owns(a) {
            self.log(self.state.arcs[a].owners as u64);
        }
        self.done()
    }

    pub(super) fn get_mut(&mut self, a: usize) -> Taken {
        if self.owns(a) {
            let unique = self.state.arcs[a].owners == 1;
            self.log(u64::from(unique));
            if unique {
                let clock = self.state.arcs[a].clock;
                self.learn(&clock);
                self.touch(|state| &mut state.arcs[a].inside, true);
            }
        }
        self.done()
    }

    pub(super) fn read_inside(&mut self, a: usize) -> Taken {
        if self.owns(a) {
            self.touch(|state| &mut state.arcs[a].inside, false);
        }
        self.done()
    }

    pub(super) fn take_inner(&mut self, a: usize) -> Taken {
        if self.owns(a) {
            let last = self.release_arc(a);
            self.log(u64::from(last));
        }
        self.done()
    }

    pub(super) fn drop_arc(&mut self, a: usize) -> Taken {
        self.release_arc(a);
        self.done()
    }

    /// Gives up an owner. Returns whether it was the last.
    fn release_arc(&mut self, a: usize) -> bool {
        self.me().arcs &= !(1 << a);
        let clock = self.clock();
        let arc = &mut self.state.arcs[a];
        arc.owners -= 1;
        join(&mut arc.clock, &clock);
        let (last, clock) = (arc.owners == 0, arc.clock);
        if last {
            self.learn(&clock);
        }
        last
    }
}
