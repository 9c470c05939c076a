//! Waiting for another thread to do something, without learning anything from it.
//!
//! loom's own ways to block hand over all that the waker knows: `unpark`, a notified condition
//! variable, a lock. A thread that merely waits must not be told more than it reads; a race that is
//! a race only because of that would go unseen. So a thread that waits yields, and looks again
//! whether it may go on, which is no step: what it knows it learns afterwards, from the atomic or the lock
//! that it then turns to. That also ends: a thread goes on only once something has changed, so that
//! two that wait do not wake each other for ever. And who has read something old reads the newest value
//! in the end: every store becomes visible at some time.

use std::panic::Location;
use std::rc::Rc;

use loom::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};

use super::event::{Action, Site, WRITER};
use super::finding::Fault;
use super::mutation::{self, Change};
use super::operation::Step;
use super::record::{self, Bound, Recorder};
use super::thread::MAX_THREADS;

/// What else may end a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Or {
    Nothing,
    TimeIsUp,
}

/// What a thread has looked at, and how often others had changed it by then.
#[derive(Default)]
pub(crate) struct Watch {
    seen: Vec<(usize, u64)>,
    /// It read something older than the newest.
    stale: bool,
}

/// Blocks until another thread makes `condition` true.
///
/// For spin locks and similar loops. `condition` must be a function of shared state alone, and must have no
/// side effects unless it returns `true`. Outside a model it is called in a loop with
/// [`spin_loop`](super::hint::spin_loop) and, after some turns, [`yield_now`](super::thread::yield_now). In a
/// model the thread blocks until another thread changes what `condition` has read, so that any number of
/// threads can wait. If no thread can make it true, that is a deadlock. The wait itself adds no
/// happens-before edge; the accesses in `condition` do, by their orderings.
#[track_caller]
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    if !record::active() {
        return crate::sync::spin_until(condition);
    }
    let site = Location::caller();
    // How often in a row it has read something old and no other thread has changed anything.
    let mut old = 0;
    loop {
        let outer = record::with(|recorder| {
            recorder.thread().fresh = old > 1;
            recorder.thread().watch.replace(Watch::default())
        });
        let holds = condition();
        let watch = record::with(|recorder| {
            recorder.thread().fresh = false;
            let inner = std::mem::replace(&mut recorder.thread().watch, outer.flatten());
            // A wait within a condition is a part of what the outer one looks at.
            if let (Some(outer), Some(inner)) = (&mut recorder.thread().watch, &inner) {
                outer.seen.extend(&inner.seen);
                outer.stale |= inner.stale;
            }
            inner
        });
        if holds {
            return;
        }
        let watch = watch.flatten().unwrap_or_default();
        let step = Step::begin(site, "wait_until", None, 0);
        let mut looks_again = false;
        step.wait(|recorder| {
            let again = watch.stale && std::mem::replace(&mut looks_again, true);
            again || recorder.news(&watch)
        });
        old = if record::holds(|recorder| recorder.news(&watch)) { 0 } else { old + 1 };
        step.end(Action::Yield, 0);
    }
}

/// What `unpark` leaves behind for `park`.
#[derive(Clone)]
pub(crate) struct Token {
    /// Carries what the unparking thread knows, and orders the two.
    twin: Rc<AtomicBool>,
    set: bool,
    /// The causal past of whoever set it.
    past: u64,
}

impl Token {
    /// One for each thread that there may be, made before any of them, if the model is known to
    /// park.
    pub(crate) fn for_all() -> Vec<Self> {
        let needed = record::holds(|recorder| recorder.learned.parks);
        let new = || Self { twin: Rc::new(AtomicBool::new(false)), set: false, past: 0 };
        if needed { (0..MAX_THREADS).map(|_| new()).collect() } else { Vec::new() }
    }

    /// The atomic in the token of `thread`. The exploration begins again if there is none.
    fn twin(thread: usize) -> Rc<AtomicBool> {
        let twin = record::with(|recorder| Some(Rc::clone(&recorder.tokens.get(thread)?.twin)));
        twin.flatten().unwrap_or_else(|| record::begin_again(|learned| learned.parks = true))
    }
}

