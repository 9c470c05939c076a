//! Loops that wait.
//!
//! # The stutter rule
//!
//! A turn that changed nothing and has found the same as the turn before can be repeated for ever. The
//! thread stops there. Nothing is lost: if such a turn is taken out of an execution, what remains is
//! consistent (there are fewer edges) and has the same outcome, and the search visits it. Where there
//! is nothing else to find, it is a deadlock.
//!
//! A load finds a store. An update that writes back what it read changes nothing, and stands for what
//! it read. An act finds its result, and behind it the last lasting act of another thread: one that
//! leaves something behind itself, or ends a critical section in which its thread has changed
//! something. A lock, or a place in a queue, that is given up again leaves nothing behind.
//!
//! # Loops that give up
//!
//! A loop may count its turns and leave. Stopping it would lose what it does then. So the first time
//! that a loop stutters, it is run on for [`Config::idle_turns`](super::Config::idle_turns) turns, in
//! which its steps are answered as in the turn before and not added to the graph. If it does
//! something else meanwhile, it gives up, and the rule is not applied to it. What locks protect must
//! be as the turn found it; where it is not, the graph is put off until another has decided.
//!
//! # Bounds
//!
//! A loop whose turns have an effect has no end of executions. It stops after
//! [`Config::turns`](super::Config::turns), and the result is bounded.

use std::collections::HashMap;

use super::event::{INIT, Id, Kind};
use super::outcome::Ending;
use super::search::Search;
use crate::kernel::object::ReadEndAct;
use crate::kernel::{Act, Clock, Edges, LocationId, Operation, Site, ThreadId, Turn};

/// Turns without a step that a thread may take in a row.
const EMPTY_TURNS: u32 = 100_000;

/// A store or an act by a name that holds when the graph is cut; `None`: the initial value.
type Name = Option<(u8, u16)>;

/// A step that changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    operation: Operation,
    site: Site,
    /// Of reads and acts: whose work it found.
    source: Name,
    result: u64,
}

impl Look {
    fn same(&self, other: &Self) -> bool {
        (self.site, self.source, self.operation.location())
            == (other.site, other.source, other.operation.location())
            && (self.result == other.result || matches!(self.operation, Operation::Load { .. }))
            && std::mem::discriminant(&self.operation) == std::mem::discriminant(&other.operation)
    }
}

/// Why a thread stopped that is not blocked by a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The stutter rule.
    Stutter,
    /// Too many turns.
    Turns,
    /// Too many steps.
    Steps,
}

/// What a loop does that has stuttered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loop {
    Waits,
    GivesUp,
}

/// What is known of all loops, by the end of their turns.
pub(super) type Loops = HashMap<Site, Loop>;

/// Turns that are not added to the graph.
#[derive(Debug)]
struct Echo {
    site: Site,
    at: usize,
    turns: u32,
}

/// What a thread did since the last end of a turn, and in the turn before.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    turn: Vec<Look>,
    before: Vec<Look>,
    changed: bool,
    /// Something was changed since the end of the last critical section.
    dirty: bool,
    /// Turns in a row that had an effect.
    effects: u32,
    /// Turns in a row without a step.
    empty: u32,
    /// Turns that may have been stutters.
    undecided: u32,
    echo: Option<Echo>,
    pub(super) stopped: Option<(Stopped, Site)>,
}

impl Waiting {
    /// Forgets everything, and keeps the memory.
    pub(super) fn clear(&mut self) {
        let (mut turn, mut before) =
            (std::mem::take(&mut self.turn), std::mem::take(&mut self.before));
        turn.clear();
        before.clear();
        *self = Self { turn, before, ..Self::default() };
    }
}

impl Search {
    /// Whether an act says nothing of what its thread has found: each read ends on an object of its own.
    fn is_end_of_read(operation: &Operation) -> bool {
        let Operation::Act { act: Act::ReadEnd(act), .. } = operation else { return false };
        matches!(act, ReadEndAct::End | ReadEndAct::Await)
    }

