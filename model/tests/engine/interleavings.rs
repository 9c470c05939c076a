//! Random loops against every interleaving of them.
//!
//! The rules for turns that change nothing decide what is explored of a loop that waits, and what is a livelock. Here a
//! machine of its own, which shares no code with the engine, runs threads with such loops in every interleaving: it
//! knows the outcomes, and whether a state can be reached from which no end can be. All is `SeqCst` or in a critical
//! section, and of the engine the sequentially consistent executions count: an attempt that fails synchronises with
//! nothing. The threads are spawned in every order.
//!
//! A loop that ends when an attempt fails may go on for ever, though it can end from every state: no other thread need
//! hold the lock when it looks. That is a livelock to the engine and none to the machine; so of programs with attempts
//! it is only asked that no livelock is missed.
//!
//! `SELVEDGE_PROGRAMS=n` sets how many hundreds of random programs are tried.

#![allow(clippy::cast_possible_truncation, reason = "small numbers")]

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use selvedge_model::engine::graph::{Config, Ending, explore_results};
use selvedge_model::sync::atomic::{AtomicU64, Ordering::SeqCst};
use selvedge_model::sync::{Arc, Mutex, RwLock, hint, thread};

use crate::agreement::orders;
use crate::cpp20::program::Random;

/// What an attempt finds that fails.
const FAILED: u64 = 9;

/// Nothing is asked of a program with more executions, or more states of the machine.
const MOST_EXECUTIONS: u64 = 200;
const MOST_STATES: usize = 5_000;

/// A critical section: what it sets, if anything, and whether it tries the lock that it holds, which fails.
#[derive(Debug, Clone, Copy)]
struct Section {
    sets: Option<u64>,
    tries: bool,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Load,
    Store(u64),
    Add,
    Exchange(u64, u64),
    Lock(Section),
    TryLock(Section),
    Read(Section),
    TryRead(Section),
    Write(Section),
    TryWrite(Section),
    /// Ends a turn in the middle of a loop.
    Hint,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    what: What,
    word: usize,
    /// Taken only if the step before in this turn has found this; it finds 0 otherwise.
    only_if: Option<u64>,
}

#[derive(Debug, Clone)]
struct Body {
    turn: Vec<Step>,
    /// Of a loop: the turn is the last if this step finds this.
    ends: Option<(usize, u64)>,
    /// The loop is a `wait_until`.
    blocks: bool,
}

type Found = Vec<u64>;

/// What the last turn of each thread found, and what memory holds: two words, and what the locks protect.
type Outcome = (Vec<Found>, [u64; 4]);

impl Body {
    fn random(random: &mut Random, loops: bool) -> Self {
        let count = 1 + random.below(3);
        let mut turn: Vec<Step> = (0..count).map(|_| Step::random(random, loops)).collect();
        // A turn without a step would be taken a hundred thousand times.
        turn[0].only_if = None;
        if matches!(turn[0].what, What::Hint) {
            turn[0].what = What::Load;
        }
        let ends = (random.below(count) as usize, random.below(3));
        let blocks = loops && random.below(2) == 0;
        Self { turn, ends: loops.then_some(ends), blocks }
    }

    /// Whether a turn that has found this is the last one.
    fn ends(&self, found: &[u64]) -> bool {
        self.ends.is_none_or(|(step, value)| found[step] == value)
    }
}

impl Step {
    /// One of a loop seldom changes anything, since it would be bounded.
    fn random(random: &mut Random, of_loop: bool) -> Self {
        let changes = random.below(if of_loop { 8 } else { 2 }) == 0;
        let (old, new) = (random.below(2), 1 + random.below(2));
        let section = Section { sets: changes.then_some(new), tries: random.below(3) == 0 };
        let what = match random.below(10) {
            0 if changes => What::Add,
            1 if changes => What::Store(new),
            2 if changes => What::Exchange(old, new),
            0..=2 => What::Load,
            3 => What::Lock(section),
            4 => What::TryLock(section),
            5 => What::Read(section),
            6 => What::TryRead(section),
            7 => What::Write(section),
            8 => What::TryWrite(section),
            _ if of_loop => What::Hint,
            _ => What::Store(new),
        };
        let only_if = (random.below(4) == 0).then(|| random.below(2));
        Self { what, word: random.below(2) as usize, only_if }
    }

