//! What is known of the turns of a thread, for [`waiting`](super::waiting).

use std::collections::HashMap;

use super::call_stack::CallStack;
use super::event::Id;
use crate::kernel::{Access, Act, LocationId, Operation, Site, ThreadId, is_same_site};

/// Turns without a step that a thread may take in a row.
pub(super) const EMPTY_TURNS: u32 = 100_000;

/// A store or an act by a name that holds when the graph is cut; `None`: the initial value.
pub(super) type Name = Option<(u8, u16)>;

/// A step that changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) operation: Operation,
    pub(super) site: Site,
    /// Of reads and acts: whose work it found. Of acts this is known for certain when turns are compared.
    pub(super) source: Name,
    /// Of acts: how many came before it on the object.
    pub(super) acts: u32,
    pub(super) result: u64,
    /// Of a weak exchange: it failed without a cause.
    pub(super) spurious: bool,
}

impl Look {
    pub(super) fn same(&self, other: &Self) -> bool {
        // A wait acquires its mutex again at its own place, where it is released too.
        let locks = matches!(self.operation, Operation::Act { act: Act::Mutex(_), .. });
        self.source == other.source
            && (is_same_site(self.site, other.site) || locks)
            && (self.result == other.result || matches!(self.operation, Operation::Load { .. }))
            && self.spurious == other.spurious
            && self.operation.is_like(&other.operation)
    }

    /// Whether it is the weak exchange at `site`.
    pub(super) fn tries(&self, site: Site) -> bool {
        self.operation.is_weak_exchange() && is_same_site(self.site, site)
    }

    /// Whether something happened without a cause, or by a choice of the program.
    pub(super) fn is_unusual(&self) -> bool {
        let chosen = matches!(self.operation, Operation::Choose { .. }) && self.result != 0;
        self.spurious || chosen
    }
}

/// Whether a turn found the same as one before it. The first one comes with what the thread did before the loop.
fn repeats(turn: &[Look], before: &[Look]) -> bool {
    before.len() >= turn.len() && before.iter().rev().zip(turn.iter().rev()).all(|(a, b)| a.same(b))
}

/// An access to plain memory, with the number of looks before it in its turn.
pub(super) type PlainAccess = (usize, LocationId, Access);

/// What a thread did in a turn, or in several that are repeated together.
#[expect(clippy::struct_excessive_bools, reason = "facts, each true or not")]
#[derive(Debug, Default, Clone)]
pub(super) struct TurnRecord {
    pub(super) looks: Vec<Look>,
    /// Of several turns, where each but the last ends: after how many looks, and at which site.
    pub(super) ends: Vec<(usize, Site)>,
    /// Accesses to plain memory.
    pub(super) accesses: Vec<PlainAccess>,
    /// What marks critical sections, with the number of looks before it.
    pub(super) sections: Vec<(usize, Id)>,
    /// How many looks there were when it changed something last, if it did.
    pub(super) changed: Option<usize>,
    /// Another thread has failed meanwhile, because of a lock that this one held.
    pub(super) noticed: bool,
    /// One of them is in no loop.
    pub(super) kept: bool,
    /// The turn began with a wait that ended without a cause.
    pub(super) spurious: bool,
    /// It began with the end of a wait that was not notified.
    pub(super) unnotified: bool,
    /// Time was up.
    pub(super) timed_out: bool,
    /// How many locks it held at least, once it had released one.
    pub(super) fewest_locks: Option<u32>,
}

impl TurnRecord {
    /// It changes something.
    pub(super) fn change(&mut self) {
        self.changed = Some(self.looks.len());
    }

    /// It has looked at nothing and changed nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.looks.is_empty() && self.changed.is_none()
    }

    /// The last look at which the weak exchange at `site` was tried, or another failed without a cause.
    pub(super) fn last_try(&self, site: Site) -> Option<usize> {
        self.looks.iter().rposition(|look| look.spurious || look.tries(site))
    }

    /// Whether the turn is nothing but a weak exchange that has failed without a cause.
    pub(super) fn is_a_failure(&self) -> bool {
        matches!(self.looks[..], [look] if look.spurious)
    }

    /// What it did next is part of the turn.
    pub(super) fn append(&mut self, mut next: Self) {
        let looks = self.looks.len();
        next.accesses.iter_mut().for_each(|(at, ..)| *at += looks);
        next.ends.iter_mut().for_each(|(at, _)| *at += looks);
        next.sections.iter_mut().for_each(|(at, _)| *at += looks);
        self.looks.append(&mut next.looks);
        self.ends.append(&mut next.ends);
        self.accesses.append(&mut next.accesses);
        self.sections.append(&mut next.sections);
        self.changed = next.changed.map(|changed| looks + changed).or(self.changed);
        self.noticed |= next.noticed;
        self.kept |= next.kept;
        self.spurious |= next.spurious;
        self.unnotified |= next.unnotified;
        self.timed_out |= next.timed_out;
        let fewest = [self.fewest_locks, next.fewest_locks];
        self.fewest_locks = fewest.into_iter().flatten().min();
    }
}

