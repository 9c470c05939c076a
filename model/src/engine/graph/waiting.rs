//! Loops that wait.
//!
//! # The stutter rule
//!
//! A turn of a loop that changed nothing, and has found the same as an earlier one with none in between that
//! changed anything, and ends where that did, can be repeated for ever. The thread stops there. Nothing is lost:
//! if such a turn is taken out of an execution, what remains is consistent (there are fewer edges) and has the
//! same outcome, and the search visits it. A turn ends where another does if they call the hint at one place, in
//! functions that were called at the same places ([`CallStack`]). Where there is nothing else to find, it is a
//! deadlock; but not if the turn made an unusual choice, or began with a wait that ended without a cause: the
//! thread need not make it again, and in another execution it does not.
//!
//! A loop may end its turns at several places, as one that waits with a limit and then calls a hint. So two, three or four
//! turns are taken out together, if the same number before them ended at the same places and found the same.
//!
//! A turn in which a `compare_exchange_weak` fails ends where the exchange is tried again, if nothing was changed in
//! between, for such a loop often has no hint. What came before the exchange is no part of that turn. A turn that is
//! nothing but an exchange that fails without a cause need not repeat another: such failures are not counted.
//!
//! A load finds a store. An update that writes back what it read changes nothing, and stands for what it read. So
//! does a call of `Arc::get_mut` that fails, which locks the count of weak owners and unlocks it. An act finds its
//! result, and behind it the last lasting act of another thread: a message, a notification, the end of a critical
//! section. That a wait on a condition variable has ended without a cause is not part of what the next turn finds.
//!
//! # What other threads do not know of
//!
//! A location is known to no other thread if this one has made it and has released nothing since: if another used it, that
//! would be a race. So others come to it after its next release, and with all behind them that was stored before. A
//! store there of the value that is there changes nothing: without it they find the one before, which is the same. Such
//! is the link of a node that a push stores once more if its weak exchange failed without a cause.
//!
//! # Critical sections
//!
//! What changes in a critical section is not always seen: behind a `&`, a `Cell` may change. So each
//! section is lasting, except those of turns that changed nothing, which only look. Otherwise two loops
//! that look into one mutex would find each other's sections for ever. That a section only looked is known to
//! those who know of the end of its turn; until then it is *open*, and lasting. So a turn may turn out to repeat
//! another when the thread has gone on already: what came of it was in vain, and it stops at the end of its
//! next turn.
//!
//! A section that only looked may still have made a `try_lock` of another thread fail. Then it cannot be taken
//! out: such a turn is compared with earlier ones even if it belongs to a `wait_until`, which otherwise blocks
//! without turns in vain. It is taken out only together with the turn of that thread; if that has come to no end of a
//! turn yet, it is in no loop, and the turn is kept.
//!
//! A guard may live until behind the hint. So a turn ends behind the releases that come next after its hint, as if they
//! came before it. If another step comes between, it ends in the middle of a section. Its thread continues until it holds no
//! more locks than it does at some point of each turn, and stops there: so it blocks no other thread with a lock that
//! its next turn would release, and of the sections that it ends until then it is known at once that they only
//! looked, if no turn since they began has changed something. If it reads something new until then, it does not stop.
//!
//! # Loops that give up
//!
//! A loop may count its turns, and go on after some. How that is found out is the head of [`echo`].
//!
//! # Bounds
//!
//! A loop whose turns have an effect, each or some of them, has no end of executions. It stops after
//! [`Config::turns`](super::Config::turns) of these, unless a turn without an effect has found something new of another
//! thread meanwhile, and the result is bounded. If it waits on a condition variable, it
//! stops after the first turn in vain that no notification has begun: threads that take from a queue in such
//! loops have more executions with each of these turns than can be explored. Turns belong to one loop if they end at
//! the same place.

mod echo;
mod found;

use found::Locks;

