//! Loops that wait.
//!
//! # The stutter rule
//!
//! A turn that changed nothing and has found the same as an earlier one, with none in between that changed
//! anything, can be repeated for ever. The thread stops there. Nothing is lost: if such a turn is taken out of an execution, what remains is
//! consistent (there are fewer edges) and has the same outcome, and the search visits it. Where there
//! is nothing else to find, it is a deadlock; but not if the turn made an unusual choice, such as a
//! `compare_exchange_weak` that fails without a cause: the thread need not make it again, and in another
//! execution it does not.
//!
//! A load finds a store. An update that writes back what it read changes nothing, and stands for what
//! it read. An act finds its result, and behind it the last lasting act of another thread: one that
//! leaves something behind itself, or ends a critical section in which its thread has changed
//! something. A lock, or a place in a queue, that is given up again leaves nothing behind.
//!
//! # Loops that give up
//!
//! A loop may count its turns, and leave or do something else after some. Stopping it would lose what it
//! does then. So where a thread stutters, it is run on for [`Config::idle_turns`](super::Config::idle_turns)
//! turns, in which its steps are answered as in the turn before and not added to the graph. If it does
//! something else meanwhile, the rule is not applied there, and the next turn is added to the graph. What a
//! thread does is a function of its causes, so this is found out once for each set of causes. What locks
//! protect must be as the turn found it; where others have changed it since, it is found out in a run of the
//! causes alone. If one of these has changed it, the next turn finds something else, and the rule is not
//! applied.
//!
//! # Bounds
//!
//! A loop whose turns have an effect has no end of executions. It stops after
//! [`Config::turns`](super::Config::turns), and the result is bounded.

use std::collections::HashMap;

use super::event::{INIT, Id, Kind, NONE};
use super::outcome::Ending;
use super::run::Status;
use super::search::Search;
use crate::engine::sections::Sections;
use crate::kernel::object::{CondvarAct, ReadEndAct};
use crate::kernel::{Act, Choice, Clock, Edges, Operation, Site, ThreadId, Turn};

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
        // A wait acquires its mutex again at its own place, where it is released too.
        let locks = matches!(self.operation, Operation::Act { act: Act::Mutex(_), .. });
        (self.source, self.operation.location()) == (other.source, other.operation.location())
            && (self.site == other.site || locks)
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

/// Whether a thread that stutters does so for ever, by the signature of its causes.
pub(super) type Stutters = HashMap<u128, bool>;

/// Turns that are not added to the graph.
#[derive(Debug)]
struct Echo {
    causes: u128,
    site: Site,
    at: usize,
    turns: u32,
}

/// What a thread did since the last end of a turn, and in the turns before.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    turn: Vec<Look>,
    before: Vec<Look>,
    /// Those before that one, since something was changed.
    earlier: Vec<Vec<Look>>,
    changed: bool,
    sections: Sections,
    /// Turns in a row that had an effect.
    effects: u32,
    /// Turns in a row without a step.
    empty: u32,
    echo: Option<Echo>,
    pub(super) stopped: Option<(Stopped, Site)>,
    /// It stopped in a `wait_until`, which blocks and does not spin.
    pub(super) blocks: bool,
    /// Time was up in this turn, and in the last one.
    timed_out: (bool, bool),
    /// It has stopped after turns that are not in the graph.
    ran_on: bool,
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

    /// Whether it is resumed when time is up for another thread. Not if its own time was up in the
    /// turn that changed nothing: without that turn it still waits.
    fn is_resumed(&self) -> bool {
        matches!(self.stopped, Some((Stopped::Stutter, _))) && !self.timed_out.1
    }
}

impl Search {
    /// Whether an act says nothing of what its thread has found: each read ends on an object of its own.
    fn is_end_of_read(operation: &Operation) -> bool {
        let Operation::Act { act: Act::ReadEnd(act), .. } = operation else { return false };
        matches!(act, ReadEndAct::End | ReadEndAct::Await)
    }

    /// Whether a step at the beginning of a turn says only how the wait ended in which the turn before did.
    /// The result that it has if that is spurious.
    fn ends_wait(operation: &Operation) -> Option<u64> {
        match operation {
            Operation::Choose { what: Choice::SpuriousWakeUp, .. } => Some(1),
            Operation::Act { act: Act::Condvar(CondvarAct::LeaveAnyway), .. } => Some(0),
            _ => None,
        }
    }