/// How many turns in a row may be repeated together: a loop may have so many places where a turn ends.
const MOST_TOGETHER: usize = 4;

/// The last turns of a thread since it changed something, that turn included, and where each ended.
#[derive(Debug, Default)]
pub(super) struct Recent(Vec<(TurnEnd, TurnRecord)>);

impl Recent {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn push(&mut self, end: TurnEnd, turn: TurnRecord) {
        if self.0.len() == 2 * MOST_TOGETHER {
            self.0.remove(0);
        }
        self.0.push((end, turn));
    }

    /// Where the last one ended.
    pub(super) fn last_end(&self) -> Option<TurnEnd> {
        self.0.last().map(|&(end, _)| end)
    }

    /// Lets `find` look again at what was found.
    pub(super) fn find_again(&mut self, find: &impl Fn(&Look) -> Name) {
        let looks = self.0.iter_mut().flat_map(|(_, turn)| &mut turn.looks);
        looks.for_each(|look| look.source = find(look));
    }

    /// The last two or more turns as one, if as many before found the same, ended where these do, and changed nothing
    /// after the first of them.
    pub(super) fn repeated_together(&self) -> Option<TurnRecord> {
        let same = |((site, calls), turn): &(TurnEnd, TurnRecord),
                    (end, before): &(TurnEnd, TurnRecord)| {
            is_same_site(site, end.0) && *calls == end.1 && repeats(&turn.looks, &before.looks)
        };
        let count = (2..=self.0.len() / 2).find(|&count| {
            let (before, last) = self.0[self.0.len() - 2 * count..].split_at(count);
            last.iter().zip(before).all(|(turn, before)| same(turn, before))
        })?;
        let mut turns = self.0[self.0.len() - count..].iter();
        let mut all = TurnRecord::default();
        while let Some(((site, _), turn)) = turns.next() {
            all.append(turn.clone());
            if !turns.as_slice().is_empty() {
                all.ends.push((all.looks.len(), *site));
            }
        }
        Some(all).filter(|all| !all.spurious)
    }
}

/// Whether an act or a store leaves something behind for other threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Lasting {
    #[default]
    No,
    Yes,
    /// It marks a critical section of a turn that has not ended.
    Open,
    /// It marks a critical section of an idle turn: not if it is known that its thread came to the end of that
    /// turn, after so many steps.
    UntilStep(u16),
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

/// Where a turn ends.
pub(super) type TurnEnd = (Site, CallStack);

/// The turn of a thread that changed something last, and those since that did not repeat another: what each has looked
/// at, and in which calls it ended.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    turns: Vec<(CallStack, Vec<Look>)>,
    /// The first so many do not repeat one another.
    compared: usize,
}

