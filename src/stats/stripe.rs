//! A stripe: samples under a lock, and the logs that are folded into them; and all stripes at once.

use super::cells::Cells;
use super::handle::Log;
use selvedge_model::sync::atomic::Ordering::{Acquire, Relaxed};
use selvedge_model::sync::{Arc, MutexGuard};

/// What one lock protects.
pub(super) struct Stripe {
    pub(super) cells: Cells,
    /// Every log that a handle of this stripe owns or has owned.
    logs: Vec<Entry>,
    /// The places of those that no handle owns now.
    free: Vec<usize>,
}

/// What a stripe knows of a log.
struct Entry {
    log: Arc<Log>,
    /// How many of its samples are in the cells of the stripe, or were.
    folded: u64,
    /// How many a snapshot has found; means nothing at any other time.
    found: u64,
}

impl Stripe {
    pub(super) fn new(precision: u32) -> Self {
        Self { cells: Cells::new(precision), logs: Vec::new(), free: Vec::new() }
    }

    /// How many handles are open.
    pub(super) fn handles(&self) -> usize {
        self.logs.len() - self.free.len()
    }

    /// A log that no handle owns, all folded, with its place and how many samples it has had.
    pub(super) fn open(&mut self) -> (usize, Arc<Log>, u64) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.logs.push(Entry { log: Arc::new(Log::new()), folded: 0, found: 0 });
            self.logs.len() - 1
        });
        let entry = &self.logs[place];
        (place, Arc::clone(&entry.log), entry.folded)
    }

    /// Adds to the cells what a log holds below sample number `written`.
    pub(super) fn fold(&mut self, place: usize, written: u64) {
        let entry = &mut self.logs[place];
        let log = &*entry.log;
        let values = (entry.folded..written).map(|sample| log.slot(sample).load(Relaxed));
        self.cells.record_all(values);
        entry.folded = written;
    }

    /// Takes back a log that was folded to its end.
    pub(super) fn close(&mut self, place: usize) {
        self.free.push(place);
    }
}

/// All stripes, locked.
pub(super) struct Locked<'a> {
    pub(super) stripes: Vec<MutexGuard<'a, Stripe>>,
}

impl Locked<'_> {
    /// Takes a consistent cut of the logs (closed under happens-before), and moves the samples in it into the
    /// stripes.
    pub(super) fn take_consistent_cut(&mut self) {
        while !self.agree() {}
        for stripe in &mut self.stripes {
            for place in 0..stripe.logs.len() {
                let found = stripe.logs[place].found;
                stripe.fold(place, found);
            }
        }
    }

    /// Reads the length of every log twice, and returns whether none has grown in between. The lengths then
    /// form a consistent cut.
    ///
    /// While its stripe is locked, a log can grow only by the room that is left in it, so the number of
    /// failures is bounded.
    fn agree(&mut self) -> bool {
        for entry in self.stripes.iter_mut().flat_map(|stripe| &mut stripe.logs) {
            // Acquire: pairs with the Release in `StatsHandle::record`: the samples counted here can
            // be read, and the second look sees all that their owners had seen.
            entry.found = entry.log.written.load(Acquire);
        }
        let mut entries = self.stripes.iter().flat_map(|stripe| &stripe.logs);
        // Relaxed: the first look has already brought what this one must not miss.
        entries.all(|entry| entry.log.written.load(Relaxed) == entry.found)
    }
}
