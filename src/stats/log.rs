//! A log: samples of one thread that are not in their stripe yet.

use super::{Shared, lock};
use selvedge_model::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, Release},
};

/// How many samples a log holds; a model fills it with two.
pub(super) const LOG: usize = if cfg!(loom) { 2 } else { 128 };

/// The samples of one owner that are not in its stripe yet. The owner is a handle, or a thread.
///
/// Written by the owner alone. When it has written `LOG` samples, it locks the stripe and empties the log before it
/// writes the next. So a log never holds more than [`LOG`] samples that are not in the stripe, and a thread that holds that
/// lock finds all samples in place that it knows of.
pub(super) struct Log {
    /// How many samples were ever written. Only grows.
    ///
    /// Release: pairs with the Acquire in `Locked::agree`; who reads a length also reads the samples
    /// that it counts, and sees whatever the owner had seen when it recorded them.
    pub(super) written: AtomicU64,
    /// Sample n is at n modulo `LOG`.
    ///
    /// Relaxed: a slot is read after its sample was published by `written`, and written again after
    /// it was folded, which the owner learns through the stripe's mutex.
    slots: [AtomicU64; LOG],
    /// Where the log belongs: the stripe, and its place there.
    pub(super) stripe: usize,
    pub(super) place: usize,
}

impl Log {
    pub(super) fn new(stripe: usize, place: usize) -> Self {
        Self {
            written: AtomicU64::new(0),
            slots: [(); LOG].map(|()| AtomicU64::new(0)),
            stripe,
            place,
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "LOG is a power of two")]
    pub(super) fn slot(&self, sample: u64) -> &AtomicU64 {
        &self.slots[sample as usize % LOG]
    }

    /// Records a sample, and returns how many are written then. Called by the owner, with what `self.written` holds.
    #[inline]
    pub(super) fn record(&self, shared: &Shared, written: u64, value: u64) -> u64 {
        if written.is_multiple_of(LOG as u64) {
            self.make_room(shared, written);
        }
        self.slot(written).store(value, Relaxed);
        self.written.store(written + 1, Release);
        written + 1
    }

    /// Empties the log into its stripe, unless it is new.
    #[cold]
    fn make_room(&self, shared: &Shared, written: u64) {
        if written > 0 {
            lock(&shared.stripes[self.stripe]).fold(self.place, written);
        }
    }
}
