//! Two entries in one atomic step.

use std::hash::{BuildHasher, Hash};
use std::mem;

use equivalent::Equivalent;

use super::{Map, MapError};

impl<K: Hash + Eq, V, S: BuildHasher> Map<K, V, S> {
    /// Replaces the values of two keys by those that `f` returns, in one atomic step: no other call observes
    /// one of them changed and not the other. Returns the previous values, or `None`, without calling `f`,
    /// if either key has no entry.
    ///
    /// Both shards are locked, the one with the smaller index first, so that calls with the keys in
    /// opposite orders do not deadlock.
    ///
    /// ```
    /// let balances = selvedge::Map::from([("alice", 100), ("bob", 0)]);
    /// let before = balances.update_pair("alice", "bob", |from, to| (from - 30, to + 30))?;
    /// assert_eq!(before, Some((100, 0)));
    /// assert_eq!(balances.get("bob"), Some(30));
    /// # Ok::<(), selvedge::MapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`MapError::SameKey`] if the keys are equal; [`MapError::Reentrant`] if the thread is inside a call
    /// on the same map.
    ///
    /// # Panics
    ///
    /// If `f` panics. Also if two keys that are not equal by `Q`'s `Eq` are [`Equivalent`] to the same key
    /// of the map. Both entries are then unchanged.
    pub fn update_pair<Q>(
        &self,
        first: &Q,
        second: &Q,
        f: impl FnOnce(&V, &V) -> (V, V),
    ) -> Result<Option<(V, V)>, MapError>
    where
        Q: Hash + Eq + Equivalent<K> + ?Sized,
    {
        if first == second {
            return Err(MapError::SameKey);
        }
        let hashes = (self.hash(first), self.hash(second));
        let (a, b) = (self.index(hashes.0), self.index(hashes.1));

        // In each case the look-ups first, then `f`; from there on nothing of the user's runs, so
        // both values are replaced or none.
        let _inside = self.try_enter()?;
        if a == b {
            let mut shard = self.shards[a].write();
            let keys = [first, second];
            let found =
                shard.get_disjoint_mut([hashes.0, hashes.1], |at, (k, _)| keys[at].equivalent(k));
            let [Some(first), Some(second)] = found else { return Ok(None) };
            Ok(Some(replace_both(first, second, f)))
        } else {
            let mut low = self.shards[a.min(b)].write();
            let mut high = self.shards[a.max(b)].write();
            let (of_first, of_second) =
                if a < b { (&mut low, &mut high) } else { (&mut high, &mut low) };
            let found = of_first.find_mut(hashes.0, |(k, _)| first.equivalent(k));
            let Some(first) = found else { return Ok(None) };
            let found = of_second.find_mut(hashes.1, |(k, _)| second.equivalent(k));
            let Some(second) = found else { return Ok(None) };
            Ok(Some(replace_both(first, second, f)))
        }
    }
}

/// Replaces both values and returns the old ones.
fn replace_both<K, V>(
    (_, first): &mut (K, V),
    (_, second): &mut (K, V),
    f: impl FnOnce(&V, &V) -> (V, V),
) -> (V, V) {
    let new = f(first, second);
    (mem::replace(first, new.0), mem::replace(second, new.1))
}