    fn is_attempt(self) -> bool {
        matches!(self.what, What::TryLock(_) | What::TryRead(_) | What::TryWrite(_))
    }
}

// ---------------------------------------------------------------------------------------------
// The program on the façade.
// ---------------------------------------------------------------------------------------------

#[derive(Default)]
struct Shared {
    words: [AtomicU64; 2],
    mutex: Mutex<u64>,
    lock: RwLock<u64>,
}

impl Section {
    /// With what the lock protects; `again` tries to take it.
    fn run(
        self,
        value: &mut impl std::ops::DerefMut<Target = u64>,
        again: impl Fn() -> bool,
    ) -> u64 {
        assert!(!(self.tries && again()), "a lock was taken twice");
        let found = **value;
        if let Some(new) = self.sets {
            **value = new;
        }
        found
    }

    fn read(self, value: u64, again: impl Fn() -> bool) -> u64 {
        assert!(!(self.tries && again()), "a lock was taken twice");
        value
    }
}

fn take(what: What, word: usize, Shared { words, mutex, lock }: &Shared) -> u64 {
    let word = &words[word];
    let locked = || mutex.try_lock().is_ok();
    let read = || lock.try_read().is_ok();
    let written = || lock.try_write().is_ok();
    match what {
        What::Load => word.load(SeqCst),
        What::Store(value) => {
            word.store(value, SeqCst);
            0
        }
        What::Add => word.fetch_add(1, SeqCst),
        What::Exchange(old, new) => {
            u64::from(word.compare_exchange(old, new, SeqCst, SeqCst).is_ok())
        }
        What::Lock(section) => section.run(&mut mutex.lock().unwrap(), locked),
        What::TryLock(section) => {
            mutex.try_lock().map_or(FAILED, |mut guard| section.run(&mut guard, locked))
        }
        What::Read(section) => section.read(*lock.read().unwrap(), written),
        What::TryRead(section) => {
            lock.try_read().map_or(FAILED, |guard| section.read(*guard, written))
        }
        What::Write(section) => section.run(&mut lock.write().unwrap(), read),
        What::TryWrite(section) => {
            lock.try_write().map_or(FAILED, |mut guard| section.run(&mut guard, read))
        }
        What::Hint => {
            hint::spin_loop();
            0
        }
    }
}

/// Takes a turn. Whether it is the last one.
fn turn(body: &Body, shared: &Shared, found: &mut Found) -> bool {
    let mut last = 0;
    found.fill(0);
    for (at, step) in body.turn.iter().enumerate() {
        if step.only_if.is_none_or(|value| value == last) {
            last = take(step.what, step.word, shared);
            found[at] = last;
        }
    }
    body.ends(found)
}

fn run(body: &Body, shared: &Shared) -> Found {
    let mut found = vec![0; body.turn.len()];
    if body.blocks {
        hint::wait_until(|| turn(body, shared, &mut found));
    } else {
        while !turn(body, shared, &mut found) {
            hint::spin_loop();
        }
    }
    found
}

/// The threads are spawned in this order.
fn program(bodies: &[Body], order: &[usize]) -> Outcome {
    let shared = Arc::new(Shared::default());
    let spawn = |&thread: &usize| {
        let (body, shared) = (bodies[thread].clone(), shared.clone());
        (thread, thread::spawn(move || run(&body, &shared)))
    };
    let threads: Vec<_> = order.iter().map(spawn).collect();
    let mut found: Vec<_> =
        threads.into_iter().map(|(n, thread)| (n, thread.join().unwrap())).collect();
    found.sort();
    let [a, b] = shared.words.each_ref().map(|word| word.load(SeqCst));
    let protected = [*shared.mutex.lock().unwrap(), *shared.lock.read().unwrap()];
    (found.into_iter().map(|(_, found)| found).collect(), [a, b, protected[0], protected[1]])
}

