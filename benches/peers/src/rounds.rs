//! Rounds: two sides take turns, and what counts is the median of the ratios.
//!
//! A machine that others use too is now fast and now slow. So the sides of a row never run far apart:
//! a round is one turn of each, in swapped order every other time, and gives one ratio. A turn is
//! shorter than what the system mostly lets a thread run for, and a round in which it took a core away
//! from one of ours does not count, as long as enough others do: two threads that take turns on one
//! core do not get into each other's way, and that is not what is to be measured. Nothing is
//! subtracted: the loop, and drawing an operation, cost both sides the same.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// How many rounds are wanted in which neither side was disturbed.
const ROUNDS: usize = 101;
/// How many of both kinds are run at most to get them, and for how long.
const TRIES: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a turn is repeated that was disturbed.
const AGAIN: usize = 20;
/// How many rounds there are where more than two sides take turns.
const CONTEST: usize = 31;
/// With fewer undisturbed ones than this, all count.
const ENOUGH: usize = 15;
/// How long one turn takes; of a side whose operations are not counted out in advance.
const TURN: Duration = Duration::from_millis(1);

/// What a side is to do in one turn.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Threads, started together.
    pub(crate) threads: usize,
    /// Operations of each of them.
    pub(crate) ops: u64,
    /// The number of the round.
    pub(crate) round: usize,
}

/// What a turn took.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    /// Nanoseconds an operation, for the thread that made it: the mean over the threads.
    pub(crate) each: f64,
    /// Nanoseconds an operation, for all threads together, until the last was done.
    pub(crate) together: f64,
    /// Whether a thread had a core taken away.
    disturbed: bool,
}

/// One side of a comparison.
pub(crate) struct Side<'a> {
    pub(crate) name: &'static str,
    /// Operations a turn, if not as many as fill it.
    ops: Option<u64>,
    pub(crate) run: Box<dyn Fn(Load) -> Turn + 'a>,
}

impl<'a> Side<'a> {
    /// A side that repeats one operation.
    pub(crate) fn new(name: &'static str, run: impl Fn(Load) -> Turn + 'a) -> Self {
        Self { name, ops: None, run: Box::new(run) }
    }

    /// A side that makes `ops` operations a turn, because what they cost depends on how many there
    /// were.
    pub(crate) fn counted(name: &'static str, ops: u64, run: impl Fn(Load) -> Turn + 'a) -> Self {
        Self { name, ops: Some(ops), run: Box::new(run) }
    }
}

/// A side, and how much it does in a turn.
struct Player<'a> {
    side: &'a Side<'a>,
    threads: usize,
    ops: u64,
    smoke: bool,
}

impl<'a> Player<'a> {
    fn new(side: &'a Side<'a>, threads: usize, smoke: bool) -> Self {
        let ops = side.ops.unwrap_or(64);
        let mut player = Self { side, threads, ops, smoke };
        // Warms up, and finds out how many operations fill a turn.
        for round in 0..if smoke { 0 } else { 16 } {
            player.once(round);
        }
        player
    }

    /// A turn, again until nobody disturbs it.
    fn turn(&mut self, round: usize) -> Turn {
        let mut turn = self.once(round);
        for _ in 0..if self.smoke { 0 } else { AGAIN } {
            if !turn.disturbed {
                break;
            }
            turn = self.once(round);
        }
        turn
    }

    fn once(&mut self, round: usize) -> Turn {
        let turn = (self.side.run)(Load { threads: self.threads, ops: self.ops, round });
        if self.side.ops.is_none() && !self.smoke {
            let full = as_count(nanoseconds(TURN) / turn.each);
            self.ops = if turn.disturbed {
                // Perhaps because it took too long: threads that did not run at the same time do
                // not show how long. But one too short measures how cold the caches are.
                (self.ops / 4 * 3).max(full / 8).min(self.ops * 4)
            } else {
                full.min(self.ops * 4)
            };
            self.ops = self.ops.max(64);
        }
        turn
    }
}

