//! A stripe: samples under a lock, and the logs that are folded into them; and all stripes at once.

use crate::padded::CachePadded;

use super::cells::Cells;
use super::log::Log;
use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed};
use selvedge_model::sync::{Arc, MutexGuard};

/// What one lock protects.
pub(super) struct Stripe {
    pub(super) cells: Cells,
    /// Every log of this stripe that has an owner or had one.
    logs: Vec<Entry>,
    /// The places of those that have none now.
    free: Vec<usize>,
}

/// What a stripe knows of a log.
struct Entry {
    log: Arc<CachePadded<Log>>,
    /// How many of its samples are in the cells of the stripe, or were, or were taken from the log.
    folded: u64,
    /// How many a reader has found; means nothing at any other time.
    found: u64,
}

impl Entry {
    /// What the log holds below sample number `written`.
    fn samples(&self, written: u64) -> impl Iterator<Item = u64> {
        let log = &**self.log;
        (self.folded..written).map(|sample| log.slot(sample).load(Relaxed))
    }
}

impl Stripe {
    pub(super) fn new(precision: u32) -> Self {
        Self { cells: Cells::new(precision), logs: Vec::new(), free: Vec::new() }
    }

    /// How many logs have an owner.
    pub(super) fn used(&self) -> usize {
        self.logs.len() - self.free.len()
    }

    /// A log that has no owner. This is stripe number `stripe`.
    pub(super) fn open(&mut self, stripe: usize) -> Arc<CachePadded<Log>> {
        let place = self.free.pop().unwrap_or_else(|| {
            let log = Arc::new(CachePadded::new(Log::new(stripe, self.logs.len())));
            self.logs.push(Entry { log, folded: 0, found: 0 });
            self.logs.len() - 1
        });
        Arc::clone(&self.logs[place].log)
    }

    /// Adds to the cells what a log holds below sample number `written`.
    pub(super) fn fold(&mut self, place: usize, written: u64) {
        let entry = &mut self.logs[place];
        self.cells.record_all(entry.samples(written));
        entry.folded = written;
    }

    /// Adds to `all` what is in the cells, and what a reader has found in the logs.
    pub(super) fn add_to(&self, all: &mut Cells) {
        all.add(&self.cells);
        for entry in &self.logs {
            all.record_all(entry.samples(entry.found));
        }
    }

    /// Removes what [`add_to`](Self::add_to) adds.
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        for entry in &mut self.logs {
            entry.folded = entry.found;
        }
    }

    /// Takes back a log, with what is left in it.
    pub(super) fn close(&mut self, place: usize) {
        self.free.push(place);
    }
}

/// All stripes, locked.
pub(super) struct Locked<'a> {
    pub(super) stripes: Vec<MutexGuard<'a, Stripe>>,
}

impl Locked<'_> {
    /// Finds a consistent cut of the logs (closed under happens-before).
    pub(super) fn find_consistent_cut(&mut self) {
        while !self.agree() {}
    }

    /// Reads the length of every log twice, and returns whether none has grown in between. The lengths then
    /// form a consistent cut.
    ///
    /// While its stripe is locked, a log can grow only by the room that is left in it, so the number of
    /// failures is bounded.
    fn agree(&mut self) -> bool {
        for entry in self.stripes.iter_mut().flat_map(|stripe| &mut stripe.logs) {
            // Acquire: pairs with the Release in `Log::record`: the samples counted here can
            // be read, and the second look sees all that their owners had seen.
            entry.found = entry.log.written.load(Acquire);
        }
        let mut entries = self.stripes.iter().flat_map(|stripe| &stripe.logs);
        // Relaxed: the first look has already brought what this one must not miss.
        entries.all(|entry| entry.log.written.load(Relaxed) == entry.found)
    }
}
