//! Loops that give up.
//!
//! A loop may count its turns, and leave or do something else after some. Stopping it would lose what it
//! does then. So where a thread stutters, it is run on for [`Config::idle_turns`](super::super::Config::idle_turns)
//! turns, in which its steps are answered as in the turn before and not added to the graph. If it does something
//! else meanwhile, also to plain memory or with other operands, or does not come back to where it was, the stutter rule
//! is not applied there, and the next turn is added to the graph. What a thread does is a function of its causes, so
//! this is found out once for each set of causes. What locks protect must be as the turn found it; where others may
//! have changed it since, it is found out in a run of the causes alone. If one of these has changed it, as far as can
//! be seen, the next turn finds something else, and the rule is not applied.

use super::super::event::{Event, NONE};
use super::super::outcome::Ending;
use super::super::run::{Place, Status};
use super::super::search::Search;
use super::super::turns::{EMPTY_TURNS, Echo, Look, PlainAccess, Stopped, TurnEnd, Waiting};
use super::found::Locks;
use crate::kernel::{Access, Choice, LocationId, Operation, Site, ThreadId, Turn, is_same_site};

impl Search {
    /// The thread accesses plain memory. Whether that is part of the graph, and not of a turn that is run on.
    pub(in super::super) fn notes_access(
        &mut self,
        thread: ThreadId,
        location: LocationId,
        access: Access,
    ) -> bool {
        if let Some(echo) = &self.run.thread(thread).waiting.echo {
            let causes = echo.causes;
            if !self.repeats_access(thread, echo, location, access) {
                self.goes_on(causes);
            }
            return false;
        }
        let turn = &mut self.run.thread_mut(thread).waiting.turn;
        if access == Access::Write {
            turn.change();
        }
        turn.accesses.push((turn.looks.len(), location, access));
        true
    }

    /// Whether the turn before made this access too, or it is to what this turn has made. A location has its id from its
    /// first use on, so a new one may be of an old value; what a turn makes on the stack is a new one at an old place.
    fn repeats_access(
        &self,
        thread: ThreadId,
        echo: &Echo,
        location: LocationId,
        access: Access,
    ) -> bool {
        let state = self.run.thread(thread);
        let place = |id: LocationId| &self.run.places[id.index()];
        let Place { maker, position, .. } = place(location);
        let is_new = location.index() >= echo.places;
        let on_stack = is_new && position.is_some_and(|(of, _)| of == thread);
        let is_made_here = is_new && maker.thread == thread && maker.index >= state.at;
        let repeats = |&(at, known, kind): &PlainAccess| {
            let same = known == location || on_stack && place(known).position == *position;
            same && (at, kind) == (echo.at, access)
        };
        is_made_here || state.waiting.before.accesses.iter().any(repeats)
    }

    /// Answers a step of a loop that is run on without being added to the graph.
    pub(in super::super) fn echo(
        &mut self,
        thread: ThreadId,
        operation: &Operation,
        site: Site,
    ) -> Option<u64> {
        let waiting = &mut self.run.thread_mut(thread).waiting;
        let echo = waiting.echo.as_ref()?;
        let (at, causes) = (echo.at, echo.causes);
        let (begin, (end, _)) = waiting.echoed_turn(echo);
        if let Operation::Act { act, .. } = *operation
            && operation.is_end_of_read()
        {
            waiting.counts_locks(act, 0);
            return Some(0);
        }
        let spurious = waiting.before.spurious;
        if at == begin && (operation.ends_wait(0) || spurious && operation.ends_unnotified(0)) {
            let chooses =
                matches!(operation, Operation::Choose { what: Choice::SpuriousWakeUp, .. });
            return Some(u64::from(spurious && chooses));
        }
        let is_this =
            |look: &&Look| is_same_site(look.site, site) && look.operation.is_like(operation);
        let look = waiting.before.looks[..end].get(at).filter(is_this);
        if let Some(&Look { result, .. }) = look {
            waiting.echo.as_mut()?.at += 1;
            if let Operation::Act { act, .. } = *operation {
                waiting.counts_locks(act, result);
            }
            return Some(result);
        }
        if operation.asks_for_end_of_read() {
            // That it has ended is not noted.
            return Some(1);
        }
        self.goes_on(causes);
        None
    }