/// Runs `work` in some threads at once. What `prepare` makes for each, given its number, is made and
/// dropped outside of the time. A thread that is done goes on, outside of the time, until all are: so
/// that the last one is not alone.
pub(crate) fn threads<S>(
    load: Load,
    prepare: impl Fn(usize) -> S + Sync,
    work: impl Fn(&mut S, u64) + Sync,
) -> Turn {
    let (arrived, ready, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    // Not a `Barrier`: waking up from one takes as long as thousands of operations.
    let wait_for_all = |count: &AtomicUsize| {
        count.fetch_add(1, SeqCst);
        let mut spins = 0_u32;
        while count.load(SeqCst) < load.threads {
            spins += 1;
            if spins.is_multiple_of(1 << 12) {
                thread::yield_now();
            }
            std::hint::spin_loop();
        }
    };
    let lap = |number| {
        let mut state = prepare(number);
        // All have a core now, if there are as many.
        wait_for_all(&arrived);
        let before = taken_away();
        wait_for_all(&ready);
        let start = Instant::now();
        work(&mut state, load.ops);
        let end = Instant::now();
        let disturbed = taken_away() != before;
        done.fetch_add(1, SeqCst);
        // Not if that would keep the others from a core.
        while load.threads <= cores() && done.load(SeqCst) < load.threads {
            work(&mut state, 64);
        }
        Lap { start, end, disturbed }
    };
    let lap = &lap;
    let laps: Vec<Lap> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..load.threads).map(|number| scope.spawn(move || lap(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no side panics")).collect()
    });
    let sum: Duration = laps.iter().map(|lap| lap.end - lap.start).sum();
    let first = laps.iter().map(|lap| lap.start).min().expect("there is a thread");
    let last = laps.iter().map(|lap| lap.end).max().expect("there is a thread");
    let all = as_float(load.ops) * as_float(load.threads as u64);
    Turn {
        each: nanoseconds(sum) / all,
        together: nanoseconds(last - first) / all,
        disturbed: laps.iter().any(|lap| lap.disturbed),
    }
}

/// What a thread took for its part of a turn.
struct Lap {
    start: Instant,
    end: Instant,
    disturbed: bool,
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// How often the system has taken a core away from this thread. `None` if it does not say.
fn taken_away() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

/// What came of a comparison.
pub(crate) struct Compared {
    /// Medians, in nanoseconds an operation and thread.
    pub(crate) ours: f64,
    pub(crate) peer: f64,
    /// The median of ours divided by the peer's, and the quartiles around it.
    pub(crate) ratio: f64,
    pub(crate) quartiles: (f64, f64),
    /// Whether there were too few undisturbed rounds, so that all count.
    pub(crate) disturbed: bool,
}

/// Two sides in turns.
pub(crate) fn compare(ours: &Side, peer: &Side, threads: usize, smoke: bool) -> Compared {
    let mut sides = [ours, peer].map(|side| Player::new(side, threads, smoke));
    let (mut quiet, mut all) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for round in 1..=if smoke { 1 } else { TRIES } {
        let [a, b] = if round % 2 == 0 {
            let b = sides[1].turn(round);
            [sides[0].turn(round), b]
        } else {
            let a = sides[0].turn(round);
            [a, sides[1].turn(round)]
        };
        all.push((a.each, b.each));
        if !a.disturbed && !b.disturbed {
            quiet.push((a.each, b.each));
        }
        if quiet.len() == ROUNDS || start.elapsed() > PATIENCE {
            break;
        }
    }
    let disturbed = quiet.len() < ENOUGH;
    let rounds = if disturbed { all } else { quiet };
    let ratios = sorted(rounds.iter().map(|(a, b)| a / b));
    Compared {
        ours: quantile(&sorted(rounds.iter().map(|(a, _)| *a)), 2),
        peer: quantile(&sorted(rounds.iter().map(|(_, b)| *b)), 2),
        ratio: quantile(&ratios, 2),
        quartiles: (quantile(&ratios, 1), quantile(&ratios, 3)),
        disturbed,
    }
}

/// All of some sides in turns, each first as often as the others, and after either neighbour: the median of what
/// `pick` says of each.
pub(crate) fn contest(
    sides: &[Side],
    threads: usize,
    smoke: bool,
    pick: fn(Turn) -> f64,
) -> Vec<f64> {
    // More threads than cores wait for each other, and are all disturbed. They get turns of twenty
    // times the length, so that everyone has a core several times.
    let crowded = threads > cores();
    let alone = if crowded { 1 } else { threads };
    let mut players: Vec<_> = sides.iter().map(|side| Player::new(side, alone, smoke)).collect();
    if crowded && !smoke {
        for player in &mut players {
            player.ops = (player.ops * 20 / threads as u64).max(1);
            player.threads = threads;
        }
    }
    let mut turns = vec![Vec::new(); sides.len()];
    for round in 1..=if smoke { 1 } else { CONTEST } {
        for place in 0..sides.len() {
            let place = if round % 2 == 0 { place } else { sides.len() - 1 - place };
            let side = (place + round) % sides.len();
            let player = &mut players[side];
            let turn = if crowded {
                (player.side.run)(Load { threads, ops: player.ops, round })
            } else {
                player.turn(round)
            };
            turns[side].push(pick(turn));
        }
    }
    turns.into_iter().map(median).collect()
}

pub(crate) fn median(values: Vec<f64>) -> f64 {
    quantile(&sorted(values.into_iter()), 2)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The first quartile, the median or the third.
fn quantile(sorted: &[f64], quarter: usize) -> f64 {
    sorted[(sorted.len() - 1) * quarter / 4]
}

pub(crate) fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

#[expect(clippy::cast_precision_loss, reason = "times are not that exact")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are small")]
fn as_count(value: f64) -> u64 {
    value as u64
}
