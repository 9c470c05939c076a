//! Loops that wait.
//!
//! The rule is that of the other engine ([`graph::waiting`](crate::engine::graph)), and so are the
//! executions that are left out: a turn that changed nothing and has found the same as the turn
//! before, or is one of `wait_until`, blocks its thread until another thread has changed something that it
//! looked at. An execution in which it then goes on is not shown, since it is another one without that
//! turn.
//!
//! Before a thread is blocked so for the first time, its loop is run on for
//! [`Config::idle_turns`](super::Config::idle_turns) turns, in which its steps are answered as in the
//! turn before. If it does something else meanwhile, it gives up, and the program is not explored.

use super::run::{Run, Status};
use super::{Config, Engine};
use crate::engine::sections::Sections;
use crate::kernel::object::ReadEndAct;
use crate::kernel::{Act, Clock, Edges, Operation, Site, ThreadId, Turn};

/// Turns without a step that a thread may take in a row.
const EMPTY_TURNS: u32 = 100_000;

/// A step that changed nothing.
#[derive(Debug, Clone, Copy)]
struct Look {
    operation: Operation,
    site: Site,
    /// Of an atomic: how often it had been changed. Of an object: how many acts had left something behind,
    /// up to the last of another thread.
    source: usize,
    result: u64,
}

impl Look {
    fn same(&self, other: &Self) -> bool {
        self.source == other.source
            && self.asks_the_same(&other.operation, other.site)
            && (self.result == other.result || matches!(self.operation, Operation::Load { .. }))
    }

    fn asks_the_same(&self, operation: &Operation, site: Site) -> bool {
        self.site == site
            && self.operation.location() == operation.location()
            && std::mem::discriminant(&self.operation) == std::mem::discriminant(operation)
    }
}

/// Turns in which steps are not taken.
#[derive(Debug)]
struct Echoed {
    site: Site,
    at: usize,
    turns: u32,
}

/// What becomes of a step.
pub(super) enum Echo {
    No,
    Answered(u64),
    /// Its loop gives up.
    GivesUp(String),
}

/// What a thread did since the last end of a turn, and in the turn before.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    turn: Vec<Look>,
    before: Vec<Look>,
    changed: bool,
    sections: Sections,
    /// Turns in a row that had an effect.
    effects: u32,
    /// Turns in a row without a step.
    empty: u32,
    echo: Option<Echoed>,
    /// It is blocked at the end of a turn.
    pub(super) spins: bool,
}

impl Waiting {
    /// The thread has changed plain memory.
    pub(super) fn wrote_plainly(&mut self) {
        if self.echo.is_none() {
            self.changed = true;
            self.sections.changed();
        }
    }

    /// The loop whose turns are echoed.
    pub(super) fn echoes(&self) -> Option<Site> {
        self.echo.as_ref().map(|echo| echo.site)
    }

    /// What the thread looked at last before the end of a turn.
    pub(super) fn last_look(&self) -> Option<(Operation, Site)> {
        let looks = &self.before;
        let look = looks.iter().rfind(|look| look.operation.finds_something()).or(looks.last());
        look.map(|look| (look.operation, look.site))
    }
}

/// Whether an act says nothing of what its thread has found: each read ends on an object of its own.
fn is_end_of_read(operation: &Operation) -> bool {
    let Operation::Act { act: Act::ReadEnd(act), .. } = operation else { return false };
    matches!(act, ReadEndAct::End | ReadEndAct::Await)
}

impl Run {
    /// Answers a step of a loop that is run on.
    pub(super) fn echo(&mut self, thread: ThreadId, operation: &Operation, site: Site) -> Echo {
        let waiting = &mut self.thread(thread).waiting;
        let Some(echo) = &mut waiting.echo else { return Echo::No };
        if is_end_of_read(operation) {
            return Echo::Answered(0);
        }
        match waiting.before.get(echo.at).filter(|look| look.asks_the_same(operation, site)) {
            Some(look) => {
                echo.at += 1;
                Echo::Answered(look.result)
            }
            None => Echo::GivesUp(gives_up(echo.site)),
        }
    }

    /// How much of what was done to its location a step of `thread` finds.
    pub(super) fn source(&mut self, thread: ThreadId, operation: &Operation) -> usize {
        let Some(location) = operation.location() else { return 0 };
        let place = self.place(location);
        match operation {
            Operation::Act { .. } => {
                place.lasting.iter().rposition(|&other| other != thread).map_or(0, |at| at + 1)
            }
            _ => place.changes,
        }
    }

    /// Notes what the step that `thread` has just taken has read and changed.
    pub(super) fn look(&mut self, thread: ThreadId, source: usize, result: u64) {
        let (operation, site) = self.thread(thread).step;
        if is_end_of_read(&operation) {
            return;
        }
        let changed = match operation {
            Operation::Load { .. } | Operation::Fence { .. } | Operation::Choose { .. } => false,
            Operation::Update { location, .. } => self.place(location).changes != source,
            Operation::Act { object, act } => {
                let waiting = &mut self.thread(thread).waiting;
                let changed = waiting.sections.act(object, act);
                if changed || act.has_lasting_effect() {
                    self.place(object).lasting.push(thread);
                }
                act.has_lasting_effect()
            }
            Operation::Store { .. } | Operation::Spawn { .. } | Operation::Join { .. } => true,
        };
        let waiting = &mut self.thread(thread).waiting;
        waiting.changed |= changed;
        if changed {
            waiting.sections.changed();
        }
        waiting.turn.push(Look { operation, site, source, result });
    }