use super::call_stack::CallStack;
use super::event::{Event, Id, Kind};
use super::run::{Status, Thread};
use super::search::Search;
use super::turns::{EMPTY_TURNS, Lasting, Look, Stopped, TurnEnd, only_look};
use crate::kernel::{Act, Choice, Operation, Rmw, Site, ThreadId, Turn, is_same_site};

impl Search {
    /// Notes what the event that `thread` has just added or replayed has read and changed.
    pub(super) fn look(&mut self, thread: ThreadId, id: Id, result: u64) {
        let event = *self.graph.at(id);
        let state = &mut self.run.threads[thread];
        let (operation, site) = state.step;
        if event.publishes() {
            state.waiting.published = state.at;
        }
        self.counts_locks(thread, event.act, result);
        let (noticed, kept) = self.noticed(id);
        let turn = &mut self.run.thread_mut(thread).waiting.turn;
        turn.noticed |= noticed;
        turn.kept |= kept;
        if let Operation::Choose { what: Choice::SpuriousWakeUp, .. } = operation {
            turn.spurious = result == 1;
            if turn.spurious
                && matches!(turn.looks[..], [look] if look.operation.ends_unnotified(0))
            {
                // That time was not up is no part of what it found.
                turn.looks.clear();
            }
        }
        let begins = turn.looks.is_empty();
        turn.unnotified |= begins && operation.ends_unnotified(result);
        let ends_wait = begins && operation.ends_wait(result);
        // How many reads had ended when a `try_write` found one that had not, depends on how many there were before.
        let has_ended = operation.asks_for_end_of_read() && result == 1;
        if operation.is_end_of_read() || has_ended || ends_wait {
            return;
        }
        if operation.begins_again(result) {
            // What it found before is of no account.
            let location = operation.location();
            let begins = |look: &Look| look.operation.location() == location;
            if let Some(at) = turn.looks.iter().rposition(begins) {
                turn.looks.truncate(at);
            }
            return;
        }
        let mut acts = event.place as usize;
        let (changed, source) = match event.kind {
            Kind::Load => (false, self.origin(event.rf)),
            // Whether they have changed something depends on how `get_mut` ends.
            Kind::Update if operation.rmw() == Some(Rmw::Lock) => (false, self.origin(event.rf)),
            Kind::Update if event.undoes => (false, self.origin(id)),
            Kind::Update => (!self.writes_back(id), self.origin(event.rf)),
            Kind::Act => {
                let lasting = event.act.is_some_and(|act| act.has_lasting_effect(result));
                let state = self.run.thread(thread);
                if self.ends_changed_section(id) {
                    self.run.lasting[id as usize] = Lasting::Yes;
                } else if state.waiting.stopped.is_some() && event.act.is_some_and(Act::releases) {
                    self.run.lasting[id as usize] = Lasting::UntilStep(state.at);
                } else if event.act.is_some_and(|act| act.marks_section(result)) {
                    self.run.lasting[id as usize] = Lasting::Open;
                    let turn = &mut self.run.thread_mut(thread).waiting.turn;
                    turn.sections.push((turn.looks.len(), id));
                } else if lasting {
                    self.run.lasting[id as usize] = Lasting::Yes;
                }
                (lasting, self.found_by(thread, &operation, acts))
            }
            Kind::TimeOut => {
                self.run.thread_mut(thread).waiting.turn.timed_out = true;
                acts = operation.location().map_or(0, |object| self.acts_so_far(object));
                (false, self.found_by(thread, &operation, acts))
            }
            Kind::Fence | Kind::Choose => (false, None),
            Kind::Store => {
                let changes = !self.stores_what_is_there(id);
                self.run.lasting[id as usize] = if changes { Lasting::Yes } else { Lasting::No };
                (changes, None)
            }
            Kind::Spawn | Kind::Join => (true, None),
        };
        let turn = &mut self.run.thread_mut(thread).waiting.turn;
        let (acts, spurious) = (acts as u32, event.spurious);
        turn.looks.push(Look { operation, site, source, acts, result, spurious });
        if changed {
            turn.change();
        }
        let waiting = &mut self.run.thread_mut(thread).waiting;
        if waiting.stutters() && !event.act.is_some_and(Act::releases) && waiting.finds_another() {
            waiting.stopped = None;
        }
    }