// ---------------------------------------------------------------------------------------------
// The machine.
// ---------------------------------------------------------------------------------------------

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Thread {
    at: usize,
    /// It has come to the middle of its step, and to what it found there.
    within: Option<u64>,
    /// It keeps readers and writers out, and waits for the reads that began before.
    waits: bool,
    last: u64,
    found: Found,
    done: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    threads: Vec<Thread>,
    words: [u64; 2],
    /// What they protect, and whether they are held.
    mutex: (u64, bool),
    lock: (u64, bool),
    readers: usize,
}

impl State {
    fn new(bodies: &[Body]) -> Self {
        let thread = |body: &Body| Thread {
            at: 0,
            within: None,
            waits: false,
            last: 0,
            found: vec![0; body.turn.len()],
            done: false,
        };
        let threads = bodies.iter().map(thread).collect();
        Self { threads, words: [0; 2], mutex: (0, false), lock: (0, false), readers: 0 }
    }

    /// What a thread has found ends its step.
    fn finish(&mut self, number: usize, body: &Body, found: u64) {
        let thread = &mut self.threads[number];
        (thread.found[thread.at], thread.last, thread.within) = (found, found, None);
        self.go_on(number, body);
    }

    fn go_on(&mut self, number: usize, body: &Body) {
        let thread = &mut self.threads[number];
        thread.at += 1;
        if thread.at < body.turn.len() {
            return;
        }
        (thread.at, thread.last) = (0, 0);
        thread.done = body.ends(&thread.found);
        if !thread.done {
            thread.found.fill(0);
        }
    }

    /// A thread takes half of a step, or the whole. Whether it could.
    fn advance(&mut self, number: usize, body: &Body) -> bool {
        let thread = &mut self.threads[number];
        if thread.done {
            return false;
        }
        let Step { what, word, only_if } = body.turn[thread.at];
        if only_if.is_some_and(|value| value != thread.last) {
            self.go_on(number, body);
            return true;
        }
        if let Some(found) = thread.within {
            match what {
                What::Lock(_) | What::TryLock(_) => self.mutex.1 = false,
                What::Read(_) | What::TryRead(_) => self.readers -= 1,
                What::Write(_) | What::TryWrite(_) => self.lock.1 = false,
                _ => {}
            }
            self.finish(number, body, found);
            return true;
        }
        let enter = |(value, held): &mut (u64, bool), section: Section| {
            let found = *value;
            (*value, *held) = (section.sets.unwrap_or(found), true);
            found
        };
        let word = &mut self.words[word];
        let found = match what {
            What::Load => *word,
            What::Store(new) => {
                *word = new;
                0
            }
            What::Add => {
                *word += 1;
                *word - 1
            }
            What::Exchange(old, new) => {
                let succeeds = *word == old;
                *word = if succeeds { new } else { *word };
                u64::from(succeeds)
            }
            What::Hint => 0,
            What::Lock(_) if self.mutex.1 => return false,
            What::TryLock(_) if self.mutex.1 => FAILED,
            What::Lock(section) | What::TryLock(section) => {
                thread.within = Some(enter(&mut self.mutex, section));
                return true;
            }
            What::Read(_) if self.lock.1 => return false,
            What::TryRead(_) if self.lock.1 => FAILED,
            What::Read(_) | What::TryRead(_) => {
                self.readers += 1;
                thread.within = Some(self.lock.0);
                return true;
            }
            What::Write(_) if self.lock.1 && !thread.waits => return false,
            What::Write(_) if !thread.waits => {
                (thread.waits, self.lock.1) = (true, true);
                return true;
            }
            What::Write(_) if self.readers > 0 => return false,
            What::TryWrite(_) if self.lock.1 || self.readers > 0 => FAILED,
            What::Write(section) | What::TryWrite(section) => {
                thread.waits = false;
                thread.within = Some(enter(&mut self.lock, section));
                return true;
            }
        };
        self.finish(number, body, found);
        true
    }

