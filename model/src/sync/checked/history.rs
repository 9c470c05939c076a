//! The causal history of each thread, as a hash: its steps, and the values that it has read.
//!
//! The next step of a thread must be a function of its history. A thread that continues differently after
//! the same history shows that the model is not deterministic. An object through which threads communicate
//! carries the history of the releasing thread to the acquiring one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::event::Site;
use super::record::Recorder;

impl Recorder {
    /// Adds `what` to the history of the active thread, without a step.
    pub(crate) fn absorb(&mut self, what: u64) {
        let thread = self.thread();
        thread.history = mix(thread.history, what);
    }

    /// Adds the history of `object` to that of the active thread.
    pub(crate) fn acquire_from(&mut self, object: usize) {
        let past = self.objects[object].history;
        let thread = self.thread();
        thread.history = mix(thread.history, past);
    }

    /// Sets the history of `object` to that of the active thread.
    pub(crate) fn release_to(&mut self, object: usize) {
        self.objects[object].history = self.threads[self.current()].history;
    }

    /// The active thread writes the pointer `address`.
    pub(crate) fn publish(&mut self, address: u64) {
        let past = self.threads[self.current()].history;
        self.published.insert(address, past);
    }

    /// The history of the pointer `address`, which is the same in each execution, wherever the allocator put
    /// the pointee.
    pub(crate) fn pointer_history(&self, address: u64) -> u64 {
        self.published.get(&address).copied().unwrap_or(u64::from(address != 0))
    }

    /// Adds the history of `other` to that of the active thread.
    pub(crate) fn join(&mut self, other: usize) {
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
