//! Loops that wait.
//!
//! The rule is that of the other engine ([`graph::waiting`](crate::engine::graph)), and so are the
//! executions that are left out: a turn that changed nothing and has found the same as an earlier one, or
//! is one of `wait_until`, blocks its thread until another thread has changed something that it
//! looked at. An execution in which it then goes on is not shown, since it is another one without that
//! turn. Nor is one in which a turn was taken for the sake of what turns out to be nothing; from there on, a critical
//! section counts only once it is known what becomes of its turn.
//!
//! Before a thread is blocked so for the first time, its loop is run on for
//! [`Config::idle_turns`](super::Config::idle_turns) turns, in which its steps are answered as in the
//! turn before. If it does something else meanwhile, the program is not explored.

use super::run::{Run, Status};
use super::{Config, Engine};
use crate::engine::call_stack::CallStack;
use crate::engine::turns::{Earlier, TurnEnd, only_look};
use crate::kernel::{Act, Clock, Edges, LocationId, Operation, Rmw, Site, ThreadId, Turn};

/// Turns without a step that a thread may take in a row.
const EMPTY_TURNS: u32 = 100_000;

/// A step that changed nothing.
#[derive(Debug, Clone, Copy)]
struct Look {
    operation: Operation,
    site: Site,
    /// Of an atomic: the number of its last change. Of an object: how many acts there had been that may have left
    /// something behind.
    found: usize,
    result: u64,
}

impl Look {
    fn same(&self, other: &Self) -> bool {
        // A wait acquires its mutex again at its own place, where it is released too.
        let locks = matches!(self.operation, Operation::Act { act: Act::Mutex(_), .. });
        let site = if locks { self.site } else { other.site };
        self.asks_the_same(&other.operation, site)
            && (self.result == other.result || matches!(self.operation, Operation::Load { .. }))
    }

    fn asks_the_same(&self, operation: &Operation, site: Site) -> bool {
        self.site == site && self.operation.is_like(operation)
    }
}

/// Turns in which steps are not taken.
#[derive(Debug)]
struct Echoed {
    site: Site,
    calls: CallStack,
    at: usize,
    turns: u32,
    /// How many locations had been made when it began.
    places: usize,
}

/// What becomes of a step.
pub(super) enum Echo {
    No,
    Answered(u64),
    /// Its loop gives up.
    GivesUp(String),
}

/// An act that may have left something behind for other threads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    thread: ThreadId,
    /// It has.
    lasts: bool,
    /// It ends a critical section of a turn that has not ended.
    open: bool,
}

/// What a thread did since the last end of a turn, and in the turns before.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    turn: Vec<Look>,
    before: Vec<Look>,
    earlier: Earlier<Look>,
    changed: bool,
    /// Where the last turn ended, or a `wait_until` began.
    site: Option<Site>,
    /// What there was in this turn before a `wait_until` began: looks, sections, changes.
    before_loop: (usize, usize, bool),
    /// The ends of critical sections in this turn: the lock, and which of the acts that may have left something
    /// behind.
    sections: Vec<(LocationId, usize)>,
    /// The locks of those in the turn before.
    looked_into: Vec<LocationId>,
    /// Turns in a row that had an effect.
    effects: u32,
    /// Turns in a row without a step.
    empty: u32,
    echo: Option<Echoed>,
    /// It is blocked at the end of a turn.
    pub(super) spins: bool,
}

impl Waiting {
    /// The loop whose turns are echoed.
    pub(super) fn echoes(&self) -> Option<Site> {
        self.echo.as_ref().map(|echo| echo.site)
    }

    /// Whether it matters by which calls a turn that ends now was made.
    fn compares_calls(&self, config: &Config) -> bool {
        self.echo.as_ref().is_none_or(|echo| echo.turns + 1 >= config.idle_turns)
    }

    /// What the thread looked at last before the end of a turn.
    pub(super) fn last_look(&self) -> Option<(Operation, Site)> {
        let looks = &self.before;
        let look = looks.iter().rfind(|look| look.operation.finds_something()).or(looks.last());
        look.map(|look| (look.operation, look.site))
    }
}

impl Run {
    /// The thread changes plain memory.
    pub(super) fn wrote_plainly(&mut self, thread: ThreadId, location: LocationId) {
        let waiting = &mut self.thread(thread).waiting;
        match &waiting.echo {
            None => waiting.changed = true,
            Some(echo) if location.index() < echo.places => {
                let site = echo.site;
                self.give_up(gives_up(site));
            }
            Some(_) => {}
        }
    }