    /// Notes what the event that `thread` has just added or replayed has read and changed.
    pub(super) fn look(&mut self, thread: ThreadId, id: Id, result: u64) {
        let event = self.graph.at(id);
        let (operation, site) = self.run.thread(thread).step;
        let begins = self.run.thread(thread).waiting.turn.is_empty();
        if Self::is_end_of_read(&operation) || begins && Self::ends_wait(&operation).is_some() {
            return;
        }
        let (changed, source) = match event.kind {
            Kind::Load => (false, self.origin(event.rf)),
            Kind::Update => (!self.writes_back(id), self.origin(event.rf)),
            Kind::Act => {
                let lasting = event.act.is_some_and(Act::has_lasting_effect);
                let source = self.last_foreign_act(event.location, event.place as usize, thread);
                let Operation::Act { object, act } = operation else { unreachable!("an act") };
                let changed = self.run.thread_mut(thread).waiting.sections.act(object, act);
                self.run.lasting[id as usize] = lasting || changed;
                (lasting, source)
            }
            Kind::TimeOut => {
                self.run.thread_mut(thread).waiting.timed_out.0 = true;
                let acts = operation.location().map_or(0, |object| self.acts_so_far(object));
                (false, self.last_foreign_act(event.location, acts, thread))
            }
            Kind::Fence | Kind::Choose => (false, None),
            Kind::Store | Kind::Spawn | Kind::Join => (true, None),
        };
        let waiting = &mut self.run.thread_mut(thread).waiting;
        waiting.changed |= changed;
        if changed {
            waiting.sections.changed();
        }
        waiting.turn.push(Look { operation, site, source, result });
    }

