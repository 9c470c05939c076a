//! A loop that waits is held against its first turns, written one after the other.
//!
//! The rules for turns that change nothing are about loops alone. The same turns in straight-line code, each step at a
//! place of its own in the source, are explored without them. So what a loop ends with in its first turns has to be among
//! the outcomes of the loop, if that is explored completely.
//!
//! `SELVEDGE_PROGRAMS=n` sets how many hundreds of random programs are tried.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use selvedge_model::engine::graph::{Config, Ending};
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use selvedge_model::sync::cell::UnsafeCell;
use selvedge_model::sync::{Arc, hint, thread};

use crate::cpp20::program;
use crate::facade::explore_with;

/// How many turns are written out, of so many steps at most.
const TURNS: usize = 3;
const STEPS: usize = 5;

/// Nothing is asked of a loop with more executions.
const MOST: u64 = 300;

/// What only the loop writes to a word, and what tells other threads that they may use what it has made.
const PUBLISHED: u64 = 9;

#[derive(Debug, Clone, Copy)]
enum What {
    Load,
    Store(u64),
    Add(u64),
    Exchange(u64, u64),
    WeakExchange(u64, u64),
    Fence,
    /// Of an atomic that the thread with the loop has made.
    LoadOwn,
    StoreOwn(u64),
    /// What the step before has found.
    StoreFound,
    ExchangeOwn(u64, u64),
    /// Of plain memory, which no other thread uses.
    Read,
    Write(u64),
    Count,
    /// Ends a turn in the middle of the loop.
    Hint,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    what: What,
    /// On one of two words.
    word: usize,
    strong: bool,
    /// Taken only if what the step before in this turn has found is this.
    only_if: Option<u64>,
}

/// What the loop calls at the end of a turn.
#[derive(Debug, Clone, Copy)]
enum Hint {
    Spin,
    Yield,
    Nothing,
}

#[derive(Debug, Clone)]
struct Program {
    turn: Vec<Step>,
    /// The turn is the last if this step finds this.
    ends: (usize, u64),
    /// All that this step finds is part of the outcome. Not beside a weak exchange: that one has failed without a cause is not
    /// explored, if nothing but that comes of it.
    remembers: Option<usize>,
    others: Vec<Vec<Step>>,
    hint: Hint,
}

#[derive(Default)]
struct State {
    words: [AtomicU64; 2],
    plain: UnsafeCell<u64>,
    own: OnceCell<Box<AtomicU64>>,
}

// SAFETY: the thread with the loop uses plain memory, and the first one after it has joined that. Others use what it has
// made after they have found `PUBLISHED`.
unsafe impl Sync for State {}
// SAFETY: as above.
unsafe impl Send for State {}

/// What a turn found, of each step.
type Found = [u64; STEPS];

/// What the loop ended with, what the other threads found, and what memory holds.
type Outcome = ((Found, u64), Vec<Found>, [u64; 4]);

/// Exchanges at places of their own: a loop is known by the place of its weak exchange.
type WeakExchange = fn(&AtomicU64, u64, u64) -> Result<u64, u64>;

macro_rules! weak {
    () => {
        |word, current, new| word.compare_exchange_weak(current, new, AcqRel, Acquire)
    };
}

#[rustfmt::skip]
const WEAK: [WeakExchange; TURNS * STEPS] = [
    weak!(), weak!(), weak!(), weak!(), weak!(),
    weak!(), weak!(), weak!(), weak!(), weak!(),
    weak!(), weak!(), weak!(), weak!(), weak!(),
];

macro_rules! hint {
    () => {
        || hint::spin_loop()
    };
}

#[rustfmt::skip]
const HINTS: [fn(); TURNS * STEPS] = [
    hint!(), hint!(), hint!(), hint!(), hint!(),
    hint!(), hint!(), hint!(), hint!(), hint!(),
    hint!(), hint!(), hint!(), hint!(), hint!(),
];

/// A pseudo-random number generator.
struct Random(program::Random);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.below(end as u64)).expect("it is less")
    }

    fn value(&mut self, end: usize) -> u64 {
        self.below(end) as u64
    }
}

#[derive(Debug, Clone, Copy)]
enum Thread {
    Loops,
    /// In a loop that changes nothing.
    Looks,
    Other,
    Writes,
}