    /// Whether it matters by which calls a turn of the thread that ends now was made: not of one without a step, or of
    /// all but the last that are not added to the graph.
    pub(in super::super) fn compares_calls(&self, thread: ThreadId) -> bool {
        let Waiting { echo, turn, before_loop, .. } = &self.run.thread(thread).waiting;
        match echo {
            Some(echo) => echo.turns + 1 >= self.config.idle_turns,
            None => [turn, before_loop].iter().any(|turn| !turn.is_empty()),
        }
    }

    /// Whether the thread is in turns that are not added to the graph.
    pub(in super::super) fn echoes(&self, thread: ThreadId) -> bool {
        self.run.thread(thread).waiting.echo.is_some()
    }

    /// The loop has done something else: this graph is explored again, without the rule there.
    fn goes_on(&mut self, causes: u128) {
        self.found_out(causes, false, true);
    }

    /// It is known whether a thread with these causes stutters for ever. The graph may be to be explored `again` with that.
    fn found_out(&mut self, causes: u128, stutters: bool, again: bool) {
        self.for_ever.insert(causes, stutters);
        if again && self.run.over.is_none() && self.decides.is_none() {
            let graph = self.copy();
            self.work.push(graph);
        }
        if again || self.decides.is_some() {
            self.run.end(Ending::Again);
        }
    }

    /// Whether another thread has changed what a lock protects since `thread` looked, or is about to: it holds it.
    fn sections_are_old(&self, thread: ThreadId) -> bool {
        let mut locks = Locks::new();
        self.run.thread(thread).waiting.before.looks.iter().any(|look| match look.operation {
            Operation::Act { object, act } => {
                let state = self.state(object, self.acts_so_far(object));
                let holder = state.holder().filter(|_| act.acquires());
                self.is_old(thread, look, &mut locks)
                    || holder.is_some_and(|holder| self.may_have_changed(holder))
            }
            _ => false,
        })
    }

    /// Whether the turn of `thread` is one of a loop that tries a weak exchange again, after it has failed: without a
    /// cause, or with one and nothing was changed since it began.
    pub(in super::super) fn tries_again(&self, thread: ThreadId, site: Site) -> bool {
        let waiting = &self.run.thread(thread).waiting;
        let (turn, changed) = match &waiting.echo {
            Some(echo) => (&waiting.before.looks[waiting.echoed_turn(echo).0..echo.at], None),
            None => (&*waiting.turn.looks, waiting.turn.changed),
        };
        let tried = turn.iter().rposition(|look| look.tries(site));
        tried.is_some_and(|at| turn[at].spurious || changed.is_none_or(|changed| changed <= at))
    }

    /// Whether the last step of the thread that runs was a weak exchange that failed without a cause.
    pub(in super::super) fn fails_spuriously(&self) -> bool {
        let waiting = &self.run.thread(self.run.current).waiting;
        let last = match &waiting.echo {
            Some(echo) => waiting.before.looks[waiting.echoed_turn(echo).0..echo.at].last(),
            None => waiting.turn.looks.last(),
        };
        last.is_some_and(|look| look.spurious)
    }

    /// Whether a thread may have changed something in its turn that has not ended. In a run that finds out whether
    /// another one stutters for ever, only if it did.
    pub(super) fn may_have_changed(&self, thread: ThreadId) -> bool {
        self.decides.is_none() || self.run.thread(thread).waiting.turn.changed.is_some()
    }

