//! A hash map for many threads.
//!
//! Entries are spread over shards, each a table under a read-write lock of its own. Values are
//! reached through closures: there is no guard that could be held across another call.
//!
//! # Guarantee
//!
//! Each call that names one key is one atomic step, and so is `update_pair`, which names two. These, and
//! those that lock all shards, are linearizable together. The table says which do less:
//!
//! | method | consistency |
//! |---|---|
//! | `with`, `get`, `contains_key`, `insert`, `try_insert`, `update`, `compute`, `remove` | linearizable |
//! | `get_or_insert_with`, `get_or_try_insert_with` | linearizable; `init` runs once for each value that is inserted, and in one thread at a time |
//! | `update_pair` | linearizable: two entries change in one step |
//! | `snapshot`, `keys`, `values`, `clear` | linearizable: all shards at one moment |
//! | `retain`, `for_each`, `Debug`, `extend` | each entry is looked at, kept or removed in one step; another may change meanwhile |
//! | `len`, `is_empty` | without locks: a sum over the shards, not a moment. It counts all that has happened before the call; of what happens during it, some and not the rest. Never negative, exact while nobody writes |
//!
//! A closure that panics leaves its entry as it was, and the map as usable as before: values are
//! not changed in place but computed, and then put in. What is displaced or removed is dropped
//! after unlocking. A key is hashed before locking.
//!
//! # Re-entry
//!
//! A thread that is inside a call (in a closure of its, or in the `Eq`, `Clone` or `Debug` of a key
//! or value) and calls *the same map* again would wait for itself. It is refused at once: by
//! [`MapError::Reentrant`] where the method returns a [`MapError`], by a panic with the same text
//! elsewhere, for it is a mistake in the program, and a second `Result` around every look-up would
//! make all others pay for it. [`Map::is_inside`] tells beforehand; [`Map::len`],
//! [`Map::is_empty`], [`Map::shards`] and `Debug` never refuse. Other maps may be called.
//!
//! # Coming from another map
//!
//! | in `dashmap` or `std` | here |
//! |---|---|
//! | `get`, `view`; a clone of what `get` finds | [`Map::with`]; [`Map::get`] |
//! | `get_mut`, `alter` | [`Map::update`] |
//! | `entry(k).or_insert_with(f)`, `or_try_insert_with(f)` | [`Map::get_or_insert_with`], [`Map::get_or_try_insert_with`] |
//! | `entry(k).and_modify(f).or_insert(v)`, `remove_if` | [`Map::compute`] |
//! | `iter`; what it shows, at one moment | [`Map::for_each`]; [`Map::snapshot`], [`Map::keys`], [`Map::values`] |
//! | `with_shard_amount` | [`Map::with_shards`] |
//! | two guards at once, which can deadlock | [`Map::update_pair`] |
//!
//! # Orderings
//!
//! Entries are read and written under their shard's lock, and that is all the order there is. Who
//! locks more than one shard does so in the order of their indices. The lengths beside the locks
//! are `Relaxed`, see their field.
//!
//! # Limits
//!
//! - A closure runs under its shard's lock: others wait for it. It must not wait for a thread that
//!   needs the map. Two maps, each called from a closure of the other in two threads, can
//!   deadlock: call them in the same order everywhere.
//! - A value that is too big to copy for each change belongs in a lock of its own inside the map,
//!   reached by [`Map::with`].
//! - A shard that grows hashes its keys again, under the lock. A `Hash` that panics then (having
//!   worked before) can lose entries of that shard; the map stays usable.
//! - What a closure leaves to be dropped is dropped inside, and if it is a panic that drops it, a
//!   refusal is a second panic, which ends the process. A destructor that uses the map asks
//!   [`Map::is_inside`] first.
//! - A hasher that leaves bits 41 to 63 the same for all keys puts them all in one shard, and makes
//!   look-ups slow.

use std::hash::RandomState;

use crossbeam_utils::CachePadded;
pub use hashbrown::Equivalent;

use crate::sync::thread;

mod entry;
mod error;
mod pair;
mod reentry;
mod shard;
mod whole;

pub use error::{MapError, NotInserted};

use reentry::Inside;
use shard::Shard;

/// The most shards that a [`Map`] accepts.
pub const MAX_SHARDS: usize = 1 << 16;

/// The lowest of the bits from which `hashbrown` takes a tag that tells entries apart. They would
/// be the same for all entries of a shard, were the shard chosen by them.
const TAG_FROM: u32 = 57;

/// How many shards a map has for each thread that can run at once.
const SHARDS_A_THREAD: usize = 16;

/// A hash map for many threads: no guards, and two keys in one atomic step.
///
/// ```
/// use selvedge::Map;
///
/// let words = Map::new();
/// std::thread::scope(|scope| {
///     for text in ["to be or not", "not to be"] {
///         let words = &words;
///         scope.spawn(move || {
///             for word in text.split(' ') {
///                 words.compute(word, |count| Some(count.unwrap_or(&0) + 1));
///             }
///         });
///     }
/// });
/// assert_eq!(words.get("not"), Some(2));
/// assert_eq!(words.len(), 4);
/// ```
pub struct Map<K, V, S = RandomState> {
    /// As many as a power of two.
    shards: Box<[CachePadded<Shard<K, V>>]>,
    /// By how many bits a hash is shifted to get an index: the bits just below the tag.
    shift: u32,
    hasher: S,
}

