//! Waiting for a notification.
//!
//! Which of several waiting threads is notified is left open: a notification is a permit for the
//! threads that waited when it was given, and the first of them to wake takes it. A thread takes the
//! permit that the fewest could take, so that all permits given can be taken.

use super::{Edges, ThreadId};

/// The result of a [`CondvarAct::Leave`] that has done nothing.
pub const MAY_TAKE: u64 = 2;

/// The state of a condition variable. It synchronises nothing: the mutex does.
#[derive(Debug, Clone, Default)]
pub struct Condvar {
    /// In the order in which they began to wait: the thread, and whether it has been notified.
    waiting: Vec<(ThreadId, bool)>,
    /// Notifications not yet taken: of how many waiting threads, from the first on, one is notified.
    permits: Vec<usize>,
}

/// An operation on a condition variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CondvarAct {
    /// Begins to wait; the thread still holds the mutex.
    Enter,
    /// Blocks until the thread is notified, and stops waiting.
    Wake,
    /// Stops waiting, because time is up. Returns 1 if the thread had been notified, 0 if not, and
    /// [`MAY_TAKE`], without having done anything, if it is open which thread had been.
    Leave,
    /// After [`MAY_TAKE`]: the thread had been notified, if that is still open (1).
    TakeOrLeave,
    /// Stops waiting without a notification, unless one must have been for this thread (1).
    LeaveAnyway,
    /// Notifies one of the waiting threads.
    NotifyOne,
    /// Notifies all of them.
    NotifyAll,
}

impl Condvar {
    /// Where `thread` waits, and the first permit that it can take.
    fn find(&self, thread: ThreadId) -> (Option<usize>, Option<usize>) {
        let Some(at) = self.waiting.iter().position(|&(other, _)| other == thread) else {
            return (None, None);
        };
        let permit = (0..self.permits.len())
            .filter(|&permit| self.permits[permit] > at)
            .min_by_key(|&permit| self.permits[permit]);
        (Some(at), permit)
    }

    fn remove(&mut self, at: usize, permit: Option<usize>) {
        if let Some(permit) = permit {
            self.permits.remove(permit);
        }
        self.waiting.remove(at);
        self.permits.iter_mut().filter(|reach| **reach > at).for_each(|reach| *reach -= 1);
    }

    /// How many of the first `reach` waiting threads have not been notified by all.
    fn open(&self, reach: usize) -> usize {
        self.waiting[..reach].iter().filter(|(_, notified)| !notified).count()
    }

    /// Whether a permit would be left over if one of the threads up to some permit's reach left.
    fn needs_all(&self, from: usize) -> bool {
        self.permits.iter().filter(|&&reach| reach >= from).any(|&reach| {
            let given = self.permits.iter().filter(|&&other| other <= reach).count();
            self.open(reach) == given
        })
    }

    pub(super) fn enabled(&self, act: CondvarAct, thread: ThreadId) -> bool {
        let (at, permit) = self.find(thread);
        act != CondvarAct::Wake || permit.is_some() || at.is_some_and(|at| self.waiting[at].1)
    }

