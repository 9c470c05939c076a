//! One execution as the parts of this module look at it.

use super::names::Names;
use crate::engine::graph::{Action, Ending, Execution, Line, Party, Trace};
use crate::kernel::{Access, CellKind, Choice, LocationId, Made, Operation, Site, ThreadId};

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first thread has not spawned another.
    Init,
    /// Threads run.
    Threads,
    /// All other threads have ended, and been joined.
    Finally,
}

pub(super) struct View<'a> {
    pub(super) execution: &'a Execution<'a>,
    pub(super) trace: Trace,
    pub(super) names: Names,
    /// Of each line, the line before and after it in its thread. Ends of turns do not count.
    before: Vec<Option<usize>>,
    after: Vec<Option<usize>>,
    /// Where the first thread spawns the first one, and where it joins the last one.
    threads: (usize, usize),
    /// Where the error is that the execution ended with.
    error: Option<usize>,
}

impl<'a> View<'a> {
    pub(super) fn of(execution: &'a Execution<'a>) -> Self {
        let trace = execution.trace();
        let names = Names::of(execution, &trace);
        let count = trace.lines.len();
        let (mut before, mut after) = (vec![None; count], vec![None; count]);
        let mut last: Vec<Option<usize>> = Vec::new();
        for (at, line) in trace.lines.iter().enumerate() {
            if line.action == Action::Turn {
                continue;
            }
            if last.len() <= line.thread {
                last.resize(line.thread + 1, None);
            }
            before[at] = last[line.thread].replace(at);
            if let Some(before) = before[at] {
                after[before] = Some(at);
            }
        }
        let threads = phases(execution, &trace);
        let error = match execution.ending() {
            Ending::Race { .. } | Ending::UseAfterFree { .. } => trace.lines.len().checked_sub(1),
            Ending::Panic { thread, .. } => trace.lines.iter().rposition(|line| {
                line.thread == *thread && matches!(line.action, Action::Panic(_))
            }),
            _ => None,
        };
        Self { execution, trace, names, before, after, threads, error }
    }

    pub(super) fn line(&self, at: usize) -> &Line {
        &self.trace.lines[at]
    }

    pub(super) fn phase(&self, at: usize) -> Phase {
        let (begin, end) = self.threads;
        match self.line(at).thread {
            0 if at < begin => Phase::Init,
            0 if at > end => Phase::Finally,
            _ => Phase::Threads,
        }
    }

    /// Whether a phase is shown: that of the threads, and one that ends with an error.
    pub(super) fn shows(&self, phase: Phase) -> bool {
        phase == Phase::Threads || self.error.is_some_and(|at| self.phase(at) == phase)
    }

    /// Where an action took place. That of a drop is known only if it is not where the value was made.
    pub(super) fn site(&self, action: Action, site: Site) -> Option<Site> {
        match action {
            Action::Access(location, Access::Free) => {
                let (_, made) = self.execution.made(location)?;
                (made != site).then_some(site)
            }
            _ => Some(site),
        }
    }

    /// The operation of a line.
    pub(super) fn step(&self, at: usize) -> Option<Operation> {
        match self.line(at).action {
            Action::Step(operation) => Some(operation),
            _ => None,
        }
    }

    /// The line before this one in its thread.
    pub(super) fn before(&self, at: usize) -> Option<usize> {
        self.before[at]
    }

    /// The line after this one in its thread.
    pub(super) fn after(&self, at: usize) -> Option<usize> {
        self.after[at]
    }

    /// The line before this one in its thread, if it belongs to the same call.
    pub(super) fn before_in_call(&self, at: usize) -> Option<usize> {
        self.before(at).filter(|&before| self.line(before).site == self.line(at).site)
    }

    /// The line after this one in its thread, if it belongs to the same call.
    pub(super) fn after_in_call(&self, at: usize) -> Option<usize> {
        self.after(at).filter(|&after| self.line(after).site == self.line(at).site)
    }

    /// The choice made in line `at`, and the branch taken.
    pub(super) fn choice(&self, at: Option<usize>) -> Option<(Choice, u64)> {
        match self.step(at?)? {
            Operation::Choose { what, .. } => Some((what, self.line(at?).result)),
            _ => None,
        }
    }

    /// The two sides of the error that the execution ended with.
    pub(super) fn parties(&self) -> Option<[Party; 2]> {
        match *self.execution.ending() {
            Ending::Race { first, second, .. } => Some([first, second]),
            Ending::UseAfterFree { freed, used, .. } => Some([freed, used]),
            _ => None,
        }
    }

    /// Whether the line is what the execution failed with.
    pub(super) fn fails(&self, at: usize) -> bool {
        self.parties().is_some() && at + 1 == self.trace.lines.len()
    }

    /// Whether the line is a side of the error that the execution ended with.
    pub(super) fn is_party(&self, at: usize) -> bool {
        let line = self.line(at);
        let same = |party: Party| {
            (party.thread, party.action, party.site) == (line.thread, line.action, line.site)
        };
        self.fails(at) || self.parties().is_some_and(|[first, _]| same(first))
    }

    /// Whether an access is to be shown: to the memory of the program, or a side of the error that the
    /// execution ended with.
    pub(super) fn is_shown(&self, at: usize, location: LocationId, access: Access) -> bool {
        let plain = matches!(self.execution.location(location), Some(Made::Cell(CellKind::Plain)));
        plain && access != Access::Free || self.is_party(at)
    }

    /// The lock whose contents a location is, or the location itself.
    pub(super) fn owner(&self, location: LocationId) -> LocationId {
        match self.execution.location(location) {
            Some(Made::Cell(CellKind::Contents { lock })) => *lock,
            _ => location,
        }
    }

    /// Whether the line is a step of the first thread that only begins or ends another.
    pub(super) fn is_harness(&self, at: usize) -> bool {
        let operation = self.step(at);
        self.line(at).thread == 0
            && matches!(operation, Some(Operation::Spawn { .. } | Operation::Join { .. }))
    }

    /// Whether another thread took over before line `at`, although `thread`, which took the step
    /// before, could have gone on and still had to.
    pub(super) fn is_preempted(&self, thread: ThreadId, at: usize) -> bool {
        let mut earlier = self.trace.lines[..at].iter().rev();
        let last = earlier.find(|line| line.thread == thread).map(|line| line.action);
        !matches!(last, Some(Action::Turn | Action::Panic(_)))
            && self.execution.could_go_on(&self.trace, at, thread)
    }
}

fn phases(execution: &Execution<'_>, trace: &Trace) -> (usize, usize) {
    let mut own = trace.lines.iter().enumerate().filter(|(_, line)| line.thread == 0);
    let spawns = |action| matches!(action, Action::Step(Operation::Spawn { .. }));
    let joins = |action| matches!(action, Action::Step(Operation::Join { .. }));
    let begin = own.clone().find(|(_, line)| spawns(line.action)).map_or(0, |(at, _)| at);
    let never = trace.lines.len();
    if execution.threads().any(|(thread, _)| thread != 0 && !execution.has_ended(thread)) {
        return (begin, never);
    }
    let end = own.rfind(|(_, line)| joins(line.action)).map_or(never, |(at, _)| at);
    (begin, end)
}
