//! Real threads: the usual test in a loop, and the rounds of [`Model`] that start together.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use confidence::measured::{Kind, Measured};
use selvedge_model::{CheckError, Failure, Model};

use crate::Bound;
use crate::specimen::Specimen;
use crate::tally::Tally;
use crate::usual;

/// What this build can do.
pub(crate) const METHODS: [&str; 3] = ["once", "loop", "together"];

/// A round that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs one of them.
pub(crate) fn run(method: &str, specimen: Specimen, bound: Bound) -> Result<Measured> {
    match method {
        "once" => Ok(once(&specimen)),
        "loop" => Ok(usual_test_in_a_loop(specimen, bound)),
        "together" => together(specimen, bound),
        _ => bail!("{method} is no method of this build: {METHODS:?} are accepted"),
    }
}

/// Nothing but the test, so that nothing else is reported by a detector. It hangs in a deadlock.
fn once(specimen: &Specimen) -> Measured {
    let tally = Tally::new();
    tally.begin();
    if !usual::test(specimen) {
        tally.wrong();
    }
    tally.measured(false, None)
}

/// The loop runs in a thread of its own, which is lost with those that it waits for.
fn usual_test_in_a_loop(specimen: Specimen, bound: Bound) -> Measured {
    let tally = Arc::new(Tally::new());
    let (done, ended) = channel();
    let counted = Arc::clone(&tally);
    std::thread::spawn(move || {
        let start = Instant::now();
        while counted.rounds() < bound.rounds && start.elapsed() < bound.time() {
            counted.begin();
            if !usual::test(&specimen) {
                counted.wrong();
            }
        }
        // Nobody listens any more if a round was taken to be stuck.
        let _ = done.send(());
    });
    loop {
        let before = tally.rounds();
        match ended.recv_timeout(PATIENCE) {
            Ok(()) => return tally.measured(false, None),
            Err(RecvTimeoutError::Timeout) if tally.rounds() == before => {
                tally.wrong();
                let ended_by = Some("a round that did not end".to_owned());
                return Measured { hangs: true, ..tally.measured(false, ended_by) };
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                tally.wrong();
                return tally.measured(false, Some("a panic in the test".to_owned()));
            }
        }
    }
}

/// In slices, so that the time for the first can be told, and the box be kept.
fn together(specimen: Specimen, bound: Bound) -> Result<Measured> {
    const SLICE: u64 = 1_000;
    let specimen = Arc::new(specimen);
    let start = Instant::now();
    let mut sum = Measured::default();
    while sum.rounds < bound.rounds && start.elapsed() < bound.time() {
        let counted = Arc::new(Tally::new());
        let (specimen, tally) = (Arc::clone(&specimen), Arc::clone(&counted));
        let threads = specimen.threads;
        let judged = Arc::clone(&counted);
        let kind = specimen.kind;
        let mut model = Model::new(move || {
            tally.begin();
            (specimen.round)()
        })
        .rounds(SLICE.min(bound.rounds - sum.rounds));
        for thread in 0..threads {
            model = model.thread(&format!("t{thread}"), move |round| round.run(thread));
        }
        let model = model.finally("right", move |round| {
            if !round.right() {
                judged.wrong();
            }
        });
        let before = start.elapsed().as_secs_f64();
        let stuck = if kind == Kind::Deadlock {
            let report = model.fails(Failure::Deadlock).try_check()?;
            report.failure.map(|found| found.message)
        } else {
            match model.explore() {
                Ok(_) => None,
                Err(error @ (CheckError::Failed { .. } | CheckError::Timeout { .. })) => {
                    Some(error.to_string())
                }
                Err(error) => return Err(error.into()),
            }
        };
        if stuck.is_some() {
            counted.wrong();
        }
        let slice = counted.measured(false, stuck);
        if sum.first.is_none() {
            sum.first = slice.first.map(|first| sum.rounds + first);
            sum.seconds = slice.seconds.map(|seconds| before + seconds);
        }
        sum.rounds += slice.rounds;
        sum.wrong += slice.wrong;
        sum.ended_by = slice.ended_by;
        if sum.ended_by.is_some() {
            sum.hangs = kind == Kind::Deadlock;
            break;
        }
    }
    Ok(sum)
}