    /// Notes what the event that `thread` has just added or replayed has read and changed.
    pub(super) fn look(&mut self, thread: ThreadId, id: Id, result: u64) {
        let event = self.graph.at(id);
        let (operation, site) = self.run.thread(thread).step;
        if Self::is_end_of_read(&operation) {
            return;
        }
        let dirty = self.run.thread(thread).waiting.dirty;
        let (changed, source) = match event.kind {
            Kind::Load => (false, self.origin(event.rf)),
            Kind::Update => (!self.writes_back(id), self.origin(event.rf)),
            Kind::Act => {
                let lasting = event.act.is_some_and(Act::has_lasting_effect);
                let ends_section = event.act.is_some_and(Act::ends_section);
                let source = self.last_foreign_act(event.location, event.place as usize, thread);
                self.run.lasting[id as usize] = lasting || dirty && ends_section;
                self.run.thread_mut(thread).waiting.dirty &= !ends_section;
                (lasting, source)
            }
            Kind::Fence | Kind::Choose => (false, None),
            Kind::Store | Kind::Spawn | Kind::Join => (true, None),
        };
        let waiting = &mut self.run.thread_mut(thread).waiting;
        waiting.changed |= changed;
        waiting.dirty |= changed;
        waiting.turn.push(Look { operation, site, source, result });
    }

    /// The thread has changed plain memory.
    pub(super) fn wrote_plainly(&mut self, thread: ThreadId) {
        let waiting = &mut self.run.thread_mut(thread).waiting;
        (waiting.changed, waiting.dirty) = (true, true);
    }

    /// Answers a step of a loop that is run on without being added to the graph.
    pub(super) fn echo(
        &mut self,
        thread: ThreadId,
        operation: &Operation,
        site: Site,
    ) -> Option<u64> {
        let waiting = &mut self.run.thread_mut(thread).waiting;
        let echo = waiting.echo.as_mut()?;
        if Self::is_end_of_read(operation) {
            return Some(0);
        }
        let look = waiting.before.get(echo.at).filter(|look| {
            look.site == site
                && look.operation.location() == operation.location()
                && std::mem::discriminant(&look.operation) == std::mem::discriminant(operation)
        });
        if let Some(look) = look {
            echo.at += 1;
            return Some(look.result);
        }
        let end = echo.site;
        self.gives_up(end);
        None
    }

    /// Whether the thread is in turns that are not added to the graph.
    pub(super) fn echoes(&self, thread: ThreadId) -> bool {
        self.run.thread(thread).waiting.echo.is_some()
    }

    /// The loop has done something else: this graph is explored again, without the rule for it.
    fn gives_up(&mut self, site: Site) {
        self.loops.insert(site, Loop::GivesUp);
        if self.run.over.is_none() {
            let graph = self.fork();
            self.work.push(graph);
        }
        self.run.end(Ending::Again);
    }

    /// Whether another thread has changed what a lock protects since `thread` looked.
    fn sections_are_old(&self, thread: ThreadId) -> bool {
        self.run.thread(thread).waiting.before.iter().any(|look| match look.operation {
            Operation::Act { .. } => self.is_old(thread, look),
            _ => false,
        })
    }

    /// A loop has stuttered of which it is not known whether it gives up. Whether the thread may go on.
    fn stuttered_first(&mut self, thread: ThreadId, site: Site) -> bool {
        if !self.sections_are_old(thread) {
            let echo = Echo { site, at: 0, turns: 0 };
            self.run.thread_mut(thread).waiting.echo = Some(echo);
            return true;
        }
        if self.decides {
            // Nothing has decided: the loop goes on, but not for ever.
            let limit = self.config.turns;
            let waiting = &mut self.run.thread_mut(thread).waiting;
            waiting.undecided += 1;
            if waiting.undecided > limit {
                waiting.stopped = Some((Stopped::Turns, site));
            }
            return waiting.stopped.is_none();
        }
        let graph = self.fork();
        self.put_off.push(graph);
        self.run.end(Ending::Again);
        false
    }

    /// The thread comes to the end of its body in the middle of an echo: its loop gives up.
    pub(super) fn ended_in_echo(&mut self, thread: ThreadId) -> bool {
        let site = self.run.thread(thread).waiting.echo.as_ref().map(|echo| echo.site);
        if let Some(site) = site {
            self.gives_up(site);
        }
        site.is_some()
    }