    /// Whether `thread` would find something else now.
    fn is_old(&mut self, thread: ThreadId, look: &Look) -> bool {
        if self.source(thread, &look.operation) != look.source {
            return true;
        }
        let Operation::Act { object, act } = look.operation else { return false };
        let mut state = self.state(object).clone();
        let edges = &mut Edges { past: &mut Clock::default() };
        state.enabled(act, thread) && state.apply(act, thread, edges) != look.result
    }

    fn finds_something_else(&mut self, thread: ThreadId) -> bool {
        let looks = std::mem::take(&mut self.thread(thread).waiting.before);
        let old = looks.iter().any(|look| self.is_old(thread, look));
        self.thread(thread).waiting.before = looks;
        old
    }

    /// Unparks the threads that can go on after a step of `thread` on a location.
    pub(super) fn wake(&mut self, thread: ThreadId, operation: &Operation) {
        let Some(location) = operation.location() else { return };
        for other in (0..self.threads.len()).filter(|&other| other != thread) {
            let state = &self.threads[other];
            let waits_for = state.step.0;
            let goes_on = state.status == Status::Parked
                && if state.waiting.spins {
                    self.finds_something_else(other)
                } else {
                    waits_for.location() == Some(location) && self.is_enabled(other, &waits_for)
                };
            if goes_on {
                self.unpark(other);
            }
        }
    }

    /// Unparks the threads that join `child`, which has ended.
    pub(super) fn wake_joining(&mut self, child: ThreadId) {
        for other in 0..self.threads.len() {
            let state = &self.threads[other];
            let joins =
                matches!(state.step.0, Operation::Join { child: joined } if joined == child);
            if joins && state.status == Status::Parked && !state.waiting.spins {
                self.unpark(other);
            }
        }
    }

    /// Ends a turn. Whether the thread is to wait until it would find something else.
    fn end_turn(&mut self, thread: ThreadId, turn: Turn, site: Site, config: &Config) -> bool {
        let place = || format!("{}:{}", site.file(), site.line());
        let waiting = &mut self.thread(thread).waiting;
        if let Some(echo) = &mut waiting.echo {
            if echo.site != site || echo.at != waiting.before.len() {
                let site = echo.site;
                self.give_up(gives_up(site));
                return false;
            }
            (echo.at, echo.turns) = (0, echo.turns + 1);
            let ends = echo.turns == config.idle_turns;
            if ends {
                waiting.echo = None;
            }
            return ends;
        }
        if turn == Turn::Begin {
            waiting.turn.clear();
            (waiting.changed, waiting.effects) = (false, 0);
            return false;
        }
        // The first turn comes with what the thread did before the loop.
        let repeated = waiting.before.len() >= waiting.turn.len()
            && waiting.before.iter().rev().zip(waiting.turn.iter().rev()).all(|(a, b)| a.same(b));
        let looks = !waiting.turn.is_empty();
        let stutters = !waiting.changed && looks && (turn == Turn::Wait || repeated);
        waiting.effects = if waiting.changed { waiting.effects + 1 } else { 0 };
        waiting.empty = if looks { 0 } else { waiting.empty + 1 };
        if looks {
            std::mem::swap(&mut waiting.before, &mut waiting.turn);
            waiting.turn.clear();
        }
        waiting.changed = false;
        if waiting.effects > config.turns {
            self.give_up(format!("the turns of the waiting loop at {} have an effect", place()));
        } else if waiting.empty > EMPTY_TURNS {
            self.give_up(format!("the waiting loop at {} looks at nothing", place()));
        } else if stutters && turn == Turn::Spin && !self.finds_something_else(thread) {
            let echo = Echoed { site, at: 0, turns: 0 };
            self.thread(thread).waiting.echo = Some(echo);
            return false;
        }
        stutters
    }
}

/// Why a loop cannot be explored.
pub(super) fn gives_up(site: Site) -> String {
    let (file, line) = (site.file(), site.line());
    format!("the waiting loop at {file}:{line} gives up after some turns")
}

impl Engine<'_> {
    /// A turn ends, or a loop begins.
    pub(super) fn end_turn(&self, turn: Turn, site: Site) {
        let thread = self.current.get();
        self.leave_if_over();
        let stutters = self.run.borrow_mut().end_turn(thread, turn, site, self.config);
        if stutters {
            loop {
                {
                    let mut run = self.run.borrow_mut();
                    run.thread(thread).waiting.spins = false;
                    if run.over.is_some() || run.finds_something_else(thread) {
                        break;
                    }
                    run.thread(thread).waiting.spins = true;
                }
                self.park(thread);
            }
        }
        self.leave_if_over();
        self.run.borrow_mut().stutters |= stutters && turn == Turn::Spin;
    }
}