    /// Answers a step of a loop that is run on.
    pub(super) fn echo(&mut self, thread: ThreadId, operation: &Operation, site: Site) -> Echo {
        let waiting = &mut self.thread(thread).waiting;
        let Some(echo) = &mut waiting.echo else { return Echo::No };
        if operation.is_end_of_read() || echo.at == 0 && operation.ends_wait(0) {
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

    /// How much was done to its location before a step.
    pub(super) fn done_before(&mut self, operation: &Operation) -> usize {
        let Some(location) = operation.location() else { return 0 };
        let place = self.place(location);
        match operation {
            Operation::Act { .. } => place.left.len(),
            _ => place.last_change.0,
        }
    }

    /// How much of what was done to its location, of so much, a step of `thread` finds.
    fn source(&self, thread: ThreadId, operation: &Operation, done: usize) -> usize {
        let Operation::Act { object, .. } = *operation else { return done };
        let place = &self.places[object.index()];
        let lasts =
            |left: &Left| left.thread != thread && left.lasts && !(left.open && self.stutters);
        place.left[..done].iter().rposition(lasts).map_or(0, |at| at + 1)
    }

    /// Notes what the step that `thread` has just taken has read and changed.
    pub(super) fn look(&mut self, thread: ThreadId, mut found: usize, result: u64) {
        let (operation, site) = self.thread(thread).step;
        let begins = self.thread(thread).waiting.turn.is_empty();
        if operation.is_end_of_read() || begins && operation.ends_wait(result) {
            return;
        }
        let changed = match operation {
            Operation::Load { .. } | Operation::Fence { .. } | Operation::Choose { .. } => false,
            Operation::Update { location, update, .. } => {
                let (last, _) = self.place(location).last_change;
                match update.rmw {
                    // Whether they have changed something depends on how `get_mut` ends.
                    Rmw::Lock => false,
                    Rmw::Unlock => {
                        found = last;
                        false
                    }
                    _ => last != found,
                }
            }
            Operation::Act { object, act } => {
                let (lasts, ends_section) = (act.has_lasting_effect(result), act.ends_section());
                if ends_section {
                    self.thread(thread).waiting.sections.push((object, found));
                }
                if lasts || ends_section {
                    let left = Left { thread, lasts: true, open: ends_section };
                    self.place(object).left.push(left);
                }
                lasts
            }
            Operation::Store { .. } | Operation::Spawn { .. } | Operation::Join { .. } => true,
        };
        let waiting = &mut self.thread(thread).waiting;
        waiting.changed |= changed;
        waiting.turn.push(Look { operation, site, found, result });
    }

    /// A turn ends, and with it what its critical sections leave behind.
    fn end_sections(&mut self, thread: ThreadId) {
        let waiting = &mut self.thread(thread).waiting;
        if waiting.turn.is_empty() {
            return;
        }
        let changed = waiting.changed;
        let sections = std::mem::take(&mut waiting.sections);
        let locks: Vec<LocationId> = sections.iter().rev().map(|&(lock, _)| lock).collect();
        let only_look = only_look(&locks, &waiting.looked_into);
        waiting.looked_into = locks;
        for ((lock, number), looks) in sections.into_iter().rev().zip(only_look) {
            let left = &mut self.place(lock).left[number];
            (left.lasts, left.open) = (changed || !looks, false);
        }
    }

    /// Whether the turn of `thread` that ends repeats an earlier one; and whether an earlier one did, as is known
    /// only now.
    fn compare(&mut self, thread: ThreadId, calls: CallStack) -> (bool, bool) {
        let waiting = &mut self.thread(thread).waiting;
        let turn = std::mem::take(&mut waiting.turn);
        let mut earlier = std::mem::take(&mut waiting.earlier);
        let source = |look: &Look| self.source(thread, &look.operation, look.found);
        let found = earlier.compare(calls, &turn, |a, b| a.same(b) && source(a) == source(b));
        let waiting = &mut self.thread(thread).waiting;
        (waiting.turn, waiting.earlier) = (turn, earlier);
        found
    }

    /// Whether `thread` would find something else now.
    fn is_old(&mut self, thread: ThreadId, look: &Look) -> bool {
        let done = self.done_before(&look.operation);
        let source = |done| self.source(thread, &look.operation, done);
        if source(done) != source(look.found) {
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

    /// Whether an attempt of a thread that spins succeeds in the middle of a turn of another one, as in the other engine.
    pub(super) fn succeeds_in_a_turn(&self) -> bool {
        let spins = || self.threads.iter().enumerate().filter(|(_, state)| state.waiting.spins);
        spins().any(|(thread, state)| {
            state.waiting.before.iter().any(|look| {
                let Operation::Act { object, act } = look.operation else { return false };
                let Some(state) = &self.places[object.index()].state else { return false };
                !act.has_lasting_effect(look.result)
                    && spins().filter(|&(other, _)| other != thread).any(|(other, its)| {
                        let steps = its.waiting.before.iter();
                        let steps = steps.filter_map(|step| step.operation.act_on(object));
                        state.clone().lets_succeed((act, thread), steps, other)
                    })
            })
        })
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
    fn end_turn(
        &mut self,
        thread: ThreadId,
        turn: Turn,
        (site, calls): TurnEnd,
        config: &Config,
    ) -> bool {
        let place = || format!("{}:{}", site.file(), site.line());
        let waiting = &mut self.thread(thread).waiting;
        if let Some(echo) = &mut waiting.echo {
            if turn == Turn::Begin {
                return false;
            }
            if echo.site != site || echo.at != waiting.before.len() {
                let site = echo.site;
                self.give_up(gives_up(site));
                return false;
            }
            (echo.at, echo.turns) = (0, echo.turns + 1);
            let elsewhere = echo.turns >= config.idle_turns && echo.calls != calls;
            if elsewhere && echo.turns >= 2 * config.idle_turns {
                self.give_up(gives_up(site));
                return false;
            }
            let ends = echo.turns >= config.idle_turns && !elsewhere;
            if ends {
                waiting.echo = None;
            }
            return ends;
        }
        let goes_round = waiting.site.replace(site) == Some(site);
        if turn == Turn::Begin {
            let changed = waiting.before_loop.2 || waiting.changed;
            waiting.before_loop = (waiting.turn.len(), waiting.sections.len(), changed);
            waiting.changed = false;
            return false;
        }
        // The condition of a `wait_until` may have a loop in it. Then this is the rest of a turn.
        let turn = if goes_round { turn } else { Turn::Spin };
        let (looks, sections, changed) = std::mem::take(&mut waiting.before_loop);
        if turn == Turn::Wait {
            waiting.turn.drain(..looks);
            waiting.sections.drain(..sections);
        } else {
            waiting.changed |= changed;
        }
        if !goes_round {
            waiting.looked_into.clear();
        }
        self.end_sections(thread);
        let compares = turn == Turn::Spin && !self.thread(thread).waiting.changed;
        let (repeats, in_vain) =
            if compares { self.compare(thread, calls) } else { (false, false) };
        self.stutters |= in_vain;
        let waiting = &mut self.thread(thread).waiting;
        let looks = !waiting.turn.is_empty();
        let stutters = !waiting.changed && looks && (turn == Turn::Wait || repeats || in_vain);
        waiting.effects = if waiting.changed { waiting.effects + 1 } else { 0 };
        waiting.empty = if looks { 0 } else { waiting.empty + 1 };
        if waiting.changed {
            waiting.earlier.clear();
        }
        if looks {
            std::mem::swap(&mut waiting.before, &mut waiting.turn);
            waiting.turn.clear();
            if !repeats {
                waiting.earlier.push(calls, waiting.before.clone());
            }
        }
        waiting.changed = false;
        if waiting.effects > config.turns {
            self.give_up(format!("the turns of the waiting loop at {} have an effect", place()));
        } else if waiting.empty > EMPTY_TURNS {
            self.give_up(format!("the waiting loop at {} looks at nothing", place()));
        } else if stutters && turn == Turn::Spin && !self.finds_something_else(thread) {
            let echo = Echoed { site, calls, at: 0, turns: 0, places: self.places.len() };
            self.thread(thread).waiting.echo = Some(echo);
            return false;
        }
        stutters
    }
}

/// Why a loop cannot be explored.
pub(super) fn gives_up(site: Site) -> String {
    let (file, line) = (site.file(), site.line());
    format!("the waiting loop at {file}:{line} does something else after some idle turns")
}

impl Engine<'_> {
    /// A turn ends, or a loop begins.
    pub(super) fn end_turn(&self, turn: Turn, site: Site) {
        let thread = self.current.get();
        self.leave_if_over();
        let calls = {
            let mut run = self.run.borrow_mut();
            let thread = run.thread(thread);
            thread.waiting.compares_calls(self.config).then(|| CallStack::of(thread.running))
        };
        let end = (site, calls.unwrap_or_default());
        let stutters = self.run.borrow_mut().end_turn(thread, turn, end, self.config);
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