    /// The thread has changed plain memory.
    pub(super) fn wrote_plainly(&mut self, thread: ThreadId) {
        let waiting = &mut self.run.thread_mut(thread).waiting;
        waiting.changed = true;
        waiting.sections.changed();
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
        if echo.at == 0
            && let Some(result) = Self::ends_wait(operation)
        {
            return Some(result);
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
        let causes = echo.causes;
        self.goes_on(causes);
        None
    }

    /// Whether the thread is in turns that are not added to the graph.
    pub(super) fn echoes(&self, thread: ThreadId) -> bool {
        self.run.thread(thread).waiting.echo.is_some()
    }

    /// The loop has done something else: this graph is explored again, without the rule there.
    fn goes_on(&mut self, causes: u128) {
        self.for_ever.insert(causes, false);
        if self.run.over.is_none() && self.decides.is_none() {
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

    /// A thread stutters of which it is not known whether it does so for ever. Whether it may go on.
    fn find_out(&mut self, thread: ThreadId, site: Site, causes: u128) -> bool {
        let is_old = self.sections_are_old(thread);
        match self.decides {
            Some(decides) if decides != causes => {
                // This run is about another thread.
                self.run.thread_mut(thread).waiting.stopped = Some((Stopped::Stutter, site));
            }
            _ if !is_old => {
                let echo = Echo { causes, site, at: 0, turns: 0 };
                self.run.thread_mut(thread).waiting.echo = Some(echo);
                return true;
            }
            // The next turn must find what its own causes have changed: it is no stutter.
            Some(_) => {
                self.for_ever.insert(causes, false);
                self.run.end(Ending::Again);
            }
            None => {
                let graph = self.fork();
                self.work.push(graph);
                let mut graph = self.spare();
                if let Some(&last) = self.graph.of(thread).last() {
                    let past = self.graph.past(last).causes;
                    self.graph.restrict(
                        &mut graph,
                        &mut self.ids,
                        |_, event| event.in_past(&past),
                        [NONE; 2],
                    );
                }
                self.to_decide = Some((graph, causes));
                self.run.end(Ending::Again);
            }
        }
        false
    }

    /// Whether the thread has come to the end of its body in the middle of an echo: its loop gives up.
    pub(super) fn ended_in_echo(&mut self, thread: ThreadId) -> bool {
        let causes = self.run.thread(thread).waiting.echo.as_ref().map(|echo| echo.causes);
        if let Some(causes) = causes {
            self.goes_on(causes);
        }
        causes.is_some()
    }

    /// A turn ends. Whether the thread may go on.
    pub(super) fn turn(&mut self, thread: ThreadId, turn: Turn, site: Site) -> bool {
        let (limit, idle) = (self.config.turns, self.config.idle_turns);
        // The graph may have been made before it was known that the loop waits.
        let goes_on = self.graph.of(thread).len() > usize::from(self.run.thread(thread).at);
        let waiting = &mut self.run.thread_mut(thread).waiting;
        if let Some(echo) = &mut waiting.echo {
            let causes = echo.causes;
            if echo.at == 0 && waiting.empty < EMPTY_TURNS {
                // A pause, between two turns of the loop.
                waiting.empty += 1;
                return true;
            }
            waiting.empty = 0;
            if echo.site != site || echo.at != waiting.before.len() {
                self.goes_on(causes);
                return false;
            }
            (echo.at, echo.turns) = (0, echo.turns + 1);
            if echo.turns < idle {
                return true;
            }
            waiting.echo = None;
            waiting.ran_on = true;
            waiting.stopped = Some((Stopped::Stutter, site));
            self.for_ever.insert(causes, true);
            if self.decides.is_some() {
                self.run.end(Ending::Again);
            }
            return false;
        }
        if turn == Turn::Begin {
            waiting.turn.clear();
            waiting.earlier.clear();
            waiting.timed_out.0 = false;
            (waiting.changed, waiting.effects) = (false, 0);
            return true;
        }
        // The first turn comes with what the thread did before the loop.
        let turn_now = &waiting.turn;
        let repeated = std::iter::once(&waiting.before).chain(&waiting.earlier).any(|before| {
            before.len() >= turn_now.len()
                && before.iter().rev().zip(turn_now.iter().rev()).all(|(a, b)| a.same(b))
        });
        let stutters = !goes_on
            && !waiting.changed
            && !waiting.turn.is_empty()
            && (turn == Turn::Wait || repeated);
        waiting.timed_out = (false, waiting.timed_out.0);
        waiting.effects = if waiting.changed { waiting.effects + 1 } else { 0 };
        waiting.empty = if waiting.turn.is_empty() { waiting.empty + 1 } else { 0 };
        if waiting.changed {
            waiting.earlier.clear();
        } else if !waiting.earlier.contains(&waiting.before) {
            waiting.earlier.push(waiting.before.clone());
        }
        if !waiting.turn.is_empty() {
            std::mem::swap(&mut waiting.before, &mut waiting.turn);
            waiting.turn.clear();
        }
        waiting.changed = false;
        if stutters && turn == Turn::Wait {
            waiting.stopped = Some((Stopped::Stutter, site));
            waiting.blocks = true;
        } else if stutters {
            let causes = self.graph.signature_of_causes(thread, &self.names);
            match self.for_ever.get(&causes) {
                None => return self.find_out(thread, site, causes),
                Some(true) => {
                    self.run.thread_mut(thread).waiting.stopped = Some((Stopped::Stutter, site));
                    return false;
                }
                Some(false) => {}
            }
        } else if waiting.effects > limit || waiting.empty > EMPTY_TURNS {
            waiting.stopped = Some((Stopped::Turns, site));
        }
        self.run.thread(thread).waiting.stopped.is_none()
    }

    /// Whether a loop stopped after turns that are not in the graph, and is to be resumed if time is up
    /// for another thread.
    pub(super) fn has_run_on(&self) -> bool {
        self.run.threads.iter().any(|state| state.waiting.ran_on && state.waiting.is_resumed())
    }

    /// Time is up for a thread: loops that have stopped go on to find what it does next.
    pub(super) fn resume_loops(&mut self) {
        for state in &mut self.run.threads {
            if state.waiting.is_resumed() {
                state.waiting.stopped = None;
                state.status = Status::Fresh;
                self.run.fresh += 1;
            }
        }
    }

    /// Whether a thread that was suspended at the end of a turn goes on.
    pub(super) fn may_resume(&self, thread: ThreadId) -> bool {
        let over = self.run.unwinding || self.run.over.is_some();
        !over && self.run.thread(thread).waiting.stopped.is_none()
    }

    /// Whether a thread stopped that would find something else in the end.
    pub(super) fn stutters(&self) -> bool {
        self.run.threads.iter().enumerate().any(|(thread, state)| {
            let stutters = matches!(state.waiting.stopped, Some((Stopped::Stutter, _)));
            let choice = |look: &Look| matches!(look.operation, Operation::Choose { .. });
            let unusual = |look: &Look| choice(look) && look.result != 0;
            let before = &state.waiting.before;
            stutters && before.iter().any(|look| unusual(look) || self.is_old(thread, look))
        })
    }

    fn is_old(&self, thread: ThreadId, look: &Look) -> bool {
        let Some(object) = look.operation.location() else { return false };
        let location = self.run.location(object);
        let order = self.graph.order(location);
        let Operation::Act { act, .. } = look.operation else {
            return look.source != self.origin(order.last().copied().unwrap_or(INIT));
        };
        let acts = self.acts_so_far(object);
        if look.source != self.last_foreign_act(location, acts, thread) {
            return true;
        }
        let mut state = self.state(object, acts).clone();
        let edges = &mut Edges { past: &mut Clock::default() };
        state.enabled(act, thread) && state.apply(act, thread, edges) != look.result
    }

    /// What a thread that stopped looked at last.
    pub(super) fn last_look(&self, thread: ThreadId) -> Option<(Operation, Site)> {
        let looks = &self.run.thread(thread).waiting.before;
        let look = looks.iter().rfind(|look| look.operation.finds_something()).or(looks.last())?;
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
    fn last_foreign_act(&self, object: u32, at: usize, thread: ThreadId) -> Name {
        let order = &self.graph.order(object)[..at];
        let other = order
            .iter()
            .rev()
            .find(|&&id| self.graph.at(id).thread() != thread && self.run.lasting[id as usize]);
        other.and_then(|&id| self.name(id))
    }
}