/// Sets the token of `thread`.
pub(super) fn unpark(thread: usize, site: Site) {
    if mutation::at(site, "unpark", &[]) == Some(Change::Dropped) {
        return;
    }
    let step = Step::begin(site, "unpark", None, thread as u64);
    let twin = Token::twin(thread);
    step.first(|| twin.swap(true, Release));
    record::with(|recorder| {
        let past = recorder.thread().history;
        let token = &mut recorder.tokens[thread];
        (token.set, token.past) = (true, past);
    });
    step.end(Action::Unpark(thread), 0);
}

/// Takes the calling thread's token, if it is set or once it is.
pub(super) fn park(site: Site, what: &'static str, or: Or) {
    let wakes = or == Or::Nothing && mutation::at(site, "park", &[]) == Some(Change::Wakes);
    let step = Step::begin(site, what, None, 0);
    if or == Or::TimeIsUp {
        step.yield_if_spinning(site);
    }
    let me = record::with(|recorder| recorder.current()).unwrap_or_default();
    let twin = Token::twin(me);
    let take = || twin.compare_exchange(true, false, Acquire, Relaxed).is_ok();
    let for_no_reason = or == Or::Nothing && record::holds(Recorder::fails_spuriously);
    let mut ok = step.first(take);
    if !ok && or == Or::Nothing && !for_no_reason && !wakes {
        step.wait(|recorder| recorder.tokens[me].set);
        ok = step.run(take);
    }
    let past = record::with(|recorder| {
        let token = &mut recorder.tokens[me];
        token.set = false;
        token.past
    });
    step.end(Action::Park { woken: ok }, past.filter(|_| ok).unwrap_or_default());
}

impl Step {
    /// Lets others run until `ready`. Ends the exploration if nobody is left to run.
    pub(crate) fn wait(&self, mut ready: impl FnMut(&mut Recorder) -> bool) {
        let mut idle = 0;
        let mut steps = None;
        while !record::holds(&mut ready) {
            let now = record::with(|recorder| recorder.steps());
            idle = if steps == now { idle + 1 } else { 0 };
            steps = now;
            if record::holds(|recorder| recorder.nobody_else_can_run(idle)) {
                record::fail(Fault::Deadlock);
            }
            record::with(|recorder| recorder.thread().waiting = true);
            self.yield_now();
            if !record::holds(&mut ready) && record::holds(|recorder| recorder.was_woken_in_vain())
            {
                loom::skip_branch();
            }
        }
        record::with(|recorder| recorder.thread().waiting = false);
    }

    /// Lets others go first where going on could only repeat what the thread has just done.
    ///
    /// To loom a yield means that others go first, and it explores nothing else. So it is one only
    /// in a loop that spins, for ever as far as can be told.
    pub(crate) fn yield_if_spinning(&self, site: Site) {
        match record::with(|recorder| recorder.spins(site)) {
            Some(Spins::ForEver) => self.yield_now(),
            Some(Spins::TooLong) => record::begin_again(|learned| {
                learned.endless.push(site);
                learned.bounds.insert(Bound::Loop(site));
            }),
            Some(Spins::No) | None => {}
        }
    }

    /// Lets others go first.
    pub(crate) fn yield_now(&self) {
        record::with(|recorder| recorder.thread().yields += 1);
        self.unordered(|| {
            loom::thread::yield_now();
            // If nobody else could run, loom goes on to prefer whoever can by now, even in the
            // middle of a step. The thread has waited long enough.
            loom::thread::current().unpark();
        });
    }
}

/// What a thread has done since it last yielded.
pub(crate) struct Spin {
    site: Site,
    watch: Watch,
    /// It has changed something itself.
    effect: bool,
    /// How many turns in a row were idle: they looked at something and found nothing new.
    turns: usize,
}

