//! The turns of a thread since one that changed something.

use super::Look;
use crate::engine::graph::call_stack::CallStack;
use crate::kernel::Site;

/// Where a turn ends.
pub(in super::super) type TurnEnd = (Site, CallStack);

/// The turn of a thread that changed something last, and those since that did not repeat another: what each has looked
/// at, and in which calls it ended.
#[derive(Debug, Default)]
pub(super) struct Earlier(Vec<(CallStack, Vec<Look>)>);

impl Earlier {
    pub(super) fn push(&mut self, calls: CallStack, turn: Vec<Look>) {
        self.0.push((calls, turn));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn looks(&mut self) -> impl Iterator<Item = &mut Look> {
        self.0.iter_mut().flat_map(|(_, turn)| turn)
    }

    /// Whether `turn` repeats one of these; and whether one of these repeats another, as is known only now. That one is
    /// removed.
    pub(super) fn compare(&mut self, calls: CallStack, turn: &[Look]) -> (bool, bool) {
        // The first turn comes with what the thread did before the loop.
        let repeats = |calls: CallStack, turn: &[Look], (at, before): &(CallStack, Vec<Look>)| {
            calls == *at
                && before.len() >= turn.len()
                && before.iter().rev().zip(turn.iter().rev()).all(|(a, b)| a.same(b))
        };
        let known = self.0.len();
        let mut at = 1;
        while at < self.0.len() {
            let (calls, turn) = &self.0[at];
            if self.0[..at].iter().any(|before| repeats(*calls, turn, before)) {
                self.0.remove(at);
            } else {
                at += 1;
            }
        }
        (self.0.iter().any(|before| repeats(calls, turn, before)), self.0.len() < known)
    }
}

/// Of the critical sections of a turn that changed nothing, by the locks of the last to the first, which belong to the
/// loop and leave nothing behind: of each lock as many as there were in the turn before, and one at least. What else
/// there is in the first turn comes before the loop.
pub(super) fn only_look(locks: &[u32], before: &[u32]) -> Vec<bool> {
    let count = |locks: &[u32], lock| locks.iter().filter(|&other| other == lock).count();
    let number = |at: usize| count(&locks[..at], &locks[at]);
    (0..locks.len()).map(|at| number(at) < count(before, &locks[at]).max(1)).collect()
}