    /// Counts the locks that the thread holds.
    fn counts_locks(&mut self, thread: ThreadId, act: Option<Act>, result: u64) {
        let Some(act) = act else { return };
        let waiting = &mut self.run.thread_mut(thread).waiting;
        waiting.counts_locks(act, result);
        if act.releases() {
            let fewest = &mut waiting.turn.fewest_locks;
            *fewest = Some(fewest.map_or(waiting.locks, |fewest| fewest.min(waiting.locks)));
        }
    }

    /// Whether it ends a critical section that began before the end of a turn that has changed something.
    fn ends_changed_section(&self, id: Id) -> bool {
        let event = self.graph.at(id);
        if !event.act.is_some_and(Act::ends_section) {
            return false;
        }
        let changed = self.run.thread(event.thread()).waiting.last_change;
        let before = self.graph.order(event.location)[..event.place as usize].iter().rev();
        let mut own = before.filter(|&&id| self.graph.at(id).thread == event.thread);
        let takes = |&&id: &&Id| {
            let result = self.run.values[id as usize];
            self.graph.at(id).act.is_some_and(|act| act.takes_lock(result))
        };
        own.find(takes).is_some_and(|&id| self.graph.at(id).index < changed)
    }

    /// Whether an act ends a critical section in which another thread found the lock held; and whether one did that was in
    /// no loop, as it had ended no turn before.
    fn noticed(&self, id: Id) -> (bool, bool) {
        let event = self.graph.at(id);
        if !event.act.is_some_and(|act| act.ends_section() || act.ends_read()) {
            return (false, false);
        }
        let before = self.graph.order(event.location)[..event.place as usize].iter().rev();
        let mut others =
            before.map(|&id| self.graph.at(id)).take_while(|other| other.thread != event.thread);
        let in_no_loop = |other: &Event| {
            let first = self.run.thread(other.thread()).waiting.first_end;
            first.is_none_or(|steps| other.index < steps)
        };
        let Some(last) = others.next() else { return (false, false) };
        (true, in_no_loop(last) || others.any(in_no_loop))
    }

    /// A turn ends, or a `wait_until` begins. Whether the thread may go on.
    pub(super) fn turn(&mut self, thread: ThreadId, turn: Turn, (site, calls): TurnEnd) -> bool {
        if self.echoes(thread) {
            return self.turn_of_echo(thread, turn, (site, calls));
        }
        let state = self.run.thread_mut(thread);
        if state.waiting.stopped.is_some() {
            // It has not come to a step yet.
            state.waiting.empty += 1;
            return state.waiting.holds_more_locks() && state.waiting.empty <= EMPTY_TURNS;
        }
        let waiting = &mut state.waiting;
        waiting.first_end.get_or_insert(state.at);
        let goes_round =
            waiting.site.replace(site).is_some_and(|before| is_same_site(before, site));
        if turn == Turn::Begin {
            let record = std::mem::take(&mut waiting.turn);
            waiting.before_loop.append(record);
            return true;
        }
        // The condition of a `wait_until` may have a loop in it. Then this is the rest of a turn.
        let turn = if goes_round { turn } else { Turn::Spin };
        let before_loop = std::mem::take(&mut waiting.before_loop);
        if turn == Turn::Spin {
            let record = std::mem::replace(&mut waiting.turn, before_loop);
            waiting.turn.append(record);
        }
        if !goes_round {
            waiting.looked_into.clear();
        }
        let record = &mut waiting.turn;
        let only_before = |at: &usize| record.changed.is_some_and(|changed| changed <= *at);
        let exchange = record.last_try(site).filter(|at| turn == Turn::Spin && only_before(at));
        if let Some(at) = exchange {
            // What changed something is a turn before that of the exchange.
            let own = record.looks.split_off(at);
            if !self.end_turn(thread, turn, (site, calls)) {
                return false;
            }
            self.run.thread_mut(thread).waiting.turn.looks = own;
        }
        self.keep_sections_before_exchange(thread, site);
        self.end_turn(thread, turn, (site, calls))
    }

