//! An order of what happened in an execution, for who reads it.

use super::event::{Id, NONE};
use super::outcome::{Action, Ending, Line};
use super::precedence::{Point, Precedence};
use super::run::Status;
use super::search::Search;
use super::sequential::Respects;
use crate::kernel::{Operation, ThreadId};

/// Positions in the log of the run, in the order in which they are shown.
pub(super) struct Order {
    pub(super) positions: Vec<usize>,
    /// Each read finds the last write before it.
    pub(super) is_interleaving: bool,
}

/// What a constraint means for an order: entry number `at` of `thread` comes after the first `until`
/// entries of another.
struct Wait {
    thread: ThreadId,
    at: usize,
    on: ThreadId,
    until: usize,
}

impl Search {
    /// The order that respects most, and of these one with few changes of thread: each thread goes on
    /// as long as it can.
    pub(super) fn order(&self, constraints: &[Precedence]) -> Order {
        let all = [Respects::Everything, Respects::Writes, Respects::Causes];
        let mut orders =
            all.into_iter().map(|respects| (respects, self.order_with(respects, constraints)));
        let found = orders.find_map(|(respects, order)| Some((respects, order?)));
        // That of the run agrees with program order and reads-from.
        let (respects, positions) =
            found.unwrap_or_else(|| (Respects::Causes, (0..self.run.log.len()).collect()));
        Order { positions, is_interleaving: respects == Respects::Everything }
    }

    /// Of the orders that differ in which thread is preferred, the first with the fewest changes of
    /// thread.
    fn order_with(&self, respects: Respects, constraints: &[Precedence]) -> Option<Vec<usize>> {
        let mut best: Option<(usize, Vec<usize>)> = None;
        for first in 0..self.run.threads.len() {
            let order = self.order_from(first, respects, constraints)?;
            let thread = |&position: &usize| self.run.log[position].thread;
            let changes = order.windows(2).filter(|pair| thread(&pair[0]) != thread(&pair[1]));
            let changes = changes.count();
            if best.as_ref().is_none_or(|(fewest, _)| changes < *fewest) {
                best = Some((changes, order));
            }
        }
        Some(best?.1)
    }

    fn order_from(
        &self,
        first: ThreadId,
        respects: Respects,
        constraints: &[Precedence],
    ) -> Option<Vec<usize>> {
        let log = &self.run.log;
        let mut position_of = vec![None; self.graph.events.len()];
        let mut threads: Vec<Vec<usize>> = vec![Vec::new(); self.run.threads.len()];
        for (position, entry) in log.iter().enumerate() {
            if let Some(id) = entry.event {
                position_of[id as usize] = Some(position);
            }
            threads[entry.thread].push(position);
        }
        let logged = |id: Id| position_of[id as usize];
        // The second access of a race is what the run ended with.
        let last = matches!(
            self.run.over,
            Some(Ending::Race { .. } | Ending::UseAfterFree { .. } | Ending::Misuse(_))
        )
        .then(|| log.len().saturating_sub(1));
        let waits: Vec<Wait> =
            constraints.iter().map(|constraint| self.wait(constraint, &threads)).collect();
        let mut taken = vec![false; log.len()];
        let mut next = vec![0; threads.len()];
        let mut order = Vec::with_capacity(log.len());
        let mut thread = 0;
        while order.len() < log.len() {
            let is_ready = |thread: ThreadId| {
                let Some(&position) = threads[thread].get(next[thread]) else { return false };
                let entry = &log[position];
                let after_spawn = next[thread] > 0
                    || self.graph.spawned_by(thread).and_then(logged).is_none_or(|at| taken[at]);
                let after_child = match entry.action {
                    Action::Step(Operation::Join { child }) => {
                        next.get(child) == threads.get(child).map(Vec::len).as_ref()
                    }
                    _ => true,
                };
                let waits = waits.iter().any(|wait| {
                    (wait.thread, next[thread]) == (thread, wait.at) && next[wait.on] < wait.until
                });
                let took_place = |id| logged(id).is_some();
                let before =
                    entry.event.map(|id| self.graph.directly_before(id, respects, took_place));
                after_spawn
                    && after_child
                    && !waits
                    && (last != Some(position) || order.len() + 1 == log.len())
                    && before.iter().flatten().filter_map(|&id| logged(id)).all(|at| taken[at])
            };
            if !is_ready(thread) {
                thread = (first..threads.len()).chain(0..first).find(|&thread| is_ready(thread))?;
            }
            let position = threads[thread][next[thread]];
            next[thread] += 1;
            taken[position] = true;
            order.push(position);
        }
        Some(order)
    }

    /// Where in `threads`, the log by thread, a constraint stands: behind what was noted after the last
    /// step of the first thread, and before what was noted before the next step of the other.
    fn wait(&self, Precedence { first, then }: &Precedence, threads: &[Vec<usize>]) -> Wait {
        let entries = |point: &Point| threads[point.thread].iter().map(|&at| &self.run.log[at]);
        let steps = |point: &Point| {
            let mut entries = entries(point);
            let last = entries.rposition(|entry| {
                entry.event.is_some_and(|id| self.graph.at(id).index < point.steps)
            });
            last.map_or(0, |at| at + 1)
        };
        // From these on to the next step: where notes were made.
        let notes = |point: &Point, from: usize| -> Vec<bool> {
            let rest = entries(point).skip(from).take_while(|entry| entry.event.is_none());
            rest.map(|entry| matches!(entry.action, Action::Note(_))).collect()
        };
        let (until, at) = (steps(first), steps(then));
        let ends = notes(first, until).iter().position(|&note| note);
        let quiet = notes(then, at);
        let begins = quiet.iter().rposition(|&note| note);
        Wait {
            thread: then.thread,
            at: at + begins.unwrap_or(quiet.len()),
            on: first.thread,
            until: until + ends.map_or(0, |note| note + 1),
        }
    }

    /// Whether `thread` could have taken another step, apart from waiting, after the first `shown`
    /// lines of the trace.
    pub(super) fn could_go_on(&self, trace: &[Line], shown: usize, thread: ThreadId) -> bool {
        let next = trace[shown..].iter().find(|line| line.thread == thread);
        let operation = match next {
            Some(Line { action: Action::Step(operation), .. }) => *operation,
            Some(_) => return true,
            None => {
                let state = self.run.thread(thread);
                if state.status != Status::Active || state.waiting.stopped.is_some() {
                    return false;
                }
                state.step.0
            }
        };
        match operation {
            Operation::Join { child } => {
                self.run.status(child) == Status::Done
                    && !trace[shown..].iter().any(|line| line.thread == child)
            }
            Operation::Act { act, .. } if act.ends_wait() => false,
            Operation::Act { object, act } => {
                let location = self.run.location(object);
                let mut before = trace[..shown].iter().rev().filter_map(|line| line.event);
                let last = before.find(|&id| {
                    let event = self.graph.at(id);
                    event.location == location && event.kind.has_place()
                });
                let state = match last.unwrap_or(NONE) {
                    NONE => self.state(object, 0),
                    id => match &self.run.states[id as usize] {
                        Some(state) => state,
                        None => return true,
                    },
                };
                state.enabled(act, thread)
            }
            _ => true,
        }
    }
}