    /// A thread stutters of which it is not known whether it does so for ever. Whether it may go on.
    pub(super) fn find_out(
        &mut self,
        thread: ThreadId,
        (site, calls): TurnEnd,
        causes: u128,
    ) -> bool {
        let is_old = self.sections_are_old(thread);
        match self.decides {
            Some(decides) if decides != causes => {
                // This run is about another thread.
                return self.stop_without_locks(thread, site);
            }
            _ if !is_old => {
                let places = self.run.places.len();
                let echo = Echo { causes, site, calls, at: 0, ends: 0, turns: 0, places };
                self.run.thread_mut(thread).waiting.echo = Some(echo);
                return true;
            }
            // The next turn must find what its own causes have changed: it is no stutter.
            Some(_) => {
                self.for_ever.insert(causes, false);
                self.run.end(Ending::Again);
            }
            None => {
                let graph = self.copy();
                self.work.push(graph);
                let last = self.graph.of(thread).last();
                let past = last.map(|&last| self.graph.past(last).causes).unwrap_or_default();
                let stays = |_, event: &Event| event.in_past(&past);
                let spare = self.spare();
                let (graph, _) = self.graph.restrict(stays, [NONE; 2], spare);
                self.to_decide = Some((graph, causes));
                self.run.end(Ending::Again);
            }
        }
        false
    }

    /// Whether the thread has come to the end of its body in the middle of an echo: its loop gives up.
    pub(in super::super) fn ended_in_echo(&mut self, thread: ThreadId) -> bool {
        let causes = self.run.thread(thread).waiting.echo.as_ref().map(|echo| echo.causes);
        if let Some(causes) = causes {
            self.goes_on(causes);
        }
        causes.is_some()
    }

    /// A turn that is not added to the graph ends. Whether the thread may go on.
    pub(super) fn turn_of_echo(
        &mut self,
        thread: ThreadId,
        turn: Turn,
        (site, calls): TurnEnd,
    ) -> bool {
        let idle = self.config.idle_turns;
        let waiting = &mut self.run.thread_mut(thread).waiting;
        let Some((begin, end)) = waiting.echo.as_ref().map(|echo| waiting.echoed_turn(echo)) else {
            return true;
        };
        let last = waiting.before.ends.len();
        let Some(echo) = &mut waiting.echo else { return true };
        let causes = echo.causes;
        if turn == Turn::Begin {
            return true;
        }
        if echo.at == begin && waiting.empty < EMPTY_TURNS {
            // A pause, between two turns of the loop.
            waiting.empty += 1;
            return true;
        }
        waiting.empty = 0;
        if (echo.at, site) != end {
            self.goes_on(causes);
            return false;
        }
        if echo.ends < last {
            echo.ends += 1;
            return true;
        }
        (echo.at, echo.ends, echo.turns) = (0, 0, echo.turns + 1);
        let elsewhere = echo.turns >= idle && echo.calls != calls;
        if echo.turns < idle || (elsewhere && echo.turns < 2 * idle) {
            return true;
        }
        if elsewhere {
            self.goes_on(causes);
            return false;
        }
        waiting.echo = None;
        waiting.ran_on = true;
        waiting.stopped = Some((Stopped::Stutter, site));
        // It may hold a lock that it has acquired in a turn which is not in the graph.
        let holds_locks = waiting.holds_more_locks();
        self.found_out(causes, true, holds_locks);
        false
    }

    /// Whether a loop stopped after turns that are not in the graph, and is to be resumed if time is up
    /// for another thread.
    pub(in super::super) fn has_run_on(&self) -> bool {
        self.run.threads.iter().any(|state| state.waiting.ran_on && state.waiting.is_resumed())
    }

    /// Time is up for a thread: loops that have stopped go on to find what it does next, and come to each place where
    /// their turns end.
    pub(in super::super) fn resume_loops(&mut self) {
        for state in &mut self.run.threads {
            let waiting = &mut state.waiting;
            if waiting.is_resumed() || waiting.passes && !waiting.before.timed_out {
                waiting.until = waiting.recent.last_end();
            }
            if waiting.is_resumed() {
                waiting.stopped = None;
                if !waiting.at_step {
                    state.status = Status::Fresh;
                    self.run.fresh += 1;
                }
            }
        }
    }
}