    /// A turn ends. Whether the thread may go on.
    pub(super) fn turn(&mut self, thread: ThreadId, turn: Turn, site: Site) -> bool {
        let (limit, idle) = (self.config.turns, self.config.idle_turns);
        // The graph may have been made before it was known that the loop waits.
        let goes_on = self.graph.of(thread).len() > usize::from(self.run.thread(thread).at);
        let known = self.loops.get(&site).copied();
        let waiting = &mut self.run.thread_mut(thread).waiting;
        if let Some(echo) = &mut waiting.echo {
            if echo.site != site || echo.at != waiting.before.len() {
                let end = echo.site;
                self.gives_up(end);
                return false;
            }
            (echo.at, echo.turns) = (0, echo.turns + 1);
            if echo.turns < idle {
                return true;
            }
            waiting.echo = None;
            waiting.stopped = Some((Stopped::Stutter, site));
            self.loops.insert(site, Loop::Waits);
            return false;
        }
        if turn == Turn::Begin {
            waiting.turn.clear();
            (waiting.changed, waiting.effects) = (false, 0);
            return true;
        }
        // The first turn comes with what the thread did before the loop.
        let repeated = waiting.before.len() >= waiting.turn.len()
            && waiting.before.iter().rev().zip(waiting.turn.iter().rev()).all(|(a, b)| a.same(b));
        let stutters = !goes_on
            && !waiting.changed
            && !waiting.turn.is_empty()
            && (turn == Turn::Wait || repeated && known != Some(Loop::GivesUp));
        waiting.effects = if waiting.changed { waiting.effects + 1 } else { 0 };
        waiting.empty = if waiting.turn.is_empty() { waiting.empty + 1 } else { 0 };
        if !waiting.turn.is_empty() {
            std::mem::swap(&mut waiting.before, &mut waiting.turn);
            waiting.turn.clear();
        }
        waiting.changed = false;
        if stutters && (turn == Turn::Wait || known == Some(Loop::Waits)) {
            waiting.stopped = Some((Stopped::Stutter, site));
        } else if stutters {
            return self.stuttered_first(thread, site);
        } else if waiting.effects > limit || waiting.empty > EMPTY_TURNS {
            waiting.stopped = Some((Stopped::Turns, site));
        }
        waiting.stopped.is_none()
    }

    /// Whether a thread stopped that would find something else in the end.
    pub(super) fn stutters(&self) -> bool {
        self.run.threads.iter().enumerate().any(|(thread, state)| {
            let stutters = matches!(state.waiting.stopped, Some((Stopped::Stutter, _)));
            stutters && state.waiting.before.iter().any(|look| self.is_old(thread, look))
        })
    }

    fn is_old(&self, thread: ThreadId, look: &Look) -> bool {
        let Some(location) = look.operation.location() else { return false };
        let order = self.graph.order(location);
        let Operation::Act { act, .. } = look.operation else {
            return look.source != self.origin(order.last().copied().unwrap_or(INIT));
        };
        let acts = self.acts_so_far(location);
        if look.source != self.last_foreign_act(location, acts, thread) {
            return true;
        }
        let mut state = self.state(location, acts).clone();
        let edges = &mut Edges { past: &mut Clock::default() };
        state.enabled(act, thread) && state.apply(act, thread, edges) != look.result
    }

    /// What a thread that stopped did last.
    pub(super) fn last_look(&self, thread: ThreadId) -> Option<(Operation, Site)> {
        let look = self.run.thread(thread).waiting.before.last()?;
        Some((look.operation, look.site))
    }

    fn name(&self, id: Id) -> Name {
        (id != INIT).then(|| (self.graph.at(id).thread, self.graph.at(id).index))
    }

    /// Where the value of `write` comes from: updates that wrote it back do not count.
    fn origin(&self, mut write: Id) -> Name {
        while write != INIT && self.writes_back(write) {
            write = self.graph.at(write).rf;
        }
        self.name(write)
    }

    /// Whether `id` is an update that wrote what it had read.
    fn writes_back(&self, id: Id) -> bool {
        let event = self.graph.at(id);
        event.kind == Kind::Update
            && self.value(event.location, event.rf) == self.run.values[id as usize]
    }

    /// The last lasting act of another thread than `thread` before position `at`.
    fn last_foreign_act(&self, object: LocationId, at: usize, thread: ThreadId) -> Name {
        let order = &self.graph.order(object)[..at];
        let other = order
            .iter()
            .rev()
            .find(|&&id| self.graph.at(id).thread() != thread && self.run.lasting[id as usize]);
        other.and_then(|&id| self.name(id))
    }
}
