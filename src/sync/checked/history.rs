//! What each thread has done and seen, as a hash: its causal history.
//!
//! A thread's next step must be a function of it, so that a thread that goes on in another way after the
//! same history shows a model that is not deterministic. Whatever hands something from one thread to
//! another hands over its history as well.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::event::Site;
use super::record::Recorder;

impl Recorder {
    /// The active thread learns `what` without a step.
    pub(crate) fn absorb(&mut self, what: u64) {
        let thread = self.thread();
        thread.history = mix(thread.history, what);
    }

    /// The active thread reads what `object` holds: it inherits the past of whoever wrote it.
    pub(crate) fn inherit(&mut self, object: usize) {
        let past = self.objects[object].history;
        let thread = self.thread();
        thread.history = mix(thread.history, past);
    }

    /// The active thread leaves something in `object` for others to inherit.
    pub(crate) fn bequeath(&mut self, object: usize) {
        self.objects[object].history = self.threads[self.current()].history;
    }

    /// The active thread writes the pointer `address`.
    pub(crate) fn publish(&mut self, address: u64) {
        let past = self.threads[self.current()].history;
        self.published.insert(address, past);
    }

    /// The active thread has read the pointer `address`: what it learned, the same in each
    /// execution wherever the allocator put the pointee.
    pub(crate) fn follow(&self, address: u64) -> u64 {
        self.published.get(&address).copied().unwrap_or(u64::from(address != 0))
    }

    /// The active thread learns all that `other` did.
    pub(crate) fn learn_from(&mut self, other: usize) {
        let past = self.threads[other].history;
        let thread = self.thread();
        thread.history = mix(thread.history, past);
    }
}

/// What is known by a hash.
pub(super) type ByHash<V> = HashMap<u64, V, BuildHasherDefault<Identity>>;

/// Sets a new thread's past apart from that of the thread that made it.
pub(super) const CHILD: u64 = 1;

/// Mixes `b` into the hash `a` (the finaliser of `SplitMix64`, by Steele, Lea and Flood).
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.rotate_left(5) ^ b.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A call site as a number: `Location`s are statics, equal ones share file, line and column.
pub(super) fn site_bits(site: Site) -> u64 {
    mix(mix(site.file().as_ptr() as u64, u64::from(site.line())), u64::from(site.column()))
}

/// The keys are hashes already.
#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mix(self.0, u64::from(*byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