    fn outcome(&self) -> Option<Outcome> {
        let done = self.threads.iter().all(|thread| thread.done);
        let found = || self.threads.iter().map(|thread| thread.found.clone()).collect();
        done.then(|| (found(), [self.words[0], self.words[1], self.mutex.0, self.lock.0]))
    }
}

/// The outcomes, and whether a state can be reached from which no end can be; nothing if there are too many states.
fn interleave(bodies: &[Body]) -> Option<(BTreeSet<Outcome>, bool)> {
    let mut states = vec![State::new(bodies)];
    let mut numbers = HashMap::from([(states[0].clone(), 0)]);
    let (mut before, mut ends, mut outcomes) = (vec![Vec::new()], Vec::new(), BTreeSet::new());
    let mut at = 0;
    while at < states.len() {
        if states.len() > MOST_STATES {
            return None;
        }
        if let Some(outcome) = states[at].outcome() {
            outcomes.insert(outcome);
            ends.push(at);
        }
        for (number, body) in bodies.iter().enumerate() {
            let mut next = states[at].clone();
            if !next.advance(number, body) {
                continue;
            }
            let known = *numbers.entry(next.clone()).or_insert(states.len());
            if known == states.len() {
                states.push(next);
                before.push(Vec::new());
            }
            before[known].push(at);
        }
        at += 1;
    }
    let mut can_end = vec![false; states.len()];
    while let Some(at) = ends.pop() {
        if !std::mem::replace(&mut can_end[at], true) {
            ends.extend(&before[at]);
        }
    }
    Some((outcomes, can_end.contains(&false)))
}

// ---------------------------------------------------------------------------------------------
// The comparison.
// ---------------------------------------------------------------------------------------------

#[test]
fn loops_end_as_their_interleavings_do() {
    let programs = std::env::var("SELVEDGE_PROGRAMS").ok();
    let programs = 100 * programs.map_or(3, |text| text.parse::<u64>().expect("a number"));
    let config = Config {
        executions: MOST_EXECUTIONS,
        turns: 4,
        idle_turns: 20,
        steps: 80,
        ..Config::default()
    };
    let (mut compared, mut livelocks) = (0, 0);
    for number in 0..programs {
        let mut random = Random((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bodies = vec![Body::random(&mut random, true)];
        let second = random.below(2) == 0;
        bodies.push(Body::random(&mut random, second));
        if bodies.iter().all(|body| body.turn.len() < 3) {
            bodies.push(Body::random(&mut random, false));
        }
        let Some((outcomes, may_hang)) = interleave(&bodies) else { continue };
        for order in orders(bodies.len()) {
            let (mut found, mut hangs) = (BTreeSet::new(), false);
            let program = || program(&bodies, &order);
            let report = explore_results(&config, program, |execution, outcome| {
                match execution.ending() {
                    _ if !execution.is_sequentially_consistent() => {}
                    Ending::Complete => drop(found.insert(outcome.expect("all threads ended"))),
                    Ending::Deadlock(_) => hangs = true,
                    other => panic!("{number} {order:?}: {other:?} of {bodies:#?}"),
                }
                ControlFlow::Continue(())
            });
            if !report.bounds.is_empty() {
                continue;
            }
            compared += 1;
            livelocks += u64::from(may_hang);
            assert_eq!(found, outcomes, "{number} {order:?}: {bodies:#?}");
            let mut steps = bodies.iter().flat_map(|body| &body.turn);
            let agrees = hangs == may_hang || hangs && steps.any(|step| step.is_attempt());
            assert!(agrees, "{number} {order:?}: {hangs}, not {may_hang}: {bodies:#?}");
        }
    }
    println!("{compared} programs and orders compared, {livelocks} with a deadlock or livelock");
    assert!(compared > programs, "{compared}");
}