    /// The turn has ended. Whether the thread may go on.
    fn end_turn(&mut self, thread: ThreadId, turn: Turn, (site, calls): TurnEnd) -> bool {
        self.end_sections(thread, turn);
        // The graph may have been made before it was known that the loop waits.
        let mut left = self.graph.of(thread)[usize::from(self.run.thread(thread).at)..].iter();
        let goes_on = left.any(|&id| !self.graph.at(id).after_stutter);
        let record = &self.run.thread(thread).waiting.turn;
        let (changed, noticed, kept) = (record.changed.is_some(), record.noticed, record.kept);
        let compares = (turn == Turn::Spin || noticed) && !changed;
        let (mut repeats, in_vain) =
            if compares { self.compare(thread, calls) } else { (false, false) };
        repeats &= !kept;
        let limit = self.config.turns;
        let steps = self.run.thread(thread).at;
        let waiting = &mut self.run.thread_mut(thread).waiting;
        let news = waiting.finds_news(thread);
        let record = std::mem::take(&mut waiting.turn);
        let (comes_back, effects) = waiting.ended_at((site, calls));
        if changed {
            *effects += if record.unnotified && comes_back { limit } else { 1 };
        }
        let too_many = *effects > limit;
        if changed {
            waiting.last_change = steps;
            waiting.earlier.clear();
            waiting.recent.clear();
        } else if news {
            waiting.ends.iter_mut().for_each(|(_, effects)| *effects = 0);
        }
        let fails = compares && !noticed && record.is_a_failure();
        let looks = !record.looks.is_empty();
        if looks {
            waiting.empty = 0;
            if !repeats && !fails && !kept {
                waiting.earlier.push(calls, record.looks.clone());
            }
            waiting.recent.push((site, calls), record.clone());
            let together = if compares { waiting.recent.repeated_together() } else { None };
            let together = together.filter(|turns| !turns.kept);
            repeats |= fails || together.is_some();
            waiting.before = together.unwrap_or(record);
        } else {
            waiting.empty += 1;
            waiting.turn.spurious = record.spurious;
            if !changed {
                waiting.turn.accesses = record.accesses;
            }
        }
        let found_another = !(repeats || in_vain);
        if looks && waiting.until.is_some_and(|end| end == (site, calls) || found_another) {
            waiting.until = None;
        }
        let may_stop = !changed && looks && waiting.until.is_none();
        let waits = may_stop && (!compares || !found_another);
        let stutters = waits && !goes_on;
        waiting.passes = waits && goes_on && self.graph.time_out.is_some();
        if stutters && turn == Turn::Wait {
            waiting.stopped = Some((Stopped::Stutter, site));
            waiting.blocks = true;
        } else if stutters {
            let causes = self.graph.signature_of_causes(thread, &self.names);
            match self.for_ever.get(&causes) {
                None => return self.find_out(thread, (site, calls), causes),
                Some(true) => return self.stop_without_locks(thread, site),
                Some(false) => {}
            }
        } else if too_many || waiting.empty > EMPTY_TURNS {
            waiting.stopped = Some((Stopped::Turns, site));
        }
        self.run.thread(thread).waiting.stopped.is_none()
    }

    /// The stutter rule stops a thread, as soon as it holds no more locks than it does at some point of each turn: it must
    /// not block others with a lock that it would release. Whether it continues until then.
    pub(super) fn stop_without_locks(&mut self, thread: ThreadId, site: Site) -> bool {
        let waiting = &mut self.run.thread_mut(thread).waiting;
        waiting.stopped = Some((Stopped::Stutter, site));
        waiting.holds_more_locks()
    }