impl Spin {
    /// Whether this turn looked at something, and changed nothing. One that looks at nothing does not
    /// wait: a pause of a fixed length, say.
    fn is_idle(&self) -> bool {
        !self.effect && !self.watch.seen.is_empty()
    }
}

/// Whether a thread that yields can do no more than wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spins {
    No,
    /// It has made more idle turns than are explored.
    TooLong,
    /// The same, and that is known.
    ForEver,
}

/// So many idle turns of a loop are explored. Before another one the thread yields, as if it waited for
/// ever, and the result is bounded: whether the loop would do something else then cannot be told.
pub(super) const MAX_IDLE_TURNS: usize = 8;

impl Recorder {
    /// The active thread yields at `site`.
    fn spins(&mut self, site: Site) -> Spins {
        let last = self.thread().spin.take();
        let idle =
            last.filter(|last| last.site == site && last.is_idle() && !self.news(&last.watch));
        let turns = idle.map_or(0, |turn| turn.turns + 1);
        self.thread().spin = Some(Spin { site, watch: Watch::default(), effect: false, turns });
        if turns <= MAX_IDLE_TURNS {
            Spins::No
        } else if self.learned.endless.contains(&site) {
            Spins::ForEver
        } else {
            Spins::TooLong
        }
    }

    /// Whether another thread has changed what this one has looked at.
    fn news(&self, watch: &Watch) -> bool {
        watch.seen.iter().any(|&(object, then)| self.changes_by_others(object) != then)
    }

    /// How many steps of other threads have changed `object`.
    fn changes_by_others(&self, object: usize) -> u64 {
        let changes = &self.objects[object].changes;
        changes.iter().sum::<u64>() - changes[self.current()]
    }

    /// Whether only the active thread is left, which has yielded `idle` times while no step was taken.
    fn nobody_else_can_run(&self, idle: usize) -> bool {
        // Of others that wait, loom would have chosen each by now.
        idle > 2 * self.threads.len() && !self.others().any(|other| self.can_run(other))
    }

    /// Whether loom has chosen the active thread, which waits, although another could have run and
    /// comes first by loom's own rule: the one that has yielded least. Loom has then explored what
    /// follows from the other's step, and here it would only explore it again.
    fn was_woken_in_vain(&self) -> bool {
        let me = self.current();
        let mine = self.threads[me].yields;
        self.others().any(|other| {
            let theirs = self.threads[other].yields;
            self.can_run(other) && (theirs < mine || theirs == mine && other < me)
        })
    }

    fn others(&self) -> impl Iterator<Item = usize> {
        let me = self.current();
        (0..self.threads.len()).filter(move |other| *other != me)
    }

    /// Whether `thread` could take its next step. Of one that waits nobody knows but itself.
    fn can_run(&self, thread: usize) -> bool {
        let thread = &self.threads[thread];
        let holders =
            |object: Option<usize>| object.map_or(0, |object| self.objects[object].holders);
        !thread.ended
            && !thread.waiting
            && match thread.pending {
                Some((_, "lock" | "write", object)) => holders(object) == 0,
                Some((_, "read", object)) => holders(object) != WRITER,
                Some((_, "join", _)) => thread.joins.is_none_or(|child| self.threads[child].ended),
                _ => true,
            }
    }

    /// Counts the change that `action` is, and notes that the active thread has looked at `object`.
    pub(super) fn look_at(&mut self, object: Option<usize>, action: &Action) {
        let active = self.current();
        if let Some(object) = object {
            self.objects[object].changes[active] += u64::from(action.changes_something());
            let stale = matches!(action, Action::Load { value, newest, .. } if value != newest);
            let changes = self.changes_by_others(object);
            let thread = self.thread();
            let spin = thread.spin.as_mut().map(|spin| &mut spin.watch);
            for watch in thread.watch.as_mut().into_iter().chain(spin) {
                watch.seen.push((object, changes));
                watch.stale |= stale;
            }
        }
        if let Some(spin) = &mut self.thread().spin {
            spin.effect |= action.has_effect();
        }
    }
}