impl Step {
    fn random(random: &mut Random, thread: Thread) -> Self {
        let (current, new) = (random.value(2), 1 + random.value(2));
        let published = if random.below(2) == 0 { PUBLISHED } else { new };
        let (load, store) = (What::Load, What::Store(new));
        let (add, exchange) = (What::Add(1), What::Exchange(current, new));
        let publish = What::Exchange(current, published);
        let weak = What::WeakExchange(current, published);
        let (loads_own, stores_own) = (What::LoadOwn, What::StoreOwn(new));
        let (changes_own, stores_found) = (What::ExchangeOwn(new, current), What::StoreFound);
        let all = [
            // Of threads without a loop.
            [load, load, store, loads_own, add, exchange, What::Fence],
            [load, load, load, loads_own, loads_own, changes_own, changes_own],
            // Of the one with the loop.
            [load, What::Hint, store, store, add, publish, What::Fence],
            [load, What::Hint, weak, weak, What::Read, What::Write(new), What::Count],
            [load, weak, publish, stores_found, stores_own, stores_own, loads_own],
            // Of one that only looks.
            [load, load, load, What::Hint, What::Hint, What::Exchange(7, 1), What::Read],
            // Of one beside that.
            [load, store, store, store, add, add, add],
        ];
        let of = match thread {
            Thread::Other => random.below(2),
            Thread::Loops => 2 + random.below(3),
            Thread::Looks => 5,
            Thread::Writes => 6,
        };
        let what = all[of][random.below(7)];
        let only_if = (random.below(4) == 0).then(|| random.value(2));
        Self { what, word: random.below(2), strong: random.below(2) == 0, only_if }
    }

    fn is_on_own(self) -> bool {
        matches!(self.what, What::LoadOwn | What::ExchangeOwn(..))
    }

    /// Takes the step at the place number `place`, after one that has found `last`.
    fn take(self, state: &State, place: usize, last: u64) -> u64 {
        let own = || state.own.get().expect("the thread with the loop has made it");
        let word = &state.words[self.word];
        let (load, store, both) =
            if self.strong { (Acquire, Release, AcqRel) } else { (Relaxed, Relaxed, Relaxed) };
        match self.what {
            What::Load => word.load(load),
            What::Store(value) => {
                word.store(value, store);
                0
            }
            What::Add(value) => word.fetch_add(value, both),
            What::Exchange(current, new) => {
                u64::from(word.compare_exchange(current, new, both, load).is_ok())
            }
            What::WeakExchange(current, new) => u64::from(WEAK[place](word, current, new).is_ok()),
            What::Fence => {
                fence(SeqCst);
                0
            }
            What::Hint => {
                HINTS[place]();
                0
            }
            What::LoadOwn => own().load(Relaxed),
            What::StoreOwn(value) => {
                own().store(value, Relaxed);
                0
            }
            What::StoreFound => {
                own().store(last, Relaxed);
                0
            }
            What::ExchangeOwn(current, new) => {
                u64::from(own().compare_exchange(current, new, Relaxed, Relaxed).is_ok())
            }
            // SAFETY: see `State`.
            What::Read => state.plain.with(|plain| unsafe { *plain }),
            What::Write(value) => {
                // SAFETY: as above.
                state.plain.with_mut(|plain| unsafe { *plain = value });
                0
            }
            What::Count => {
                // SAFETY: as above.
                state.plain.with_mut(|plain| unsafe { *plain += 1 });
                0
            }
        }
    }
}

/// Takes the steps one after the other: of threads without a loop, those on what that has made once it is `known`.
fn take(steps: &[Step], state: &State, places: usize, mut known: bool) -> Found {
    let (mut found, mut last) = (Found::default(), 0);
    for (at, step) in steps.iter().enumerate() {
        if step.only_if.is_none_or(|value| value == last) && (known || !step.is_on_own()) {
            last = step.take(state, places + at, last);
            found[at] = last;
            known |= last == PUBLISHED;
        }
    }
    found
}