    /// A turn that the weak exchange at `site` ends begins with the exchange before: what critical sections before that
    /// leave behind lasts.
    fn keep_sections_before_exchange(&mut self, thread: ThreadId, site: Site) {
        let record = &mut self.run.thread_mut(thread).waiting.turn;
        let exchange = record.looks.iter().rposition(|look| look.tries(site)).unwrap_or(0);
        let before = record.sections.partition_point(|&(at, _)| at < exchange);
        let sections: Vec<_> = record.sections.drain(..before).collect();
        for (_, id) in sections {
            self.run.lasting[id as usize] = Lasting::Yes;
        }
    }

    /// A turn ends, and with it what its critical sections leave behind.
    fn end_sections(&mut self, thread: ThreadId, turn: Turn) {
        let steps = self.run.thread(thread).at;
        let waiting = &mut self.run.thread_mut(thread).waiting;
        if waiting.turn.looks.is_empty() {
            return;
        }
        let changed = waiting.turn.changed.is_some();
        let sections = std::mem::take(&mut waiting.turn.sections);
        let locks: Vec<u32> =
            sections.iter().rev().map(|&(_, id)| self.graph.at(id).location).collect();
        // Of a `wait_until` it is known where the loop begins.
        let only_look = match turn {
            Turn::Wait => vec![true; locks.len()],
            _ => only_look(&locks, &waiting.looked_into),
        };
        waiting.looked_into = locks;
        for ((_, id), looks) in sections.into_iter().rev().zip(only_look) {
            let lasting = if looks && !changed { Lasting::UntilStep(steps) } else { Lasting::Yes };
            self.run.lasting[id as usize] = lasting;
        }
    }

    /// Whether the turn of `thread` that ends repeats an earlier one; and whether an earlier one did, as is known
    /// only now.
    fn compare(&mut self, thread: ThreadId, calls: CallStack) -> (bool, bool) {
        let waiting = &mut self.run.thread_mut(thread).waiting;
        let mut turn = std::mem::take(&mut waiting.turn.looks);
        let mut earlier = std::mem::take(&mut waiting.earlier);
        let mut recent = std::mem::take(&mut waiting.recent);
        let find = |look: &Look| match look.operation {
            Operation::Act { .. } => self.found_by(thread, &look.operation, look.acts as usize),
            _ => look.source,
        };
        earlier.find_again(&find);
        recent.find_again(&find);
        for look in &mut turn {
            look.source = find(look);
        }
        let found = earlier.compare(calls, &turn);
        let waiting = &mut self.run.thread_mut(thread).waiting;
        (waiting.turn.looks, waiting.earlier, waiting.recent) = (turn, earlier, recent);
        found
    }

    /// Whether a thread that was suspended at the end of a turn goes on.
    pub(super) fn may_resume(&self, thread: ThreadId) -> bool {
        let over = self.run.unwinding || self.run.over.is_some();
        !over && self.run.thread(thread).waiting.stopped.is_none()
    }

    /// Whether a thread stopped that would find something else in the end, or is in an attempt that would have.
    pub(super) fn stutters(&self) -> bool {
        self.run.threads.iter().enumerate().any(|(thread, state)| {
            let (before, mut locks) = (&state.waiting.before, Locks::new());
            let looks_old = |look: &Look| {
                look.is_unusual()
                    || self.is_old(thread, look, &mut locks)
                    || self.succeeds_in_a_turn(thread, look)
            };
            let stutters = state.waiting.stutters();
            self.is_in_attempt(thread)
                || stutters && (before.spurious || before.looks.iter().any(looks_old))
        })
    }

    /// Whether a thread is in an attempt, where no thread can take a step.
    fn is_in_attempt(&self, thread: ThreadId) -> bool {
        let Thread { status, step: (operation, _), waiting, .. } = self.run.thread(thread);
        let waits = *status == Status::Active && waiting.at_step && !self.has_stopped(thread);
        waits && operation.is_attempt()
    }

    /// What a thread that stopped looked at last.
    pub(super) fn last_look(&self, thread: ThreadId) -> Option<(Operation, Site)> {
        let looks = &self.run.thread(thread).waiting.before.looks;
        let look = looks.iter().rfind(|look| look.operation.finds_something()).or(looks.last())?;
        Some((look.operation, look.site))
    }
}
