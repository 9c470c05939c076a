//! A finished execution is run again: does the same come of it where the checker does not look?
//!
//! The steps of an execution, and what they read, do not determine in which order the code between them runs. If the
//! threads share only what the checker sees, that makes no difference. But an `Arc` of `std` counts its owners where
//! the checker does not look, so that this order decides which thread drops the last one.
//!
//! # What is found
//!
//! Call the code between two steps of a thread a segment. In the run for thread A, A moves only if no other thread can:
//! it is suspended as soon as it has taken a step ([`Engine::settle`]), before its next segment. When that segment runs,
//! whatever has not taken place yet waits for it. So each segment of A comes after each segment of another thread that
//! need not come after it; and there is such a run for each thread.
//!
//! Suppose that in each of these runs the threads take the same steps, and return the same, as in the first run. Then
//! they do so in any other order of the segments. Take the first segment, one of A, in which the threads do something
//! else because the owners of A's value differ: `A` finds all others gone, or not.
//! - They are gone. What dropped them comes earlier in that order, so it need not come after the segment, and comes
//!   earlier in the run for A. They are gone there too.
//! - One is left, which B drops in a segment that need not come earlier. In the run for B it comes later. It is left
//!   there too.
//!
//! One of these runs differs from the first run then. All of them are made of an execution in which an `Arc` of `std`
//! loses its last owner where a segment of another thread might come later; if none might, the order is fixed. Of the
//! other executions, one in a while is run again once, for other state that the checker does not see.
//!
//! # Limits
//!
//! How many owners there are, and not only whether there are others, is what [`strong_count`] tells. A number that
//! is neither that of the first run nor that of these runs is not found.
//!
//! [`Engine::settle`]: super::coroutine::Engine::settle
//! [`strong_count`]: std::sync::Arc::strong_count

use super::execution::Execution;
use super::outcome::Ending;
use super::relations::Graph;
use super::run::Status;
use super::search::{Again, Search};
use crate::kernel::{MAX_THREADS, ThreadId};

impl Search {
    /// All threads have ended, and one of them dropped what may be the last owner of an `Arc` of `std`: before the
    /// execution is shown, it is run again. Whether it is.
    pub(super) fn looks_before_shown(&mut self) -> bool {
        if self.run.last_owners == 0 || std::mem::take(&mut self.looked) {
            return false;
        }
        let graph = self.copy();
        self.to_look_at.push((graph, None));
        for last in 0..self.run.threads.len() {
            if self.run.status(last) != Status::Absent {
                self.look_again(last);
            }
        }
        true
    }

    pub(super) fn look_again(&mut self, last: ThreadId) {
        let graph = self.copy();
        let owners = self.run.last_owners;
        let returned = self.run.returned.clone();
        self.to_look_at.push((graph, Some(Again { last, owners, returned })));
    }

    /// The next execution that is to be run again, or is to be shown now.
    pub(super) fn next_to_look_at(&mut self) -> Option<Graph> {
        let (graph, look) = self.to_look_at.pop()?;
        (self.looked, self.again) = (look.is_none(), look);
        Some(graph)
    }

    /// Whether what the threads return is to be compared, or may be: a thread that has not ended may drop a last owner.
    pub(super) fn may_be_compared(&self) -> bool {
        if self.again.is_some() || self.is_sample {
            return true;
        }
        let mut others = (0..self.run.threads.len()).filter(|&thread| thread != self.run.current);
        self.run.last_owners != 0
            || others
                .any(|thread| matches!(self.run.status(thread), Status::Fresh | Status::Active))
    }

    /// The thread that is to run: one that comes early otherwise comes late, and `last` only if no other can move.
    pub(super) fn next_to_look_again(&self, last: ThreadId) -> Option<ThreadId> {
        let others = self.names.preference.iter().rev().copied().filter(|&thread| thread != last);
        others.chain([last]).find(|&thread| match self.run.status(thread) {
            Status::Absent | Status::Done => false,
            Status::Fresh => true,
            Status::Active => {
                !self.has_stopped(thread)
                    && self.next_in_graph(thread).is_none_or(|id| self.can_replay(id))
            }
        })
    }

    /// How an execution that was run again ended, if not as before.
    pub(super) fn other_ending(&self, ending: &Ending) -> Option<Ending> {
        let before = self.again.as_ref()?.returned.as_ref();
        let now = match ending {
            Ending::Nondeterministic { .. } => return Some(ending.clone()),
            Ending::Complete if before == self.run.returned.as_ref() => return None,
            Ending::Complete => self.run.returned.clone().unwrap_or_default(),
            Ending::Panic { message, .. } => format!("a panic: {message}"),
            Ending::Race { .. } => "a data race".to_owned(),
            Ending::UseAfterFree { .. } => "a use after free".to_owned(),
            Ending::Leak(_) => "a leak".to_owned(),
            other => format!("{other:?}"),
        };
        Some(Ending::OtherOutcome { before: before.cloned().unwrap_or_default(), now })
    }
}

impl Execution<'_> {
    /// A thread that dropped the last owner of an `Arc` of `std` where another thread might have: if this execution is
    /// run again, one that did before, and does not now, if there is one.
    pub(crate) fn last_owner(&self) -> Option<ThreadId> {
        let (before, now) = self.last_owners();
        let was = |owners: u64| (0..MAX_THREADS).find(|&thread| owners & 1 << thread != 0);
        was(before & !now).or_else(|| was(before | now))
    }
}