impl Program {
    fn random(random: &mut Random) -> Self {
        let looks = random.below(3) == 0;
        let mut steps = |most: usize, thread| -> Vec<Step> {
            let count = 1 + random.below(most);
            (0..count).map(|_| Step::random(random, thread)).collect()
        };
        let (loops, other) =
            if looks { (Thread::Looks, Thread::Writes) } else { (Thread::Loops, Thread::Other) };
        let mut turn = steps(STEPS, loops);
        let mut others = vec![steps(3, other)];
        if turn.len() < 3 && others[0].len() < 3 {
            others.push(steps(1, other));
        }
        // A turn without a step on a word would be taken a hundred thousand times.
        let at = random.below(turn.len());
        turn[at].only_if = None;
        turn[at].what = match random.below(3) {
            _ if looks => What::Load,
            0 => What::Exchange(0, 1),
            1 => What::WeakExchange(0, 1),
            _ => What::Load,
        };
        let ends = (random.below(turn.len()), random.value(3));
        let hint = [Hint::Spin, Hint::Yield, Hint::Nothing][random.below(3)];
        let is_weak = |step: &Step| matches!(step.what, What::WeakExchange(..));
        let step = if looks { ends.0 } else { random.below(turn.len()) };
        let remembers = (!turn.iter().any(is_weak)).then_some(step);
        Self { turn, ends, remembers, others, hint }
    }

    /// After a turn that found this: what the loop ends with, if that was the last one. What was found before is a bit each.
    fn ends(&self, found: Found, before: &mut u64) -> Option<(Found, u64)> {
        *before |= self.remembers.map_or(0, |step| 1 << found[step]);
        (found[self.ends.0] == self.ends.1).then_some((found, *before))
    }

    /// A loop, or its first turns. Nothing if it has not ended in these.
    fn run(&self, unrolled: bool, last: bool) -> Option<Outcome> {
        let state = Arc::new(State::default());
        let others: Vec<_> = self
            .others
            .iter()
            .map(|steps| {
                let (steps, state) = (steps.clone(), state.clone());
                move || take(&steps, &state, 0, false)
            })
            .collect();
        let (program, waits) = (self.clone(), state.clone());
        let looping = move || {
            waits.own.get_or_init(Box::default);
            let mut before = 0;
            if unrolled {
                let turns = (0..TURNS).map(|turn| take(&program.turn, &waits, turn * STEPS, true));
                return { turns }.find_map(|found| program.ends(found, &mut before));
            }
            loop {
                let found = take(&program.turn, &waits, 0, true);
                if let Some(end) = program.ends(found, &mut before) {
                    return Some(end);
                }
                match program.hint {
                    Hint::Spin => hint::spin_loop(),
                    Hint::Yield => thread::yield_now(),
                    Hint::Nothing => {}
                }
            }
        };
        let joined = |others: Vec<thread::JoinHandle<_>>| {
            others.into_iter().map(|other| other.join().unwrap()).collect()
        };
        let (found, of_others) = if last {
            let others: Vec<_> = others.into_iter().map(thread::spawn).collect();
            (looping(), joined(others))
        } else {
            let looping = thread::spawn(looping);
            let others: Vec<_> = others.into_iter().map(thread::spawn).collect();
            let of_others = joined(others);
            (looping.join().unwrap(), of_others)
        };
        let [a, b] = state.words.each_ref().map(|word| word.load(Relaxed));
        // SAFETY: see `State`.
        let plain = state.plain.with(|plain| unsafe { *plain });
        let own = state.own.get().map_or(0, |own| own.load(Relaxed));
        found.map(|found| (found, of_others, [a, b, plain, own]))
    }
}

#[test]
fn a_loop_ends_as_its_first_turns_do() {
    let programs = std::env::var("SELVEDGE_PROGRAMS").ok();
    let programs = 100 * programs.map_or(40, |text| text.parse::<u64>().expect("a number"));
    let config =
        Config { executions: MOST, turns: 4, idle_turns: 20, steps: 60, ..Config::default() };
    let (mut complete, mut compared) = (0, 0);
    for number in 0..programs {
        let program = Program::random(&mut Random(program::Random(
            (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        )));
        for last in [false, true] {
            let whole = explore_with(&config, || program.run(false, last));
            let is_race = |ending: &Ending| !matches!(ending, Ending::Deadlock(_));
            if !whole.report.bounds.is_empty() || whole.endings.iter().any(is_race) {
                continue;
            }
            complete += 1;
            let first = explore_with(&config, || program.run(true, last));
            let ends: BTreeSet<_> = first.results.into_iter().flatten().map(Some).collect();
            compared += ends.len();
            let missed: Vec<_> = ends.difference(&whole.results).collect();
            assert!(missed.is_empty(), "{number} {last}: {missed:?} of {program:#?}");
        }
    }
    println!("{complete} of {} loops explored completely, {compared} outcomes", 2 * programs);
    assert!(complete > programs / 4, "{complete}");
}