impl Earlier {
    pub(super) fn push(&mut self, calls: CallStack, turn: Vec<Look>) {
        self.turns.push((calls, turn));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Lets `find` look again at what was found.
    pub(super) fn find_again(&mut self, find: &impl Fn(&Look) -> Name) {
        for look in self.turns.iter_mut().flat_map(|(_, turn)| turn) {
            let source = find(look);
            if std::mem::replace(&mut look.source, source) != source {
                self.compared = 0;
            }
        }
    }

    /// Whether `turn` repeats one of these; and whether one of these repeats another, as is known only now. That one is
    /// removed.
    pub(super) fn compare(&mut self, calls: CallStack, turn: &[Look]) -> (bool, bool) {
        let repeats = |calls: CallStack, turn: &[Look], (at, before): &(CallStack, Vec<Look>)| {
            calls == *at && repeats(turn, before)
        };
        let known = self.turns.len();
        let mut at = self.compared.max(1);
        while at < self.turns.len() {
            let (calls, turn) = &self.turns[at];
            if self.turns[..at].iter().any(|before| repeats(*calls, turn, before)) {
                self.turns.remove(at);
            } else {
                at += 1;
            }
        }
        self.compared = at;
        (self.turns.iter().any(|before| repeats(calls, turn, before)), self.turns.len() < known)
    }
}

/// Of the critical sections of a turn that changed nothing, by the locks of the last to the first, which belong to the
/// loop and leave nothing behind: of each lock as many as there were in the turn before, and one at least. What else
/// there is in the first turn comes before the loop.
pub(super) fn only_look(locks: &[u32], before: &[u32]) -> Vec<bool> {
    let count = |locks: &[u32], lock| locks.iter().filter(|&other| other == lock).count();
    let number = |at: usize| count(&locks[..at], &locks[at]);
    (0..locks.len()).map(|at| number(at) < count(before, &locks[at]).max(1)).collect()
}

/// Turns that are not added to the graph.
#[derive(Debug)]
pub(super) struct Echo {
    pub(super) causes: u128,
    pub(super) site: Site,
    pub(super) calls: CallStack,
    pub(super) at: usize,
    /// How many of [`TurnRecord::ends`] it has come to.
    pub(super) ends: usize,
    pub(super) turns: u32,
    /// How many locations had been made when it began.
    pub(super) places: usize,
}

/// What a thread did in this turn, and in those before.
#[expect(clippy::struct_excessive_bools, reason = "facts, each true or not")]
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) turn: TurnRecord,
    /// The last turn, or those that are repeated together.
    pub(super) before: TurnRecord,
    pub(super) earlier: Earlier,
    pub(super) recent: Recent,
    /// How many steps it had taken when its first turn ended, or a `wait_until` began.
    pub(super) first_end: Option<u16>,
    /// Where the last turn ended, or a `wait_until` began.
    pub(super) site: Option<Site>,
    /// What there was in this turn before a `wait_until` began.
    pub(super) before_loop: TurnRecord,
    /// The locks of the critical sections in the turn before.
    pub(super) looked_into: Vec<u32>,
    /// Where turns have ended, and how many with an effect did since one without found something new.
    pub(super) ends: Vec<(TurnEnd, u32)>,
    /// What of other threads was found so far.
    pub(super) found: Vec<(Option<LocationId>, Name)>,
    /// How many steps it had taken when it released something last.
    pub(super) published: u16,
    /// Turns in a row without a step.
    pub(super) empty: u32,
    pub(super) echo: Option<Echo>,
    pub(super) stopped: Option<(Stopped, Site)>,
    /// How many steps it had taken when a turn that changed something ended last.
    pub(super) last_change: u16,
    /// How many locks it holds.
    pub(super) locks: u32,
    /// The turn that a hint has ended, until the releases that come next have been taken.
    pub(super) due: Option<TurnEnd>,
    /// It is suspended where it wants to take a step, and not at the end of a turn.
    pub(super) at_step: bool,
    /// It would have stopped where the last turn ended, but goes on in this graph, as time was up for another thread.
    pub(super) passes: bool,
    /// Where it stopped when time was up for another thread: unless it finds something else, it does not stop before
    /// a turn ends there again.
    pub(super) until: Option<TurnEnd>,
    /// It stopped in a `wait_until`, which blocks and does not spin.
    pub(super) blocks: bool,
    /// It has stopped after turns that are not in the graph.
    pub(super) ran_on: bool,
}

impl Waiting {
    /// Of turns that are not added to the graph: where this one began in `before`, and where and at which site it ends.
    pub(super) fn echoed_turn(&self, echo: &Echo) -> (usize, (usize, Site)) {
        let ends = &self.before.ends;
        let begin = echo.ends.checked_sub(1).map_or(0, |last| ends[last].0);
        let end = ends.get(echo.ends).copied();
        (begin, end.unwrap_or((self.before.looks.len(), echo.site)))
    }

    /// Counts the locks that it holds.
    pub(super) fn counts_locks(&mut self, act: Act, result: u64) {
        self.locks += u32::from(act.takes_lock(result));
        self.locks = self.locks.saturating_sub(u32::from(act.releases()));
    }

    /// Whether the turn found something of another thread for the first time.
    pub(super) fn finds_news(&mut self, thread: ThreadId) -> bool {
        let known = self.found.len();
        for look in &self.turn.looks {
            let found = (look.operation.location(), look.source);
            let of_another = look.source.is_some_and(|(other, _)| usize::from(other) != thread);
            if of_another && !self.found.contains(&found) {
                self.found.push(found);
            }
        }
        self.found.len() > known
    }

    /// Whether a turn has ended there before, and the number of those with an effect.
    pub(super) fn ended_at(&mut self, (site, calls): TurnEnd) -> (bool, &mut u32) {
        let is_there =
            |&((at, called), _): &(TurnEnd, u32)| is_same_site(at, site) && called == calls;
        let known = self.ends.iter().position(is_there);
        let at = known.unwrap_or(self.ends.len());
        if known.is_none() {
            self.ends.push(((site, calls), 0));
        }
        (known.is_some(), &mut self.ends[at].1)
    }

    /// Whether the last look is not what the turn before found there.
    pub(super) fn finds_another(&self) -> bool {
        let at = self.turn.looks.len() - 1;
        self.before.looks.get(at).is_none_or(|before| !before.same(&self.turn.looks[at]))
    }

    /// Whether it stutters, and holds a lock that it releases in each turn.
    pub(super) fn holds_more_locks(&self) -> bool {
        self.stutters() && self.before.fewest_locks.is_some_and(|fewest| fewest < self.locks)
    }

    /// Whether it stopped by the stutter rule.
    pub(super) fn stutters(&self) -> bool {
        matches!(self.stopped, Some((Stopped::Stutter, _)))
    }

    /// Whether it is resumed when time is up for another thread. Not if its own time was up in the
    /// turn that changed nothing: without that turn it still waits.
    pub(super) fn is_resumed(&self) -> bool {
        self.stutters() && !self.before.timed_out
    }
}
