//! A concurrent hash map.
//!
//! Entries are distributed over shards, each a table under its own read-write lock. Values are accessed
//! through closures: there are no guards that could be held across another call.
//!
//! # Guarantee
//!
//! Each call on one key is one atomic step, and so is `update_pair`, which takes two. These calls, and those
//! that lock all shards, are linearizable. The others are weaker:
//!
//! | method | consistency |
//! |---|---|
//! | `with`, `get`, `contains_key`, `insert`, `try_insert`, `update`, `compute`, `remove` | linearizable |
//! | `get_or_insert_with`, `get_or_try_insert_with` | linearizable; for each key, `init` runs in one thread at a time, and once for each value that is inserted |
//! | `update_pair` | linearizable: two entries change in one step |
//! | `snapshot`, `keys`, `values`, `clear` | linearizable: all shards at one point in time |
//! | `retain`, `for_each`, `Debug`, `extend` | each entry is visited, kept or removed in one step; other entries may change in between |
//! | `len`, `is_empty` | a sum over the shards without locks, not a point in time: it counts all changes that happen before the call, and any subset of those that are concurrent with it. Never negative; exact if there is no concurrent write |
//!
//! If a closure panics, its entry is unchanged and the map stays usable: a new value is computed first and
//! then stored, never changed in place. Replaced and removed keys and values are dropped after unlocking.
//! Keys are hashed before locking.
//!
//! # Re-entrant calls
//!
//! A call on the *same map* from inside a call (from its closure, or from the `Eq`, `Clone` or `Debug` of a
//! key or value) would deadlock with itself. It is rejected at once: with [`MapError::Reentrant`] by methods
//! that return a [`MapError`], with a panic of the same text by the others. [`Map::is_inside`] tells whether
//! a call would be rejected. [`Map::len`], [`Map::is_empty`], [`Map::shards`] and `Debug` are always
//! allowed, and so are calls on other maps.
//!
//! Each call checks whether its thread is inside the map, and marks that it is, while code of the caller may run. `get`,
//! `contains_key` and `remove` leave out the mark if keys, the type looked up by and (for `get`) values are integers,
//! floats, `bool`, `char`, `()`, `str`, `&str` or `String`: then nothing but the standard library runs under the lock.
//! Whatever inserts may rehash keys under the lock, perhaps by a hasher of the caller, and always leaves the mark.
//!
//! # Coming from another map
//!
//! See [`coming_from`](crate::coming_from#from-dashmap-to-map).
//!
//! # Orderings
//!
//! Entries are read and written under the lock of their shard, which is their only source of
//! happens-before edges. Calls that lock more than one shard do so in ascending order of the index. The
//! lengths beside the locks are `Relaxed`.
//!
//! # Limits
//!
//! - A closure runs under the lock of its shard and blocks other calls on that shard. It must not block on a
//!   thread that calls the map. Two threads that nest calls on two maps in opposite orders can deadlock: use
//!   the same order everywhere.
//! - An update computes a whole new value. Put a value that is too large for that into a lock of its own
//!   inside the map, and access it with [`Map::with`].
//! - A shard that grows rehashes its keys under the lock. If `Hash` panics then, entries of that shard can be
//!   lost; the map stays usable.
//! - Values that a closure owns are dropped inside the call. If they are dropped by a panic and their `Drop`
//!   calls the map, the rejection is a second panic, which aborts the process. Such a `Drop` must check
//!   [`Map::is_inside`] first.
//! - The shard is chosen by bits of the hash from bit 41 on, as many as needed. If a hasher leaves bits 41 to 63 the
//!   same for all keys, all keys are in one shard, and look-ups are slow.

use std::hash::RandomState;

use crate::padded::CachePadded;
pub use equivalent::Equivalent;

use selvedge_model::sync::thread;

mod entry;
mod error;
mod pair;
mod reentry;
mod shard;
mod std_types;
mod whole;

pub use error::{MapError, NotInserted};

use reentry::Inside;
use shard::Shard;

/// The maximum number of shards of a [`Map`].
pub const MAX_SHARDS: usize = 1 << 16;

/// The lowest bit of a hash that chooses the shard. Above those that do are 7 from which `hashbrown` takes a tag that
/// tells entries apart: they would be the same for all entries of a shard, were the shard chosen by them. The same bit
/// for all maps: a shift by a number that is not known when compiling takes longer.
const SHARD_FROM: u32 = u64::BITS - 7 - MAX_SHARDS.trailing_zeros();

/// How many shards a map has for each thread that can run at once.
const SHARDS_A_THREAD: usize = 16;

/// A concurrent hash map without guards, and with atomic updates of two keys.
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
    /// The length is a power of two.
    shards: Box<[CachePadded<Shard<K, V>>]>,
    hasher: S,
}

impl<K, V> Map<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty map with space for `capacity` entries, if they are distributed evenly over the shards.
    ///
    /// # Panics
    ///
    /// If the capacity overflows. A failed allocation aborts the process, as in `std`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }

    /// An empty map with `shards` shards, rounded up to a power of two.
    ///
    /// Calls on different shards do not block each other. More shards take more memory, and more time for
    /// calls that visit all of them.
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
    /// The default, [`RandomState`], resists keys that are chosen to collide; other hashers may not.
    pub fn with_hasher(hasher: S) -> Self {
        Self::with_capacity_and_hasher(0, hasher)
    }

    /// An empty map with space for `capacity` entries, whose keys are hashed by `hasher`.
    ///
    /// # Panics
    ///
    /// If the capacity overflows. A failed allocation aborts the process, as in `std`.
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

    /// An empty map with `shards` shards, rounded up to a power of two, whose keys are hashed by `hasher`.
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
            hasher,
        }
    }

    /// The number of shards.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// The hasher of the keys.
    pub fn hasher(&self) -> &S {
        &self.hasher
    }

    /// Whether the calling thread is inside a call on this map, such as in a closure. Re-entrant calls that
    /// take a lock are rejected there.
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

    /// Enters the map if code of the caller may run before it is left. Otherwise nothing could find the mark,
    /// and look-ups that miss the cache are faster without writing it.
    ///
    /// # Panics
    ///
    /// If the thread is inside it already.
    #[inline]
    fn enter_if(&self, calls_back: bool) -> Option<Inside> {
        if calls_back {
            return Some(self.enter());
        }
        if let Err(error) = reentry::check(self.address()) {
            refuse(&error);
        }
        None
    }

    /// The index of the shard of a hash.
    #[inline]
    fn index(&self, hash: u64) -> usize {
        (hash >> SHARD_FROM) as usize & (self.shards.len() - 1)
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