    pub(super) fn apply(&mut self, act: CondvarAct, thread: ThreadId, _: &mut Edges<'_>) -> u64 {
        match act {
            CondvarAct::Enter => self.waiting.push((thread, false)),
            CondvarAct::Wake
            | CondvarAct::Leave
            | CondvarAct::TakeOrLeave
            | CondvarAct::LeaveAnyway => {
                let (Some(at), permit) = self.find(thread) else { return 0 };
                if self.waiting[at].1 {
                    self.remove(at, None);
                    return 1;
                }
                // All permits given must find a thread: without this one, too few may be left.
                let forced = permit.is_some_and(|permit| self.needs_all(self.permits[permit]));
                if permit.is_some() && !forced && act == CondvarAct::Leave {
                    return MAY_TAKE;
                }
                let taken = permit.filter(|_| forced || act != CondvarAct::LeaveAnyway);
                self.remove(at, taken);
                return u64::from(taken.is_some());
            }
            CondvarAct::NotifyOne => {
                let reach = self.waiting.len();
                // More than there are threads to take them would never be taken.
                if self.open(reach) > self.permits.len() {
                    self.permits.push(reach);
                }
            }
            CondvarAct::NotifyAll => {
                self.permits.clear();
                self.waiting.iter_mut().for_each(|(_, notified)| *notified = true);
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kernel::Clock;

    /// The same with the notified thread chosen at once: who waits, and who of them is notified.
    type Eager = Vec<(ThreadId, bool)>;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Enter,
        Wake,
        /// Time is up; whether the thread had been notified.
        TimeOut(bool),
        NotifyOne,
        NotifyAll,
    }

    /// All states that the step leads to.
    fn eager(state: &Eager, step: Step, thread: ThreadId) -> Vec<Eager> {
        let mut next = state.clone();
        let at = state.iter().position(|&(other, _)| other == thread);
        match (step, at) {
            (Step::Enter, None) => next.push((thread, false)),
            (Step::Wake | Step::TimeOut(true), Some(at)) if state[at].1 => drop(next.remove(at)),
            (Step::TimeOut(false), Some(at)) if !state[at].1 => drop(next.remove(at)),
            (Step::NotifyAll, None) => next.iter_mut().for_each(|waiting| waiting.1 = true),
            (Step::NotifyOne, None) => {
                let open = (0..state.len()).filter(|&at| !state[at].1);
                let chosen = open.map(|at| {
                    let mut next = state.clone();
                    next[at].1 = true;
                    next
                });
                let chosen: Vec<Eager> = chosen.collect();
                return if chosen.is_empty() { vec![next] } else { chosen };
            }
            _ => return vec![],
        }
        vec![next]
    }

    fn lazy(state: &Condvar, step: Step, thread: ThreadId) -> Option<Condvar> {
        let waits = state.waiting.iter().any(|&(other, _)| other == thread);
        let mut next = state.clone();
        let mut act = |act| next.apply(act, thread, &mut Edges { past: &mut Clock::default() });
        match step {
            Step::Enter if !waits => act(CondvarAct::Enter),
            Step::Wake if waits && state.enabled(CondvarAct::Wake, thread) => act(CondvarAct::Wake),
            Step::TimeOut(notified) if waits => {
                let result = match act(CondvarAct::Leave) {
                    MAY_TAKE if notified => act(CondvarAct::TakeOrLeave),
                    MAY_TAKE => act(CondvarAct::LeaveAnyway),
                    result => result,
                };
                if (result == 1) != notified {
                    return None;
                }
                result
            }
            Step::NotifyOne if !waits => act(CondvarAct::NotifyOne),
            Step::NotifyAll if !waits => act(CondvarAct::NotifyAll),
            _ => return None,
        };
        Some(next)
    }

    fn compare(
        machine: &Condvar,
        possible: &BTreeSet<Eager>,
        depth: usize,
        path: &mut Vec<(ThreadId, Step)>,
    ) {
        if depth == 0 {
            return;
        }
        for thread in 0..4 {
            let steps = [
                Step::Enter,
                Step::Wake,
                Step::TimeOut(false),
                Step::TimeOut(true),
                Step::NotifyOne,
                Step::NotifyAll,
            ];
            for step in steps {
                // Thread 3 notifies; the others wait.
                if (thread == 3) != matches!(step, Step::NotifyOne | Step::NotifyAll) {
                    continue;
                }
                path.push((thread, step));
                let next: BTreeSet<Eager> =
                    possible.iter().flat_map(|state| eager(state, step, thread)).collect();
                let machine = lazy(machine, step, thread);
                assert_eq!(machine.is_some(), !next.is_empty(), "{path:?}");
                if let Some(machine) = machine {
                    compare(&machine, &next, depth - 1, path);
                }
                path.pop();
            }
        }
    }

    #[test]
    fn a_late_choice_of_the_thread_that_is_notified_allows_the_same() {
        compare(&Condvar::default(), &BTreeSet::from([vec![]]), 8, &mut Vec::new());
    }
}