impl<K, V> Map<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty map with room for `capacity` entries, if they spread evenly.
    ///
    /// # Panics
    ///
    /// If that is more than can be addressed. What the system refuses ends the process, as in `std`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }

    /// An empty map with `shards` shards, rounded up to a power of two.
    ///
    /// Threads wait for each other only where they use the same shard. More shards take more
    /// memory, and more time where all are visited.
    ///
    /// # Errors
    ///
    /// [`MapError::Shards`] unless `shards` is from 1 to [`MAX_SHARDS`].
    pub fn with_shards(shards: usize) -> Result<Self, MapError> {
        Self::with_shards_and_hasher(shards, RandomState::new())
    }
}

impl<K, V, S> Map<K, V, S> {
    /// An empty map whose keys are hashed by `hasher`.
    ///
    /// Only the default, [`RandomState`], withstands keys that somebody chose to collide.
    pub fn with_hasher(hasher: S) -> Self {
        Self::with_capacity_and_hasher(0, hasher)
    }

    /// [`with_capacity`](Map::with_capacity) and [`with_hasher`](Self::with_hasher) in one.
    ///
    /// # Panics
    ///
    /// If that is more than can be addressed. What the system refuses ends the process, as in `std`.
    pub fn with_capacity_and_hasher(capacity: usize, hasher: S) -> Self {
        // Few under the checker: what visits all shards takes a step for each.
        let shards = if cfg!(loom) {
            2
        } else {
            let parallelism = thread::available_parallelism().map_or(1, std::num::NonZero::get);
            parallelism.saturating_mul(SHARDS_A_THREAD).min(MAX_SHARDS)
        };
        Self::build(shards, capacity, hasher)
    }

    /// [`with_shards`](Map::with_shards) and [`with_hasher`](Self::with_hasher) in one.
    ///
    /// # Errors
    ///
    /// [`MapError::Shards`] unless `shards` is from 1 to [`MAX_SHARDS`].
    pub fn with_shards_and_hasher(shards: usize, hasher: S) -> Result<Self, MapError> {
        if (1..=MAX_SHARDS).contains(&shards) {
            Ok(Self::build(shards, 0, hasher))
        } else {
            Err(MapError::Shards { requested: shards })
        }
    }

    fn build(shards: usize, capacity: usize, hasher: S) -> Self {
        let shards = shards.next_power_of_two();
        let capacity = capacity.div_ceil(shards);
        Self {
            shards: (0..shards).map(|_| CachePadded::new(Shard::with_capacity(capacity))).collect(),
            shift: TAG_FROM - shards.trailing_zeros(),
            hasher,
        }
    }

    /// The number of shards.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// What hashes the keys.
    pub fn hasher(&self) -> &S {
        &self.hasher
    }

    /// Whether the calling thread is inside a call on this map, in a closure say, where all calls
    /// that lock are refused.
    pub fn is_inside(&self) -> bool {
        reentry::is_inside(self.address())
    }

    /// An address that is this map's alone: a map has at least one shard.
    #[inline]
    fn address(&self) -> usize {
        self.shards.as_ptr().addr()
    }

    #[inline]
    fn try_enter(&self) -> Result<Inside, MapError> {
        Inside::enter(self.address())
    }

    /// Enters the map.
    ///
    /// # Panics
    ///
    /// If the thread is inside it already.
    #[inline]
    fn enter(&self) -> Inside {
        match self.try_enter() {
            Ok(inside) => inside,
            Err(error) => refuse(&error),
        }
    }

    /// The index of the shard of a hash.
    #[inline]
    fn index(&self, hash: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "what is cut off is masked out")]
        let bits = (hash >> self.shift) as usize;
        bits & (self.shards.len() - 1)
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard<K, V> {
        &self.shards[self.index(hash)]
    }
}

#[cold]
fn refuse(error: &MapError) -> ! {
    panic!("{error}")
}

impl<K, V, S: Default> Default for Map<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// `hashbrown` tells entries of a table apart by the top 7 bits, and finds them by the low
    /// ones. A shard chosen by either would leave its table fewer to tell them apart by.
    #[test]
    fn the_bits_that_choose_a_shard_are_not_those_that_choose_within_it() {
        for shards in [1, 2, 64, MAX_SHARDS] {
            let map = Map::<(), ()>::with_shards(shards).expect("the number is in range");
            let reached = |hashes: &mut dyn Iterator<Item = u64>| {
                hashes.map(|hash| map.index(hash)).collect::<HashSet<_>>().len()
            };
            assert_eq!(reached(&mut (0..1 << 7).map(|bits| bits << 57)), 1, "the tag");
            assert_eq!(reached(&mut (0..41).map(|bit| (1 << bit) - 1)), 1, "a table's own bits");
            let between = (0..1 << 16).map(|bits| bits << 41);
            assert_eq!(reached(&mut { between }), shards, "all that is between");
        }
    }
}
