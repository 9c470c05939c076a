//! Rounds are counted while they run, so that a round that never ends is counted too.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use confidence::measured::Measured;

/// Counts rounds. `SeqCst`: what it costs is nothing beside a round.
pub(crate) struct Tally {
    start: Instant,
    rounds: AtomicU64,
    wrong: AtomicU64,
    first: AtomicU64,
    first_after: AtomicU64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let [rounds, wrong, first, first_after] = [0; 4].map(AtomicU64::new);
        Self { start: Instant::now(), rounds, wrong, first, first_after }
    }

    /// A round begins.
    pub(crate) fn begin(&self) {
        self.rounds.fetch_add(1, SeqCst);
    }

    /// The round went wrong.
    pub(crate) fn wrong(&self) {
        if self.wrong.fetch_add(1, SeqCst) == 0 {
            self.first.store(self.rounds(), SeqCst);
            let after = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.first_after.store(after, SeqCst);
        }
    }

    /// How many rounds have begun.
    pub(crate) fn rounds(&self) -> u64 {
        self.rounds.load(SeqCst)
    }

    /// The result.
    pub(crate) fn measured(&self, complete: bool, ended_by: Option<String>) -> Measured {
        let wrong = self.wrong.load(SeqCst);
        let found = |value| (wrong > 0).then_some(value);
        let after = Duration::from_nanos(self.first_after.load(SeqCst));
        Measured {
            wrong,
            rounds: self.rounds(),
            first: found(self.first.load(SeqCst)),
            seconds: (wrong > 0).then_some(after.as_secs_f64()),
            complete,
            ended_by,
            hangs: false,
        }
    }
}
